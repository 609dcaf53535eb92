//! Cancels and refills of SMM orders: asked for once, sent once, and no money before the status.

use super::world::{PLACE, World};
use domain::time::Millis;
use domain::upstream::{CancelReply, Progress, RefillProgress, RefillReply};
use domain::usd::Usd;
use std::sync::atomic::Ordering;

const CANCEL: &str = "/api/v1/smm?action=cancel_order";
const REFILL: &str = "/api/v1/smm?action=refill";

fn keyed(key: &str) -> [(&str, &str); 1] {
    [("idempotency-key", key)]
}

/// Places an order and gives the body that names it.
async fn placed(world: &World, service: &str) -> String {
    let body =
        format!(r#"{{"service_id":{service},"link":"https://instagram.com/user","quantity":500}}"#);
    let order = world.post(PLACE, &[], &body).await.data();
    format!("{{\"order_id\":{}}}", order["order_id"])
}

fn says(world: &World, progress: Progress, remains: i64) {
    world
        .panel
        .says(progress, |status| status.remains = Some(remains));
}

/// Lets the background work of half an hour happen.
async fn later(world: &World) {
    for _ in 0..60 {
        world.clock.advance(Millis::seconds(30));
        world.run_smm_requests().await;
        world.run_smm_orders().await;
    }
}

#[tokio::test]
async fn a_cancel_is_a_request_and_only_the_status_refunds() {
    let world = World::start().await;
    let order = placed(&world, "1").await;
    let asked = world.post(CANCEL, &keyed("c"), &order).await;
    assert_eq!(asked.data()["cancel"], "requested");
    let again = world.post(CANCEL, &[], &order).await;
    assert_eq!((again.status, &again.text), (200, &asked.text));
    says(&world, Progress::InProgress, 300);
    later(&world).await;
    assert_eq!(world.panel.cancels.load(Ordering::SeqCst), 1, "sent once");
    assert_eq!(world.wallet().await.available, Usd(49_460_000));
    says(&world, Progress::Partial, 200);
    later(&world).await;
    assert_eq!(world.wallet().await.available, Usd(49_676_000));
    let replay = world.post(CANCEL, &keyed("c"), &order).await;
    assert_eq!((replay.status, &replay.text), (200, &asked.text));
    assert_eq!(replay.header("idempotent-replayed"), Some("true"));
    let new = world.post(CANCEL, &[], &order).await;
    assert_eq!((new.status, new.code().as_str()), (409, "order_final"));
}

#[tokio::test]
async fn an_unanswered_cancel_is_repeated_only_after_a_look_at_the_status() {
    let world = World::start().await;
    let order = placed(&world, "1").await;
    *world.panel.cancel_reply.lock().unwrap() = CancelReply::Unknown;
    world.post(CANCEL, &[], &order).await.data();
    world.run_smm_requests().await;
    assert_eq!(world.panel.cancels.load(Ordering::SeqCst), 1);
    // nothing is said of the order, and then that it is over: nothing is left to ask for
    later(&world).await;
    says(&world, Progress::Canceled, 500);
    later(&world).await;
    assert_eq!(world.panel.cancels.load(Ordering::SeqCst), 1);
    let status = world.get(&status_of(&order)).await.data();
    assert_eq!(status["status"], "Canceled");
    assert_eq!(world.wallet().await.available, Usd(50_000_000));
}

fn status_of(order: &str) -> String {
    let id: String = order.chars().filter(char::is_ascii_digit).collect();
    format!("/api/v1/smm?action=order_status&order_id={id}")
}

#[tokio::test]
async fn a_refused_cancel_may_be_asked_for_again() {
    let world = World::start().await;
    let order = placed(&world, "1").await;
    *world.panel.cancel_reply.lock().unwrap() = CancelReply::BadTransition;
    for sent in 1..=2 {
        world.post(CANCEL, &[], &order).await.data();
        world.run_smm_requests().await;
        assert_eq!(world.panel.cancels.load(Ordering::SeqCst), sent);
    }
}

#[tokio::test]
async fn a_refill_goes_from_pending_to_completed_once_a_day() {
    let world = World::start().await;
    let order = placed(&world, "1").await;
    let early = world.post(REFILL, &[], &order).await;
    assert_eq!(
        (early.status, early.code().as_str()),
        (409, "refill_not_due")
    );
    assert_eq!(early.header("retry-after"), None);
    says(&world, Progress::Completed, 0);
    later(&world).await;
    let asked = world.post(REFILL, &keyed("r"), &order).await;
    let id = asked.data()["refill_id"].as_str().unwrap().to_owned();
    assert_eq!(asked.data()["status"], "Pending");
    let open = world.post(REFILL, &[], &order).await;
    assert_eq!((open.status, open.code().as_str()), (409, "refill_open"));
    later(&world).await;
    assert_eq!(world.panel.refills.load(Ordering::SeqCst), 1);
    let status = format!("/api/v1/smm?action=refill_status&refill_id={id}");
    assert_eq!(world.get(&status).await.data()["status"], "In progress");
    *world.panel.refill_said.lock().unwrap() = RefillProgress::Completed;
    later(&world).await;
    assert_eq!(world.get(&status).await.data()["status"], "Completed");
    let replay = world.post(REFILL, &keyed("r"), &order).await;
    assert_eq!(replay.text, asked.text, "as it was answered first");
    let soon = world.post(REFILL, &[], &order).await;
    assert_eq!((soon.status, soon.code().as_str()), (409, "refill_not_due"));
    let left: i64 = soon.header("retry-after").unwrap().parse().unwrap();
    assert_eq!(left, 24 * 3600 - 3600);
    assert_eq!(world.wallet().await.available, Usd(49_460_000), "for free");
}

#[tokio::test]
async fn a_refill_the_panel_refuses_is_rejected() {
    let world = World::start().await;
    let order = placed(&world, "1").await;
    says(&world, Progress::Completed, 0);
    later(&world).await;
    *world.panel.refill_reply.lock().unwrap() = RefillReply::Refused;
    let asked = world.post(REFILL, &[], &order).await.data();
    later(&world).await;
    let id = asked["refill_id"].as_str().unwrap();
    let status = format!("/api/v1/smm?action=refill_status&refill_id={id}");
    assert_eq!(world.get(&status).await.data()["status"], "Rejected");
}

#[tokio::test]
async fn what_is_not_offered_and_not_ones_own_is_refused() {
    let world = World::start().await;
    let order = placed(&world, "5").await;
    for (target, code) in [
        (CANCEL, "cancel_not_offered"),
        (REFILL, "refill_not_offered"),
    ] {
        let answer = world.post(target, &[], &order).await;
        assert_eq!((answer.status, answer.code().as_str()), (409, code));
    }
    let (_, stranger) = world.new_account("bob@example.com").await;
    let strange = [("x-api-key", stranger.as_str())];
    for target in [CANCEL, REFILL] {
        let answer = world.post(target, &strange, &order).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (404, "order_not_found")
        );
        for (body, code) in [
            ("{}", "missing_parameter"),
            (r#"{"order_id":"x"}"#, "invalid_order_id"),
            (r#"{"order_id":[1]}"#, "invalid_order_id"),
        ] {
            let answer = world.post(target, &[], body).await;
            assert_eq!((answer.status, answer.code().as_str()), (400, code));
        }
        assert_eq!(world.get(target).await.status, 405);
    }
    let status = "/api/v1/smm?action=refill_status";
    for (query, status_code, code) in [
        ("", 400, "missing_parameter"),
        ("&refill_id=x", 400, "invalid_parameter"),
        ("&refill_id=0", 400, "invalid_parameter"),
        ("&refill_id=424242", 404, "refill_not_found"),
    ] {
        let answer = world.get(&format!("{status}{query}")).await;
        assert_eq!((answer.status, answer.code().as_str()), (status_code, code));
    }
}
