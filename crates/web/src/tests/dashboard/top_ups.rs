//! Top-ups on the pages: what is taken, what is refused, and that coming back credits nothing.

use super::browser::{customer, location, signed_in};
use crate::tests::world::World;

const STRIPE: [(&str, &str); 2] = [("method", "stripe"), ("currency", "USD")];

fn with(amount: &str) -> Vec<(&str, &str)> {
    STRIPE.into_iter().chain([("amount", amount)]).collect()
}

#[tokio::test]
async fn unusable_amounts_currencies_and_ways_are_refused() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    ana.get("/wallet/top-up").await;
    for amount in [
        "0",
        "-5",
        "0.0000001",
        "1e308",
        "NaN",
        "",
        "4.99",
        "500.01",
        "5.001",
        "5,00",
    ] {
        let answer = ana.post("/wallet/top-up", &with(amount)).await;
        assert_eq!(answer.status, 400, "{amount}");
    }
    for (method, currency) in [
        ("stripe", "EUR"),
        ("stripe", "usd "),
        ("stripe", ""),
        ("gold", "USD"),
        ("btcpay", "USD"),
    ] {
        let fields = [("method", method), ("currency", currency), ("amount", "25")];
        let answer = ana.post("/wallet/top-up", &fields).await;
        assert_eq!(answer.status, 400, "{method} {currency:?}");
    }
    assert_eq!(
        ana.post_bare("/wallet/top-up", &with("25")).await.status,
        403
    );
}

#[tokio::test]
async fn a_top_up_is_paid_elsewhere_and_coming_back_credits_nothing() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    ana.get("/wallet/top-up").await;
    let begun = ana.post("/wallet/top-up", &with("25.00")).await;
    assert_eq!(begun.status, 303, "{}", begun.text);
    let path = location(&begun).to_owned();
    let page = ana.get(&path).await;
    assert!(
        page.text.contains("data-state=\"created\""),
        "{}",
        page.text
    );
    assert!(
        page.text
            .contains("https:&#x2f;&#x2f;pay.example&#x2f;cs_tu_"),
        "{}",
        page.text
    );
    for _ in 0..2 {
        ana.get(&path).await;
    }
    assert_eq!(world.wallet().await.available.0, 50_000_000);
    let (bob, _) = world.new_account("bob@example.com").await;
    let mut bob = signed_in(&world, bob).await;
    assert_eq!(bob.get(&path).await.status, 404);
    assert_eq!(ana.get("/wallet/top-up/x").await.status, 404);
}

#[tokio::test]
async fn a_bank_transfer_is_declared_withdrawn_and_approved_once() {
    let world = World::start().await;
    let mut ana = customer(&world).await;
    ana.get("/wallet/top-up").await;
    let declare = |note| {
        [
            ("method", "manual"),
            ("currency", "USD"),
            ("amount", "40.00"),
            ("note", note),
        ]
    };
    assert_eq!(ana.post("/wallet/top-up", &declare(" ")).await.status, 400);
    let mut ids = Vec::new();
    for note in ["Ana, DE00 1", "Ana, DE00 2", "Ana, DE00 3"] {
        let begun = ana.post("/wallet/top-up", &declare(note)).await;
        let path = location(&begun).to_owned();
        let page = ana.get(&path).await;
        assert!(page.text.contains("IBAN DE00 0000"), "{}", page.text);
        ids.push(path.rsplit('/').next().unwrap().parse::<i64>().unwrap());
    }
    let withdraw = format!("/wallet/top-up/{}/withdraw", ids[0]);
    assert_eq!(ana.post(&withdraw, &[]).await.status, 303);
    assert_eq!(ana.post(&withdraw, &[]).await.status, 409);
    let top_ups = &world.door.top_ups;
    assert_eq!(top_ups.list(true).await.unwrap().len(), 2);
    let approve = async |id| {
        top_ups
            .approve(id, None, "BANK-1", "statement of today")
            .await
    };
    assert!(approve(ids[0]).await.is_err(), "it is withdrawn");
    assert!(approve(ids[1]).await.is_ok());
    assert!(approve(ids[1]).await.is_err(), "it is credited");
    assert!(
        approve(ids[2]).await.is_err(),
        "the transfer has credited another one"
    );
    assert!(top_ups.reject(ids[2], "never came").await.is_ok());
    assert_eq!(world.wallet().await.available.0, 90_000_000);
    let statement = ana.get("/wallet").await;
    assert!(statement.text.contains("Top-up"), "{}", statement.text);
}
