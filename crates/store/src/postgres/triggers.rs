//! The triggers that keep written what happened: the schema makes them, the audit misses them.

use std::collections::BTreeMap;

use crate::audit::{APPEND_ONLY, Findings};
use crate::sql::Connection;
use crate::sql::cells::{Cells, many, one};
use crate::sql::fault::Fault;

/// What every one of them runs.
const BODY: &str = "\nBEGIN\n    \
     RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';\n\
     END\n";

/// Every trigger is there, as the schema wrote it, and there is no other.
pub(super) fn check(conn: &dyn Connection, findings: &mut Findings) -> Result<(), Fault> {
    let mut found: BTreeMap<String, String> = triggers(conn)?.into_iter().collect();
    for table in APPEND_ONLY {
        for (name, wanted) in wanted(table) {
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
    let sql = "SELECT prosrc FROM pg_proc WHERE proname = 'append_only' \
               AND pronamespace = current_schema()::regnamespace";
    let body = one(conn, sql, &[], |row| {
        Cells::new("pg_proc", row).take::<String>()
    })?;
    findings.require(body.as_deref() == Some(BODY), "I-02", || {
        format!("trigger function append_only was changed: {body:?}")
    });
    Ok(())
}

/// Name and definition of each; one that is switched off shows it.
fn triggers(conn: &dyn Connection) -> Result<Vec<(String, String)>, Fault> {
    let sql = "SELECT t.tgname::text, pg_get_triggerdef(t.oid, true) || \
               CASE WHEN t.tgenabled IN ('O', 'A') THEN '' ELSE ' (switched off)' END \
               FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid \
               WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace";
    many(conn, sql, &[], |row| {
        let cells = &mut Cells::new("pg_trigger", row);
        Ok((cells.take()?, cells.take()?))
    })
}

/// The triggers of a table, as the engine writes them.
fn wanted(table: &str) -> [(String, String); 2] {
    let trigger = |name: &str, when: &str, each: &str| {
        let name = format!("{table}_{name}");
        let sql = format!(
            "CREATE TRIGGER {name} BEFORE {when} ON {table} \
             FOR EACH {each} EXECUTE FUNCTION append_only()"
        );
        (name, sql)
    };
    [
        trigger("append_only", "DELETE OR UPDATE", "ROW"),
        trigger("kept", "TRUNCATE", "STATEMENT"),
    ]
}
