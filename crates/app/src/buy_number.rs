//! Buying a number: hold and attempt durable first, one call, one outcome.

use crate::engine::Engine;
use crate::idempotency::{Found, KeyedRequest};
use crate::refusal::{Answer, Purchased, Refusal};
use domain::access::Caller;
use domain::activation::{self, Activation, ActivationState, PublicStatus};
use domain::attempt::AttemptState;
use domain::change::{CommitError, Refused, Write};
use domain::countries;
use domain::mutant::lacks_rule;
use domain::order::{Failure, Told};
use domain::time::{Millis, Timestamp};
use domain::upstream::{Number, NumberRequest, Purchase, Reply};
use domain::usd::Usd;
use std::sync::Arc;
use tokio::sync::oneshot;

mod choose;

use choose::Chosen;

/// What a caller asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuyNumber {
    /// Service id from the services list.
    pub service_id: String,
    /// Country id from the services list.
    pub country_id: String,
    /// Public server; the default one where none is named.
    pub server: Option<String>,
    /// Typed route.
    pub provider_type: Option<i64>,
    /// Pool.
    pub pool_id: Option<String>,
    /// Never pay more than this.
    pub max_price: Option<Usd>,
}

/// What the buyer gets: facts that never change, so that a replay says the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The activation as it stands.
    pub activation: Activation,
}

type Waiting = oneshot::Receiver<Result<Activation, Refusal>>;

impl Engine {
    /// Buys a number. Charged only if the route returns one.
    pub async fn buy_number(
        self: &Arc<Self>,
        caller: &Caller,
        request: &BuyNumber,
        key: Option<KeyedRequest>,
    ) -> Answer<Purchased<Receipt>> {
        if let Some(key) = &key {
            match self.find_claim(caller, key).await {
                Ok(None) => {}
                Ok(Some(found)) => return self.replay_purchase(found).await,
                Err(refusal) => return Answer::first(Err(refusal)),
            }
        }
        match self.start_purchase(caller, request, key.as_ref()).await {
            Ok(activation) => self.finish_purchase(activation, key.is_some()).await,
            Err(Started::KeyTaken) => match key {
                Some(key) => self.replay_after_race(caller, &key).await,
                None => Answer::first(Err(Refusal::StorageUnavailable)),
            },
            Err(Started::Refused(refusal)) => Answer::first(Err(refusal)),
        }
    }

    async fn start_purchase(
        &self,
        caller: &Caller,
        request: &BuyNumber,
        key: Option<&KeyedRequest>,
    ) -> Result<Activation, Started> {
        let now = self.now();
        let chosen = self.choose(caller, request, now)?;
        self.may_buy_at(&chosen.upstream)?;
        if self
            .watch
            .is_dear(&chosen.upstream, &chosen.wanted, chosen.cost)
        {
            return Err(Refusal::ProviderUnavailable(None).into());
        }
        let activation = self.new_activation(caller, chosen, key.is_some(), now);
        let plan = self.plan(&activation.wanted.server, &activation.upstream);
        let claim = key.map(|key| key.claim_for_order(caller, activation.id, now, &self.settings));
        // the claim first: a request sent twice must meet its own key before anything else
        let mut writes: Vec<Write> = claim.map(Write::Claim).into_iter().collect();
        writes.extend(activation.clone().open(&plan));
        match self.commit("buy_number", writes).await {
            Ok(()) => Ok(Activation {
                due_at: Some(now + plan.lease),
                ..activation
            }),
            Err(CommitError::Refused(Refused::InsufficientFunds)) => {
                let refusal = Refusal::InsufficientBalance;
                self.keep_refusal(caller, key).await?;
                Err(refusal.into())
            }
            Err(CommitError::Refused(Refused::KeyTaken)) => Err(Started::KeyTaken),
            Err(_) => {
                // stored or not, no call was made: if the order is there, it ends here
                let failure = Failure::ProviderUnavailable;
                let writes = activation.refused(failure, "not_sent", String::new());
                self.step("not_sent", writes).await;
                Err(Refusal::StorageUnavailable.into())
            }
        }
    }

    /// Keeps "no funds" under the caller's key: a replay says the same.
    pub(crate) async fn keep_refusal(
        &self,
        caller: &Caller,
        key: Option<&KeyedRequest>,
    ) -> Result<(), Started> {
        let Some(key) = key else { return Ok(()) };
        let claim = key.claim_without_funds(caller, self.now(), &self.settings);
        match self.commit("keep_refusal", vec![Write::Claim(claim)]).await {
            Err(CommitError::Refused(Refused::KeyTaken)) => Err(Started::KeyTaken),
            Err(_) => Err(Refusal::StorageUnavailable.into()),
            Ok(()) => Ok(()),
        }
    }

    /// Waits for the purchase, at most the sync budget; then its outcome is unknown to the client
    /// and everything after is driven from the store.
    async fn finish_purchase(
        self: &Arc<Self>,
        activation: Activation,
        keyed: bool,
    ) -> Answer<Purchased<Receipt>> {
        let mut waiting = Handover {
            engine: self,
            keyed,
            waiting: self.call_in_background(activation.clone(), keyed),
        };
        let outcome = tokio::select! {
            biased;
            outcome = &mut waiting.waiting => outcome,
            () = self.outside.clock.sleep(self.settings.sync_budget) => {
                self.give_up_waiting(&activation, &mut waiting.waiting).await
            }
        };
        Answer::first(match outcome {
            Ok(Ok(bought)) => Ok(Purchased::Done(Receipt { activation: bought })),
            Ok(Err(Refusal::OutcomeUnknown)) | Err(_) if keyed => {
                Ok(Purchased::Pending(activation.id))
            }
            Ok(Err(refusal)) => Err(refusal),
            Err(_) => Err(Refusal::OutcomeUnknown),
        })
    }

    async fn give_up_waiting(
        &self,
        activation: &Activation,
        waiting: &mut Waiting,
    ) -> Result<Result<Activation, Refusal>, oneshot::error::RecvError> {
        let doubt = self.doubt(activation.clone(), "sync_budget");
        if self.step("in_doubt", doubt).await {
            return Ok(Err(Refusal::OutcomeUnknown));
        }
        // the call was settled in the same moment: its answer is on the way
        waiting.await
    }

    fn call_in_background(self: &Arc<Self>, activation: Activation, keyed: bool) -> Waiting {
        let (answer, waiting) = oneshot::channel();
        let engine = Arc::clone(self);
        self.outside.tasks.spawn(Box::pin(async move {
            let client_gone = || answer.is_closed() && !lacks_rule(26);
            let outcome = engine.call_once(activation, &client_gone).await;
            // nobody waits any more where the budget ended or the client hung up
            if let Err(Ok(bought)) = answer.send(outcome) {
                engine.take_back(bought, keyed).await;
            }
        }));
        waiting
    }

    /// A number that was stored as told although its client went away before it was told. A client
    /// with a key can still ask for it; for one without, it is given back.
    async fn take_back(&self, bought: Activation, keyed: bool) {
        if !keyed && bought.state == ActivationState::Active && !lacks_rule(26) {
            self.until_stored("taken_back", || bought.clone().taken_back(self.now()))
                .await;
        }
    }

    /// The one purchase call of an attempt, and the commit of what it came to.
    async fn call_once(
        &self,
        activation: Activation,
        client_gone: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<Activation, Refusal> {
        let (at, service) = (
            activation.upstream.clone(),
            activation.wanted.service_id.clone(),
        );
        let _until_stored = self.watch.calling(&at, &service);
        self.watch
            .poll_by(&at, self.now() + self.settings.activation_poll);
        let Some(upstream) = self.number_upstream(&activation.upstream) else {
            return self
                .purchase_refused(activation, Failure::ProviderUnavailable, "gone", "")
                .await;
        };
        let request = NumberRequest {
            service: activation.wanted.service_id.clone(),
            country: activation.wanted.country_id.clone(),
            pool: activation.wanted.pool_id.clone(),
            max_cost: activation.cost_quote,
            reference: activation.purchase_reference(),
        };
        let Reply {
            mut outcome,
            mut raw,
        } = upstream.buy(&request).await;
        if lacks_rule(8) && outcome == Purchase::Unknown {
            Reply { outcome, raw } = upstream.buy(&request).await;
        }
        match outcome {
            Purchase::Unknown if lacks_rule(2) || (lacks_rule(14) && raw.starts_with("error")) => {
                let failure = Failure::ProviderUnavailable;
                self.purchase_refused(activation, failure, "unknown", &raw)
                    .await
            }
            Purchase::Unknown if lacks_rule(17) && activation.attempt == 1 => {
                Box::pin(self.try_next_route(activation, raw, client_gone)).await
            }
            Purchase::Done(number) if fits(&activation, &number) => {
                self.purchase_done(activation, number, raw, client_gone())
                    .await
            }
            Purchase::Refused(refusal) => {
                let failure = Failure::of(&refusal);
                self.purchase_refused(activation, failure, refusal.slug(), &raw)
                    .await
            }
            Purchase::Done(_) | Purchase::Unknown => self.purchase_unknown(activation, &raw).await,
        }
    }

    /// The mutant that fails over after an unknown outcome.
    async fn try_next_route(
        &self,
        activation: Activation,
        raw: String,
        client_gone: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<Activation, Refusal> {
        let plan = self.plan(&activation.wanted.server, &activation.upstream);
        let (upstream, cost) = (activation.upstream.clone(), activation.cost_quote);
        let next = (upstream.as_str(), cost, activation.wanted.clone());
        let writes = activation.next_route("unknown", raw, next, &plan, self.now());
        let next = saved(&writes);
        match (self.step("next_route", writes).await, next) {
            (true, Some(next)) => self.call_once(next, client_gone).await,
            _ => Err(Refusal::OutcomeUnknown),
        }
    }

    /// Commits a step that nobody else would take, until the storage has taken or refused it.
    pub(crate) async fn until_stored(&self, name: &'static str, writes: impl Fn() -> Vec<Write>) {
        for pause in [1, 2, 4, 8, 16, 32, 64].map(Millis::seconds) {
            match self.commit(name, writes()).await {
                Err(CommitError::Storage(_)) => self.outside.clock.sleep(pause).await,
                Ok(()) | Err(CommitError::Refused(_)) => return,
            }
        }
    }

    async fn purchase_done(
        &self,
        activation: Activation,
        number: Number,
        raw: String,
        client_gone: bool,
    ) -> Result<Activation, Refusal> {
        let now = self.now();
        let plan = self.plan(&activation.wanted.server, &activation.upstream);
        let writes = if client_gone {
            activation.clone().linked(&number, true, &plan, now)
        } else {
            activation.clone().bought(&number, &plan, now, raw.clone())
        };
        let bought = saved(&writes);
        self.compare_with_quote(&activation, &number);
        match self.commit("number_bought", writes).await {
            Ok(()) => bought.ok_or(Refusal::OutcomeUnknown),
            Err(CommitError::Refused(Refused::NumberTaken)) => {
                let hidden = (AttemptState::Done, "number_taken");
                let writes = activation.bought_unseen(&number, &plan, now, hidden);
                self.step("quarantine", writes).await;
                Err(Refusal::OutcomeUnknown)
            }
            Err(CommitError::Refused(Refused::Stale)) => {
                self.offer_evidence(&activation, &number).await;
                Err(Refusal::OutcomeUnknown)
            }
            Err(CommitError::Refused(_)) => self.purchase_unknown(activation, &raw).await,
            Err(CommitError::Storage(_)) => self.read_again(&activation, &number).await,
        }
    }

    /// The customer pays the quote; where the upstream took far more, the offer is closed until its
    /// quote changes.
    fn compare_with_quote(&self, activation: &Activation, number: &Number) {
        let quote = activation.cost_quote;
        if number
            .cost
            .is_some_and(|taken| activation::is_far_above(taken, quote))
        {
            tracing::error!(
                order.id = activation.id.0,
                upstream = activation.upstream,
                "upstream {} took {:?} for order {}, quoted at {quote}: the offer is closed",
                activation.upstream,
                number.cost,
                activation.id
            );
            let wanted = &activation.wanted;
            self.watch.close_dear(&activation.upstream, wanted, quote);
        }
    }

    /// The storage failed while a number was stored: what is there decides what the client is told.
    /// What is not there is found again by the upstream's list.
    async fn read_again(
        &self,
        called: &Activation,
        number: &Number,
    ) -> Result<Activation, Refusal> {
        let stored = self.store().activation(called.id).await;
        let bought = stored.ok().flatten().filter(|stored| {
            let told = stored.state == ActivationState::Active && stored.told == Told::Done;
            told && stored.upstream_id.as_deref() == Some(number.id.as_str())
        });
        bought.ok_or(Refusal::OutcomeUnknown)
    }

    async fn purchase_refused(
        &self,
        activation: Activation,
        failure: Failure,
        class: &str,
        raw: &str,
    ) -> Result<Activation, Refusal> {
        tracing::warn!(
            order.id = activation.id.0,
            upstream = activation.upstream,
            class,
            "upstream {} refused order {}: {class}",
            activation.upstream,
            activation.id
        );
        let writes = activation.refused(failure, class, raw.to_owned());
        match self.commit("purchase_refused", writes).await {
            Ok(()) => Err(Refusal::of_failure(failure)),
            Err(_) => Err(Refusal::OutcomeUnknown),
        }
    }

    async fn purchase_unknown(
        &self,
        activation: Activation,
        raw: &str,
    ) -> Result<Activation, Refusal> {
        tracing::warn!(
            order.id = activation.id.0,
            upstream = activation.upstream,
            reply = raw,
            "the outcome of order {} at {} is unknown",
            activation.id,
            activation.upstream
        );
        let doubt = self.doubt(activation, "no_usable_answer");
        self.step("in_doubt", doubt).await;
        Err(Refusal::OutcomeUnknown)
    }

    /// The writes that put a purchase in doubt.
    pub(crate) fn doubt(&self, activation: Activation, why: &str) -> Vec<Write> {
        let plan = self.plan(&activation.wanted.server, &activation.upstream);
        let now = self.now();
        let sent_at = activation.due_at.map_or(now, |due| due - plan.lease);
        activation.in_doubt(sent_at, &plan, now, why)
    }

    /// What the buyer is told again under the same key.
    pub(crate) async fn replay_purchase(&self, found: Found) -> Answer<Purchased<Receipt>> {
        let order = match found {
            Found::Order(order) => order,
            Found::InsufficientFunds => {
                return Answer::again(Err(Refusal::InsufficientBalance));
            }
        };
        match self.replayed_activation(order).await {
            Ok(answer) => Answer::again(answer),
            Err(refusal) => Answer::first(Err(refusal)),
        }
    }

    async fn replayed_activation(
        &self,
        order: domain::ids::OrderId,
    ) -> Result<Result<Purchased<Receipt>, Refusal>, Refusal> {
        let Some(activation) = self.store().activation(order).await? else {
            return Err(Refusal::StorageUnavailable);
        };
        Ok(match activation.state {
            ActivationState::Calling => return Err(Refusal::IdempotencyInProgress),
            ActivationState::InDoubt if lacks_rule(19) => {
                Err(Refusal::of_failure(Failure::ProviderUnavailable))
            }
            ActivationState::InDoubt | ActivationState::Undo => Ok(Purchased::Pending(order)),
            _ if activation.upstream_id.is_none() || activation.failure.is_some() => {
                let failure = activation.failure.unwrap_or(Failure::ProviderUnavailable);
                Err(Refusal::of_failure(failure))
            }
            _ => {
                let activation = self.disclose(activation).await?;
                // it may have moved in this moment: what was never shown is not shown now
                if activation.disclosed_at.is_none() {
                    return Ok(Ok(Purchased::Pending(order)));
                }
                Ok(Purchased::Done(Receipt { activation }))
            }
        })
    }

    /// Writes down that the number is about to be shown, before it is shown: from then on, and
    /// only from then on, a code on it is this client's.
    pub(crate) async fn disclose(&self, activation: Activation) -> Result<Activation, Refusal> {
        if activation.disclosed_at.is_some() || activation.public_status() != PublicStatus::Waiting
        {
            return Ok(activation);
        }
        let writes = activation.clone().disclosed(self.now());
        let shown = saved(&writes);
        match self.commit("number_disclosed", writes).await {
            Ok(()) => Ok(shown.unwrap_or(activation)),
            Err(CommitError::Refused(_)) => self
                .store()
                .activation(activation.id)
                .await?
                .ok_or(Refusal::OrderNotFound),
            Err(CommitError::Storage(_)) => Err(Refusal::StorageUnavailable),
        }
    }

    async fn replay_after_race(
        &self,
        caller: &Caller,
        key: &KeyedRequest,
    ) -> Answer<Purchased<Receipt>> {
        match self.find_claim(caller, key).await {
            Ok(Some(found)) => self.replay_purchase(found).await,
            Ok(None) => Answer::first(Err(Refusal::IdempotencyInProgress)),
            Err(refusal) => Answer::first(Err(refusal)),
        }
    }

    fn new_activation(
        &self,
        caller: &Caller,
        chosen: Chosen,
        keyed: bool,
        now: Timestamp,
    ) -> Activation {
        Activation {
            id: self.outside.store.next_order_id(),
            account: caller.account.id,
            version: 0,
            state: ActivationState::Calling,
            told: Told::at_start(keyed),
            wanted: chosen.wanted,
            price: chosen.price,
            cost_quote: chosen.cost,
            policy: (
                format!("{}/{}", chosen.policy.class, chosen.policy.rule_id),
                i64::from(chosen.policy.rule_version),
            ),
            upstream: chosen.upstream,
            attempt: 1,
            upstream_id: None,
            phone: None,
            cost: None,
            disclosed_at: None,
            message: None,
            messages: 0,
            created_at: now,
            in_doubt_until: None,
            expires_at: None,
            cancel_allowed_at: None,
            due_at: None,
            tries: 0,
            failure: None,
        }
    }
}

/// The way of an answer to its client. A number whose client goes away before it took it is given
/// back.
struct Handover<'a> {
    engine: &'a Arc<Engine>,
    keyed: bool,
    waiting: Waiting,
}

impl Drop for Handover<'_> {
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

/// Why a purchase was not begun.
pub(crate) enum Started {
    /// Another request holds the idempotency key.
    KeyTaken,
    /// Refused.
    Refused(Refusal),
}

impl From<Refusal> for Started {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Whether a number belongs to the country that was ordered.
pub(crate) fn fits(activation: &Activation, number: &Number) -> bool {
    countries::by_key(&activation.wanted.country_key)
        .is_none_or(|country| countries::number_fits(country, number.phone.digits()))
}

/// The activation as these writes leave it, version included.
pub(crate) fn saved(writes: &[Write]) -> Option<Activation> {
    writes.iter().find_map(|write| match write {
        Write::UpdateActivation(activation) => Some(Activation {
            version: activation.version + 1,
            ..(**activation).clone()
        }),
        _ => None,
    })
}
