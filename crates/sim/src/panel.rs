//! The SMM panel: what it accepts, loses, says of its orders, and takes back.

use crate::asks::{self, Asks};
use crate::executor::{Owner, give_way};
use crate::failover;
use crate::numbers::FLOAT;
use crate::race::Loss;
use crate::sale::{Fate, Kind};
use crate::story::{Plot, Story};
use crate::world::{PANEL, START, State, World};
use domain::time::{Millis, Timestamp};
use domain::upstream::{
    CancelReply, Capabilities, ListedPanelOrder, PanelRequest, PanelService, PanelStatus,
    PanelStatusRow, PanelUpstream, Pending, Purchase, ReadFailure, RefillReply, RefillRow, Reply,
};
use domain::usd::{Rate, Usd};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::sync::oneshot;

const TIMEOUT: Millis = Millis::seconds(30);

/// Services: id, order type, cost per 1000 (or of a package) in micro-dollars.
pub const SERVICES: [(&str, &str, i64); 3] = [
    ("1", "Default", 900_000),
    ("2", "Package", 777_777),
    ("3", "Default", 960_000),
];

/// The service that is tried next where the first one refuses: one public service stands for both.
pub const ROUTES: [&str; 2] = ["1", "3"];

/// One order as the panel knows it.
#[derive(Clone, Debug)]
pub struct Placed {
    /// Id.
    pub id: String,
    /// Service.
    pub service: String,
    /// Link.
    pub link: String,
    /// Units.
    pub quantity: u64,
    /// What was charged at first.
    pub cost: Usd,
    /// The purchase of ours whose call made it.
    pub purchase: Option<usize>,
    /// Creation.
    pub created_at: Timestamp,
    /// What it says from when on, and what it keeps.
    pub story: Story,
    /// What it has answered, and when.
    pub answers: Vec<(Timestamp, PanelStatus)>,
    /// Whether another program made it.
    pub foreign: bool,
}

/// The panel.
#[derive(Default)]
pub struct PanelMarket {
    /// All orders.
    pub placed: Vec<Placed>,
    /// Whether it lists its orders.
    pub lists: bool,
    /// Whether its list leaves out when an order was made.
    pub undated: bool,
    /// Cancels and refills that were asked for.
    pub asks: Asks,
    /// Purchase calls seen, by purchase and service.
    pub calls: BTreeMap<(usize, String), u32>,
    /// How the last call of each purchase is answered.
    pub answered: BTreeMap<usize, &'static str>,
    /// All purchase calls seen.
    pub calls_total: usize,
    /// What another program spent there.
    pub spent_by_others: Usd,
    /// What becomes of the next orders where that is arranged, instead of drawn.
    pub arranged: VecDeque<Arranged>,
}

/// What becomes of one order at the panel.
#[derive(Clone, Copy, Debug)]
pub struct Arranged {
    /// What gets lost of its purchase.
    pub loss: Loss,
    /// What is told of it if it is made, and how many units are left at the turn.
    pub plot: (Plot, i64),
    /// How much longer it runs than others.
    pub runs: Millis,
}

impl PanelMarket {
    /// Our balance there.
    pub fn balance(&self, now: Timestamp) -> Usd {
        let held: i64 = self.placed.iter().map(|one| one.story.kept_at(now).0).sum();
        Usd(FLOAT.0 - held - self.spent_by_others.0)
    }
}

/// The panel as a node reaches it.
pub struct PanelSeller {
    world: Arc<World>,
    capabilities: Capabilities,
}

impl PanelSeller {
    /// The panel of this world.
    pub fn new(world: Arc<World>) -> Self {
        let list_active = world.with(|state| state.panel.lists);
        let capabilities = Capabilities {
            list_active,
            list_lag: Millis::seconds(60),
            late_window: Millis::seconds(180),
            ..Capabilities::panel()
        };
        Self {
            world,
            capabilities,
        }
    }

    fn begin(&self, service: &str) -> (Fate, Option<usize>) {
        let served = self.world.purchase_served();
        self.world.with(|state| {
            state.panel.calls_total += 1;
            if let Some(purchase) = served {
                let place = (purchase, service.to_owned());
                *state.panel.calls.entry(place).or_default() += 1;
                let of_purchase = state.panel.calls.range((purchase, String::new())..);
                let of_purchase = of_purchase.take_while(|((of, _), _)| *of == purchase);
                let calls = of_purchase.map(|(_, calls)| calls).sum();
                failover::call_has_its_attempt(state, purchase, (PANEL, calls));
            }
            let (calls, tries) = (state.panel.calls_total, state.truth.tries_at("panel"));
            if calls > tries {
                let detail = format!("{calls} purchase calls at the panel, {tries} attempts");
                state.violate("I-12", detail);
            }
            let mut fate = Fate::of_routes(state, ROUTES.contains(&service));
            match state.panel.arranged.front().map(|one| one.loss) {
                Some(Loss::Request) => fate.processed_after = None,
                Some(Loss::Answer) => fate.answered_after = None,
                Some(Loss::Nothing) | None => {}
            }
            if fate.processed_after.is_none() {
                state.panel.arranged.pop_front();
            }
            (fate, served)
        })
    }

    async fn call(&self, request: PanelRequest) -> Reply<Purchase<String>> {
        let (fate, purchase) = self.begin(&request.service);
        self.world.reach("place", fate.name());
        if let Some(purchase) = purchase {
            let answer = (purchase, fate.name());
            self.world
                .with(|state| state.panel.answered.extend([answer]));
        }
        self.world.tell(|| format!("places at the panel: {fate:?}"));
        self.world.set_out(&fate);
        let (tell, told) = oneshot::channel();
        let world = Arc::clone(&self.world);
        world.clone().hub.spawn(Owner::Outside, async move {
            if let Some(after) = fate.processed_after {
                world.hub.sleep(after).await;
                let now = world.now();
                let sold = world.with(|state| {
                    state.on_the_way -= 1;
                    accept(state, &request, &fate, purchase, now)
                });
                if let Some(after) = fate.answered_after {
                    world.hub.sleep(after).await;
                    let _ = tell.send(sold);
                    return;
                }
            }
            world.hub.sleep(fate.silence()).await;
            drop(tell);
        });
        let outcome = tokio::select! {
            biased;
            answer = told => answer.unwrap_or(Purchase::Unknown),
            () = self.world.hub.sleep(TIMEOUT) => Purchase::Unknown,
        };
        let raw = match (&outcome, fate.kind) {
            (Purchase::Unknown, Kind::UnmappedError) => "error: unmapped",
            _ => "",
        };
        Reply {
            outcome,
            raw: raw.to_owned(),
        }
    }
}

fn accept(
    state: &mut State,
    request: &PanelRequest,
    fate: &Fate,
    purchase: Option<usize>,
    now: Timestamp,
) -> Purchase<String> {
    if let Kind::Refused(refusal) = fate.kind {
        state.refusals.extend(purchase.map(|index| (index, PANEL)));
        return Purchase::Refused(refusal.to_refusal());
    }
    if fate.kind == Kind::OldId
        && let Some(old) = state.panel.placed.last().filter(|one| !one.foreign)
    {
        return Purchase::Done(old.id.clone());
    }
    let copies = if fate.kind == Kind::Double { 2 } else { 1 };
    for _ in 0..copies {
        let made = make(state, request, purchase, now);
        state.panel.placed.push(made);
    }
    match fate.kind {
        Kind::Garbage | Kind::UnmappedError | Kind::CutId => Purchase::Unknown,
        _ => state
            .panel
            .placed
            .last()
            .map_or(Purchase::Unknown, |made| Purchase::Done(made.id.clone())),
    }
}

/// What so many units of a service cost, or its package.
pub fn cost(service: &str, quantity: u64) -> Usd {
    let known = SERVICES.iter().find(|(id, ..)| *id == service);
    let cost = known.map_or(0, |(_, _, cost)| *cost);
    match service {
        "2" => Usd(cost),
        _ => Rate(cost * 1000).charge(quantity).unwrap_or(Usd::ZERO),
    }
}

fn make(
    state: &mut State,
    request: &PanelRequest,
    purchase: Option<usize>,
    now: Timestamp,
) -> Placed {
    let member = |name: &str| {
        let found = request.members.iter().find(|(known, _)| *known == name);
        found.map_or(String::new(), |(_, value)| value.clone())
    };
    let quantity = member("quantity").parse().unwrap_or(1);
    let flat = request.service == "2";
    let cost = cost(&request.service, quantity);
    let drawn = Story::draw(&mut state.random, state.faults, (flat, quantity), cost, now);
    let story = match state.panel.arranged.pop_front() {
        Some(Arranged {
            plot: (plot, left),
            runs,
            ..
        }) => {
            let begin = now + Millis(state.random.between(1_000, 40_000));
            let end = begin + runs + Millis(state.random.between(5_000, 40_000));
            let units = (i64::try_from(quantity).unwrap_or(1), left);
            Story::of(plot).told(units, cost, (now, begin, end))
        }
        None => drawn,
    };
    state.reach("story", story.plot_name());
    Placed {
        id: format!("{}", 7001 + state.panel.placed.len()),
        service: request.service.clone(),
        link: member("link"),
        quantity,
        cost,
        purchase,
        created_at: now,
        story,
        answers: Vec::new(),
        foreign: false,
    }
}

/// Orders of another program on the same account, from before us: like ours in all but their age.
pub fn foreign_orders(state: &mut State) {
    state.panel.undated = state.random.chance(250);
    let count = state.random.weighted(&[(2, 0), (1, 3), (1, 6)]);
    for number in 0..count {
        let quantity = state
            .random
            .weighted(&[(1, 1), (1, 7), (2, 500), (1, 1000)]);
        let service = state.random.weighted(&[(3, "1"), (1, "3")]);
        let made_at = START - Millis::minutes(state.random.between(4, 30));
        let cost = cost(service, quantity);
        let over = made_at + Millis::seconds(60);
        let units = (i64::try_from(quantity).unwrap_or(1), 0);
        let story = Story::of(Plot::Completed).told(units, cost, (made_at, over, over));
        let link = format!("https://instagram.com/p{}", state.random.below(4));
        state.panel.placed.push(Placed {
            id: format!("{}", 5001 + number),
            service: service.to_owned(),
            link,
            quantity,
            cost,
            purchase: None,
            created_at: made_at,
            story,
            answers: Vec::new(),
            foreign: true,
        });
    }
}

impl PanelUpstream for PanelSeller {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn place<'a>(&'a self, request: &'a PanelRequest) -> Pending<'a, Reply<Purchase<String>>> {
        Box::pin(self.call(request.clone()))
    }

    fn statuses<'a>(
        &'a self,
        ids: &'a [String],
    ) -> Pending<'a, Result<Vec<PanelStatusRow>, ReadFailure>> {
        Box::pin(async move {
            give_way().await;
            let now = self.world.now();
            self.world.with(|state| {
                if state.faults && state.random.chance(60) {
                    state.reach("statuses", "failed");
                    return Err(ReadFailure::Fault("reset".into()));
                }
                let mut rows: Vec<PanelStatusRow> = ids
                    .iter()
                    .filter_map(|id| status_row(state, id, now))
                    .collect();
                if state.faults && state.random.chance(40) {
                    state.reach("statuses", "an order not asked for");
                    let stranger = state.random.below(state.panel.placed.len());
                    let id = state.panel.placed.get(stranger).map(|one| one.id.clone());
                    let asked = |id: &String| ids.contains(id);
                    if let Some(id) = id.filter(|id| !asked(id)) {
                        let lie = Story::plain_status("Canceled");
                        rows.push((id, Ok(lie)));
                    }
                }
                Ok(rows)
            })
        })
    }

    fn orders(&self) -> Pending<'_, Result<Vec<ListedPanelOrder>, ReadFailure>> {
        Box::pin(async move {
            give_way().await;
            let now = self.world.now();
            self.world.with(|state| {
                if state.faults && state.random.chance(100) {
                    state.reach("orders", "failed");
                    return Err(ReadFailure::Fault("reset".into()));
                }
                let most = if state.faults { 60_000 } else { 2_000 };
                let seen_at = now - Millis(state.random.between(0, most));
                let dated = !state.panel.undated;
                state.reach("orders", if dated { "listed" } else { "listed, undated" });
                let seen = state
                    .panel
                    .placed
                    .iter()
                    .rev()
                    .filter(|one| one.created_at <= seen_at);
                Ok(seen
                    .map(|one| ListedPanelOrder {
                        id: one.id.clone(),
                        service: one.service.clone(),
                        link: one.link.clone(),
                        quantity: Some(one.quantity),
                        charge: Some(one.story.kept_at(seen_at)),
                        created_at: dated.then_some(one.created_at),
                    })
                    .collect())
            })
        })
    }

    fn cancel<'a>(&'a self, id: &'a str) -> Pending<'a, Reply<CancelReply>> {
        Box::pin(async move {
            give_way().await;
            let now = self.world.now();
            let outcome = self.world.with(|state| asks::cancel(state, id, now));
            Reply {
                outcome,
                raw: String::new(),
            }
        })
    }

    fn refill<'a>(&'a self, id: &'a str) -> Pending<'a, Reply<RefillReply>> {
        Box::pin(async move {
            give_way().await;
            let now = self.world.now();
            let outcome = self.world.with(|state| asks::refill(state, id, now));
            Reply {
                outcome,
                raw: String::new(),
            }
        })
    }

    fn refill_statuses<'a>(
        &'a self,
        ids: &'a [String],
    ) -> Pending<'a, Result<Vec<RefillRow>, ReadFailure>> {
        Box::pin(async move {
            give_way().await;
            let now = self.world.now();
            self.world.with(|state| asks::refill_rows(state, ids, now))
        })
    }

    fn balance(&self) -> Pending<'_, Result<Usd, ReadFailure>> {
        Box::pin(async {
            give_way().await;
            let now = self.world.now();
            let balance = self.world.with(|state| {
                let lost = state.faults && state.random.chance(60);
                (!lost).then(|| state.panel.balance(now))
            });
            give_way().await;
            balance.ok_or_else(|| ReadFailure::Fault("reset".into()))
        })
    }

    fn services(&self) -> Pending<'_, Result<Vec<PanelService>, ReadFailure>> {
        Box::pin(async {
            let service = |(id, kind, cost): (&str, &'static str, i64)| PanelService {
                id: id.to_owned(),
                name: format!("Sandbox: {kind}"),
                category: "Sandbox".to_owned(),
                kind: Some(kind),
                rate: Rate(cost * 1000),
                min: 1,
                max: 100_000,
                refill: true,
                cancel: true,
                dripfeed: false,
            };
            Ok(SERVICES.map(service).to_vec())
        })
    }
}

fn status_row(state: &mut State, id: &str, now: Timestamp) -> Option<PanelStatusRow> {
    let (missing, broken) = if state.faults {
        (state.random.chance(50), state.random.chance(30))
    } else {
        (false, false)
    };
    if missing {
        state.reach("statuses", "id missing");
        return None;
    }
    if broken {
        state.reach("statuses", "error for one id");
        return Some((id.to_owned(), Err(ReadFailure::Fault("try later".into()))));
    }
    let found = state.panel.placed.iter_mut().find(|one| one.id == id);
    let Some(status) = found.and_then(|one| {
        let status = one.story.status_at(now)?;
        one.answers.push((now, status.clone()));
        Some(status)
    }) else {
        state.reach("statuses", "id not known");
        return Some((id.to_owned(), Err(ReadFailure::UnknownOrder)));
    };
    state.reach("statuses", "answered");
    Some((id.to_owned(), Ok(status)))
}
