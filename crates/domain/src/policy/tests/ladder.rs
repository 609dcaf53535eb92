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
    let met = case(Signal::FailedKeys, 1).challenge_met().unwrap();
    assert_eq!((met.measure, met.due_at), (Measure::Log, None));
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
