//! What is forgotten when its time is over or its holder wishes it, and what keeps it from that.

use super::{journal, proofs};
use crate::sql::cells::{Cells, exists, many};
use crate::sql::fault::Fault;
use crate::sql::{Connection, params};
use domain::ids::{AccountId, OrderId};
use domain::ledger::Wallet;
use domain::policy::{NotYet, PolicyWrite};
use domain::time::Timestamp;

/// Rows of a kind forgotten in one change: the writer has others to serve.
const AT_ONCE: u32 = 1000;

/// What upstreams wrote about purchases that ended before `?1`, on neither an order nor an account under
/// hold; the longest ended first.
macro_rules! answers_over {
    () => {
        "SELECT t.order_id, t.seq FROM attempt t WHERE t.raw IS NOT NULL AND t.ended_at < ?1 \
         AND NOT EXISTS (SELECT 1 FROM legal_hold h WHERE h.released_at IS NULL \
             AND h.kind = 'order' AND h.subject = t.order_id) \
         AND NOT EXISTS (SELECT 1 FROM legal_hold h JOIN activation a ON a.account_id = h.subject \
             WHERE h.released_at IS NULL AND h.kind = 'account' AND a.id = t.order_id) \
         AND NOT EXISTS (SELECT 1 FROM legal_hold h JOIN smm_order o ON o.account_id = h.subject \
             WHERE h.released_at IS NULL AND h.kind = 'account' AND o.id = t.order_id) \
         ORDER BY t.ended_at LIMIT ?2"
    };
}

/// Mails from before `?1` that are sent or given up, to nobody whose account is under hold.
macro_rules! mails_over {
    () => {
        "SELECT m.id FROM mail m WHERE m.due_at IS NULL AND m.created_at < ?1 \
         AND m.recipient NOT IN (SELECT p.email FROM legal_hold h \
             JOIN person p ON p.account_id = h.subject \
             WHERE h.released_at IS NULL AND h.kind = 'account') \
         ORDER BY m.created_at LIMIT ?2"
    };
}

/// The rows of a write whose guards have passed.
pub(super) fn write(conn: &dyn Connection, write: &PolicyWrite) -> Result<(), Fault> {
    match write {
        PolicyWrite::ForgetNumbers(orders) => {
            let mut known = orders.iter();
            known.try_for_each(|(order, hash)| forget_number(conn, *order, hash))
        }
        PolicyWrite::ForgetBefore(before) => forget_before(conn, *before),
        PolicyWrite::ForgetAccount(account) => forget_account(conn, *account),
        _ => Ok(()),
    }
}

/// A hold that was placed since the orders were looked up keeps its order as it is.
fn forget_number(conn: &dyn Connection, order: OrderId, hash: &str) -> Result<(), Fault> {
    let sql = "UPDATE activation SET phone = NULL, phone_hash = ?2, version = version + 1 \
               WHERE id = ?1 AND phone IS NOT NULL \
               AND NOT EXISTS (SELECT 1 FROM legal_hold h WHERE h.released_at IS NULL \
                   AND ((h.kind = 'order' AND h.subject = activation.id) \
                       OR (h.kind = 'account' AND h.subject = activation.account_id)))";
    if conn.execute(sql, params![order.0, hash])? == 0 {
        return Ok(());
    }
    let sql = "UPDATE attempt SET raw = NULL WHERE order_id = ?1 AND raw IS NOT NULL";
    conn.execute(sql, params![order.0]).map(drop)
}

fn forget_before(conn: &dyn Connection, before: Timestamp) -> Result<(), Fault> {
    for sql in [
        "UPDATE inbound_message SET sender = '', text = '' WHERE stored_at < ?1 AND sender <> ''",
        "DELETE FROM session WHERE seen_at < ?1 AND person_id NOT IN (SELECT p.id \
         FROM legal_hold h JOIN person p ON p.account_id = h.subject \
         WHERE h.released_at IS NULL AND h.kind = 'account')",
        "UPDATE abuse_case SET contact = '' WHERE contact <> '' AND closed_at < ?1",
    ] {
        conn.execute(sql, params![before.0])?;
    }
    let (answers, mails) = (forget_answers(conn, before), forget_mails(conn, before));
    answers.and(mails).and(forget_proofs(conn, before))
}

pub(super) fn forget_answers(conn: &dyn Connection, before: Timestamp) -> Result<(), Fault> {
    let sql = concat!(
        "UPDATE attempt SET raw = NULL WHERE (order_id, seq) IN (",
        answers_over!(),
        ")"
    );
    conn.execute(sql, params![before.0, AT_ONCE]).map(drop)
}

pub(super) fn forget_mails(conn: &dyn Connection, before: Timestamp) -> Result<(), Fault> {
    let sql = concat!("DELETE FROM mail WHERE id IN (", mails_over!(), ")");
    conn.execute(sql, params![before.0, AT_ONCE]).map(drop)
}

pub(super) fn forget_proofs(conn: &dyn Connection, before: Timestamp) -> Result<(), Fault> {
    proofs::forget(conn, before, AT_ONCE)
}

/// Whether one more change has something to forget.
pub(crate) fn is_overdue(conn: &dyn Connection, before: Timestamp) -> Result<bool, Fault> {
    let one = params![before.0, 1_u32];
    Ok(exists(conn, answers_over!(), one)?
        || exists(conn, mails_over!(), one)?
        || proofs::is_overdue(conn, before)?)
}

fn forget_account(conn: &dyn Connection, account: AccountId) -> Result<(), Fault> {
    for sql in [
        "UPDATE attestation SET purpose = '' WHERE account_id = ?1",
        "UPDATE account_case SET evidence = '', note = NULL WHERE account_id = ?1",
        "UPDATE account_case SET appeal = '' WHERE account_id = ?1 AND appeal IS NOT NULL",
        "UPDATE account_case SET closure_why = '' WHERE account_id = ?1 AND closure_why IS NOT NULL",
        "DELETE FROM session WHERE person_id IN (SELECT id FROM person WHERE account_id = ?1)",
        "DELETE FROM mail_token WHERE person_id IN (SELECT id FROM person WHERE account_id = ?1)",
        "DELETE FROM recovery_code WHERE person_id IN (SELECT id FROM person WHERE account_id = ?1)",
        "DELETE FROM mail WHERE recipient IN (SELECT email FROM person WHERE account_id = ?1)",
        "DELETE FROM api_call WHERE account_id = ?1",
        "DELETE FROM topup_proof WHERE account_id = ?1",
    ] {
        conn.execute(sql, params![account.0])?;
    }
    Ok(())
}

/// Why an account with this wallet cannot be deleted yet, the gravest reason first.
pub(crate) fn keeps_account(
    conn: &dyn Connection,
    account: AccountId,
    wallet: &Wallet,
) -> Result<Option<NotYet>, Fault> {
    let held = "SELECT 1 FROM legal_hold h WHERE h.released_at IS NULL \
                AND ((h.kind = 'account' AND h.subject = ?1) OR (h.kind = 'order' AND ( \
                    EXISTS (SELECT 1 FROM activation a WHERE a.id = h.subject AND a.account_id = ?1) \
                    OR EXISTS (SELECT 1 FROM smm_order o \
                        WHERE o.id = h.subject AND o.account_id = ?1))))";
    let numbers = "SELECT 1 FROM activation WHERE account_id = ?1 \
                   AND state IN ('calling', 'in_doubt', 'active', 'cancel_requested', 'undo')";
    let smm = "SELECT 1 FROM smm_order WHERE account_id = ?1 \
               AND state IN ('calling', 'in_doubt', 'active', 'undo', 'review')";
    let top_ups = "SELECT 1 FROM topup WHERE account_id = ?1 \
                   AND state IN ('created', 'pending', 'review')";
    for (sql, why) in [
        (held, NotYet::Held),
        (numbers, NotYet::OrderOpen),
        (smm, NotYet::OrderOpen),
        (top_ups, NotYet::TopUpOpen),
    ] {
        if exists(conn, sql, params![account.0])? {
            return Ok(Some(why));
        }
    }
    Ok(NotYet::of(wallet))
}

/// The same by the wallet as it is stored; nothing where there is no such account.
pub(crate) fn keeps_stored(
    conn: &dyn Connection,
    account: AccountId,
) -> Result<Option<NotYet>, Fault> {
    let wallet = journal::wallet(conn, account)?;
    wallet.map_or(Ok(None), |wallet| keeps_account(conn, account, &wallet))
}

/// Orders that ended before a time and have their number in clear, and the number.
pub(crate) fn numbers_due(
    conn: &dyn Connection,
    account: Option<AccountId>,
    before: Timestamp,
    limit: u32,
) -> Result<Vec<(OrderId, String)>, Fault> {
    let sql = "SELECT a.id, a.phone FROM activation a \
               WHERE a.phone IS NOT NULL AND a.created_at < ?1 AND a.due_at IS NULL \
               AND (a.account_id = ?2 OR ?2 = 0) \
               AND NOT EXISTS (SELECT 1 FROM legal_hold h WHERE h.released_at IS NULL \
                   AND ((h.kind = 'order' AND h.subject = a.id) \
                       OR (h.kind = 'account' AND h.subject = a.account_id))) \
               ORDER BY a.created_at LIMIT ?3";
    let account = account.map_or(0, |account| account.0);
    many(conn, sql, params![before.0, account, limit], |row| {
        let cells = &mut Cells::new("activation", row);
        Ok((OrderId(cells.take()?), cells.take()?))
    })
}
