//! A database of one file that is about to be moved elsewhere.

use std::path::{Path, PathBuf};

use rusqlite::Connection as SqliteConnection;

use super::backup::{beside, copy, known, remove};
use super::lock::{self, Lock};
use super::open;
use crate::backup_error::BackupError;
use crate::open_error::OpenError;

/// A database that nobody else may write, in this version's form.
pub(crate) struct Source {
    pub(crate) conn: SqliteConnection,
    /// A copy that goes away again.
    copy: Option<PathBuf>,
    lock: Option<Lock>,
}

impl Source {
    /// The database of a data directory, which nobody may have open, or a backup, of which a copy is
    /// made: it stays as it is.
    pub(crate) fn open(place: &Path) -> Result<Self, BackupError> {
        if place.is_dir() {
            return Self::of_directory(place);
        }
        known(place)?;
        let part = beside(place, ".moving");
        let opened = copy(place, &part).and_then(|()| Ok(open::writer(&part)?));
        let conn = opened.inspect_err(|_| remove(&part))?;
        Ok(Self {
            conn,
            copy: Some(part),
            lock: None,
        })
    }

    fn of_directory(directory: &Path) -> Result<Self, BackupError> {
        let file = open::database(directory);
        let lock = lock::take(directory)?;
        known(&file)?;
        Ok(Self {
            conn: open::writer(&file)?,
            copy: None,
            lock: Some(lock),
        })
    }

    /// Integrity and references of the whole file.
    pub(crate) fn check_whole(&self) -> Result<(), OpenError> {
        open::check_whole(&self.conn)
    }

    /// Largest ids in use: of orders, and of all other numbered rows.
    pub(crate) fn largest_ids(&self) -> Result<(i64, i64), OpenError> {
        open::largest_ids(&self.conn)
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Some(copy) = &self.copy {
            remove(copy);
        }
        if let Some(lock) = &mut self.lock {
            lock.end_clean();
        }
    }
}
