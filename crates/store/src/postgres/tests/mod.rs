//! The contract on this engine, and what is particular to it. Tests share a server of their own.

mod books;
mod claims;
mod groups;
mod in_force;
mod moved;
mod plans;
mod refusals;
mod server;

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use domain::ports::Store;

use super::PostgresSettings;
use super::link::Link;
use super::server::{Purpose, Server};
use crate::Database;
use crate::contract::{sealed, sealing};

/// A server that ends with this process: it stops when its standard input is closed.
pub(super) struct Private {
    folder: PathBuf,
    child: Mutex<(Child, ChildStdin, BufReader<std::process::ChildStdout>)>,
}

impl Private {
    pub(super) fn start(name: &str) -> Self {
        Self::with(name, &[])
    }

    /// One with these lines in its settings.
    pub(super) fn with(name: &str, lines: &[&str]) -> Self {
        let shared = PathBuf::from("/dev/shm");
        let parent = if shared.is_dir() {
            shared
        } else {
            std::env::temp_dir()
        };
        let folder = parent.join(format!("tollgate-{name}-{}", std::process::id()));
        let script = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../scripts/private-postgres"
        );
        let mut child = Command::new(script)
            .arg(&folder)
            .args(lines)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        let server = Self {
            folder,
            child: Mutex::new((child, input, output)),
        };
        server.wait_until_ready();
        server
    }

    fn wait_until_ready(&self) {
        let mut line = String::new();
        self.child.lock().unwrap().2.read_line(&mut line).unwrap();
        assert_eq!(
            line, "ready\n",
            "no PostgreSQL server: see what its script said above"
        );
    }

    /// Has it do something, and waits until it answers again.
    pub(super) fn order(&self, order: &str) {
        writeln!(self.child.lock().unwrap().1, "{order}").unwrap();
        self.wait_until_ready();
    }

    pub(super) fn settings(&self, database: &str) -> PostgresSettings {
        let folder = self.folder.display().to_string().replace('/', "%2F");
        let url = format!("postgres://tollgate@{folder}/{database}");
        PostgresSettings {
            readers: 2,
            ..PostgresSettings::new(&url)
        }
    }

    /// A new database of its own.
    pub(super) fn database(&self) -> PostgresSettings {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("test{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let made = intruder(&self.settings("postgres")).batch(&format!("CREATE DATABASE {name}"));
        made.unwrap();
        self.settings(&name)
    }
}

/// The server of this process.
pub(super) fn private() -> &'static Private {
    static SERVER: OnceLock<Private> = OnceLock::new();
    SERVER.get_or_init(|| Private::start("store"))
}

/// A connection past the store, as an intruder has it.
pub(super) fn intruder(settings: &PostgresSettings) -> Link {
    Server::new(settings)
        .unwrap()
        .link(Purpose::Writing)
        .unwrap()
}

fn on_server(test: fn(&Database)) {
    let store = sealing(Database::connect(&private().database()).unwrap());
    test(&store);
    assert!(store.healthy());
}

macro_rules! contract {
    ($($room:ident: $($test:ident),+;)+) => {$(
        mod $room {
            use crate::contract::$room as contract;
            $(#[test]
            fn $test() {
                super::on_server(|store| contract::$test(store));
            })+
        }
    )+};
}

crate::contract::for_every_store!(contract);

#[test]
fn a_code_that_comes_after_an_outage_is_readable() {
    let store = Database::connect(&private().database()).unwrap();
    sealed::a_code_that_comes_after_an_outage_is_readable(store);
}

#[test]
fn a_node_with_other_keys_destroys_no_code() {
    let store = Database::connect(&private().database()).unwrap();
    sealed::a_node_with_other_keys_destroys_no_code(store);
}
