//! Questions about top-ups, their events and disputes.

use domain::ids::AccountId;
use domain::ports::{Read, TopUpRows};
use domain::time::{Millis, Timestamp};
use domain::top_up::{
    Clearing, Dispute, EventState, Parts, Processor, ProcessorMovement, Proof, Proposal,
    Reconciliation, Refund, RefundState, Reversal, ReversalCause, TopUp, TopUpEvent, TopUpState,
    TopUpsOf,
};
use domain::usd::Usd;

use crate::database::Database;
use crate::sql::cells::{Cells, claimed, many, one};
use crate::sql::fault::Fault;
use crate::sql::{Arg, Connection, Due, Row, params};

use super::desk_rows::Where;
use super::{movements, proofs};

const TOP_UP: &str = "SELECT id, account_id, version, processor, amount, fee, bonus, live, state, \
                      processor_ref, payment_ref, pay_url, note, credited, refunded, reversed, \
                      reversed_fee, reversed_bonus, reversals, created_at, expires_at, \
                      credited_at, due_at, tries, clears_at, hold FROM topup";

const REFUND: &str = "SELECT key, topup_id, seq, amount, reason, state, asked_at, due_at, tries \
                      FROM topup_refund";

const EVENT: &str = "SELECT id, processor, event_id, kind, topup_id, payment_ref, raw, state, \
                     verdict, received_at, due_at, tries FROM topup_event";

fn top_up(row: &Row<'_>) -> Result<TopUp, Fault> {
    let cells = &mut Cells::new("topup", row);
    Ok(TopUp {
        id: cells.take()?,
        account: AccountId(cells.take()?),
        version: cells.take()?,
        processor: cells.word(Processor::from_slug)?,
        amount: cells.usd()?,
        fee: cells.usd()?,
        bonus: cells.usd()?,
        live: cells.take()?,
        state: cells.word(TopUpState::from_slug)?,
        processor_ref: cells.take()?,
        payment_ref: cells.take()?,
        pay_url: cells.take()?,
        note: cells.take()?,
        credited: cells.usd()?,
        refunded: cells.usd()?,
        reversed: Parts {
            amount: cells.usd()?,
            fee: cells.usd()?,
            bonus: cells.usd()?,
        },
        reversals: cells.take()?,
        created_at: cells.time()?,
        expires_at: cells.time()?,
        credited_at: cells.maybe_time()?,
        due_at: cells.maybe_time()?,
        tries: cells.take()?,
        clears_at: cells.maybe_time()?,
        hold: Millis(cells.take()?),
    })
}

fn refund(row: &Row<'_>) -> Result<Refund, Fault> {
    let cells = &mut Cells::new("topup_refund", row);
    Ok(Refund {
        key: cells.take()?,
        top_up: cells.take()?,
        seq: cells.take()?,
        amount: cells.usd()?,
        reason: cells.take()?,
        state: cells.word(RefundState::from_slug)?,
        asked_at: cells.time()?,
        due_at: cells.maybe_time()?,
        tries: cells.take()?,
    })
}

fn reversal(row: &Row<'_>) -> Result<(Reversal, Timestamp), Fault> {
    let cells = &mut Cells::new("topup_reversal", row);
    let reversal = Reversal {
        seq: cells.take()?,
        cause: cells.word(ReversalCause::from_slug)?,
        reference: cells.take()?,
        parts: Parts {
            amount: cells.usd()?,
            fee: cells.usd()?,
            bonus: cells.usd()?,
        },
    };
    Ok((reversal, cells.time()?))
}

fn event(row: &Row<'_>) -> Result<TopUpEvent, Fault> {
    let cells = &mut Cells::new("topup_event", row);
    Ok(TopUpEvent {
        id: cells.take()?,
        processor: cells.word(Processor::from_slug)?,
        event_id: cells.take()?,
        kind: cells.take()?,
        top_up: cells.take()?,
        payment_ref: cells.take()?,
        raw: cells.take()?,
        state: cells.word(EventState::from_slug)?,
        verdict: cells.take()?,
        received_at: cells.time()?,
        due_at: cells.maybe_time()?,
        tries: cells.take()?,
    })
}

fn dispute(row: &Row<'_>) -> Result<Dispute, Fault> {
    let cells = &mut Cells::new("topup_dispute", row);
    Ok(Dispute {
        processor: cells.word(Processor::from_slug)?,
        id: cells.take()?,
        top_up: cells.take()?,
        version: cells.take()?,
        withdrawn: cells.usd()?,
        posted: cells.usd()?,
        reinstated: cells.take()?,
    })
}

fn reconciliation(row: &Row<'_>) -> Result<Reconciliation, Fault> {
    let cells = &mut Cells::new("topup_reconciliation", row);
    Ok(Reconciliation {
        processor: cells.word(Processor::from_slug)?,
        day: cells.time()?,
        listed: cells.take()?,
        credited: cells.take()?,
        amount: cells.usd()?,
        fees: cells.usd()?,
        paid_out: cells.usd()?,
        unexplained: cells.take::<String>()?.lines().map(str::to_owned).collect(),
        failure: cells.take()?,
        at: cells.time()?,
    })
}

/// Top-ups of a kind, the newest first.
pub(super) fn listed(conn: &dyn Connection, wanted: &TopUpsOf) -> Result<Vec<TopUp>, Fault> {
    let mut fits = Where::default();
    let word = |slug: &'static str| Arg::Text(slug.into());
    fits.and("account_id = @", wanted.account.map(|one| Arg::Int(one.0)));
    let processor = wanted.processor.map(|one| word(one.slug()));
    fits.and("processor = @", processor);
    fits.and("state = @", wanted.state.map(|one| word(one.slug())));
    fits.and("id < @", wanted.before.map(Arg::Int));
    if wanted.waiting {
        // `TopUp::waits` in the words of the index over them
        fits.and_fixed("(state = 'review' OR (state = 'pending' AND processor = 'manual'))");
    }
    let limit = fits.place(Arg::Int(wanted.limit.into()));
    let sql = format!("{TOP_UP} {}ORDER BY id DESC LIMIT {limit}", fits.text);
    many(conn, &sql, &fits.args, top_up)
}

impl TopUpRows for Database {
    fn top_up(&self, id: i64) -> Read<'_, Option<TopUp>> {
        let sql = format!("{TOP_UP} WHERE id = ?1");
        self.ask(move |conn| one(conn, &sql, params![id], top_up))
    }

    fn top_up_opened<'a>(
        &'a self,
        processor: Processor,
        processor_ref: &'a str,
    ) -> Read<'a, Option<TopUp>> {
        let sql = format!("{TOP_UP} WHERE processor = ?1 AND processor_ref = ?2");
        let processor_ref = processor_ref.to_owned();
        self.ask(move |conn| one(conn, &sql, params![processor.slug(), processor_ref], top_up))
    }

    fn top_up_paid<'a>(
        &'a self,
        processor: Processor,
        payment_ref: &'a str,
    ) -> Read<'a, Option<TopUp>> {
        let sql = format!("{TOP_UP} WHERE processor = ?1 AND payment_ref = ?2");
        let payment_ref = payment_ref.to_owned();
        self.ask(move |conn| one(conn, &sql, params![processor.slug(), payment_ref], top_up))
    }

    fn top_ups_of(&self, account: AccountId, limit: u32) -> Read<'_, Vec<TopUp>> {
        let sql = format!("{TOP_UP} WHERE account_id = ?1 ORDER BY id DESC LIMIT ?2");
        self.ask(move |conn| many(conn, &sql, params![account.0, limit], top_up))
    }

    fn top_ups<'a>(&'a self, wanted: &'a TopUpsOf) -> Read<'a, Vec<TopUp>> {
        let wanted = wanted.clone();
        self.ask(move |conn| listed(conn, &wanted))
    }

    fn top_ups_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<TopUp>> {
        self.ask(move |conn| claimed(conn, Due::all(TOP_UP, limit), params![now.0], top_up))
    }

    fn top_ups_credited(
        &self,
        processor: Processor,
        from: Timestamp,
        until: Timestamp,
    ) -> Read<'_, Vec<TopUp>> {
        let sql = format!(
            "{TOP_UP} WHERE processor = ?1 AND credited_at >= ?2 AND credited_at < ?3 ORDER BY id"
        );
        self.ask(move |conn| {
            many(
                conn,
                &sql,
                params![processor.slug(), from.0, until.0],
                top_up,
            )
        })
    }

    fn top_up_event<'a>(
        &'a self,
        processor: Processor,
        event_id: &'a str,
    ) -> Read<'a, Option<TopUpEvent>> {
        let sql = format!("{EVENT} WHERE processor = ?1 AND event_id = ?2");
        let event_id = event_id.to_owned();
        self.ask(move |conn| one(conn, &sql, params![processor.slug(), event_id], event))
    }

    fn top_up_event_row(&self, id: i64) -> Read<'_, Option<TopUpEvent>> {
        let sql = format!("{EVENT} WHERE id = ?1");
        self.ask(move |conn| one(conn, &sql, params![id], event))
    }

    fn top_up_events_of(&self, top_up: i64, limit: u32) -> Read<'_, Vec<TopUpEvent>> {
        let sql = format!("{EVENT} WHERE topup_id = ?1 ORDER BY id DESC LIMIT ?2");
        self.ask(move |conn| many(conn, &sql, params![top_up, limit], event))
    }

    fn top_up_events_odd(&self, limit: u32) -> Read<'_, Vec<TopUpEvent>> {
        let sql = format!(
            "{EVENT} WHERE state IN ('seen', 'parked', 'review') ORDER BY id DESC LIMIT ?1"
        );
        self.ask(move |conn| many(conn, &sql, params![limit], event))
    }

    fn top_up_events_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<TopUpEvent>> {
        self.ask(move |conn| claimed(conn, Due::all(EVENT, limit), params![now.0], event))
    }

    fn top_up_events_parked<'a>(&'a self, row: &'a TopUp, limit: u32) -> Read<'a, Vec<TopUpEvent>> {
        let sql = format!(
            "{EVENT} WHERE state = 'parked' AND (topup_id = ?1 OR (processor = ?2 \
             AND payment_ref = ?3)) ORDER BY id LIMIT ?4"
        );
        let (id, processor, payment) = (row.id, row.processor.slug(), row.payment_ref.clone());
        self.ask(move |conn| many(conn, &sql, params![id, processor, payment, limit], event))
    }

    fn top_ups_to_clear(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<TopUp>> {
        let sql = format!("{TOP_UP} WHERE clears_at <= ?1 ORDER BY clears_at LIMIT ?2");
        self.ask(move |conn| many(conn, &sql, params![now.0, limit], top_up))
    }

    fn next_clearing(&self, account: AccountId) -> Read<'_, Option<Timestamp>> {
        let sql = "SELECT MIN(clears_at) FROM topup WHERE account_id = ?1";
        self.ask(move |conn| {
            let found = one(conn, sql, params![account.0], |row| {
                Cells::new("topup", row).maybe_time()
            })?;
            Ok(found.flatten())
        })
    }

    fn uncleared(&self, top_up: i64) -> Read<'_, Usd> {
        self.ask(move |conn| super::top_up::uncleared(conn, top_up))
    }

    fn reversals(&self, top_up: i64) -> Read<'_, Vec<(Reversal, Timestamp)>> {
        let sql = "SELECT seq, cause, reference, amount, fee, bonus, at FROM topup_reversal \
                   WHERE topup_id = ?1 ORDER BY seq";
        self.ask(move |conn| many(conn, sql, params![top_up], reversal))
    }

    fn proposal(&self, top_up: i64) -> Read<'_, Option<Proposal>> {
        let sql = "SELECT topup_id, proposer, amount, reference, reason, at FROM topup_proposal \
                   WHERE topup_id = ?1";
        self.ask(move |conn| {
            one(conn, sql, params![top_up], |row| {
                let cells = &mut Cells::new("topup_proposal", row);
                Ok(Proposal {
                    top_up: cells.take()?,
                    proposer: cells.take()?,
                    amount: cells.usd()?,
                    reference: cells.take()?,
                    reason: cells.take()?,
                    at: cells.time()?,
                })
            })
        })
    }

    fn proof(&self, top_up: i64) -> Read<'_, Option<Proof>> {
        self.unsealed(self.ask(move |conn| proofs::of_top_up(conn, top_up, true)))
    }

    fn proof_line(&self, top_up: i64) -> Read<'_, Option<Proof>> {
        self.ask(move |conn| proofs::of_top_up(conn, top_up, false))
    }

    fn reconciliations(&self, limit: u32) -> Read<'_, Vec<Reconciliation>> {
        let sql = "SELECT processor, day, listed, credited, amount, fees, paid_out, unexplained, \
                   failure, at FROM topup_reconciliation ORDER BY day DESC, processor LIMIT ?1";
        self.ask(move |conn| many(conn, sql, params![limit], reconciliation))
    }

    fn movements(
        &self,
        processor: Processor,
        from: Timestamp,
        until: Timestamp,
    ) -> Read<'_, Vec<ProcessorMovement>> {
        self.ask(move |conn| movements::between(conn, processor, (from, until)))
    }

    fn payouts(&self, limit: u32) -> Read<'_, Vec<ProcessorMovement>> {
        self.ask(move |conn| movements::payouts(conn, limit))
    }

    fn clearings(&self) -> Read<'_, Vec<Clearing>> {
        self.ask(movements::clearings)
    }

    fn refunds(&self, top_up: i64) -> Read<'_, Vec<Refund>> {
        let sql = format!("{REFUND} WHERE topup_id = ?1 ORDER BY seq");
        self.ask(move |conn| many(conn, &sql, params![top_up], refund))
    }

    fn refunds_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<Refund>> {
        self.ask(move |conn| claimed(conn, Due::all(REFUND, limit), params![now.0], refund))
    }

    fn disputes(&self, top_up: i64) -> Read<'_, Vec<Dispute>> {
        let sql = "SELECT processor, dispute_id, topup_id, version, withdrawn, posted, reinstated \
                   FROM topup_dispute WHERE topup_id = ?1 ORDER BY dispute_id";
        self.ask(move |conn| many(conn, sql, params![top_up], dispute))
    }
}
