//! The audit's rows of orders: each order with what must stand beside it, the purchase calls, the
//! orphans.

use crate::sql::{Connection, Row, params};
use domain::activation::ActivationState;
use domain::attempt::AttemptState;
use domain::ids::{AccountId, OrderId};
use domain::orphan::OrphanState;
use domain::smm_order::SmmState;
use domain::time::Timestamp;
use domain::upstream::Progress;
use domain::usd::Usd;

use super::audit::each;
use crate::audit::Findings;
use crate::order_audit::{OrderFacts, OtpFacts, State, check_due};
use crate::smm_audit::{AdjustmentFacts, Seen, SmmFacts, Terms};
use crate::sql::cells::{Cells, many};
use crate::sql::fault::Fault;

/// Every order, attempt and orphan.
pub(crate) fn check(
    conn: &dyn Connection,
    now: Timestamp,
    findings: &mut Findings,
) -> Result<(), Fault> {
    activations(conn, now, findings)?;
    smm_orders(conn, now, findings)?;
    adjustments(conn, findings)?;
    orphans(conn, now, findings)?;
    live_attempts(conn, findings)?;
    unknown_attempts(conn, findings)
}

/// The query over one table of orders, with more columns after the common ones.
macro_rules! order_facts {
    ($table:literal, $more:literal, $beside:literal) => {
        concat!(
            "SELECT o.id, o.account_id, o.price, o.state, o.due_at, o.upstream_id, l.order_id, \
             h.account_id, h.amount, r.posted, r.released, o.attempt, t.seq, t.state, ",
            $more,
            " FROM ",
            $table,
            " o LEFT JOIN upstream_link l \
               ON l.upstream = o.upstream AND l.upstream_id = o.upstream_id \
             LEFT JOIN held h ON h.order_id = o.id \
             LEFT JOIN resolution r ON r.order_id = o.id \
             LEFT JOIN attempt t ON t.order_id = o.id \
               AND t.seq = (SELECT MAX(x.seq) FROM attempt x WHERE x.order_id = o.id) ",
            $beside,
            " ORDER BY o.id"
        )
    };
}

const ACTIVATIONS: &str = order_facts!(
    "activation",
    "o.messages, (SELECT COUNT(*) FROM message m WHERE m.order_id = o.id), \
     EXISTS (SELECT 1 FROM journal j WHERE j.kind = 'upstream_cost' AND j.reference = o.id \
       AND j.seq = 0)",
    ""
);

const SMM_ORDERS: &str = order_facts!(
    "smm_order",
    "o.quantity, o.flat, o.cost_quote, o.progress, o.remains, o.returned, o.adjustments, \
     (SELECT COUNT(*) FROM adjustment a WHERE a.order_id = o.id), \
     (SELECT COALESCE(SUM(a.amount), 0) FROM adjustment a WHERE a.order_id = o.id), \
     o.observations, (SELECT COUNT(*) FROM observation s WHERE s.order_id = o.id), \
     (SELECT COALESCE(MAX(s.seq), 0) FROM observation s WHERE s.order_id = o.id), \
     s.seq, s.progress, s.remains, s.charge",
    "LEFT JOIN observation s ON s.order_id = o.id AND s.seq = (SELECT MAX(y.seq) \
       FROM observation y WHERE y.order_id = o.id AND y.at <= o.resolved_at)"
);

const ADJUSTMENTS: &str = "SELECT a.order_id, a.seq, a.observation, o.price, o.quantity, o.flat, \
     o.cost_quote, r.released + (SELECT SUM(b.amount) FROM adjustment b \
       WHERE b.order_id = a.order_id AND b.seq <= a.seq), s.seq, s.progress, s.remains, s.charge, \
     EXISTS (SELECT 1 FROM ticket t WHERE t.kind = 'large_adjustment' \
       AND t.reference = a.order_id) \
     FROM adjustment a JOIN smm_order o ON o.id = a.order_id \
     JOIN resolution r ON r.order_id = a.order_id \
     LEFT JOIN observation s ON s.order_id = a.order_id AND s.seq = a.observation \
     ORDER BY a.order_id, a.seq";

fn activations(
    conn: &dyn Connection,
    now: Timestamp,
    findings: &mut Findings,
) -> Result<(), Fault> {
    each(conn, ACTIVATIONS, |row| {
        let cells = &mut Cells::new("activation", row);
        let state = |word: &str| ActivationState::from_slug(word).map(State::Otp);
        let Some(order) = read_order(cells, state, findings)? else {
            return Ok(());
        };
        order.check(now, findings);
        let facts = OtpFacts {
            messages: cells.count()?,
            message_rows: cells.count()?,
            cost_is_booked: cells.take()?,
        };
        facts.check(&order, findings);
        Ok(())
    })
}

fn smm_orders(conn: &dyn Connection, now: Timestamp, findings: &mut Findings) -> Result<(), Fault> {
    each(conn, SMM_ORDERS, |row| {
        let cells = &mut Cells::new("smm_order", row);
        let state = |word: &str| SmmState::from_slug(word).map(State::Smm);
        let Some(order) = read_order(cells, state, findings)? else {
            return Ok(());
        };
        order.check(now, findings);
        read_outcome(cells, order.price)?.check(&order, findings);
        Ok(())
    })
}

fn adjustments(conn: &dyn Connection, findings: &mut Findings) -> Result<(), Fault> {
    each(conn, ADJUSTMENTS, |row| {
        let cells = &mut Cells::new("adjustment", row);
        let facts = AdjustmentFacts {
            order: OrderId(cells.take()?),
            seq: cells.take()?,
            observation: cells.take()?,
            terms: {
                let price = cells.usd()?;
                read_terms(cells, price)?
            },
            back: cells.usd()?,
            seen: read_seen(cells)?,
            ticketed: cells.take()?,
        };
        facts.check(findings);
        Ok(())
    })
}

fn read_terms(cells: &mut Cells<'_>, price: Usd) -> Result<Terms, Fault> {
    Ok(Terms {
        price,
        quantity: cells.count()?,
        flat: cells.take()?,
        cost_quote: cells.usd()?,
    })
}

/// An observation that may be missing, its number first.
fn read_seen(cells: &mut Cells<'_>) -> Result<Option<Seen>, Fault> {
    let number: Option<i64> = cells.take()?;
    let seen = Seen {
        progress: cells.maybe_word(Progress::from_word)?,
        remains: cells.take()?,
        charge: cells.maybe_usd()?,
    };
    Ok(number.map(|_| seen))
}

/// The common columns; nothing but a finding if no rule knows the order's state.
fn read_order(
    cells: &mut Cells<'_>,
    state: impl Fn(&str) -> Option<State>,
    findings: &mut Findings,
) -> Result<Option<OrderFacts>, Fault> {
    let id = OrderId(cells.take()?);
    let (account, price) = (AccountId(cells.take()?), cells.usd()?);
    let word: String = cells.take()?;
    let Some(state) = state(&word) else {
        let detail = format!("order {id} of account {account} for {price} has state {word:?}");
        findings.add("I-15", detail);
        return Ok(None);
    };
    Ok(Some(OrderFacts {
        id,
        account,
        price,
        state,
        due_at: cells.maybe_time()?,
        upstream_id: cells.take()?,
        linked_to: cells.take::<Option<i64>>()?.map(OrderId),
        hold: cells
            .take::<Option<i64>>()?
            .map(AccountId)
            .zip(cells.maybe_usd()?),
        resolution: cells.maybe_usd()?.zip(cells.maybe_usd()?),
        attempt: cells.take()?,
        latest_attempt: cells
            .take::<Option<i64>>()?
            .zip(cells.take::<Option<String>>()?),
    }))
}

fn read_outcome(cells: &mut Cells<'_>, price: Usd) -> Result<SmmFacts, Fault> {
    Ok(SmmFacts {
        terms: read_terms(cells, price)?,
        progress: cells.word(Progress::from_word)?,
        remains: cells.count()?,
        returned: cells.usd()?,
        adjustments: cells.count()?,
        adjusted: (cells.count()?, cells.usd()?),
        observations: cells.count()?,
        observed: (cells.count()?, cells.count()?),
        rests_on: read_seen(cells)?,
    })
}

fn orphans(conn: &dyn Connection, now: Timestamp, findings: &mut Findings) -> Result<(), Fault> {
    let sql = "SELECT id, state, due_at FROM orphan";
    each(conn, sql, |row| {
        let cells = &mut Cells::new("orphan", row);
        let id: i64 = cells.take()?;
        if cells.word(OrphanState::from_slug)? == OrphanState::Open {
            let due_at = cells.maybe_time()?;
            check_due(due_at, now, || format!("orphan {id}"), findings);
        }
        Ok(())
    })
}

fn live_attempts(conn: &dyn Connection, findings: &mut Findings) -> Result<(), Fault> {
    let sql = "SELECT order_id, COUNT(*) FROM attempt WHERE state IN (?1, ?2) \
               GROUP BY order_id HAVING COUNT(*) > 1";
    let live = [AttemptState::Calling.slug(), AttemptState::InDoubt.slug()];
    let several: Vec<(i64, i64)> = many(conn, sql, params![live[0], live[1]], |row| {
        let cells = &mut Cells::new("attempt", row);
        Ok((cells.take()?, cells.take()?))
    })?;
    for (order, attempts) in several {
        findings.add(
            "I-13",
            format!("order {order} has {attempts} live attempts"),
        );
    }
    Ok(())
}

fn unknown_attempts(conn: &dyn Connection, findings: &mut Findings) -> Result<(), Fault> {
    let words: Vec<_> = AttemptState::ALL
        .iter()
        .map(|state| format!("'{}'", state.slug()))
        .collect();
    let sql = format!(
        "SELECT order_id, seq, state FROM attempt WHERE state NOT IN ({})",
        words.join(", ")
    );
    each(conn, &sql, |row: &Row<'_>| {
        let cells = &mut Cells::new("attempt", row);
        let (order, seq): (i64, i64) = (cells.take()?, cells.take()?);
        let word: String = cells.take()?;
        let detail = format!("attempt {seq} of order {order} has state {word:?}");
        findings.add("I-15", detail);
        Ok(())
    })
}
