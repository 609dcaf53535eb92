//! Ids of orders, cancelling.

use super::{JSON, refuses, refuses_bodies, refuses_queries};
use crate::DoorSettings;
use crate::tests::world::{BUY, CANCEL, NOW, World, generous};
use domain::time::Millis;
use serde_json::Value;
use std::sync::Arc;
use store::Vault;

#[tokio::test]
async fn ids_of_orders() {
    let world = World::start().await;
    let mine = world.buy().await;
    let queries = r#"
        B-091 | 400 invalid_order_id    | order_id=42abc
        B-091 | 400 invalid_order_id    | order_id=4%202
        B-091 | 400 invalid_order_id    | order_id=0x2A
        B-091 | 400 invalid_order_id    | order_id=%2B42
        B-091 | 400 invalid_order_id    | order_id=042
        B-091 | 400 invalid_order_id    | order_id=42.0
        B-091 | 400 invalid_order_id    | order_id=-42
        B-091 | 400 invalid_order_id    | order_id=0
        B-091 | 400 invalid_order_id    | order_id=
        B-092 | 400 invalid_order_id    | order_id=9007199254740993
        B-092 | 400 invalid_order_id    | order_id=9223372036854775808
        B-093 | 400 duplicate_parameter | order_id=42&order_id=43
        B-094 | 400 invalid_order_id    | order_id[]=42
        B-094 | 400 invalid_order_id    | order_id[$gt]=0
        B-096 | 404 order_not_found     | order_id=42
        none  | 400 missing_parameter   |
    "#;
    let digits = "9".repeat(400);
    let long = format!("B-092 | 400 invalid_order_id | order_id={digits}");
    for target in [
        "/api/v1/otp?action=get_status",
        "/api/v1/smm?action=order_status",
    ] {
        refuses_queries(&world, target, queries).await;
        refuses_queries(&world, target, &long).await;
    }
    let wrong_door = format!("B-097 | 404 order_not_found | order_id={mine}");
    refuses_queries(&world, "/api/v1/smm?action=order_status", &wrong_door).await;
    let bodies = r#"
        B-094 | 400 invalid_order_id  | {"order_id":[42]}
        B-094 | 400 invalid_order_id  | {"order_id":{"$gt":0}}
        B-094 | 400 invalid_order_id  | {"order_id[]":42}
        B-091 | 400 invalid_order_id  | {"order_id":42.0}
        B-091 | 400 invalid_order_id  | {"order_id":4.2e1}
        B-091 | 400 invalid_order_id  | {"order_id":null}
        B-091 | 400 invalid_order_id  | {"order_id":"042"}
        B-092 | 400 invalid_order_id  | {"order_id":9007199254740992}
        B-096 | 404 order_not_found   | {"order_id":42}
        none  | 400 missing_parameter | {}
    "#;
    refuses_bodies(&world, CANCEL, bodies).await;
    let long = format!("B-092 | 400 invalid_order_id | {{\"order_id\":{digits}}}");
    refuses_bodies(&world, CANCEL, &long).await;
}

#[tokio::test]
async fn orders_of_others_look_like_none() {
    let world = World::start().await;
    let mine = world.buy().await;
    let (_, stranger) = world.new_account("eve@example.com").await;
    let headers = [("x-api-key", stranger.as_str())];
    let asked = async |id: &str| {
        let target = format!("/api/v1/otp?action=get_status&order_id={id}");
        world
            .send(world.request("GET", &target, &headers, ""))
            .await
    };
    let (of_other, of_none) = (asked(&mine).await, asked("77").await);
    assert_eq!(
        (of_other.status, &of_other.text),
        (404, &of_none.text),
        "B-096"
    );
}

/// B-098: both spellings of an id.
#[tokio::test]
async fn cancelling_at_the_wrong_time() {
    let world = World::start().await;
    let id = world.buy().await;
    world.clock.advance(Millis(500));
    let (number, text) = (
        format!("{{\"order_id\":{id}}}"),
        format!("{{\"order_id\":\"{id}\"}}"),
    );
    for body in [&number, &text] {
        let answer = world.post(CANCEL, &[], body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (409, "cancel_too_early"),
            "B-099"
        );
        assert_eq!(answer.header("retry-after"), Some("120"));
        assert!(
            answer.json()["error"]
                .as_str()
                .unwrap()
                .contains("120 seconds")
        );
    }
    world.clock.advance(Millis::seconds(120));
    let first = world.post(CANCEL, &[], &number).await;
    assert_eq!(
        first.text,
        r#"{"success":true,"data":{"refunded":true,"amount":"0.040000"}}"#
    );
    let books = world.books().await;
    let second = world.post(CANCEL, &[], &text).await;
    assert_eq!(second.text, first.text, "B-101");
    assert_eq!(world.books().await, books, "no second entry");
    assert_eq!(books.wallet.available.to_string(), "50.000000");
    let keyed = [("idempotency-key", "doubt")];
    let lost = world
        .post(BUY, &keyed, r#"{"service_id":"lost","country_id":61}"#)
        .await;
    assert_eq!(lost.status, 202);
    let doubted = format!("{{\"order_id\":{}}}", lost.json()["data"]["order_id"]);
    refuses(
        &world,
        &[(
            "B-102",
            "POST",
            CANCEL,
            JSON,
            &doubted,
            409,
            "order_pending",
        )],
    )
    .await;
}

#[tokio::test]
async fn a_code_that_is_kept_no_longer_is_null_and_says_why() {
    let day = Millis::minutes(24 * 60);
    let daily = std::env::temp_dir().join(format!("tollgate-b-103-{}", std::process::id()));
    let keys = store::fresh_keys().unwrap();
    let vault = Arc::new(Vault::open(&keys, &daily, day, NOW).unwrap());
    let world = World::sealed_by(Arc::clone(&vault)).await;
    let order = world.buy().await;
    world.receive(&order, "415127").await;
    let target = format!("/api/v1/otp?action=get_status&order_id={order}");
    let kept = world.get(&target).await.data();
    assert_eq!(kept["code"], "415127");
    assert_eq!(kept.get("code_expired"), None);
    vault.forget(NOW + Millis(5 * day.0)).unwrap();
    std::fs::remove_dir_all(daily).unwrap();
    let gone = world.get(&target).await.data();
    assert_eq!(gone["status"], "received", "B-103");
    assert_eq!(gone.get("code"), Some(&Value::Null), "B-103");
    assert_eq!(gone["code_expired"], true, "B-103");
    assert_eq!(gone.get("text"), None);
}

#[tokio::test]
async fn guessing_ids_is_limited_by_account() {
    let world = World::with(DoorSettings {
        misses_per_minute: 5.into(),
        ..generous()
    })
    .await;
    let mine = world.buy().await;
    for guess in 0..10 {
        let target = format!("/api/v1/otp?action=get_status&order_id={}", 500 + guess);
        let answer = world.get(&target).await;
        let expected = if guess < 5 {
            "order_not_found"
        } else {
            "rate_limited"
        };
        assert_eq!(answer.code(), expected, "B-104");
        assert_eq!(answer.header("retry-after").is_some(), guess >= 5);
    }
    let target = format!("/api/v1/otp?action=get_status&order_id={mine}");
    assert_eq!(
        world.get(&target).await.status,
        200,
        "one's own orders stay"
    );
}
