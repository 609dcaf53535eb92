//! One purchase, of a number or of an SMM order: hold and attempt durable first, one call at a
//! time, one outcome. What is bought decides for itself what it writes; the order of things, and
//! what a client is told, is decided here.

use crate::engine::Engine;
use crate::health::Slot;
use crate::idempotency::{Found, KeyedRequest};
use crate::refusal::{Answer, Purchased, Refusal};
use crate::request_digest::with_digest;
use crate::watch::Calling;
use domain::access::Caller;
use domain::change::{CommitError, Refused, Write};
use domain::failpoint;
use domain::ids::OrderId;
use domain::mutant::lacks_rule;
use domain::order::Failure;
use domain::policy::velocity::{Exceeded, Ordered};
use domain::upstream::{Pending, Purchase, Refusal as Upstream, Reply};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::oneshot;

mod sold;

/// What the commits of a purchase are called in metrics and logs.
pub(crate) struct Names {
    pub open: &'static str,
    pub sold: &'static str,
    pub refused: &'static str,
    pub taken_back: &'static str,
}

/// An order as its purchase moves it on. Functions that give writes decide nothing else.
pub(crate) trait Order: Clone + Send + Sync + Sized + 'static {
    /// What the upstream gives: a number, or the id of an order.
    type Sold: Send + Sync + 'static;
    /// A way to buy it.
    type Route: Send + Sync + 'static;

    const NAMES: Names;

    fn id(&self) -> OrderId;
    fn upstream(&self) -> &str;
    /// Whether the purchase call may still be in flight.
    fn is_calling(&self) -> bool;
    /// Whether it is bought, and its client counts as told.
    fn is_told(&self) -> bool;
    /// Whether it was bought as this.
    fn is_linked_to(&self, sold: &Self::Sold) -> bool;
    /// The upstream's id of what it sold.
    fn sold_as(sold: &Self::Sold) -> &str;
    /// The row as these writes leave it, version included.
    fn saved(writes: &[Write]) -> Option<Self>;

    /// What the policy engine counts.
    fn ordered(&self) -> Ordered;
    fn open(self, engine: &Engine) -> Vec<Write>;
    fn sold(self, engine: &Engine, sold: &Self::Sold, raw: String, gone: bool) -> Vec<Write>;
    fn refused(self, engine: &Engine, failure: Failure, class: &str, raw: String) -> Vec<Write>;
    /// A definite failure; the next route is tried on the same hold.
    fn next(self, engine: &Engine, route: &Self::Route, class: &str, raw: String) -> Vec<Write>;
    fn doubted(self, engine: &Engine, why: &str) -> Vec<Write>;
    fn taken_back(self, engine: &Engine) -> Vec<Write>;

    /// Notes a call until its outcome is stored, where that matters.
    fn under_way<'a>(&self, engine: &'a Engine) -> Option<Calling<'a>>;
    /// Whether this may be bought on a route now, apart from how its upstream is doing; checked
    /// anew before each attempt, with the costs and the rules of that moment, which it takes over.
    fn may_call(&self, engine: &Engine, route: &mut Self::Route) -> Result<(), Refusal>;
    fn route_upstream(route: &Self::Route) -> &str;
    /// Country (nothing for panels) and service as the upstream of the route calls them.
    fn offer<'a>(&'a self, route: &'a Self::Route) -> (&'a str, &'a str);
    /// Digest of what the call of the attempt asks for, stored with it before it leaves.
    fn request_digest(&self, route: &Self::Route) -> [u8; 32];
    /// The one call of an attempt. What is not what was ordered is unknown, not sold.
    fn call<'a>(
        &'a self,
        engine: &'a Engine,
        route: &'a Self::Route,
    ) -> Pending<'a, Reply<Purchase<Self::Sold>>>;
    /// Offers what the call of this attempt bought as evidence for its order, if that is still open.
    /// Gives whether that is decided: not where the storage did not answer, or somebody moved the row.
    fn offered<'a>(&'a self, engine: &'a Engine, sold: &'a Self::Sold) -> Pending<'a, bool>;
    /// A guard refused what was sold.
    fn clashed<'a>(
        self,
        engine: &'a Engine,
        sold: &'a Self::Sold,
        guard: Refused,
        raw: &'a str,
    ) -> Pending<'a, Result<Self, Refusal>>;

    fn stored(engine: &Engine, id: OrderId) -> Pending<'_, Option<Self>>;
    /// What the buyer is told again under the same key.
    fn replayed(engine: &Engine, id: OrderId) -> Pending<'_, Answer<Purchased<Self>>>;
}

/// An order that was decided on, and the routes to try, the one it is opened on first.
pub(crate) struct Opening<O: Order> {
    pub order: O,
    pub first: O::Route,
    pub others: VecDeque<O::Route>,
}

/// A purchase that is durable: its call may leave.
struct Opened<O: Order> {
    order: O,
    route: O::Route,
    others: VecDeque<O::Route>,
    slot: Slot,
}

/// Why a purchase was not begun.
enum Started {
    /// Another request holds the idempotency key.
    KeyTaken,
    Refused(Refusal),
}

impl From<Refusal> for Started {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

type Waiting<O> = oneshot::Receiver<Result<O, Refusal>>;
type ClientGone<'a> = &'a (dyn Fn() -> bool + Send + Sync);

impl Engine {
    /// Buys what `decide` decides on, unless the key has its answer already.
    pub(crate) async fn purchase<O: Order>(
        self: &Arc<Self>,
        caller: &Caller,
        key: Option<KeyedRequest>,
        decide: impl Future<Output = Result<Opening<O>, Refusal>> + Send,
    ) -> Answer<Purchased<O>> {
        if let Some(key) = &key {
            match self.find_claim(caller, key).await {
                Ok(None) => {}
                Ok(Some(found)) => return self.replay(found).await,
                Err(refusal) => return Answer::first(Err(refusal)),
            }
        }
        if self.in_force().await.is_err() {
            return Answer::first(Err(Refusal::StorageUnavailable));
        }
        let started = match decide.await.and_then(|opening| self.admit(opening)) {
            Ok((opening, slot)) => self.open(caller, (opening, slot), key.as_ref()).await,
            Err(refusal) => {
                // the same request sent at the same time may be why: it is answered as that one was
                if let Some(key) = &key
                    && let Ok(Some(found)) = self.find_claim(caller, key).await
                {
                    return self.replay(found).await;
                }
                Err(refusal.into())
            }
        };
        match (started, key) {
            (Ok(opening), key) => self.finish_purchase(opening, key.is_some()).await,
            (Err(Started::KeyTaken), Some(key)) => match self.find_claim(caller, &key).await {
                Ok(Some(found)) => self.replay(found).await,
                Ok(None) => Answer::first(Err(Refusal::IdempotencyInProgress)),
                Err(refusal) => Answer::first(Err(refusal)),
            },
            (Err(Started::KeyTaken), None) => Answer::first(Err(Refusal::StorageUnavailable)),
            (Err(Started::Refused(refusal)), _) => Answer::first(Err(refusal)),
        }
    }

    async fn replay<O: Order>(&self, found: Found) -> Answer<Purchased<O>> {
        match found {
            Found::Order(order) => O::replayed(self, order).await,
            Found::InsufficientFunds => Answer::again(Err(Refusal::InsufficientBalance)),
            // keys are kept by endpoint: no purchase has one of these
            Found::Request(_) => Answer::first(Err(Refusal::StorageUnavailable)),
        }
    }

    /// Gives an order the right to its first call.
    fn admit<O: Order>(&self, mut opening: Opening<O>) -> Result<(Opening<O>, Slot), Refusal> {
        opening.order.may_call(self, &mut opening.first)?;
        let slot = self.enter(opening.order.upstream())?;
        Ok((opening, slot))
    }

    /// Makes hold, order and attempt durable, under the caller's key.
    async fn open<O: Order>(
        &self,
        caller: &Caller,
        (opening, slot): (Opening<O>, Slot),
        key: Option<&KeyedRequest>,
    ) -> Result<Opened<O>, Started> {
        let Opening {
            order,
            first,
            others,
        } = opening;
        let now = self.now();
        let claim = key.map(|key| key.claim_for_order(caller, order.id(), now, &self.settings));
        // the claim first: a request sent twice must meet its own key before anything else
        let mut writes: Vec<Write> = claim.map(Write::Claim).into_iter().collect();
        writes.extend(self.keep_pace(&caller.account, || order.ordered()));
        writes.extend(with_digest::<O>(order.clone().open(self), &first));
        let opened = O::saved(&writes);
        match (self.commit(O::NAMES.open, writes).await, opened) {
            (Ok(()), Some(order)) => {
                self.signals.bought(caller.account.id);
                Ok(Opened {
                    order,
                    route: first,
                    others,
                    slot,
                })
            }
            (Err(CommitError::Refused(Refused::InsufficientFunds)), _) => {
                self.keep_refusal(caller, key).await?;
                Err(Refusal::InsufficientBalance.into())
            }
            (Err(CommitError::Refused(Refused::InDebt)), _) => {
                let wallet = self.store().wallet(caller.account.id).await;
                let wallet = wallet.map_err(Refusal::from)?.unwrap_or_default();
                Err(Refusal::DebtDue(wallet.receivable).into())
            }
            (Err(CommitError::Refused(Refused::KeyTaken)), _) => Err(Started::KeyTaken),
            (Err(CommitError::Refused(Refused::DuplicateOpenLink)), _) => {
                Err(Refusal::DuplicateActiveOrder.into())
            }
            (Err(CommitError::Refused(Refused::TargetBlocked)), _) => {
                Err(Refusal::TargetBlocked.into())
            }
            (Err(CommitError::Refused(Refused::NotAttested)), _) => {
                Err(Refusal::AttestationRequired.into())
            }
            (Err(CommitError::Refused(Refused::TooFast(Exceeded { bound, again_at }))), _) => {
                Err(Refusal::VelocityLimit(bound, again_at - now).into())
            }
            _ => {
                // stored or not, no call was made: if the order is there, it ends here
                let failure = Failure::ProviderUnavailable;
                let writes = order.refused(self, failure, "not_sent", String::new());
                self.step("not_sent", writes).await;
                Err(Refusal::StorageUnavailable.into())
            }
        }
    }

    /// Keeps "no funds" under the caller's key, where it is one that says the same when replayed.
    async fn keep_refusal(
        &self,
        caller: &Caller,
        key: Option<&KeyedRequest>,
    ) -> Result<(), Started> {
        let Some(key) = key.filter(|key| key.keeps_refusal) else {
            return Ok(());
        };
        let claim = key.claim_without_funds(caller, self.now(), &self.settings);
        match self.commit("keep_refusal", vec![Write::Claim(claim)]).await {
            Err(CommitError::Refused(Refused::KeyTaken)) => Err(Started::KeyTaken),
            Err(_) => Err(Refusal::StorageUnavailable.into()),
            Ok(()) => Ok(()),
        }
    }

    /// Waits for the purchase, at most the sync budget; then its outcome is unknown to the client
    /// and everything after is driven from the store.
    async fn finish_purchase<O: Order>(
        self: &Arc<Self>,
        opened: Opened<O>,
        keyed: bool,
    ) -> Answer<Purchased<O>> {
        let (id, order) = (opened.order.id(), opened.order.clone());
        let mut handover = Handover {
            engine: self,
            keyed,
            waiting: self.call_in_background(opened, keyed),
        };
        let waiting = &mut handover.waiting;
        let outcome = tokio::select! {
            biased;
            outcome = &mut *waiting => outcome,
            () = self.outside.clock.sleep(self.settings.sync_budget) => {
                if self.give_up_waiting(order).await {
                    Ok(Err(Refusal::OutcomeUnknown))
                } else {
                    // the call was settled in the same moment: its answer is on the way
                    waiting.await
                }
            }
        };
        Answer::first(match outcome {
            Ok(Ok(bought)) => Ok(Purchased::Done(bought)),
            Ok(Err(Refusal::OutcomeUnknown)) | Err(_) if keyed => Ok(Purchased::Pending(id)),
            Ok(Err(refusal)) => Err(refusal),
            Err(_) => Err(Refusal::OutcomeUnknown),
        })
    }

    /// Puts a purchase in doubt whose client waits no longer: the attempt it was opened with, or
    /// the one of a later route.
    async fn give_up_waiting<O: Order>(&self, opened: O) -> bool {
        let id = opened.id();
        if self.doubt(opened, "sync_budget").await {
            return true;
        }
        match O::stored(self, id).await.filter(O::is_calling) {
            Some(later) => self.doubt(later, "sync_budget").await,
            None => false,
        }
    }

    /// Puts a purchase in doubt, and counts it at once: an upstream that answers nothing is closed at
    /// its bound, not at the next look.
    pub(crate) async fn doubt<O: Order>(&self, order: O, why: &str) -> bool {
        let upstream = order.upstream().to_owned();
        let done = self.step("in_doubt", order.doubted(self, why)).await;
        if done {
            self.watch.one_more_in_doubt(&upstream);
        }
        done
    }

    fn call_in_background<O: Order>(
        self: &Arc<Self>,
        opened: Opened<O>,
        keyed: bool,
    ) -> Waiting<O> {
        let (answer, waiting) = oneshot::channel();
        let engine = Arc::clone(self);
        self.outside.tasks.spawn(Box::pin(async move {
            let client_gone = || answer.is_closed() && !lacks_rule(26);
            let outcome = engine.call_routes(opened, &client_gone).await;
            // nobody waits any more where the budget ended or the client hung up
            if let Err(Ok(bought)) = answer.send(outcome) {
                engine.take_back(bought, keyed).await;
            }
        }));
        waiting
    }

    /// One attempt after the other until one sold, one is unknown, or none is left.
    async fn call_routes<O: Order>(
        self: &Arc<Self>,
        opened: Opened<O>,
        client_gone: ClientGone<'_>,
    ) -> Result<O, Refusal> {
        let Opened {
            mut order,
            mut route,
            mut others,
            mut slot,
        } = opened;
        loop {
            let _until_stored = order.under_way(self);
            let since = self.now();
            let Reply {
                mut outcome,
                mut raw,
            } = order.call(self, &route).await;
            failpoint::pass("answered", O::NAMES.open);
            if lacks_rule(8) && matches!(outcome, Purchase::Unknown) {
                Reply { outcome, raw } = order.call(self, &route).await;
            }
            self.call_came_to(order.upstream(), &outcome, since);
            drop(slot);
            let refusal = match outcome {
                Purchase::Done(sold) => {
                    return self.purchase_done(order, sold, raw, client_gone()).await;
                }
                Purchase::Refused(refusal) => refusal,
                Purchase::Unknown if is_taken_for_refused(&raw, others.is_empty()) => {
                    Upstream::Unreachable
                }
                Purchase::Unknown => return self.purchase_unknown(order, &raw).await,
            };
            if refusal == Upstream::NotSold {
                let (country, service) = order.offer(&route);
                self.health.not_sold(order.upstream(), country, service);
                self.list_again(order.upstream());
            }
            if client_gone() || !may_fail_over(&refusal) {
                others.clear();
            }
            let next = self.next_route(&order, &mut others, &refusal, &raw).await?;
            let Some(next) = next else {
                return self.purchase_refused(order, &refusal, raw).await;
            };
            (order, route, slot) = next;
        }
    }

    /// Makes the next attempt durable, at the first of the other routes that is open and that the
    /// wallet covers. Nothing where there is none.
    async fn next_route<O: Order>(
        &self,
        order: &O,
        others: &mut VecDeque<O::Route>,
        refusal: &Upstream,
        raw: &str,
    ) -> Result<Option<(O, O::Route, Slot)>, Refusal> {
        let class = refusal.slug();
        if self.in_force().await.is_err() {
            // nobody knows which of them the operator has paused
            others.clear();
        }
        while let Some(mut next) = others.pop_front() {
            let may_call = order.may_call(self, &mut next);
            let Ok(slot) = may_call.and_then(|()| self.enter(O::route_upstream(&next))) else {
                continue;
            };
            let writes = order.clone().next(self, &next, class, raw.to_owned());
            let writes = with_digest::<O>(writes, &next);
            let moved = O::saved(&writes);
            let begun = match lacks_rule(41) {
                true => Ok(()),
                false => self.commit("next_route", writes).await,
            };
            match begun {
                Ok(()) => {
                    tracing::info!(
                        order.id = order.id().0,
                        upstream = order.upstream(),
                        class,
                        "upstream {} refused order {}: {class}; the next route is tried",
                        order.upstream(),
                        order.id()
                    );
                    return Ok(moved.map(|moved| (moved, next, slot)));
                }
                Err(CommitError::Refused(Refused::InsufficientFunds)) => {}
                // not stored for certain, or moved by somebody else: no call may leave
                Err(_) => return Err(Refusal::OutcomeUnknown),
            }
        }
        Ok(None)
    }

    async fn purchase_refused<O: Order>(
        &self,
        order: O,
        refusal: &Upstream,
        raw: String,
    ) -> Result<O, Refusal> {
        let class = refusal.slug();
        tracing::warn!(
            order.id = order.id().0,
            upstream = order.upstream(),
            class,
            "upstream {} refused order {}: {class}",
            order.upstream(),
            order.id()
        );
        let failure = Failure::of(refusal);
        let writes = order.refused(self, failure, class, raw);
        match self.commit(O::NAMES.refused, writes).await {
            Ok(()) => Err(Refusal::of_failure(failure)),
            Err(_) => Err(Refusal::OutcomeUnknown),
        }
    }

    pub(crate) async fn purchase_unknown<O: Order>(
        &self,
        order: O,
        raw: &str,
    ) -> Result<O, Refusal> {
        tracing::warn!(
            order.id = order.id().0,
            upstream = order.upstream(),
            reply = raw,
            "the outcome of order {} at {} is unknown",
            order.id(),
            order.upstream()
        );
        self.doubt(order, "no_usable_answer").await;
        Err(Refusal::OutcomeUnknown)
    }
}

/// Whether another upstream may be asked after this definite refusal. What the buyer sent is
/// refused by the others too, what we got wrong is ours to mend, and a link that an order already
/// runs for must not be served twice.
fn may_fail_over(refusal: &Upstream) -> bool {
    use Upstream as U;
    match refusal {
        U::NoStock
        | U::PriceMoved
        | U::NotSold
        | U::UpstreamFunds
        | U::UpstreamAuth
        | U::AccountBlocked
        | U::Throttled
        | U::WrongCurrency
        | U::Unreachable => true,
        // limits are the upstream's own, and the catalogue may know those of yesterday
        U::RejectedInput { member } => *member == Some("quantity") || lacks_rule(42),
        U::OurFault | U::DuplicateLink => lacks_rule(42),
    }
}

/// The mutants that take an unknown outcome for a refusal.
fn is_taken_for_refused(raw: &str, is_last: bool) -> bool {
    lacks_rule(2) || (lacks_rule(17) && !is_last) || (lacks_rule(14) && raw.starts_with("error"))
}

/// The way of an answer to its client. A purchase whose client goes away before it took it is
/// given back.
struct Handover<'a, O: Order> {
    engine: &'a Arc<Engine>,
    keyed: bool,
    waiting: Waiting<O>,
}

impl<O: Order> Drop for Handover<'_, O> {
    fn drop(&mut self) {
        self.waiting.close();
        if let Ok(Ok(bought)) = self.waiting.try_recv() {
            let (engine, keyed) = (Arc::clone(self.engine), self.keyed);
            self.engine.outside.tasks.spawn(Box::pin(async move {
                engine.take_back(bought, keyed).await;
            }));
        }
    }
}
