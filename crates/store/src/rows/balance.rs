//! Readings of upstream balances, what the books say beside them, and tickets.

use crate::sql::{Connection, Row, params};
use domain::balance::{BalanceReading, BookedAs, LATE, Position, Suspects};
use domain::books::HouseLeg;
use domain::change::Refused;
use domain::ids::OrderId;
use domain::ticket::{Ticket, TicketKind};
use domain::time::Timestamp;
use domain::usd::Usd;

use crate::audit::book;
use crate::sql::cells::{Cells, exists, many, one};
use crate::sql::fault::Fault;
use crate::sql::snapshot;

/// A reading, appended. The unique number stops the second of two that read at once.
pub(crate) fn insert_reading(conn: &dyn Connection, one: &BalanceReading) -> Result<(), Fault> {
    let sql = "INSERT INTO balance_reading (id, upstream, seq, at, balance, journal_id, prepaid, \
               least, most, booked, booked_as, clean_at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    conn.write(
        sql,
        params![
            one.id,
            one.upstream,
            one.seq,
            one.at.0,
            one.balance.0,
            one.journal_id,
            one.prepaid.0,
            one.least.0,
            one.most.0,
            one.booked.0,
            one.booked_as.map(BookedAs::slug),
            one.clean_at.0,
        ],
    )
}

/// Whether this number is the next one of its upstream.
pub(crate) fn is_next(conn: &dyn Connection, one: &BalanceReading) -> Result<bool, Fault> {
    Ok(last_seq(conn, &one.upstream)? + 1 == one.seq)
}

fn last_seq(conn: &dyn Connection, upstream: &str) -> Result<i64, Fault> {
    let sql = "SELECT COALESCE(MAX(seq), 0) FROM balance_reading WHERE upstream = ?1";
    let found = one(conn, sql, params![upstream], |row| {
        Cells::new("balance_reading", row).take()
    })?;
    Ok(found.unwrap_or(0))
}

fn last(conn: &dyn Connection, upstream: &str) -> Result<Option<BalanceReading>, Fault> {
    let sql = "SELECT id, upstream, seq, at, balance, journal_id, prepaid, least, most, booked, \
               booked_as, clean_at FROM balance_reading WHERE upstream = ?1 \
               ORDER BY seq DESC LIMIT 1";
    one(conn, sql, params![upstream], |row| {
        let cells = &mut Cells::new("balance_reading", row);
        Ok(BalanceReading {
            id: cells.take()?,
            upstream: cells.take()?,
            seq: cells.take()?,
            at: cells.time()?,
            balance: cells.usd()?,
            journal_id: cells.take()?,
            prepaid: cells.usd()?,
            least: cells.usd()?,
            most: cells.usd()?,
            booked: cells.usd()?,
            booked_as: cells.maybe_word(BookedAs::from_slug)?,
            clean_at: cells.time()?,
        })
    })
}

/// What the books say. Only what followed the newest reading is summed anew.
pub(crate) fn position(conn: &dyn Connection, upstream: &str) -> Result<Position, Fault> {
    snapshot(conn, |conn| position_now(conn, upstream))
}

fn position_now(conn: &dyn Connection, upstream: &str) -> Result<Position, Fault> {
    let last = last(conn, upstream)?;
    let since = last.as_ref().map_or(0, |one| one.journal_id);
    let (journal_id, moved) = moved_since(conn, upstream, since)?;
    let before = last.as_ref().map_or(0, |one| one.prepaid.0);
    let numbers = sums(
        conn,
        "SELECT COALESCE(SUM(CASE WHEN state = 'active' THEN COALESCE(cost, cost_quote) END), 0), \
         COALESCE(SUM(CASE WHEN state IN ('calling', 'in_doubt', 'undo', 'cancel_requested') \
           THEN COALESCE(cost, cost_quote) END), 0) \
         FROM activation WHERE due_at IS NOT NULL AND upstream = ?1",
        upstream,
    )?;
    let orders = sums(
        conn,
        "SELECT COALESCE(SUM(CASE WHEN state = 'active' AND candidate_since IS NULL \
           THEN COALESCE(charge, cost_quote) END), 0), \
         COALESCE(SUM(CASE WHEN state IN ('calling', 'in_doubt', 'undo', 'review') \
             OR (state = 'active' AND candidate_since IS NOT NULL) \
           THEN CASE WHEN charge > cost_quote THEN charge ELSE cost_quote END END), 0) \
         FROM smm_order WHERE due_at IS NOT NULL AND upstream = ?1",
        upstream,
    )?;
    let orphans = sums(
        conn,
        "SELECT COALESCE(SUM(cost), 0), 0 FROM orphan WHERE due_at IS NOT NULL \
         AND state = 'open' AND upstream = ?1",
        upstream,
    )?;
    Ok(Position {
        last,
        journal_id,
        prepaid: Usd(before + moved),
        in_flight: Usd(numbers.0 + orders.0),
        in_doubt: Usd(numbers.1 + orders.1),
        in_orphans: Usd(orphans.0),
    })
}

/// The newest event, and the sum of the prepaid legs after `since`.
fn moved_since(conn: &dyn Connection, upstream: &str, since: i64) -> Result<(i64, i64), Fault> {
    let sql = "SELECT (SELECT COALESCE(MAX(id), 0) FROM journal), COALESCE(SUM(amount), 0) \
               FROM entry WHERE journal_id > ?2 AND book = 'prepaid' AND upstream = ?1";
    let found = one(conn, sql, params![upstream, since], |row| {
        let cells = &mut Cells::new("entry", row);
        Ok((cells.take()?, cells.take()?))
    })?;
    Ok(found.unwrap_or((0, 0)))
}

fn sums(conn: &dyn Connection, sql: &str, upstream: &str) -> Result<(i64, i64), Fault> {
    let found = one(conn, sql, params![upstream], |row| {
        let cells = &mut Cells::new("sums", row);
        Ok((cells.take()?, cells.take()?))
    })?;
    Ok(found.unwrap_or((0, 0)))
}

/// What may stand behind a difference. Read only when there is one.
pub(crate) fn suspects(
    conn: &dyn Connection,
    upstream: &str,
    since: Timestamp,
) -> Result<Suspects, Fault> {
    snapshot(conn, |conn| suspects_now(conn, upstream, since))
}

fn suspects_now(
    conn: &dyn Connection,
    upstream: &str,
    since: Timestamp,
) -> Result<Suspects, Fault> {
    let sql = "SELECT COALESCE(SUM(cost), 0) FROM ( \
               SELECT COALESCE(o.cost, o.cost_quote) AS cost FROM activation o \
                 JOIN resolution r ON r.order_id = o.id WHERE o.upstream = ?1 \
                 AND (r.at > ?2 OR o.late_code_at > ?2) AND o.state = 'cancelled' AND o.upstream_id IS NOT NULL \
               UNION ALL \
               SELECT o.cost_quote FROM smm_order o JOIN resolution r ON r.order_id = o.id \
                 WHERE o.upstream = ?1 AND r.at > ?2 AND r.released > 0 \
                 AND o.upstream_id IS NOT NULL \
               UNION ALL \
               SELECT p.cost FROM orphan p JOIN journal j ON j.kind = 'orphan_end' \
                 AND j.reference = p.id WHERE p.upstream = ?1 AND j.at > ?2 \
                 AND p.state = 'returned') gone";
    let released = one(conn, sql, params![upstream, since.0], |row| {
        Cells::new("resolution", row).usd()
    })?;
    let sql = "SELECT COALESCE(a.cost_quote, s.cost_quote) FROM attempt t \
               LEFT JOIN activation a ON a.id = t.order_id \
               LEFT JOIN smm_order s ON s.id = t.order_id \
               WHERE t.upstream = ?1 AND t.state IN ('late_possible', 'absent') \
               AND t.ended_at > ?2";
    let from = since - LATE;
    let given_up = many(conn, sql, params![upstream, from.0], |row| {
        Cells::new("attempt", row).usd()
    })?;
    let kept = tickets_of_missing_money(conn, upstream)?;
    // one that is complete has nothing left to be charged for
    let sql = "SELECT COALESCE(SUM(CASE WHEN cost_quote > COALESCE(charge, 0) \
               THEN cost_quote - COALESCE(charge, 0) END), 0) FROM smm_order \
               WHERE due_at IS NOT NULL AND upstream = ?1 \
               AND state IN ('resolved', 'failed') AND progress <> 'Completed'";
    let retakable = one(conn, sql, params![upstream], |row| {
        Cells::new("smm_order", row).usd()
    })?;
    let sql = "SELECT 1 FROM balance_reading WHERE upstream = ?1 AND at > ?2 AND booked <> 0";
    Ok(Suspects {
        released: released.unwrap_or(Usd::ZERO),
        given_up,
        kept,
        retakable: retakable.unwrap_or(Usd::ZERO),
        booked: exists(conn, sql, params![upstream, since.0])?,
    })
}

/// When the newest reading before `at` was made, if it left no difference.
pub(crate) fn settled_before(
    conn: &dyn Connection,
    upstream: &str,
    at: Timestamp,
) -> Result<Option<Timestamp>, Fault> {
    let sql = "SELECT at, clean_at FROM balance_reading WHERE upstream = ?1 AND at < ?2 \
               ORDER BY seq DESC LIMIT 1";
    let last = one(conn, sql, params![upstream, at.0], |row| {
        let cells = &mut Cells::new("balance_reading", row);
        Ok((cells.time()?, cells.time()?))
    })?;
    Ok(last.and_then(|(at, clean_at)| (at == clean_at).then_some(at)))
}

const TICKET: &str = "SELECT id, kind, upstream, reference, amount, detail, opened_at, closed_at, \
                      note FROM ticket";

fn read_ticket(row: &Row<'_>) -> Result<Ticket, Fault> {
    let cells = &mut Cells::new("ticket", row);
    Ok(Ticket {
        id: cells.take()?,
        kind: cells.word(TicketKind::from_slug)?,
        upstream: cells.take()?,
        reference: cells.take()?,
        amount: cells.usd()?,
        detail: cells.take()?,
        opened_at: cells.time()?,
        closed_at: cells.maybe_time()?,
        note: cells.take()?,
    })
}

fn tickets_of_missing_money(conn: &dyn Connection, upstream: &str) -> Result<Vec<Ticket>, Fault> {
    let sql = format!("{TICKET} WHERE upstream = ?1 AND closed_at IS NULL ORDER BY id");
    let mut open = many(conn, &sql, params![upstream], read_ticket)?;
    open.retain(|ticket| ticket.kind.is_missing_money());
    Ok(open)
}

/// Tickets, newest first.
pub(crate) fn tickets(conn: &dyn Connection, open: bool, limit: u32) -> Result<Vec<Ticket>, Fault> {
    let sql = if open {
        format!("{TICKET} WHERE closed_at IS NULL ORDER BY id DESC LIMIT ?1")
    } else {
        format!("{TICKET} ORDER BY id DESC LIMIT ?1")
    };
    many(conn, &sql, params![limit], read_ticket)
}

/// Open tickets of a kind, newest first.
pub(crate) fn open_tickets(conn: &dyn Connection, kind: TicketKind) -> Result<Vec<Ticket>, Fault> {
    let sql = format!("{TICKET} WHERE kind = ?1 AND closed_at IS NULL ORDER BY id DESC");
    many(conn, &sql, params![kind.slug()], read_ticket)
}

/// Tickets about an order, newest first.
pub(crate) fn tickets_of(conn: &dyn Connection, order: OrderId) -> Result<Vec<Ticket>, Fault> {
    let kinds = TicketKind::ALL
        .into_iter()
        .filter(|kind| kind.is_of_order());
    let kinds: Vec<_> = kinds.map(|kind| format!("'{}'", kind.slug())).collect();
    let kinds = kinds.join(", ");
    let sql = format!("{TICKET} WHERE kind IN ({kinds}) AND reference = ?1 ORDER BY id DESC");
    many(conn, &sql, params![order.0], read_ticket)
}

/// A new ticket; one about the same stays as it is, comes again, or says what is the matter now:
/// [`Ticket::in_place_of`].
pub(crate) fn open_ticket(conn: &dyn Connection, ticket: &Ticket) -> Result<(), Fault> {
    let sql = "INSERT INTO ticket (id, kind, upstream, reference, amount, detail, opened_at, \
               closed_at, note) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
               ON CONFLICT (kind, reference) DO UPDATE SET amount = excluded.amount, \
               detail = excluded.detail, opened_at = CASE WHEN ticket.closed_at IS NULL \
               THEN ticket.opened_at ELSE excluded.opened_at END, closed_at = NULL, note = NULL \
               WHERE ticket.detail <> excluded.detail \
               AND (ticket.closed_at IS NOT NULL OR ticket.kind = 'top_up_unexplained')";
    conn.write(
        sql,
        params![
            ticket.id,
            ticket.kind.slug(),
            ticket.upstream,
            ticket.reference,
            ticket.amount.0,
            ticket.detail,
            ticket.opened_at.0,
            ticket.closed_at.map(|at| at.0),
            ticket.note,
        ],
    )
}

/// Whether a ticket is open.
pub(crate) fn is_open(conn: &dyn Connection, ticket: i64) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM ticket WHERE id = ?1 AND closed_at IS NULL";
    exists(conn, sql, params![ticket])
}

/// A person has looked. Guard: it is open.
pub(crate) fn close_ticket(
    conn: &dyn Connection,
    ticket: i64,
    note: &str,
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "UPDATE ticket SET closed_at = ?2, note = ?3 WHERE id = ?1 AND closed_at IS NULL";
    conn.write_one(sql, params![ticket, at.0, note], Refused::Stale)
}

/// The newest reading of each upstream, with what the journal says of the prepaid account up to
/// the event it names: upstream, row, told, derived.
pub(crate) fn told_and_derived(
    conn: &dyn Connection,
) -> Result<Vec<(String, i64, Usd, Usd)>, Fault> {
    let sql = "SELECT b.upstream, b.id, b.prepaid, \
               COALESCE((SELECT SUM(e.amount) FROM entry e WHERE e.journal_id <= b.journal_id \
                 AND e.book = 'prepaid' AND e.upstream = b.upstream), 0) \
               FROM balance_reading b WHERE b.seq = \
               (SELECT MAX(x.seq) FROM balance_reading x WHERE x.upstream = b.upstream)";
    many(conn, sql, params![], |row| {
        let cells = &mut Cells::new("balance_reading", row);
        Ok((cells.take()?, cells.take()?, cells.usd()?, cells.usd()?))
    })
}

/// Events that moved money at an upstream, each with its legs. A leg of the house alone is about the
/// upstream of its neighbours.
pub(crate) fn house_events(
    conn: &dyn Connection,
    from: Timestamp,
    until: Timestamp,
) -> Result<Vec<Vec<HouseLeg>>, Fault> {
    let sql = "SELECT j.id, j.at, (SELECT MIN(x.upstream) FROM entry x WHERE x.journal_id = j.id), \
               e.book, e.upstream, e.amount \
               FROM journal j JOIN entry e ON e.journal_id = j.id \
               WHERE j.at >= ?1 AND j.at < ?2 \
               AND j.kind IN ('upstream_cost', 'orphan_cost', 'orphan_end', 'balance') \
               ORDER BY j.id, e.leg";
    let legs = many(conn, sql, params![from.0, until.0], |row| {
        let cells = &mut Cells::new("entry", row);
        let (event, at): (i64, Timestamp) = (cells.take()?, cells.time()?);
        let upstream = cells.take::<Option<String>>()?.unwrap_or_default();
        let word: String = cells.take()?;
        let book = book(&word, None, cells.take()?)
            .ok_or_else(|| Fault::Wrong(format!("corrupt row: table entry, book {word:?}")))?;
        let amount = cells.usd()?;
        Ok((
            event,
            HouseLeg {
                at,
                upstream,
                book,
                amount,
            },
        ))
    })?;
    let mut events: Vec<(i64, Vec<HouseLeg>)> = Vec::new();
    for (event, leg) in legs {
        match events.last_mut() {
            Some((last, legs)) if *last == event => legs.push(leg),
            _ => events.push((event, vec![leg])),
        }
    }
    Ok(events.into_iter().map(|(_, legs)| legs).collect())
}
