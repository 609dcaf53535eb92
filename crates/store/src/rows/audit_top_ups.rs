//! The audit's rows of top-ups: each with the sums of what moved for it.

use crate::sql::Connection;
use crate::sql::cells::Cells;
use crate::sql::fault::Fault;
use domain::time::Timestamp;
use domain::top_up::{Processor, TopUpState};

use super::audit::each;
use crate::audit::Findings;
use crate::order_audit::check_due;
use crate::top_up_audit::TopUpFacts;

/// Every top-up and every event that is not settled.
pub(crate) fn check(
    conn: &dyn Connection,
    now: Timestamp,
    findings: &mut Findings,
) -> Result<(), Fault> {
    top_ups(conn, now, findings)?;
    events(conn, now, findings)
}

fn top_ups(conn: &dyn Connection, now: Timestamp, findings: &mut Findings) -> Result<(), Fault> {
    let sum = |column: &str| {
        format!(
            "(SELECT CAST(COALESCE(SUM(r.{column}), 0) AS BIGINT) FROM topup_reversal r \
             WHERE r.topup_id = t.id)"
        )
    };
    let sql = format!(
        "SELECT t.id, t.processor, t.state, t.amount, t.bonus, t.credited, t.payment_ref, \
         t.reversed, t.reversed_fee, t.reversed_bonus, t.reversals, t.due_at, c.amount, \
         c.payment_id, \
         (SELECT b.amount FROM topup_credit b WHERE b.topup_id = t.id AND b.kind = 'bonus'), \
         (SELECT COUNT(*) FROM topup_reversal r WHERE r.topup_id = t.id), {}, {}, {} \
         FROM topup t \
         LEFT JOIN topup_credit c ON c.topup_id = t.id AND c.kind = 'credit' ORDER BY t.id",
        sum("amount"),
        sum("fee"),
        sum("bonus"),
    );
    each(conn, &sql, |row| {
        let cells = &mut Cells::new("topup", row);
        let facts = TopUpFacts {
            id: cells.take()?,
            processor: cells.word(Processor::from_slug)?,
            state: cells.word(TopUpState::from_slug)?,
            amount: cells.usd()?,
            bonus: cells.usd()?,
            credited: cells.usd()?,
            payment: cells.take()?,
            reversed: [cells.usd()?, cells.usd()?, cells.usd()?],
            reversals: cells.count()?,
            due_at: cells.maybe_time()?,
            credit: cells.maybe_usd()?.zip(cells.take::<Option<String>>()?),
            bonus_credit: cells.maybe_usd()?,
            reversal_rows: cells.count()?,
            reversal_sums: [cells.usd()?, cells.usd()?, cells.usd()?],
        };
        facts.check(now, findings);
        Ok(())
    })
}

fn events(conn: &dyn Connection, now: Timestamp, findings: &mut Findings) -> Result<(), Fault> {
    let sql = "SELECT id, due_at FROM topup_event WHERE state IN ('seen', 'parked')";
    each(conn, sql, |row| {
        let cells = &mut Cells::new("topup_event", row);
        let id: i64 = cells.take()?;
        check_due(cells.maybe_time()?, now, || format!("event {id}"), findings);
        Ok(())
    })
}
