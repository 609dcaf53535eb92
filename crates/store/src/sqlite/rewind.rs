//! For the simulation alone: one database in memory serves many schedules, emptied in between,
//! since a new one with its schema and its prepared statements costs more than a whole schedule.

use std::sync::PoisonError;

use super::FIRST_ORDER;
use super::open::largest_ids;
use crate::database::{Database, Engine};
use crate::open_error::OpenError;
use crate::rows::restoration;
use domain::time::Timestamp;

/// Every table that a schedule writes, those that others refer to last.
const TABLES: [&str; 34] = [
    "entry",
    "journal",
    "adjustment",
    "resolution",
    "hold_change",
    "hold",
    "message",
    "observation",
    "credit",
    "topup_credit",
    "topup_clearing",
    "topup_proposal",
    "topup_refund",
    "topup_reversal",
    "topup_dispute",
    "topup_event",
    "topup",
    "redeem_code",
    "idempotency",
    "attempt",
    "first_attempt",
    "upstream_link",
    "orphan",
    "smm_request",
    "activation",
    "smm_order",
    "wallet",
    "api_key",
    "account",
    "balance_reading",
    "ticket",
    "smm_service_id",
    "restoration",
    "spending",
];

impl Database {
    /// A database in memory whose rows can be taken away again. Its append-only triggers are
    /// dropped for that; everything else is the store as it ships.
    pub fn in_memory_rewindable() -> Result<Self, OpenError> {
        let mut store = Self::in_memory()?;
        store.append_only = false;
        if let Engine::Inline(conn) = &store.engine {
            let conn = conn.lock().unwrap_or_else(PoisonError::into_inner);
            let sql = "SELECT name FROM sqlite_schema WHERE type = 'trigger'";
            let mut statement = conn.prepare(sql)?;
            let names = statement.query_map([], |row| row.get::<_, String>(0))?;
            let names: Vec<String> = names.collect::<Result<_, _>>()?;
            for name in names {
                conn.execute_batch(&format!("DROP TRIGGER {name}"))?;
            }
        }
        Ok(store)
    }

    /// Marks it as brought back from a backup; ids go on above those that may have been given out.
    pub fn restore_in_place(&self, now: Timestamp) -> Result<(), OpenError> {
        let Engine::Inline(conn) = &self.engine else {
            return Ok(());
        };
        let conn = conn.lock().unwrap_or_else(PoisonError::into_inner);
        let marked = restoration::mark(&*conn, now, largest_ids(&conn)?);
        let skipped = marked.map_err(|fault| OpenError::Damaged(fault.to_string()))?;
        self.ids.orders.replace(Some(skipped.orders + 1..i64::MAX));
        self.ids.rows.replace(Some(skipped.rows + 1..i64::MAX));
        Ok(())
    }

    /// Forgets every row; ids start again.
    pub fn rewind(&self) -> Result<(), OpenError> {
        if let Engine::Inline(conn) = &self.engine {
            let conn = conn.lock().unwrap_or_else(PoisonError::into_inner);
            conn.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            for table in TABLES {
                conn.prepare_cached(&format!("DELETE FROM {table}"))?
                    .execute([])?;
            }
            conn.prepare_cached("COMMIT")?.execute([])?;
        }
        self.ids.orders.replace(Some(FIRST_ORDER + 1..i64::MAX));
        self.ids.rows.replace(Some(1..i64::MAX));
        self.health.recover();
        Ok(())
    }
}
