//! The practice card processor: sessions, what is done to them, and keys that are honoured.

use super::*;
use crate::payments::stripe::{STRIPE_KEY, STRIPE_PATH};
use domain::time::Timestamp;
use wire::stripe::{BalanceTransaction, CreateSession, Refund, Session, balance_list, list};

fn order(reference: &str) -> CreateSession {
    CreateSession {
        reference: reference.to_owned(),
        minor: 2500,
        currency: "usd".to_owned(),
        return_url: "http://127.0.0.1:1/wallet/top-up/42".to_owned(),
        expires_at: Timestamp(START_MS + 3_600_000),
    }
}

async fn ask(world: &World, method: &str, path: &str, key: &str, body: &str) -> (u16, String) {
    let request = Request::builder()
        .method(method)
        .uri(format!("{STRIPE_PATH}{path}"))
        .header("host", "127.0.0.1:7000")
        .header("authorization", format!("Bearer {key}"))
        .header("idempotency-key", "tu_42")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(Body::from(body.to_owned()))
        .unwrap();
    let response = world.router.clone().oneshot(request).await.unwrap();
    (response.status().as_u16(), text_of(response).await)
}

async fn created(world: &World) -> Session {
    let form = order("tu_42").form();
    let (status, body) = ask(world, "POST", "/v1/checkout/sessions", STRIPE_KEY, &form).await;
    assert_eq!(status, 200, "{body}");
    Session::parse(&body).unwrap()
}

async fn act(world: &World, session: &str, action: &str) -> u16 {
    let body = format!(
        r#"{{"processor":"stripe","act":{{"id":"{session}","do":"{action}","cents":1000}},"deliver":{{"times":0}}}}"#
    );
    let answer = world.send("POST", "/_sandbox/payments", &body).await;
    answer.status().as_u16()
}

#[tokio::test]
async fn a_session_is_one_for_one_key_and_is_paid_once() {
    let world = World::new();
    let session = created(&world).await;
    assert_eq!(created(&world).await, session);
    let path = format!("/v1/checkout/sessions/{}", session.id);
    let (status, _) = ask(&world, "GET", &path, "sk_test_wrong", "").await;
    assert_eq!(status, 401);
    assert_eq!(
        act(&world, &session.id, "refund").await,
        400,
        "not paid yet"
    );
    assert_eq!(act(&world, &session.id, "pay").await, 200);
    assert_eq!(act(&world, &session.id, "pay").await, 400);
    let (_, body) = ask(&world, "GET", &path, STRIPE_KEY, "").await;
    let paid = Session::parse(&body).unwrap();
    assert_eq!(
        (paid.status.as_str(), paid.payment_status.as_str()),
        ("complete", "paid")
    );
    let listed = "/v1/checkout/sessions?limit=1&created%5Bgte%5D=0";
    let (_, body) = ask(&world, "GET", listed, STRIPE_KEY, "").await;
    assert_eq!(list(&body).unwrap(), (vec![paid], false));
    for action in ["refund", "dispute", "win", "warn"] {
        assert_eq!(act(&world, &session.id, action).await, 200, "{action}");
    }
}

#[tokio::test]
async fn an_expired_or_unknown_session_cannot_be_paid() {
    let world = World::new();
    let session = created(&world).await;
    let page = format!("/pay/{}", session.id);
    let (status, html) = ask(&world, "GET", &page, "", "").await;
    assert!(status == 200 && html.contains("25.00 USD"), "{html}");
    let path = format!("/v1/checkout/sessions/{}/expire", session.id);
    assert_eq!(ask(&world, "POST", &path, STRIPE_KEY, "").await.0, 200);
    assert_eq!(ask(&world, "POST", &page, "", "").await.0, 404);
    assert_eq!(ask(&world, "GET", &page, "", "").await.0, 404);
    assert_eq!(
        ask(&world, "GET", "/v1/checkout/sessions/cs_no", STRIPE_KEY, "")
            .await
            .0,
        404
    );
    let bad = ask(
        &world,
        "POST",
        "/v1/checkout/sessions",
        STRIPE_KEY,
        "mode=payment",
    )
    .await;
    assert_eq!(bad.0, 400);
}

/// A session that is paid, and the form that returns 10 dollars of it.
async fn paid(world: &World) -> (Session, String) {
    let session = created(world).await;
    assert_eq!(act(world, &session.id, "pay").await, 200);
    let refund = Refund {
        payment_intent: format!("pi_{}", session.id),
        minor: Some(1000),
    };
    (session, refund.form())
}

fn returned(world: &World) -> i64 {
    let (payments, _) = world.sandbox.payments();
    payments.stripe.shown().map(|one| one.refunded_cents).sum()
}

#[tokio::test]
async fn a_second_call_under_a_key_that_is_at_work_is_answered_409() {
    let world = World::new();
    let (_, form) = paid(&world).await;
    let slow = world
        .send("POST", "/_sandbox/payments/calls", r#"[{"slow_ms":50}]"#)
        .await;
    assert_eq!(slow.status().as_u16(), 200);
    let call = || ask(&world, "POST", "/v1/refunds", STRIPE_KEY, &form);
    let ((first, answer), (second, busy)) = tokio::join!(call(), call());
    assert_eq!((first, second), (200, 409));
    assert!(busy.contains("idempotency_key_in_use"), "{busy}");
    // once it is answered the key gets the same answer
    assert_eq!(call().await, (200, answer));
    assert_eq!(returned(&world), 1000);
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let world = World::new();
    let (session, form) = paid(&world).await;
    let call = || ask(&world, "POST", "/v1/refunds", STRIPE_KEY, &form);
    let day_ms = 24 * 60 * 60 * 1000;
    assert_eq!(call().await.0, 200);
    world.time_ms.fetch_add(day_ms - 1000, Ordering::SeqCst);
    assert_eq!(call().await.0, 200);
    assert_eq!(returned(&world), 1000, "the same call");
    assert_eq!(created(&world).await.id, session.id);
    world.time_ms.fetch_add(1000, Ordering::SeqCst);
    assert_eq!(call().await.0, 200);
    assert_eq!(returned(&world), 2000, "a call of its own");
    assert_ne!(created(&world).await.id, session.id);
}

/// All that moved, read page by page.
async fn moved(world: &World) -> Vec<BalanceTransaction> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let path = format!("/v1/balance_transactions?limit=2&created%5Bgte%5D=0{after}");
        let (status, body) = ask(world, "GET", &path, STRIPE_KEY, "").await;
        assert_eq!(status, 200, "{body}");
        let (page, more) = balance_list(&body).unwrap();
        assert!((1..=2).contains(&page.len()) || !more, "{body}");
        after = page
            .last()
            .map_or(String::new(), |one| format!("&starting_after={}", one.id));
        all.extend(page);
        if !more {
            return all;
        }
    }
}

#[tokio::test]
async fn what_is_paid_returned_disputed_and_paid_out_moves_the_balance() {
    let world = World::new();
    assert_eq!(moved(&world).await, []);
    let (session, form) = paid(&world).await;
    let pay_out = async |form: &str| ask(&world, "POST", "/v1/payouts", STRIPE_KEY, form).await;
    for bad in [
        "amount=2399&currency=usd",
        "amount=1&currency=eur",
        "amount=0",
    ] {
        let (status, body) = pay_out(bad).await;
        assert_eq!(status, 400, "{bad}: {body}");
    }
    let (status, body) = pay_out("amount=1000&currency=usd").await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        ask(&world, "POST", "/v1/refunds", STRIPE_KEY, &form)
            .await
            .0,
        200
    );
    for action in ["dispute", "win"] {
        assert_eq!(act(&world, &session.id, action).await, 200);
    }
    let all = moved(&world).await;
    let told: Vec<_> = all
        .iter()
        .map(|one| (one.kind.as_str(), one.amount, one.fee))
        .collect();
    let expected = [
        ("adjustment", 2500, 0),
        ("adjustment", -2500, 1500),
        ("refund", -1000, 0),
        ("payout", -1000, 0),
        ("charge", 2500, 102),
    ];
    assert_eq!(told, expected, "the newest first");
    let mut ids: Vec<_> = all.iter().map(|one| &one.id).collect();
    ids.dedup();
    assert_eq!(ids.len(), 5);
}
