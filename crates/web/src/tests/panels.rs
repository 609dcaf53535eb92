//! Panels that take more than they said, answer two orders with one id, or claim to have split one:
//! what it costs nobody.

use super::world::{Answered, PLACE, World};
use domain::time::Millis;
use domain::upstream::Progress;
use domain::usd::Usd;
use std::sync::atomic::Ordering;

async fn place(world: &World, user: &str) -> Answered {
    let body =
        format!(r#"{{"service_id":"1","link":"https://instagram.com/{user}","quantity":500}}"#);
    world.post(PLACE, &[], &body).await
}

/// Lets the background work of some minutes happen.
async fn later(world: &World, minutes: usize) {
    for _ in 0..minutes * 2 {
        world.clock.advance(Millis::seconds(30));
        world.run_smm_orders().await;
    }
}

#[tokio::test]
async fn a_service_that_took_far_more_is_closed_until_its_rate_is_right() {
    let world = World::start().await;
    place(&world, "one").await.data();
    world.panel.says(Progress::InProgress, |status| {
        status.charge = Some(Usd(1_500_000))
    });
    later(&world, 2).await;
    let closed = place(&world, "two").await;
    assert_eq!(closed.status, 503, "{}", closed.text);
    world.panel.rate.store(3_000_000_000, Ordering::SeqCst);
    let refreshed = world.door.engine.refresh_upstream("panel").await;
    refreshed.outcome.unwrap();
    place(&world, "three").await.data();
    // the first order's charge is seen again, beside a rate that is right by now
    later(&world, 2).await;
    place(&world, "four").await.data();
    world.books().await;
}

#[tokio::test]
async fn one_id_for_two_orders_is_a_conflict_only_where_the_panels_window_is_known() {
    let world = World::start().await;
    world.panel.says(Progress::Completed, |_| {});
    let twice = async |user: &str, minutes: usize| {
        *world.panel.id.lock().unwrap() = Some(user.to_owned());
        place(&world, user).await.data();
        later(&world, minutes).await;
        let paid = world.wallet().await.available;
        let second = place(&world, user).await;
        assert_eq!(world.wallet().await.available, paid, "{}", second.text);
        (second.status, second.code())
    };
    assert_eq!(twice("one", 40).await.0, 503, "nobody knew of a window");
    let known = (409, "duplicate_active_order".to_owned());
    assert_eq!(twice("two", 30).await, known, "forty minutes were seen");
    world.books().await;
}

#[tokio::test]
async fn an_order_split_into_more_than_it_can_be_is_not_judged() {
    let world = World::start().await;
    place(&world, "one").await.data();
    world.panel.says(Progress::Completed, |status| {
        status.child_ids = (0..10_001).map(|id| id.to_string()).collect();
    });
    later(&world, 10).await;
    let held = world.wallet().await.held;
    assert!(held > Usd::ZERO, "its parts were not seen");
    world.panel.says(Progress::Completed, |_| {});
    later(&world, 20).await;
    assert_eq!(world.wallet().await.held, Usd::ZERO);
    world.books().await;
}
