//! An account's second factor, sessions and data.

use super::browser::{Browser, PASSWORD, between, code, customer, location};
use super::people::{EMAIL, signed_up};
use crate::tests::world::{PLACE, World};
use domain::time::Millis;

/// B-136.
#[tokio::test]
async fn the_second_factor_is_asked_for_once_it_is_on_and_no_code_works_twice() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    browser.get("/account").await;
    let answer = browser.post("/account/totp/begin", &[]).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    let page = browser.get("/account").await;
    let secret = between(&page.text, "<code class=\"break\">", "</code>").to_owned();
    assert!(page.text.contains("<svg"), "a QR code to scan");
    let first = code(&world, &secret);
    let page = browser
        .post("/account/totp/confirm", &[("code", &first)])
        .await;
    assert!(page.text.contains("recovery codes"), "{}", page.text);
    let recovery = between(&page.text, "<ul class=\"codes\"><li><code>", "</code>").to_owned();

    let mut other = Browser::new(&world);
    let asked = other.sign_in(EMAIL, PASSWORD).await;
    assert!(asked.text.contains("Two-step sign-in") && other.cookie.is_empty());
    let ticket = between(&asked.text, "name=\"ticket\" value=\"", "\"").to_owned();
    let spent = [("ticket", ticket.as_str()), ("code", first.as_str())];
    let answer = other.post("/sign-in/code", &spent).await;
    assert_eq!(answer.status, 401, "a code is good for one use");
    world.clock.advance(Millis::seconds(30));
    let fresh = code(&world, &secret);
    let fields = [("ticket", ticket.as_str()), ("code", fresh.as_str())];
    let answer = other.post("/sign-in/code", &fields).await;
    assert_eq!((answer.status, location(&answer)), (303, "/"));
    let again = other.post("/sign-in/code", &fields).await;
    assert_ne!(again.status, 303, "neither code nor ticket work twice");

    let mut third = Browser::new(&world);
    for (try_, status) in [(1, 303), (2, 401)] {
        world.clock.advance(Millis::seconds(61));
        let asked = third.sign_in(EMAIL, PASSWORD).await;
        let ticket = between(&asked.text, "name=\"ticket\" value=\"", "\"").to_owned();
        let fields = [("ticket", ticket.as_str()), ("code", recovery.as_str())];
        let answer = third.post("/sign-in/code", &fields).await;
        assert_eq!(answer.status, status, "recovery code, try {try_}");
        third.cookie.clear();
    }
}

#[tokio::test]
async fn forged_and_old_tickets_are_refused() {
    let world = World::start().await;
    let mut browser = Browser::new(&world);
    for ticket in [
        "",
        "1.0.9999999999999.00",
        "1.0.9999999999999.",
        "x.y.z.w",
        "1.0",
    ] {
        let fields = [("ticket", ticket), ("code", "000000")];
        let answer = browser.post("/sign-in/code", &fields).await;
        assert!(answer.text.contains("Sign in again") && browser.cookie.is_empty());
    }
}

#[tokio::test]
async fn sessions_are_listed_and_end_one_by_one_or_all() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    let mut other = Browser::new(&world);
    other.sign_in(EMAIL, PASSWORD).await;
    let page = browser.get("/account").await;
    assert_eq!(page.text.matches("/account/sessions/end\"").count(), 1);
    browser.post("/account/sessions/end-all", &[]).await;
    assert_eq!(other.get("/account").await.status, 303);
    assert_eq!(browser.get("/account").await.status, 200);
    let answer = browser.post("/sign-out", &[]).await;
    assert_eq!(location(&answer), "/sign-in?notice=signed-out");
    assert_eq!(browser.get("/account").await.status, 303);
}

#[tokio::test]
async fn idle_sessions_end() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    world.clock.advance(Millis::minutes(6 * 24 * 60));
    assert_eq!(browser.get("/account").await.status, 200);
    world.clock.advance(Millis::minutes(8 * 24 * 60));
    assert_eq!(browser.get("/account").await.status, 303);
}

#[tokio::test]
async fn sessions_in_use_end_after_thirty_days() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    for _ in 0..5 {
        world.clock.advance(Millis::minutes(6 * 24 * 60 - 60));
        assert_eq!(browser.get("/account").await.status, 200);
    }
    world.clock.advance(Millis::minutes(24 * 60));
    assert_eq!(browser.get("/account").await.status, 303);
}

#[tokio::test]
async fn a_second_factor_makes_a_new_account_tier_1_and_a_purpose_is_stated_on_its_page() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    let tier = async |browser: &mut Browser<'_>| {
        let page = browser.get("/account").await.text;
        between(&page, "<dt>Tier</dt><dd>", "</dd>").to_owned()
    };
    assert_eq!(tier(&mut browser).await, "0");
    browser.post("/account/totp/begin", &[]).await;
    let page = browser.get("/account").await.text;
    let secret = between(&page, "<code class=\"break\">", "</code>").to_owned();
    let first = code(&world, &secret);
    browser
        .post("/account/totp/confirm", &[("code", &first)])
        .await;
    assert_eq!(tier(&mut browser).await, "1");

    let purpose = [("purpose", "testing our own <b>sign-up</b>")];
    let unagreed = browser.post("/account/purpose", &purpose).await;
    assert!(unagreed.text.contains("Tick the box"), "{}", unagreed.text);
    let agreed = [purpose[0], ("agreed", "yes")];
    let stated = browser.post("/account/purpose", &agreed).await;
    assert_eq!(location(&stated), "/account?notice=purpose-stated");
    let page = browser.get("/account").await.text;
    assert!(
        page.contains("Stated") && page.contains("&lt;b&gt;"),
        "{page}"
    );

    world.clock.advance(Millis::seconds(30));
    let second = code(&world, &secret);
    let off = browser
        .post("/account/totp/end", &[("code", &second)])
        .await;
    assert_eq!(location(&off), "/account?notice=totp-off");
    assert_eq!(tier(&mut browser).await, "0");
}

#[tokio::test]
async fn a_customer_takes_their_data_along_once_they_have_shown_who_they_are() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    let order = world.buy().await;
    world.receive(&order, "482913").await;
    world.get("/api/v1/otp?action=balance").await;
    world.door.log.write_down().await;
    let gift = app::CodeOrder {
        amount: domain::usd::Usd(5_000_000),
        count: 1,
        expires_days: None,
        source: domain::redeem::CodeSource::Gift,
        note: String::new(),
    };
    let made = world.door.redeem.create(gift, None).await.unwrap();
    ana.get("/wallet/top-up").await;
    ana.post("/wallet/redeem", &[("code", &made.codes[0])])
        .await;
    let wish = [
        ("method", "stripe"),
        ("currency", "USD"),
        ("amount", "25.00"),
        ("once", "00112233445566778899aabbccddeeff"),
    ];
    ana.post("/wallet/top-up", &wish).await;
    let order = r#"{"service_id":1,"link":"https://instagram.com/user","quantity":500}"#;
    let order = world.post(PLACE, &[], order).await.data();
    let cancel = format!("{{\"order_id\":{}}}", order["order_id"]);
    let cancel = world
        .post("/api/v1/smm?action=cancel_order", &[], &cancel)
        .await;
    assert_eq!(cancel.status, 200, "{}", cancel.text);
    ana.get("/account").await;
    let taken = ana.post("/account/export", &[]).await;
    assert_eq!(taken.status, 200, "{}", taken.text);
    let data: serde_json::Value = serde_json::from_str(&taken.text).unwrap();
    assert_eq!(data["account"]["email"], "ana@example.com");
    assert!(
        data["statement"]
            .as_array()
            .is_some_and(|rows| !rows.is_empty())
    );
    assert_eq!(data["wallet"]["uncleared"], "0.000000");
    assert_eq!(data["activations"][0]["messages"][0]["code"], "482913");
    let smm = &data["smm_orders"][0];
    assert_eq!(smm["link"], "https://instagram.com/user", "{data}");
    assert_eq!(smm["requests"][0]["kind"], "cancel", "{data}");
    assert_eq!(data["sessions"][0]["address"], "127.0.0.1");
    assert_eq!(data["top_ups"][0]["amount"], "25.000000", "{data}");
    assert_eq!(data["redeemed_codes"][0]["amount"], "5.000000", "{data}");
    let calls = data["api_log"].as_array().unwrap();
    assert!(
        calls.iter().any(|call| call["action"] == "balance"),
        "{data}"
    );
    assert!(!taken.text.contains("argon2"));
    world.clock.advance(Millis::minutes(60));
    let later = ana.post("/account/export", &[]).await;
    assert_eq!(location(&later), "/confirm-password?next=%2Faccount");
}

/// B-137.
#[tokio::test]
async fn between_password_and_code_there_is_no_session() {
    let world = World::start().await;
    let mut browser = signed_up(&world).await;
    browser.get("/account").await;
    browser.post("/account/totp/begin", &[]).await;
    let page = browser.get("/account").await;
    let secret = between(&page.text, "<code class=\"break\">", "</code>").to_owned();
    let first = code(&world, &secret);
    browser
        .post("/account/totp/confirm", &[("code", &first)])
        .await;
    let mut other = Browser::new(&world);
    let asked = other.sign_in(EMAIL, PASSWORD).await;
    assert!(asked.text.contains("Two-step sign-in"), "{}", asked.text);
    for path in ["/wallet", "/keys", "/account"] {
        let answer = other.get(path).await;
        assert!(location(&answer).starts_with("/sign-in"), "{path}");
    }
    assert_eq!(other.post("/keys/access", &[("on", "1")]).await.status, 303);
}
