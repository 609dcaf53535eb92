//! `server: "all"`: the best route, and after a definite failure the next.

use super::world::{BUY, World};
use domain::attempt::AttemptState;
use domain::ids::OrderId;
use domain::ports::Store;
use domain::usd::Usd;
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

pub(super) async fn attempts(world: &World, order: &Value) -> Vec<(String, AttemptState)> {
    let order = OrderId::parse(order.as_str().unwrap()).unwrap();
    let attempts = world.store.attempts(order).await.unwrap().into_iter();
    attempts.map(|one| (one.upstream, one.state)).collect()
}

fn wanted(service: &str) -> String {
    json!({ "service_id": service, "country_key": "pakistan", "server": "all" }).to_string()
}

#[tokio::test]
async fn the_cheapest_route_of_all_sells() {
    let world = World::start().await;
    for service in ["Telegram", "telegram", "tg"] {
        let bought = world.post(BUY, &[], &wanted(service)).await.data();
        assert_eq!(bought["provider_source"], "andrew", "{service}");
        assert_eq!(bought["charged_usd"].to_string(), "0.048");
    }
    assert_eq!(world.wallet().await.held, Usd(3 * 48_000));
}

#[tokio::test]
async fn a_route_without_stock_is_followed_by_the_next_at_its_own_price() {
    let world = World::start().await;
    let service = "Sandbox: no numbers";
    let key = [("idempotency-key", "one")];
    let first = world.post(BUY, &key, &wanted(service)).await;
    let bought = first.data();
    assert_eq!(bought["provider_source"], "paul");
    assert_eq!(bought["charged_usd"].to_string(), "0.18");
    let wallet = world.wallet().await;
    let (held, available) = (wallet.held, wallet.available);
    assert_eq!((held, available), (Usd(180_000), Usd(50_000_000 - 180_000)));
    let tried = attempts(&world, &bought["order_id"]).await;
    let named = |name: &str, state| (name.to_owned(), state);
    assert_eq!(
        tried,
        [
            named("peter", AttemptState::Refused),
            named("paul", AttemptState::Done)
        ]
    );
    let again = world.post(BUY, &key, &wanted(service)).await;
    assert_eq!(again.text, first.text);
    assert_eq!(world.numbers.sold.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn no_route_dearer_than_the_cap_or_the_wallet_is_tried() {
    let world = World::start().await;
    let capped = json!({
        "service_id": "Sandbox: no numbers", "country_key": "pakistan", "server": "all",
        "max_price_usd": "0.179999",
    });
    let refused = world.post(BUY, &[], &capped.to_string()).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "no_numbers")
    );
    let poor = world.new_account("poor@example.com").await;
    let engine = &world.door.engine;
    let credit = engine.credit_wallet(poor.0, Usd(40_000), "test");
    credit.await.unwrap();
    let key = [("x-api-key", poor.1.as_str())];
    let refused = world.post(BUY, &key, &wanted("Sandbox: no numbers")).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (503, "no_numbers")
    );
    let wallet = world.store.wallet(poor.0).await.unwrap().unwrap();
    assert_eq!((wallet.available, wallet.held), (Usd(40_000), Usd::ZERO));
    assert_eq!(world.wallet().await.available, Usd(50_000_000));
    assert_eq!(world.numbers.sold.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_unknown_outcome_is_never_followed_by_another_route() {
    let world = World::start().await;
    let key = [("idempotency-key", "one")];
    let pending = world.post(BUY, &key, &wanted("Sandbox: answer lost")).await;
    assert_eq!(pending.status, 202);
    let tried = attempts(&world, &pending.json()["data"]["order_id"]).await;
    assert_eq!(tried, [("peter".to_owned(), AttemptState::InDoubt)]);
    assert_eq!(world.numbers.sold.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_member_that_names_one_route_contradicts_the_wish_for_the_best_of_all() {
    let world = World::start().await;
    for (member, value) in [
        ("country_id", json!("61")),
        ("provider_type", json!(1)),
        ("pool_id", json!("7")),
    ] {
        let mut body = json!({ "service_id": "x", "country_key": "pakistan", "server": "all" });
        body[member] = value;
        let refused = world.post(BUY, &[], &body.to_string()).await;
        assert_eq!(refused.status, 400, "{member}");
        assert_eq!(refused.code(), "conflicting_parameters", "{member}");
        assert!(refused.text.contains(member), "{}", refused.text);
    }
}
