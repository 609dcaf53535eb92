//! Second pass over a change: the writes, in their order.

use crate::sql::Connection;
use domain::change::{Change, Write};
use domain::usd::Usd;

use super::guard::Passed;
use super::journal::Wallets;
use super::{
    access, activation, api_log, attempt, audit_log, balance, desk, journal, own_number, people,
    policy, redeem, smm_order, smm_request, smm_service, top_up,
};
use crate::sql::fault::Fault;

/// Writes a change whose guards have passed.
pub(crate) fn apply(
    conn: &dyn Connection,
    wallets: &mut Wallets,
    change: &Change,
    passed: Passed<'_>,
) -> Result<(), Fault> {
    for (account, wallet) in passed.wallets {
        wallets.set(account, wallet);
    }
    for (write, entry) in change.writes.iter().zip(passed.entries) {
        match write {
            Write::TopUp(about) => top_up::write(conn, about, entry.as_deref(), change.at)?,
            _ => row(conn, change, write)?,
        }
        if let Some(entry) = entry {
            journal::append(conn, wallets, &entry, change.at)?;
        }
    }
    Ok(())
}

/// The rows of one write, without its journal entry.
fn row(conn: &dyn Connection, change: &Change, write: &Write) -> Result<(), Fault> {
    let at = change.at;
    match write {
        Write::InsertActivation(a) => activation::insert(conn, a),
        Write::UpdateActivation(a) => activation::update(conn, a),
        Write::InsertSmmOrder(o) => smm_order::insert(conn, o),
        Write::UpdateSmmOrder(o) => smm_order::update(conn, o),
        Write::PostponeSmmOrder { order, due_at } => smm_order::postpone(conn, *order, *due_at),
        Write::InsertSmmRequest(r) => smm_request::insert(conn, r),
        Write::UpdateSmmRequest(r) => smm_request::update(conn, r),
        Write::NumberSmmService {
            id,
            upstream,
            service,
        } => smm_service::number(conn, id, upstream, service),
        Write::Observe(seen) => smm_order::observe(conn, seen),
        Write::BeginAttempt(a) => attempt::begin(conn, a),
        Write::EndAttempt(end) => attempt::end(conn, end, at),
        Write::Link {
            upstream,
            upstream_id,
            order,
        } => attempt::link(conn, upstream, upstream_id, *order),
        Write::Message {
            order,
            seq,
            sms,
            received_at,
        } => attempt::message(conn, *order, *seq, sms, *received_at),
        Write::ReadBalance(reading) => balance::insert_reading(conn, reading),
        Write::KnowList { upstream, asked_at } => attempt::know_list(conn, upstream, *asked_at),
        Write::OpenTicket(ticket) => balance::open_ticket(conn, ticket),
        Write::CloseTicket { ticket, note } => balance::close_ticket(conn, *ticket, note, at),
        Write::InsertOrphan(o) => attempt::insert_orphan(conn, o),
        Write::UpdateOrphan(o) => attempt::update_orphan(conn, o),
        Write::Claim(claim) => access::take_claim(conn, claim, at),
        Write::InsertAccount(account) => {
            access::insert_account(conn, account)?;
            journal::open_wallet(conn, account.id)
        }
        Write::UpdateAccount(account) => {
            access::update_account(conn, account)?;
            conn.announce_access()
        }
        Write::People(write) => people::write(conn, write, at),
        Write::InsertKey(key) => access::insert_key(conn, key),
        Write::UpdateKey(key) => {
            access::update_key(conn, key)?;
            conn.announce_access()
        }
        Write::RevokeKey { key, .. } => {
            access::revoke_key(conn, *key)?;
            conn.announce_access()
        }
        Write::RedeemCode(write) => redeem::write(conn, write),
        Write::ApiLog(write) => api_log::write(conn, write),
        Write::Pool(write) => own_number::apply(conn, write, at),
        Write::Policy(about) => policy::write(conn, about, at),
        Write::Audit(write) => audit_log::write(conn, write, at),
        Write::Desk(write) => desk::write(conn, write),
        Write::Hold { .. }
        | Write::Rehold { .. }
        | Write::Resolve { .. }
        | Write::Adjust { .. }
        | Write::Credit { .. }
        | Write::Debit { .. }
        | Write::Redeem { .. }
        | Write::TopUp(_)
        | Write::Book(_) => money(conn, change, write),
    }
}

/// The rows under the journal that carry the uniqueness of money events.
fn money(conn: &dyn Connection, change: &Change, write: &Write) -> Result<(), Fault> {
    let at = change.at;
    match *write {
        Write::Hold {
            account,
            order,
            amount,
        } => journal::insert_hold(conn, account, order, amount, at),
        Write::Rehold {
            order,
            seq,
            from,
            to,
            ..
        } => journal::insert_hold_change(conn, order, seq, Usd(to.0 - from.0), at),
        Write::Resolve {
            order,
            held,
            posted,
            reason,
            ..
        } => {
            let released = Usd(held.0 - posted.0);
            journal::insert_resolution(conn, order, (posted, released), reason.slug(), at)
        }
        Write::Adjust {
            order,
            seq,
            amount,
            observation,
            ..
        } => journal::insert_adjustment(conn, order, (seq, amount), observation, at),
        Write::Credit {
            account,
            row,
            amount,
            ref note,
        } => journal::insert_credit(conn, account, row, amount, note, at),
        Write::Debit {
            account,
            row,
            amount,
            ref note,
        } => journal::insert_debit(conn, account, row, amount, note, at),
        Write::Redeem { account, code, .. } => redeem::claim(conn, account, code, at),
        _ => Ok(()),
    }
}
