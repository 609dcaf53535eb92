//! The embedded engine: SQLite in one folder, or in memory for tests and simulation.

mod backup;
mod connection;
mod lock;
mod open;
#[cfg(feature = "simulation")]
mod rewind;
mod source;
mod triggers;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::database::{Database, Opened};
use crate::ids::{Ids, Series};
use crate::open_error::OpenError;
use crate::rows::{journal, restoration};
use crate::sql::Connection;
use crate::sql::fault::Fault;
use crate::threads::{Opener, Owned};

pub use backup::{Copied, Restored};
pub(crate) use lock::Lock;
pub(crate) use source::Source;

/// Order ids start above this.
const FIRST_ORDER: i64 = 100_000;

/// Connections to one file.
pub(crate) struct File(PathBuf);

impl Opener for File {
    fn reader(&self) -> Result<Owned, OpenError> {
        Ok(Box::new(open::reader(&self.0)?))
    }

    fn checked_writer(&self) -> Result<Owned, OpenError> {
        let conn = open::writer(&self.0)?;
        open::check_writes(&conn)?;
        open::check_whole(&conn)?;
        Ok(Box::new(conn))
    }

    fn check_whole(&self, conn: &dyn Connection) -> Result<(), OpenError> {
        open::check_whole(conn)
    }

    fn loses_connections(&self) -> bool {
        false
    }

    fn readers(&self) -> u16 {
        3
    }
}

impl Database {
    /// Opens the database in a folder, which is made if need be, and brings its schema up to date.
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        open::create_directory(directory)?;
        let lock = lock::take(directory)?;
        let path = open::database(directory);
        open::make_private(&path)?;
        let conn = open::writer(&path)?;
        let damaged = |fault: Fault| OpenError::Damaged(fault.to_string());
        let opened = Opened {
            file: Some(path.clone()),
            ids: Arc::new(ids(open::largest_ids(&conn)?)),
            access: Arc::default(),
            newest_entry: journal::newest_entry(&conn).map_err(damaged)?,
            restored_at: restoration::latest(&conn).map_err(damaged)?,
            check_whole: lock.was_unclean(),
            lock: Some(lock),
            reserve: None,
        };
        Self::with_threads(Arc::new(File(path)), Box::new(conn), opened)
    }

    /// A database in memory, without threads: every future is ready when it is first polled.
    pub fn in_memory() -> Result<Self, OpenError> {
        let conn = open::in_memory()?;
        let ids = ids(open::largest_ids(&conn)?);
        Ok(Self::inline(conn, ids))
    }
}

pub(crate) fn ids((order, row): (i64, i64)) -> Ids {
    Ids {
        orders: Series::after(order.max(FIRST_ORDER)),
        rows: Series::after(row),
    }
}

/// A connection to an empty database.
#[cfg(test)]
pub(crate) fn empty() -> rusqlite::Connection {
    open::in_memory().unwrap()
}
