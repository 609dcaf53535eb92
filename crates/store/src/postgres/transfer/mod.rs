//! Moving a whole installation from SQLite to PostgreSQL: every table the schema knows, in one
//! transaction of the server, with the ledger verified on both sides.

mod rows;
mod tables;

use std::path::Path;
use std::time::Duration;

use domain::ports::{Audit, Violation};
use domain::time::Timestamp;

use super::link::Link;
use super::restored::{in_use, others};
use super::server::{Purpose, Server};
use super::{PostgresSettings, migrate, on_a_thread};
use crate::backup_error::BackupError;
use crate::open_error::OpenError;
use crate::rows::audit;
use crate::sql::cells::{Cells, many};
use crate::sql::fault::Fault;
use crate::sql::{Connection, params};
use crate::sqlite::Source;
use rows::Sums;
use tables::Table;

/// How long the copy of one table may take.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// Why an installation cannot be moved. The target holds nothing of it then, and the source is as it
/// was.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The source, or the books of either side.
    #[error(transparent)]
    Source(#[from] BackupError),
    /// The target.
    #[error(transparent)]
    Target(#[from] OpenError),
    /// The target has data already.
    #[error("the target is not empty: its table {0} has rows; give an empty database")]
    NotEmpty(String),
    /// Both sides do not have the same tables and columns.
    #[error("the schemas differ at table {0}: this version of the program is not whole")]
    Schema(String),
    /// A table arrived otherwise than it left.
    #[error("table {table} differs after the copy: {what}")]
    Differs {
        /// The table.
        table: String,
        /// What of it.
        what: String,
    },
}

/// What was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Tables with their rows.
    pub tables: Vec<(String, u64)>,
    /// The books, the same on both sides.
    pub audit: Audit,
}

/// Moves everything. What comes out of a backup is marked as restored, as `restore` would do it. `told`
/// hears of each table as it is done.
pub fn transfer(
    source: &Path,
    target: &PostgresSettings,
    now: Timestamp,
    told: &mut (dyn FnMut(&str, u64) + Send),
) -> Result<Moved, TransferError> {
    let mut source = Source::open(source, now)?;
    source.check_whole()?;
    let audit = verified(&source.conn, now)?;
    let server = Server::new(target)?;
    on_a_thread(move || moved(&source, &server, audit, now, told))?
}

fn moved(
    source: &Source,
    server: &Server,
    books: Audit,
    now: Timestamp,
    told: &mut dyn FnMut(&str, u64),
) -> Result<Moved, TransferError> {
    let mut link = server.link(Purpose::Writing)?;
    migrate(server, &mut link)?;
    let refused = |fault: Fault| server.refused(fault.to_string());
    link.patient(PATIENCE).map_err(refused)?;
    link.begin().map_err(refused)?;
    let nodes = others(&link).map_err(refused)?;
    if nodes > 0 {
        return Err(in_use(server, nodes).into());
    }
    let tables = tables::both(&source.conn, &link, server)?;
    let mut counts = Vec::with_capacity(tables.len());
    for table in &tables {
        let sent = rows::copy(&source.conn, &mut link, table, server)?;
        compare(&link, table, &sent, server)?;
        told(&table.name, sent.rows);
        counts.push((table.name.clone(), sent.rows));
    }
    link.end_writing().map_err(refused)?;
    let arrived = audit::inside(&link, now).map_err(refused)?;
    if let Some(violation) = difference(&books, &arrived) {
        return Err(BackupError::Books(violation).into());
    }
    set_sequences(source, &link, server)?;
    set_identities(&link).map_err(refused)?;
    link.commit().map_err(refused)?;
    // plans would rest on empty tables for a while
    link.batch("ANALYZE").map_err(refused)?;
    Ok(Moved {
        tables: counts,
        audit: books,
    })
}

fn verified(conn: &dyn Connection, now: Timestamp) -> Result<Audit, BackupError> {
    let audit = audit::run(conn, now, true);
    let mut audit = audit.map_err(|fault| OpenError::Damaged(fault.to_string()))?;
    match audit.violations.pop() {
        Some(violation) => Err(BackupError::Books(violation)),
        None => Ok(audit),
    }
}

/// What is wrong with the books that arrived.
fn difference(left: &Audit, arrived: &Audit) -> Option<Violation> {
    let found = arrived.violations.first().cloned();
    found.or_else(|| {
        (left != arrived).then(|| Violation {
            rule: "I-40",
            detail: format!("other books arrived: {arrived:?} instead of {left:?}"),
        })
    })
}

fn compare(link: &Link, table: &Table, sent: &Sums, server: &Server) -> Result<(), TransferError> {
    let found = rows::sums(link, table).map_err(|fault| server.refused(fault.to_string()))?;
    match sent.difference(&found, table) {
        None => Ok(()),
        Some(what) => Err(TransferError::Differs {
            table: table.name.clone(),
            what,
        }),
    }
}

/// Ids go on above those of the source.
fn set_sequences(source: &Source, link: &Link, server: &Server) -> Result<(), OpenError> {
    let (order, row) = source.largest_ids()?;
    for (sequence, largest) in [("order_id", order), ("row_id", row)] {
        let sql =
            format!("SELECT setval('{sequence}', GREATEST(last_value, ?1), false) FROM {sequence}");
        let set = link.query(&sql, params![largest + 1], &mut |_| Ok(false));
        set.map_err(|fault| server.refused(fault.to_string()))?;
    }
    Ok(())
}

/// Rows that the server numbers itself go on above those that came: it would give their numbers out
/// again, and what is refused for that looks like something that was there already.
fn set_identities(link: &Link) -> Result<(), Fault> {
    let sql = "SELECT table_name::text, column_name::text FROM information_schema.columns \
               WHERE table_schema = current_schema() AND is_identity = 'YES'";
    let columns: Vec<(String, String)> = many(link, sql, &[], |row| {
        let cells = &mut Cells::new("columns", row);
        Ok((cells.take()?, cells.take()?))
    })?;
    for (table, column) in columns {
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{table}', '{column}'), \
             COALESCE(MAX({column}), 0) + 1, false) FROM {table}"
        );
        link.query(&sql, &[], &mut |_| Ok(false))?;
    }
    Ok(())
}
