//! Ids of orders, cancelling.

use super::{JSON, refuses};
use crate::DoorSettings;
use crate::tests::world::{BUY, CANCEL, World, generous};
use domain::time::Millis;

#[tokio::test]
async fn ids_of_orders() {
    let world = World::start().await;
    let mine = world.buy().await;
    let bad = [
        "42abc",
        "4%202",
        "0x2A",
        "%2B42",
        "042",
        "42.0",
        "-42",
        "0",
        "",
        "9007199254740993",
        "9223372036854775808",
        &"9".repeat(400),
    ];
    let pairs = [("otp", "get_status"), ("smm", "order_status")];
    for (path, action) in pairs {
        let target = format!("/api/v1/{path}?action={action}");
        for id in bad {
            let row_target = format!("{target}&order_id={id}");
            let row = (
                "B-091, B-092",
                "GET",
                row_target.as_str(),
                &[][..],
                "",
                400,
                "invalid_order_id",
            );
            refuses(&world, &[row]).await;
        }
        for (number, query, status, code) in [
            (
                "B-093",
                "order_id=42&order_id=43",
                400,
                "duplicate_parameter",
            ),
            ("B-094", "order_id[]=42", 400, "invalid_order_id"),
            ("B-094", "order_id[$gt]=0", 400, "invalid_order_id"),
            ("B-096", "order_id=42", 404, "order_not_found"),
            ("missing", "", 400, "missing_parameter"),
        ] {
            let row_target = format!("{target}&{query}");
            refuses(
                &world,
                &[(number, "GET", &row_target, &[], "", status, code)],
            )
            .await;
        }
    }
    let target = format!("/api/v1/smm?action=order_status&order_id={mine}");
    refuses(
        &world,
        &[("B-097", "GET", &target, &[], "", 404, "order_not_found")],
    )
    .await;
    let long = format!("{{\"order_id\":{}}}", "9".repeat(400));
    for body in [
        "{\"order_id\":[42]}",
        "{\"order_id\":{\"$gt\":0}}",
        "{\"order_id\":42.0}",
        "{\"order_id\":4.2e1}",
        "{\"order_id\":null}",
        "{\"order_id\":\"042\"}",
        "{\"order_id\":9007199254740992}",
        &long,
    ] {
        refuses(
            &world,
            &[("B-094", "POST", CANCEL, JSON, body, 400, "invalid_order_id")],
        )
        .await;
    }
    let (_, stranger) = world.new_account("eve@example.com").await;
    let headers = [("x-api-key", stranger.as_str())];
    let theirs = format!("/api/v1/otp?action=get_status&order_id={mine}");
    let absent = "/api/v1/otp?action=get_status&order_id=77";
    let of_other = world
        .send(world.request("GET", &theirs, &headers, ""))
        .await;
    let of_none = world.send(world.request("GET", absent, &headers, "")).await;
    assert_eq!(
        (of_other.status, &of_other.text),
        (404, &of_none.text),
        "B-096"
    );
}

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
async fn guessing_ids_is_limited_by_account() {
    let world = World::with(DoorSettings {
        misses_per_minute: 5,
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
