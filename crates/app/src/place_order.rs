//! Placing an SMM order: hold and attempt durable first, one call, one outcome.

use crate::buy_number::Started;
use crate::engine::Engine;
use crate::idempotency::{Found, KeyedRequest};
use crate::refusal::{Answer, Purchased, Refusal};
use domain::access::Caller;
use domain::catalogue::SmmService;
use domain::change::{CommitError, Refused, Write};
use domain::link::Link;
use domain::mutant::lacks_rule;
use domain::order::{Failure, Told};
use domain::order_type::{Units, lines};
use domain::policy::{self, Decision};
use domain::smm_order::{SmmOrder, SmmState};
use domain::time::Timestamp;
use domain::upstream::{PanelRequest, Progress, Purchase, Refusal as Upstream, Reply};
use domain::usd::{Rate, Usd};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::oneshot;

/// What a caller asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlaceOrder {
    /// Service id from the services list.
    pub service_id: String,
    /// Target.
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

/// Members of the richer order types that `place_order` takes as text.
pub const TEXT_MEMBERS: [&str; 14] = [
    "comments",
    "usernames",
    "username",
    "hashtags",
    "hashtag",
    "media",
    "answer_number",
    "keywords",
    "groups",
    "country",
    "device",
    "type_of_traffic",
    "google_keyword",
    "referring_url",
];

/// Longest text member, in bytes.
const TEXT_MAX: usize = 32 * 1024;

/// An order that may be placed, with everything its purchase needs.
struct Checked {
    members: Members,
    units: u64,
    price: Usd,
    cost: Usd,
    policy: Decision,
}

type Members = Vec<(&'static str, String)>;
type Waiting = oneshot::Receiver<Result<SmmOrder, Refusal>>;

impl Engine {
    /// Places an order. Charged once the upstream accepted it.
    pub async fn place_order(
        self: &Arc<Self>,
        caller: &Caller,
        request: &PlaceOrder,
        key: Option<KeyedRequest>,
    ) -> Answer<Purchased<SmmOrder>> {
        if let Some(key) = &key {
            match self.find_claim(caller, key).await {
                Ok(None) => {}
                Ok(Some(found)) => return self.replay_order(found).await,
                Err(refusal) => return Answer::first(Err(refusal)),
            }
        }
        match self.start_order(caller, request, key.as_ref()).await {
            Ok((order, call)) => self.finish_order(order, call, key.is_some()).await,
            Err(Started::KeyTaken) => match key {
                Some(key) => match self.find_claim(caller, &key).await {
                    Ok(Some(found)) => self.replay_order(found).await,
                    Ok(None) => Answer::first(Err(Refusal::IdempotencyInProgress)),
                    Err(refusal) => Answer::first(Err(refusal)),
                },
                None => Answer::first(Err(Refusal::StorageUnavailable)),
            },
            Err(Started::Refused(refusal)) => Answer::first(Err(refusal)),
        }
    }

    async fn start_order(
        &self,
        caller: &Caller,
        request: &PlaceOrder,
        key: Option<&KeyedRequest>,
    ) -> Result<(SmmOrder, PanelRequest), Started> {
        let now = self.now();
        let catalogue = self.catalogue();
        let absent = || match catalogue.is_smm_read() {
            true => Refusal::ServiceNotFound,
            false => Refusal::ServerOff,
        };
        let service = catalogue
            .smm_service(&request.service_id)
            .ok_or_else(absent)?;
        let link = Link::parse(&request.link).map_err(Refusal::InvalidLink)?;
        if !link.fits_category(&service.category) {
            return Err(Refusal::LinkHostMismatch.into());
        }
        let checked = self.check(caller, service, request)?;
        self.may_buy_at(&service.upstream)?;
        let mut sent = vec![("link", link.text().to_owned())];
        sent.extend(checked.members.iter().cloned());
        let call = PanelRequest {
            service: service.upstream_service.to_string(),
            members: sent,
        };
        let order = self.new_order(caller, service, &link, checked, key.is_some(), now);
        let plan = self.smm_plan(&order.upstream);
        let claim = key.map(|key| key.claim_for_order(caller, order.id, now, &self.settings));
        // the claim first: a request sent twice must meet its own key before it meets its own link
        let mut writes: Vec<Write> = claim.map(Write::Claim).into_iter().collect();
        writes.extend(order.clone().open(&plan));
        match self.commit("place_order", writes).await {
            Ok(()) => Ok((
                SmmOrder {
                    due_at: Some(now + plan.lease),
                    ..order
                },
                call,
            )),
            Err(CommitError::Refused(Refused::InsufficientFunds)) => {
                self.keep_refusal(caller, key).await?;
                Err(Refusal::InsufficientBalance.into())
            }
            Err(CommitError::Refused(Refused::KeyTaken)) => Err(Started::KeyTaken),
            Err(CommitError::Refused(Refused::DuplicateOpenLink)) => {
                Err(Refusal::DuplicateActiveOrder.into())
            }
            Err(_) => {
                // stored or not, no call was made: if the order is there, it ends here
                let failure = Failure::ProviderUnavailable;
                let writes = order.refused(failure, "not_sent", String::new(), now);
                self.step("not_sent", writes).await;
                Err(Refusal::StorageUnavailable.into())
            }
        }
    }

    /// Everything that can be wrong with an order before money is looked at.
    fn check(
        &self,
        caller: &Caller,
        service: &SmmService,
        request: &PlaceOrder,
    ) -> Result<Checked, Refusal> {
        let (members, units) = members(service, request)?;
        let policy = policy::decide_smm(
            &self.settings.rules,
            &policy::SmmRequest {
                class: service.class,
                account_suspended: caller.account.suspended,
            },
        );
        if let Some(refusal) = Refusal::of_policy(&policy) {
            return Err(refusal);
        }
        let (min, max) = (service.min, service.max);
        let out_of_range = Refusal::QuantityOutOfRange { min, max };
        let rate = Rate::per_1000(service.rate).ok_or(Refusal::ServiceNotFound)?;
        let (price, cost) = if service.kind.is_flat() {
            (Some(service.rate), Some(service.cost.ceil()))
        } else {
            (rate.charge(units), service.cost.charge(units))
        };
        let (Some(price), Some(cost)) = (price, cost) else {
            return Err(out_of_range);
        };
        if request.max_price.is_some_and(|most| most < price) {
            return Err(Refusal::PriceChanged(price));
        }
        Ok(Checked {
            members,
            units,
            price,
            cost,
            policy,
        })
    }

    fn new_order(
        &self,
        caller: &Caller,
        service: &SmmService,
        link: &Link,
        checked: Checked,
        keyed: bool,
        now: Timestamp,
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
            link: link.text().to_owned(),
            members: kept.collect::<Vec<_>>().join("\n"),
            quantity: checked.units,
            flat: service.kind.is_flat(),
            price: checked.price,
            cost_quote: checked.cost,
            policy: (
                format!("{}/{}", checked.policy.class, checked.policy.rule_id),
                i64::from(checked.policy.rule_version),
            ),
            upstream: service.upstream.to_string(),
            upstream_service: service.upstream_service.to_string(),
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
            created_at: now,
            in_doubt_until: None,
            resolved_at: None,
            due_at: None,
            tries: 0,
            failure: None,
        }
    }

    async fn finish_order(
        self: &Arc<Self>,
        order: SmmOrder,
        call: PanelRequest,
        keyed: bool,
    ) -> Answer<Purchased<SmmOrder>> {
        let mut handover = Handover {
            engine: self,
            keyed,
            waiting: self.place_in_background(order.clone(), call, keyed),
        };
        let waiting = &mut handover.waiting;
        let outcome = tokio::select! {
            biased;
            outcome = &mut *waiting => outcome,
            () = self.outside.clock.sleep(self.settings.sync_budget) => {
                if self.step("in_doubt", self.order_in_doubt(order.clone(), "sync_budget")).await {
                    Ok(Err(Refusal::OutcomeUnknown))
                } else {
                    // the call was settled in the same moment: its answer is on the way
                    waiting.await
                }
            }
        };
        Answer::first(match outcome {
            Ok(Ok(placed)) => Ok(Purchased::Done(placed)),
            Ok(Err(Refusal::OutcomeUnknown)) | Err(_) if keyed => Ok(Purchased::Pending(order.id)),
            Ok(Err(refusal)) => Err(refusal),
            Err(_) => Err(Refusal::OutcomeUnknown),
        })
    }

    fn place_in_background(
        self: &Arc<Self>,
        order: SmmOrder,
        call: PanelRequest,
        keyed: bool,
    ) -> Waiting {
        let (answer, waiting) = oneshot::channel();
        let engine = Arc::clone(self);
        self.outside.tasks.spawn(Box::pin(async move {
            let client_gone = || answer.is_closed() && !lacks_rule(26);
            let outcome = engine.place_once(order, &call, &client_gone).await;
            // nobody waits any more where the budget ended or the client hung up
            if let Err(Ok(placed)) = answer.send(outcome) {
                engine.take_order_back(placed, keyed).await;
            }
        }));
        waiting
    }

    /// An order that was stored as told although its client went away before it was told.
    async fn take_order_back(&self, placed: SmmOrder, keyed: bool) {
        if !keyed && placed.state == SmmState::Active && !lacks_rule(26) {
            self.until_stored("order_taken_back", || placed.clone().taken_back(self.now()))
                .await;
        }
    }

    /// The one purchase call of an attempt, and the commit of what it came to.
    async fn place_once(
        &self,
        order: SmmOrder,
        call: &PanelRequest,
        client_gone: &(dyn Fn() -> bool + Send + Sync),
    ) -> Result<SmmOrder, Refusal> {
        let Some(panel) = self.panel(&order.upstream) else {
            return self
                .order_refused(order, &Upstream::Unreachable, String::new())
                .await;
        };
        let Reply { outcome, raw } = panel.place(call).await;
        match outcome {
            Purchase::Unknown if lacks_rule(2) || (lacks_rule(14) && raw.starts_with("error")) => {
                self.order_refused(order, &Upstream::Unreachable, raw).await
            }
            Purchase::Done(id) => self.order_accepted(order, &id, raw, client_gone()).await,
            Purchase::Refused(refusal) => self.order_refused(order, &refusal, raw).await,
            Purchase::Unknown => {
                tracing::warn!(
                    order.id = order.id.0,
                    upstream = order.upstream,
                    reply = raw,
                    "the outcome of order {} at {} is unknown",
                    order.id,
                    order.upstream
                );
                self.step("in_doubt", self.order_in_doubt(order, "no_usable_answer"))
                    .await;
                Err(Refusal::OutcomeUnknown)
            }
        }
    }

    async fn order_accepted(
        &self,
        order: SmmOrder,
        id: &str,
        raw: String,
        client_gone: bool,
    ) -> Result<SmmOrder, Refusal> {
        let (now, plan) = (self.now(), self.smm_plan(&order.upstream));
        let writes = if client_gone {
            order.clone().linked(id, "answer", &plan, now)
        } else {
            order.clone().accepted(id, &plan, now, raw)
        };
        let stored = saved_order(&writes);
        match self.commit("order_accepted", writes).await {
            Ok(()) => stored.ok_or(Refusal::OutcomeUnknown),
            Err(CommitError::Refused(Refused::UpstreamIdTaken)) => {
                // the panel answers equal orders with one id: this one was not placed
                let failure = Failure::DuplicateActiveOrder;
                let writes = order.refused(failure, "id_already_linked", String::new(), now);
                if self.step("order_refused", writes).await {
                    return Err(Refusal::DuplicateActiveOrder);
                }
                // somebody else settled it meanwhile, perhaps with this very id
                Err(Refusal::OutcomeUnknown)
            }
            Err(CommitError::Refused(_)) => {
                self.offer_order_evidence(&order, id).await;
                Err(Refusal::OutcomeUnknown)
            }
            Err(CommitError::Storage(_)) => self.read_order_again(&order, id).await,
        }
    }

    /// The storage failed while an acceptance was stored: what is there decides what the client is
    /// told.
    async fn read_order_again(&self, called: &SmmOrder, id: &str) -> Result<SmmOrder, Refusal> {
        let stored = self.store().smm_order(called.id).await.ok().flatten();
        let placed = stored.filter(|stored| {
            let told = stored.state == SmmState::Active && stored.told == Told::Done;
            told && stored.upstream_id.as_deref() == Some(id)
        });
        placed.ok_or(Refusal::OutcomeUnknown)
    }

    async fn order_refused(
        &self,
        order: SmmOrder,
        refusal: &Upstream,
        raw: String,
    ) -> Result<SmmOrder, Refusal> {
        tracing::warn!(
            order.id = order.id.0,
            upstream = order.upstream,
            class = refusal.slug(),
            "upstream {} refused order {}: {}",
            order.upstream,
            order.id,
            refusal.slug()
        );
        let failure = Failure::of(refusal);
        match self
            .commit(
                "order_refused",
                order.refused(failure, refusal.slug(), raw, self.now()),
            )
            .await
        {
            Ok(()) => Err(Refusal::of_failure(failure)),
            Err(_) => Err(Refusal::OutcomeUnknown),
        }
    }

    /// The writes that put an order in doubt.
    pub(crate) fn order_in_doubt(&self, order: SmmOrder, why: &str) -> Vec<Write> {
        let (now, plan) = (self.now(), self.smm_plan(&order.upstream));
        let sent_at = order.due_at.map_or(now, |due| due - plan.lease);
        order.in_doubt(sent_at, &plan, now, why)
    }

    async fn replay_order(&self, found: Found) -> Answer<Purchased<SmmOrder>> {
        let id = match found {
            Found::Order(id) => id,
            Found::InsufficientFunds => {
                return Answer::again(Err(Refusal::InsufficientBalance));
            }
        };
        match self.store().smm_order(id).await {
            Err(error) => Answer::first(Err(error.into())),
            Ok(None) => Answer::first(Err(Refusal::StorageUnavailable)),
            Ok(Some(order)) => match order.state {
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
            },
        }
    }
}

/// The way of an answer to its client. An order whose client goes away before it took it is taken
/// back.
struct Handover<'a> {
    engine: &'a Arc<Engine>,
    keyed: bool,
    waiting: Waiting,
}

impl Drop for Handover<'_> {
    fn drop(&mut self) {
        self.waiting.close();
        if let Ok(Ok(placed)) = self.waiting.try_recv() {
            let (engine, keyed) = (Arc::clone(self.engine), self.keyed);
            self.engine.outside.tasks.spawn(Box::pin(async move {
                engine.take_order_back(placed, keyed).await;
            }));
        }
    }
}

/// The order as these writes leave it, version included.
fn saved_order(writes: &[Write]) -> Option<SmmOrder> {
    writes.iter().find_map(|write| match write {
        Write::UpdateSmmOrder(order) => Some(SmmOrder {
            version: order.version + 1,
            ..(**order).clone()
        }),
        _ => None,
    })
}

/// The members to send besides the link, and the units they bill.
fn members(service: &SmmService, request: &PlaceOrder) -> Result<(Members, u64), Refusal> {
    let kind = service.kind;
    let mut sent = Members::new();
    for name in kind.needed().iter().copied().filter(|name| *name != "link") {
        let value = match name {
            "quantity" => quantity(service, request)?.to_string(),
            _ => text(request, name)?.ok_or(Refusal::MissingParameter(name))?,
        };
        sent.push((name, value));
    }
    if service.dripfeed {
        sent.extend(drip_feed(request)?);
    }
    for name in kind.optional().iter().copied() {
        sent.extend(text(request, name)?.map(|value| (name, value)));
    }
    let member = |name: &str| {
        let found = sent.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| value.as_str())
    };
    if let Some(missing) = kind
        .needed_with(&member)
        .filter(|name| member(name).is_none())
    {
        return Err(Refusal::MissingParameter(missing));
    }
    let units = match kind.units(&member) {
        Ok(Units::Counted(units)) => in_range(service, units)?,
        Ok(Units::Flat | Units::PerChild) => 1,
        Err(_) => in_range(service, u64::MAX)?,
    };
    Ok((sent, units))
}

fn quantity(service: &SmmService, request: &PlaceOrder) -> Result<u64, Refusal> {
    let asked = request
        .quantity
        .ok_or(Refusal::MissingParameter("quantity"))?;
    in_range(service, u64::try_from(asked).unwrap_or(0))
}

fn in_range(service: &SmmService, units: u64) -> Result<u64, Refusal> {
    let (min, max) = (service.min, service.max);
    if (min..=max).contains(&units) {
        Ok(units)
    } else {
        Err(Refusal::QuantityOutOfRange { min, max })
    }
}

/// Runs and the minutes between them, where drip-feed is asked for.
fn drip_feed(request: &PlaceOrder) -> Result<Members, Refusal> {
    let Some(runs) = request.runs else {
        return Ok(Vec::new());
    };
    let bad = |name, why: &str| Refusal::InvalidParameter(name, why.to_owned());
    if !(1..=10_000).contains(&runs) {
        return Err(bad("runs", "must lie between 1 and 10000"));
    }
    let interval = request
        .interval
        .ok_or(Refusal::MissingParameter("interval"))?;
    if !(1..=10_080).contains(&interval) {
        return Err(bad("interval", "must be 1 to 10080 minutes"));
    }
    Ok(vec![
        ("runs", runs.to_string()),
        ("interval", interval.to_string()),
    ])
}

/// A text member, cleaned: lists by line are sent as they are counted.
fn text(request: &PlaceOrder, name: &'static str) -> Result<Option<String>, Refusal> {
    let Some(given) = request.texts.get(name) else {
        return Ok(None);
    };
    if given.len() > TEXT_MAX {
        return Err(Refusal::InvalidParameter(
            name,
            format!("must be at most {TEXT_MAX} bytes"),
        ));
    }
    let cleaned = lines(given).join("\n");
    Ok((!cleaned.is_empty()).then_some(cleaned))
}
