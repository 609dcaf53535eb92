//! A backup brought back: a purchase was under way when it was made, its upstream may have sold, and
//! its customer may have been shown the number, in the time that was lost.

use crate::checks;
use crate::executor::{Executor, Hub, Owner};
use crate::mutants;
use crate::node;
use crate::numbers::{COUNTRY, COUNTRY_KEY, make};
use crate::rented::Origin;
use crate::sale::Fate;
use crate::schedule::{self, at_once};
use crate::world::{NUMBER_UPSTREAMS, START, World};
use domain::activation::{Activation, ActivationState, Plan, Wanted};
use domain::attempt::AttemptState;
use domain::change::Change;
use domain::ids::OrderId;
use domain::mutant::Mutant;
use domain::order::Told;
use domain::ports::Store;
use domain::ticket::TicketKind;
use domain::time::Millis;
use domain::usd::Usd;
use std::sync::Arc;
use store::Database;

/// Most polls of futures in one run.
const POLLS_MAX: usize = 200_000;

/// When the call of before left.
const BEFORE: Millis = Millis::seconds(40);

/// How often each end came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ends {
    /// The number was found on the list and given back.
    pub given_back: u64,
    /// Nothing was found: released, and somebody has to look.
    pub not_found: u64,
}

/// What came of many runs.
#[derive(Debug, Default)]
pub struct Restored {
    /// Counts.
    pub ends: Ends,
    /// Seeds that broke something, and what.
    pub failures: Vec<(u64, String)>,
}

/// Runs `count` restorations from a seed.
pub fn run(count: u64, seed: u64, mutant: Option<u8>) -> Restored {
    let database = Arc::new(Database::in_memory_rewindable().expect("a database in memory opens"));
    let mut all = Restored::default();
    for seed in seed..seed + count {
        database
            .rewind()
            .expect("a database in memory can be emptied");
        one(&database, seed, mutant, &mut all);
    }
    all
}

fn one(database: &Arc<Database>, seed: u64, mutant: Option<u8>, all: &mut Restored) {
    let store: Arc<dyn Store> = Arc::clone(database) as _;
    mutants::set_active(mutant.map(Mutant));
    let hub = Hub::new(START);
    let mut state = schedule::draw(seed, false);
    state.faults = false;
    state.crashes_left = 0;
    state.storage_errors_left = 0;
    state.clients_open = 0;
    state.restored_at = Some(START);
    let world = World::new(Arc::clone(&hub), state);
    schedule::open_accounts(&world, &store);
    let order = open(&world, &store);
    let sold = sell(&world, &store, order);
    database
        .restore_in_place(START)
        .expect("a database in memory can be marked");
    forget_versions(&world, &store, order);
    let mut executor = Executor::new(Arc::clone(&hub), seed);
    for number in 0..2 {
        node::start(&world, &store, number);
    }
    let shared = Arc::clone(&world);
    hub.spawn(Owner::Outside, async move {
        schedule::come_to_rest(&shared).await;
        shared.hub.end();
    });
    let ended = executor.run(POLLS_MAX);
    drop(executor);
    world.with(|state| state.nodes = [None, None]);
    checks::books(&world, &store);
    mutants::set_active(None);
    let mut broken: Vec<String> = world.with(|state| {
        let violations = std::mem::take(&mut state.violations).into_iter();
        violations
            .map(|(rule, detail)| format!("{rule}: {detail}"))
            .collect()
    });
    if !ended {
        broken.push("I-20: it never came to rest".to_owned());
    }
    match end_of(&world, &store, order, sold) {
        Ok(true) => all.ends.given_back += 1,
        Ok(false) => all.ends.not_found += 1,
        Err(what) => broken.push(what),
    }
    all.failures
        .extend(broken.into_iter().map(|what| (seed, what)));
}

/// The order as the backup has it: its call was about to leave.
fn open(world: &Arc<World>, store: &Arc<dyn Store>) -> OrderId {
    let account = world.with(|state| state.callers[0].account.id);
    let id = store.next_order_id();
    let activation = Activation {
        id,
        account,
        version: 1,
        state: ActivationState::Calling,
        told: Told::Pending,
        wanted: Wanted {
            server: NUMBER_UPSTREAMS[0].into(),
            provider_type: 0,
            country_id: COUNTRY.into(),
            country_key: COUNTRY_KEY.into(),
            service_id: "s1".into(),
            service_name: "S1".into(),
            pool_id: None,
        },
        price: Usd(120_000),
        cost_quote: Usd(100_000),
        policy: ("social_messaging".into(), 1),
        upstream: NUMBER_UPSTREAMS[0].into(),
        attempt: 1,
        upstream_id: None,
        phone: None,
        cost: None,
        disclosed_at: None,
        message: None,
        messages: 0,
        created_at: START - BEFORE,
        in_doubt_until: None,
        expires_at: None,
        cancel_allowed_at: None,
        late_code_at: None,
        due_at: None,
        tries: 0,
        failure: None,
    };
    let plan = Plan {
        lease: node::LEASE,
        in_doubt_window: node::WINDOW,
        min_cancel_age: Millis::seconds(120),
        lifetime: node::LIFETIME,
        retry: Millis::seconds(2),
    };
    let change = Change::new("open", START - BEFORE, activation.open(&plan));
    let stored = at_once(store.commit(change.clone()));
    world.with(|state| {
        state.truth.apply(&change);
        if let Err(error) = stored {
            state.violate("store", format!("{error:?}"));
        }
    });
    id
}

/// In the time that was lost the upstream sold, or did not, or sold and it has ended since. Gives
/// whether its list still shows it.
fn sell(world: &Arc<World>, store: &Arc<dyn Store>, order: OrderId) -> bool {
    let row = at_once(store.activation(order)).ok().flatten();
    world.with(|state| {
        let fate = Fate::draw(state);
        let (sold, over) = (state.random.chance(700), state.random.chance(300));
        let Some(row) = row.filter(|_| sold) else {
            return false;
        };
        let at = START - Millis::seconds(38);
        let origin = (None, at, Origin::Call);
        let mut made = make(state, 0, &row.request(), &fate, origin, at);
        if over {
            made.closed_at = Some(START - Millis::seconds(5));
        }
        state.numbers[0].rented.push(made);
        !over
    })
}

/// The record follows the versions that rose.
fn forget_versions(world: &Arc<World>, store: &Arc<dyn Store>, order: OrderId) {
    if let Ok(Some(row)) = at_once(store.activation(order)) {
        world.with(|state| state.truth.activations.insert(order, row));
    }
}

/// Whether the number was found and given back; anything that is not as it should be is said.
fn end_of(
    world: &Arc<World>,
    store: &Arc<dyn Store>,
    order: OrderId,
    listed: bool,
) -> Result<bool, String> {
    let bought = world.with(|state| {
        let calls = state.numbers.iter().map(|market| market.calls_total);
        calls.sum::<usize>()
    });
    if bought > 0 {
        return Err(format!("I-39: {bought} purchase calls were made again"));
    }
    let row = at_once(store.activation(order)).ok().flatten();
    let row = row.ok_or("the order is gone")?;
    if row.disclosed_at.is_some() || row.state.is_open() || row.message.is_some() {
        return Err(format!(
            "I-29: it ended as {:?}, shown to somebody",
            row.state
        ));
    }
    let attempts = at_once(store.attempts(order)).map_err(|error| error.to_string())?;
    let tickets = at_once(store.tickets(false, 100)).map_err(|error| error.to_string())?;
    let told = tickets
        .iter()
        .any(|ticket| ticket.kind == TicketKind::RestoredPurchase && ticket.reference == order.0);
    let found = attempts
        .iter()
        .any(|attempt| attempt.state == AttemptState::Linked);
    let given_up = attempts
        .iter()
        .any(|attempt| attempt.state == AttemptState::LatePossible);
    match (found, given_up, told) {
        (true, false, false) if listed => Ok(true),
        (false, true, true) => Ok(false),
        other => Err(format!(
            "found, given up, ticket: {other:?}, listed: {listed}"
        )),
    }
}
