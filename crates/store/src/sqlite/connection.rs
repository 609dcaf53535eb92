//! The neutral connection over SQLite, and what its errors mean.

use domain::change::Refused;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{ErrorCode, ToSql, ffi};

use super::triggers;
use crate::audit::Findings;
use crate::sql::fault::{Fault, SqlError, Trouble};
use crate::sql::{Arg, Connection, Row, See, Source, Value};

impl ToSql for Arg<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Null => ValueRef::Null,
            Self::Int(number) => ValueRef::Integer(*number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Source for rusqlite::Row<'_> {
    fn cell(&self, at: usize) -> Result<Value<'_>, Fault> {
        let value = self.get_ref(at)?;
        Ok(match value {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Int(number),
            ValueRef::Text(_) => {
                let text = value.as_str();
                Value::Text(text.map_err(|error| Fault::Wrong(format!("corrupt row: {error}")))?)
            }
            ValueRef::Blob(bytes) => Value::Blob(bytes),
            ValueRef::Real(_) => {
                return Err(Fault::Wrong(
                    "corrupt row: a float where none may be".into(),
                ));
            }
        })
    }

    fn column(&self, at: usize) -> String {
        self.as_ref().column_name(at).unwrap_or("?").to_owned()
    }
}

fn run(conn: &rusqlite::Connection, sql: &str) -> Result<(), Fault> {
    conn.prepare_cached(sql)?.execute([])?;
    Ok(())
}

impl Connection for rusqlite::Connection {
    fn query(&self, sql: &str, args: &[Arg<'_>], see: See<'_>) -> Result<(), Fault> {
        let mut statement = self.prepare_cached(sql)?;
        let mut rows = statement.query(rusqlite::params_from_iter(args))?;
        while let Some(row) = rows.next()? {
            if !see(row)? {
                break;
            }
        }
        Ok(())
    }

    fn stream(
        &self,
        sql: &str,
        see: &mut dyn FnMut(&Row<'_>) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        self.query(sql, &[], &mut |row| see(row).map(|()| true))
    }

    fn execute(&self, sql: &str, args: &[Arg<'_>]) -> Result<usize, Fault> {
        let mut statement = self.prepare_cached(sql)?;
        Ok(statement.execute(rusqlite::params_from_iter(args))?)
    }

    fn begin(&self) -> Result<(), Fault> {
        run(self, "BEGIN IMMEDIATE")
    }

    fn commit(&self) -> Result<(), Fault> {
        run(self, "COMMIT")
    }

    /// Some errors end the transaction by themselves; then there is nothing left to undo.
    fn roll_back(&self) -> Result<(), Fault> {
        if self.is_autocommit() {
            return Ok(());
        }
        run(self, "ROLLBACK")
    }

    fn in_transaction(&self) -> bool {
        !self.is_autocommit()
    }

    fn begin_snapshot(&self) -> Result<(), Fault> {
        run(self, "BEGIN")
    }

    fn check_triggers(&self, findings: &mut Findings) -> Result<(), Fault> {
        triggers::check(self, findings)
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        match refused_by_constraint(&error) {
            Some(refused) => Self::Refused(refused),
            None => Self::Sql(SqlError {
                text: error.to_string(),
                trouble: trouble(&error),
            }),
        }
    }
}

/// Whether the file or its device can no longer be trusted.
fn trouble(error: &rusqlite::Error) -> Trouble {
    use ErrorCode as C;
    match error.sqlite_error_code() {
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
            | C::InternalMalfunction,
        ) => Trouble::Storage,
        _ => Trouble::Statement,
    }
}

/// The refusal behind a constraint that caught what no guard saw.
fn refused_by_constraint(error: &rusqlite::Error) -> Option<Refused> {
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
