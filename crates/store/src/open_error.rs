//! Why a store cannot be opened.

use std::path::PathBuf;

/// Why the store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file or folder cannot be used.
    #[error("cannot use {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// Another process has the database open.
    #[error("the database is in use: {} is locked by {owner}", path.display())]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// Who holds it, as far as known.
        owner: String,
    },
    /// The engine.
    #[error("SQLite refuses")]
    Engine(#[from] rusqlite::Error),
    /// The schema cannot be brought up to date.
    #[error("the schema cannot be brought up to date")]
    Schema(#[from] refinery::Error),
    /// A setting that safety rests on has another value.
    #[error("SQLite setting {name} is {found}, not {wanted}")]
    Setting {
        /// The pragma.
        name: &'static str,
        /// What it must be.
        wanted: &'static str,
        /// What it is.
        found: String,
    },
    /// The checks found damage.
    #[error("the database is damaged: {0}")]
    Damaged(String),
    /// A thread cannot be started.
    #[error("cannot start a thread")]
    Thread(#[source] std::io::Error),
    /// A PostgreSQL server that cannot be used.
    #[error("PostgreSQL at {at}: {what}")]
    Postgres {
        /// Host and port.
        at: String,
        /// What is wrong; names no secret.
        what: String,
    },
}
