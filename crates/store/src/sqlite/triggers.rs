//! The triggers that keep written what happened: the schema makes them, the audit misses them.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::audit::{APPEND_ONLY, Findings};
use crate::sql::cells::{Cells, many};
use crate::sql::fault::Fault;

/// Every trigger is there, as the schema wrote it, and there is no other.
pub(crate) fn check(conn: &Connection, findings: &mut Findings) -> Result<(), Fault> {
    let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'";
    let found = many(conn, sql, &[], |row| {
        let cells = &mut Cells::new("sqlite_schema", row);
        Ok((cells.take()?, cells.take()?))
    })?;
    let mut found: BTreeMap<String, String> = found.into_iter().collect();
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
