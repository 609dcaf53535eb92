//! The contract on both modes of this engine, and what is particular to it.

mod beside_orders;
mod books;
mod files;
mod groups;
mod own_numbers;
mod power;
mod top_ups;
mod wallets;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use domain::ports::Store;
use rusqlite::Connection;

use super::open;
use crate::Database;

/// A folder that goes away with the test.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("tollgate-store-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        Self(path)
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// A connection past the store, as an intruder has it.
    pub(super) fn intruder(&self) -> Connection {
        Connection::open(open::database(&self.0)).unwrap()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left_over = std::fs::remove_dir_all(&self.0);
    }
}

fn on_file(test: fn(&dyn Store)) {
    let folder = Folder::new();
    let store = Database::open(folder.path()).unwrap();
    test(&store);
    assert!(store.healthy());
}

fn in_memory(test: fn(&dyn Store)) {
    let store = Database::in_memory().unwrap();
    test(&store);
    assert!(store.healthy());
}

macro_rules! contract {
    ($($room:ident: $($test:ident),+;)+) => {$(
        mod $room {
            use crate::contract::$room as contract;
            $(mod $test {
                #[test]
                fn on_file() {
                    super::super::on_file(super::contract::$test);
                }
                #[test]
                fn in_memory() {
                    super::super::in_memory(super::contract::$test);
                }
            })+
        }
    )+};
}

contract! {
    money:
        a_hold_and_its_one_outcome,
        a_hold_fits_the_route_that_is_tried,
        a_refused_hold_takes_its_whole_change_with_it,
        two_holds_of_one_change_count_together,
        a_resolution_must_fit_its_hold,
        adjustments_stay_within_the_hold,
        credits_count_once,
        entries_balance_and_have_one_cause,
        nothing_is_spent_twice,
        a_refused_change_harms_no_neighbour;
    access:
        accounts_have_one_email_and_a_wallet,
        a_key_leads_to_its_account,
        an_account_and_its_key_in_one_change,
        a_claim_is_free_again_when_it_expires;
    orders:
        an_activation_keeps_every_member,
        an_smm_order_keeps_every_member,
        a_stale_writer_changes_nothing,
        a_received_activation_is_paid,
        a_number_is_shown_to_one_account,
        an_upstream_id_belongs_to_one_order,
        one_open_order_for_a_link,
        attempts_tell_their_story,
        an_smm_order_is_settled,
        orphans_come_and_go;
    requests:
        a_request_keeps_every_member,
        one_request_of_a_kind_is_open,
        due_requests_come_longest_due_first,
        a_public_id_of_a_service_never_changes_hands;
    lists:
        a_page_holds_what_the_client_may_know,
        an_smm_page_follows_the_public_word,
        due_work_comes_longest_due_first,
        live_in_doubt_and_ended;
    balance:
        readings_follow_each_other,
        orders_under_way_are_in_the_position,
        suspects_are_what_was_released_or_given_up,
        the_house_knows_what_each_event_was_about,
        tickets_open_once_and_close_once;
}
