//! SMM orders, end to end over the practice panel.

use crate::world::World;
use serde_json::{Value, json};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(30);

fn followers(script: &str) -> Value {
    let link = format!(
        "https://instagram.com/user{}",
        script.replace([':', '=', '?'], "")
    );
    json!({ "service_id": "1", "link": format!("{link}{script}"), "quantity": 500 })
}

#[tokio::test]
async fn an_order_is_followed_to_its_end_and_charged_exactly() {
    let world = World::new().await;
    let services = world.client.smm("services").await;
    assert!(
        services.text.contains("\"rate_usd_per_1000\":1.080000"),
        "{}",
        services.text
    );
    let placed = world.client.place(followers("")).await;
    assert!(
        placed.text.contains("\"charged\":0.540000"),
        "{}",
        placed.text
    );
    let placed = placed.data();
    assert_eq!(placed["status"], "Pending");
    assert_eq!(world.client.balance().await, "49.460000");
    let duplicate = world.client.place(followers("")).await;
    assert_eq!(duplicate.verdict(), "409 duplicate_active_order");
    let done = world
        .wait_for_smm(&placed["order_id"], &["Completed"], SOON)
        .await;
    assert_eq!(done["remains"], 0);
    assert_eq!(world.client.balance().await, "49.460000");
    world.verify();
}

#[tokio::test]
async fn what_was_not_delivered_goes_back_exactly_once() {
    let world = World::new().await;
    let partial = world
        .client
        .place(followers("?sandbox=partial:157"))
        .await
        .data();
    let canceled = world
        .client
        .place(followers("?sandbox=canceled"))
        .await
        .data();
    let negative = world
        .client
        .place(followers("?sandbox=remains:-5"))
        .await
        .data();
    let regress = world
        .client
        .place(followers("?sandbox=regress"))
        .await
        .data();
    let ended = world
        .wait_for_smm(&partial["order_id"], &["Partial"], SOON)
        .await;
    assert_eq!(ended["remains"], 157);
    world
        .wait_for_smm(&canceled["order_id"], &["Canceled"], SOON)
        .await;
    world
        .wait_for_smm(&negative["order_id"], &["Partial", "Completed"], SOON)
        .await;
    world
        .wait_for_smm(&regress["order_id"], &["Completed"], SOON)
        .await;
    // 4 × 0.54 held; back come 0.16956 (157 of 500) and 0.54
    world.balance_becomes("48.549560", SOON).await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    assert_eq!(world.client.balance().await, "48.549560");
    world.verify();
}

#[tokio::test]
async fn an_order_whose_answer_was_lost_is_found_or_undone() {
    let world = World::new().await;
    let path = "/api/v1/smm?action=place_order";
    let kept = world
        .client
        .post_keyed(path, followers("?sandbox=lost"), "k")
        .await;
    assert_eq!(kept.status, 202, "{}", kept.text);
    world
        .wait_for_smm(&kept.data()["order_id"], &["Completed"], SOON)
        .await;
    let replay = world
        .client
        .post_keyed(path, followers("?sandbox=lost"), "k")
        .await;
    assert_eq!(replay.status, 200, "{}", replay.text);
    assert_eq!(world.client.balance().await, "49.460000");
    let mut other = followers("?sandbox=lost");
    other["quantity"] = json!(100);
    let unknown = world.client.place(other).await;
    assert_eq!(unknown.verdict(), "503 purchase_outcome_unknown");
    world.balance_becomes("49.460000", SOON).await;
    world.verify();
}

/// More is left than was ordered: nothing is paid, the order is shown as before, and the operator
/// finds a ticket.
#[tokio::test]
async fn a_panel_that_contradicts_itself_is_a_matter_for_the_operator() {
    let world = World::new().await;
    let script = followers("?sandbox=remains:5000");
    let placed = world.client.place(script).await.data();
    let give_up = std::time::Instant::now() + SOON;
    let tickets = loop {
        let tickets = world.cli(&["ledger", "tickets"])["tickets"].clone();
        if tickets != json!([]) {
            break tickets;
        }
        assert!(std::time::Instant::now() < give_up, "no ticket");
        tokio::time::sleep(Duration::from_millis(250)).await;
    };
    assert_eq!(tickets[0]["kind"], "order_in_review");
    let detail = tickets[0]["detail"].as_str().unwrap();
    let order = placed["order_id"].as_str().unwrap();
    assert!(
        detail.contains(order) && detail.contains("5000"),
        "{detail}"
    );
    let query = format!("order_status&order_id={order}");
    let shown = world.client.smm(&query).await.data();
    assert_eq!(shown["status"], "In progress");
    assert_eq!(world.client.balance().await, "49.460000");
    world.verify();
}

/// A panel that places an order twice: the second one belongs to nobody, is found in the panel's
/// list and ends in the house's books, so that they explain what the panel took.
#[tokio::test]
async fn an_order_the_panel_placed_twice_is_found_and_booked() {
    let world = World::new().await;
    world
        .faults(json!({ "seed": 1, "rates": { "double_booking": 1 } }))
        .await;
    let placed = world.client.place(followers("")).await.data();
    world.faults(json!({ "seed": 1, "rates": {} })).await;
    world
        .wait_for_smm(&placed["order_id"], &["Completed"], SOON)
        .await;
    assert_eq!(world.sold().await.len(), 2);
    assert_eq!(world.client.balance().await, "49.460000");
    // the panel's list is swept once a minute, a stranger has to be seen twice, and then its end counts
    let give_up = std::time::Instant::now() + Duration::from_secs(180);
    while world.orphans() != ["lost"] {
        assert!(std::time::Instant::now() < give_up, "{:?}", world.orphans());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    world.verify();
}

/// A cancel in the middle of delivery: asked for, and refunded by the status alone.
#[tokio::test]
async fn a_cancel_and_a_refill_run_their_course() {
    let world = World::new().await;
    let running = world.client.place(followers("?sandbox=never")).await.data();
    let refilled = json!({
        "service_id": "21", "link": "https://youtube.com/watch?v=1", "quantity": 100
    });
    let refilled = world.client.place(refilled).await.data();
    let order = json!({ "order_id": running["order_id"] });
    world
        .wait_for_smm(&running["order_id"], &["In progress"], SOON)
        .await;
    let cancel = "/api/v1/smm?action=cancel_order";
    let asked = world.client.post_keyed(cancel, order.clone(), "c").await;
    assert_eq!(asked.data()["cancel"], "requested");
    let ended = world
        .wait_for_smm(&running["order_id"], &["Partial"], SOON)
        .await;
    assert_eq!(ended["remains"], 250);
    let replay = world.client.post_keyed(cancel, order.clone(), "c").await;
    assert_eq!((replay.status, &replay.text), (200, &asked.text));
    let late = world.client.post(cancel, order).await;
    assert_eq!(late.verdict(), "409 order_final");

    world
        .wait_for_smm(&refilled["order_id"], &["Completed"], SOON)
        .await;
    let order = json!({ "order_id": refilled["order_id"] });
    let refill = "/api/v1/smm?action=refill";
    let asked = world.client.post(refill, order.clone()).await.data();
    let open = world.client.post(refill, order.clone()).await;
    assert_eq!(open.verdict(), "409 refill_open");
    let status = format!(
        "refill_status&refill_id={}",
        asked["refill_id"].as_str().unwrap()
    );
    let give_up = std::time::Instant::now() + SOON;
    while world.client.smm(&status).await.data()["status"] != "Completed" {
        assert!(std::time::Instant::now() < give_up, "the refill never ends");
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let soon = world.client.post(refill, order).await;
    assert_eq!(soon.verdict(), "409 refill_not_due");
    assert!(soon.header("retry-after").is_some());
    world.verify();
}

#[tokio::test]
async fn a_subscription_is_charged_for_what_its_posts_got() {
    let world = World::new().await;
    let services = world.client.smm("services").await.data();
    let listed = services["services"].as_array().unwrap();
    let found = listed.iter().find(|one| one["service_id"] == "14").unwrap();
    assert_eq!(found["type"], "Subscriptions");
    let order = json!({
        "service_id": "14", "username": "ana", "min": 20, "max": 40, "posts": 2,
    });
    let mut short = order.clone();
    short.as_object_mut().unwrap().remove("posts");
    let refused = world.client.place(short).await;
    assert_eq!(refused.verdict(), "400 missing_parameter");
    assert!(refused.text.contains("posts"), "{}", refused.text);
    let mut small = order.clone();
    small["min"] = json!(19);
    let refused = world.client.place(small).await;
    assert_eq!(refused.verdict(), "400 quantity_out_of_range");
    let placed = world.client.place(order).await;
    // at most 80 units at 0.612
    assert!(
        placed.text.contains("\"charged\":0.048960"),
        "{}",
        placed.text
    );
    assert_eq!(world.client.balance().await, "49.951040");
    let id = placed.data()["order_id"].clone();
    let ended = ["Partial", "Completed"];
    world
        .wait_for_smm(&id, &ended, Duration::from_secs(40))
        .await;
    let answer = world.client.smm("orders").await;
    let orders = answer.data();
    let shown = &orders["orders"][0];
    assert_eq!(
        (&shown["link"], &shown["quantity"]),
        (&"ana".into(), &80.into())
    );
    let sold = world.sold().await;
    let children: Vec<u64> = sold
        .iter()
        .filter_map(|one| one["quantity"].as_u64().filter(|units| *units > 0))
        .collect();
    assert_eq!(children.len(), 2, "{sold:?}");
    assert!(
        children.iter().all(|units| (20..=40).contains(units)),
        "{sold:?}"
    );
    let delivered: u64 = children.iter().sum();
    assert_eq!(shown["remains"], 80 - delivered, "{shown}");
    let share = 48_960 * (80 - delivered) / 80;
    let refunded = format!("\"refunded\":0.{share:06}");
    assert!(answer.text.contains(&refunded), "{}", answer.text);
    assert_eq!(world.orphans(), Vec::<String>::new());
    world.verify();
}

/// Votes are denied for good, whatever the operator lifts: the type is known and not sold.
#[tokio::test]
async fn a_poll_is_listed_by_the_panel_and_sold_to_nobody() {
    let world = World::new().await;
    let services = world.client.smm("services").await;
    assert!(!services.text.contains("Poll"), "{}", services.text);
    let order = json!({
        "service_id": "102", "link": "https://t.me/channel/7", "quantity": 50, "answer_number": 2,
    });
    let refused = world.client.place(order).await;
    assert_eq!(refused.verdict(), "403 service_restricted");
    assert_eq!(world.sold().await.len(), 0);
}
