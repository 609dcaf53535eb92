//! Reads that only pages need: bounded, and by index.

use crate::sql::{Arg, Connection, params};
use domain::ids::{AccountId, OrderId};
use domain::ports::{Movement, OpenHold, OrderMoney, PageRows, Read, Spent, StoredMessage};
use domain::smm_order::Observation;
use domain::upstream::{Progress, Sms};
use domain::usd::Usd;

use super::{spending, statement};
use crate::database::Database;
use crate::sql::cells::{Cells, many, one};
use crate::sql::fault::Fault;
use crate::vault::Messages;

fn order_money(conn: &dyn Connection, order: OrderId) -> Result<Option<OrderMoney>, Fault> {
    let sql = "SELECT h.amount, b.created_at, r.posted, r.released, r.reason, r.at FROM held h \
               JOIN hold b ON b.order_id = h.order_id \
               LEFT JOIN resolution r ON r.order_id = h.order_id WHERE h.order_id = ?1";
    let found = one(conn, sql, params![order.0], |row| {
        let cells = &mut Cells::new("hold", row);
        let (held, held_at) = (cells.usd()?, cells.time()?);
        let (posted, released) = (cells.maybe_usd()?, cells.maybe_usd()?);
        let (reason, at): (Option<String>, _) = (cells.take()?, cells.maybe_time()?);
        let resolution = match (posted, released, reason, at) {
            (Some(posted), Some(released), Some(reason), Some(at)) => {
                Some((posted, released, reason, at))
            }
            _ => None,
        };
        Ok(OrderMoney {
            held,
            held_at,
            resolution,
            adjustments: Vec::new(),
        })
    })?;
    let Some(money) = found else {
        return Ok(None);
    };
    let sql = "SELECT amount, at FROM adjustment WHERE order_id = ?1 ORDER BY seq";
    let adjustments = many(conn, sql, params![order.0], |row| {
        let cells = &mut Cells::new("adjustment", row);
        Ok((cells.usd()?, cells.time()?))
    })?;
    Ok(Some(OrderMoney {
        adjustments,
        ..money
    }))
}

fn messages(conn: &dyn Connection, order: OrderId) -> Result<Vec<StoredMessage>, Fault> {
    let sql = "SELECT code, code_text, received_at FROM message WHERE order_id = ?1 ORDER BY seq";
    many(conn, sql, params![order.0], |row| {
        let cells = &mut Cells::new("message", row);
        let sms = Sms {
            code: cells.take()?,
            text: cells.take()?,
        };
        Ok((sms, cells.time()?))
    })
}

fn observations(
    conn: &dyn Connection,
    order: OrderId,
    limit: u32,
) -> Result<Vec<Observation>, Fault> {
    let sql = "SELECT order_id, seq, raw_status, progress, remains, start_count, charge, at \
               FROM observation WHERE order_id = ?1 ORDER BY seq DESC LIMIT ?2";
    many(conn, sql, params![order.0, limit], |row| {
        let cells = &mut Cells::new("observation", row);
        Ok(Observation {
            order: OrderId(cells.take()?),
            seq: cells.take()?,
            raw_status: cells.take()?,
            progress: cells.maybe_word(Progress::from_word)?,
            remains: cells.take()?,
            start_count: cells.take()?,
            charge: cells.take::<Option<i64>>()?.map(Usd),
            at: cells.time()?,
        })
    })
}

fn ids(conn: &dyn Connection, sql: &str, args: &[Arg<'_>]) -> Result<Vec<OrderId>, Fault> {
    many(conn, sql, args, |row| {
        Cells::new("order", row).take().map(OrderId)
    })
}

pub(super) fn activations_on(
    conn: &dyn Connection,
    account: AccountId,
    phone: &str,
    limit: u32,
) -> Result<Vec<OrderId>, Fault> {
    let sql = "SELECT id FROM activation WHERE phone = ?1 AND account_id = ?2 \
               AND disclosed_at IS NOT NULL ORDER BY id DESC LIMIT ?3";
    ids(conn, sql, params![phone, account.0, limit])
}

/// The same for a number that is kept as its hash by now: older ones.
fn activations_once_on(
    conn: &dyn Connection,
    account: AccountId,
    hash: &str,
    limit: u32,
) -> Result<Vec<OrderId>, Fault> {
    // the sum keeps both engines from walking through all orders of the account instead
    let sql = "SELECT id FROM activation WHERE phone_hash = ?1 AND account_id + 0 = ?2 \
               AND disclosed_at IS NOT NULL ORDER BY id DESC LIMIT ?3";
    ids(conn, sql, params![hash, account.0, limit])
}

pub(super) fn smm_orders_for(
    conn: &dyn Connection,
    account: AccountId,
    target: &str,
    limit: u32,
) -> Result<Vec<OrderId>, Fault> {
    let sql = "SELECT id FROM smm_order WHERE account_id = ?1 AND target = ?2 \
               AND told <> 'failed' ORDER BY id DESC LIMIT ?3";
    ids(conn, sql, params![account.0, target, limit])
}

impl PageRows for Database {
    fn order_money(&self, order: OrderId) -> Read<'_, Option<OrderMoney>> {
        self.ask(move |conn| order_money(conn, order))
    }

    fn messages(&self, order: OrderId) -> Read<'_, Vec<StoredMessage>> {
        let found =
            self.unsealed(self.ask(move |conn| Ok(Messages(order, messages(conn, order)?))));
        Box::pin(async move { Ok(found.await?.1) })
    }

    fn statement(
        &self,
        account: AccountId,
        from: Option<i64>,
        limit: u32,
    ) -> Read<'_, Vec<Movement>> {
        self.ask(move |conn| statement::movements(conn, account, from, limit))
    }

    fn open_holds(&self, account: AccountId, limit: u32) -> Read<'_, Vec<OpenHold>> {
        self.ask(move |conn| statement::open_holds(conn, account, limit))
    }

    fn spent(&self, account: AccountId, days: (i64, i64)) -> Read<'_, Vec<Spent>> {
        self.ask(move |conn| spending::spent(conn, account, days))
    }

    fn observations(&self, order: OrderId, limit: u32) -> Read<'_, Vec<Observation>> {
        self.ask(move |conn| observations(conn, order, limit))
    }

    fn activations_on<'a>(
        &'a self,
        account: AccountId,
        phone: &'a str,
        limit: u32,
    ) -> Read<'a, Vec<OrderId>> {
        let (phone, hash) = (phone.to_owned(), self.hash_of(phone));
        self.ask(move |conn| {
            let mut found = activations_on(conn, account, &phone, limit)?;
            found.extend(activations_once_on(conn, account, &hash, limit)?);
            found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            Ok(found)
        })
    }

    fn smm_orders_for<'a>(
        &'a self,
        account: AccountId,
        target: &'a str,
        limit: u32,
    ) -> Read<'a, Vec<OrderId>> {
        let target = target.to_owned();
        self.ask(move |conn| smm_orders_for(conn, account, &target, limit))
    }
}
