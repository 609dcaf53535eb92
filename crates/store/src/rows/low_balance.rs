//! Balances that are watched: rows, guard and questions.

use crate::sql::cells::{Cells, exists, many, one};
use crate::sql::fault::Fault;
use crate::sql::{Connection, Row, params};
use domain::change::Refused;
use domain::ids::AccountId;
use domain::people::LowBalance;

/// The guard of a crossing, by reads alone.
pub(crate) fn check(conn: &dyn Connection, crossed: &LowBalance) -> Result<(), Fault> {
    let sql = "SELECT 1 FROM low_balance WHERE account_id = ?1 AND threshold = ?2 AND told <> ?3";
    let LowBalance {
        account,
        threshold,
        told,
    } = crossed;
    let found = exists(conn, sql, params![account.0, threshold.0, told])?;
    found.then_some(()).ok_or(Fault::Refused(Refused::Stale))
}

/// Watches a balance.
pub(crate) fn watch(conn: &dyn Connection, row: &LowBalance) -> Result<(), Fault> {
    let sql = "INSERT INTO low_balance (account_id, threshold, told) VALUES (?1, ?2, ?3) \
               ON CONFLICT (account_id) DO UPDATE SET threshold = ?2, told = ?3";
    conn.write(sql, params![row.account.0, row.threshold.0, row.told])
}

/// Watches it no longer.
pub(crate) fn forget(conn: &dyn Connection, account: AccountId) -> Result<(), Fault> {
    let sql = "DELETE FROM low_balance WHERE account_id = ?1";
    conn.write(sql, params![account.0])
}

/// It is on the other side of its threshold.
pub(crate) fn cross(conn: &dyn Connection, crossed: &LowBalance) -> Result<(), Fault> {
    let sql = "UPDATE low_balance SET told = ?3 \
               WHERE account_id = ?1 AND threshold = ?2 AND told <> ?3";
    let args = params![crossed.account.0, crossed.threshold.0, crossed.told];
    conn.write_one(sql, args, Refused::Stale)
}

fn read(row: &Row<'_>) -> Result<LowBalance, Fault> {
    let cells = &mut Cells::new("low_balance", row);
    Ok(LowBalance {
        account: cells.take().map(AccountId)?,
        threshold: cells.usd()?,
        told: cells.take()?,
    })
}

/// How an account's balance is watched.
pub(crate) fn of(conn: &dyn Connection, account: AccountId) -> Result<Option<LowBalance>, Fault> {
    let sql = "SELECT account_id, threshold, told FROM low_balance WHERE account_id = ?1";
    one(conn, sql, params![account.0], read)
}

/// Balances on the other side of their threshold than when last seen.
pub(crate) fn crossed(
    conn: &dyn Connection,
    limit: u32,
) -> Result<Vec<(LowBalance, domain::usd::Usd)>, Fault> {
    let sql = "SELECT l.account_id, l.threshold, l.told, w.available FROM low_balance l \
               JOIN wallet w ON w.account_id = l.account_id \
               WHERE (l.told = 1) <> (w.available < l.threshold) LIMIT ?1";
    many(conn, sql, params![limit], |row| {
        let available = Cells::from("wallet", row, 3).usd()?;
        Ok((read(row)?, available))
    })
}
