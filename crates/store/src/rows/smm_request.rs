//! Cancels and refills that clients asked for: rows, writes and questions.

use crate::sql::{Connection, Row, params};
use domain::change::Refused;
use domain::ids::{AccountId, OrderId};
use domain::ports::AtPanels;
use domain::smm_request::{RequestKind, RequestState, SmmRequest};
use domain::time::Timestamp;

use super::smm_order::claimed_at;
use crate::sql::cells::{Cells, exists, many, one};
use crate::sql::fault::Fault;

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT id, order_id, account_id, version, kind, state, upstream, upstream_order, \
             upstream_id, created_at, due_at, tries FROM smm_request",
            $rest
        )
    };
}

/// A new row.
pub(crate) fn insert(conn: &dyn Connection, r: &SmmRequest) -> Result<(), Fault> {
    let sql = "INSERT INTO smm_request (id, order_id, account_id, version, kind, state, upstream, \
               upstream_order, upstream_id, created_at, due_at, tries) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    conn.write(
        sql,
        params![
            r.id,
            r.order.0,
            r.account.0,
            r.version,
            r.kind.slug(),
            r.state.slug(),
            r.upstream,
            r.upstream_order,
            r.upstream_id,
            r.created_at.0,
            r.due_at.map(|at| at.0),
            r.tries,
        ],
    )
}

/// What may change. Guard: the version that was read.
pub(crate) fn update(conn: &dyn Connection, r: &SmmRequest) -> Result<(), Fault> {
    let sql = "UPDATE smm_request SET version = version + 1, state = ?3, upstream_id = ?4, \
               due_at = ?5, claimed_until = NULL, tries = ?6 WHERE id = ?1 AND version = ?2";
    conn.write_one(
        sql,
        params![
            r.id,
            r.version,
            r.state.slug(),
            r.upstream_id,
            r.due_at.map(|at| at.0),
            r.tries,
        ],
        Refused::Stale,
    )
}

/// Whether the row still has this version.
pub(crate) fn is_current(conn: &dyn Connection, r: &SmmRequest) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM smm_request WHERE id = ?1 AND version = ?2";
    exists(conn, sql, params![r.id, r.version])
}

/// Whether a request of this kind is open for the order.
pub(crate) fn is_open(
    conn: &dyn Connection,
    order: OrderId,
    kind: RequestKind,
) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM smm_request WHERE order_id = ?1 AND kind = ?2 \
               AND state NOT IN ('done', 'refused')";
    exists(conn, sql, params![order.0, kind.slug()])
}

/// One request.
pub(crate) fn by_id(conn: &dyn Connection, id: i64) -> Result<Option<SmmRequest>, Fault> {
    one(conn, select!(" WHERE id = ?1"), params![id], read)
}

/// All of an order, newest first.
pub(crate) fn of_order(conn: &dyn Connection, order: OrderId) -> Result<Vec<SmmRequest>, Fault> {
    let sql = select!(" WHERE order_id = ?1 ORDER BY id DESC");
    many(conn, sql, params![order.0], read)
}

/// Due ones, the longest due first.
pub(crate) fn due(
    conn: &dyn Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<SmmRequest>, Fault> {
    let sql = select!(" WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2");
    many(conn, sql, params![now.0, limit], read)
}

/// The same at some panels, claimed for this node.
pub(crate) fn claimed_due(
    conn: &dyn Connection,
    at: &AtPanels,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<SmmRequest>, Fault> {
    claimed_at(conn, select!(""), at, (now, limit), read)
}

fn read(row: &Row<'_>) -> Result<SmmRequest, Fault> {
    let cells = &mut Cells::new("smm_request", row);
    Ok(SmmRequest {
        id: cells.take()?,
        order: OrderId(cells.take()?),
        account: AccountId(cells.take()?),
        version: cells.take()?,
        kind: cells.word(RequestKind::from_slug)?,
        state: cells.word(RequestState::from_slug)?,
        upstream: cells.take()?,
        upstream_order: cells.take()?,
        upstream_id: cells.take()?,
        created_at: cells.time()?,
        due_at: cells.maybe_time()?,
        tries: cells.take()?,
    })
}
