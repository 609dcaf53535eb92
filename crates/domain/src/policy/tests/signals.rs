//! Which figures raise a case, and which do not yet.

use super::super::Signal;
use super::super::signals::{RecentNumber, of_orders};
use crate::time::{Millis, Timestamp};

const NOW: Timestamp = Timestamp(1_700_000_000_000);

fn number(minutes_ago: i64) -> RecentNumber {
    RecentNumber {
        at: NOW - Millis::minutes(minutes_ago),
        cancelled_at: None,
        received: None,
        usual: None,
    }
}

fn signals(latest: &[RecentNumber]) -> Vec<Signal> {
    of_orders(latest, NOW)
        .into_iter()
        .map(|(signal, _)| signal)
        .collect()
}

#[test]
fn more_than_fifty_buys_in_an_hour_raise_a_case() {
    assert_eq!(signals(&vec![number(59); 50]), []);
    assert_eq!(signals(&vec![number(59); 51]), [Signal::ManyBuys]);
    assert_eq!(signals(&vec![number(60); 51]), [], "an hour ago");
}

#[test]
fn more_than_twenty_cancels_in_an_hour_raise_a_case() {
    let cancelled = |minutes| RecentNumber {
        cancelled_at: Some(NOW - Millis::minutes(minutes)),
        ..number(90)
    };
    assert_eq!(signals(&vec![cancelled(59); 20]), []);
    assert_eq!(signals(&vec![cancelled(59); 21]), [Signal::ManyCancels]);
    assert_eq!(signals(&vec![cancelled(60); 21]), []);
}

#[test]
fn a_success_rate_far_below_that_of_the_routes_raises_a_case() {
    let ended = |received: bool, usual: Option<u8>| RecentNumber {
        received: Some(received),
        usual,
        ..number(600)
    };
    let of = |received: usize, silent: usize, usual: Option<u8>| {
        let mut latest = vec![ended(true, usual); received];
        latest.extend(vec![ended(false, usual); silent]);
        signals(&latest)
    };
    assert_eq!(of(8, 12, Some(80)), [Signal::LowSuccess]);
    assert_eq!(of(9, 11, Some(80)), [], "45 of 80");
    assert_eq!(of(0, 19, Some(80)), [], "too few");
    assert_eq!(of(0, 20, Some(30)), [], "the routes are bad");
    assert_eq!(of(0, 50, None), [], "nobody knows what is usual");
}
