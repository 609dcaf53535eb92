//! How often upstreams are asked for what customers wait for.

use super::world::World;
use domain::time::Millis;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

const DISCORD: &str = r#"{"service_id":"306343","country_id":"61"}"#;

/// Numbers that wait, with their order ids.
async fn waiting(world: &World, count: usize) -> Vec<String> {
    let mut orders = Vec::new();
    for _ in 0..count {
        let bought = world
            .post("/api/v1/otp?action=buy_number", &[], DISCORD)
            .await;
        orders.push(bought.data()["order_id"].as_str().unwrap().to_owned());
    }
    orders
}

async fn pass(world: &World) {
    world.clock.advance(Millis::seconds(2));
    world.door.engine.poll_upstream("peter").await;
}

#[tokio::test]
async fn a_thousand_who_wait_and_poll_cost_an_upstream_one_call_in_each_pass() {
    let world = World::start().await;
    world.credit("100").await;
    world.numbers.lists.store(true, Ordering::SeqCst);
    let orders = waiting(&world, 1_000).await;
    let asked = || world.numbers.lists_asked.load(Ordering::SeqCst);
    let before = asked();
    let mut polls = 0;
    for _ in 0..2 {
        for order in &orders {
            let status = world
                .get(&format!("/api/v1/otp?action=get_status&order_id={order}"))
                .await;
            assert_eq!(status.data()["status"], "waiting");
            polls += 1;
        }
        pass(&world).await;
    }
    let singly = world.numbers.asked.lock().unwrap().len() as u64;
    assert_eq!((asked() - before, singly, polls), (2, 0, 2_000));
}

#[tokio::test]
async fn where_each_is_asked_for_by_itself_everybody_has_their_turn() {
    let world = World::start().await;
    waiting(&world, 100).await;
    for _ in 0..3 {
        pass(&world).await;
    }
    let asked = world.numbers.asked.lock().unwrap().clone();
    let distinct: BTreeSet<&String> = asked.iter().collect();
    assert_eq!((asked.len(), distinct.len()), (120, 100));
}

#[tokio::test]
async fn a_thousand_who_are_asked_for_one_by_one_cost_less_than_a_call_for_twenty_polls() {
    let world = World::start().await;
    world.credit("100").await;
    let orders = waiting(&world, 1_000).await;
    let mut polls = 0;
    for _ in 0..2 {
        for order in &orders {
            let target = format!("/api/v1/otp?action=get_status&order_id={order}");
            assert_eq!(world.get(&target).await.data()["status"], "waiting");
            polls += 1;
        }
        pass(&world).await;
    }
    let asked = world.numbers.asked.lock().unwrap().len();
    assert!(
        asked > 0 && asked * 20 < polls,
        "{asked} calls for {polls} polls"
    );
}
