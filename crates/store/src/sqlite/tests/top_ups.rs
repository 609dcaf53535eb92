//! Top-ups under a storm that is too long for every engine.

use crate::Database;
use crate::contract::top_up;

/// Twenty thousand deliveries, shuffled.
#[test]
fn a_storm_of_events() {
    top_up::a_storm_of_events_credits_each_payment_once(&[&Database::in_memory().unwrap()]);
}
