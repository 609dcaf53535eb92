//! What is kept, and the questions that are asked of it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use domain::access::{Account, ApiKey, KeyClaim};
use domain::activation::{Activation, ActivationState};
use domain::attempt::Attempt;
use domain::balance::BalanceReading;
use domain::change::Reason;
use domain::ids::{AccountId, KeyId, OrderId};
use domain::ledger::{Cause, Posting, Wallet};
use domain::order::Told;
use domain::orphan::Orphan;
use domain::ports::{EndedActivation, Page};
use domain::smm_order::{Observation, SmmOrder, SmmState};
use domain::smm_request::SmmRequest;
use domain::ticket::Ticket;
use domain::time::Timestamp;
use domain::upstream::Sms;
use domain::usd::Usd;

use crate::chain::Link;

/// Rows at most in one page.
const PAGE_MAX: u32 = 100;

/// A wallet at the end of its chain.
#[derive(Clone, Copy)]
pub(super) struct Kept {
    pub(super) wallet: Wallet,
    pub(super) chain: Link,
    pub(super) last_event: Option<i64>,
}

/// An event of the journal with its legs. Its id is its place, from 1.
pub(super) struct Event {
    pub(super) cause: Cause,
    pub(super) at: Timestamp,
    pub(super) customer: Option<AccountId>,
    pub(super) previous: Option<i64>,
    pub(super) legs: Vec<(Posting, Option<Link>)>,
}

/// Money set aside, and what became of it.
#[derive(Clone)]
pub(super) struct Hold {
    pub(super) account: AccountId,
    /// As it was first set aside.
    pub(super) first: Usd,
    /// Each change, by the number of its attempt.
    pub(super) changes: BTreeMap<i64, Usd>,
    /// Posted, released, why and when.
    pub(super) resolution: Option<(Usd, Usd, Reason, Timestamp)>,
    /// By number, with that of the observation that each rests on.
    pub(super) adjustments: BTreeMap<i64, (Usd, Option<i64>)>,
}

impl Hold {
    /// What is held, or was when it was resolved.
    pub(super) fn amount(&self) -> Usd {
        Usd(self.first.0 + self.changes.values().map(|more| more.0).sum::<i64>())
    }

    /// What went back since the resolution.
    pub(super) fn adjusted(&self) -> Usd {
        Usd(self.adjustments.values().map(|(more, _)| more.0).sum())
    }
}

/// Everything.
#[derive(Default)]
pub(super) struct Rows {
    pub(super) accounts: BTreeMap<AccountId, Account>,
    pub(super) keys: BTreeMap<KeyId, ApiKey>,
    pub(super) wallets: BTreeMap<AccountId, Kept>,
    pub(super) claims: HashMap<(AccountId, String, String), KeyClaim>,
    pub(super) activations: BTreeMap<OrderId, Activation>,
    pub(super) smm_orders: BTreeMap<OrderId, SmmOrder>,
    pub(super) requests: BTreeMap<i64, SmmRequest>,
    pub(super) service_ids: BTreeMap<String, (String, String, String)>,
    pub(super) attempts: BTreeMap<(OrderId, i64), Attempt>,
    pub(super) first_attempts: BTreeMap<String, Timestamp>,
    pub(super) known_lists: BTreeMap<String, Timestamp>,
    /// Upstream, its ids, and whose each is.
    pub(super) links: BTreeMap<String, HashMap<String, Option<OrderId>>>,
    pub(super) messages: BTreeMap<(OrderId, i64), Sms>,
    pub(super) observations: BTreeMap<(OrderId, i64), Observation>,
    pub(super) holds: BTreeMap<OrderId, Hold>,
    pub(super) credits: BTreeMap<i64, (AccountId, Usd)>,
    pub(super) journal: Vec<Event>,
    pub(super) causes: HashSet<Cause>,
    pub(super) orphans: BTreeMap<i64, Orphan>,
    pub(super) readings: BTreeMap<String, Vec<BalanceReading>>,
    pub(super) tickets: BTreeMap<i64, Ticket>,
}

/// Due rows, the longest due first.
pub(super) fn due<'a, T: Clone + 'a>(
    rows: impl Iterator<Item = &'a T>,
    due_at: impl Fn(&T) -> Option<Timestamp>,
    now: Timestamp,
    limit: u32,
) -> Vec<T> {
    let mut due: Vec<(Timestamp, &T)> = rows
        .filter_map(|row| Some((due_at(row).filter(|at| *at <= now)?, row)))
        .collect();
    due.sort_by_key(|(at, _)| *at);
    let first = due.into_iter().take(limit as usize);
    first.map(|(_, row)| row.clone()).collect()
}

impl Rows {
    /// A key's claim that has not expired.
    pub(super) fn claim(
        &self,
        account: AccountId,
        endpoint: &str,
        key: &str,
        now: Timestamp,
    ) -> Option<&KeyClaim> {
        let place = (account, endpoint.to_owned(), key.to_owned());
        self.claims.get(&place).filter(|kept| kept.expires_at > now)
    }

    /// Whose an upstream id is, if it was ever linked.
    pub(super) fn link(&self, upstream: &str, id: &str) -> Option<Option<OrderId>> {
        self.links.get(upstream)?.get(id).copied()
    }

    /// All attempts of an order, first one first.
    pub(super) fn attempts_of(&self, order: OrderId) -> impl DoubleEndedIterator<Item = &Attempt> {
        let all = self.attempts.range((order, i64::MIN)..=(order, i64::MAX));
        all.map(|(_, attempt)| attempt)
    }

    /// An account's activations that their client may know of, newest first.
    pub(super) fn activations_of(&self, account: AccountId, page: &Page) -> Vec<Activation> {
        let newest_first = self.activations.values().rev();
        let wanted = newest_first.filter(|row| {
            let facts = (row.id, row.told, row.created_at, row.state.slug());
            row.account == account && is_on(page, facts)
        });
        let limit = page.limit.clamp(1, PAGE_MAX) as usize;
        wanted.take(limit).cloned().collect()
    }

    /// The same of SMM orders.
    pub(super) fn smm_orders_of(&self, account: AccountId, page: &Page) -> Vec<SmmOrder> {
        let shown = |row: &SmmOrder| {
            let word = row.public_progress().word();
            page.progress.is_empty() || page.progress.contains(&word)
        };
        let newest_first = self.smm_orders.values().rev();
        let wanted = newest_first.filter(|row| {
            let facts = (row.id, row.told, row.created_at, row.state.slug());
            row.account == account && is_on(page, facts) && shown(row)
        });
        let limit = page.limit.clamp(1, PAGE_MAX) as usize;
        wanted.take(limit).cloned().collect()
    }

    /// Upstreams at which the time of an activation or an orphan has come, by name.
    pub(super) fn upstreams_due(&self, now: Timestamp) -> Vec<String> {
        let is_due = |due_at: Option<Timestamp>| due_at.is_some_and(|at| at <= now);
        let numbers = self.activations.values().filter(|row| is_due(row.due_at));
        let orphans = self.orphans.values().filter(|row| is_due(row.due_at));
        let numbers = numbers.map(|row| row.upstream.as_str());
        let names = numbers.chain(orphans.map(|row| row.upstream.as_str()));
        let sorted: BTreeSet<&str> = names.collect();
        sorted.into_iter().map(str::to_owned).collect()
    }

    /// Those that may still receive something.
    pub(super) fn live(&self, upstream: &str) -> Vec<Activation> {
        use ActivationState as S;
        let here = || {
            let all = self.activations.values();
            all.filter(|row| row.upstream == upstream)
        };
        let waiting = here().filter(|row| {
            matches!(row.state, S::Active | S::CancelRequested) && row.upstream_id.is_some()
        });
        let received = here().filter(|row| row.state == S::Received && row.due_at.is_some());
        waiting.chain(received).cloned().collect()
    }

    /// In doubt, oldest first.
    pub(super) fn activations_in_doubt(&self, upstream: &str) -> Vec<Activation> {
        let in_doubt =
            |row: &&Activation| row.upstream == upstream && row.state == ActivationState::InDoubt;
        self.activations
            .values()
            .filter(in_doubt)
            .cloned()
            .collect()
    }

    /// In doubt, oldest first.
    pub(super) fn smm_orders_in_doubt(&self, upstream: &str) -> Vec<SmmOrder> {
        let in_doubt = |row: &&SmmOrder| row.upstream == upstream && row.state == SmmState::InDoubt;
        self.smm_orders.values().filter(in_doubt).cloned().collect()
    }

    /// The latest that ended after a number was shown.
    pub(super) fn ended(&self, limit: u32) -> Vec<EndedActivation> {
        use ActivationState as S;
        let newest_first = self.activations.values().rev();
        let ended = newest_first.filter_map(|row| {
            let over = matches!(row.state, S::Received | S::Cancelled);
            row.disclosed_at.filter(|_| over)?;
            let (_, _, reason, at) = self.holds.get(&row.id)?.resolution?;
            Some((row.clone(), reason, at))
        });
        ended.take(limit as usize).collect()
    }
}

fn is_on(page: &Page, (id, told, created_at, state): (OrderId, Told, Timestamp, &str)) -> bool {
    told != Told::Failed
        && page.before.is_none_or(|before| id < before)
        && page.since.is_none_or(|since| created_at >= since)
        && (page.states.is_empty() || page.states.contains(&state))
}
