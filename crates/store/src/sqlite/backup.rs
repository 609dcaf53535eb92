//! Backup while the program runs, and restore while it does not.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use domain::ports::Audit;
use domain::time::Timestamp;
use rusqlite::{Connection as SqliteConnection, OpenFlags};

use super::{lock, open};
use crate::backup_error::BackupError;
use crate::database::Database;
use crate::open_error::OpenError;
use crate::rows::{audit, restoration};
use crate::sql::fault::Fault;

/// Ends of the names of the files that make up a database.
const PARTS: [&str; 3] = ["", "-wal", "-shm"];

/// What came of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Size of the copy.
    pub bytes: u64,
    /// Its books; no violation among them.
    pub audit: Audit,
}

/// What came of a restore.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The books that were brought back.
    pub audit: Audit,
    /// Where what was there before is kept, if anything was.
    pub kept_aside: Option<PathBuf>,
    /// Orders get ids above this one.
    pub orders_after: i64,
}

impl Database {
    /// Copies the whole database into a new file while others read and write it, and checks the copy:
    /// its integrity and its books. The file appears under its name only when all of that is done.
    /// Waits for the disk: not for a thread of the executor.
    pub fn back_up(&self, file: &Path, now: Timestamp) -> Result<Copied, BackupError> {
        let source = self.file.as_deref().ok_or(BackupError::OnServer)?;
        if file.exists() {
            return Err(BackupError::Exists(file.to_owned()));
        }
        let part = beside(file, ".part");
        let copied = copy(source, &part).and_then(|()| checked(&part, now));
        let copied = copied.and_then(|audit| {
            let bytes = settled(&part)?;
            move_to(&part, file)?;
            Ok(Copied { bytes, audit })
        });
        copied.inspect_err(|_| remove(&part))
    }

    /// Makes a backup the database of a folder. Nobody may have the folder open. What is there is
    /// refused or, if it is to be replaced, kept aside. See [`restoration`] for what is done to it so
    /// that nothing of the past is done again.
    pub fn restore(
        directory: &Path,
        file: &Path,
        now: Timestamp,
        replace: bool,
    ) -> Result<Restored, BackupError> {
        open::create_directory(directory)?;
        let mut lock = lock::take(directory)?;
        let place = open::database(directory);
        if place.exists() && !replace {
            return Err(BackupError::InUse(place));
        }
        known(file)?;
        let part = beside(&place, ".part");
        let made = copy(file, &part).and_then(|()| marked(&part, now));
        let made = made.and_then(|skipped| {
            settled(&part)?;
            Ok((skipped, checked(&part, now)?))
        });
        let (skipped, audit) = made.inspect_err(|_| remove(&part))?;
        let kept_aside = set_aside(&place, now)?;
        move_to(&part, &place)?;
        lock.end_clean();
        Ok(Restored {
            audit,
            kept_aside,
            orders_after: skipped.orders,
        })
    }
}

/// Copies in one go: the state of one moment, however much is written meanwhile.
pub(super) fn copy(source: &Path, part: &Path) -> Result<(), BackupError> {
    remove(part);
    open::private_file(part)?;
    let from = open::reader(source)?;
    let mut to = SqliteConnection::open(part)?;
    let whole = rusqlite::backup::Backup::new(&from, &mut to)?;
    whole.run_to_completion(i32::MAX, Duration::ZERO, None)?;
    drop(whole);
    // one file without a log beside it
    to.pragma_update(None, "journal_mode", "DELETE")?;
    Ok(())
}

/// Whether this looks like one of ours, before anything is done with it.
pub(super) fn known(file: &Path) -> Result<(), BackupError> {
    let no_backup = |why: String| BackupError::NoBackup {
        path: file.to_owned(),
        why,
    };
    File::open(file).map_err(|cause| BackupError::File {
        path: file.to_owned(),
        cause,
    })?;
    let conn = SqliteConnection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let sql = "SELECT COUNT(*) FROM sqlite_schema \
               WHERE name IN ('refinery_schema_history', 'account', 'journal')";
    let found = conn.query_row(sql, [], |row| row.get::<_, i64>(0));
    match found {
        Ok(3) => Ok(()),
        Ok(_) => Err(no_backup("its tables are missing".into())),
        Err(error) => Err(no_backup(error.to_string())),
    }
}

/// Brings the copy to this version's form and marks it as restored.
fn marked(part: &Path, now: Timestamp) -> Result<restoration::Skipped, BackupError> {
    let conn = open::writer(part)?;
    open::check_whole(&conn)?;
    let skipped = restoration::mark(&conn, now, open::largest_ids(&conn)?);
    let skipped = skipped.map_err(damaged)?;
    conn.pragma_update(None, "journal_mode", "DELETE")?;
    Ok(skipped)
}

/// The integrity of a copy, and its books.
fn checked(part: &Path, now: Timestamp) -> Result<Audit, BackupError> {
    let conn = open::reader(part)?;
    open::check_whole(&conn)?;
    let mut audit = audit::run(&conn, now, true).map_err(damaged)?;
    match audit.violations.pop() {
        Some(violation) => Err(BackupError::Books(violation)),
        None => Ok(audit),
    }
}

fn damaged(fault: Fault) -> BackupError {
    OpenError::Damaged(fault.to_string()).into()
}

/// Waits until a file is on the device; gives its size.
fn settled(path: &Path) -> Result<u64, BackupError> {
    let synced = File::open(path).and_then(|file| {
        file.sync_all()?;
        Ok(file.metadata()?.len())
    });
    synced.map_err(|cause| BackupError::File {
        path: path.to_owned(),
        cause,
    })
}

/// Renames a file, for good: the folder's entry is on the device as well.
fn move_to(from: &Path, to: &Path) -> Result<(), BackupError> {
    let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
    let moved = std::fs::rename(from, to).and_then(|()| {
        File::open(folder.unwrap_or(Path::new("."))).and_then(|folder| folder.sync_all())
    });
    moved.map_err(|cause| BackupError::File {
        path: to.to_owned(),
        cause,
    })
}

/// Moves a database with its log out of the way; nothing where none is there.
fn set_aside(place: &Path, now: Timestamp) -> Result<Option<PathBuf>, BackupError> {
    if !place.exists() {
        return Ok(None);
    }
    let aside = beside(place, &format!(".before-restore-{}", now.0));
    for end in PARTS {
        let (from, to) = (beside(place, end), beside(&aside, end));
        if from.exists() {
            move_to(&from, &to)?;
        }
    }
    Ok(Some(aside))
}

/// The same path with an end to its name.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Removes what a try left behind, if it left anything.
pub(super) fn remove(path: &Path) {
    for end in ["", "-wal", "-shm", "-journal"] {
        let _gone_already = std::fs::remove_file(beside(path, end));
    }
}
