//! Money events derived anew from the rows that caused them, by the pure ledger rules.

use domain::ids::{AccountId, OrderId};
use domain::ledger::Entry;
use rusqlite::Connection;

use super::cells::{Cells, one};
use super::fault::Fault;

/// Money set aside for an order.
pub(super) fn hold(conn: &Connection, reference: i64) -> Result<Option<Entry>, Fault> {
    let sql = "SELECT order_id, account_id, amount FROM hold WHERE order_id = ?1";
    one(conn, sql, [reference], |row| {
        let cells = &mut Cells::new("hold", row);
        let order = OrderId(cells.take()?);
        Ok(Entry::hold(AccountId(cells.take()?), order, cells.usd()?))
    })
}

/// The outcome of an order's hold.
pub(super) fn resolution(conn: &Connection, reference: i64) -> Result<Option<Entry>, Fault> {
    let sql = "SELECT r.order_id, h.account_id, h.amount, r.posted FROM resolution r \
               JOIN hold h ON h.order_id = r.order_id WHERE r.order_id = ?1";
    one(conn, sql, [reference], |row| {
        let cells = &mut Cells::new("resolution", row);
        let order = OrderId(cells.take()?);
        let account = AccountId(cells.take()?);
        Ok(Entry::resolution(
            account,
            order,
            cells.usd()?,
            cells.usd()?,
        ))
    })
}

/// A correction of an order.
pub(super) fn adjustment(
    conn: &Connection,
    reference: i64,
    seq: i64,
) -> Result<Option<Entry>, Fault> {
    let sql = "SELECT a.order_id, h.account_id, a.seq, a.amount FROM adjustment a \
               JOIN hold h ON h.order_id = a.order_id WHERE a.order_id = ?1 AND a.seq = ?2";
    one(conn, sql, [reference, seq], |row| {
        let cells = &mut Cells::new("adjustment", row);
        let order = OrderId(cells.take()?);
        let account = AccountId(cells.take()?);
        Ok(Entry::adjustment(
            account,
            order,
            cells.take()?,
            cells.usd()?,
        ))
    })
}

/// An operator's credit.
pub(super) fn credit(conn: &Connection, reference: i64) -> Result<Option<Entry>, Fault> {
    let sql = "SELECT id, account_id, amount FROM credit WHERE id = ?1";
    one(conn, sql, [reference], |row| {
        let cells = &mut Cells::new("credit", row);
        let id = cells.take()?;
        Ok(Entry::credit(AccountId(cells.take()?), id, cells.usd()?))
    })
}
