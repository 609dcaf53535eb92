//! The OTP upstreams: what they sell, lose, delay, double and get wrong.

use crate::executor::{Owner, give_way};
use crate::failover;
use crate::mutants;
use crate::node::LIFETIME;
use crate::race::{Trip, Tripped};
use crate::random::Random;
use crate::rented::{Origin, Rented};
use crate::sale::{Fate, Kind};
use crate::world::{NUMBER_UPSTREAMS, State, World};
use domain::phone::Phone;
use domain::time::{Millis, Timestamp};
use domain::upstream::{
    CancelReply, Capabilities, ListedNumber, Number, NumberListing, NumberOffer, NumberRequest,
    NumberStatus, NumberUpstream, Pending, Purchase, ReadFailure, Reply,
};
use domain::usd::Usd;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use tokio::sync::oneshot;

mod cancel;

pub use cancel::cancel;

/// How long a call may take before we give up.
const TIMEOUT: Millis = Millis::seconds(30);

/// How long after booking an activation may be missing from the list.
pub const LIST_LAG: Millis = Millis::seconds(60);

/// What was paid in before the start.
pub const FLOAT: Usd = Usd(50_000_000);

/// The country that is sold, by its id here; its numbers begin with 92.
pub const COUNTRY: &str = "61";

/// Services, and their quoted cost at each upstream: neither is the cheaper one for both.
pub const SERVICES: [(&str, [i64; 2]); 2] =
    [("s1", [150_000, 170_000]), ("s2", [333_333, 310_000])];

/// Canonical key of [`COUNTRY`].
pub const COUNTRY_KEY: &str = "pakistan";

/// What a service is quoted at an upstream, by its place in the world.
pub fn quote(index: usize, service: &str) -> i64 {
    let known = SERVICES.iter().find(|(code, _)| *code == service);
    known.map_or(0, |(_, costs)| costs[index])
}

/// One OTP upstream.
pub struct NumberMarket {
    /// Its name.
    pub name: &'static str,
    /// Everything it has made.
    pub rented: Vec<Rented>,
    /// Whether it lists its active numbers.
    pub lists: bool,
    /// Whether its list tells when they were made.
    pub tells_age: bool,
    /// Whether it takes a cancel though a code is there, and returns the money.
    pub forgives: bool,
    /// Whether it offers to cancel.
    pub cancels: bool,
    /// Whether its word for what has ended leaves open how, and it takes no cancel of that.
    pub vague: bool,
    /// Whether it calls every cancel too early.
    pub locked: bool,
    /// Its list fails until then.
    pub list_down_until: Timestamp,
    /// What the operator paid in since the start.
    pub deposited: Usd,
    /// Purchase calls seen, by purchase.
    pub calls: BTreeMap<usize, u32>,
    /// All purchase calls seen.
    pub calls_total: usize,
    /// When each list was answered, by the moment it shows.
    pub lists_shown: Vec<(Timestamp, usize)>,
    /// What becomes of the next purchase calls, where that is not left to chance.
    pub arranged: VecDeque<Fate>,
    /// How the next cancel travels, where that is not left to chance.
    pub trip: Option<Trip>,
    /// When that cancel was sent, processed and answered.
    pub tripped: Option<Tripped>,
}

impl NumberMarket {
    /// A market that has sold nothing.
    pub fn new(name: &'static str, lists: bool, tells_age: bool, forgives: bool) -> Self {
        Self {
            name,
            rented: Vec::new(),
            lists,
            tells_age,
            forgives,
            cancels: true,
            locked: false,
            vague: name == NUMBER_UPSTREAMS[1],
            list_down_until: Timestamp(0),
            deposited: Usd::ZERO,
            calls: BTreeMap::new(),
            calls_total: 0,
            lists_shown: Vec::new(),
            arranged: VecDeque::new(),
            trip: None,
            tripped: None,
        }
    }

    /// Our balance there: what was paid in, less what is held. Another program pays for its own.
    pub fn balance(&mut self, now: Timestamp) -> Usd {
        let mut left = FLOAT.0 + self.deposited.0;
        for one in &mut self.rented {
            one.settle(now);
            if one.origin != Origin::Foreign {
                left -= one.missing_at(now).0;
            }
        }
        Usd(left)
    }

    /// One activation by its id.
    pub fn find(&mut self, id: &str, now: Timestamp) -> Option<&mut Rented> {
        let found = self.rented.iter_mut().find(|one| one.id == id)?;
        found.settle(now);
        Some(found)
    }
}

/// An upstream as a node reaches it.
pub struct NumberSeller {
    world: Arc<World>,
    index: usize,
    node: usize,
    capabilities: Capabilities,
}

impl NumberSeller {
    /// The upstream with this place in the world.
    pub fn new(world: Arc<World>, index: usize, node: usize) -> Self {
        let (list_active, cancel) = world.with(|state| {
            let market = &state.numbers[index];
            (market.lists, market.cancels)
        });
        let capabilities = Capabilities {
            list_active,
            cancel,
            list_lag: LIST_LAG,
            activation_ttl: LIFETIME,
            ..Capabilities::numbers()
        };
        Self {
            world,
            index,
            node,
            capabilities,
        }
    }

    /// Counts the call and draws what becomes of it.
    fn begin(&self) -> (Fate, Option<usize>) {
        let served = self.world.purchase_served();
        self.world.with(|state| {
            let market = &mut state.numbers[self.index];
            market.calls_total += 1;
            let (name, calls) = (market.name, market.calls_total);
            let tries = state.truth.tries_at(name);
            if calls > tries {
                let detail = format!("{calls} purchase calls at {name}, {tries} attempts written");
                state.violate("I-12", detail);
            }
            let Some(purchase) = served else {
                return (Fate::draw(state), served);
            };
            let calls = state.numbers[self.index].calls.entry(purchase).or_default();
            *calls += 1;
            let calls = *calls;
            failover::call_has_its_attempt(state, purchase, (name, calls));
            if let Some(fate) = state.numbers[self.index].arranged.pop_front() {
                return (fate, served);
            }
            let several = state.purchases[purchase].wish.has_routes();
            (Fate::of_routes(state, several), served)
        })
    }

    /// A read or cancel that takes its time and may fail on the way.
    async fn travel(&self, what: &'static str) -> bool {
        let (wait, lost) = self.world.with(|state| {
            if !state.faults {
                return (0, false);
            }
            let most = if what == "cancel" && state.random.chance(300) {
                12_000
            } else {
                900
            };
            let wait = if state.random.chance(400) {
                state.random.between(1, most)
            } else {
                0
            };
            (wait, state.random.chance(60))
        });
        if wait > 0 {
            self.world.hub.sleep(Millis(wait)).await;
        } else {
            give_way().await;
        }
        if lost {
            self.world.reach(what, "lost before");
        }
        !lost
    }

    async fn call(&self, request: NumberRequest) -> Reply<Purchase<Number>> {
        let (fate, purchase) = self.begin();
        let sent_at = self.world.now();
        self.world.reach("buy", fate.name());
        self.world
            .tell(|| format!("node {} buys at {}: {fate:?}", self.node, self.index));
        self.world.set_out(&fate);
        let (tell, told) = oneshot::channel();
        let (world, index) = (Arc::clone(&self.world), self.index);
        world.clone().hub.spawn(Owner::Outside, async move {
            let Some(after) = fate.processed_after else {
                world.hub.sleep(fate.silence()).await;
                drop(tell);
                return;
            };
            world.hub.sleep(after).await;
            let times = (sent_at, world.now());
            let sold = world.with(|state| {
                state.on_the_way -= 1;
                sell(state, index, &request, &fate, purchase, times)
            });
            match fate.answered_after {
                Some(after) => {
                    world.hub.sleep(after).await;
                    let _ = tell.send(sold);
                }
                None => {
                    world.hub.sleep(fate.silence()).await;
                    drop(tell);
                }
            }
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

/// The upstream processes a purchase.
fn sell(
    state: &mut State,
    index: usize,
    request: &NumberRequest,
    fate: &Fate,
    purchase: Option<usize>,
    (sent_at, now): (Timestamp, Timestamp),
) -> Purchase<Number> {
    if let Kind::Refused(refusal) = &fate.kind {
        let name = state.numbers[index].name;
        state
            .refusals
            .extend(purchase.map(|purchase| (purchase, name)));
        return Purchase::Refused(refusal.to_refusal());
    }
    if fate.kind == Kind::OldId
        && let Some(old) = state.numbers[index].rented.last()
        && !old.foreign_message
        && old.origin != Origin::Foreign
    {
        let mut number = answer(old);
        number.cost = Some(old.cost);
        return Purchase::Done(number);
    }
    if fate.kind == Kind::Double {
        let second = (purchase, sent_at, Origin::Double);
        let double = make(state, index, request, fate, second, now);
        state.numbers[index].rented.push(double);
    }
    let first = (purchase, sent_at, Origin::Call);
    let made = make(state, index, request, fate, first, now);
    let outcome = match fate.kind {
        Kind::Garbage | Kind::UnmappedError => Purchase::Unknown,
        Kind::CutId if mutants::lacks_rule(15) => {
            let mut number = answer(&made);
            number.id.truncate(number.id.len() - 1);
            Purchase::Done(number)
        }
        Kind::CutId => Purchase::Unknown,
        _ => Purchase::Done(answer(&made)),
    };
    state.numbers[index].rented.push(made);
    outcome
}

fn answer(rented: &Rented) -> Number {
    Number {
        id: rented.id.clone(),
        phone: rented.phone.clone(),
        cost: rented.tells_cost.then_some(rented.cost),
        lifetime: None,
        cancel_after: None,
    }
}

/// How long money that comes back takes; kept money comes back much later, if at all.
fn returns_after(random: &mut Random, faults: bool, keeps_money: bool) -> Option<Millis> {
    let late = Millis(random.between(1_000, 150_000));
    let much_later = Millis(random.between(600_000, 1_500_000));
    if keeps_money {
        random.chance(400).then_some(much_later)
    } else {
        (faults && random.chance(300)).then_some(late)
    }
}

/// A new activation.
pub fn make(
    state: &mut State,
    index: usize,
    request: &NumberRequest,
    fate: &Fate,
    (purchase, sent_at, origin): (Option<usize>, Timestamp, Origin),
    now: Timestamp,
) -> Rented {
    let random = &mut state.random;
    let market = &state.numbers[index];
    let serial = market.rented.len();
    let quoted = quote(index, &request.service);
    let dearer = if fate.kind == Kind::Dearer {
        quoted * random.between(5, 40) / 100
    } else {
        0
    };
    let living = market
        .rented
        .iter()
        .rfind(|one| one.closed_at.is_none() && one.expires_at > now);
    let fresh = format!("92300{index}{serial:06}");
    let phone = match fate.kind {
        Kind::NumberInUse => living.map_or(fresh, |one| one.phone.digits().to_owned()),
        Kind::WrongCountry => format!("7958{index}{serial:06}"),
        _ => fresh,
    };
    let unseen = fate.answered_after.is_none() || origin != Origin::Call;
    let foreign_message = unseen && random.chance(120);
    let mut messages = Vec::new();
    if foreign_message {
        messages.push((now, format!("foreign-{index}-{serial}")));
    }
    if !foreign_message && random.chance(550) {
        let latest = random.weighted(&[(3, 60_000), (3, 300_000), (2, 900_000), (2, 1_340_000)]);
        let at = now + Millis(random.between(500, latest));
        messages.push((at, format!("{index}-{serial}-1")));
        if random.chance(100) {
            messages.push((at + Millis::seconds(40), format!("{index}-{serial}-2")));
        }
    }
    let overtime = random.between(0, 150_000);
    let lifetime = if random.chance(400) {
        Millis(LIFETIME.0 + overtime)
    } else {
        LIFETIME
    };
    let gives_up_at = random
        .chance(80)
        .then(|| now + Millis(random.between(5_000, 1_000_000)));
    let keeps_money = state.faults && random.chance(15);
    let returns_after = returns_after(random, state.faults, keeps_money);
    Rented {
        id: format!("{}{serial:04}x{}", index + 1, serial * 7 % 10),
        service: request.service.clone(),
        country: request.country.clone(),
        phone: Phone::parse(&phone).expect("numbers here are E.164"),
        cost: Usd(quoted + dearer),
        tells_cost: dearer > 0 || random.chance(800),
        origin,
        purchase,
        sent_at,
        created_at: now,
        expires_at: now + lifetime,
        messages,
        foreign_message,
        gives_up_at,
        closed_at: None,
        refunded: false,
        keeps_money,
        returns_after,
        hears_late: false,
        status_reads: Vec::new(),
    }
}

impl NumberUpstream for NumberSeller {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn buy<'a>(&'a self, request: &'a NumberRequest) -> Pending<'a, Reply<Purchase<Number>>> {
        Box::pin(self.call(request.clone()))
    }

    fn status<'a>(&'a self, id: &'a str) -> Pending<'a, Result<NumberStatus, ReadFailure>> {
        Box::pin(async move {
            if !self.travel("status").await {
                return Err(ReadFailure::Fault("reset".into()));
            }
            let now = self.world.now();
            self.world.with(|state| {
                let vague = state.numbers[self.index].vague;
                let Some(found) = state.numbers[self.index].find(id, now) else {
                    return Err(ReadFailure::UnknownOrder);
                };
                found.status_reads.push(now);
                let status = found.status(now, vague);
                state.reach("status", status_name(&status));
                Ok(status)
            })
        })
    }

    fn active(&self) -> Pending<'_, Result<Vec<ListedNumber>, ReadFailure>> {
        Box::pin(async move {
            let now = self.world.now();
            let down = self
                .world
                .with(|state| state.numbers[self.index].list_down_until > now);
            if down || !self.travel("list").await {
                self.world.reach("list", "failed");
                return Err(ReadFailure::Fault("the list is down".into()));
            }
            let now = self.world.now();
            self.world
                .with(|state| Ok(listed(state, self.index, self.node, now)))
        })
    }

    fn cancel<'a>(&'a self, id: &'a str) -> Pending<'a, Reply<CancelReply>> {
        Box::pin(async move {
            let arranged = self
                .world
                .with(|state| state.numbers[self.index].trip.take());
            if let Some(trip) = arranged {
                return trip.cancel(&self.world, self.index, id).await;
            }
            let mut outcome = CancelReply::Unknown;
            if self.travel("cancel").await {
                let now = self.world.now();
                outcome = self.world.with(|state| cancel(state, self.index, id, now));
                self.world
                    .tell(|| format!("node {} cancels {id}: {outcome:?}", self.node));
                let lost = self
                    .world
                    .with(|state| state.faults && state.random.chance(80));
                if lost {
                    self.world.reach("cancel", "answer lost");
                    outcome = CancelReply::Unknown;
                }
                self.travel("cancel").await;
            }
            Reply {
                outcome,
                raw: String::new(),
            }
        })
    }

    fn finish<'a>(&'a self, _id: &'a str) -> Pending<'a, Result<(), ReadFailure>> {
        Box::pin(async { Ok(()) })
    }

    fn balance(&self) -> Pending<'_, Result<Usd, ReadFailure>> {
        Box::pin(async {
            if !self.travel("balance").await {
                return Err(ReadFailure::Fault("reset".into()));
            }
            let now = self.world.now();
            let balance = self
                .world
                .with(|state| state.numbers[self.index].balance(now));
            give_way().await;
            Ok(balance)
        })
    }

    fn listing(&self) -> Pending<'_, Result<NumberListing, ReadFailure>> {
        Box::pin(async {
            let offer = |(service, costs): (&str, [i64; 2])| NumberOffer {
                country: COUNTRY.to_owned(),
                service: service.to_owned(),
                pool: None,
                cost: Usd(costs[self.index]),
                available: None,
                success_rate: None,
            };
            let named = |(code, _): (&str, _)| (code.to_owned(), format!("Sandbox: {code}"));
            Ok(NumberListing {
                countries: vec![(COUNTRY.to_owned(), "Pakistan".to_owned())],
                services: SERVICES.map(named).to_vec(),
                offers: SERVICES.map(offer).to_vec(),
            })
        })
    }
}

fn status_name(status: &NumberStatus) -> &'static str {
    match status {
        NumberStatus::Code(_) => "code",
        NumberStatus::Closed => "closed",
        NumberStatus::ClosedAmbiguous => "closed somehow",
        NumberStatus::Waiting | NumberStatus::WaitingRetry => "waiting",
    }
}

/// The list, as it was a moment ago.
fn listed(state: &mut State, index: usize, node: usize, now: Timestamp) -> Vec<ListedNumber> {
    let most = if state.faults { LIST_LAG.0 } else { 2_000 };
    let lag = if state.random.chance(500) {
        state.random.between(0, most)
    } else {
        0
    };
    let seen_at = now - Millis(lag);
    state.reach("list", if lag > 5_000 { "stale" } else { "fresh" });
    let market = &mut state.numbers[index];
    market.rented.iter_mut().for_each(|one| one.settle(now));
    market.lists_shown.push((seen_at, node));
    let tells_age = market.tells_age;
    let open = market.rented.iter().filter(|one| one.open_at(seen_at));
    open.map(|one| ListedNumber {
        id: one.id.clone(),
        service: one.service.clone(),
        country: Some(one.country.clone()),
        phone: Some(one.phone.clone()),
        cost: Some(one.cost),
        created_at: tells_age.then_some(one.created_at),
        sms: one.message_by(seen_at),
        retry_asked: false,
    })
    .collect()
}
