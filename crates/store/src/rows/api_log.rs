//! The log of API requests: lines, uses of keys and questions.

use crate::database::Database;
use crate::sql::cells::{Cells, exists, many};
use crate::sql::fault::Fault;
use crate::sql::{Connection, Row, params};
use domain::api_log::{CallLine, Calls, CallsOf, KeyUse, LogWrite};
use domain::ids::{AccountId, KeyId, OrderId};
use domain::ports::{ApiLogRows, Read};
use domain::time::Timestamp;

/// Newest lines that a filter looks through.
const SEARCHED: u32 = 20_000;

/// Lines at most in one answer.
const LIMIT_MAX: u32 = 200;

/// Writes a part of the log; it has no guard.
pub(crate) fn write(conn: &dyn Connection, write: &LogWrite) -> Result<(), Fault> {
    match write {
        LogWrite::Add(calls) => calls.iter().try_for_each(|calls| add(conn, calls)),
        LogWrite::Forget { before, limit } => {
            let sql = "DELETE FROM api_call WHERE id IN (SELECT id FROM api_call \
                       WHERE last_at < ?1 ORDER BY last_at LIMIT ?2)";
            conn.write(sql, params![before.0, limit])
        }
    }
}

fn add(conn: &dyn Connection, calls: &Calls) -> Result<(), Fault> {
    let kind = &calls.kind;
    let (count, duration_us) = (whole(calls.count), whole(calls.duration_us));
    let order = kind.order.map_or(0, |order| order.0);
    let sql = "INSERT INTO api_call (account_id, order_id, minute, key_id, action, status, error, \
                   method, calls, first_at, last_at, duration_us, request_id, service) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
               ON CONFLICT (account_id, order_id, minute, key_id, service, action, status, error) \
               DO UPDATE SET calls = api_call.calls + ?9, method = ?8, last_at = ?11, \
                   duration_us = ?12, request_id = ?13";
    let args = params![
        kind.account.0,
        order,
        kind.minute,
        kind.key.0,
        kind.action,
        kind.status,
        kind.error,
        calls.method,
        count,
        calls.first_at.0,
        calls.last_at.0,
        duration_us,
        calls.request_id,
        kind.service,
    ];
    conn.write(sql, args)?;
    let sql = "INSERT INTO api_key_use (key_id, account_id, requests, last_at) \
               VALUES (?1, ?2, ?3, ?4) ON CONFLICT (key_id) \
               DO UPDATE SET requests = api_key_use.requests + ?3, last_at = ?4";
    let args = params![kind.key.0, kind.account.0, count, calls.last_at.0];
    conn.write(sql, args)
}

fn whole(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

const LINE: &str = "id, key_id, method, service, action, status, error, order_id, calls, first_at, \
                    last_at, duration_us, request_id";

fn line(row: &Row<'_>) -> Result<CallLine, Fault> {
    let cells = &mut Cells::new("api_call", row);
    Ok(CallLine {
        id: cells.take()?,
        key: cells.take().map(KeyId)?,
        method: cells.take()?,
        service: cells.take()?,
        action: cells.take()?,
        status: cells.take()?,
        error: cells.take()?,
        order: Some(cells.take()?).filter(|id| *id > 0).map(OrderId),
        count: cells.count()?,
        first_at: cells.time()?,
        last_at: cells.time()?,
        duration_us: cells.count()?,
        request_id: cells.take()?,
    })
}

/// Of one order by its index; else among the newest lines of the account.
pub(super) fn lines(
    conn: &dyn Connection,
    account: AccountId,
    wanted: &CallsOf,
) -> Result<Vec<CallLine>, Fault> {
    let (at, id) = wanted.before.unwrap_or((Timestamp(i64::MAX), i64::MAX));
    let limit = wanted.limit.min(LIMIT_MAX);
    // an order's lines are found first and sorted then: sorted by the account's index they would be
    // sought among all of its lines
    let term = match wanted.order {
        Some(_) => "id IN (SELECT id FROM api_call WHERE account_id = ?1 AND order_id = ?3)",
        None => "account_id = ?1 AND ?3 = 0",
    };
    let sql = format!(
        "SELECT {LINE} FROM (SELECT {LINE} FROM api_call WHERE {term} \
             AND (last_at < ?4 OR (last_at = ?4 AND id < ?5)) \
             ORDER BY last_at DESC, id DESC LIMIT ?2) newest \
         WHERE (?6 = '' OR action = ?6) AND (?7 = 0 OR key_id = ?7) \
             AND (?8 = 0 OR (error <> '') = (?8 = 2)) AND (?10 = '' OR service = ?10) \
         ORDER BY last_at DESC, id DESC LIMIT ?9"
    );
    let order = wanted.order.map_or(0, |order| order.0);
    let action = wanted.action.as_deref().unwrap_or_default();
    let service = wanted.service.as_deref().unwrap_or_default();
    let key = wanted.key.map_or(0, |key| key.0);
    let failed = wanted.failed.map_or(0, |failed| 1 + i64::from(failed));
    let args = params![
        account.0, SEARCHED, order, at.0, id, action, key, failed, limit, service,
    ];
    many(conn, &sql, args, line)
}

impl ApiLogRows for Database {
    fn api_calls<'a>(&'a self, account: AccountId, wanted: &'a CallsOf) -> Read<'a, Vec<CallLine>> {
        let wanted = wanted.clone();
        self.ask(move |conn| lines(conn, account, &wanted))
    }

    fn key_uses(&self, account: AccountId) -> Read<'_, Vec<KeyUse>> {
        let sql = "SELECT key_id, requests, last_at FROM api_key_use WHERE account_id = ?1";
        self.ask(move |conn| {
            many(conn, sql, params![account.0], |row| {
                let cells = &mut Cells::new("api_key_use", row);
                Ok(KeyUse {
                    key: cells.take().map(KeyId)?,
                    requests: cells.count()?,
                    last_at: cells.time()?,
                })
            })
        })
    }

    fn has_api_calls_before(&self, at: Timestamp) -> Read<'_, bool> {
        let sql = "SELECT 1 FROM api_call WHERE last_at < ?1 LIMIT 1";
        self.ask(move |conn| exists(conn, sql, params![at.0]))
    }
}
