//! Tiers, purposes, bounds and the do-not-use list, as callers meet them.

use super::world::{BUY, CANCEL, DISCORD, PLACE, World};
use domain::policy::BlockedKind;
use domain::time::Millis;

async fn tier(world: &World, tier: u8) {
    let engine = &world.door.engine;
    engine.set_tier(world.account, tier).await.unwrap();
}

#[tokio::test]
async fn each_tier_buys_what_is_its_and_says_what_for() {
    let world = World::start().await;
    let services = "/api/v1/otp?action=services&country_id=61";
    assert!(world.get(services).await.text.contains("Discord"));
    tier(&world, 0).await;
    assert!(!world.get(services).await.text.contains("Discord"));
    let refused = world.post(BUY, &[], DISCORD).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "tier_required")
    );

    tier(&world, 1).await;
    let refused = world.post(BUY, &[], DISCORD).await;
    let code = refused.code();
    assert_eq!(
        (refused.status, code.as_str()),
        (403, "attestation_required")
    );
    assert!(refused.text.contains("account page"), "{}", refused.text);
    let attested = world
        .door
        .lawful
        .attest(world.account, "testing our own sign-up");
    attested.await.unwrap();
    assert_eq!(world.post(BUY, &[], DISCORD).await.status, 200);
    assert_eq!(
        world.books().await.open_holds,
        1,
        "the refused ones held nothing"
    );
}

#[tokio::test]
async fn one_more_than_the_tier_allows_waits_and_is_told_how_long() {
    let world = World::start().await;
    tier(&world, 1).await;
    let attested = world
        .door
        .lawful
        .attest(world.account, "testing our own sign-up");
    attested.await.unwrap();
    for _ in 0..5 {
        assert_eq!(world.post(BUY, &[], DISCORD).await.status, 200);
    }
    let keyed = [("Idempotency-Key", "the-sixth")];
    let over = world.post(BUY, &keyed, DISCORD).await;
    assert_eq!((over.status, over.code().as_str()), (429, "velocity_limit"));
    assert_eq!(over.header("retry-after"), Some("60"));
    assert!(over.text.contains("open_activations"), "{}", over.text);
    assert_eq!(world.books().await.open_holds, 5);
    tier(&world, 3).await;
    let same = world.post(BUY, &keyed, DISCORD).await;
    assert_eq!(same.status, 200, "the refusal took no key: {}", same.text);
}

#[tokio::test]
async fn cancel_farming_pauses_even_the_contract_tier() {
    let world = World::start().await;
    for _ in 0..20 {
        let order = world.buy().await;
        world.clock.advance(Millis::minutes(3));
        let body = format!("{{\"order_id\":\"{order}\"}}");
        let cancelled = world.post(CANCEL, &[], &body).await;
        assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    }
    let over = world.post(BUY, &[], DISCORD).await;
    assert_eq!((over.status, over.code().as_str()), (429, "velocity_limit"));
    assert_eq!(over.header("retry-after"), Some("3600"));
    world.clock.advance(Millis::minutes(60));
    assert_eq!(world.post(BUY, &[], DISCORD).await.status, 200);
}

#[tokio::test]
async fn a_target_whose_owner_objects_is_not_ordered_for() {
    let world = World::start().await;
    let lawful = &world.door.lawful;
    let link = "https://instagram.com/user";
    let block = lawful.block(BlockedKind::Target, link, "its owner wrote to us");
    block.await.unwrap();
    let order = r#"{"service_id":1,"link":"http://www.instagram.com/user/","quantity":500}"#;
    let refused = world.post(PLACE, &[], order).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "service_restricted")
    );
    assert!(refused.text.contains("owner"), "{}", refused.text);
    lawful.unblock(BlockedKind::Target, link).await.unwrap();
    assert_eq!(world.post(PLACE, &[], order).await.status, 200);
}
