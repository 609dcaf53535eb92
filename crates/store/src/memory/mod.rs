//! For the simulation and the contract alone: a store that is nothing but maps. It keeps what the
//! engine needs, by the same rules as the database, and refuses what it does not keep. The contract
//! runs on it as on the database, so that it cannot drift.

mod audit;
mod money;
mod pace;
mod position;
mod rows;
mod write;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::access::{Account, ApiKey, Caller, KeyClaim};
use domain::activation::Activation;
use domain::attempt::Attempt;
use domain::balance::{Position, Suspects};
use domain::books::HouseLeg;
use domain::change::{Change, CommitError, Refused};
use domain::ids::{AccountId, KeyId, OrderId};
use domain::ledger::Wallet;
use domain::orphan::Orphan;
use domain::ports::{AtPanels, Audit, EndedActivation, Page, Read, Store};
use domain::smm_order::SmmOrder;
use domain::smm_request::SmmRequest;
use domain::ticket::{Ticket, TicketKind};
use domain::time::Timestamp;
use domain::upstream::Pending;

use rows::Rows;

/// Order ids start above this, as in the database.
const FIRST_ORDER: i64 = 100_000;

/// Why a change stopped.
#[derive(Debug)]
enum Stop {
    /// A guard.
    Refused(Refused),
    /// The change breaks a rule that no caller may break.
    Wrong(String),
}

impl Stop {
    fn into_commit_error(self) -> CommitError {
        match self {
            Self::Refused(refused) => CommitError::Refused(refused),
            Self::Wrong(what) => CommitError::Storage(what),
        }
    }
}

/// The store in memory. Every future is ready when it is first polled.
pub struct Memory {
    rows: Mutex<Rows>,
    last_order: AtomicI64,
    last_row: AtomicI64,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            rows: Mutex::default(),
            last_order: AtomicI64::new(FIRST_ORDER),
            last_row: AtomicI64::new(0),
        }
    }
}

impl Memory {
    fn rows(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask<T: Send + 'static>(&self, query: impl FnOnce(&Rows) -> T) -> Read<'_, T> {
        let found = query(&self.rows());
        Box::pin(std::future::ready(Ok(found)))
    }
}

impl Store for Memory {
    fn commit(&self, change: Change) -> Pending<'_, Result<(), CommitError>> {
        Box::pin(async move {
            let written = self.rows().apply(&change);
            written.map_err(Stop::into_commit_error)
        })
    }

    fn next_order_id(&self) -> OrderId {
        OrderId(self.last_order.fetch_add(1, Ordering::Relaxed) + 1)
    }

    fn next_row_id(&self) -> i64 {
        self.last_row.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn caller<'a>(&'a self, public_id: &'a str) -> Read<'a, Option<Caller>> {
        self.ask(|rows| {
            let mut keys = rows.keys.values();
            let key = keys.find(|key| key.public_id == public_id)?.clone();
            let account = rows.accounts.get(&key.account)?.clone();
            Some(Caller { key, account })
        })
    }

    fn account(&self, id: AccountId) -> Read<'_, Option<Account>> {
        self.ask(|rows| rows.accounts.get(&id).cloned())
    }

    fn accounts(&self) -> Read<'_, Vec<Account>> {
        self.ask(|rows| rows.accounts.values().cloned().collect())
    }

    fn keys(&self, account: AccountId) -> Read<'_, Vec<ApiKey>> {
        self.ask(|rows| {
            let keys = rows.keys.values();
            keys.filter(|key| key.account == account).cloned().collect()
        })
    }

    fn key(&self, id: KeyId) -> Read<'_, Option<ApiKey>> {
        self.ask(|rows| rows.keys.get(&id).cloned())
    }

    fn wallet(&self, account: AccountId) -> Read<'_, Option<Wallet>> {
        self.ask(|rows| rows.wallets.get(&account).map(|kept| kept.wallet))
    }

    fn claim<'a>(
        &'a self,
        account: AccountId,
        endpoint: &'a str,
        key: &'a str,
        now: Timestamp,
    ) -> Read<'a, Option<KeyClaim>> {
        self.ask(|rows| rows.claim(account, endpoint, key, now).cloned())
    }

    fn activation(&self, id: OrderId) -> Read<'_, Option<Activation>> {
        self.ask(|rows| rows.activations.get(&id).cloned())
    }

    fn activations<'a>(&'a self, account: AccountId, page: &'a Page) -> Read<'a, Vec<Activation>> {
        self.ask(|rows| rows.activations_of(account, page))
    }

    fn activations_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<Activation>> {
        self.ask(|rows| rows::due(rows.activations.values(), |row| row.due_at, now, limit))
    }

    fn upstreams_due(&self, now: Timestamp) -> Read<'_, Vec<String>> {
        self.ask(|rows| rows.upstreams_due(now))
    }

    fn claim_activations<'a>(
        &'a self,
        upstream: &'a str,
        now: Timestamp,
        limit: u32,
    ) -> Read<'a, Vec<Activation>> {
        self.ask(|rows| {
            let all = rows.activations.values();
            let here = all.filter(|row| row.upstream == upstream);
            rows::due(here, |row| row.due_at, now, limit)
        })
    }

    fn activations_live<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<Activation>> {
        self.ask(|rows| rows.live(upstream))
    }

    fn activations_in_doubt<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<Activation>> {
        self.ask(|rows| rows.activations_in_doubt(upstream))
    }

    fn activations_ended(&self, limit: u32) -> Read<'_, Vec<EndedActivation>> {
        self.ask(|rows| rows.ended(limit))
    }

    fn smm_order(&self, id: OrderId) -> Read<'_, Option<SmmOrder>> {
        self.ask(|rows| rows.smm_orders.get(&id).cloned())
    }

    fn smm_orders<'a>(&'a self, account: AccountId, page: &'a Page) -> Read<'a, Vec<SmmOrder>> {
        self.ask(|rows| rows.smm_orders_of(account, page))
    }

    fn smm_orders_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<SmmOrder>> {
        self.ask(|rows| rows::due(rows.smm_orders.values(), |row| row.due_at, now, limit))
    }

    fn claim_smm_orders<'a>(
        &'a self,
        at: &'a AtPanels,
        now: Timestamp,
        limit: u32,
    ) -> Read<'a, Vec<SmmOrder>> {
        self.ask(|rows| {
            let all = rows.smm_orders.values();
            let here = all.filter(|row| at.takes_in(&row.upstream));
            rows::due(here, |row| row.due_at, now, limit)
        })
    }

    fn smm_orders_in_doubt<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<SmmOrder>> {
        self.ask(|rows| rows.smm_orders_in_doubt(upstream))
    }

    fn smm_request(&self, id: i64) -> Read<'_, Option<SmmRequest>> {
        self.ask(|rows| rows.requests.get(&id).cloned())
    }

    fn smm_requests(&self, order: OrderId) -> Read<'_, Vec<SmmRequest>> {
        self.ask(|rows| {
            let newest_first = rows.requests.values().rev();
            let of_order = newest_first.filter(|one| one.order == order);
            of_order.cloned().collect()
        })
    }

    fn smm_requests_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<SmmRequest>> {
        self.ask(|rows| rows::due(rows.requests.values(), |row| row.due_at, now, limit))
    }

    fn claim_smm_requests<'a>(
        &'a self,
        at: &'a AtPanels,
        now: Timestamp,
        limit: u32,
    ) -> Read<'a, Vec<SmmRequest>> {
        self.ask(|rows| {
            let all = rows.requests.values();
            let here = all.filter(|row| at.takes_in(&row.upstream));
            rows::due(here, |row| row.due_at, now, limit)
        })
    }

    fn smm_service_ids(&self) -> Read<'_, Vec<(String, String, String)>> {
        self.ask(|rows| rows.service_ids.clone().into_values().collect())
    }

    fn attempts(&self, order: OrderId) -> Read<'_, Vec<Attempt>> {
        self.ask(|rows| rows.attempts_of(order).cloned().collect())
    }

    fn linked<'a>(&'a self, upstream: &'a str, ids: &'a [String]) -> Read<'a, Vec<String>> {
        self.ask(|rows| {
            let linked = |id: &&String| rows.link(upstream, id).is_some();
            ids.iter().filter(linked).cloned().collect()
        })
    }

    fn linked_order<'a>(&'a self, upstream: &'a str, id: &'a str) -> Read<'a, Option<OrderId>> {
        self.ask(|rows| rows.link(upstream, id).flatten())
    }

    fn first_attempt_at<'a>(&'a self, upstream: &'a str) -> Read<'a, Option<Timestamp>> {
        self.ask(|rows| rows.first_attempts.get(upstream).copied())
    }

    fn list_known_at<'a>(&'a self, upstream: &'a str) -> Read<'a, Option<Timestamp>> {
        self.ask(|rows| rows.known_lists.get(upstream).copied())
    }

    fn orphans_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<Orphan>> {
        self.ask(|rows| rows::due(rows.orphans.values(), |row| row.due_at, now, limit))
    }

    fn claim_orphans<'a>(
        &'a self,
        upstream: &'a str,
        now: Timestamp,
        limit: u32,
    ) -> Read<'a, Vec<Orphan>> {
        self.ask(|rows| {
            let all = rows.orphans.values();
            let here = all.filter(|row| row.upstream == upstream);
            rows::due(here, |row| row.due_at, now, limit)
        })
    }

    fn position<'a>(&'a self, upstream: &'a str) -> Read<'a, Position> {
        self.ask(|rows| rows.position(upstream))
    }

    fn suspects<'a>(&'a self, upstream: &'a str, since: Timestamp) -> Read<'a, Suspects> {
        self.ask(|rows| rows.suspects(upstream, since))
    }

    fn settled_before<'a>(
        &'a self,
        upstream: &'a str,
        at: Timestamp,
    ) -> Read<'a, Option<Timestamp>> {
        self.ask(|rows| rows.settled_before(upstream, at))
    }

    fn house_events(&self, from: Timestamp, until: Timestamp) -> Read<'_, Vec<Vec<HouseLeg>>> {
        self.ask(|rows| rows.house_events(from, until))
    }

    fn tickets(&self, open_only: bool, limit: u32) -> Read<'_, Vec<Ticket>> {
        self.ask(|rows| {
            let newest_first = rows.tickets.values().rev();
            let wanted = newest_first.filter(|one| !open_only || one.closed_at.is_none());
            wanted.take(limit as usize).cloned().collect()
        })
    }

    fn open_tickets(&self, kind: TicketKind) -> Read<'_, Vec<Ticket>> {
        self.ask(move |rows| {
            let newest_first = rows.tickets.values().rev();
            let wanted = newest_first.filter(|one| one.closed_at.is_none() && one.kind == kind);
            wanted.cloned().collect()
        })
    }

    fn audit(&self, now: Timestamp) -> Read<'_, Audit> {
        self.ask(|rows| audit::run(rows, now))
    }

    fn healthy(&self) -> bool {
        true
    }
}
