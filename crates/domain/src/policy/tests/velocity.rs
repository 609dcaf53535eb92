//! Bounds by tier: exactly so many, never one more, and the moment from which there is room again.

use crate::policy::velocity::{Exceeded, Ordered, Past, PastNumber, PastSmm, Velocity, keeps_pace};
use crate::time::{Millis, Timestamp};
use crate::usd::Usd;

const NOW: Timestamp = Timestamp(100 * 24 * 3_600_000);
const MINUTE: i64 = 60_000;

fn bought(minutes_ago: i64, service: &str) -> PastNumber {
    PastNumber {
        at: Timestamp(NOW.0 - minutes_ago * MINUTE),
        service: service.to_owned(),
        country: "pakistan".to_owned(),
        failed: false,
        cancelled_at: None,
        spent: Usd(100_000),
    }
}

fn past(numbers: Vec<PastNumber>) -> Past {
    Past {
        numbers,
        ..Past::default()
    }
}

fn number(service: &str) -> Ordered {
    Ordered::Number {
        service: service.to_owned(),
        country: "pakistan".to_owned(),
        price: Usd(100_000),
    }
}

fn judged(tier: u8, ordered: &Ordered, past: &Past) -> Result<(), (&'static str, i64)> {
    let judged = keeps_pace(&Velocity::of_tier(tier), ordered, past, NOW);
    judged.map_err(|Exceeded { bound, again_at }| (bound, (again_at - NOW).0 / MINUTE))
}

#[test]
fn the_last_one_allowed_passes_and_the_next_waits_for_the_oldest() {
    let mut numbers: Vec<_> = [3, 10, 20, 30].map(|ago| bought(ago, "Chat")).into();
    for one in &mut numbers {
        one.country = "spain".into();
    }
    assert_eq!(judged(0, &number("Chat"), &past(numbers.clone())), Ok(()));
    numbers.push(bought(50, "Chat"));
    let over = judged(0, &number("Chat"), &past(numbers.clone()));
    assert_eq!(over, Err(("buys_per_hour", 10)));
    numbers[4] = bought(60, "Chat");
    assert_eq!(judged(0, &number("Chat"), &past(numbers)), Ok(()));
}

#[test]
fn what_failed_counts_only_when_it_is_hammering() {
    let failed = PastNumber {
        failed: true,
        spent: Usd::ZERO,
        ..bought(30, "Chat")
    };
    assert_eq!(
        judged(0, &number("Chat"), &past(vec![failed.clone(); 59])),
        Ok(())
    );
    let over = judged(0, &number("Chat"), &past(vec![failed; 60]));
    assert_eq!(over, Err(("buys_per_day", 23 * 60 + 30)));
}

#[test]
fn open_activations_one_offer_and_services_are_bounded() {
    let open = Past {
        open_activations: 2,
        ..Past::default()
    };
    assert_eq!(
        judged(0, &number("Chat"), &open),
        Err(("open_activations", 1))
    );
    let same = vec![bought(100, "Chat"); 3];
    let over = judged(0, &number("Chat"), &past(same.clone()));
    assert_eq!(over, Err(("same_offer_per_day", 24 * 60 - 100)));
    assert_eq!(judged(0, &number("Game"), &past(same)), Ok(()));
    let three = vec![bought(5, "A"), bought(9, "B"), bought(20, "C")];
    assert_eq!(
        judged(0, &number("D"), &past(three.clone())),
        Err(("services_per_hour", 40))
    );
    assert_eq!(judged(0, &number("B"), &past(three)), Ok(()));
}

#[test]
fn cancel_farming_pauses_for_an_hour_after_the_last_cancel() {
    let cancelled = |ago: i64| PastNumber {
        cancelled_at: Some(Timestamp(NOW.0 - ago * MINUTE)),
        spent: Usd::ZERO,
        ..bought(ago + 3, "Chat")
    };
    let mut numbers: Vec<_> = (0..15).map(|one| cancelled(70 + one)).collect();
    numbers.insert(0, cancelled(50));
    assert_eq!(
        judged(3, &number("Chat"), &past(numbers.clone())),
        Ok(()),
        "too few to say"
    );
    numbers.extend(vec![bought(200, "Chat"); 4]);
    assert_eq!(
        judged(3, &number("Chat"), &past(numbers.clone())),
        Err(("cancel_percent", 10))
    );
    numbers.push(bought(300, "Chat"));
    assert_eq!(
        judged(3, &number("Chat"), &past(numbers.clone())),
        Ok(()),
        "76 %"
    );
    numbers.truncate(20);
    numbers[0] = cancelled(61);
    assert_eq!(
        judged(3, &number("Chat"), &past(numbers)),
        Ok(()),
        "the hour is over"
    );
    assert_eq!(Velocity::of_tier(3).suspicious_cancels(), Some(16));
}

#[test]
fn a_day_of_money_is_bounded_over_both_sides() {
    let spent = |ago: i64, usd: i64| PastNumber {
        spent: Usd(usd * 1_000_000),
        ..bought(ago, "Chat")
    };
    let mut today = past(vec![spent(100, 4)]);
    today.smm.push(PastSmm {
        at: Timestamp(NOW.0 - 200 * MINUTE),
        failed: false,
        spent: Usd(5_900_000),
    });
    assert_eq!(
        judged(0, &number("Chat"), &today),
        Ok(()),
        "exactly ten dollars"
    );
    today.smm[0].spent = Usd(5_900_001);
    let over = judged(0, &number("Chat"), &today);
    assert_eq!(over, Err(("daily_spend", 24 * 60 - 200)));
}

#[test]
fn smm_orders_are_bounded_by_day_and_by_target() {
    let order = Ordered::Smm {
        target: "instagram.com/a".into(),
        price: Usd(1),
    };
    let placed = PastSmm {
        at: NOW - Millis::minutes(60),
        failed: false,
        spent: Usd(1),
    };
    let mut past = Past {
        smm: vec![placed.clone(); 4],
        ..Past::default()
    };
    assert_eq!(judged(0, &order, &past), Ok(()));
    past.smm.push(placed);
    assert_eq!(judged(0, &order, &past), Err(("smm_per_day", 23 * 60)));
    past.smm.clear();
    past.target = vec![NOW - Millis::minutes(24 * 60)];
    assert_eq!(
        judged(0, &order, &past),
        Err(("smm_per_target_week", 6 * 24 * 60))
    );
    assert_eq!(judged(1, &order, &past), Ok(()));
}

#[test]
fn the_contract_tier_is_compared_with_its_past_only_after_many_cancels() {
    assert!(!Velocity::of_tier(3).bounds_orders());
    for tier in 0..3 {
        assert!(Velocity::of_tier(tier).bounds_orders());
    }
}
