//! The power fails. A process writes through the real store while a preloaded library keeps a log of
//! what it does to its files; from the log follow the images that a device may hold afterwards: what was
//! flushed is there, of what was not any part may be missing, in 512-byte sectors and in any order. Every
//! image is opened, and everything that had been acknowledged by then must be in it.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};

use domain::change::{Change, Write};
use domain::ids::{AccountId, OrderId};
use domain::ports::Store;
use domain::usd::Usd;
use rusqlite::Connection;

use super::Folder;
use crate::Database;
use crate::contract::{NOW, Outcome, PLAN, PRICE, account, activation, number, wait};
use crate::sqlite::{File as DatabaseFile, open};
use crate::threads::health::Health;
use crate::threads::writer::Writer;

/// Opened and closed this often: a close folds the log into the database and removes it.
const SESSIONS: i64 = 6;
/// Orders of one session, half of them by each of two threads.
const ORDERS: i64 = 60;
/// The log is folded and begun anew within a session after this many orders.
const FOLD_EVERY: i64 = 25;
const IMAGES: usize = 500;
const CONTROL_IMAGES: usize = 100;
const SEED: u64 = 0x5EED;
const SECTOR: usize = 512;
const ANA: AccountId = AccountId(1);
/// File of what was acknowledged: order and state, a line each.
const ACKNOWLEDGED: &str = "acknowledged";

/// The process that writes: this test, run again by the others with the recorder in place.
#[test]
fn the_writer() {
    let Ok(folder) = std::env::var("RECORD_FOLDER") else {
        return;
    };
    let folder = PathBuf::from(folder);
    let careless = std::env::var("RECORD_CARELESS").is_ok();
    let next = AtomicI64::new(100_001);
    for session in 0..SESSIONS {
        let acknowledged = OpenOptions::new()
            .append(true)
            .create(true)
            .open(folder.join(ACKNOWLEDGED))
            .unwrap();
        let told = Mutex::new(acknowledged);
        if careless {
            let path = open::database(&folder);
            let conn = open::writer(&path).unwrap();
            conn.pragma_update(None, "synchronous", "NORMAL").unwrap();
            let writer = Writer::start(
                Arc::new(DatabaseFile(path)),
                Box::new(conn),
                Arc::new(Health::default()),
            )
            .unwrap();
            session_of(&folder, session, &next, &told, &|change| {
                wait(writer.commit(change))
            });
        } else {
            let store = Database::open(&folder).unwrap();
            session_of(&folder, session, &next, &told, &|change| {
                wait(store.commit(change))
            });
        }
    }
}

fn session_of(
    folder: &Path,
    session: i64,
    next: &AtomicI64,
    told: &Mutex<File>,
    commit: &(dyn Fn(Change) -> Outcome + Sync),
) {
    if session == 0 {
        let money = Write::Credit {
            account: ANA,
            row: 1,
            amount: Usd(PRICE.0 * SESSIONS * ORDERS),
            note: "paid in cash".into(),
        };
        let new = Write::InsertAccount(Box::new(account(ANA)));
        commit(Change::new("customer", NOW, vec![new, money])).unwrap();
    }
    let tell = |order: OrderId, state: &str| {
        let line = format!("{order} {state}\n");
        told.lock().unwrap().write_all(line.as_bytes()).unwrap();
    };
    let buy = || {
        for turn in 0..ORDERS / 2 {
            let order = OrderId(next.fetch_add(1, Ordering::Relaxed));
            let new = activation(order, ANA);
            commit(Change::new("buy", NOW, new.clone().open(&PLAN))).unwrap();
            tell(order, "calling");
            if turn % 3 == 0 {
                let mut called = new;
                called.due_at = Some(NOW + PLAN.lease);
                let number = number(&order.to_string(), &format!("+92300{:07}", order.0));
                let writes = called.bought(&number, &PLAN, NOW, String::new());
                commit(Change::new("bought", NOW, writes)).unwrap();
                tell(order, "active");
            }
            if order.0 % FOLD_EVERY == 0 {
                fold(folder);
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(buy);
        scope.spawn(buy);
    });
}

/// The next change begins the log anew: old frames lie behind it.
fn fold(folder: &Path) {
    let conn = Connection::open(open::database(folder)).unwrap();
    let sql = "PRAGMA wal_checkpoint(RESTART)";
    conn.query_row(sql, [], |_| Ok(())).unwrap();
}

/// Builds the recorder once and runs the writer under it; gives what it did.
fn recorded(careless: bool) -> Vec<Record> {
    let (folder, work) = (Folder::new(), Folder::new());
    for one in [&folder, &work] {
        std::fs::create_dir_all(one.path()).unwrap();
    }
    let library = work.path().join("record_writes.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/sqlite/tests/record_writes.c");
    let built = Command::new("cc")
        .args(["-O2", "-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .args(["-ldl", "-lpthread"])
        .status()
        .expect("a C compiler, cc");
    assert!(built.success());
    let log = work.path().join("log");
    let mut writer = Command::new(std::env::current_exe().unwrap());
    writer
        .args(["--exact", "sqlite::tests::power::the_writer"])
        .env("LD_PRELOAD", &library)
        .env("RECORD_FOLDER", folder.path())
        .env("RECORD_INTO", &log);
    if careless {
        writer.env("RECORD_CARELESS", "1");
    }
    let output = writer.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}");
    let records = records(&std::fs::read(log).unwrap());
    assert!(records.len() > 1000, "{} records: {said}", records.len());
    records
}

#[derive(Debug)]
struct Record {
    file: String,
    deed: Deed,
}

#[derive(Clone, Debug)]
enum Deed {
    Write(usize, Vec<u8>),
    Truncate(usize),
    Flush,
    Remove,
}

fn records(mut log: &[u8]) -> Vec<Record> {
    let mut take = |count: usize| {
        let (head, rest) = log.split_at(count);
        log = rest;
        (head, rest.is_empty())
    };
    let mut records = Vec::new();
    loop {
        let kind = take(1).0[0];
        let mut size =
            || usize::try_from(u64::from_ne_bytes(take(8).0.try_into().unwrap())).unwrap();
        let (name, offset, length) = (size(), size(), size());
        let file = String::from_utf8(take(name).0.to_vec()).unwrap();
        let (data, last) = take(length);
        let deed = match kind {
            b'w' => Deed::Write(offset, data.to_vec()),
            b't' => Deed::Truncate(offset),
            b's' => Deed::Flush,
            b'u' => Deed::Remove,
            other => panic!("a record of kind {other}"),
        };
        records.push(Record { file, deed });
        if last {
            return records;
        }
    }
}

/// A file on a device with a volatile cache.
#[derive(Default)]
struct Cached {
    durable: Vec<u8>,
    pending: Vec<Deed>,
    removed: bool,
}

impl Cached {
    fn take(&mut self, deed: &Deed) {
        match deed {
            Deed::Flush => {
                for deed in std::mem::take(&mut self.pending) {
                    apply(&mut self.durable, &deed);
                }
            }
            Deed::Remove => {
                self.pending.clear();
                self.removed = true;
            }
            Deed::Write(..) | Deed::Truncate(_) => {
                if std::mem::take(&mut self.removed) {
                    self.durable.clear();
                }
                self.pending.push(deed.clone());
            }
        }
    }

    /// What is left of it; nothing if the file is gone.
    fn after_power_loss(&self, fate: u64, dice: &mut Dice) -> Option<Vec<u8>> {
        // nobody flushes the removal of a file
        if self.removed && dice.below(2) == 0 {
            return None;
        }
        let mut bytes = self.durable.clone();
        let kept: Vec<Deed> = match fate {
            0 => Vec::new(),
            1 => self.pending.clone(),
            _ => dice.torn(&self.pending),
        };
        for deed in &kept {
            apply(&mut bytes, deed);
        }
        Some(bytes)
    }
}

fn apply(bytes: &mut Vec<u8>, deed: &Deed) {
    match deed {
        Deed::Write(offset, data) => {
            let end = offset + data.len();
            if bytes.len() < end {
                bytes.resize(end, 0);
            }
            bytes[*offset..end].copy_from_slice(data);
        }
        Deed::Truncate(length) => bytes.resize(*length, 0),
        Deed::Flush | Deed::Remove => {}
    }
}

/// Chance from a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn place(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound.try_into().unwrap())).unwrap()
    }

    /// Some sectors of what was not flushed, in any order.
    fn torn(&mut self, pending: &[Deed]) -> Vec<Deed> {
        let mut kept: Vec<Deed> = pending
            .iter()
            .flat_map(sectors)
            .filter(|_| self.below(2) == 0)
            .collect();
        for at in (1..kept.len()).rev() {
            kept.swap(at, self.place(at + 1));
        }
        kept
    }
}

fn sectors(deed: &Deed) -> Vec<Deed> {
    let Deed::Write(offset, data) = deed else {
        return vec![deed.clone()];
    };
    let mut parts = Vec::new();
    let (mut at, mut left) = (*offset, &data[..]);
    while !left.is_empty() {
        let (part, rest) = left.split_at(left.len().min(SECTOR - at % SECTOR));
        parts.push(Deed::Write(at, part.to_vec()));
        at += part.len();
        left = rest;
    }
    parts
}

/// What the images of a recording held.
#[derive(Debug, Default)]
struct Findings {
    images: usize,
    torn: usize,
    acknowledged: usize,
    lost: usize,
}

/// Cuts the power at so many moments: most of them anywhere or right before a flush, a tenth while the
/// schema is being made.
fn images_of(records: &[Record], images: usize) -> Findings {
    let mut dice = Dice(SEED);
    // until the log is there SQLite keeps a journal of its own, which is not recorded; the file is
    // still empty of everything then
    let log = records.iter().position(|one| one.file == "tollgate.db-wal");
    let log = log.unwrap();
    let flushes: Vec<usize> = (log..records.len())
        .filter(|at| matches!(records[*at].deed, Deed::Flush))
        .collect();
    let schema = records.iter().position(|one| one.file == ACKNOWLEDGED);
    let mut moments: Vec<usize> = (0..images)
        .map(|number| match number % 10 {
            0 => log + dice.place(schema.unwrap() - log),
            1..5 => log + dice.place(records.len() - log),
            _ => flushes[dice.place(flushes.len())],
        })
        .collect();
    moments.sort_unstable();
    let mut files: BTreeMap<&str, Cached> = BTreeMap::new();
    let (mut told, mut done) = (String::new(), 0);
    let mut found = Findings::default();
    for moment in moments {
        for Record { file, deed } in &records[done..moment] {
            match deed {
                Deed::Write(_, line) if file == ACKNOWLEDGED => {
                    told.push_str(std::str::from_utf8(line).unwrap());
                }
                _ => files.entry(file).or_default().take(deed),
            }
        }
        done = moment;
        let fate = dice.below(4);
        found.torn += usize::from(fate > 1);
        let image = Folder::new();
        std::fs::create_dir_all(image.path()).unwrap();
        for name in ["tollgate.db", "tollgate.db-wal"] {
            let left = files.get(name);
            let left = left.and_then(|file| file.after_power_loss(fate, &mut dice));
            if let Some(bytes) = left {
                std::fs::write(image.path().join(name), bytes).unwrap();
            }
        }
        let (all, lost) = lost_in(&image, &told);
        found.images += 1;
        found.acknowledged += all;
        found.lost += lost;
    }
    found
}

/// Opens an image as a start does and looks for what was acknowledged: how much there was, and how
/// much of it is missing.
fn lost_in(image: &Folder, told: &str) -> (usize, usize) {
    let store = Database::open(image.path()).unwrap();
    assert_eq!(wait(store.audit(NOW)).unwrap().violations, []);
    drop(store);
    let conn = image.intruder();
    open::check_whole(&conn).unwrap();
    let mut rows = conn.prepare("SELECT id, state FROM activation").unwrap();
    let stored = rows.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)));
    let stored: BTreeMap<i64, String> = stored.unwrap().map(Result::unwrap).collect();
    let lost = told.lines().filter(|line| {
        let (order, state) = line.split_once(' ').unwrap();
        let found = stored.get(&order.parse().unwrap());
        // what went on after it was acknowledged is a later state
        !found.is_some_and(|found| found == state || found == "active")
    });
    (told.lines().count(), lost.count())
}

#[test]
fn nothing_acknowledged_is_lost_with_the_power() {
    let found = images_of(&recorded(false), IMAGES);
    println!("{found:?} from seed {SEED:#x}");
    assert_eq!((found.images, found.lost), (IMAGES, 0), "{found:?}");
    assert!(
        found.torn > IMAGES / 4 && found.acknowledged > IMAGES,
        "{found:?}"
    );
}

/// The same with the flush of each commit left out: the images must show it.
#[test]
fn a_careless_store_loses_what_it_acknowledged() {
    let found = images_of(&recorded(true), CONTROL_IMAGES);
    println!("{found:?} from seed {SEED:#x}");
    assert!(found.lost > 0, "{found:?}");
}
