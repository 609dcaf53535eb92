//! What a customer's wallet tells: its events, and what is on hold.

use crate::sql::{Connection, params};
use domain::ids::{AccountId, OrderId};
use domain::ports::{Movement, OpenHold};

use crate::sql::cells::{Cells, many};
use crate::sql::fault::Fault;

/// Events from one backwards: each leads to the one before, so a page costs as much as it shows.
pub(crate) fn movements(
    conn: &dyn Connection,
    account: AccountId,
    from: Option<i64>,
    limit: u32,
) -> Result<Vec<Movement>, Fault> {
    let sql = "WITH RECURSIVE walk (id, n) AS ( \
                   SELECT COALESCE(?2, (SELECT last_event FROM wallet WHERE account_id = ?1)), 1 \
                   UNION ALL \
                   SELECT j.previous, n + 1 FROM walk JOIN journal j ON j.id = walk.id \
                   WHERE j.previous IS NOT NULL AND n < ?3) \
               SELECT j.id, j.previous, j.at, j.kind, j.reference, \
                   COALESCE(a.service_name, s.service_name), \
                   SUM(CASE e.book WHEN 'available' THEN e.amount ELSE 0 END), \
                   SUM(CASE WHEN e.book IN ('held', 'uncleared') THEN e.amount ELSE 0 END), \
                   (SELECT available FROM wallet WHERE account_id = ?1) \
               FROM walk JOIN journal j ON j.id = walk.id AND j.account_id = ?1 \
               JOIN entry e ON e.journal_id = j.id AND e.account_id = ?1 \
               LEFT JOIN activation a ON a.id = j.reference \
                   AND j.kind IN ('hold', 'hold_change', 'resolution', 'adjustment') \
               LEFT JOIN smm_order s ON s.id = j.reference \
                   AND j.kind IN ('hold', 'hold_change', 'resolution', 'adjustment') \
               GROUP BY j.id, a.service_name, s.service_name ORDER BY j.id DESC";
    many(conn, sql, params![account.0, from, limit], |row| {
        let cells = &mut Cells::new("journal", row);
        let (event, previous, at) = (cells.take()?, cells.take()?, cells.time()?);
        let (kind, reference) = (cells.take()?, OrderId(cells.take()?));
        let service: Option<String> = cells.take()?;
        Ok(Movement {
            event,
            previous,
            at,
            kind,
            order: service.map(|service| (reference, service)),
            available: cells.usd()?,
            held: cells.usd()?,
            available_now: cells.usd()?,
        })
    })
}

/// Orders of both kinds whose hold is not resolved.
pub(crate) fn open_holds(
    conn: &dyn Connection,
    account: AccountId,
    limit: u32,
) -> Result<Vec<OpenHold>, Fault> {
    let sql = "SELECT o.id, o.service_name, h.amount, o.created_at, o.told <> 'failed' FROM ( \
                   SELECT id, service_name, created_at, told FROM activation \
                   WHERE account_id = ?1 AND state IN \
                       ('calling', 'in_doubt', 'active', 'cancel_requested', 'undo') \
                   UNION ALL \
                   SELECT id, service_name, created_at, told FROM smm_order \
                   WHERE account_id = ?1 AND state IN \
                       ('calling', 'in_doubt', 'active', 'undo', 'review')) o \
               JOIN held h ON h.order_id = o.id \
               WHERE NOT EXISTS (SELECT 1 FROM resolution r WHERE r.order_id = o.id) \
               ORDER BY o.id DESC LIMIT ?2";
    many(conn, sql, params![account.0, limit], |row| {
        let cells = &mut Cells::new("hold", row);
        Ok(OpenHold {
            order: OrderId(cells.take()?),
            service: cells.take()?,
            amount: cells.usd()?,
            at: cells.time()?,
            shown: cells.take()?,
        })
    })
}
