//! Top-ups under a storm that is too long for every engine.

use super::Folder;
use crate::Database;
use crate::contract::processor_movements::{book, movement};
use crate::contract::proofs::{FILE, with_file};
use crate::contract::{NOW, World, sealing, top_up, wait};
use domain::ports::{Store, TopUpRows, Violation};
use domain::top_up::MovementKind;
use domain::usd::Usd;

/// Twenty thousand deliveries, shuffled.
#[test]
fn a_storm_of_events() {
    top_up::a_storm_of_events_credits_each_payment_once(&[&Database::in_memory().unwrap()]);
}

/// The rules that an audit finds broken after an intruder was at what a processor moved.
fn broken_by(tampering: &str) -> Vec<&'static str> {
    let folder = Folder::new();
    let store = Database::open(folder.path()).unwrap();
    let world = World::new(&store);
    let (fee, payout) = (MovementKind::Fee, MovementKind::Payout);
    let moved = [("a", fee, 2), ("b", fee, 1), ("c", payout, 30)];
    let book_one = |(name, kind, dollars)| book(&movement(&world, name, kind, dollars));
    world.commit(moved.map(book_one).to_vec()).unwrap();
    world.audited();
    let intruder = folder.intruder();
    let drop = "DROP TRIGGER processor_movement_no_update; \
                DROP TRIGGER processor_movement_no_delete; \
                DROP TRIGGER journal_no_update; DROP TRIGGER journal_no_delete; \
                DROP TRIGGER entry_no_update; DROP TRIGGER entry_no_delete;";
    intruder
        .execute_batch(&format!("PRAGMA foreign_keys = OFF; {drop} {tampering}"))
        .unwrap();
    let found = wait(store.audit(NOW)).unwrap().violations;
    let is_trigger = |one: &&Violation| one.detail.starts_with("trigger ");
    assert_eq!(found.iter().filter(is_trigger).count(), 6, "{found:?}");
    let rules = found.iter().filter(|one| !is_trigger(one));
    let mut rules: Vec<_> = rules.map(|one| one.rule).collect();
    rules.dedup();
    rules
}

/// Each posting of a fee or a payout has its line, and each line its posting.
#[test]
fn what_a_processor_moved_is_not_changed_unnoticed() {
    assert_eq!(broken_by(""), Vec::<&str>::new());
    let row =
        |change: &str| format!("UPDATE processor_movement SET {change} WHERE kind = 'payout'");
    for change in ["amount = 29000000", "kind = 'fee'", "processor = 'btcpay'"] {
        assert_eq!(broken_by(&row(change)), ["I-09"], "{change}");
    }
    let gone = "DELETE FROM processor_movement WHERE kind = 'payout'";
    assert_eq!(broken_by(gone), ["I-09"], "a posting without its line");
    let unbooked = "DELETE FROM entry WHERE journal_id = 3; DELETE FROM journal WHERE id = 3";
    assert_eq!(broken_by(unbooked), ["I-09"], "a line without its posting");
    let leg = "UPDATE entry SET amount = amount + 1 WHERE book = 'bank'";
    assert_eq!(broken_by(leg), ["I-09", "I-01"]);
    let both = "UPDATE entry SET book = 'stripe_fees' WHERE book = 'bank'";
    assert_eq!(broken_by(both), ["I-09"], "it did not go to the bank");
}

/// What customers show of transfers is not to be read in the database, and is sealed anew with a new key.
#[test]
fn files_of_transfers_are_sealed() {
    let folder = Folder::new();
    let store = sealing(Database::open(folder.path()).unwrap());
    let world = World::new(&store);
    let row = with_file(&world, world.customer(Usd::ZERO));
    let sql = "SELECT content FROM topup_proof WHERE topup_id = ?1";
    let stored: Vec<u8> = folder
        .intruder()
        .query_row(sql, [row.id], |found| found.get(0))
        .unwrap();
    assert!(stored.starts_with(b"sealed:k"));
    assert!(!stored.windows(8).any(|part| part == &FILE[..8]));
    assert_eq!(wait(store.outdated_proofs()).unwrap(), Vec::<i64>::new());
    let bare = "UPDATE topup_proof SET content = CAST('%PDF-1.7' AS BLOB)";
    folder.intruder().execute(bare, []).unwrap();
    assert_eq!(wait(store.outdated_proofs()).unwrap(), [row.id]);
    // a file that was put in the place of another one is not opened
    let moved = "UPDATE topup_proof SET content = ?1, account_id = account_id + 1";
    folder.intruder().execute(moved, [stored]).unwrap();
    assert!(wait(store.proof(row.id)).is_err());
}
