//! What the page of an SMM order can ask for.

use super::browser::{Browser, customer, location};
use crate::tests::world::{PLACE, World};

async fn placed(world: &World) -> String {
    let body = r#"{"service_id":1,"link":"https://instagram.com/user","quantity":500}"#;
    let order = world.post(PLACE, &[], body).await.data();
    order["order_id"].as_str().unwrap().to_owned()
}

/// The key that the order's page made for a form.
async fn once(browser: &mut Browser<'_>, id: &str) -> String {
    let page = browser.get(&format!("/orders/{id}")).await;
    let (_, after) = page.text.split_once("name=\"once\" value=\"").unwrap();
    after.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_cancel_is_asked_for_from_the_orders_page_and_moves_no_money_yet() {
    let world = World::start().await;
    let id = placed(&world).await;
    let before = world.wallet().await;
    let mut browser = customer(&world).await;
    let once = once(&mut browser, &id).await;
    let fields = [("order", id.as_str()), ("once", once.as_str())];
    for _ in 0..2 {
        let answer = browser.post("/smm/cancel", &fields).await;
        let there = format!("/orders/{id}?notice=cancel-asked");
        assert_eq!(location(&answer), there, "{}", answer.text);
    }
    assert_eq!(world.wallet().await, before);
}

#[tokio::test]
async fn what_is_not_due_or_not_ones_own_is_refused_on_the_page() {
    let world = World::start().await;
    let id = placed(&world).await;
    let mut browser = customer(&world).await;
    let key = once(&mut browser, &id).await;
    let fields = [("order", id.as_str()), ("once", key.as_str())];
    assert_eq!(browser.post("/smm/refill", &fields).await.status, 409);
    let (other, _) = world.new_account("bob@example.com").await;
    let mut stranger = super::browser::signed_in(&world, other).await;
    stranger.get("/orders").await;
    for path in ["/smm/cancel", "/smm/refill"] {
        assert_eq!(stranger.post(path, &fields).await.status, 404, "{path}");
    }
}
