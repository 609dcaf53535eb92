//! What a case leads to by itself, what people may make of it, and what each rung means for a buyer.

use super::super::velocity::Velocity;
use super::super::*;
use crate::ids::{AccountId, PersonId};
use crate::time::{Millis, Timestamp};

const NOW: Timestamp = Timestamp(1_700_000_000_000);
const ONE: PersonId = PersonId(1);
const OTHER: PersonId = PersonId(2);

fn case(signal: Signal, tier: u8) -> AccountCase {
    let seen = (signal, "seen".to_owned());
    AccountCase::raised(7, (AccountId(3), tier), seen, NOW)
}

#[test]
fn a_customer_by_contract_is_only_written_down() {
    for signal in Signal::ALL {
        let (raised, below) = (case(signal, 3), case(signal, 2));
        assert_eq!((raised.measure, raised.due_at), (Measure::Log, None));
        assert_eq!(raised.timed_out(NOW + HUMAN_REVIEW), None);
        let acts = below.measure > Measure::Log;
        assert_eq!(below.due_at.is_some(), acts, "{signal:?}");
        assert_eq!(Signal::from_slug(signal.slug()), Some(signal));
    }
    assert_eq!(case(Signal::WithheldMessages, 0).measure, Measure::Review);
    // a household may well have three accounts
    assert_eq!(case(Signal::SharedDevice, 0).measure, Measure::Log);
}

#[test]
fn a_signal_rests_as_long_as_what_was_seen_may_be_seen_again() {
    let week = Millis::minutes(7 * 24 * 60);
    let day = Millis::minutes(24 * 60);
    for signal in Signal::ALL {
        let rests = match signal {
            Signal::SharedDevice | Signal::LowSuccess => week,
            _ => day,
        };
        let open = case(signal, 1);
        let long_after = NOW + Millis(week.0 * 9);
        assert!(open.covers(signal, long_after), "{signal:?} is open");
        let closed = open.dismissed(ONE, "a load test", NOW).unwrap();
        assert!(closed.covers(signal, NOW + Millis(rests.0 - 1)));
        assert!(!closed.covers(signal, NOW + rests), "{signal:?}");
        let other = Signal::ALL.into_iter().find(|other| *other != signal);
        assert!(!closed.covers(other.unwrap(), NOW));
    }
}

#[test]
fn what_is_raised_again_is_told_too_and_waits_for_people_anew() {
    let seen = |what: &str, measure| {
        let seen = (Signal::Complaint, what.to_owned());
        AccountCase::raised(8, (AccountId(3), 1), seen, NOW).at_once(measure, NOW)
    };
    let first = seen("report 1", Measure::Log);
    let decided = first.stepped(ONE, Measure::Throttle, "watched").unwrap();
    assert!(!decided.waits_for_people());
    let again = decided.clone().raised_again(seen("report 2", Measure::Log));
    assert_eq!(again.evidence, "report 1\nreport 2");
    assert_eq!((again.measure, again.due_at), (Measure::Throttle, None));
    assert!(again.waits_for_people() && again.decided_by.is_none());
    let grave = decided.raised_again(seen("report 2", Measure::SuspendBuys));
    assert_eq!(grave.measure, Measure::SuspendBuys);
    assert_eq!(grave.due_at, Some(NOW + HUMAN_REVIEW));
    let milder = grave.clone().raised_again(seen("report 2", Measure::Log));
    assert_eq!(milder.evidence, grave.evidence, "it is said already");
    assert_eq!(milder.measure, Measure::SuspendBuys, "never milder");
}

#[test]
fn evidence_ends_at_its_bound_and_the_newest_is_whole() {
    let seen = |what: String| {
        let seen = (Signal::Staff, what);
        AccountCase::raised(8, (AccountId(3), 1), seen, NOW)
    };
    let mut case = seen("ä".repeat(2000));
    for number in 0..50 {
        let newest = format!("seen for the time {number}");
        case = case.raised_again(seen(newest.clone()));
        assert!(case.evidence.ends_with(&newest), "{}", case.evidence);
        assert_eq!(case.evidence.chars().count(), 2000);
    }
    let longest = "b".repeat(2000);
    let again = case.raised_again(seen(longest.clone()));
    assert_eq!(again.evidence, longest);
}

#[test]
fn an_automatic_step_becomes_a_review_after_a_day_and_no_sooner() {
    for signal in [Signal::FailedKeys, Signal::ManyBuys] {
        let just_before = NOW + Millis(HUMAN_REVIEW.0 - 1);
        assert_eq!(case(signal, 1).timed_out(just_before), None);
        let late = case(signal, 1).timed_out(NOW + HUMAN_REVIEW).unwrap();
        assert_eq!((late.measure, late.due_at), (Measure::Review, None));
        assert!(late.waits_for_people());
    }
    let grave = case(Signal::Complaint, 1).at_once(Measure::Suspend, NOW);
    let late = grave.timed_out(NOW + HUMAN_REVIEW).unwrap();
    assert_eq!(late.measure, Measure::Suspend, "never milder");
    let seen_to = case(Signal::ManyBuys, 1).stepped(ONE, Measure::Throttle, "fine");
    assert_eq!(seen_to.unwrap().timed_out(NOW + HUMAN_REVIEW), None);
}

#[test]
fn closing_takes_two_persons() {
    let open = || case(Signal::ManyBuys, 1);
    let alone = open().stepped(ONE, Measure::Close, "resold to others");
    assert_eq!(alone, Err(CannotDecide::TakesTwo));
    let nobody = open().closure_granted(ONE, "agreed", NOW);
    assert_eq!(nobody, Err(CannotDecide::NotProposed));
    let proposed = open()
        .closure_proposed(ONE, "resold to others", NOW)
        .unwrap();
    assert_eq!(
        proposed.measure,
        Measure::Suspend,
        "it stands still until then"
    );
    assert!(!proposed.is_closure_for(ONE) && proposed.is_closure_for(OTHER));
    let same = proposed.clone().closure_granted(ONE, "agreed", NOW);
    assert_eq!(same, Err(CannotDecide::TakesTwo));
    let closed = proposed
        .clone()
        .closure_granted(OTHER, "agreed", NOW)
        .unwrap();
    assert_eq!(closed.measure, Measure::Close);
    assert!(closed.is_in_force(), "a closed account stays closed");
    assert_eq!(
        closed.clone().dismissed(ONE, "never mind", NOW),
        Err(CannotDecide::Closed)
    );
    assert!(closed.appealed("it was not me", NOW).is_ok());
    // a step of anybody withdraws the proposal
    let milder = proposed
        .stepped(OTHER, Measure::Review, "look again")
        .unwrap();
    let late = milder.closure_granted(OTHER, "agreed", NOW);
    assert_eq!(late, Err(CannotDecide::NotProposed));
}

#[test]
fn a_challenge_is_met_once_and_an_appeal_is_made_once() {
    let asked = case(Signal::ManyBuys, 1).stepped(ONE, Measure::Challenge, "shows it");
    let met = asked.unwrap().challenge_met().unwrap();
    assert_eq!((met.measure, met.due_at), (Measure::Log, None));
    assert_eq!(
        met.decided_by, None,
        "nobody of the staff wrote what it says"
    );
    assert_eq!(met.challenge_met(), Err(CannotDecide::NoChallenge));
    let appealed = case(Signal::ManyBuys, 1)
        .appealed("a load test", NOW)
        .unwrap();
    assert_eq!(
        appealed.clone().appealed("again", NOW),
        Err(CannotDecide::Appealed)
    );
    let over = appealed.dismissed(ONE, "a load test indeed", NOW).unwrap();
    assert!(!over.is_in_force());
    assert_eq!(
        case(Signal::ManyBuys, 1)
            .dismissed(ONE, "fine", NOW)
            .unwrap()
            .appealed("but", NOW),
        Err(CannotDecide::Closed)
    );
}

#[test]
fn each_rung_says_what_a_buyer_is_told() {
    let rules = Rules::demo();
    let told = |measure: Measure| {
        let request = OtpRequest {
            class: OtpClass::SocialMessaging,
            tier: 3,
            standing: measure.standing(),
        };
        let smm = SmmRequest {
            class: SmmClass::PaidPromotion,
            standing: measure.standing(),
        };
        let verdict = decide_otp(&rules, &request).verdict;
        assert_eq!(decide_smm(&rules, &smm).verdict, verdict);
        verdict
    };
    let denied = [
        (Measure::Challenge, DenyReason::ChallengeRequired),
        (Measure::Review, DenyReason::ReviewRequired),
        (Measure::SuspendBuys, DenyReason::AccountSuspended),
        (Measure::Suspend, DenyReason::AccountSuspended),
        (Measure::Close, DenyReason::AccountSuspended),
    ];
    for (measure, reason) in denied {
        assert_eq!(told(measure), Verdict::Deny(reason));
        assert_eq!(Measure::from_slug(measure.slug()), Some(measure));
    }
    for measure in [Measure::Log, Measure::Throttle] {
        assert_eq!(told(measure), Verdict::Allow);
    }
}

#[test]
fn who_is_throttled_has_the_bounds_of_a_new_account_at_most() {
    let lowest = Velocity::of_tier(0);
    for tier in 0..=3 {
        let own = Velocity::of_tier(tier);
        assert_eq!(Measure::Log.bounds(&own, &lowest), own);
        assert_eq!(Measure::Throttle.bounds(&own, &lowest), lowest);
    }
    let tight = Velocity {
        buys_per_hour: Some(1),
        ..Velocity::default()
    };
    let both = Measure::Throttle.bounds(&tight, &lowest);
    assert_eq!((both.buys_per_hour, both.buys_per_day), (Some(1), Some(20)));
}
