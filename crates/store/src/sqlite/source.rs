//! A database of one file that is about to be moved elsewhere.

use std::path::{Path, PathBuf};

use rusqlite::Connection as SqliteConnection;

use super::backup::{beside, copy, known, remove};
use super::lock::{self, Lock};
use super::open;
use crate::backup_error::BackupError;
use crate::open_error::OpenError;
use crate::rows::restoration;
use crate::sql::fault::Fault;
use domain::time::Timestamp;

/// A database that nobody else may write, in this version's form.
pub(crate) struct Source {
    pub(crate) conn: SqliteConnection,
    /// A copy that goes away again.
    copy: Option<PathBuf>,
    /// Whether all of it was found well.
    is_whole: bool,
    lock: Option<Lock>,
}

impl Source {
    /// The database of a data directory, which nobody may have open, or a backup, of which a copy is
    /// made: it stays as it is. The copy counts as brought back from then on.
    pub(crate) fn open(place: &Path, now: Timestamp) -> Result<Self, BackupError> {
        if place.is_dir() {
            return Self::of_directory(place);
        }
        known(place)?;
        let part = beside(place, ".moving");
        let opened = copy(place, &part).and_then(|()| marked(&part, now));
        let conn = opened.inspect_err(|_| remove(&part))?;
        Ok(Self {
            conn,
            copy: Some(part),
            is_whole: false,
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
            is_whole: false,
            lock: Some(lock),
        })
    }

    /// Integrity and references of the whole file.
    pub(crate) fn check_whole(&mut self) -> Result<(), OpenError> {
        open::check_whole(&self.conn)?;
        self.is_whole = true;
        Ok(())
    }

    /// Largest ids in use: of orders, and of all other numbered rows.
    pub(crate) fn largest_ids(&self) -> Result<(i64, i64), OpenError> {
        open::largest_ids(&self.conn)
    }
}

/// The copy of a backup, which is done to what a restore would do: its upstreams and customers know more
/// than it does.
fn marked(part: &Path, now: Timestamp) -> Result<SqliteConnection, BackupError> {
    let conn = open::writer(part)?;
    let damaged = |fault: Fault| OpenError::Damaged(fault.to_string());
    restoration::mark(&conn, now, open::largest_ids(&conn)?).map_err(damaged)?;
    Ok(conn)
}

impl Drop for Source {
    fn drop(&mut self) {
        if let Some(copy) = &self.copy {
            remove(copy);
        }
        // the next start looks at all of a file that nobody has found well
        if let Some(lock) = self.lock.as_mut().filter(|_| self.is_whole) {
            lock.end_clean();
        }
    }
}
