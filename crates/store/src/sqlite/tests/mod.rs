//! The contract on both modes of this engine, and what is particular to it.

mod backups;
mod beside_orders;
mod books;
mod files;
mod groups;
mod power;
mod top_ups;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use domain::ports::Store;
use rusqlite::Connection;

use super::open;
use crate::Database;
use crate::contract::{sealed, sealing};

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

fn on_file(test: fn(&Database)) {
    let folder = Folder::new();
    let store = sealing(Database::open(folder.path()).unwrap());
    test(&store);
    assert!(store.healthy());
}

fn in_memory(test: fn(&Database)) {
    let store = sealing(Database::in_memory().unwrap());
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
                    super::super::on_file(|store| super::contract::$test(store));
                }
                #[test]
                fn in_memory() {
                    super::super::in_memory(|store| super::contract::$test(store));
                }
            })+
        }
    )+};
}

crate::contract::for_every_store!(contract);

#[test]
fn a_code_that_comes_after_an_outage_is_readable() {
    let store = Database::in_memory().unwrap();
    sealed::a_code_that_comes_after_an_outage_is_readable(store);
}

#[test]
fn a_node_with_other_keys_destroys_no_code() {
    let store = Database::in_memory().unwrap();
    sealed::a_node_with_other_keys_destroys_no_code(store);
}
