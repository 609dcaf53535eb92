//! Money events derived anew from the rows that caused them, by the pure ledger rules.

use crate::sql::{Connection, params};
use domain::activation::ActivationState;
use domain::balance::BookedAs;
use domain::ids::{AccountId, OrderId};
use domain::ledger::{Entry, Side};
use domain::redeem::CodeSource;
use domain::top_up::{Parts, Processor};

use super::movements;
use crate::sql::cells::{Cells, exists, one};
use crate::sql::fault::Fault;

/// An event as its row makes it.
pub(crate) enum Derived {
    /// No row tells it: its legs are all there is.
    NotNeeded,
    /// There is no row that could have caused it.
    Missing,
    /// The entry that must have been written.
    Entry(Entry),
}

/// Money set aside for an order.
pub(crate) fn hold(conn: &dyn Connection, reference: i64) -> Result<Option<Entry>, Fault> {
    let sql = "SELECT order_id, account_id, amount FROM hold WHERE order_id = ?1";
    one(conn, sql, params![reference], |row| {
        let cells = &mut Cells::new("hold", row);
        let order = OrderId(cells.take()?);
        Ok(Entry::hold(AccountId(cells.take()?), order, cells.usd()?))
    })
}

/// A hold made to fit another price.
pub(crate) fn hold_change(
    conn: &dyn Connection,
    reference: i64,
    seq: i64,
) -> Result<Option<Entry>, Fault> {
    let sql = "SELECT c.order_id, h.account_id, c.seq, c.amount FROM hold_change c \
               JOIN hold h ON h.order_id = c.order_id WHERE c.order_id = ?1 AND c.seq = ?2";
    one(conn, sql, params![reference, seq], |row| {
        let cells = &mut Cells::new("hold_change", row);
        let order = OrderId(cells.take()?);
        let account = AccountId(cells.take()?);
        let seq = cells.take()?;
        Ok(Entry::hold_change(account, order, seq, cells.usd()?))
    })
}

/// The outcome of an order's hold.
pub(crate) fn resolution(conn: &dyn Connection, reference: i64) -> Result<Option<Entry>, Fault> {
    let sql = "SELECT r.order_id, h.account_id, h.amount, r.posted FROM resolution r \
               JOIN held h ON h.order_id = r.order_id WHERE r.order_id = ?1";
    one(conn, sql, params![reference], |row| {
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
pub(crate) fn adjustment(
    conn: &dyn Connection,
    reference: i64,
    seq: i64,
) -> Result<Option<Entry>, Fault> {
    let sql = "SELECT a.order_id, h.account_id, a.seq, a.amount FROM adjustment a \
               JOIN hold h ON h.order_id = a.order_id WHERE a.order_id = ?1 AND a.seq = ?2";
    one(conn, sql, params![reference, seq], |row| {
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
pub(crate) fn credit(conn: &dyn Connection, reference: i64) -> Result<Option<Entry>, Fault> {
    let sql = "SELECT id, account_id, amount FROM credit WHERE id = ?1";
    one(conn, sql, params![reference], |row| {
        let cells = &mut Cells::new("credit", row);
        let id = cells.take()?;
        Ok(Entry::credit(AccountId(cells.take()?), id, cells.usd()?))
    })
}

/// An operator's debit.
pub(crate) fn debit(conn: &dyn Connection, reference: i64) -> Result<Option<Entry>, Fault> {
    let sql = "SELECT id, account_id, amount FROM debit WHERE id = ?1";
    one(conn, sql, params![reference], |row| {
        let cells = &mut Cells::new("debit", row);
        let id = cells.take()?;
        Ok(Entry::debit(AccountId(cells.take()?), id, cells.usd()?))
    })
}

/// A redeemed code.
pub(crate) fn redeem(conn: &dyn Connection, reference: i64) -> Result<Option<Entry>, Fault> {
    let sql = "SELECT id, redeemed_by, amount, source FROM redeem_code \
               WHERE id = ?1 AND redeemed_by IS NOT NULL";
    one(conn, sql, params![reference], |row| {
        let cells = &mut Cells::new("redeem_code", row);
        let (id, account) = (cells.take()?, AccountId(cells.take()?));
        let amount = cells.usd()?;
        let source = cells.word(CodeSource::from_slug)?;
        Ok(Entry::redeem(account, id, amount, source))
    })
}

/// A payment for a top-up.
pub(crate) fn top_up(conn: &dyn Connection, reference: i64) -> Result<Option<Entry>, Fault> {
    let sql = "SELECT t.id, t.account_id, c.uncleared, c.processor, c.amount, c.fee, c.debt \
               FROM topup_credit c JOIN topup t ON t.id = c.topup_id \
               WHERE c.topup_id = ?1 AND c.kind = 'credit'";
    one(conn, sql, params![reference], |row| {
        let cells = &mut Cells::new("topup_credit", row);
        let (id, owner) = (cells.take()?, owner(cells)?);
        let processor = cells.word(Processor::from_slug)?;
        let amounts = (cells.usd()?, cells.usd()?, cells.usd()?);
        Ok(Entry::top_up(owner, id, processor, amounts))
    })
}

/// Whose money it is, and whether it could be spent at once.
fn owner(cells: &mut Cells<'_>) -> Result<(AccountId, Side), Fault> {
    let account = AccountId(cells.take()?);
    let uncleared: bool = cells.take()?;
    let side = match uncleared {
        true => Side::Uncleared,
        false => Side::Spendable,
    };
    Ok((account, side))
}

/// What the house added to a top-up.
pub(crate) fn top_up_bonus(conn: &dyn Connection, reference: i64) -> Result<Option<Entry>, Fault> {
    let sql = "SELECT t.id, t.account_id, c.uncleared, c.amount FROM topup_credit c \
               JOIN topup t ON t.id = c.topup_id WHERE c.topup_id = ?1 AND c.kind = 'bonus'";
    one(conn, sql, params![reference], |row| {
        let cells = &mut Cells::new("topup_credit", row);
        let (id, owner) = (cells.take()?, owner(cells)?);
        Ok(Entry::top_up_bonus(owner, id, cells.usd()?))
    })
}

/// Money of a top-up that could be spent from then on.
pub(crate) fn top_up_cleared(
    conn: &dyn Connection,
    reference: i64,
) -> Result<Option<Entry>, Fault> {
    let sql = "SELECT t.id, t.account_id, c.amount, c.debt FROM topup_clearing c \
               JOIN topup t ON t.id = c.topup_id WHERE c.topup_id = ?1";
    one(conn, sql, params![reference], |row| {
        let cells = &mut Cells::new("topup_clearing", row);
        let (id, account) = (cells.take()?, AccountId(cells.take()?));
        let amounts = (cells.usd()?, cells.usd()?);
        Ok(Entry::top_up_cleared(account, id, amounts))
    })
}

/// Money of a top-up that went back or came again.
pub(crate) fn top_up_reversal(
    conn: &dyn Connection,
    reference: i64,
    seq: i64,
) -> Result<Option<Entry>, Fault> {
    let sql = "SELECT t.id, r.seq, t.account_id, t.processor, r.amount, r.fee, r.bonus, r.debt, \
               r.uncleared FROM topup_reversal r JOIN topup t ON t.id = r.topup_id \
               WHERE r.topup_id = ?1 AND r.seq = ?2";
    one(conn, sql, params![reference, seq], |row| {
        let cells = &mut Cells::new("topup_reversal", row);
        let cause = (cells.take()?, cells.take()?);
        let account = AccountId(cells.take()?);
        let processor = cells.word(Processor::from_slug)?;
        let parts = Parts {
            amount: cells.usd()?,
            fee: cells.usd()?,
            bonus: cells.usd()?,
        };
        Ok(Entry::top_up_reversal(
            account,
            cause,
            processor,
            parts,
            (cells.usd()?, cells.usd()?),
        ))
    })
}

/// A fee that a processor kept, or money that it paid out.
pub(crate) fn processor_movement(
    conn: &dyn Connection,
    reference: i64,
) -> Result<Option<Entry>, Fault> {
    let found = movements::of_row(conn, reference)?;
    Ok(found.map(|movement| movement.entry()))
}

/// A difference that a reading showed.
pub(crate) fn balance(conn: &dyn Connection, reference: i64) -> Result<Option<Entry>, Fault> {
    let sql = "SELECT id, upstream, booked, booked_as FROM balance_reading \
               WHERE id = ?1 AND booked <> 0";
    one(conn, sql, params![reference], |row| {
        let cells = &mut Cells::new("balance_reading", row);
        let (id, upstream) = (cells.take()?, cells.take::<String>()?);
        let (booked, booked_as) = (cells.usd()?, cells.word(BookedAs::from_slug)?);
        Ok(Entry::balance(id, &upstream, booked, booked_as))
    })
}

/// What an upstream took for an order. An activation is booked once, at its end, by what its row
/// says; an SMM order is corrected as long as it is watched, so its row tells no single booking.
pub(crate) fn upstream_cost(
    conn: &dyn Connection,
    reference: i64,
    seq: i64,
) -> Result<Derived, Fault> {
    let sql = "SELECT id, state, upstream, cost_quote, COALESCE(cost, cost_quote) FROM activation \
               WHERE id = ?1";
    let booked = one(conn, sql, params![reference], |row| {
        let cells = &mut Cells::new("activation", row);
        let (order, state) = (OrderId(cells.take()?), cells.take::<String>()?);
        let upstream: String = cells.take()?;
        let (quoted, taken) = (cells.usd()?, cells.usd()?);
        Ok(match ActivationState::from_slug(&state) {
            Some(ActivationState::Received) if seq == 0 => {
                Derived::Entry(Entry::upstream_cost(order, seq, &upstream, quoted, taken))
            }
            Some(ActivationState::Cancelled) if seq == 0 => {
                Derived::Entry(Entry::upstream_loss(order, seq, &upstream, taken))
            }
            _ => Derived::Missing,
        })
    })?;
    if let Some(derived) = booked {
        return Ok(derived);
    }
    let sold = exists(
        conn,
        "SELECT 1 FROM smm_order WHERE id = ?1",
        params![reference],
    )?;
    Ok(if sold {
        Derived::NotNeeded
    } else {
        Derived::Missing
    })
}
