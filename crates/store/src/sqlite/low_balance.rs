//! Balances that are watched: rows, guard and questions.

use domain::change::Refused;
use domain::ids::AccountId;
use domain::people::LowBalance;
use rusqlite::{Connection, Row, params};

use super::cells::{Cells, exists, many, one};
use super::fault::{Fault, exactly_one};

/// The guard of a crossing, by reads alone.
pub(super) fn check(conn: &Connection, crossed: &LowBalance) -> Result<(), Fault> {
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
pub(super) fn watch(conn: &Connection, row: &LowBalance) -> Result<(), Fault> {
    let sql = "INSERT INTO low_balance (account_id, threshold, told) VALUES (?1, ?2, ?3) \
               ON CONFLICT (account_id) DO UPDATE SET threshold = ?2, told = ?3";
    let args = params![row.account.0, row.threshold.0, row.told];
    conn.prepare_cached(sql)?.execute(args)?;
    Ok(())
}

/// Watches it no longer.
pub(super) fn forget(conn: &Connection, account: AccountId) -> Result<(), Fault> {
    let sql = "DELETE FROM low_balance WHERE account_id = ?1";
    conn.prepare_cached(sql)?.execute([account.0])?;
    Ok(())
}

/// It is on the other side of its threshold.
pub(super) fn cross(conn: &Connection, crossed: &LowBalance) -> Result<(), Fault> {
    let sql = "UPDATE low_balance SET told = ?3 \
               WHERE account_id = ?1 AND threshold = ?2 AND told <> ?3";
    let args = params![crossed.account.0, crossed.threshold.0, crossed.told];
    exactly_one(conn.prepare_cached(sql)?.execute(args)?, Refused::Stale)
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
pub(super) fn of(conn: &Connection, account: AccountId) -> Result<Option<LowBalance>, Fault> {
    let sql = "SELECT account_id, threshold, told FROM low_balance WHERE account_id = ?1";
    one(conn, sql, [account.0], read)
}

/// Balances on the other side of their threshold than when last seen.
pub(super) fn crossed(
    conn: &Connection,
    limit: u32,
) -> Result<Vec<(LowBalance, domain::usd::Usd)>, Fault> {
    let sql = "SELECT l.account_id, l.threshold, l.told, w.available FROM low_balance l \
               JOIN wallet w ON w.account_id = l.account_id \
               WHERE l.told <> (w.available < l.threshold) LIMIT ?1";
    many(conn, sql, [limit], |row| {
        let available = Cells::from("wallet", row, 3).usd()?;
        Ok((read(row)?, available))
    })
}
