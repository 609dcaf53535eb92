//! One store over either engine: who does its work, its health and its ids. What it answers is in
//! `rows`.

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};

use domain::change::{Change, CommitError};
use domain::ports::Read;
use domain::time::Timestamp;

use crate::ids::Ids;
use crate::open_error::OpenError;
use crate::postgres::Reserve;
use crate::rows::group::{Outcome, apply_group};
use crate::sql::Connection;
use crate::sql::fault::Fault;
use crate::sqlite::Lock;
use crate::threads::health::Health;
use crate::threads::readers::{self, Readers};
use crate::threads::writer::Writer;
use crate::threads::{Opener, Owned};
use crate::vault::Vault;

/// The store. `commit` hands a change over when its future is first polled.
pub struct Database {
    pub(crate) engine: Engine,
    pub(crate) health: Arc<Health>,
    pub(crate) ids: Arc<Ids>,
    /// Rises when keys or accounts may have changed elsewhere.
    pub(crate) access: Arc<AtomicU64>,
    /// False only for the simulation's store, whose rows can be taken away again.
    pub(crate) append_only: bool,
    newest_entry: Option<Timestamp>,
    /// What makes secrets unreadable in the database; nothing in tests and simulations of other things.
    pub(crate) vault: Option<Arc<Vault>>,
    restored_at: Option<Timestamp>,
    /// Where it is kept, if in a file.
    pub(crate) file: Option<PathBuf>,
    /// Ends with the store.
    _reserve: Option<Reserve>,
    // Declared last, so that it is freed after the threads have ended.
    lock: Option<Lock>,
}

/// Who does the work.
pub(crate) enum Engine {
    /// One thread writes, a few read. The writer ends last: SQLite's last connection to close folds
    /// the log back into the database, and readers may not.
    Threads { readers: Readers, writer: Writer },
    /// The caller, at once: one seed gives one run.
    Inline(Mutex<rusqlite::Connection>),
}

/// What was found as a database was opened.
pub(crate) struct Opened {
    pub(crate) ids: Arc<Ids>,
    pub(crate) access: Arc<AtomicU64>,
    pub(crate) newest_entry: Option<Timestamp>,
    pub(crate) restored_at: Option<Timestamp>,
    pub(crate) file: Option<PathBuf>,
    /// The process before ended without closing it.
    pub(crate) check_whole: bool,
    pub(crate) lock: Option<Lock>,
    pub(crate) reserve: Option<Reserve>,
}

impl Database {
    /// A store whose threads get their connections from `opener`.
    pub(crate) fn with_threads(
        opener: Arc<dyn Opener>,
        conn: Owned,
        opened: Opened,
    ) -> Result<Self, OpenError> {
        let health = Arc::new(Health::default());
        let readers = Readers::start(&opener, &health)?;
        if opened.check_whole {
            readers.check_whole(Arc::clone(&opener));
        }
        let writer = Writer::start(opener, conn, Arc::clone(&health))?;
        Ok(Self {
            engine: Engine::Threads { readers, writer },
            health,
            ids: opened.ids,
            access: opened.access,
            _reserve: opened.reserve,
            append_only: true,
            newest_entry: opened.newest_entry,
            vault: None,
            restored_at: opened.restored_at,
            file: opened.file,
            lock: opened.lock,
        })
    }

    /// A store that does its work in its callers.
    pub(crate) fn inline(conn: rusqlite::Connection, ids: Ids) -> Self {
        Self {
            engine: Engine::Inline(Mutex::new(conn)),
            health: Arc::default(),
            ids: Arc::new(ids),
            access: Arc::default(),
            _reserve: None,
            append_only: true,
            newest_entry: None,
            vault: None,
            restored_at: None,
            file: None,
            lock: None,
        }
    }

    /// From now on secrets are sealed before they are written.
    #[must_use]
    pub fn with_vault(mut self, vault: Arc<Vault>) -> Self {
        self.vault = Some(vault);
        self
    }

    /// A number as it is kept once it may be kept in clear no longer; without keys that is nothing.
    pub(crate) fn hash_of(&self, number: &str) -> String {
        let vault = self.vault.as_ref();
        vault.map_or_else(String::new, |vault| vault.hashed(number))
    }

    /// When the newest entry of the books had been made as they were opened: a clock that shows an
    /// earlier time is wrong, or that entry is.
    pub fn newest_entry(&self) -> Option<Timestamp> {
        self.newest_entry
    }

    /// How much was written since it was last folded into the database file, in bytes: it grows for
    /// as long as one reader holds on to an old state. Only SQLite has such a file.
    pub fn log_bytes(&self) -> Option<u64> {
        let mut log = self.file.clone()?.into_os_string();
        log.push("-wal");
        std::fs::metadata(log).ok().map(|file| file.len())
    }

    /// When it was brought back from a backup last, if it ever was.
    pub fn restored_at(&self) -> Option<Timestamp> {
        self.restored_at
    }

    /// Answers a question on a connection that reads.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        query: impl Fn(&dyn Connection) -> Result<T, Fault> + Send + 'static,
    ) -> Read<'_, T> {
        Box::pin(async move {
            match &self.engine {
                Engine::Threads { readers, .. } => readers.ask(query).await,
                Engine::Inline(conn) => {
                    let conn = conn.lock().unwrap_or_else(PoisonError::into_inner);
                    query(&*conn).map_err(|fault| readers::report(fault, &self.health))
                }
            }
        })
    }

    /// Has a change written.
    pub(crate) async fn hand_over(&self, change: Change) -> Outcome {
        if !self.health.is_good() {
            return Err(not_healthy());
        }
        let change = self.sealed(change)?;
        match &self.engine {
            Engine::Threads { writer, .. } => writer.commit(change).await,
            Engine::Inline(conn) => self.commit_inline(conn, &change),
        }
    }

    fn commit_inline(&self, conn: &Mutex<rusqlite::Connection>, change: &Change) -> Outcome {
        let conn = conn.lock().unwrap_or_else(PoisonError::into_inner);
        let applied = apply_group(&*conn, &[change]);
        if applied.storage_failed {
            self.health.fall_ill();
        }
        let mut outcomes = applied.outcomes;
        outcomes.pop().unwrap_or_else(|| Err(not_healthy()))
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Some(lock) = self.lock.as_mut().filter(|_| self.health.is_good()) {
            lock.end_clean();
        }
    }
}

/// Answer while money is stopped.
pub(crate) fn not_healthy() -> CommitError {
    CommitError::Storage("the storage failed; nothing is written until it was checked".into())
}
