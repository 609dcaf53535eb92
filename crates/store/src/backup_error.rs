//! Why a backup cannot be made or brought back.

use std::path::PathBuf;

use domain::ports::Violation;

use crate::open_error::OpenError;

/// Why a backup cannot be made or brought back. Nothing that was there before is changed then.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The data is in PostgreSQL, which has tools of its own for this.
    #[error(
        "the data is in PostgreSQL: back it up with \"pg_dump --format=custom \
         --serializable-deferrable\" and bring it back with pg_restore, then run \
         \"tollgate restore\" without a file (docs/operating.md)"
    )]
    OnServer,
    /// A file that would be overwritten.
    #[error("{} is there already and is not overwritten", .0.display())]
    Exists(PathBuf),
    /// An installation that would be replaced.
    #[error(
        "{} is there already; with --force it is kept aside under another name and replaced",
        .0.display()
    )]
    InUse(PathBuf),
    /// A file that is no backup.
    #[error("{} is no backup of Tollgate: {why}", path.display())]
    NoBackup {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        why: String,
    },
    /// The books of the copy do not add up.
    #[error("the copy's books are wrong: {}: {}", .0.rule, .0.detail)]
    Books(Violation),
    /// A file cannot be read or written.
    #[error("cannot use {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The database cannot be opened or read.
    #[error(transparent)]
    Open(#[from] OpenError),
}

impl From<rusqlite::Error> for BackupError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Open(error.into())
    }
}
