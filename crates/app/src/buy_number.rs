//! Buying a number: what is decided before, and what is written at each step of the purchase.

use crate::engine::Engine;
use crate::idempotency::KeyedRequest;
use crate::purchase::{Names, Opening, Order};
use crate::refusal::{Answer, Purchased, Refusal};
use crate::request_digest::digest;
use crate::watch::Calling;
use domain::access::Caller;
use domain::activation::{self, Activation, ActivationState, NumberRoute, PublicStatus};
use domain::attempt::AttemptState;
use domain::change::{CommitError, Refused, Write};
use domain::countries;
use domain::ids::{AccountId, OrderId};
use domain::mutant::lacks_rule;
use domain::order::{Failure, Told};
use domain::policy::velocity::Ordered;
use domain::routing;
use domain::time::Timestamp;
use domain::upstream::{Number, Pending, Purchase, Refusal as Upstream, Reply};
use domain::usd::Usd;
use std::collections::VecDeque;
use std::sync::Arc;

mod choose;
mod everywhere;

/// What a caller asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuyNumber {
    /// Service id from the services list; everywhere, its name does as well.
    pub service: String,
    /// Where it is bought.
    pub place: Place,
    /// Never pay more than this.
    pub max_price: Option<Usd>,
}

/// A route at one upstream, and what the policy engine has to know of who buys on it.
#[derive(Clone, Debug)]
pub(crate) struct NumberWay {
    pub(crate) at: NumberRoute,
    buyer: Buyer,
}

/// Who buys, as far as the policy engine asks.
#[derive(Clone, Copy, Debug)]
struct Buyer {
    account: AccountId,
    tier: u8,
    suspended: bool,
}

/// Where a number is bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On one route.
    Route {
        /// Public server; the default one where none is named.
        server: Option<String>,
        /// Typed route.
        provider_type: Option<i64>,
        /// The server's country id from the services list.
        country_id: String,
        /// Pool.
        pool_id: Option<String>,
    },
    /// On the best route of all enabled servers, and if that definitely fails on the next.
    Everywhere {
        /// Canonical key of the country.
        country_key: String,
    },
}

impl Engine {
    /// Buys a number. Charged only if the route returns one.
    pub async fn buy_number(
        self: &Arc<Self>,
        caller: &Caller,
        request: &BuyNumber,
        key: Option<KeyedRequest>,
    ) -> Answer<Purchased<Activation>> {
        let keyed = key.is_some();
        let decide = async {
            let (id, now) = (self.outside.store.next_order_id(), self.now());
            let dice = routing::scrambled(id.0.unsigned_abs() ^ now.0.unsigned_abs());
            let mut routes = VecDeque::from(self.choose(caller, request, (now, dice))?);
            let first = routes.pop_front().ok_or(Refusal::RouteClosed)?;
            Ok(Opening {
                order: new_activation(id, caller, &first.at, keyed, now),
                first,
                others: routes,
            })
        };
        self.purchase(caller, key, decide).await
    }

    /// The customer pays the quote; where the upstream took far more, the offer is closed until its
    /// quote changes.
    pub(crate) fn compare_with_quote(&self, activation: &Activation, number: &Number) {
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

    async fn replayed_activation(
        &self,
        order: OrderId,
    ) -> Result<Result<Purchased<Activation>, Refusal>, Refusal> {
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
                Ok(Purchased::Done(activation))
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
        let shown = Activation::saved(&writes);
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
}

fn new_activation(
    id: OrderId,
    caller: &Caller,
    chosen: &NumberRoute,
    keyed: bool,
    now: Timestamp,
) -> Activation {
    Activation {
        id,
        account: caller.account.id,
        version: 0,
        state: ActivationState::Calling,
        told: Told::at_start(keyed),
        wanted: chosen.wanted.clone(),
        price: chosen.price,
        cost_quote: chosen.cost,
        policy: chosen.policy.clone(),
        upstream: chosen.upstream.clone(),
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
        late_code_at: None,
        due_at: None,
        tries: 0,
        failure: None,
    }
}

impl Order for Activation {
    type Sold = Number;
    type Route = NumberWay;

    const NAMES: Names = Names {
        open: "buy_number",
        sold: "number_bought",
        refused: "purchase_refused",
        taken_back: "taken_back",
    };

    fn id(&self) -> OrderId {
        self.id
    }

    fn upstream(&self) -> &str {
        &self.upstream
    }

    fn is_calling(&self) -> bool {
        self.state == ActivationState::Calling
    }

    fn is_told(&self) -> bool {
        self.state == ActivationState::Active && self.told == Told::Done
    }

    fn is_linked_to(&self, number: &Number) -> bool {
        self.upstream_id.as_deref() == Some(number.id.as_str())
    }

    fn sold_as(number: &Number) -> &str {
        &number.id
    }

    fn saved(writes: &[Write]) -> Option<Self> {
        writes.iter().find_map(|write| match write {
            Write::InsertActivation(row) => Some((**row).clone()),
            Write::UpdateActivation(row) => Some(Self {
                version: row.version + 1,
                ..(**row).clone()
            }),
            _ => None,
        })
    }

    fn ordered(&self) -> Ordered {
        Ordered::Number {
            service: self.wanted.service_name.clone(),
            country: self.wanted.country_key.clone(),
            price: self.price,
        }
    }

    fn open(self, engine: &Engine) -> Vec<Write> {
        let plan = engine.plan(&self.wanted.server, &self.upstream);
        Self::open(self, &plan)
    }

    fn sold(self, engine: &Engine, number: &Number, raw: String, gone: bool) -> Vec<Write> {
        engine.compare_with_quote(&self, number);
        let (plan, now) = (
            engine.plan(&self.wanted.server, &self.upstream),
            engine.now(),
        );
        if gone {
            self.linked(number, true, &plan, now)
        } else {
            self.bought(number, &plan, now, raw)
        }
    }

    fn refused(self, _: &Engine, failure: Failure, class: &str, raw: String) -> Vec<Write> {
        Self::refused(self, failure, class, raw)
    }

    fn next(self, engine: &Engine, way: &NumberWay, class: &str, raw: String) -> Vec<Write> {
        let plan = engine.plan(&way.at.wanted.server, &way.at.upstream);
        self.next_route(class, raw, &way.at, &plan, engine.now())
    }

    fn doubted(self, engine: &Engine, why: &str) -> Vec<Write> {
        let (plan, now) = (
            engine.plan(&self.wanted.server, &self.upstream),
            engine.now(),
        );
        let sent_at = self.due_at.map_or(now, |due| due - plan.lease);
        self.in_doubt(sent_at, &plan, now, why)
    }

    fn taken_back(self, engine: &Engine) -> Vec<Write> {
        Self::taken_back(self, engine.now())
    }

    fn under_way<'a>(&self, engine: &'a Engine) -> Option<Calling<'a>> {
        let now = engine.now();
        let next_look = now + engine.poll_base(&self.upstream);
        engine.watch.poll_by(&self.upstream, next_look);
        Some(engine.watch.calling(&self.upstream, &self.wanted, now))
    }

    fn may_call(&self, engine: &Engine, way: &mut NumberWay) -> Result<(), Refusal> {
        engine.recheck(way)
    }

    fn route_upstream(way: &NumberWay) -> &str {
        &way.at.upstream
    }

    fn offer<'a>(&'a self, way: &'a NumberWay) -> (&'a str, &'a str) {
        (&way.at.wanted.country_id, &way.at.wanted.service_id)
    }

    fn request_digest(&self, _: &NumberWay) -> [u8; 32] {
        let asked = self.request();
        let (pool, most) = (asked.pool.unwrap_or_default(), asked.max_cost.to_string());
        digest(&["number", &asked.service, &asked.country, &pool, &most])
    }

    fn call<'a>(
        &'a self,
        engine: &'a Engine,
        _: &'a NumberWay,
    ) -> Pending<'a, Reply<Purchase<Number>>> {
        Box::pin(async move {
            let Some(upstream) = engine.number_upstream(&self.upstream) else {
                return Reply {
                    outcome: Purchase::Refused(Upstream::Unreachable),
                    raw: String::new(),
                };
            };
            let mut reply = upstream.buy(&self.request()).await;
            if matches!(&reply.outcome, Purchase::Done(number) if !fits(self, number)) {
                reply.outcome = Purchase::Unknown;
            }
            reply
        })
    }

    fn offered<'a>(&'a self, engine: &'a Engine, number: &'a Number) -> Pending<'a, bool> {
        Box::pin(engine.offer_evidence(self, number))
    }

    fn clashed<'a>(
        self,
        engine: &'a Engine,
        number: &'a Number,
        guard: Refused,
        raw: &'a str,
    ) -> Pending<'a, Result<Self, Refusal>> {
        Box::pin(async move {
            match guard {
                Refused::NumberTaken => {
                    let plan = engine.plan(&self.wanted.server, &self.upstream);
                    let hidden = (AttemptState::Done, "number_taken");
                    let writes = self.bought_unseen(number, &plan, engine.now(), hidden);
                    engine.step("quarantine", writes).await;
                    Err(Refusal::OutcomeUnknown)
                }
                _ => engine.purchase_unknown(self, raw).await,
            }
        })
    }

    fn stored(engine: &Engine, id: OrderId) -> Pending<'_, Option<Self>> {
        Box::pin(async move { engine.store().activation(id).await.ok().flatten() })
    }

    fn replayed(engine: &Engine, id: OrderId) -> Pending<'_, Answer<Purchased<Self>>> {
        Box::pin(async move {
            match engine.replayed_activation(id).await {
                Ok(answer) => Answer::again(answer),
                Err(refusal) => Answer::first(Err(refusal)),
            }
        })
    }
}

/// Whether a number belongs to the country that was ordered.
pub(crate) fn fits(activation: &Activation, number: &Number) -> bool {
    countries::by_key(&activation.wanted.country_key)
        .is_none_or(|country| countries::number_fits(country, number.phone.digits()))
}
