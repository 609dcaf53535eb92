//! Purchase calls, the links they earned, messages, and orphans: what passed between the house and
//! its upstreams.

use crate::sql::{Connection, Due, Row, params};
use domain::attempt::{Attempt, AttemptEnd, AttemptState};
use domain::change::Refused;
use domain::ids::OrderId;
use domain::orphan::{Orphan, OrphanState};
use domain::time::Timestamp;
use domain::upstream::Sms;

use crate::sql::cells::{Cells, claimed, exists, many, one};
use crate::sql::fault::Fault;

const ORPHAN: &str = "SELECT id, version, upstream, upstream_id, state, cost, found_at, due_at, tries, \
                      cancel_answered FROM orphan";

/// A call is about to leave.
pub(crate) fn begin(conn: &dyn Connection, attempt: &Attempt) -> Result<(), Fault> {
    let sql = "INSERT INTO attempt (order_id, seq, upstream, state, sent_at, ended_at, evidence, \
               raw, request_digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    conn.write(
        sql,
        params![
            attempt.order.0,
            attempt.seq,
            attempt.upstream,
            attempt.state.slug(),
            attempt.sent_at.0,
            attempt.ended_at.map(|at| at.0),
            attempt.evidence,
            attempt.raw,
            attempt.request_digest,
        ],
    )?;
    let sql = "INSERT INTO first_attempt (upstream, at) VALUES (?1, ?2) \
               ON CONFLICT (upstream) DO UPDATE SET at = excluded.at WHERE excluded.at < first_attempt.at";
    conn.write(sql, params![attempt.upstream, attempt.sent_at.0])
}

/// A call's outcome. Guard: it is there. An attempt in doubt has not ended.
pub(crate) fn end(conn: &dyn Connection, end: &AttemptEnd, at: Timestamp) -> Result<(), Fault> {
    let sql = "UPDATE attempt SET state = ?3, evidence = ?4, raw = COALESCE(?5, raw), \
               ended_at = ?6 WHERE order_id = ?1 AND seq = ?2";
    let ended_at = (end.state != AttemptState::InDoubt).then_some(at.0);
    conn.write_one(
        sql,
        params![
            end.order.0,
            end.seq,
            end.state.slug(),
            end.evidence,
            end.raw,
            ended_at,
        ],
        Refused::Stale,
    )
}

fn read_attempt(row: &Row<'_>) -> Result<Attempt, Fault> {
    let cells = &mut Cells::new("attempt", row);
    Ok(Attempt {
        order: OrderId(cells.take()?),
        seq: cells.take()?,
        upstream: cells.take()?,
        state: cells.word(AttemptState::from_slug)?,
        sent_at: cells.time()?,
        ended_at: cells.maybe_time()?,
        evidence: cells.take()?,
        raw: cells.take()?,
        request_digest: cells.take()?,
    })
}

/// All attempts of an order, first one first.
pub(crate) fn of_order(conn: &dyn Connection, order: OrderId) -> Result<Vec<Attempt>, Fault> {
    let sql = "SELECT order_id, seq, upstream, state, sent_at, ended_at, evidence, raw, \
               request_digest FROM attempt WHERE order_id = ?1 ORDER BY seq";
    many(conn, sql, params![order.0], read_attempt)
}

/// The order that an upstream id is linked to.
pub(crate) fn linked_order(
    conn: &dyn Connection,
    upstream: &str,
    id: &str,
) -> Result<Option<OrderId>, Fault> {
    let sql = "SELECT order_id FROM upstream_link WHERE upstream = ?1 AND upstream_id = ?2 \
               AND order_id IS NOT NULL";
    one(conn, sql, params![upstream, id], |row| {
        Cells::new("upstream_link", row).take().map(OrderId)
    })
}

/// When the first call to an upstream left.
pub(crate) fn first_at(conn: &dyn Connection, upstream: &str) -> Result<Option<Timestamp>, Fault> {
    let sql = "SELECT at FROM first_attempt WHERE upstream = ?1";
    one(conn, sql, params![upstream], |row| {
        Cells::new("first_attempt", row).time()
    })
}

/// When all that an upstream listed was last known to belong to somebody.
pub(crate) fn list_known_at(
    conn: &dyn Connection,
    upstream: &str,
) -> Result<Option<Timestamp>, Fault> {
    let sql = "SELECT list_known_at FROM first_attempt WHERE upstream = ?1 \
               AND list_known_at IS NOT NULL";
    one(conn, sql, params![upstream], |row| {
        Cells::new("first_attempt", row).time()
    })
}

/// All that an upstream listed belonged to somebody.
pub(crate) fn know_list(
    conn: &dyn Connection,
    upstream: &str,
    asked_at: Timestamp,
) -> Result<(), Fault> {
    let sql = "UPDATE first_attempt SET list_known_at = ?2 WHERE upstream = ?1";
    conn.write(sql, params![upstream, asked_at.0])
}

/// An upstream id belongs to an order, or to nobody, for ever.
pub(crate) fn link(
    conn: &dyn Connection,
    upstream: &str,
    upstream_id: &str,
    order: Option<OrderId>,
) -> Result<(), Fault> {
    let sql = "INSERT INTO upstream_link (upstream, upstream_id, order_id) VALUES (?1, ?2, ?3)";
    let order = order.map(|order| order.0);
    conn.write(sql, params![upstream, upstream_id, order])
}

/// Whether an upstream id belongs to something.
pub(crate) fn is_linked(
    conn: &dyn Connection,
    upstream: &str,
    upstream_id: &str,
) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM upstream_link WHERE upstream = ?1 AND upstream_id = ?2";
    exists(conn, sql, params![upstream, upstream_id])
}

/// Of these ids, the linked ones.
pub(crate) fn linked(
    conn: &dyn Connection,
    upstream: &str,
    ids: &[String],
) -> Result<Vec<String>, Fault> {
    let mut found = Vec::new();
    for id in ids {
        if is_linked(conn, upstream, id)? {
            found.push(id.clone());
        }
    }
    Ok(found)
}

/// A message, appended.
pub(crate) fn message(
    conn: &dyn Connection,
    order: OrderId,
    seq: i64,
    sms: &Sms,
    received_at: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO message (order_id, seq, code, code_text, received_at) \
               VALUES (?1, ?2, ?3, ?4, ?5)";
    conn.write(
        sql,
        params![order.0, seq, sms.code, sms.text, received_at.0],
    )
}

/// A new orphan.
pub(crate) fn insert_orphan(conn: &dyn Connection, orphan: &Orphan) -> Result<(), Fault> {
    let sql = "INSERT INTO orphan (id, version, upstream, upstream_id, state, cost, found_at, \
               due_at, tries, cancel_answered) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    conn.write(
        sql,
        params![
            orphan.id,
            orphan.version,
            orphan.upstream,
            orphan.upstream_id,
            orphan.state.slug(),
            orphan.cost.0,
            orphan.found_at.0,
            orphan.due_at.map(|at| at.0),
            orphan.tries,
            orphan.cancel_answered,
        ],
    )
}

/// What may change of an orphan. Guard: the version that was read.
pub(crate) fn update_orphan(conn: &dyn Connection, orphan: &Orphan) -> Result<(), Fault> {
    let sql = "UPDATE orphan SET version = version + 1, state = ?3, due_at = ?4, claimed_until = NULL, tries = ?5, \
               cancel_answered = ?6 WHERE id = ?1 AND version = ?2";
    conn.write_one(
        sql,
        params![
            orphan.id,
            orphan.version,
            orphan.state.slug(),
            orphan.due_at.map(|at| at.0),
            orphan.tries,
            orphan.cancel_answered,
        ],
        Refused::Stale,
    )
}

/// Whether an orphan's row still has this version.
pub(crate) fn is_current_orphan(conn: &dyn Connection, orphan: &Orphan) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM orphan WHERE id = ?1 AND version = ?2";
    exists(conn, sql, params![orphan.id, orphan.version])
}

fn read_orphan(row: &Row<'_>) -> Result<Orphan, Fault> {
    let cells = &mut Cells::new("orphan", row);
    Ok(Orphan {
        id: cells.take()?,
        version: cells.take()?,
        upstream: cells.take()?,
        upstream_id: cells.take()?,
        state: cells.word(OrphanState::from_slug)?,
        cost: cells.usd()?,
        found_at: cells.time()?,
        due_at: cells.maybe_time()?,
        tries: cells.take()?,
        cancel_answered: cells.take()?,
    })
}

/// Due orphans, the longest due first.
pub(crate) fn orphans_due(
    conn: &dyn Connection,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Orphan>, Fault> {
    let sql = format!("{ORPHAN} WHERE due_at <= ?1 ORDER BY due_at LIMIT ?2");
    many(conn, &sql, params![now.0, limit], read_orphan)
}

/// The same at an upstream, claimed for this node.
pub(crate) fn orphans_claimed(
    conn: &dyn Connection,
    upstream: &str,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Orphan>, Fault> {
    let due = Due {
        select_from: ORPHAN,
        also: "AND upstream = ?2",
        limit,
    };
    claimed(conn, due, params![now.0, upstream], read_orphan)
}
