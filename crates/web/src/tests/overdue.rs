//! Upstreams that hang, are down, or ask us to wait: what stands still because of it, and what does
//! not.

use super::console::at_work;
use super::world::{BUY, CANCEL, DISCORD, PLACE, World};
use app::{Closed, UpstreamHealth, UpstreamLimits};
use domain::activation::ActivationState;
use domain::attempt::AttemptState;
use domain::change::Change;
use domain::ids::OrderId;
use domain::people::Role;
use domain::ports::{Clock, Store};
use domain::ticket::TicketKind;
use domain::time::Millis;
use domain::upstream::{CancelReply, Refusal, Sms};
use domain::usd::Usd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::Semaphore;

const AT_PAUL: &str = r#"{"service_id":"tg","country_id":"6","server":"paul"}"#;
const LOST: &str = r#"{"service_id":"lost","country_id":"61","server":"peter"}"#;

impl World {
    async fn bought(&self, body: &str) -> OrderId {
        let answer = self.post(BUY, &[], body).await;
        let order = answer.data()["order_id"].as_str().unwrap().to_owned();
        OrderId(order.parse().unwrap())
    }

    async fn state(&self, order: OrderId) -> ActivationState {
        self.store.activation(order).await.unwrap().unwrap().state
    }

    /// Waits for work that runs beside this, a few seconds at most.
    async fn becomes(&self, order: OrderId, state: ActivationState) {
        for _ in 0..500 {
            if self.state(order).await == state {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("order {order} is {:?}", self.state(order).await);
    }

    fn at_peter(&self) -> UpstreamHealth {
        let all = self.door.engine.upstream_health();
        all.into_iter().find(|one| one.upstream == "peter").unwrap()
    }

    async fn overdue_tickets(&self) -> Vec<i64> {
        let tickets = self.store.tickets(true, 100).await.unwrap();
        let overdue = tickets
            .iter()
            .filter(|one| one.kind == TicketKind::OverdueOrder);
        overdue.map(|one| one.reference).collect()
    }
}

#[tokio::test]
async fn an_upstream_that_hangs_holds_up_no_step_of_another() {
    let world = World::start().await;
    let (hanging, other) = (world.bought(DISCORD).await, world.bought(AT_PAUL).await);
    world.numbers.peter_hangs.store(true, Ordering::SeqCst);
    let engine = Arc::clone(&world.door.engine);
    let stuck = world
        .tasks
        .spawn(async move { engine.poll_upstream("peter").await });
    // codes of the other arrive
    let query = format!("/api/v1/otp?action=get_status&order_id={other}");
    assert_eq!(world.get(&query).await.data()["status"], "waiting");
    *world.numbers.message.lock().unwrap() = Some(Sms {
        code: "415127".to_owned(),
        text: None,
    });
    world.clock.advance(Millis::seconds(5));
    world.door.engine.poll_upstream("paul").await;
    assert_eq!(world.get(&query).await.data()["code"], "415127");
    *world.numbers.message.lock().unwrap() = None;

    let next = world.bought(AT_PAUL).await;
    world.clock.advance(Millis::minutes(25));
    let begun = world.door.engine.begin_due_activations().await;
    assert_eq!(begun.len(), 2);
    world.becomes(next, ActivationState::Cancelled).await;
    assert_eq!(world.state(hanging).await, ActivationState::CancelRequested);
    // and so does what is due later, while the first still hangs
    let last = world.bought(AT_PAUL).await;
    world.clock.advance(Millis::minutes(25));
    assert_eq!(world.door.engine.run_due_activations().await, 1);
    assert_eq!(world.state(last).await, ActivationState::Cancelled);
    stuck.abort();
}

#[tokio::test]
async fn who_joins_a_cancel_that_comes_too_early_is_told_the_same() {
    let world = World::start().await;
    let order = world.bought(DISCORD).await;
    world.clock.advance(Millis::seconds(121));
    let gate = Arc::new(Semaphore::new(0));
    *world.numbers.cancel_gate.lock().unwrap() = Some(Arc::clone(&gate));
    *world.numbers.cancel_reply.lock().unwrap() = CancelReply::TooEarly(Some(Millis::seconds(30)));
    let asked = || world.numbers.cancelled.load(Ordering::SeqCst);
    let body = format!(r#"{{"order_id":"{order}"}}"#);
    let cancel = || world.post(CANCEL, &[], &body);
    let meanwhile = async {
        world.becomes(order, ActivationState::CancelRequested).await;
        let release = async {
            tokio::time::sleep(Duration::from_millis(80)).await;
            gate.add_permits(1);
        };
        tokio::join!(cancel(), release).0
    };
    let (first, joined) = tokio::join!(cancel(), meanwhile);
    let told = |one: &super::world::Answered| {
        let wait = one.header("retry-after").map(str::to_owned);
        (one.status, one.code(), wait, one.json()["error"].clone())
    };
    assert_eq!(told(&first), told(&joined));
    assert_eq!(
        (first.status, first.code().as_str()),
        (409, "cancel_too_early")
    );
    assert_eq!(first.header("retry-after"), Some("30"));
    // and whoever asks again before the time is over is told how much of it is left
    world.clock.advance(Millis::seconds(10));
    let again = cancel().await;
    assert_eq!(again.header("retry-after"), Some("20"));
    assert_eq!(asked(), 1);
}

#[tokio::test]
async fn a_purchase_in_doubt_long_after_its_window_is_told_of_once() {
    let world = World::start().await;
    world.numbers.list_is_down.store(true, Ordering::SeqCst);
    let answer = world.post(BUY, &[("Idempotency-Key", "k-1")], LOST).await;
    assert_eq!(answer.status, 202);
    let engine = &world.door.engine;
    let look = async |minutes: i64| {
        world.clock.advance(Millis::minutes(minutes));
        engine.poll_upstream("peter").await;
        engine.run_due_activations().await;
    };
    look(5).await;
    assert_eq!(world.at_peter().overdue, 0);
    assert!(world.overdue_tickets().await.is_empty());
    look(2).await;
    look(2).await;
    assert_eq!(world.at_peter().overdue, 1);
    assert_eq!(world.overdue_tickets().await.len(), 1);
    assert_eq!(world.wallet().await.held, Usd(40_000));
    world.numbers.list_is_down.store(false, Ordering::SeqCst);
    // the breaker of reads opens again
    look(5).await;
    look(1).await;
    assert_eq!(
        (world.at_peter().overdue, world.at_peter().in_doubt),
        (0, 0)
    );
    assert_eq!(world.wallet().await.held, Usd::ZERO);
}

#[tokio::test]
async fn purchases_in_doubt_are_counted_at_once_and_while_nothing_may_be_read() {
    let limits = UpstreamLimits {
        in_doubt_cap: Some(1),
        ..UpstreamLimits::default()
    };
    let world = World::limiting("peter", limits).await;
    let keyed = [("Idempotency-Key", "k-1")];
    assert_eq!(world.post(BUY, &keyed, LOST).await.status, 202);
    assert_eq!(world.at_peter().closed, Some(Closed::InDoubt(1)));
    *world.numbers.list_refusal.lock().unwrap() = Some(Refusal::Throttled);
    *world.numbers.wait.lock().unwrap() = Some(Millis::seconds(100));
    world.clock.advance(Millis::seconds(2));
    world.door.engine.poll_upstream("peter").await;
    // another node settles it
    let in_doubt = world.store.activations_in_doubt("peter").await.unwrap();
    let absent = in_doubt[0].clone().absent(AttemptState::Absent);
    let change = Change::new("absent", world.clock.now(), absent);
    world.store.commit(change).await.unwrap();
    world.clock.advance(Millis::seconds(50));
    world.door.engine.poll_upstream("peter").await;
    let until = match world.at_peter().closed {
        Some(Closed::Throttled(until)) => until,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        (world.at_peter().in_doubt, until - world.clock.now()),
        (0, Millis::seconds(50))
    );
}

#[tokio::test]
async fn an_upstream_that_asks_us_to_wait_is_left_alone_for_so_long() {
    let world = World::start().await;
    *world.numbers.refusal.lock().unwrap() = Some(Refusal::Throttled);
    *world.numbers.wait.lock().unwrap() = Some(Millis::seconds(20));
    let order = DISCORD.replace('}', r#","server":"peter","provider_type":2}"#);
    let calls = || world.numbers.calls.load(Ordering::SeqCst);
    assert_eq!(world.post(BUY, &[], &order).await.status, 503);
    *world.numbers.refusal.lock().unwrap() = None;
    let before = (calls(), world.numbers.lists_asked.load(Ordering::SeqCst));
    world.clock.advance(Millis::seconds(19));
    assert_eq!(world.post(BUY, &[], &order).await.status, 503);
    world.door.engine.poll_upstream("peter").await;
    let after = (calls(), world.numbers.lists_asked.load(Ordering::SeqCst));
    assert_eq!(before, after);
    world.clock.advance(Millis::seconds(1));
    assert_eq!(world.post(BUY, &[], &order).await.status, 200);
}

#[tokio::test]
async fn each_upstream_is_asked_for_news_at_its_own_pace() {
    let limits = UpstreamLimits {
        poll: Some(Millis::seconds(10)),
        ..UpstreamLimits::default()
    };
    let world = World::limiting("peter", limits).await;
    world.bought(DISCORD).await;
    let asked = || world.numbers.lists_asked.load(Ordering::SeqCst);
    let look = async |seconds| {
        world.clock.advance(Millis::seconds(seconds));
        world.door.engine.poll_upstream("peter").await;
        asked()
    };
    assert_eq!((look(9).await, look(1).await, look(9).await), (0, 1, 1));
    assert_eq!(look(4).await, 2);
    // "too many requests" without a time halves the pace for a minute
    *world.numbers.list_refusal.lock().unwrap() = Some(Refusal::Throttled);
    assert_eq!(look(12).await, 3);
    *world.numbers.list_refusal.lock().unwrap() = None;
    assert_eq!(look(12).await, 4);
    assert_eq!((look(19).await, look(6).await), (4, 5));
}

#[tokio::test]
async fn a_listing_that_led_a_purchase_astray_is_read_anew_once_a_minute() {
    let world = World::start().await;
    *world.numbers.refusal.lock().unwrap() = Some(Refusal::NotSold);
    let listings = || world.numbers.listings.load(Ordering::SeqCst);
    let before = listings();
    let buy = async |service: &str| {
        let order = DISCORD.replace("306343", service);
        assert_eq!(world.post(BUY, &[], &order).await.status, 503);
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        listings() - before
    };
    assert_eq!((buy("306343").await, buy("none").await), (1, 1));
    // what it refused stays closed although it is listed
    let calls = world.numbers.calls.load(Ordering::SeqCst);
    buy("306343").await;
    assert_eq!(world.numbers.calls.load(Ordering::SeqCst), calls);
    world.clock.advance(Millis::minutes(1));
    assert_eq!(buy("lost").await, 2);
}

#[tokio::test]
async fn an_smm_order_that_its_panel_says_nothing_of_for_an_hour_is_told_of_once() {
    let world = World::start().await;
    let body = r#"{"service_id":1,"link":"https://instagram.com/a","quantity":100}"#;
    let placed = world.post(PLACE, &[], body).await;
    let order: i64 = placed.data()["order_id"].as_str().unwrap().parse().unwrap();
    let pass = async |minutes: i64| {
        for _ in 0..minutes / 5 {
            world.clock.advance(Millis::minutes(5));
            world.run_smm_orders().await;
        }
    };
    pass(55).await;
    assert_eq!(world.overdue_tickets().await, [0; 0]);
    pass(15).await;
    assert_eq!(world.overdue_tickets().await, [order]);
    pass(60).await;
    assert_eq!(world.overdue_tickets().await, [order]);
    assert!(world.wallet().await.held > Usd::ZERO, "its hold stays");
}

#[tokio::test]
async fn a_code_after_a_confirmed_cancel_is_seen_by_nobody_and_marks_the_order() {
    let world = World::start().await;
    let order = world.bought(DISCORD).await;
    world.clock.advance(Millis::seconds(121));
    let cancel = format!(r#"{{"order_id":"{order}"}}"#);
    assert_eq!(world.post(CANCEL, &[], &cancel).await.status, 200);
    let paid = world.wallet().await;
    *world.numbers.message.lock().unwrap() = Some(Sms {
        code: "415127".to_owned(),
        text: None,
    });
    world.clock.advance(Millis::minutes(25));
    world.door.engine.run_due_activations().await;
    let row = world.store.activation(order).await.unwrap().unwrap();
    assert!(row.late_code_at.is_some());
    assert_eq!((row.message, row.messages, row.due_at), (None, 0, None));
    assert_eq!(world.wallet().await, paid, "the release stands");
    let told = world
        .get(&format!("/api/v1/otp?action=get_status&order_id={order}"))
        .await;
    assert_eq!(told.data()["status"], "cancelled");
    assert!(!told.text.contains("415127"), "{}", told.text);
    let mut support = at_work(&world, "support", Role::Support).await;
    let page = support.get(&format!("/console/orders/{order}")).await;
    assert!(page.text.contains("Code after its cancel"), "{}", page.text);
    assert!(!page.text.contains("415127"), "{}", page.text);
}
