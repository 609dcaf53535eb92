//! First pass over a change: every guard, by reads alone. A change that stops here has left no
//! trace. What a change itself inserts counts for the guards of its later writes where money
//! depends on it: new accounts and new holds.

use std::borrow::Cow;

use crate::sql::Connection;
use domain::access::Account;
use domain::activation::{Activation, ActivationState};
use domain::change::{Change, Refused, Write};
use domain::ids::{AccountId, OrderId};
use domain::ledger::{Entry, Wallet};
use domain::link;
use domain::policy::{BlockedKind, PolicyWrite};
use domain::time::Timestamp;
use domain::top_up::TopUpWrite;
use domain::usd::Usd;

use super::journal::{HoldRow, Wallets};
use super::{
    access, activation, attempt, audit_log, balance, desk, journal, own_number, people, policy,
    redeem, retention, smm_order, smm_request, smm_service, top_up,
};
use crate::sql::fault::Fault;

/// What the guards worked out for the second pass.
pub(crate) struct Passed<'c> {
    /// For each write its journal entry, if it has one.
    pub(crate) entries: Vec<Option<Cow<'c, Entry>>>,
    /// Wallets after the whole change.
    pub(crate) wallets: Vec<(AccountId, Wallet)>,
}

/// Checks every guard of a change.
pub(crate) fn check<'c>(
    conn: &dyn Connection,
    wallets: &mut Wallets,
    change: &'c Change,
) -> Result<Passed<'c>, Fault> {
    let mut guard = Guard {
        conn,
        change,
        wallets,
        after: Vec::new(),
        holds: Vec::new(),
    };
    let mut entries = Vec::with_capacity(change.writes.len());
    for write in &change.writes {
        guard.write(write)?;
        let entry = guard.entry_of(write)?;
        if let Some(entry) = &entry {
            guard.post(write, entry)?;
        }
        entries.push(entry);
    }
    Ok(Passed {
        entries,
        wallets: guard.after,
    })
}

/// The journal entry a write makes by itself, whatever the wallet has.
fn entry_of(write: &Write) -> Option<Cow<'_, Entry>> {
    let entry = match *write {
        Write::Hold {
            account,
            order,
            amount,
        } => Entry::hold(account, order, amount),
        Write::Rehold {
            account,
            order,
            seq,
            from,
            to,
        } => Entry::hold_change(account, order, seq, Usd(to.0 - from.0)),
        Write::Resolve {
            account,
            order,
            held,
            posted,
            ..
        } => Entry::resolution(account, order, held, posted),
        Write::Adjust {
            account,
            order,
            seq,
            amount,
            ..
        } => Entry::adjustment(account, order, seq, amount),
        Write::Credit {
            account,
            row,
            amount,
            ..
        } => Entry::credit(account, row, amount),
        Write::Debit {
            account,
            row,
            amount,
            ..
        } => Entry::debit(account, row, amount),
        Write::Redeem {
            account,
            code,
            amount,
            source,
        } => Entry::redeem(account, code, amount, source),
        Write::Book(ref entry) => return Some(Cow::Borrowed(entry)),
        _ => return None,
    };
    Some(Cow::Owned(entry))
}

struct Guard<'a> {
    conn: &'a dyn Connection,
    change: &'a Change,
    wallets: &'a mut Wallets,
    after: Vec<(AccountId, Wallet)>,
    holds: Vec<(OrderId, AccountId, Usd)>,
}

fn refuse_if(refused: bool, why: Refused) -> Result<(), Fault> {
    if refused {
        Err(Fault::Refused(why))
    } else {
        Ok(())
    }
}

impl Guard<'_> {
    fn write(&mut self, write: &Write) -> Result<(), Fault> {
        let conn = self.conn;
        match write {
            Write::UpdateActivation(a) => {
                refuse_if(!activation::is_current(conn, a)?, Refused::Stale)?;
                self.number_free(a)
            }
            Write::InsertSmmOrder(o) => {
                let blocked =
                    policy::is_blocked(conn, BlockedKind::Target, &link::target(&o.link))?;
                refuse_if(blocked, Refused::TargetBlocked)?;
                let open = smm_order::is_open(conn, &o.service_id, &o.link)?;
                refuse_if(open, Refused::DuplicateOpenLink)
            }
            Write::UpdateSmmOrder(o) => refuse_if(!smm_order::is_current(conn, o)?, Refused::Stale),
            Write::InsertSmmRequest(r) => {
                let open = smm_request::is_open(conn, r.order, r.kind)?;
                refuse_if(open, Refused::RequestOpen)
            }
            Write::UpdateSmmRequest(r) => {
                refuse_if(!smm_request::is_current(conn, r)?, Refused::Stale)
            }
            Write::NumberSmmService {
                id,
                upstream,
                service,
            } => {
                let numbered = smm_service::is_numbered(conn, id, upstream, service)?;
                refuse_if(numbered, Refused::Stale)
            }
            Write::UpdateOrphan(o) => {
                refuse_if(!attempt::is_current_orphan(conn, o)?, Refused::Stale)
            }
            Write::ReadBalance(reading) => {
                refuse_if(!balance::is_next(conn, reading)?, Refused::Stale)
            }
            Write::CloseTicket { ticket, .. } => {
                refuse_if(!balance::is_open(conn, *ticket)?, Refused::Stale)
            }
            Write::Link {
                upstream,
                upstream_id,
                ..
            } => {
                let linked = attempt::is_linked(conn, upstream, upstream_id)?;
                refuse_if(linked, Refused::UpstreamIdTaken)
            }
            Write::Hold { .. }
            | Write::Rehold { .. }
            | Write::Resolve { .. }
            | Write::Adjust { .. }
            | Write::Credit { .. }
            | Write::Debit { .. }
            | Write::Redeem { .. } => self.money(write),
            _ => self.beside(write),
        }
    }

    /// Writes whose rows have a room of their own.
    fn beside(&mut self, write: &Write) -> Result<(), Fault> {
        let conn = self.conn;
        match write {
            Write::TopUp(write) => {
                if let TopUpWrite::Insert(row) = write {
                    self.account_there(row.account)?;
                }
                top_up::check(conn, write)
            }
            Write::RedeemCode(write) => redeem::check(conn, write),
            Write::Pool(write) => own_number::check(conn, write, self.change.at),
            Write::Policy(write) => {
                match write {
                    PolicyWrite::Attest(one) => self.account_there(one.account)?,
                    PolicyWrite::RaiseCase(case) => self.account_there(case.account)?,
                    PolicyWrite::ForgetAccount(account) => self.nothing_left(*account)?,
                    _ => {}
                }
                policy::check(conn, write, self.change.at)
            }
            Write::Audit(write) => audit_log::check(conn, write),
            Write::Desk(write) => {
                if let Some(account) = desk::account_of(write) {
                    self.account_there(account)?;
                }
                desk::check(conn, write)
            }
            _ => self.access(write),
        }
    }

    /// Writes about who may ask; all others have no guard.
    fn access(&mut self, write: &Write) -> Result<(), Fault> {
        let conn = self.conn;
        match write {
            Write::Claim(claim) => {
                let at = self.change.at;
                let taken = access::claim(conn, claim.account, &claim.endpoint, &claim.key, at)?;
                refuse_if(taken.is_some(), Refused::KeyTaken)
            }
            Write::InsertAccount(account) => {
                self.email_free(account)?;
                self.after.push((account.id, Wallet::default()));
                Ok(())
            }
            Write::UpdateAccount(account) => {
                self.account_there(account.id)?;
                self.email_free(account)
            }
            Write::People(write) => people::check(conn, write, self.change.at),
            Write::InsertKey(key) => self.account_there(key.account),
            Write::UpdateKey(key) => refuse_if(!access::key_exists(conn, key.id)?, Refused::Stale),
            Write::RevokeKey { key, .. } => {
                refuse_if(!access::key_exists(conn, *key)?, Refused::Stale)
            }
            _ => Ok(()),
        }
    }

    fn money(&mut self, write: &Write) -> Result<(), Fault> {
        match write {
            Write::Hold {
                account,
                order,
                amount,
            } => self.hold(*account, *order, *amount),
            Write::Rehold {
                account,
                order,
                from,
                to,
                ..
            } => self.rehold((*account, *order), *from, *to),
            Write::Resolve {
                account,
                order,
                held,
                posted,
                ..
            } => self.resolve(*account, *order, *held, *posted),
            Write::Adjust {
                account,
                order,
                amount,
                ..
            } => self.adjust(*account, *order, *amount),
            Write::Credit { amount, .. } => positive("a credit", *amount),
            Write::Debit { amount, .. } => positive("a debit", *amount),
            Write::Redeem {
                code,
                amount,
                source,
                ..
            } => {
                let worth = (*amount, *source);
                let open = redeem::is_open(self.conn, *code, worth, self.change.at)?;
                refuse_if(!open, Refused::Stale)
            }
            _ => Ok(()),
        }
    }

    /// A number that is about to become visible must not be somebody else's living one.
    fn number_free(&self, a: &Activation) -> Result<(), Fault> {
        let links =
            |write: &Write| matches!(write, Write::Link { order, .. } if *order == Some(a.id));
        let (ActivationState::Active, Some(phone)) = (a.state, &a.phone) else {
            return Ok(());
        };
        if !self.change.writes.iter().any(links) {
            return Ok(());
        }
        let now: Timestamp = self.change.at;
        let taken = activation::number_lives_elsewhere(self.conn, phone, a.account, now)?;
        refuse_if(taken, Refused::NumberTaken)?;
        // whoever asked not to be used is told of to nobody: it is given back like a taken one
        let blocked = policy::is_blocked(self.conn, BlockedKind::Number, phone.digits())?;
        refuse_if(blocked, Refused::NumberTaken)
    }

    fn email_free(&self, account: &Account) -> Result<(), Fault> {
        let taken = access::email_taken(self.conn, &account.email, account.id)?;
        refuse_if(taken, Refused::EmailTaken)
    }

    fn account_there(&self, id: AccountId) -> Result<(), Fault> {
        let new = self.after.iter().any(|(account, _)| *account == id);
        let there = new || access::account_exists(self.conn, id)?;
        refuse_if(!there, Refused::NoSuchAccount)
    }

    fn hold(&mut self, account: AccountId, order: OrderId, amount: Usd) -> Result<(), Fault> {
        if amount < Usd::ZERO {
            return Err(Fault::Wrong(format!(
                "a hold of {amount} for order {order}"
            )));
        }
        let owes = self.wallet(account)?.receivable > Usd::ZERO;
        refuse_if(owes, Refused::InDebt)?;
        self.holds.push((order, account, amount));
        Ok(())
    }

    fn held(&self, order: OrderId) -> Result<HoldRow, Fault> {
        let new = self.holds.iter().find(|(held, ..)| *held == order);
        let row = match new {
            Some(&(_, account, amount)) => Some(HoldRow {
                account,
                amount,
                released: None,
                adjusted: Usd::ZERO,
            }),
            None => journal::hold(self.conn, order)?,
        };
        row.ok_or(Fault::Refused(Refused::Stale))
    }

    fn rehold(
        &self,
        (account, order): (AccountId, OrderId),
        from: Usd,
        to: Usd,
    ) -> Result<(), Fault> {
        let hold = self.held(order)?;
        let moved = hold.released.is_some() || hold.amount != from;
        refuse_if(moved, Refused::Stale)?;
        if hold.account != account || to < Usd::ZERO {
            return Err(Fault::Wrong(format!(
                "a hold of {to} for order {order} and account {account}; the hold is of account {}",
                hold.account
            )));
        }
        Ok(())
    }

    fn resolve(
        &self,
        account: AccountId,
        order: OrderId,
        held: Usd,
        posted: Usd,
    ) -> Result<(), Fault> {
        let hold = self.held(order)?;
        refuse_if(hold.released.is_some(), Refused::Stale)?;
        let fits = hold.account == account && hold.amount == held;
        if !fits || posted < Usd::ZERO || posted > held {
            return Err(Fault::Wrong(format!(
                "resolution of order {order}: {posted} of {held} for account {account}, but \
                 {} is held for account {}",
                hold.amount, hold.account
            )));
        }
        Ok(())
    }

    fn adjust(&self, account: AccountId, order: OrderId, amount: Usd) -> Result<(), Fault> {
        positive("an adjustment", amount)?;
        let hold = self.held(order)?;
        let Some(released) = hold.released else {
            return Err(Fault::Refused(Refused::Stale));
        };
        let sum = released
            .checked_add(hold.adjusted)
            .and_then(|sum| sum.checked_add(amount));
        if hold.account != account || sum.is_none_or(|sum| sum > hold.amount) {
            return Err(Fault::Wrong(format!(
                "adjustment of order {order} by {amount}: {released} + {} of {} went back already",
                hold.adjusted, hold.amount
            )));
        }
        Ok(())
    }

    /// The journal entry a write makes. That of a top-up depends on what its customer owes.
    fn entry_of<'w>(&mut self, write: &'w Write) -> Result<Option<Cow<'w, Entry>>, Fault> {
        let Write::TopUp(about) = write else {
            return Ok(entry_of(write));
        };
        let Some(account) = about.account() else {
            return Ok(about.house_entry().map(Cow::Owned));
        };
        let uncleared = match about.needs_uncleared() {
            Some(row) => top_up::uncleared(self.conn, row)?,
            None => Usd::ZERO,
        };
        let wallet = self.wallet(account)?;
        let short = about.lacks_funds(&wallet, uncleared);
        refuse_if(short, Refused::InsufficientFunds)?;
        Ok(about.entry(&wallet, uncleared).map(Cow::Owned))
    }

    /// The entry against the wallet it touches.
    fn post(&mut self, write: &Write, entry: &Entry) -> Result<(), Fault> {
        if !entry.balances() {
            let (kind, reference, seq) = entry.cause.parts();
            return Err(Fault::Wrong(format!(
                "unbalanced entry {kind} {reference} {seq}: {:?}",
                entry.postings
            )));
        }
        let mut customers = entry.postings.iter().filter_map(|leg| leg.book.customer());
        let Some(owner) = customers.next().or(owner_of(write)) else {
            return Ok(());
        };
        if customers.any(|other| other != owner) {
            return Err(Fault::Wrong("an entry between two customers".into()));
        }
        let before = self.wallet(owner)?;
        let after = before.after(owner, entry).map_err(|_| match write {
            Write::Hold { .. } | Write::Rehold { .. } | Write::Debit { .. } => {
                Fault::Refused(Refused::InsufficientFunds)
            }
            _ => Fault::Wrong(format!(
                "{:?} does not fit the wallet of account {owner}: {before:?}",
                entry.postings
            )),
        })?;
        self.after.retain(|(account, _)| *account != owner);
        self.after.push((owner, after));
        Ok(())
    }

    /// Nothing of an account is open, owed to anybody or under legal hold.
    fn nothing_left(&mut self, account: AccountId) -> Result<(), Fault> {
        let wallet = self.wallet(account)?;
        let why_not = retention::keeps_account(self.conn, account, &wallet)?;
        refuse_if(why_not.is_some(), Refused::Stale)
    }

    fn wallet(&mut self, owner: AccountId) -> Result<Wallet, Fault> {
        if let Some((_, wallet)) = self.after.iter().find(|(account, _)| *account == owner) {
            return Ok(*wallet);
        }
        let stored = self.wallets.get(self.conn, owner)?;
        stored.ok_or(Fault::Refused(Refused::NoSuchAccount))
    }
}

/// The customer a write is about, also where its entry has no leg.
fn owner_of(write: &Write) -> Option<AccountId> {
    match write {
        Write::Hold { account, .. }
        | Write::Rehold { account, .. }
        | Write::Resolve { account, .. } => Some(*account),
        _ => None,
    }
}

fn positive(what: &str, amount: Usd) -> Result<(), Fault> {
    if amount > Usd::ZERO {
        Ok(())
    } else {
        Err(Fault::Wrong(format!("{what} of {amount}")))
    }
}
