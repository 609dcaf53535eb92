//! What is done to a database that comes out of a backup, before anything else may use it: what its
//! upstreams were asked and its customers were told since then is not in it.

use crate::sql::cells::{Cells, one};
use crate::sql::fault::Fault;
use crate::sql::{Connection, params};
use domain::time::Timestamp;

/// Ids that are left out: more than were given out in any time that can be lost.
const SKIPPED: i64 = 100_000_000;

/// How far versions rise: above any that a row has reached since the backup, so that nobody who still
/// holds one of those can write by it.
const VERSIONS: i64 = 1_000_000;

/// Rows that background work moves on, each under a version.
const MOVING: [&str; 5] = ["activation", "smm_order", "smm_request", "orphan", "topup"];

/// Ids that are not given out again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Skipped {
    pub(crate) orders: i64,
    pub(crate) rows: i64,
}

/// Marks the database as restored: ids and versions rise, mails of then are not sent again, everybody
/// signs in anew, nodes may begin other daily keys, and a request to a panel counts as one that may have been heard.
pub(crate) fn mark(
    conn: &dyn Connection,
    now: Timestamp,
    (order, row): (i64, i64),
) -> Result<Skipped, Fault> {
    let skipped = Skipped {
        orders: order + SKIPPED,
        rows: row + SKIPPED,
    };
    conn.begin()?;
    let marked = write(conn, now, skipped).and_then(|()| conn.end_writing());
    match marked.and_then(|()| conn.commit()) {
        Ok(()) => Ok(skipped),
        Err(fault) => {
            conn.roll_back()?;
            Err(fault)
        }
    }
}

fn write(conn: &dyn Connection, now: Timestamp, skipped: Skipped) -> Result<(), Fault> {
    conn.execute(
        "INSERT INTO restoration (id, at, after_order, after_row) \
         SELECT COALESCE(MAX(id), 0) + 1, ?1, ?2, ?3 FROM restoration",
        params![now.0, skipped.orders, skipped.rows],
    )?;
    for table in MOVING {
        let sql = format!("UPDATE {table} SET version = version + ?1 WHERE due_at IS NOT NULL");
        conn.execute(&sql, params![VERSIONS])?;
    }
    for sql in [
        "UPDATE smm_request SET state = 'sent' WHERE state = 'asked'",
        "UPDATE mail SET due_at = NULL WHERE due_at IS NOT NULL",
        "DELETE FROM mail_token",
        "DELETE FROM session",
        "DELETE FROM daily_keys",
    ] {
        conn.execute(sql, &[])?;
    }
    Ok(())
}

/// When the database was restored last, if it ever was.
pub(crate) fn latest(conn: &dyn Connection) -> Result<Option<Timestamp>, Fault> {
    let sql = "SELECT at FROM restoration ORDER BY id DESC LIMIT 1";
    one(conn, sql, &[], |row| Cells::new("restoration", row).time())
}
