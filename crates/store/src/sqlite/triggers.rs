//! The triggers that keep written what happened: the schema makes them, the audit misses them.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::audit::each;
use super::fault::Fault;
use crate::audit::Findings;

/// Tables whose rows are never changed and never removed.
const APPEND_ONLY: [&str; 11] = [
    "hold",
    "hold_change",
    "resolution",
    "adjustment",
    "upstream_link",
    "message",
    "observation",
    "journal",
    "entry",
    "credit",
    "balance_reading",
];

/// Every trigger is there, as the schema wrote it, and there is no other.
pub(super) fn check(conn: &Connection, findings: &mut Findings) -> Result<(), Fault> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'";
    each(conn, sql, |row| {
        found.insert(row.get(0)?, row.get(1)?);
        Ok(())
    })?;
    for table in APPEND_ONLY {
        for verb in ["update", "delete"] {
            let name = format!("{table}_no_{verb}");
            let wanted = definition(table, &name, verb);
            match found.remove(&name) {
                None => findings.add("I-02", format!("trigger {name} is missing")),
                Some(sql) => findings.require(sql == wanted, "I-02", || {
                    format!("trigger {name} was changed: {sql}")
                }),
            }
        }
    }
    for (name, sql) in found {
        findings.add("I-02", format!("trigger {name} is not ours: {sql}"));
    }
    Ok(())
}

/// The text the engine keeps of a trigger.
fn definition(table: &str, name: &str, verb: &str) -> String {
    format!(
        "CREATE TRIGGER {name} BEFORE {} ON {table}\n\
         BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END",
        verb.to_ascii_uppercase()
    )
}
