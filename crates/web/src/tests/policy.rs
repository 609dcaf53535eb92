//! Tiers, purposes, bounds and the do-not-use list, as callers meet them.

use super::dashboard::Browser;
use super::world::{BUY, CANCEL, DISCORD, PLACE, World};
use domain::policy::BlockedKind;
use domain::time::Millis;
use std::sync::atomic::Ordering;

async fn tier(world: &World, tier: u8) {
    let engine = &world.door.engine;
    engine.set_tier(world.account, tier).await.unwrap();
}

/// B-081, B-082.
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
async fn a_report_finds_who_held_the_number_and_tells_nobody() {
    use domain::policy::{BlockedKind, Held};
    let world = World::start().await;
    let order = world.buy().await;
    let path = format!("/api/v1/otp?action=get_status&order_id={order}");
    let shown = world.get(&path);
    let number = shown.await.json()["data"]["phone_number"]
        .as_str()
        .unwrap()
        .to_owned();
    let (lawful, now) = (&world.door.lawful, world.door.engine.now());
    let report = |harm, at| app::Report {
        subject: number.clone(),
        at,
        harm,
        what: "they tried to open an account in my name".to_owned(),
        contact: String::new(),
    };
    let told = async |harm, at| lawful.report(report(harm, at)).await.unwrap();
    // a customer by contract is looked at, and goes on
    let receipt = told(domain::policy::Harm::Money, None).await;
    let case = lawful.cases(true).await.unwrap().remove(0);
    assert_eq!((&case.receipt, case.kind), (&receipt, BlockedKind::Number));
    let behind = case.behind.as_ref().unwrap();
    assert_eq!(
        (behind.account, behind.order.to_string()),
        (world.account, order)
    );
    assert!(!case.suspended);
    assert!(!receipt.contains(&world.account.0.to_string()));
    let held = lawful.holds().await.unwrap();
    assert_eq!(held[0].held, Held::Order(behind.order));

    tier(&world, 1).await;
    told(domain::policy::Harm::Other, Some(now)).await;
    // whoever had it last need not be who is meant
    told(domain::policy::Harm::Money, None).await;
    told(domain::policy::Harm::Money, Some(now)).await;
    let cases = lawful.cases(true).await.unwrap();
    let stopped: Vec<bool> = cases.iter().map(|case| case.suspended).collect();
    assert_eq!(stopped, [true, false, false, false]);
    let refused = world.post(BUY, &[], DISCORD).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "account_suspended")
    );
    // what is bought is served on, and the wallet is its holder's
    for open in [path.as_str(), "/api/v1/otp?action=balance"] {
        assert_eq!(world.get(open).await.status, 200, "{open}");
    }

    // the evidence is held until the last report about it is closed
    for (closed, case) in cases.iter().enumerate() {
        let held = lawful.holds().await.unwrap();
        assert_eq!(held.len(), cases.len() - closed);
        lawful
            .close_case(case.id, "looked into; resolved")
            .await
            .unwrap();
    }
    assert!(lawful.holds().await.unwrap().is_empty());
    assert!(
        lawful
            .close_case(cases[0].id, "once more, please")
            .await
            .is_err()
    );
    let counters = lawful.counters().await.unwrap();
    assert_eq!(
        (counters.orders, counters.reports, counters.suspensions),
        (1, 4, 1)
    );
}

#[tokio::test]
async fn the_policy_page_tells_the_rules_in_force_and_takes_reports() {
    let world = World::start().await;
    let page = world.get("/policy").await;
    assert_eq!(page.status, 200);
    for said in [
        "money",
        "never sold",
        "only the roles owner and support may",
        "own_application",
        "Services for people under 18",
        "open_activations",
        "$1000.00",
        "/report-abuse",
    ] {
        assert!(page.text.contains(said), "{said}");
    }
}

#[tokio::test]
async fn numbers_are_forgotten_after_thirty_days_and_accounts_on_request() {
    let world = World::start().await;
    let order = world.buy().await;
    let path = format!("/api/v1/otp?action=get_status&order_id={order}");
    let number = |answer: super::world::Answered| answer.json()["data"]["phone_number"].clone();
    world.clock.advance(Millis::minutes(29 * 24 * 60));
    world.door.engine.run_due_activations().await;
    assert_eq!(world.door.lawful.forget().await, 0);
    assert!(number(world.get(&path).await).is_string());
    world.clock.advance(Millis::minutes(2 * 24 * 60));
    let id = domain::ids::OrderId(order.parse().unwrap());
    let held = domain::policy::Held::Order(id);
    world
        .door
        .lawful
        .hold(held, "asked for by a court")
        .await
        .unwrap();
    assert_eq!(world.door.lawful.forget().await, 0, "a hold keeps it");
    world.door.lawful.release(held).await.unwrap();
    assert_eq!(world.door.lawful.forget().await, 1);
    assert!(number(world.get(&path).await).is_null());
    world.books().await;
}

/// B-081.
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

/// B-154.
#[tokio::test]
async fn reports_come_through_the_door_a_few_a_minute() {
    let world = World::start().await;
    let order = world.buy().await;
    let path = format!("/api/v1/otp?action=get_status&order_id={order}");
    let number = world.get(&path).await.data()["phone_number"].clone();
    let number = number.as_str().unwrap();
    let mut somebody = Browser::new(&world);
    let report = [
        ("subject", number),
        ("harm", "other"),
        ("what", "It calls at night."),
        ("contact", ""),
    ];
    let send = async |somebody: &mut Browser<'_>| {
        somebody.get("/report-abuse").await;
        somebody.post("/report-abuse", &report).await
    };
    let taken = send(&mut somebody).await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    assert!(taken.text.contains("Thank you"), "{}", taken.text);
    let cases = world.door.lawful.cases(false).await.unwrap();
    assert_eq!(cases.len(), 1);
    for _ in 0..2 {
        assert_eq!(send(&mut somebody).await.status, 200);
    }
    assert_eq!(send(&mut somebody).await.status, 429);
    let mut elsewhere = Browser::at(&world, "192.0.2.9:4000");
    let from_there = elsewhere.post("/report-abuse", &report).await;
    assert_eq!(from_there.status, 200, "one address is not all");
    world.clock.advance(Millis::seconds(61));
    assert_eq!(send(&mut somebody).await.status, 200);
}

/// B-154.
#[tokio::test]
async fn reports_are_bounded_and_only_text() {
    let world = World::start().await;
    let mut somebody = Browser::new(&world);
    somebody.get("/report-abuse").await;
    let report = |what: &'static str| {
        [
            ("subject", "+923001234567"),
            ("harm", "other"),
            ("what", what),
            ("contact", ""),
        ]
    };
    let long: &'static str = "x".repeat(1024 * 1024).leak();
    let large = somebody.post("/report-abuse", &report(long)).await;
    assert_eq!(large.status, 413);
    let markup = report("<script>alert(1)</script> again and again");
    assert_eq!(somebody.post("/report-abuse", &markup).await.status, 200);
    let cases = world.door.lawful.cases(false).await.unwrap();
    assert_eq!(
        cases.len(),
        1,
        "kept as it was written, for people who read plain text"
    );
}

/// P-7: what is in force cannot be read, so nobody can decide.
#[tokio::test]
async fn what_cannot_be_decided_is_not_sold_and_all_else_works() {
    let world = World::start().await;
    let order = world.buy().await;
    world.damaged.in_force.store(true, Ordering::SeqCst);
    let engine = &world.door.engine;
    // as if another process had told that something changed
    engine.pause_upstream("paul", "a change").await.unwrap();
    let body = r#"{"service_id":1,"link":"https://instagram.com/user","quantity":500}"#;
    for (path, body) in [(BUY, DISCORD), (PLACE, body)] {
        let refused = world.post(path, &[], body).await;
        let code = refused.code();
        assert_eq!((refused.status, &*code), (503, "storage_unavailable"));
    }
    let status = format!("/api/v1/otp?action=get_status&order_id={order}");
    assert_eq!(world.get(&status).await.status, 200);
    world.clock.advance(Millis::minutes(3));
    let cancel = format!(r#"{{"order_id":"{order}"}}"#);
    assert_eq!(world.post(CANCEL, &[], &cancel).await.status, 200);
    assert_eq!(world.books().await.open_holds, 0);

    world.damaged.in_force.store(false, Ordering::SeqCst);
    assert_eq!(world.post(BUY, &[], DISCORD).await.status, 200);
}
