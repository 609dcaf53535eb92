//! Placing an SMM order: what is decided before, and what is written at each step of the purchase.

use crate::engine::Engine;
use crate::idempotency::KeyedRequest;
use crate::purchase::{Names, Opening, Order};
use crate::refusal::{Answer, Purchased, Refusal};
use crate::request_digest::digest;
use crate::watch::Calling;
use domain::access::Caller;
use domain::catalogue::{Catalogue, SmmService, SmmSource};
use domain::change::{Refused, Write};
use domain::ids::OrderId;
use domain::link::{self, Link};
use domain::mutant::lacks_rule;
use domain::order::{Failure, Told};
use domain::policy::velocity::Ordered;
use domain::policy::{self, Decision, Standing};
use domain::smm_order::{SmmOrder, SmmState};
use domain::upstream::{PanelRequest, Pending, Progress, Purchase, Refusal as Upstream, Reply};
use domain::usd::{Rate, Usd};
use std::collections::BTreeMap;
use std::sync::Arc;

mod lines;
mod members;
mod same_id;

pub use lines::{LineProblem, OrderLine, TooManyLines};
pub(crate) use members::RUNS_MAX;
pub use members::TEXT_MEMBERS;
use members::{Members, Wanted, members};

/// What a caller asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlaceOrder {
    /// Service id from the services list.
    pub service_id: String,
    /// Target; a subscription's is its `username`.
    pub link: String,
    /// Units; may be far out of any range.
    pub quantity: Option<i128>,
    /// Drip-feed: number of runs.
    pub runs: Option<i128>,
    /// Drip-feed: minutes between runs.
    pub interval: Option<i128>,
    /// Members of the richer order types, as text; lists by line.
    pub texts: BTreeMap<&'static str, String>,
    /// Never pay more than this.
    pub max_price: Option<Usd>,
}

/// What an order would come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderQuote {
    /// Units that are billed: 1 for a package.
    pub units: u64,
    /// What is set aside.
    pub price: Usd,
}

/// An order that may be placed, with everything its purchase needs.
struct Checked {
    members: Members,
    units: u64,
    price: Usd,
    policy: Decision,
    /// Where it can be placed, in order of preference; never empty.
    routes: Vec<(SmmSource, Usd)>,
}

/// A panel that takes the order, and the call that places it there.
pub(crate) struct PanelRoute {
    pub(crate) upstream: String,
    /// What it is quoted to cost the house there.
    pub(crate) cost: Usd,
    pub(crate) call: PanelRequest,
}

impl Engine {
    /// Places an order. Charged once the upstream accepted it.
    pub async fn place_order(
        self: &Arc<Self>,
        caller: &Caller,
        request: &PlaceOrder,
        key: Option<KeyedRequest>,
    ) -> Answer<Purchased<SmmOrder>> {
        let keyed = key.is_some();
        let decide = async { self.decide_order(caller, request, keyed) };
        self.purchase(caller, key, decide).await
    }

    fn decide_order(
        &self,
        caller: &Caller,
        request: &PlaceOrder,
        keyed: bool,
    ) -> Result<Opening<SmmOrder>, Refusal> {
        let catalogue = self.catalogue();
        let (service, target) = aimed(&catalogue, request)?;
        let checked = self.check(caller, service, request)?;
        let mut sent = Members::new();
        if service.kind.needed().contains(&"link") {
            sent.push(("link", target.clone()));
        }
        sent.extend(checked.members.iter().cloned());
        let routes = checked.routes.iter().map(|(source, cost)| PanelRoute {
            upstream: source.upstream.to_string(),
            cost: *cost,
            call: PanelRequest {
                service: source.service.to_string(),
                members: sent.clone(),
                // that of the attempt it becomes, once it is one
                reference: String::new(),
            },
        });
        let mut routes: Vec<PanelRoute> = routes.collect();
        let order = self.new_order(caller, service, target, checked, keyed);
        // one that is not open now is no place to begin, and may be open by the time it is tried
        let open = routes.iter_mut().position(|route| {
            order.may_call(self, route).is_ok() && self.closed(&route.upstream).is_none()
        });
        let first = routes.remove(open.unwrap_or(0));
        let order = SmmOrder {
            upstream: first.upstream.clone(),
            upstream_service: first.call.service.clone(),
            cost_quote: first.cost,
            ..order
        };
        Ok(Opening {
            order,
            first,
            others: routes.into(),
        })
    }

    /// What an order would come to now, by the rules that [`Self::place_order`] goes by. Nothing is
    /// ordered and nothing set aside.
    ///
    /// # Errors
    /// Why it would be refused, apart from the balance and from orders that are running.
    pub fn quote_order(
        &self,
        caller: &Caller,
        request: &PlaceOrder,
    ) -> Result<OrderQuote, Refusal> {
        let catalogue = self.catalogue();
        let (service, _) = aimed(&catalogue, request)?;
        let checked = self.check(caller, service, request)?;
        Ok(OrderQuote {
            units: checked.units,
            price: checked.price,
        })
    }

    /// Everything that can be wrong with an order before money is looked at.
    fn check(
        &self,
        caller: &Caller,
        service: &SmmService,
        request: &PlaceOrder,
    ) -> Result<Checked, Refusal> {
        let Wanted {
            members,
            units,
            sizes: (least, most),
        } = members(service, request)?;
        let standing = self.standing(caller.account.id, caller.account.suspended);
        let in_force = self.known.now();
        let decide = |class| {
            let asked = policy::SmmRequest { class, standing };
            policy::decide_smm(&in_force.rules, &asked)
        };
        let policy = decide(service.class);
        if let Some(refusal) = Refusal::of_policy(&policy) {
            let what = (&*service.name, caller.account.tier);
            self.denials.note(&policy, what, self.now());
            return Err(refusal);
        }
        let (min, max) = (service.min, service.max);
        let out_of_range = Refusal::QuantityOutOfRange {
            member: service.kind.counted_by(),
            min,
            max,
        };
        let rate = Rate::per_1000(service.rate).ok_or(Refusal::ServiceNotFound)?;
        let flat = service.kind.is_flat();
        let price = match flat {
            true => Some(service.rate),
            false => rate.charge(units),
        };
        let price = price.ok_or(out_of_range.clone())?;
        if request.max_price.is_some_and(|most| most < price) {
            return Err(Refusal::PriceChanged(price));
        }
        let drips = members.iter().any(|(name, _)| *name == "runs");
        let takes = |source: &SmmSource| {
            let in_range = flat || (source.min <= least && most <= source.max);
            in_range && (source.dripfeed || !drips) && decide(source.class).is_allowed()
        };
        let fitting = service.sources.iter().filter(|source| takes(source));
        let routes: Vec<_> = fitting
            .filter_map(|source| Some((source.clone(), source.cost_of(flat, units)?)))
            .collect();
        if routes.is_empty() {
            return Err(out_of_range);
        }
        Ok(Checked {
            members,
            units,
            price,
            policy,
            routes,
        })
    }

    fn new_order(
        &self,
        caller: &Caller,
        service: &SmmService,
        target: String,
        checked: Checked,
        keyed: bool,
    ) -> SmmOrder {
        let kept = checked.members.iter().map(|(name, value)| {
            format!(
                "{name}={}",
                value.replace('\\', "\\\\").replace('\n', "\\n")
            )
        });
        SmmOrder {
            id: self.outside.store.next_order_id(),
            account: caller.account.id,
            version: 0,
            state: SmmState::Calling,
            told: Told::at_start(keyed),
            service_id: service.id.to_string(),
            service_name: service.name.to_string(),
            link: target,
            members: kept.collect::<Vec<_>>().join("\n"),
            quantity: checked.units,
            flat: service.kind.is_flat(),
            price: checked.price,
            cost_quote: Usd::ZERO,
            policy: (
                format!("{}/{}", checked.policy.class, checked.policy.rule_id),
                i64::from(checked.policy.rule_version),
            ),
            // the route it is opened on has the last word on these
            upstream: String::new(),
            upstream_service: String::new(),
            attempt: 1,
            upstream_id: None,
            progress: Progress::Pending,
            remains: checked.units,
            start_count: 0,
            charge: None,
            candidate: None,
            observations: 0,
            returned: Usd::ZERO,
            adjustments: 0,
            created_at: self.now(),
            in_doubt_until: None,
            resolved_at: None,
            due_at: None,
            tries: 0,
            failure: None,
        }
    }
}

/// The service that is asked for, and its target: the link, which has to lie on its platform, or the
/// user whose posts are waited for.
fn aimed<'a>(
    catalogue: &'a Catalogue,
    request: &PlaceOrder,
) -> Result<(&'a SmmService, String), Refusal> {
    let absent = || match catalogue.is_smm_read() {
        true => Refusal::ServiceNotFound,
        false => Refusal::ServerOff,
    };
    let service = catalogue
        .smm_service(&request.service_id)
        .ok_or_else(absent)?;
    if !service.kind.needed().contains(&"link") {
        return Ok((service, members::target(request)?));
    }
    let link = Link::parse(&request.link).map_err(Refusal::InvalidLink)?;
    if !link.fits_category(&service.category) {
        return Err(Refusal::LinkHostMismatch);
    }
    Ok((service, link.text().to_owned()))
}

impl Order for SmmOrder {
    /// The panel's order id.
    type Sold = String;
    type Route = PanelRoute;

    const NAMES: Names = Names {
        open: "place_order",
        sold: "order_accepted",
        refused: "order_refused",
        taken_back: "order_taken_back",
    };

    fn id(&self) -> OrderId {
        self.id
    }

    fn upstream(&self) -> &str {
        &self.upstream
    }

    fn is_calling(&self) -> bool {
        self.state == SmmState::Calling
    }

    fn is_told(&self) -> bool {
        self.state == SmmState::Active && self.told == Told::Done
    }

    fn is_linked_to(&self, id: &String) -> bool {
        self.upstream_id.as_ref() == Some(id)
    }

    fn sold_as(id: &String) -> &str {
        id
    }

    fn saved(writes: &[Write]) -> Option<Self> {
        writes.iter().find_map(|write| match write {
            Write::InsertSmmOrder(row) => Some((**row).clone()),
            Write::UpdateSmmOrder(row) => Some(Self {
                version: row.version + 1,
                ..(**row).clone()
            }),
            _ => None,
        })
    }

    fn ordered(&self) -> Ordered {
        Ordered::Smm {
            target: link::target(&self.link),
            price: self.price,
        }
    }

    fn open(self, engine: &Engine) -> Vec<Write> {
        let plan = engine.smm_plan(&self.upstream);
        Self::open(self, &plan)
    }

    fn sold(self, engine: &Engine, id: &String, raw: String, gone: bool) -> Vec<Write> {
        let (plan, now) = (engine.smm_plan(&self.upstream), engine.now());
        if gone {
            self.linked(id, "answer", &plan, (engine.store().next_row_id(), now))
        } else {
            self.accepted(id, &plan, now, raw)
        }
    }

    fn refused(self, engine: &Engine, failure: Failure, class: &str, raw: String) -> Vec<Write> {
        Self::refused(self, failure, class, raw, engine.now())
    }

    fn next(self, engine: &Engine, route: &PanelRoute, class: &str, raw: String) -> Vec<Write> {
        let plan = engine.smm_plan(&route.upstream);
        let next = (
            route.upstream.as_str(),
            route.cost,
            route.call.service.as_str(),
        );
        self.next_route(class, raw, next, &plan, engine.now())
    }

    fn doubted(self, engine: &Engine, why: &str) -> Vec<Write> {
        let (plan, now) = (engine.smm_plan(&self.upstream), engine.now());
        let sent_at = self.due_at.map_or(now, |due| due - plan.lease);
        self.in_doubt(sent_at, &plan, now, why)
    }

    fn taken_back(self, engine: &Engine) -> Vec<Write> {
        Self::taken_back(self, engine.store().next_row_id(), engine.now())
    }

    fn under_way<'a>(&self, _: &'a Engine) -> Option<Calling<'a>> {
        None
    }

    fn may_call(&self, engine: &Engine, route: &mut PanelRoute) -> Result<(), Refusal> {
        let service = route.call.service.as_str();
        let closed = Refusal::ProviderUnavailable(None);
        if engine.health.is_not_sold(&route.upstream, "", service) {
            return Err(closed);
        }
        route.cost = cost_now(engine, self, route).ok_or(closed)?;
        Ok(())
    }

    fn route_upstream(route: &PanelRoute) -> &str {
        &route.upstream
    }

    fn offer<'a>(&'a self, route: &'a PanelRoute) -> (&'a str, &'a str) {
        ("", &route.call.service)
    }

    fn request_digest(&self, route: &PanelRoute) -> [u8; 32] {
        let call = &route.call;
        let members = call.members.iter();
        let members = members.flat_map(|(name, value)| [*name, value.as_str()]);
        let parts: Vec<&str> = ["order", &call.service]
            .into_iter()
            .chain(members)
            .collect();
        digest(&parts)
    }

    fn call<'a>(
        &'a self,
        engine: &'a Engine,
        route: &'a PanelRoute,
    ) -> Pending<'a, Reply<Purchase<String>>> {
        match engine.panel(&self.upstream) {
            Some(panel) => Box::pin(async move {
                let request = PanelRequest {
                    reference: self.purchase_reference(),
                    ..route.call.clone()
                };
                panel.place(&request).await
            }),
            None => Box::pin(std::future::ready(Reply {
                outcome: Purchase::Refused(Upstream::Unreachable),
                raw: String::new(),
            })),
        }
    }

    fn offered<'a>(&'a self, engine: &'a Engine, id: &'a String) -> Pending<'a, bool> {
        Box::pin(engine.offer_order_evidence(self, id))
    }

    fn clashed<'a>(
        self,
        engine: &'a Engine,
        id: &'a String,
        guard: Refused,
        raw: &'a str,
    ) -> Pending<'a, Result<Self, Refusal>> {
        Box::pin(async move {
            if guard != Refused::UpstreamIdTaken {
                return engine.purchase_unknown(self, raw).await;
            }
            // the id is another order's: this one was not placed
            let failure = match engine.explains_one_id(&self, id).await {
                true => Failure::DuplicateActiveOrder,
                false => Failure::ProviderUnavailable,
            };
            let (none, now) = (String::new(), engine.now());
            let writes = Self::refused(self, failure, "id_already_linked", none, now);
            if engine.step("order_refused", writes).await {
                return Err(Refusal::of_failure(failure));
            }
            // somebody else settled it meanwhile, perhaps with this very id
            Err(Refusal::OutcomeUnknown)
        })
    }

    fn stored(engine: &Engine, id: OrderId) -> Pending<'_, Option<Self>> {
        Box::pin(async move { engine.store().smm_order(id).await.ok().flatten() })
    }

    fn replayed(engine: &Engine, id: OrderId) -> Pending<'_, Answer<Purchased<Self>>> {
        Box::pin(async move {
            let order = match engine.store().smm_order(id).await {
                Ok(Some(order)) => order,
                Ok(None) => return Answer::first(Err(Refusal::StorageUnavailable)),
                Err(error) => return Answer::first(Err(error.into())),
            };
            match order.state {
                SmmState::Calling => Answer::first(Err(Refusal::IdempotencyInProgress)),
                SmmState::InDoubt if lacks_rule(19) => {
                    Answer::again(Err(Refusal::ProviderUnavailable(None)))
                }
                SmmState::InDoubt | SmmState::Undo => Answer::again(Ok(Purchased::Pending(id))),
                SmmState::Failed => {
                    let failure = order.failure.unwrap_or(Failure::ProviderUnavailable);
                    Answer::again(Err(Refusal::of_failure(failure)))
                }
                _ => Answer::again(Ok(Purchased::Done(order))),
            }
        })
    }
}

/// What a route costs by the catalogue of this moment; nothing where the policy, or the order's
/// price, no longer allows it.
fn cost_now(engine: &Engine, order: &SmmOrder, route: &PanelRoute) -> Option<Usd> {
    let catalogue = engine.catalogue();
    let source = catalogue.smm_source(&route.upstream, &route.call.service)?;
    // the account was looked at when the order was decided on
    let asked = policy::SmmRequest {
        class: source.class,
        standing: Standing::Good,
    };
    let allowed = policy::decide_smm(&engine.known.now().rules, &asked).is_allowed();
    let (upstream, name) = (&route.upstream, &route.call.service);
    if engine.watch.is_dear_service(upstream, name, source.cost) {
        return None;
    }
    let cost = source.cost_of(order.flat, order.quantity)?;
    let service = catalogue.smm_service(&order.service_id);
    let pays = cost <= order.price || service.is_some_and(|service| service.below_cost);
    (allowed && pays).then_some(cost)
}
