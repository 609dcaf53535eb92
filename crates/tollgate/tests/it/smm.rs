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
    let give_up = std::time::Instant::now() + Duration::from_secs(120);
    while world.orphans() != ["lost"] {
        assert!(std::time::Instant::now() < give_up, "{:?}", world.orphans());
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    world.verify();
}
