//! A node's way to the store: the real one, with crashes and storage errors at its commits.

use crate::coverage::OF_NEXT_SERVICE;
use crate::executor::give_way;
use crate::mutants::{self, split_for_mutant};
use crate::node;
use crate::products;
use crate::world::World;
use domain::access::{Account, ApiKey, Caller, KeyClaim};
use domain::activation::Activation;
use domain::activation::ActivationState;
use domain::attempt::Attempt;
use domain::balance::{Position, Suspects};
use domain::books::HouseLeg;
use domain::change::{Change, CommitError, Refused, Write};
use domain::ids::{AccountId, KeyId, OrderId};
use domain::ledger::Wallet;
use domain::orphan::Orphan;
use domain::ports::{AtPanels, Audit, Page, Read, Store};
use domain::smm_order::SmmOrder;
use domain::smm_request::SmmRequest;
use domain::ticket::{Ticket, TicketKind};
use domain::time::{Millis, Timestamp};
use domain::upstream::Pending;
use std::sync::Arc;

/// See the module.
pub struct NodeStore {
    world: Arc<World>,
    inner: Arc<dyn Store>,
    node: usize,
}

/// What happens to one commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Plain,
    Slow,
    CrashBefore,
    CrashAfter,
    ErrorBefore,
    ErrorAfter,
}

/// Commits that seldom come: trouble looks for them, so that every cell is reached.
const RARE: [&str; 12] = [
    "next_route",
    "absent",
    "smm_absent",
    "smm_linked",
    "request_waits",
    "closed_upstream",
    "cancel_waits",
    "cancel_too_early",
    "number_disclosed",
    "order_refused",
    "watched",
    "order_taken_back",
];

impl NodeStore {
    /// The store as a node sees it.
    pub fn new(world: Arc<World>, inner: Arc<dyn Store>, node: usize) -> Self {
        Self { world, inner, node }
    }

    fn fate(&self, name: &str, is_next: bool) -> Fate {
        self.world.with(|state| {
            if !state.faults {
                return Fate::Plain;
            }
            let weight = match RARE.contains(&name) {
                true if is_next && name == "smm_linked" => 60,
                _ if is_next => 12,
                true => 6,
                false => 1,
            };
            let (crash, error) = (state.crashes_left > 0, state.storage_errors_left > 0);
            let fate = state.random.weighted(&[
                (700, Fate::Plain),
                (200, Fate::Slow),
                (if crash { 20 * weight } else { 0 }, Fate::CrashBefore),
                (if crash { 20 * weight } else { 0 }, Fate::CrashAfter),
                (if error { 12 * weight } else { 0 }, Fate::ErrorBefore),
                (if error { 12 * weight } else { 0 }, Fate::ErrorAfter),
            ]);
            match fate {
                Fate::CrashBefore | Fate::CrashAfter => state.crashes_left -= 1,
                Fate::ErrorBefore | Fate::ErrorAfter => state.storage_errors_left -= 1,
                Fate::Plain | Fate::Slow => {}
            }
            fate
        })
    }

    fn links_in_vain(&self, change: &Change) -> bool {
        let until = self.world.with(|state| state.links_fail_until);
        let links = |write: &Write| matches!(write, Write::Link { .. });
        self.world.now() < until && change.writes.iter().any(links)
    }

    /// Now and then the client goes away while its answer is being stored.
    fn maybe_hang_up(&self, name: &'static str) {
        let stores_answer = ["number_bought", "order_accepted"].contains(&name);
        if stores_answer
            && self.world.chance(150)
            && let Some(request) = self.world.request_served()
        {
            self.world.with(|state| state.cut.insert(request));
            self.world.hub.abort(request);
        }
    }

    async fn apply(&self, change: Change) -> Result<(), CommitError> {
        let mut outcome = Ok(());
        for (place, change) in split_for_mutant(self.inner.as_ref(), change)
            .await
            .into_iter()
            .enumerate()
        {
            if place > 0 {
                self.world.hub.sleep(Millis(20)).await;
            }
            outcome = self.inner.commit(change.clone()).await;
            match &outcome {
                Ok(()) => self.record(&change),
                Err(error) => {
                    if *error == CommitError::Refused(Refused::Stale) {
                        self.world.reach("race", "stale writer refused");
                    }
                    if let CommitError::Storage(text) = error {
                        let text = format!("{} was refused as wrong: {text}", change.name);
                        self.world.with(|state| state.violate("store", text));
                        // the schedule is lost, but its report should not be
                    }
                    self.world
                        .tell(|| format!("node {} {}: {error:?}", self.node, change.name));
                    break;
                }
            }
        }
        outcome
    }

    fn record(&self, change: &Change) {
        let served = self.world.purchase_served();
        let now = self.world.now();
        if let Some(race) = race(change, served.is_some()) {
            self.world.reach("race", race);
        }
        self.world.with(|state| {
            state.truth.apply(change);
            for write in &change.writes {
                if let Write::ReadBalance(reading) = write
                    && let Some(booked_as) = reading.booked_as
                {
                    state.reach("balance", booked_as.slug());
                }
                let order = match write {
                    Write::InsertActivation(row) => row.id,
                    Write::InsertSmmOrder(row) => row.id,
                    _ => continue,
                };
                if let Some(purchase) = served.and_then(|index| state.purchases.get_mut(index)) {
                    purchase.orders.push(order);
                }
            }
            let node = self.node;
            state.tell(now, || {
                format!("node {node} {}: {}", change.name, mutants::brief(change))
            });
        });
    }

    fn count_death(&self, change: &Change, way: &str) {
        let served = self.world.purchase_served();
        self.world
            .with(|state| products::count(state, change, way, served));
    }

    /// Waits for a death that was ordered.
    async fn die(&self) -> ! {
        node::crash(&self.world, &self.inner, self.node);
        loop {
            std::future::pending::<()>().await;
        }
    }
}

/// The cell of a commit for an SMM order whose first service refused.
fn of_next_service(change: &Change) -> Option<&'static str> {
    let of_second = |write: &Write| match write {
        Write::UpdateSmmOrder(row) => row.attempt > 1,
        _ => false,
    };
    let mut known = OF_NEXT_SERVICE.iter();
    let (_, cell) = known.find(|(name, _)| *name == change.name)?;
    change.writes.iter().any(of_second).then_some(*cell)
}

/// The race that a commit shows, if it shows one.
fn race(change: &Change, by_the_call: bool) -> Option<&'static str> {
    let row = change.writes.iter().find_map(|write| match write {
        Write::UpdateActivation(row) => Some(row),
        _ => None,
    });
    match (change.name, row) {
        ("taken_back" | "order_taken_back", _) => Some("client gone as its number came"),
        ("linked" | "smm_linked", _) if by_the_call => Some("late answer after doubt"),
        ("message", Some(row)) if row.state == ActivationState::Undo => {
            Some("code before the number was shown")
        }
        ("message", Some(row))
            if row.messages == 1 && row.expires_at.is_some_and(|end| end <= change.at) =>
        {
            Some("expiry against code")
        }
        _ => None,
    }
}

impl Store for NodeStore {
    fn commit(&self, change: Change) -> Pending<'_, Result<(), CommitError>> {
        Box::pin(async move {
            let (name, next) = (change.name, of_next_service(&change));
            let fate = match self.links_in_vain(&change) {
                true => Fate::ErrorBefore,
                false => self.fate(name, next.is_some()),
            };
            let reach = |way: &'static str| {
                self.world.reach(name, way);
                if let Some(cell) = next {
                    self.world.reach(cell, way);
                }
            };
            match fate {
                Fate::Plain => self.apply(change).await,
                Fate::Slow => {
                    give_way().await;
                    self.maybe_hang_up(name);
                    self.world.hub.sleep(self.world.span(1, 40)).await;
                    let outcome = self.apply(change).await;
                    give_way().await;
                    outcome
                }
                Fate::CrashBefore => {
                    reach("crash before");
                    self.count_death(&change, "before");
                    self.die().await
                }
                Fate::CrashAfter => {
                    self.count_death(&change, "after");
                    let done = self.apply(change).await.is_ok();
                    reach(if done {
                        "crash after"
                    } else {
                        "crash, refused"
                    });
                    self.die().await
                }
                Fate::ErrorBefore => {
                    reach("error, not done");
                    self.world
                        .tell(|| format!("node {} {name}: lost, error", self.node));
                    Err(CommitError::Storage("the device failed".into()))
                }
                Fate::ErrorAfter => {
                    let outcome = self.apply(change).await;
                    self.world
                        .tell(|| format!("node {} {name}: error shown", self.node));
                    reach("error, done");
                    outcome.and(Err(CommitError::Storage("the device failed".into())))
                }
            }
        })
    }

    fn next_order_id(&self) -> OrderId {
        self.inner.next_order_id()
    }

    fn next_row_id(&self) -> i64 {
        self.inner.next_row_id()
    }

    fn caller<'a>(&'a self, public_id: &'a str) -> Read<'a, Option<Caller>> {
        self.inner.caller(public_id)
    }

    fn account(&self, id: AccountId) -> Read<'_, Option<Account>> {
        self.inner.account(id)
    }

    fn accounts(&self) -> Read<'_, Vec<Account>> {
        self.inner.accounts()
    }

    fn keys(&self, account: AccountId) -> Read<'_, Vec<ApiKey>> {
        self.inner.keys(account)
    }

    fn key(&self, id: KeyId) -> Read<'_, Option<ApiKey>> {
        self.inner.key(id)
    }

    fn wallet(&self, account: AccountId) -> Read<'_, Option<Wallet>> {
        self.inner.wallet(account)
    }

    fn claim<'a>(
        &'a self,
        account: AccountId,
        endpoint: &'a str,
        key: &'a str,
        now: Timestamp,
    ) -> Read<'a, Option<KeyClaim>> {
        self.inner.claim(account, endpoint, key, now)
    }

    fn activation(&self, id: OrderId) -> Read<'_, Option<Activation>> {
        self.inner.activation(id)
    }

    fn activations<'a>(&'a self, account: AccountId, page: &'a Page) -> Read<'a, Vec<Activation>> {
        self.inner.activations(account, page)
    }

    fn activations_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<Activation>> {
        Box::pin(async move {
            let due = self.inner.activations_due(now, limit).await;
            give_way().await;
            due
        })
    }

    fn upstreams_due(&self, now: Timestamp) -> Read<'_, Vec<String>> {
        self.inner.upstreams_due(now)
    }

    fn claim_activations<'a>(
        &'a self,
        upstream: &'a str,
        now: Timestamp,
        limit: u32,
    ) -> Read<'a, Vec<Activation>> {
        Box::pin(async move {
            let due = self.inner.claim_activations(upstream, now, limit).await;
            give_way().await;
            due
        })
    }

    fn activations_live<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<Activation>> {
        self.inner.activations_live(upstream)
    }

    fn activations_in_doubt<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<Activation>> {
        self.inner.activations_in_doubt(upstream)
    }

    fn activations_ended(&self, limit: u32) -> Read<'_, Vec<domain::ports::EndedActivation>> {
        self.inner.activations_ended(limit)
    }

    fn smm_order(&self, id: OrderId) -> Read<'_, Option<SmmOrder>> {
        self.inner.smm_order(id)
    }

    fn smm_orders<'a>(&'a self, account: AccountId, page: &'a Page) -> Read<'a, Vec<SmmOrder>> {
        self.inner.smm_orders(account, page)
    }

    fn smm_orders_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<SmmOrder>> {
        self.inner.smm_orders_due(now, limit)
    }

    fn claim_smm_orders<'a>(
        &'a self,
        at: &'a AtPanels,
        now: Timestamp,
        limit: u32,
    ) -> Read<'a, Vec<SmmOrder>> {
        Box::pin(async move {
            let due = self.inner.claim_smm_orders(at, now, limit).await;
            give_way().await;
            due
        })
    }

    fn smm_orders_in_doubt<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<SmmOrder>> {
        self.inner.smm_orders_in_doubt(upstream)
    }

    fn smm_request(&self, id: i64) -> Read<'_, Option<SmmRequest>> {
        self.inner.smm_request(id)
    }

    fn smm_requests(&self, order: OrderId) -> Read<'_, Vec<SmmRequest>> {
        self.inner.smm_requests(order)
    }

    fn smm_requests_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<SmmRequest>> {
        self.inner.smm_requests_due(now, limit)
    }

    fn claim_smm_requests<'a>(
        &'a self,
        at: &'a AtPanels,
        now: Timestamp,
        limit: u32,
    ) -> Read<'a, Vec<SmmRequest>> {
        Box::pin(async move {
            let due = self.inner.claim_smm_requests(at, now, limit).await;
            give_way().await;
            due
        })
    }

    fn smm_service_ids(&self) -> Read<'_, Vec<(String, String, String)>> {
        self.inner.smm_service_ids()
    }

    fn attempts(&self, order: OrderId) -> Read<'_, Vec<Attempt>> {
        self.inner.attempts(order)
    }

    fn linked<'a>(&'a self, upstream: &'a str, ids: &'a [String]) -> Read<'a, Vec<String>> {
        Box::pin(async move {
            let linked = self.inner.linked(upstream, ids).await;
            give_way().await;
            linked
        })
    }

    fn linked_order<'a>(&'a self, upstream: &'a str, id: &'a str) -> Read<'a, Option<OrderId>> {
        self.inner.linked_order(upstream, id)
    }

    fn first_attempt_at<'a>(&'a self, upstream: &'a str) -> Read<'a, Option<Timestamp>> {
        self.inner.first_attempt_at(upstream)
    }

    fn list_known_at<'a>(&'a self, upstream: &'a str) -> Read<'a, Option<Timestamp>> {
        self.inner.list_known_at(upstream)
    }

    fn orphans_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<Orphan>> {
        self.inner.orphans_due(now, limit)
    }

    fn claim_orphans<'a>(
        &'a self,
        upstream: &'a str,
        now: Timestamp,
        limit: u32,
    ) -> Read<'a, Vec<Orphan>> {
        self.inner.claim_orphans(upstream, now, limit)
    }

    fn position<'a>(&'a self, upstream: &'a str) -> Read<'a, Position> {
        self.inner.position(upstream)
    }

    fn suspects<'a>(&'a self, upstream: &'a str, since: Timestamp) -> Read<'a, Suspects> {
        self.inner.suspects(upstream, since)
    }

    fn settled_before<'a>(
        &'a self,
        upstream: &'a str,
        at: Timestamp,
    ) -> Read<'a, Option<Timestamp>> {
        self.inner.settled_before(upstream, at)
    }

    fn house_events(&self, from: Timestamp, until: Timestamp) -> Read<'_, Vec<Vec<HouseLeg>>> {
        self.inner.house_events(from, until)
    }

    fn tickets(&self, open_only: bool, limit: u32) -> Read<'_, Vec<Ticket>> {
        self.inner.tickets(open_only, limit)
    }

    fn open_tickets(&self, kind: TicketKind) -> Read<'_, Vec<Ticket>> {
        self.inner.open_tickets(kind)
    }

    fn audit(&self, now: Timestamp) -> Read<'_, Audit> {
        self.inner.audit(now)
    }

    fn healthy(&self) -> bool {
        self.inner.healthy()
    }
}
