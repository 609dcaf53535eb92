//! Two upstreams behind one typed route: one offer, one price, and the next after a definite failure.

use super::everywhere::attempts;
use super::world::{BUY, World};
use app::UpstreamLimits;
use domain::attempt::AttemptState;
use domain::upstream::Refusal;
use domain::usd::Usd;
use serde_json::json;
use std::sync::atomic::Ordering;
use std::time::Duration;

fn wanted(service: &str) -> String {
    json!({ "service_id": service, "country_id": "61", "server": "peter", "provider_type": 1 })
        .to_string()
}

async fn world() -> World {
    World::with_two_upstreams(UpstreamLimits::default()).await
}

#[tokio::test]
async fn what_both_sell_is_listed_once_and_the_second_sells_at_the_price_of_the_first() {
    let world = world().await;
    let list = "/api/v1/otp?action=services&server=peter&country_id=61&provider_type=1";
    let rows = world.get(list).await.data();
    let rows = rows["services"].as_array().unwrap();
    let none: Vec<_> = rows
        .iter()
        .filter(|row| row["service_id"] == "none")
        .collect();
    assert_eq!((none.len(), rows.len()), (1, 4), "{rows:?}");
    assert_eq!(none[0]["your_price_usd"].to_string(), "0.04");
    let bought = world.post(BUY, &[], &wanted("none")).await.data();
    assert_eq!(bought["charged_usd"].to_string(), "0.04");
    assert_eq!(world.wallet().await.held, Usd(40_000));
    let named = |name: &str, state| (name.to_owned(), state);
    assert_eq!(
        attempts(&world, &bought["order_id"]).await,
        [
            named("peter", AttemptState::Refused),
            named("mark", AttemptState::Done)
        ]
    );
}

#[tokio::test]
async fn an_upstream_that_costs_more_than_the_price_is_not_tried() {
    let world = world().await;
    world.numbers.cost_at_mark.store(40_001, Ordering::SeqCst);
    world.door.engine.refresh_upstream("mark").await;
    let refused = world.post(BUY, &[], &wanted("none")).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "no_numbers")
    );
    assert_eq!(world.numbers.sold.load(Ordering::SeqCst), 0);
    world.numbers.cost_at_mark.store(40_000, Ordering::SeqCst);
    world.door.engine.refresh_upstream("mark").await;
    assert_eq!(world.post(BUY, &[], &wanted("none")).await.status, 200);
}

#[tokio::test]
async fn after_an_unknown_outcome_the_second_is_not_tried() {
    let world = world().await;
    let pending = world
        .post(BUY, &[("idempotency-key", "one")], &wanted("lost"))
        .await;
    assert_eq!(pending.status, 202);
    let tried = attempts(&world, &pending.json()["data"]["order_id"]).await;
    assert_eq!(tried, [("peter".to_owned(), AttemptState::InDoubt)]);
}

#[tokio::test]
async fn the_margin_is_looked_at_again_before_the_second_is_tried() {
    for (cost, status) in [(20_000, 200), (60_000, 503)] {
        let world = world().await;
        *world.numbers.refusal.lock().unwrap() = Some(Refusal::NoStock);
        let slow = wanted("slow");
        let meanwhile = async {
            while world.numbers.calls.load(Ordering::SeqCst) == 0 {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            world.numbers.cost_at_mark.store(cost, Ordering::SeqCst);
            world.door.engine.refresh_upstream("mark").await;
            world.numbers.gate.add_permits(1);
        };
        let (answer, ()) = tokio::join!(world.post(BUY, &[], &slow), meanwhile);
        assert_eq!(answer.status, status, "cost {cost}: {}", answer.text);
    }
}
