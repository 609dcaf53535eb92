//! What can go wrong inside the store, and what it means to the caller.

use domain::change::{CommitError, Refused};
use domain::ports::StoreError;
use rusqlite::ErrorCode;

/// Why a statement or a rule stopped a change or a read.
#[derive(Debug)]
pub(super) enum Fault {
    /// A guard: an expected race or an empty wallet.
    Refused(Refused),
    /// The change or a stored row breaks a rule that no caller may break.
    Wrong(String),
    /// The engine.
    Sql(rusqlite::Error),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        match refused_by_constraint(&error) {
            Some(refused) => Self::Refused(refused),
            None => Self::Sql(error),
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Refused(refused) => write!(f, "refused: {refused:?}"),
            Self::Wrong(what) => f.write_str(what),
            Self::Sql(error) => error.fmt(f),
        }
    }
}

impl Fault {
    /// Whether the file or its device can no longer be trusted: money stops until it was opened
    /// anew and checked.
    pub(super) fn is_storage_failure(&self) -> bool {
        use ErrorCode as C;
        let Self::Sql(error) = self else { return false };
        matches!(
            error.sqlite_error_code(),
            Some(
                C::SystemIoFailure
                    | C::DiskFull
                    | C::DatabaseCorrupt
                    | C::ReadOnly
                    | C::CannotOpen
                    | C::NotADatabase
                    | C::FileLockingProtocolFailed
                    | C::OutOfMemory
                    | C::PermissionDenied
                    | C::InternalMalfunction
            )
        )
    }

    /// The caller's view of a change that stopped.
    pub(super) fn into_commit_error(self) -> CommitError {
        match self {
            Self::Refused(refused) => CommitError::Refused(refused),
            other => CommitError::Storage(other.to_string()),
        }
    }

    /// The caller's view of a read that stopped.
    pub(super) fn into_store_error(self) -> StoreError {
        StoreError(self.to_string())
    }
}

/// The refusal behind a constraint that caught what no guard saw.
fn refused_by_constraint(error: &rusqlite::Error) -> Option<Refused> {
    use rusqlite::ffi;
    let rusqlite::Error::SqliteFailure(failure, Some(message)) = error else {
        return None;
    };
    let names = |table: &str| message.contains(table);
    match failure.extended_code {
        ffi::SQLITE_CONSTRAINT_CHECK if names("available") => Some(Refused::InsufficientFunds),
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY => {
            Some(if names("upstream_link.") {
                Refused::UpstreamIdTaken
            } else if names("idempotency.") {
                Refused::KeyTaken
            } else if names("smm_order.service_id") || names("smm_order_open_link") {
                Refused::DuplicateOpenLink
            } else if names("account.email") {
                Refused::EmailTaken
            } else {
                Refused::Stale
            })
        }
        ffi::SQLITE_CONSTRAINT_ROWID => Some(Refused::Stale),
        _ => None,
    }
}

/// An update that should touch one row and touched none lost a race.
pub(super) fn exactly_one(changed: usize, refused: Refused) -> Result<(), Fault> {
    if changed == 1 {
        Ok(())
    } else {
        Err(Fault::Refused(refused))
    }
}
