//! What has to be done after pg_restore brought a database back.

use domain::time::Timestamp;

use super::server::{Purpose, Server};
use super::{PostgresSettings, migrate, on_a_thread};
use crate::backup_error::BackupError;
use crate::database::Database;
use crate::open_error::OpenError;
use crate::rows::{audit, restoration};
use crate::sql::cells::{Cells, one};
use crate::sql::fault::Fault;
use crate::sql::{Connection, params};
use crate::sqlite::Restored;

impl Database {
    /// Marks a database that pg_restore has brought back, before the first node uses it, and checks
    /// its books. See [`restoration`] for what is done to it.
    pub fn mark_restored(
        settings: &PostgresSettings,
        now: Timestamp,
    ) -> Result<Restored, BackupError> {
        let server = Server::new(settings)?;
        on_a_thread(|| mark(&server, now))?
    }
}

fn mark(server: &Server, now: Timestamp) -> Result<Restored, BackupError> {
    let refused = |fault: Fault| server.refused(fault.to_string());
    let mut link = server.link(Purpose::Writing)?;
    let nodes = others(&link).map_err(refused)?;
    if nodes > 0 {
        return Err(in_use(server, nodes).into());
    }
    migrate(server, &mut link)?;
    let taken = last(&link, "order_id").and_then(|order| Ok((order, last(&link, "row_id")?)));
    let skipped = restoration::mark(&link, now, taken.map_err(refused)?).map_err(refused)?;
    for (sequence, after) in [("order_id", skipped.orders), ("row_id", skipped.rows)] {
        let sql = format!("SELECT setval('{sequence}', ?1, false)");
        let set = link.query(&sql, params![after + 1], &mut |_| Ok(false));
        set.map_err(refused)?;
    }
    let mut audit = audit::run(&link, now, true).map_err(refused)?;
    match audit.violations.pop() {
        Some(violation) => Err(BackupError::Books(violation)),
        None => Ok(Restored {
            audit,
            kept_aside: None,
            orders_after: skipped.orders,
        }),
    }
}

/// Sessions of other nodes and commands in this database.
pub(super) fn others(conn: &dyn Connection) -> Result<i64, Fault> {
    let sql = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() \
               AND application_name = 'tollgate' AND pid <> pg_backend_pid()";
    let found = one(conn, sql, &[], |row| {
        Cells::new("pg_stat_activity", row).take()
    })?;
    Ok(found.unwrap_or(0))
}

/// Refusal while somebody else is connected.
pub(super) fn in_use(server: &Server, nodes: i64) -> OpenError {
    server.refused(format!(
        "{nodes} connections of running nodes are open; stop every node first"
    ))
}

fn last(conn: &dyn Connection, sequence: &str) -> Result<i64, Fault> {
    let sql = format!("SELECT last_value FROM {sequence}");
    let found = one(conn, &sql, &[], |row| Cells::new("sequence", row).take())?;
    Ok(found.unwrap_or(0))
}
