//! A lived-in installation moves from SQLite to the server.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::change::Write;
use domain::ids::OrderId;
use domain::ports::Store;
use domain::usd::Usd;

use super::{intruder, private};
use crate::contract::{self, NOW, PRICE, World, api_key, number, wait};
use crate::sql::Connection;
use crate::vault::fresh_keys;
use crate::vault::tests::Place;
use crate::{BackupError, Database, OpenError, PostgresSettings, TransferError, transfer};

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let name = format!("tollgate-moved-{name}-{}", std::process::id());
        Self(std::env::temp_dir().join(name))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _left_over = std::fs::remove_dir_all(&self.0);
    }
}

/// Orders in every state, money of every kind.
fn live(store: &Database) {
    contract::money::adjustments_stay_within_the_hold(store);
    contract::top_up::a_won_dispute_comes_back_once(store);
    contract::policy::a_purpose_is_asked_for_once(store);
    contract::api_log::equal_requests_are_one_line(store);
    contract::own_numbers::a_number_is_rented_and_hears(store, 0);
    let world = World::new(store);
    let ana = world.customer(Usd(PRICE.0 * 10));
    world.calling(ana);
    world.active(ana, &number("moved-1", "+923001234569"));
    world.accepted(ana, "https://example.com/moved", "p-77");
    let key = api_key(store.next_row_id(), ana);
    world.commit(vec![Write::InsertKey(Box::new(key))]).unwrap();
}

fn moved(folder: &Folder, target: &PostgresSettings) -> Result<crate::Moved, TransferError> {
    transfer(&folder.0, target, NOW, &mut |_, _| ())
}

#[test]
fn everything_arrives_and_the_books_are_the_same() {
    let folder = Folder::new("whole");
    let store = Database::open(&folder.0).unwrap();
    live(&store);
    let target = private().database();
    let running = moved(&folder, &target).unwrap_err();
    let locked = matches!(
        running,
        TransferError::Source(BackupError::Open(OpenError::Locked { .. }))
    );
    assert!(locked, "{running}");
    let (accounts, tickets) = (wait(store.accounts()), wait(store.tickets(false, 100)));
    let (order, row) = (store.next_order_id(), store.next_row_id());
    let books = wait(store.audit(NOW)).unwrap();
    drop(store);

    let mut told = Vec::new();
    let done = transfer(&folder.0, &target, NOW, &mut |table, rows| {
        told.push((table.to_owned(), rows));
    });
    let done = done.unwrap();
    assert_eq!(done.tables, told);
    assert_eq!(done.audit, books);
    assert!(
        told.iter()
            .any(|(table, rows)| table == "entry" && *rows > 10)
    );
    let store = Database::connect(&target).unwrap();
    let world = World::new(&store);
    assert_eq!(wait(store.accounts()), accounts);
    assert_eq!(wait(store.tickets(false, 100)), tickets);
    assert_eq!(wait(store.audit(NOW)).unwrap(), books);
    assert!(store.next_order_id() >= order);
    assert!(store.next_row_id() >= row);
    let bob = world.customer(PRICE);
    world.calling(bob);
    world.audited();
    contract::own_numbers::a_number_is_rented_and_hears(&store, 1);
    contract::api_log::lines_are_filtered_and_paged(&store);
    drop(store);

    let again = moved(&folder, &target).unwrap_err();
    assert!(matches!(again, TransferError::NotEmpty(_)), "{again}");
}

/// A backup knows less than its upstreams and customers do, wherever it is brought back.
#[test]
fn a_backup_that_is_moved_counts_as_brought_back() {
    let folder = Folder::new("backup");
    let store = Database::open(&folder.0).unwrap();
    live(&store);
    let backup = folder.0.join("backup.db");
    store.back_up(&backup, NOW).unwrap();
    let (OrderId(order), row) = (store.next_order_id(), store.next_row_id());
    drop(store);
    let target = private().database();
    transfer(&backup, &target, NOW, &mut |_, _| ()).unwrap();
    let store = Database::connect(&target).unwrap();
    assert_eq!(store.restored_at(), Some(NOW));
    assert!(store.next_order_id().0 > order + 1_000_000);
    assert!(store.next_row_id() > row + 1_000_000);
}

/// The program died while it wrote, and a move that did not get far changes nothing about that.
#[test]
fn a_move_that_fails_leaves_an_unclean_end_to_the_next_start() {
    let folder = Folder::new("unclean");
    drop(Database::open(&folder.0).unwrap());
    let lock = folder.0.join("tollgate.lock");
    let file = folder.0.join("tollgate.db");
    let past = rusqlite::Connection::open(file).unwrap();
    past.execute_batch(
        "PRAGMA foreign_keys = OFF; INSERT INTO wallet (account_id, available, held, receivable, \
         chain) VALUES (9, 0, 0, 0, zeroblob(32))",
    )
    .unwrap();
    drop(past);
    std::fs::write(&lock, "4711").unwrap();
    let refused = moved(&folder, &private().database()).unwrap_err();
    assert!(refused.to_string().contains("reference"), "{refused}");
    assert_ne!(std::fs::metadata(&lock).unwrap().len(), 0);
}

#[test]
fn what_would_arrive_otherwise_is_not_moved() {
    let folder = Folder::new("otherwise");
    let store = Database::open(&folder.0).unwrap();
    live(&store);
    drop(store);
    let target = private().database();
    drop(Database::connect(&target).unwrap());
    let link = intruder(&target);
    link.batch(
        "CREATE FUNCTION richer() RETURNS trigger LANGUAGE plpgsql AS \
         $$ BEGIN NEW.available := NEW.available + 1; RETURN NEW; END $$; \
         CREATE TRIGGER richer BEFORE INSERT ON wallet FOR EACH ROW EXECUTE FUNCTION richer()",
    )
    .unwrap();
    // the program's own connections are told by their name
    link.batch("SET application_name = 'somebody'").unwrap();
    let refused = moved(&folder, &target).unwrap_err().to_string();
    assert!(refused.contains("table wallet differs"), "{refused}");
    assert!(refused.contains("available"), "{refused}");
    link.batch("DROP TRIGGER richer ON wallet").unwrap();
    let mut rows = 0;
    link.query("SELECT 1 FROM account", &[], &mut |_| {
        rows += 1;
        Ok(true)
    })
    .unwrap();
    assert_eq!(rows, 0, "all or nothing");

    let node = Database::connect(&target).unwrap();
    let refused = moved(&folder, &target).unwrap_err().to_string();
    assert!(refused.contains("stop every node"), "{refused}");
    drop(node);

    let file = folder.0.join("tollgate.db");
    let past = rusqlite::Connection::open(file).unwrap();
    past.execute_batch("UPDATE wallet SET available = available + 1")
        .unwrap();
    drop(past);
    let refused = moved(&folder, &target).unwrap_err();
    assert!(
        matches!(refused, TransferError::Source(BackupError::Books(_))),
        "{refused}"
    );
}

/// What pg_restore brought back is marked before a node uses it.
#[test]
fn a_restored_database_goes_on_above_what_was_given_out() {
    let settings = private().database();
    let store = Database::connect(&settings).unwrap();
    let world = World::new(&store);
    let ana = world.customer(PRICE);
    let order = world.calling(ana);
    let refused = Database::mark_restored(&settings, NOW).unwrap_err();
    assert!(refused.to_string().contains("stop every node"), "{refused}");
    drop(store);
    let restored = Database::mark_restored(&settings, NOW).unwrap();
    assert_eq!(restored.audit.open_holds, 1);
    let store = Database::connect(&settings).unwrap();
    let world = World::new(&store);
    assert_eq!(store.restored_at(), Some(NOW));
    assert!(world.activation(order.id).version > order.version + 1000);
    assert!(store.next_order_id().0 > restored.orders_after);
    world.audited();
}

/// The first node of a database decides which daily keys its nodes have, until it is brought back.
#[test]
fn a_node_with_other_daily_keys_is_refused() {
    let settings = private().database();
    let (places, keys) = ([Place::new(), Place::new()], fresh_keys().unwrap());
    let [ours, others] = places
        .each_ref()
        .map(|place| Arc::new(place.vault(&keys, NOW)));
    drop(Database::connect_node(&settings, &ours).unwrap());
    drop(Database::connect_node(&settings, &ours).unwrap());
    let refused = Database::connect_node(&settings, &others).err().unwrap();
    assert!(
        refused.to_string().contains("copy the file chain"),
        "{refused}"
    );
    drop(Database::connect(&settings).unwrap());
    // the server takes a moment to see that the nodes are gone
    let asked = Instant::now();
    while let Err(refused) = Database::mark_restored(&settings, NOW) {
        assert!(asked.elapsed() < Duration::from_secs(10), "{refused}");
        std::thread::sleep(Duration::from_millis(20));
    }
    drop(Database::connect_node(&settings, &others).unwrap());
    assert!(Database::connect_node(&settings, &ours).is_err());
}
