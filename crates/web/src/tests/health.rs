//! When an upstream is left alone, and when it is bought from again.

use super::world::{BUY, PLACE, World};
use app::{Closed, UpstreamHealth, UpstreamLimits};
use domain::breaker::Shown;
use domain::time::Millis;
use domain::upstream::Refusal;
use domain::usd::Usd;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Bought on the second route of `peter`, behind which nobody else stands.
const ORDER: &str =
    r#"{"service_id":"306343","country_id":"61","server":"peter","provider_type":2}"#;

impl World {
    fn refuses(&self, refusal: Option<Refusal>) {
        *self.numbers.refusal.lock().unwrap() = refusal;
    }

    /// Status of a purchase, and whether its call reached the upstream.
    async fn tries(&self) -> (u16, bool) {
        let before = self.numbers.calls.load(Ordering::SeqCst);
        let status = self.post(BUY, &[], ORDER).await.status;
        (status, self.numbers.calls.load(Ordering::SeqCst) > before)
    }

    async fn reads_balance(&self, micros: i64) {
        self.numbers.balance.store(micros, Ordering::SeqCst);
        self.door.engine.read_balance("peter").await.unwrap();
    }

    fn peter(&self) -> UpstreamHealth {
        let all = self.door.engine.upstream_health();
        all.into_iter().find(|one| one.upstream == "peter").unwrap()
    }
}

#[tokio::test]
async fn a_key_that_is_refused_closes_the_upstream_until_something_is_read_with_it() {
    for refusal in [Refusal::UpstreamAuth, Refusal::AccountBlocked] {
        let world = World::start().await;
        world.refuses(Some(refusal.clone()));
        assert_eq!(world.tries().await, (503, true));
        assert_eq!(world.tries().await, (503, false));
        assert_eq!(world.peter().closed, Some(Closed::Fault(refusal.slug())));
        assert_eq!(world.wallet().await.available, Usd(50_000_000));
        world.refuses(None);
        assert_eq!(world.tries().await, (503, false));
        world.reads_balance(1_000_000_000).await;
        assert_eq!(world.tries().await, (200, true));
    }
}

#[tokio::test]
async fn empty_funds_close_the_upstream_until_the_balance_rises() {
    let world = World::start().await;
    world.reads_balance(2_000_000).await;
    world.refuses(Some(Refusal::UpstreamFunds));
    assert_eq!(world.tries().await, (503, true));
    world.refuses(None);
    world.reads_balance(2_000_000).await;
    assert_eq!(world.tries().await, (503, false));
    world.reads_balance(2_000_001).await;
    assert_eq!(world.tries().await, (200, true));
}

#[tokio::test]
async fn one_purchase_tries_again_after_the_pause_of_a_fault() {
    let world = World::start().await;
    world.refuses(Some(Refusal::UpstreamAuth));
    assert_eq!(world.tries().await, (503, true));
    world.clock.advance(Millis(Millis::minutes(5).0 - 1));
    assert_eq!(world.tries().await, (503, false));
    world.clock.advance(Millis(1));
    assert_eq!(world.tries().await, (503, true));
    assert_eq!(world.tries().await, (503, false));
    world.clock.advance(Millis::minutes(5));
    world.refuses(None);
    assert_eq!(world.tries().await, (200, true));
    assert_eq!(world.peter().closed, None);
}

#[tokio::test]
async fn a_float_below_its_stop_is_left_alone_and_a_low_one_is_marked() {
    let limits = UpstreamLimits {
        float_warn: Usd(2_000_000),
        float_stop: Usd(1_000_000),
        ..UpstreamLimits::default()
    };
    let world = World::with_two_upstreams(limits).await;
    let told = |world: &World| (world.peter().float_is_low, world.peter().closed);
    world.reads_balance(2_000_000).await;
    assert_eq!(told(&world), (false, None));
    world.reads_balance(1_999_999).await;
    assert_eq!(told(&world), (true, None));
    world.reads_balance(1_000_000).await;
    assert_eq!(world.tries().await, (200, true));
    world.reads_balance(999_999).await;
    assert_eq!(told(&world), (true, Some(Closed::Float(Usd(999_999)))));
    assert_eq!(world.tries().await, (503, false));
    world.reads_balance(3_000_000).await;
    assert_eq!(told(&world), (false, None));
    assert_eq!(world.tries().await, (200, true));
}

#[tokio::test]
async fn no_more_purchases_run_at_once_than_are_allowed() {
    let limits = UpstreamLimits {
        max_concurrent_purchases: Some(1),
        ..UpstreamLimits::default()
    };
    let world = World::with_two_upstreams(limits).await;
    let slow = ORDER.replace("306343", "slow");
    let meanwhile = async {
        while world.numbers.calls.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        assert_eq!(world.peter().closed, Some(Closed::Busy(1)));
        assert_eq!(world.tries().await, (503, false));
        world.numbers.gate.add_permits(1);
    };
    let (first, ()) = tokio::join!(world.post(BUY, &[], &slow), meanwhile);
    assert_eq!(first.status, 200);
    assert_eq!(world.tries().await, (200, true));
}

#[tokio::test]
async fn orders_run_one_at_a_time_while_only_a_balance_can_show_one_in_doubt() {
    let world = World::start().await;
    let place = async |name: &str| {
        let body =
            format!(r#"{{"service_id":1,"link":"https://instagram.com/{name}","quantity":100}}"#);
        let keyed = [("Idempotency-Key", name)];
        world.post(PLACE, &keyed, &body).await.status
    };
    // one that is slow, and another one as soon as it is under way
    let beside = async |slow: &str, other: &str| {
        let meanwhile = async {
            let under_way = || {
                let all = world.door.engine.upstream_health();
                all.iter().any(|one| one.under_way > 0)
            };
            while !under_way() {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            let told = place(other).await;
            world.panel.gate.add_permits(1);
            told
        };
        let (first, told) = tokio::join!(place(slow), meanwhile);
        assert_eq!(first, 200);
        told
    };
    assert_eq!(place("lost").await, 202);
    assert_eq!(beside("slow-1", "b").await, 200, "its list shows the order");
    world.panel.lists.store(false, Ordering::SeqCst);
    assert_eq!(beside("slow-2", "c").await, 503);
    assert_eq!(place("d").await, 200, "nothing is under way");
}

#[tokio::test]
async fn a_panel_with_too_much_in_doubt_is_closed_until_that_is_settled() {
    let limits = UpstreamLimits {
        in_doubt_cap: Some(1),
        ..UpstreamLimits::default()
    };
    let world = World::limiting("panel", limits).await;
    let place = async |name: &str| {
        let body =
            format!(r#"{{"service_id":1,"link":"https://instagram.com/{name}","quantity":100}}"#);
        world
            .post(PLACE, &[("Idempotency-Key", name)], &body)
            .await
            .status
    };
    let look = async || {
        world.clock.advance(Millis::seconds(30));
        world.run_smm_orders().await;
    };
    let calls = || world.panel.placed.load(Ordering::SeqCst);
    let before = calls();
    assert_eq!(place("lost").await, 202);
    look().await;
    assert_eq!(place("next").await, 503);
    assert_eq!(calls(), before);
    // its window ends, and nothing else is in doubt there
    for _ in 0..60 {
        look().await;
    }
    assert_eq!(world.wallet().await.held, Usd::ZERO);
    assert_eq!(place("after").await, 200);
}

#[tokio::test]
async fn what_is_not_sold_there_is_not_asked_for_again_until_the_next_listing() {
    let world = World::start().await;
    world.refuses(Some(Refusal::NotSold));
    assert_eq!(world.tries().await, (503, true));
    world.refuses(None);
    assert_eq!(world.tries().await, (503, false));
    assert_eq!((world.peter().closed, world.peter().not_sold), (None, 1));
    world
        .door
        .engine
        .refresh_upstream("peter")
        .await
        .outcome
        .unwrap();
    assert_eq!(world.tries().await, (200, true));
}

#[tokio::test]
async fn purchases_that_keep_failing_pause_and_reads_go_on() {
    let world = World::start().await;
    world.refuses(Some(Refusal::Unreachable));
    for _ in 0..5 {
        assert_eq!(world.tries().await, (503, true));
    }
    assert_eq!(world.tries().await, (503, false));
    assert!(matches!(world.peter().closed, Some(Closed::Breaker(_))));
    assert_eq!(world.peter().reading, Shown::Closed);
    world.reads_balance(5).await;
    assert_eq!(
        world.tries().await,
        (503, false),
        "a read says nothing of purchases"
    );
    world.refuses(None);
    world.clock.advance(Millis::minutes(5));
    assert_eq!(world.tries().await, (200, true));
    assert_eq!(world.peter().buying, Shown::Closed);
}
