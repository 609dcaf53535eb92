//! Money: holds and what becomes of them, and the journal under the wallets.

use domain::change::{Change, Refused, Write};
use domain::ids::{AccountId, OrderId};
use domain::ledger::Entry;
use domain::usd::Usd;
use std::borrow::Cow;
use std::collections::BTreeMap;

use super::Stop;
use super::rows::{Event, Hold, Kept, Rows};
use super::write::{Done, put, refuse_if};
use crate::chain;

/// The money of a write: its guard, its row, its entry.
pub(super) fn book(
    rows: &mut Rows,
    change: &Change,
    write: &Write,
    done: &mut Done,
) -> Result<(), Stop> {
    let Some((owner, entry)) = guarded(rows, change, write, done)? else {
        return Ok(());
    };
    if !entry.balances() {
        return Err(Stop::Wrong(format!("unbalanced: {entry:?}")));
    }
    post(rows, change, write, (owner, &entry), done)
}

/// Whose wallet a write moves, and the entry it makes.
type Moved<'a> = (Option<AccountId>, Cow<'a, Entry>);

fn guarded<'a>(
    rows: &mut Rows,
    change: &Change,
    write: &'a Write,
    done: &mut Done,
) -> Result<Option<Moved<'a>>, Stop> {
    let (owner, entry) = match *write {
        Write::Hold {
            account,
            order,
            amount,
        } => {
            not_below_zero(amount)?;
            refuse_if(rows.holds.contains_key(&order), Refused::Stale)?;
            let hold = Hold {
                account,
                first: amount,
                changes: BTreeMap::new(),
                resolution: None,
                adjustments: BTreeMap::new(),
            };
            put!(rows, done, holds, order, hold);
            (account, Entry::hold(account, order, amount))
        }
        Write::Rehold { account, .. } => (account, rehold(rows, write, done)?),
        Write::Resolve { account, .. } => (account, resolve(rows, change, write, done)?),
        Write::Adjust { account, .. } => (account, adjust(rows, write, done)?),
        Write::Credit {
            account,
            row,
            amount,
            ..
        } => {
            above_zero(amount)?;
            let there = rows.wallets.contains_key(&account);
            refuse_if(!there, Refused::NoSuchAccount)?;
            refuse_if(rows.credits.contains_key(&row), Refused::Stale)?;
            put!(rows, done, credits, row, (account, amount));
            (account, Entry::credit(account, row, amount))
        }
        Write::Book(ref entry) => {
            let mut customers = entry.postings.iter().filter_map(|leg| leg.book.customer());
            return Ok(Some((customers.next(), Cow::Borrowed(entry))));
        }
        _ => return Ok(None),
    };
    Ok(Some((Some(owner), Cow::Owned(entry))))
}

/// A write of another kind came here.
fn misplaced(write: &Write) -> Stop {
    Stop::Wrong(format!("{write:?} is not of this kind"))
}

fn rehold(rows: &mut Rows, write: &Write, done: &mut Done) -> Result<Entry, Stop> {
    let &Write::Rehold {
        account,
        order,
        seq,
        from,
        to,
    } = write
    else {
        return Err(misplaced(write));
    };
    not_below_zero(to)?;
    let mut hold = open_hold(rows, order)?;
    refuse_if(hold.amount() != from, Refused::Stale)?;
    owned(&hold, account, order)?;
    let more = Usd(to.0 - from.0);
    refuse_if(hold.changes.insert(seq, more).is_some(), Refused::Stale)?;
    put!(rows, done, holds, order, hold);
    Ok(Entry::hold_change(account, order, seq, more))
}

fn resolve(
    rows: &mut Rows,
    change: &Change,
    write: &Write,
    done: &mut Done,
) -> Result<Entry, Stop> {
    let &Write::Resolve {
        account,
        order,
        held,
        posted,
        reason,
    } = write
    else {
        return Err(misplaced(write));
    };
    let mut hold = open_hold(rows, order)?;
    owned(&hold, account, order)?;
    if hold.amount() != held || posted < Usd::ZERO || posted > held {
        let what = format!("order {order}: {posted} of {held} posted");
        return Err(Stop::Wrong(what));
    }
    let released = Usd(held.0 - posted.0);
    hold.resolution = Some((posted, released, reason, change.at));
    put!(rows, done, holds, order, hold);
    Ok(Entry::resolution(account, order, held, posted))
}

fn adjust(rows: &mut Rows, write: &Write, done: &mut Done) -> Result<Entry, Stop> {
    let &Write::Adjust {
        account,
        order,
        seq,
        amount,
        observation,
    } = write
    else {
        return Err(misplaced(write));
    };
    above_zero(amount)?;
    let hold = rows.holds.get(&order).cloned();
    let mut hold = hold.ok_or(Stop::Refused(Refused::Stale))?;
    let resolution = hold.resolution.ok_or(Stop::Refused(Refused::Stale))?;
    let back = resolution.1.0 + hold.adjusted().0 + amount.0;
    if hold.account != account || back > hold.amount().0 {
        return Err(Stop::Wrong(format!("order {order}: {back} would go back")));
    }
    let taken = hold
        .adjustments
        .insert(seq, (amount, observation))
        .is_some();
    refuse_if(taken, Refused::Stale)?;
    put!(rows, done, holds, order, hold);
    Ok(Entry::adjustment(account, order, seq, amount))
}

fn not_below_zero(amount: Usd) -> Result<(), Stop> {
    match amount >= Usd::ZERO {
        true => Ok(()),
        false => Err(Stop::Wrong(format!("a hold of {amount}"))),
    }
}

fn above_zero(amount: Usd) -> Result<(), Stop> {
    match amount > Usd::ZERO {
        true => Ok(()),
        false => Err(Stop::Wrong(format!("an amount of {amount}"))),
    }
}

fn open_hold(rows: &Rows, order: OrderId) -> Result<Hold, Stop> {
    let hold = rows.holds.get(&order).cloned();
    hold.filter(|hold| hold.resolution.is_none())
        .ok_or(Stop::Refused(Refused::Stale))
}

fn owned(hold: &Hold, account: AccountId, order: OrderId) -> Result<(), Stop> {
    match hold.account == account {
        true => Ok(()),
        false => Err(Stop::Wrong(format!("order {order} is not of {account}"))),
    }
}

/// The entry in the journal, and the wallet after it.
fn post(
    rows: &mut Rows,
    change: &Change,
    write: &Write,
    (owner, entry): (Option<AccountId>, &Entry),
    done: &mut Done,
) -> Result<(), Stop> {
    refuse_if(rows.causes.contains(&entry.cause), Refused::Stale)?;
    let id = i64::try_from(rows.journal.len()).unwrap_or(i64::MAX) + 1;
    let mut kept = None;
    if let Some(owner) = owner {
        let before = rows.wallets.get(&owner).copied();
        let before = before.ok_or(Stop::Refused(Refused::NoSuchAccount))?;
        let after = before.wallet.after(owner, entry).map_err(|_| match write {
            Write::Hold { .. } | Write::Rehold { .. } => Stop::Refused(Refused::InsufficientFunds),
            _ => Stop::Wrong(format!("{entry:?} does not fit {:?}", before.wallet)),
        })?;
        kept = Some((
            owner,
            before,
            Kept {
                wallet: after,
                ..before
            },
        ));
    }
    let (kind, reference, seq) = entry.cause.parts();
    let at = change.at;
    let event = chain::Event {
        kind,
        reference,
        seq,
        at,
    };
    let mut legs = Vec::with_capacity(entry.postings.len());
    let mut customer = None;
    for leg in &entry.postings {
        let link = leg.book.customer().and_then(|of| {
            let (owner, _, kept) = kept.as_mut().filter(|(owner, ..)| *owner == of)?;
            customer = Some(*owner);
            kept.chain = chain::extend(&kept.chain, event, *owner, leg);
            Some(kept.chain)
        });
        legs.push((leg.clone(), link));
    }
    let previous = customer.and(kept.and_then(|(_, before, _)| before.last_event));
    rows.causes.insert(entry.cause);
    let cause = entry.cause;
    rows.journal.push(Event {
        cause,
        at,
        customer,
        previous,
        legs,
    });
    done.undo(move |rows| {
        rows.journal.pop();
        rows.causes.remove(&cause);
    });
    if let (Some(owner), Some((_, _, mut kept))) = (customer, kept) {
        kept.last_event = Some(id);
        put!(rows, done, wallets, owner, kept);
    }
    Ok(())
}
