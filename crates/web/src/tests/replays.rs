//! Idempotency keys over HTTP: one effect, one answer, byte for byte.

use super::world::{BUY, CANCEL, DISCORD, PLACE, World};
use domain::time::Millis;
use std::sync::Arc;
use std::sync::atomic::Ordering;

fn keyed(key: &str) -> [(&str, &str); 1] {
    [("idempotency-key", key)]
}

#[tokio::test]
async fn purchases_are_replayed_byte_for_byte() {
    let world = World::start().await;
    let order = r#"{"service_id":1,"link":"https://instagram.com/user","quantity":500}"#;
    for (target, body) in [(BUY, DISCORD), (PLACE, order)] {
        let first = world.post(target, &keyed("k-1"), body).await;
        assert_eq!(
            (first.status, first.header("idempotent-replayed")),
            (200, None)
        );
        let books = world.books().await;
        world.clock.advance(Millis::seconds(130));
        for key in ["k-1", "\"k-1\""] {
            let again = world.post(target, &keyed(key), body).await;
            assert_eq!((again.status, &again.text), (200, &first.text));
            assert_eq!(again.header("idempotent-replayed"), Some("true"));
        }
        assert_eq!(world.books().await, books);
        let other = body.replacen("\"service_id\":", "\"x\":1,\"service_id\":", 1);
        let reused = world.post(target, &keyed("k-1"), &other).await;
        assert_eq!(
            (reused.status, reused.code().as_str()),
            (422, "idempotency_key_reused")
        );
    }
    let form = [
        ("content-type", "application/x-www-form-urlencoded"),
        keyed("k-1")[0],
    ];
    let same = world.request("POST", BUY, &form, "country_id=61&service_id=306343");
    let answer = world.send(same).await;
    assert_eq!(
        answer.header("idempotent-replayed"),
        Some("true"),
        "a form that says the same"
    );
}

#[tokio::test]
async fn a_replay_stays_the_same_after_the_order_went_on() {
    let world = World::start().await;
    let first = world.post(BUY, &keyed("k-1"), DISCORD).await;
    let id = first.data()["order_id"].as_str().unwrap().to_owned();
    world.clock.advance(Millis::seconds(121));
    let cancel = world
        .post(CANCEL, &keyed("k-1"), &format!("{{\"order_id\":{id}}}"))
        .await;
    assert_eq!(
        (cancel.status, cancel.header("idempotent-replayed")),
        (200, None),
        "B-089"
    );
    let again = world.post(BUY, &keyed("k-1"), DISCORD).await;
    assert_eq!(again.text, first.text);
    let cancel_again = world
        .post(CANCEL, &keyed("k-1"), &format!("{{\"order_id\":\"{id}\"}}"))
        .await;
    assert_eq!(cancel_again.text, cancel.text);
    assert_eq!(cancel_again.header("idempotent-replayed"), Some("true"));
}

#[tokio::test]
async fn refusals_are_replayed_where_something_was_tried() {
    let world = World::start().await;
    let none = r#"{"service_id":"none","country_id":61}"#;
    let first = world.post(BUY, &keyed("k-2"), none).await;
    assert_eq!(
        (first.status, first.header("idempotent-replayed")),
        (503, None)
    );
    let again = world.post(BUY, &keyed("k-2"), none).await;
    assert_eq!((again.status, &again.text), (503, &first.text));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    let bad = r#"{"service_id":"none","country_id":[]}"#;
    assert_eq!(world.post(BUY, &keyed("k-3"), bad).await.status, 400);
    assert_eq!(
        world.post(BUY, &keyed("k-3"), DISCORD).await.status,
        200,
        "a 400 leaves it free"
    );
    let (_, other) = world.new_account("eve@example.com").await;
    let theirs = [("x-api-key", other.as_str()), keyed("k-3")[0]];
    assert_eq!(
        world.post(BUY, &theirs, DISCORD).await.code(),
        "insufficient_balance",
        "B-088"
    );
    let again = world.post(BUY, &theirs, DISCORD).await;
    assert_eq!(
        (again.status, again.header("idempotent-replayed")),
        (402, Some("true"))
    );
}

#[tokio::test]
async fn a_key_in_use_says_so_and_an_unknown_outcome_is_a_promise() {
    let world = World::start().await;
    let slow = r#"{"service_id":"slow","country_id":61}"#;
    let headers = keyed("k-4");
    let (first, second) = tokio::join!(world.post(BUY, &headers, slow), async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        world.post(BUY, &headers, slow).await
    });
    assert_eq!(
        (second.status, second.code().as_str()),
        (409, "idempotency_in_progress"),
        "B-086"
    );
    assert_eq!(second.header("retry-after"), Some("1"));
    assert_eq!(first.status, 202);
    let id = first.json()["data"]["order_id"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        first.text,
        format!("{{\"success\":true,\"data\":{{\"order_id\":\"{id}\",\"status\":\"pending\"}}}}")
    );
    let status = world
        .get(&format!("/api/v1/otp?action=get_status&order_id={id}"))
        .await
        .data();
    assert_eq!(
        (&status["status"], &status["phone_number"]),
        (&"pending".into(), &serde_json::Value::Null)
    );
    let keyless = world.post(BUY, &[], slow).await;
    assert_eq!(
        (keyless.status, keyless.code().as_str()),
        (503, "purchase_outcome_unknown")
    );
    assert_eq!(world.books().await.open_holds, 2);
}

#[tokio::test]
async fn a_hundred_at_once_buy_one_number() {
    let world = Arc::new(World::start().await);
    let asking = (0..100).map(|_| {
        let world = Arc::clone(&world);
        let tasks = world.tasks.clone();
        tasks.spawn(async move { world.post(BUY, &keyed("k-5"), DISCORD).await.status })
    });
    let asking: Vec<_> = asking.collect();
    for answer in asking {
        let status = answer.await.unwrap();
        assert!([200, 409].contains(&status), "B-087: {status}");
    }
    assert_eq!(world.numbers.sold.load(Ordering::SeqCst), 1);
    assert_eq!(world.books().await.orders, 1);
}
