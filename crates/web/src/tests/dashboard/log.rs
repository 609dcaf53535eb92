//! The API log and the uses of keys.

use super::browser::{customer, signed_in};
use crate::tests::world::{BUY, World};
use app::KeyOrder;
use app::api_key::Environment;

#[tokio::test]
async fn requests_are_logged_behind_and_equal_polls_are_one_line() {
    let world = World::start().await;
    let order = world.buy().await;
    let status = format!("/api/v1/otp?action=get_status&order_id={order}");
    for _ in 0..3 {
        world.get(&status).await;
    }
    world
        .post(BUY, &[("x-request-id", "mine-1")], "{\"service_id\":\"x\"}")
        .await;
    world.get("/api/v1/otp?action=nonsense").await;
    let mut ana = customer(&world).await;
    let page = ana.get("/log").await;
    assert!(page.text.contains("No requests"), "not in a request's way");
    assert!(ana.get("/keys").await.text.contains("Not used yet"));

    world.door.log.write_down().await;
    let page = ana.get("/log").await.text;
    for shown in [
        "get_status",
        "buy_number",
        "mine-1",
        "missing_parameter",
        "unknown action",
        "unknown_action",
    ] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    assert_eq!(page.matches("get_status</td>").count(), 1, "{page}");
    assert!(page.contains("<td class=\"right\">3</td>"), "{page}");
    assert!(!page.contains(&world.key));
    assert!(ana.get("/keys").await.text.contains("6 requests"));

    let refused = ana.get("/log?result=failed").await.text;
    assert!(refused.contains("missing_parameter") && !refused.contains("get_status</td>"));
    let of_order = ana.get(&format!("/log?order={order}")).await.text;
    assert!(of_order.contains("get_status</td>") && of_order.contains("buy_number</td>"));
    assert!(!of_order.contains("missing_parameter"));
    assert!(
        ana.get("/log?action=balance")
            .await
            .text
            .contains("No requests that fit")
    );
    assert_eq!(ana.get("/log?order=x").await.status, 400);
    let story = ana.get(&format!("/orders/{order}")).await.text;
    assert!(story.contains("API requests") && story.contains("get_status</td>"));
}

#[tokio::test]
async fn equal_actions_of_the_two_services_are_told_apart() {
    let world = World::start().await;
    world.get("/api/v1/otp?action=balance").await;
    world.get("/api/v1/smm?action=balance").await;
    world.get("/api/v1/smm?action=nonsense").await;
    world.door.log.write_down().await;
    let mut ana = customer(&world).await;
    let page = ana.get("/log").await.text;
    assert_eq!(page.matches("balance</td>").count(), 2, "{page}");
    let smm = ana.get("/log?service=smm").await.text;
    assert_eq!(smm.matches("<td>SMM</td>").count(), 2, "{smm}");
    assert!(smm.contains("unknown action") && !smm.contains("<td>OTP</td>"));
    let otp = ana.get("/log?service=otp&action=balance").await.text;
    assert!(otp.contains("<td>OTP</td>") && !otp.contains("<td>SMM</td>"));
    let strange = ana.get("/log?service=%3Cb%3E").await.text;
    assert!(strange.contains("No requests that fit") && !strange.contains("<b>"));
}

#[tokio::test]
async fn a_log_is_its_accounts_alone_and_names_are_only_text() {
    let world = World::start().await;
    let order = world.buy().await;
    let (bob_id, bob_key) = world.new_account("bob@example.com").await;
    let foreign = format!("/api/v1/otp?action=get_status&order_id={order}");
    let request = world.request("GET", &foreign, &[("x-api-key", &bob_key)], "");
    assert_eq!(world.send(request).await.status, 404);
    let hostile = KeyOrder {
        name: "<script>alert(1)</script>".to_owned(),
        ..KeyOrder::default()
    };
    let making = (Environment::Live, &world.door.pepper);
    let issued = world.door.engine.issue_key(bob_id, hostile, making).await;
    let named = issued.unwrap().text;
    let request = world.request(
        "GET",
        "/api/v1/otp?action=balance",
        &[("x-api-key", &named)],
        "",
    );
    world.send(request).await;
    world.door.log.write_down().await;
    let mut bob = signed_in(&world, bob_id).await;
    let page = bob.get("/log").await.text;
    assert!(
        page.contains("order_not_found") && page.contains("balance"),
        "{page}"
    );
    assert!(!page.contains("buy_number</td>") && !page.contains(&format!("/orders/{order}")));
    assert!(!page.contains("<script>alert") && page.contains("&lt;script&gt;alert"));
    let mut ana = customer(&world).await;
    let page = ana.get(&format!("/log?order={order}")).await.text;
    assert!(!page.contains("order_not_found"), "{page}");
}

#[tokio::test]
async fn lines_are_paged_and_forgotten_after_thirty_days() {
    let world = World::start().await;
    for _ in 0..60 {
        world.get("/api/v1/otp?action=balance").await;
        world.clock.advance(domain::time::Millis::minutes(1));
    }
    world.door.log.write_down().await;
    let mut ana = customer(&world).await;
    let page = ana.get("/log").await.text;
    assert_eq!(page.matches("balance</td>").count(), 50);
    let start = page.find("/log?service=&amp;").unwrap();
    let older = page[start..]
        .split('"')
        .next()
        .unwrap()
        .replace("&amp;", "&");
    let page = ana.get(&older).await.text;
    assert_eq!(page.matches("balance</td>").count(), 10);
    assert!(!page.contains("Older"));
    world
        .clock
        .advance(domain::time::Millis(app::API_LOG_KEPT.0));
    world.door.log.forget_old().await;
    let mut ana = customer(&world).await;
    assert!(ana.get("/log").await.text.contains("No requests"));
}
