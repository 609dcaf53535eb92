//! Top-ups under a storm that is too long for every engine.

use super::Folder;
use crate::Database;
use crate::contract::proofs::{FILE, with_file};
use crate::contract::{World, sealing, top_up, wait};
use domain::ports::TopUpRows;
use domain::usd::Usd;

/// Twenty thousand deliveries, shuffled.
#[test]
fn a_storm_of_events() {
    top_up::a_storm_of_events_credits_each_payment_once(&[&Database::in_memory().unwrap()]);
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
