//! Top-ups under their contract, and what the audit says of books that were tampered with.

use crate::Database;
use crate::contract::top_up;

use super::Folder;

const ALL: [fn(&Database); 6] = [
    top_up::one_payment_is_credited_once,
    top_up::a_debt_grows_blocks_and_is_paid_first,
    top_up::a_won_dispute_comes_back_once,
    top_up::the_inbox_keeps_each_event_once,
    top_up::lists_say_what_is_waiting,
    top_up::a_shower_of_events_credits_each_payment_once,
];

#[test]
fn top_ups_on_file() {
    for test in ALL {
        let folder = Folder::new();
        test(&Database::open(folder.path()).unwrap());
    }
}

#[test]
fn top_ups_in_memory() {
    for test in ALL {
        test(&Database::in_memory().unwrap());
    }
}

/// Twenty thousand deliveries, shuffled.
#[test]
fn a_storm_of_events() {
    top_up::a_storm_of_events_credits_each_payment_once(&Database::in_memory().unwrap());
}
