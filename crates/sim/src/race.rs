//! Races of a cancel with a code: both reach the upstream at about the same moment, in every order,
//! and exactly one of refund and code may come of it.

use crate::campaign::{Kept, Stores};
use crate::client::{self, Purchase, Told, Wish};
use crate::executor::Owner;
use crate::numbers;
use crate::schedule;
use crate::world::{NUMBER_UPSTREAMS, World};
use domain::access::Caller;
use domain::activation::ActivationState;
use domain::ids::OrderId;
use domain::ports::Store;
use domain::time::{Millis, Timestamp};
use domain::upstream::{CancelReply, Reply};
use std::collections::BTreeMap;
use std::sync::Arc;

/// From this age on a number can be cancelled.
const CANCELLABLE: Millis = Millis::seconds(121);

/// What gets lost of a cancel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// Nothing.
    Nothing,
    /// The request: the upstream never sees it.
    Request,
    /// The answer: the upstream has decided and nobody hears it.
    Answer,
}

impl Loss {
    fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing lost",
            Self::Request => "request lost",
            Self::Answer => "answer lost",
        }
    }
}

/// How a cancel travels.
#[derive(Clone, Copy, Debug)]
pub struct Trip {
    /// Until it is processed.
    pub there: Millis,
    /// From then until its answer arrives.
    pub back: Millis,
    /// What gets lost.
    pub loss: Loss,
}

/// When a cancel that was arranged was where.
#[derive(Clone, Copy, Debug)]
pub struct Tripped {
    sent_at: Timestamp,
    processed_at: Timestamp,
    answered_at: Timestamp,
}

impl Trip {
    /// The cancel takes this trip.
    pub async fn cancel(self, world: &Arc<World>, index: usize, id: &str) -> Reply<CancelReply> {
        let sent_at = world.now();
        let processed_at = sent_at + self.there;
        let tripped = Tripped {
            sent_at,
            processed_at,
            answered_at: processed_at + self.back,
        };
        world.with(|state| state.numbers[index].tripped = Some(tripped));
        world.hub.sleep(self.there).await;
        let mut outcome = CancelReply::Unknown;
        if self.loss != Loss::Request {
            let now = world.now();
            outcome = world.with(|state| numbers::cancel(state, index, id, now));
        }
        world.tell(|| format!("the arranged cancel of {id}: {outcome:?}, {:?}", self.loss));
        world.hub.sleep(self.back).await;
        if self.loss == Loss::Answer {
            outcome = CancelReply::Unknown;
        }
        Reply {
            outcome,
            raw: String::new(),
        }
    }
}

/// A race as it was drawn.
#[derive(Clone, Copy, Debug)]
struct Plan {
    market: usize,
    trip: Trip,
    /// When the code arrives, counted from the moment of the cancel.
    code_after: Millis,
}

fn draw(world: &World) -> Plan {
    world.with(|state| {
        let random = &mut state.random;
        let (there, back) = (random.between(2, 4_000), random.between(2, 4_000));
        let code_after = match random.below(7) {
            0 => -random.between(3_000, 9_000),
            1 => -random.between(1, 2_000),
            2 => 0,
            3 => random.between(1, there - 1),
            4 => there,
            5 => there + random.between(1, back - 1),
            _ => there + back + random.between(0, 9_000),
        };
        let loss = random.weighted(&[(6, Loss::Nothing), (2, Loss::Request), (2, Loss::Answer)]);
        Plan {
            market: random.below(NUMBER_UPSTREAMS.len()),
            trip: Trip {
                there: Millis(there),
                back: Millis(back),
                loss,
            },
            code_after: Millis(code_after),
        }
    })
}

/// When the code came, seen from the cancel; a cancel that never left was late.
fn order_of(code_at: Timestamp, tripped: Option<Tripped>) -> &'static str {
    let Some(cancel) = tripped else {
        return "code known before the cancel is asked";
    };
    match code_at {
        at if at < cancel.sent_at => "code before the cancel is sent",
        at if at == cancel.sent_at => "code as the cancel is sent",
        at if at < cancel.processed_at => "code while the cancel travels",
        at if at == cancel.processed_at => "code as the cancel is processed",
        at if at < cancel.answered_at => "code while the answer travels",
        _ => "code after the answer",
    }
}

/// How often each order of events and each loss came to which end.
pub type Ends = BTreeMap<(&'static str, &'static str), u64>;

/// Everything that must have happened among many races: no other end is possible for some orders,
/// unless the request is lost.
pub const CELLS: [(&str, &str); 19] = [
    ("code known before the cancel is asked", "code"),
    ("code before the cancel is sent", "code"),
    ("code before the cancel is sent", "refund"),
    ("code as the cancel is sent", "code"),
    ("code as the cancel is sent", "refund"),
    ("code while the cancel travels", "code"),
    ("code while the cancel travels", "refund"),
    ("code as the cancel is processed", "code"),
    ("code as the cancel is processed", "refund"),
    ("code while the answer travels", "code"),
    ("code while the answer travels", "refund"),
    ("code after the answer", "code"),
    ("code after the answer", "refund"),
    ("nothing lost", "code"),
    ("nothing lost", "refund"),
    ("request lost", "code"),
    ("request lost", "refund"),
    ("answer lost", "code"),
    ("answer lost", "refund"),
];

/// What came of many races.
#[derive(Default)]
pub struct Races {
    /// Counts.
    pub ends: Ends,
    /// Seeds of races that broke something, and what.
    pub failures: Vec<(u64, String)>,
}

/// Runs `count` races from a seed, over two threads.
pub fn run(count: u64, seed: u64, mutant: Option<u8>) -> Races {
    let share = |thread: u64| {
        let stores = Stores::new(Kept::InDatabase);
        let mut races = Races::default();
        for race in (thread..count).step_by(2) {
            one(&stores.empty(), seed + race, mutant, &mut races);
        }
        races
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| share(1));
        let mut all = share(0);
        match other.join() {
            Ok(races) => all.join(races),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        all
    })
}

/// After how many races a mutant is noticed. The same race with all rules in place must be fine.
pub fn first_kill(mutant: u8, seed: u64, most: u64, kept: Kept) -> Option<(u64, String)> {
    let stores = Stores::new(kept);
    let broken = |race, mutant| {
        let mut races = Races::default();
        one(&stores.empty(), race, mutant, &mut races);
        races.failures
    };
    (0..most).find_map(|step| {
        let (_, what) = broken(seed + step, Some(mutant)).into_iter().next()?;
        let fine = broken(seed + step, None).is_empty();
        let rule = what.split(':').next().unwrap_or_default();
        fine.then(|| (step + 1, rule.to_owned()))
    })
}

impl Races {
    fn join(&mut self, other: Self) {
        self.failures.extend(other.failures);
        for (cell, count) in other.ends {
            *self.ends.entry(cell).or_default() += count;
        }
    }
}

/// One race over a store that is empty.
fn one(store: &Arc<dyn Store>, seed: u64, mutant: Option<u8>, races: &mut Races) {
    let mut drawn = None;
    let world = schedule::stage(store, seed, mutant, |world| {
        live(Arc::clone(world), *drawn.insert(draw(world)))
    });
    let Some(plan) = drawn else {
        return;
    };
    let end = end_of(&world, plan);
    let outcome = schedule::finish(&world);
    let broken = outcome
        .violations
        .into_iter()
        .map(|(rule, detail)| format!("{rule}: {detail}"));
    let failures = broken.chain(end.as_ref().err().cloned());
    races
        .failures
        .extend(failures.map(|what| (seed, format!("{what} ({plan:?})"))));
    if let Ok((order, end)) = end {
        *races.ends.entry((order, end)).or_default() += 1;
        let loss = (plan.trip.loss.name(), end);
        if order != "code known before the cancel is asked" {
            *races.ends.entry(loss).or_default() += 1;
        }
    }
}

/// Refund without a code, or a code that is paid; anything else is said.
fn end_of(world: &World, plan: Plan) -> Result<(&'static str, &'static str), String> {
    world.with(|state| {
        let known = &state.purchases[0];
        let order = *known.orders.first().ok_or("nothing was bought")?;
        let row = &state.truth.activations[&order];
        let resolved = &state.truth.money[&order].resolved;
        let posted: i64 = resolved.iter().map(|(posted, _)| posted.0).sum();
        let market = &state.numbers[plan.market];
        let mine = market
            .rented
            .iter()
            .find(|one| Some(&one.id) == row.upstream_id.as_ref());
        let code_at = mine.ok_or("the number is not the upstream's")?.messages[0].0;
        let order = order_of(code_at, market.tripped);
        match (row.state, posted, known.codes.len()) {
            (ActivationState::Cancelled, 0, 0) => Ok((order, "refund")),
            (ActivationState::Received, paid, 1) if paid == row.price.0 && paid > 0 => {
                Ok((order, "code"))
            }
            other => Err(format!("{order}: state, posted and codes {other:?}")),
        }
    })
}

/// Buys, cancels at the moment of the code, and looks all the while.
async fn live(world: Arc<World>, plan: Plan) {
    // nodes load their catalogues first
    world.hub.sleep(Millis::seconds(5)).await;
    let caller = world.with(|state| {
        let wish = Wish::Number(NUMBER_UPSTREAMS[plan.market], "s1");
        let purchase = Purchase::new(0, wish, Some("race".to_owned()));
        state.purchases.push(purchase);
        state.callers[0].clone()
    });
    if let Told::Bought(order, ..) = client::request(&world, 0, &caller, None).await {
        race(&world, &caller, order, plan).await;
    }
}

async fn race(world: &Arc<World>, caller: &Caller, order: OrderId, plan: Plan) {
    let extra = world.span(9_000, 60_000);
    let cancel_at = world.now() + CANCELLABLE + extra;
    world.with(|state| {
        let market = &mut state.numbers[plan.market];
        market.trip = Some(plan.trip);
        if let Some(mine) = market.rented.last_mut() {
            mine.gives_up_at = None;
            let code_at = cancel_at + plan.code_after;
            mine.messages = vec![(code_at, "race-code".to_owned())];
        }
    });
    let (watcher, asker) = (Arc::clone(world), caller.clone());
    world.with(|state| state.clients_open += 1);
    world.hub.spawn(Owner::Outside, async move {
        watch(&watcher, &asker, order, cancel_at).await;
        watcher.with(|state| state.clients_open -= 1);
    });
    world.hub.sleep(cancel_at - world.now()).await;
    client::cancel(world, 0, caller, order).await;
    // who cancelled looks again afterwards
    for _ in 0..30 {
        world.hub.sleep(world.span(500, 30_000)).await;
        if client::poll(world, 0, caller, order).await {
            return;
        }
    }
}

/// Another program of the same customer polls from before the race until after it.
async fn watch(world: &Arc<World>, caller: &Caller, order: OrderId, cancel_at: Timestamp) {
    world
        .hub
        .sleep(cancel_at - Millis::seconds(10) - world.now())
        .await;
    while world.now() < cancel_at + Millis::seconds(20) {
        world.hub.sleep(world.span(1, 1_500)).await;
        if client::poll(world, 0, caller, order).await {
            return;
        }
    }
}
