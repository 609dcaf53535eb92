//! Reopening, the lock, the settings, a device that fails.

use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::access::{KeptAnswer, KeyClaim};
use domain::change::{Change, CommitError, Write};
use domain::ids::OrderId;
use domain::ports::Store;
use domain::time::Millis;
use domain::usd::Usd;
use rusqlite::Connection;

use super::Folder;
use crate::contract::{NOW, PLAN, PRICE, World, account, activation, number, wait};
use crate::sqlite::{File, open};
use crate::threads::health::Health;
use crate::threads::writer::Writer;
use crate::{Database, OpenError};

/// Rows that number themselves: the engine does it, or their place in a chain.
const BY_THEMSELVES: [&str; 7] = [
    "journal",
    "audit_log",
    "own_number",
    "allocation",
    "inbound_message",
    "api_call",
    "restoration",
];

#[test]
fn ids_go_on_above_those_of_every_table() {
    let conn = open::in_memory().unwrap();
    let sql = "SELECT t.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c \
               WHERE t.type = 'table' AND c.name = 'id' AND c.type = 'INTEGER' AND c.pk > 0";
    let mut tables = conn.prepare(sql).unwrap();
    let tables = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let known = |name: &str| {
        let mut counted = open::ORDER_IDS.iter().chain(&open::ROW_IDS);
        counted.any(|counted| *counted == (name, "id")) || BY_THEMSELVES.contains(&name)
    };
    let left_out: Vec<_> = tables
        .map(Result::unwrap)
        .filter(|name| !known(name))
        .collect();
    assert_eq!(left_out, [""; 0]);
}

#[test]
fn a_reopened_store_has_everything() {
    let folder = Folder::new();
    let store = Database::open(folder.path()).unwrap();
    let world = World::new(&store);
    let ana = world.customer(Usd(100_000));
    let order = world.active(ana, &number("u1", "+923001234567"));
    let (last_order, last_row) = (order.id.0, 2);
    drop(store);

    let store = Database::open(folder.path()).unwrap();
    let world = World::new(&store);
    assert_eq!(world.money(ana), (60_000, 40_000));
    assert_eq!(world.activation(order.id), order);
    assert_eq!(store.next_order_id(), OrderId(last_order + 1));
    assert_eq!(store.next_row_id(), last_row + 1);
    world.audited();
}

#[test]
fn a_second_process_is_told_who_is_there() {
    let folder = Folder::new();
    let store = Database::open(folder.path()).unwrap();
    let refused = Database::open(folder.path()).err().unwrap().to_string();
    assert!(refused.contains("tollgate.lock"), "{refused}");
    assert!(
        refused.contains(&format!("process {}", std::process::id())),
        "{refused}"
    );
    drop(store);
    assert!(Database::open(folder.path()).is_ok());
}

#[cfg(unix)]
#[test]
fn files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let mode = |name: &str| {
        let path = folder.path().join(name);
        path.metadata().unwrap().permissions().mode() & 0o777
    };
    let files = [
        "tollgate.db",
        "tollgate.db-wal",
        "tollgate.db-shm",
        "tollgate.lock",
    ];
    let store = Database::open(folder.path()).unwrap();
    World::new(&store).customer(Usd(1));
    assert_eq!(mode(""), 0o700);
    assert_eq!(files.map(mode), [0o600; 4]);

    // a crash leaves all four behind; here they are open to everybody
    let left: Vec<_> = files
        .iter()
        .map(|name| std::fs::read(folder.path().join(name)).unwrap())
        .collect();
    drop(store);
    for (name, bytes) in files.iter().zip(left) {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
    }
    let store = Database::open(folder.path()).unwrap();
    assert_eq!(files.map(mode), [0o600; 4]);
    World::new(&store).audited();
}

#[test]
fn an_unsafe_setting_refuses_to_start() {
    let folder = Folder::new();
    drop(Database::open(folder.path()).unwrap());
    let conn = open::writer(&open::database(folder.path())).unwrap();
    assert!(open::check_settings(&conn).is_ok());
    for (name, unsafe_value) in [("synchronous", 1), ("foreign_keys", 0)] {
        let safe: i64 = conn
            .pragma_query_value(None, name, |row| row.get(0))
            .unwrap();
        conn.pragma_update(None, name, unsafe_value).unwrap();
        let refused = open::check_settings(&conn).unwrap_err();
        assert!(matches!(refused, OpenError::Setting { name: found, .. } if found == name));
        conn.pragma_update(None, name, safe).unwrap();
    }
}

#[test]
fn a_full_device_stops_money_until_the_file_was_checked() {
    let folder = Folder::new();
    let store = Database::open(folder.path()).unwrap();
    let ana = World::new(&store).customer(Usd(PRICE.0 * 1_000_000));
    drop(store);

    let path = open::database(folder.path());
    let full = open::writer(&path).unwrap();
    let pages: i64 = full
        .pragma_query_value(None, "page_count", |row| row.get(0))
        .unwrap();
    full.pragma_update(None, "max_page_count", pages + 4)
        .unwrap();
    let health = Arc::new(Health::default());
    let writer = Writer::start(Arc::new(File(path)), Box::new(full), Arc::clone(&health)).unwrap();
    let buy = |order: i64| {
        let writes = activation(OrderId(order), ana).open(&PLAN);
        wait(writer.commit(Change::new("buy", NOW, writes)))
    };
    let mut bought = 0;
    let failure = loop {
        match buy(200_000 + bought) {
            Ok(()) => bought += 1,
            Err(why) => break why,
        }
    };
    assert!(
        matches!(&failure, CommitError::Storage(text) if text.contains("full")),
        "{failure:?}"
    );
    assert!(!health.is_good());

    let patience = Instant::now() + Duration::from_secs(20);
    while !health.is_good() {
        assert!(Instant::now() < patience, "the store did not get well");
        std::thread::sleep(Duration::from_millis(20));
    }
    buy(300_000).unwrap();
    drop(writer);
    let store = Database::open(folder.path()).unwrap();
    let world = World::new(&store);
    assert_eq!(world.wallet(ana).held, Usd(PRICE.0 * (bought + 1)));
    world.audited();
}

/// Overwrites a page of an index that opening does not read.
fn spoil(path: &std::path::Path) {
    let whole = |conn: &Connection, sql| -> usize {
        let number: i64 = conn.query_row(sql, [], |row| row.get(0)).unwrap();
        number.try_into().unwrap()
    };
    let (page, size) = {
        let conn = open::writer(path).unwrap();
        let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'journal_cause'";
        (whole(&conn, root), whole(&conn, "PRAGMA page_size"))
    };
    let mut bytes = std::fs::read(path).unwrap();
    let start = (page - 1) * size;
    bytes[start..start + size].fill(0xA5);
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn damage_after_an_unclean_end_stops_money() {
    let folder = Folder::new();
    let lock = folder.path().join("tollgate.lock");
    let store = Database::open(folder.path()).unwrap();
    let world = World::new(&store);
    let ana = world.customer(Usd(PRICE.0 * 1000));
    for _ in 0..200 {
        world.calling(ana);
    }
    drop(store);
    let path = open::database(folder.path());
    open::check_whole(&open::writer(&path).unwrap()).unwrap();
    assert_eq!(std::fs::read(&lock).unwrap(), b"");
    spoil(&path);
    assert!(open::check_whole(&open::writer(&path).unwrap()).is_err());

    std::fs::write(&lock, "4711").unwrap();
    let store = Database::open(folder.path()).unwrap();
    let patience = Instant::now() + Duration::from_secs(20);
    while store.healthy() {
        assert!(Instant::now() < patience, "the damage was not found");
        std::thread::sleep(Duration::from_millis(5));
    }
    let outcome = World::new(&store).commit(Vec::new());
    assert!(matches!(outcome, Err(CommitError::Storage(_))));
    drop(store);
    assert_ne!(std::fs::read(&lock).unwrap(), b"");
}

#[test]
fn in_memory_answers_are_ready_at_once() {
    let store = Database::in_memory().unwrap();
    let new = vec![Write::InsertAccount(Box::new(account(
        domain::ids::AccountId(1),
    )))];
    let mut commit = store.commit(Change::new("new", NOW, new));
    let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
    assert!(commit.as_mut().poll(context).is_ready());
    assert!(store.accounts().as_mut().poll(context).is_ready());
}

#[test]
fn a_change_is_written_though_its_caller_went_away() {
    let folder = Folder::new();
    let store = Database::open(folder.path()).unwrap();
    let world = World::new(&store);
    let ana = world.customer(PRICE);
    let order = world.new_activation(ana);
    let id = order.id;
    let mut commit = store.commit(Change::new("buy", NOW, order.open(&PLAN)));
    let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
    let _pending = commit.as_mut().poll(context);
    drop(commit);
    drop(store);
    let store = Database::open(folder.path()).unwrap();
    let world = World::new(&store);
    assert_eq!(world.activation(id).id, id);
    assert_eq!(world.money(ana), (0, PRICE.0));
}

#[test]
fn keys_that_expired_a_day_ago_are_forgotten_in_batches() {
    let folder = Folder::new();
    let store = Database::open(folder.path()).unwrap();
    let world = World::new(&store);
    let ana = world.customer(Usd(1));
    let claim = |number: i64| {
        Write::Claim(KeyClaim {
            account: ana,
            endpoint: "/otp buy".into(),
            key: number.to_string(),
            fingerprint: [1; 32],
            answer: KeptAnswer::InsufficientFunds,
            expires_at: NOW + Millis(number),
        })
    };
    world.commit((1..=700).map(claim).collect()).unwrap();
    drop(store);

    let store = Database::open(folder.path()).unwrap();
    let a_day_later = NOW + Millis(600) + Millis::minutes(24 * 60);
    World::new(&store)
        .commit_at(a_day_later, Vec::new())
        .unwrap();
    let conn = folder.intruder();
    let sql = "SELECT COUNT(*), MIN(expires_at) FROM idempotency";
    let left = || -> (i64, i64) {
        let row = conn.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
        row.unwrap()
    };
    let patience = Instant::now() + Duration::from_secs(20);
    let mut seen = Vec::new();
    while left().0 > 100 {
        seen.push(left().0);
        assert!(Instant::now() < patience, "{:?} are left", left());
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(seen.contains(&200), "a batch has 500: {seen:?}");
    assert_eq!(left(), (100, (NOW + Millis(601)).0));
    assert!(store.healthy());
}

/// A reader that never ends keeps the log from being folded in: what is written goes on and can be
/// seen to grow, and the file is small again once the reader is gone.
#[test]
fn a_long_reader_makes_the_log_grow_and_stops_no_write() {
    const MUCH: u64 = 134_217_728;
    let folder = Folder::new();
    let store = Database::open(folder.path()).unwrap();
    let world = World::new(&store);
    let ana = world.customer(Usd(100_000));
    let path = open::database(folder.path());
    let reader = open::reader(&path).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM account;")
        .unwrap();
    let writer = open::writer(&path).unwrap();
    writer
        .execute_batch("CREATE TABLE ballast (page BLOB)")
        .unwrap();
    let load = || {
        writer
            .execute("INSERT INTO ballast VALUES (zeroblob(16000000))", [])
            .unwrap();
    };
    while store.log_bytes().unwrap() <= MUCH {
        load();
    }
    world.active(ana, &number("u1", "+923001234567"));
    assert!(store.log_bytes().unwrap() > MUCH);

    reader.execute_batch("COMMIT").unwrap();
    // one to fold it in, one to begin it anew
    load();
    load();
    assert!(store.log_bytes().unwrap() <= MUCH);
    world.audited();
}
