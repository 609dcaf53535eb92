//! Top-ups: rows, the inbox of events, credits, and their guards.

use domain::change::Refused;
use domain::ids::AccountId;
use domain::ledger::{Book, Entry};
use domain::time::Timestamp;
use domain::top_up::{
    Dispute, Proposal, Reconciliation, Refund, Reversal, TopUp, TopUpEvent, TopUpState, TopUpWrite,
};
use domain::usd::Usd;

use super::{movements, proofs};
use crate::sql::cells::{Cells, exists, one};
use crate::sql::fault::Fault;
use crate::sql::{Connection, params};

/// The guards of a write, by reads alone.
pub(crate) fn check(conn: &dyn Connection, write: &TopUpWrite) -> Result<(), Fault> {
    let fits = match write {
        &TopUpWrite::WithinDay {
            account,
            since,
            amount,
            most,
        } => return within_day(conn, (account, since), amount, most),
        TopUpWrite::Insert(_) => true,
        TopUpWrite::Prove(proof) => return proofs::has_room(conn, proof),
        TopUpWrite::ResealProof(proof) => proofs::is_there(conn, proof)?,
        TopUpWrite::Update(row) => is_current(conn, row)?,
        TopUpWrite::Credit { row, payment } => {
            is_current(conn, row)?
                && row.state == TopUpState::Credited
                && !is_credited(conn, row.id)?
                && !is_spent(conn, row, payment, "credit")?
        }
        TopUpWrite::Bonus { row, payment } => !is_spent(conn, row, payment, "bonus")?,
        TopUpWrite::Reverse { row, reversal } => {
            is_current(conn, row)?
                && is_credited(conn, row.id)?
                && !is_reversed(conn, row.id, reversal)?
        }
        TopUpWrite::Clear(row) => is_current(conn, row)? && is_uncleared(conn, row.id)?,
        TopUpWrite::Refund(refund) => is_next_try(conn, refund)?,
        TopUpWrite::Propose(_) | TopUpWrite::Reconciled(_) => true,
        TopUpWrite::Move(movement) => !movements::is_booked(conn, movement)?,
        TopUpWrite::Dispute(dispute) => is_next(conn, dispute)?,
        TopUpWrite::InsertEvent(event) => !is_kept(conn, event)?,
        TopUpWrite::UpdateEvent(event) => is_unsettled(conn, event)?,
        TopUpWrite::ReopenEvent(event) => came_to_nothing(conn, event)?,
    };
    fits.then_some(()).ok_or(Fault::Refused(Refused::Stale))
}

/// What an account asked for since, without what came to nothing, leaves room for so much more.
pub(super) fn within_day(
    conn: &dyn Connection,
    (account, since): (AccountId, Timestamp),
    amount: Usd,
    most: Usd,
) -> Result<(), Fault> {
    let sql = "SELECT CAST(COALESCE(SUM(amount), 0) AS BIGINT) FROM topup WHERE account_id = ?1 \
               AND created_at >= ?2 AND state IN ('created', 'pending', 'credited', 'review')";
    let asked = one(conn, sql, params![account.0, since.0], |row| {
        Cells::new("topup", row).usd()
    })?;
    let left = Usd((most.0 - asked.unwrap_or_default().0).max(0));
    let fits = amount <= left;
    fits.then_some(())
        .ok_or(Fault::Refused(Refused::OverDaily(left)))
}

fn is_current(conn: &dyn Connection, row: &TopUp) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM topup WHERE id = ?1 AND version = ?2 AND account_id = ?3";
    exists(conn, sql, params![row.id, row.version - 1, row.account.0])
}

fn is_credited(conn: &dyn Connection, top_up: i64) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM topup_credit WHERE topup_id = ?1 AND kind = 'credit'";
    exists(conn, sql, params![top_up])
}

fn is_spent(conn: &dyn Connection, row: &TopUp, payment: &str, kind: &str) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM topup_credit WHERE processor = ?1 AND payment_id = ?2 AND kind = ?3";
    exists(conn, sql, params![row.processor.slug(), payment, kind])
}

fn is_reversed(conn: &dyn Connection, top_up: i64, reversal: &Reversal) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM topup_reversal WHERE topup_id = ?1 AND cause = ?2 AND reference = ?3";
    let (cause, reference) = (reversal.cause.slug(), &reversal.reference);
    exists(conn, sql, params![top_up, cause, reference])
}

fn is_uncleared(conn: &dyn Connection, top_up: i64) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM topup WHERE id = ?1 AND clears_at IS NOT NULL AND NOT EXISTS \
               (SELECT 1 FROM topup_clearing WHERE topup_id = ?1)";
    exists(conn, sql, params![top_up])
}

/// What of a top-up's money is in its wallet and cannot be spent yet.
pub(crate) fn uncleared(conn: &dyn Connection, top_up: i64) -> Result<Usd, Fault> {
    let sql = "SELECT CAST((SELECT COALESCE(SUM(amount - debt), 0) FROM topup_credit \
               WHERE topup_id = ?1 AND uncleared = 1) \
               - (SELECT COALESCE(SUM(uncleared), 0) FROM topup_reversal WHERE topup_id = ?1) \
               - (SELECT COALESCE(SUM(amount), 0) FROM topup_clearing WHERE topup_id = ?1) \
               AS BIGINT)";
    let found = one(conn, sql, params![top_up], |row| {
        Cells::new("topup_credit", row).usd()
    })?;
    Ok(found.unwrap_or_default())
}

fn is_next_try(conn: &dyn Connection, refund: &Refund) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM topup_refund WHERE topup_id = ?1 AND seq = ?2";
    if refund.tries == 0 {
        return Ok(!exists(conn, sql, params![refund.top_up, refund.seq])?);
    }
    let sql = format!("{sql} AND state = 'open' AND tries = ?3");
    let before = refund.tries - 1;
    exists(conn, &sql, params![refund.top_up, refund.seq, before])
}

fn is_next(conn: &dyn Connection, dispute: &Dispute) -> Result<bool, Fault> {
    if dispute.version == 1 {
        let sql = "SELECT 1 FROM topup_dispute WHERE processor = ?1 AND dispute_id = ?2";
        return Ok(!exists(
            conn,
            sql,
            params![dispute.processor.slug(), dispute.id],
        )?);
    }
    let sql = "SELECT 1 FROM topup_dispute WHERE processor = ?1 AND dispute_id = ?2 \
               AND version = ?3";
    let before = dispute.version - 1;
    exists(
        conn,
        sql,
        params![dispute.processor.slug(), dispute.id, before],
    )
}

fn is_kept(conn: &dyn Connection, event: &TopUpEvent) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM topup_event WHERE processor = ?1 AND event_id = ?2";
    exists(conn, sql, params![event.processor.slug(), event.event_id])
}

fn is_unsettled(conn: &dyn Connection, event: &TopUpEvent) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM topup_event WHERE id = ?1 AND state IN ('seen', 'parked')";
    exists(conn, sql, params![event.id])
}

fn came_to_nothing(conn: &dyn Connection, event: &TopUpEvent) -> Result<bool, Fault> {
    let sql = "SELECT 1 FROM topup_event WHERE id = ?1 AND state IN ('review', 'ignored')";
    exists(conn, sql, params![event.id])
}

/// The rows of a write whose guards have passed; `entry` is the one in the books, if there is one.
pub(crate) fn write(
    conn: &dyn Connection,
    write: &TopUpWrite,
    entry: Option<&Entry>,
    at: Timestamp,
) -> Result<(), Fault> {
    let debt = entry.map_or(Usd::ZERO, receivable);
    match write {
        TopUpWrite::WithinDay { .. } => Ok(()),
        TopUpWrite::Insert(row) => insert(conn, row),
        TopUpWrite::Prove(proof) => proofs::insert(conn, proof),
        TopUpWrite::ResealProof(proof) => proofs::reseal(conn, proof),
        TopUpWrite::Update(row) => {
            proofs::end(conn, row, at)?;
            update(conn, row)
        }
        TopUpWrite::Credit { row, payment } => {
            let amounts = (row.credited, row.fee, debt);
            insert_credit(conn, row, (payment, "credit"), amounts, at)?;
            proofs::end(conn, row, at)?;
            update(conn, row)
        }
        TopUpWrite::Bonus { row, payment } => {
            let amounts = (row.bonus, Usd::ZERO, debt);
            insert_credit(conn, row, (payment, "bonus"), amounts, at)
        }
        TopUpWrite::Reverse { row, reversal } => {
            let uncleared = -entry.map_or(Usd::ZERO, uncleared_leg);
            insert_reversal(conn, row.id, reversal, (-debt, uncleared), at)?;
            update(conn, row)
        }
        TopUpWrite::Clear(row) => {
            if let Some(entry) = entry {
                let amounts = (-uncleared_leg(entry), receivable(entry));
                insert_clearing(conn, row.id, amounts, at)?;
            }
            update(conn, row)
        }
        TopUpWrite::Refund(refund) => put_refund(conn, refund),
        TopUpWrite::Propose(proposal) => put_proposal(conn, proposal),
        TopUpWrite::Reconciled(compared) => put_reconciliation(conn, compared),
        TopUpWrite::Move(movement) => movements::insert(conn, movement, at),
        TopUpWrite::Dispute(dispute) => put_dispute(conn, dispute),
        TopUpWrite::InsertEvent(event) => insert_event(conn, event),
        TopUpWrite::UpdateEvent(event) => update_event(conn, event),
        TopUpWrite::ReopenEvent(event) => reopen_event(conn, event),
    }
}

/// What an entry changes of the customer's debt; credit is positive, so it pays.
fn receivable(entry: &Entry) -> Usd {
    sum_of(entry, |book| matches!(book, Book::Receivable(_)))
}

/// What an entry changes of the money that cannot be spent yet.
fn uncleared_leg(entry: &Entry) -> Usd {
    sum_of(entry, |book| matches!(book, Book::Uncleared(_)))
}

fn sum_of(entry: &Entry, wanted: impl Fn(&Book) -> bool) -> Usd {
    let legs = entry.postings.iter().filter(|leg| wanted(&leg.book));
    legs.map(|leg| leg.amount).sum()
}

fn insert(conn: &dyn Connection, row: &TopUp) -> Result<(), Fault> {
    let sql = "INSERT INTO topup (id, version, state, processor_ref, payment_ref, pay_url, note, \
               credited, refunded, reversed, reversed_fee, reversed_bonus, reversals, \
               credited_at, due_at, tries, account_id, processor, amount, fee, bonus, live, \
               created_at, expires_at, clears_at, hold) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, \
               ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, \
               ?26)";
    conn.write(
        sql,
        params![
            row.id,
            row.version,
            row.state.slug(),
            row.processor_ref,
            row.payment_ref,
            row.pay_url,
            row.note,
            row.credited.0,
            row.refunded.0,
            row.reversed.amount.0,
            row.reversed.fee.0,
            row.reversed.bonus.0,
            row.reversals,
            row.credited_at.map(|at| at.0),
            row.due_at.map(|at| at.0),
            row.tries,
            row.account.0,
            row.processor.slug(),
            row.amount.0,
            row.fee.0,
            row.bonus.0,
            row.live,
            row.created_at.0,
            row.expires_at.0,
            row.clears_at.map(|at| at.0),
            row.hold.0,
        ],
    )
}

fn update(conn: &dyn Connection, row: &TopUp) -> Result<(), Fault> {
    let sql = "UPDATE topup SET version = ?2, state = ?3, processor_ref = ?4, payment_ref = ?5, \
               pay_url = ?6, note = ?7, credited = ?8, refunded = ?9, reversed = ?10, \
               reversed_fee = ?11, reversed_bonus = ?12, reversals = ?13, credited_at = ?14, \
               due_at = ?15, claimed_until = NULL, tries = ?16, bonus = ?17, clears_at = ?18 \
               WHERE id = ?1 AND version = ?2 - 1";
    conn.write_one(
        sql,
        params![
            row.id,
            row.version,
            row.state.slug(),
            row.processor_ref,
            row.payment_ref,
            row.pay_url,
            row.note,
            row.credited.0,
            row.refunded.0,
            row.reversed.amount.0,
            row.reversed.fee.0,
            row.reversed.bonus.0,
            row.reversals,
            row.credited_at.map(|at| at.0),
            row.due_at.map(|at| at.0),
            row.tries,
            row.bonus.0,
            row.clears_at.map(|at| at.0),
        ],
        Refused::Stale,
    )
}

fn insert_credit(
    conn: &dyn Connection,
    row: &TopUp,
    (payment, kind): (&str, &str),
    (amount, fee, debt): (Usd, Usd, Usd),
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO topup_credit (topup_id, kind, processor, payment_id, amount, fee, \
               debt, at, uncleared) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    conn.write(
        sql,
        params![
            row.id,
            kind,
            row.processor.slug(),
            payment,
            amount.0,
            fee.0,
            debt.0,
            at.0,
            row.clears_at.is_some(),
        ],
    )
}

fn insert_clearing(
    conn: &dyn Connection,
    top_up: i64,
    (amount, debt): (Usd, Usd),
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO topup_clearing (topup_id, amount, debt, at) VALUES (?1, ?2, ?3, ?4)";
    conn.write(sql, params![top_up, amount.0, debt.0, at.0])
}

fn put_proposal(conn: &dyn Connection, proposal: &Proposal) -> Result<(), Fault> {
    let sql = "INSERT INTO topup_proposal (topup_id, proposer, amount, reference, reason, at) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (topup_id) DO UPDATE SET \
               proposer = excluded.proposer, amount = excluded.amount, \
               reference = excluded.reference, reason = excluded.reason, at = excluded.at";
    let cells = params![
        proposal.top_up,
        proposal.proposer,
        proposal.amount.0,
        proposal.reference,
        proposal.reason,
        proposal.at.0,
    ];
    conn.write(sql, cells)
}

fn put_reconciliation(conn: &dyn Connection, compared: &Reconciliation) -> Result<(), Fault> {
    let sql = "INSERT INTO topup_reconciliation (processor, day, listed, credited, amount, \
               unexplained, failure, at, fees, paid_out) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (processor, day) DO UPDATE SET \
               listed = excluded.listed, credited = excluded.credited, \
               amount = excluded.amount, fees = excluded.fees, paid_out = excluded.paid_out, \
               unexplained = excluded.unexplained, failure = excluded.failure, at = excluded.at";
    let lines = compared.unexplained.join("\n");
    conn.write(
        sql,
        params![
            compared.processor.slug(),
            compared.day.0,
            compared.listed,
            compared.credited,
            compared.amount.0,
            lines,
            compared.failure,
            compared.at.0,
            compared.fees.0,
            compared.paid_out.0,
        ],
    )
}

fn put_refund(conn: &dyn Connection, refund: &Refund) -> Result<(), Fault> {
    let sql = "INSERT INTO topup_refund (topup_id, seq, amount, key, reason, state, asked_at, \
               due_at, tries) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
               ON CONFLICT (topup_id, seq) DO UPDATE SET state = excluded.state, \
               due_at = excluded.due_at, claimed_until = NULL, tries = excluded.tries \
               WHERE topup_refund.tries = excluded.tries - 1";
    conn.write_one(
        sql,
        params![
            refund.top_up,
            refund.seq,
            refund.amount.0,
            refund.key,
            refund.reason,
            refund.state.slug(),
            refund.asked_at.0,
            refund.due_at.map(|at| at.0),
            refund.tries,
        ],
        Refused::Stale,
    )
}

fn insert_reversal(
    conn: &dyn Connection,
    top_up: i64,
    reversal: &Reversal,
    (debt, uncleared): (Usd, Usd),
    at: Timestamp,
) -> Result<(), Fault> {
    let sql = "INSERT INTO topup_reversal (topup_id, seq, cause, reference, amount, fee, bonus, \
               debt, at, uncleared) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    conn.write(
        sql,
        params![
            top_up,
            reversal.seq,
            reversal.cause.slug(),
            reversal.reference,
            reversal.parts.amount.0,
            reversal.parts.fee.0,
            reversal.parts.bonus.0,
            debt.0,
            at.0,
            uncleared.0,
        ],
    )
}

fn put_dispute(conn: &dyn Connection, dispute: &Dispute) -> Result<(), Fault> {
    let sql = "INSERT INTO topup_dispute (processor, dispute_id, topup_id, version, withdrawn, \
               posted, reinstated) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) \
               ON CONFLICT (processor, dispute_id) DO UPDATE SET version = excluded.version, \
               withdrawn = excluded.withdrawn, posted = excluded.posted, \
               reinstated = excluded.reinstated \
               WHERE topup_dispute.version = excluded.version - 1";
    conn.write_one(
        sql,
        params![
            dispute.processor.slug(),
            dispute.id,
            dispute.top_up,
            dispute.version,
            dispute.withdrawn.0,
            dispute.posted.0,
            dispute.reinstated,
        ],
        Refused::Stale,
    )
}

fn insert_event(conn: &dyn Connection, event: &TopUpEvent) -> Result<(), Fault> {
    let sql = "INSERT INTO topup_event (id, processor, event_id, kind, topup_id, payment_ref, raw, \
               state, verdict, received_at, due_at, tries) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
    conn.write(
        sql,
        params![
            event.id,
            event.processor.slug(),
            event.event_id,
            event.kind,
            event.top_up,
            event.payment_ref,
            event.raw,
            event.state.slug(),
            event.verdict,
            event.received_at.0,
            event.due_at.map(|at| at.0),
            event.tries,
        ],
    )
}

fn update_event(conn: &dyn Connection, event: &TopUpEvent) -> Result<(), Fault> {
    let sql = "UPDATE topup_event SET topup_id = ?2, payment_ref = ?3, state = ?4, verdict = ?5, \
               due_at = ?6, claimed_until = NULL, tries = ?7 \
               WHERE id = ?1 AND state IN ('seen', 'parked')";
    conn.write_one(
        sql,
        params![
            event.id,
            event.top_up,
            event.payment_ref,
            event.state.slug(),
            event.verdict,
            event.due_at.map(|at| at.0),
            event.tries,
        ],
        Refused::Stale,
    )
}

fn reopen_event(conn: &dyn Connection, event: &TopUpEvent) -> Result<(), Fault> {
    let sql = "UPDATE topup_event SET state = ?2, received_at = ?3, due_at = ?4, \
               claimed_until = NULL, tries = ?5 \
               WHERE id = ?1 AND state IN ('review', 'ignored')";
    conn.write_one(
        sql,
        params![
            event.id,
            event.state.slug(),
            event.received_at.0,
            event.due_at.map(|at| at.0),
            event.tries,
        ],
        Refused::Stale,
    )
}
