//! What can go wrong inside the store, and what it means to the caller.

use domain::change::{CommitError, Refused};
use domain::ports::StoreError;

/// Why a statement or a rule stopped a change or a read.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A guard: an expected race or an empty wallet.
    Refused(Refused),
    /// The change or a stored row breaks a rule that no caller may break.
    Wrong(String),
    /// The engine.
    Sql(SqlError),
    /// An earlier write of the transaction, whose fault shows only now: it ends the transaction.
    Earlier(Box<Fault>),
}

/// What an engine says when it cannot do a statement.
#[derive(Debug)]
pub(crate) struct SqlError {
    /// In the engine's words; names no secret.
    pub(crate) text: String,
    /// What it means.
    pub(crate) trouble: Trouble,
}

/// How far a failure of the engine reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// The statement is at fault, or the row it met.
    Statement,
    /// Two transactions stood in each other's way: the same again may succeed.
    Conflict,
    /// The storage, or the way to it, can no longer be trusted: money stops until a fresh
    /// connection has passed its checks.
    Storage,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(refused) => write!(f, "refused: {refused:?}"),
            Self::Wrong(what) => f.write_str(what),
            Self::Sql(error) => f.write_str(&error.text),
            Self::Earlier(fault) => fault.fmt(f),
        }
    }
}

impl Fault {
    /// A failure of the engine that ends trust in it.
    pub(crate) fn storage(text: impl Into<String>) -> Self {
        Self::Sql(SqlError {
            text: text.into(),
            trouble: Trouble::Storage,
        })
    }

    /// What the engine's failure means, if it is one.
    pub(crate) fn trouble(&self) -> Option<Trouble> {
        match self {
            Self::Sql(error) => Some(error.trouble),
            Self::Earlier(fault) => fault.trouble(),
            Self::Refused(_) | Self::Wrong(_) => None,
        }
    }

    /// Whether the storage can no longer be trusted: money stops until it was opened anew and
    /// checked.
    pub(crate) fn is_storage_failure(&self) -> bool {
        self.trouble() == Some(Trouble::Storage)
    }

    /// The caller's view of a change that stopped.
    pub(crate) fn into_commit_error(self) -> CommitError {
        match self {
            Self::Refused(refused) => CommitError::Refused(refused),
            Self::Earlier(fault) => fault.into_commit_error(),
            other => CommitError::Storage(other.to_string()),
        }
    }

    /// The caller's view of a read that stopped.
    pub(crate) fn into_store_error(self) -> StoreError {
        StoreError(self.to_string())
    }
}
