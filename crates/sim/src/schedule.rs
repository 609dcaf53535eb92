//! One schedule: a world drawn from a seed, run until it is quiet, then checked.

use crate::checks;
use crate::client;
use crate::executor::{Executor, Hub, Owner};
use crate::mutants;
use crate::node;
use crate::numbers::{NumberMarket, make};
use crate::panel::PanelMarket;
use crate::random::Random;
use crate::rented::Origin;
use crate::sale::Fate;
use crate::truth::Truth;
use crate::world::{NUMBER_UPSTREAMS, Reached, START, State, World};
use domain::access::{Account, ApiKey, Caller};
use domain::change::{Change, Write};
use domain::ids::{AccountId, KeyId};
use domain::mutant::Mutant;
use domain::orphan::OrphanState;
use domain::ports::Store;
use domain::time::{Millis, Timestamp};
use domain::upstream::NumberRequest;
use domain::usd::Usd;
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

/// Longest schedule, in simulated time.
const LONGEST: Millis = Millis::minutes(6 * 60);

/// Most polls in one schedule: more means that something spins.
const POLLS_MAX: usize = 400_000;

/// What came of a schedule.
pub struct Outcome {
    /// What was found wrong.
    pub violations: Vec<(&'static str, String)>,
    /// Cells of the coverage table.
    pub reached: Reached,
    /// Counts of what went on.
    pub tally: Tally,
    /// What happened, if it was to be told.
    pub trace: Vec<String>,
    /// A figure that differs between any two different runs.
    pub digest: u64,
}

/// Counts of what went on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Orders written.
    pub orders: u64,
    /// Crashes of a node.
    pub crashes: u64,
    /// Purchase calls.
    pub calls: u64,
    /// Purchases that were in doubt.
    pub in_doubt: u64,
    /// Micro-dollars the house lost.
    pub lost: i64,
    /// Micro-dollars upstreams took that only a reading of their balance can show.
    pub invisible: i64,
}

impl Tally {
    /// Both together.
    pub fn plus(self, other: Self) -> Self {
        Self {
            orders: self.orders + other.orders,
            crashes: self.crashes + other.crashes,
            calls: self.calls + other.calls,
            in_doubt: self.in_doubt + other.in_doubt,
            lost: self.lost + other.lost,
            invisible: self.invisible + other.invisible,
        }
    }
}

/// Runs one schedule over a store that is empty.
pub fn run(store: &Arc<dyn Store>, seed: u64, mutant: Option<u8>, trace: bool) -> Outcome {
    mutants::set_active(mutant.map(Mutant));
    let hub = Hub::new(START);
    let state = draw(seed, trace);
    let world = World::new(Arc::clone(&hub), state);
    open_accounts(&world, store);
    let mut executor = Executor::new(Arc::clone(&hub), seed);
    for node in 0..2 {
        node::start(&world, store, node);
    }
    let clients = world.with(|state| state.clients_open);
    for number in 0..clients {
        hub.spawn(Owner::Outside, client::live(Arc::clone(&world), number));
    }
    hub.spawn(
        Owner::Outside,
        direct(Arc::clone(&world), Arc::clone(store)),
    );
    let ended = executor.run(POLLS_MAX);
    drop(executor);
    world.with(|state| {
        state.nodes = [None, None];
        if !ended {
            state.violate("I-20", "the schedule never came to rest".into());
        }
    });
    checks::books(&world, store);
    mutants::set_active(None);
    finish(&world)
}

/// A world without faults in which a script runs, until all is quiet and the books are checked.
pub(crate) fn stage<F>(
    store: &Arc<dyn Store>,
    seed: u64,
    mutant: Option<u8>,
    script: impl FnOnce(&Arc<World>) -> F,
) -> Arc<World>
where
    F: Future<Output = ()> + Send + 'static,
{
    mutants::set_active(mutant.map(Mutant));
    let hub = Hub::new(START);
    let mut state = draw(seed, false);
    state.faults = false;
    state.crashes_left = 0;
    state.storage_errors_left = 0;
    state.clients_open = 1;
    let world = World::new(Arc::clone(&hub), state);
    open_accounts(&world, store);
    let script = script(&world);
    let mut executor = Executor::new(Arc::clone(&hub), seed);
    for node in 0..2 {
        node::start(&world, store, node);
    }
    let shared = Arc::clone(&world);
    hub.spawn(Owner::Outside, async move {
        script.await;
        shared.with(|state| state.clients_open -= 1);
    });
    let shared = Arc::clone(&world);
    hub.spawn(Owner::Outside, async move {
        come_to_rest(&shared).await;
        last_replays(&shared).await;
        shared.hub.end();
    });
    let ended = executor.run(POLLS_MAX);
    drop(executor);
    world.with(|state| {
        state.nodes = [None, None];
        if !ended {
            state.violate("I-20", "the script never came to rest".into());
        }
    });
    checks::books(&world, store);
    mutants::set_active(None);
    world
}

/// What came of it, checked.
pub(crate) fn finish(world: &Arc<World>) -> Outcome {
    let now = world.now();
    world.with(|state| {
        checks::all(state, now);
        let tally = checks::tally(state);
        let digest = state.random.bits() ^ (state.truth.money.len() as u64) << 48;
        Outcome {
            violations: std::mem::take(&mut state.violations),
            reached: std::mem::take(&mut state.reached),
            tally,
            trace: state.trace.take().unwrap_or_default(),
            digest,
        }
    })
}

/// The state a schedule begins with.
pub(crate) fn draw(seed: u64, trace: bool) -> State {
    let mut random = Random::new(seed);
    let mut numbers = NUMBER_UPSTREAMS.map(|name| {
        let first = name == NUMBER_UPSTREAMS[0];
        let lists = first || random.chance(700);
        let forgives = random.chance(if first { 100 } else { 400 });
        NumberMarket::new(name, lists, first, forgives)
    });
    for market in &mut numbers {
        if random.chance(250) {
            let from = random.between(30, 900);
            market.list_down_until = START + Millis::seconds(from);
        }
    }
    let panel = PanelMarket {
        lists: random.chance(500),
        ..PanelMarket::default()
    };
    let clients_open = 2 + random.below(4);
    let mut state = State {
        crashes_left: random.weighted(&[(2, 0), (3, 1), (2, 2), (1, 4)]),
        storage_errors_left: random.weighted(&[(4, 0), (2, 1), (1, 3)]),
        random,
        faults: true,
        on_the_way: 0,
        truth: Truth::default(),
        numbers: numbers.into(),
        panel,
        hanging_panel: false,
        nodes: [None, None],
        purchases: Vec::new(),
        refusals: BTreeSet::new(),
        serving: BTreeMap::new(),
        untellable: BTreeSet::new(),
        cut: BTreeSet::new(),
        callers: Vec::new(),
        clients_open,
        links_fail_until: START,
        restored_at: None,
        reached: Reached::new(),
        violations: Vec::new(),
        trace: trace.then(Vec::new),
    };
    foreign_activations(&mut state);
    crate::panel::foreign_orders(&mut state);
    state
}

/// Another program on the same upstream account, from before us.
fn foreign_activations(state: &mut State) {
    let count = state.random.weighted(&[(5, 0), (2, 1), (1, 2)]);
    for _ in 0..count {
        // where no age is told, only another program's services can be told from ours
        let index = usize::from(state.numbers[1].lists && state.random.chance(300));
        let request = NumberRequest {
            service: ["s1", "s9"][index].into(),
            country: crate::numbers::COUNTRY.into(),
            pool: None,
            max_cost: Usd(150_000),
            reference: String::new(),
        };
        let since = START - Millis::minutes(state.random.between(4, 15));
        state.faults = false;
        let fate = Fate::draw(state);
        state.faults = true;
        let origin = (None, since, Origin::Foreign);
        let made = make(state, index, &request, &fate, origin, since);
        state.numbers[index].rented.push(made);
    }
}

/// Customers with money for a few orders.
pub(crate) fn open_accounts(world: &Arc<World>, store: &Arc<dyn Store>) {
    let count = world.with(|state| 2 + state.random.below(2));
    for index in 0..count {
        let id = AccountId(store.next_row_id());
        let amount = world.with(|state| Usd(state.random.between(300_000, 1_900_000)));
        let account = Account {
            id,
            email: format!("c{index}@example.com"),
            tier: 3,
            api_access: true,
            suspended: false,
            created_at: START,
        };
        let writes = vec![
            Write::InsertAccount(Box::new(account.clone())),
            Write::Credit {
                account: id,
                row: store.next_row_id(),
                amount,
                note: "start".into(),
            },
        ];
        let change = Change::new("open_account", START, writes);
        let outcome = at_once(store.commit(change.clone()));
        world.with(|state| {
            if let Err(error) = outcome {
                state.violate(
                    "store",
                    format!("an account could not be opened: {error:?}"),
                );
            }
            state.truth.apply(&change);
            state.callers.push(Caller {
                key: key_of(id),
                account,
            });
        });
    }
}

fn key_of(account: AccountId) -> ApiKey {
    ApiKey {
        id: KeyId(1),
        account,
        public_id: "p".into(),
        mac: [0; 32],
        name: String::new(),
        last4: String::new(),
        scopes: Vec::new(),
        rate_limit: None,
        allowed_addresses: Vec::new(),
        created_at: START,
        expires_at: None,
        disabled: false,
        revoked: false,
    }
}

/// The value of a future of the store in memory, which is ready when it is first polled.
pub fn at_once<T>(mut future: domain::upstream::Pending<'_, T>) -> T {
    match future
        .as_mut()
        .poll(&mut Context::from_waker(Waker::noop()))
    {
        Poll::Ready(value) => value,
        Poll::Pending => unreachable!("the store in memory never waits"),
    }
}

/// Ends the faults after a while, kills idle nodes meanwhile, and ends the run once all is quiet.
async fn direct(world: Arc<World>, store: Arc<dyn Store>) {
    let faults_until = world.now() + world.span(120_000, 1_300_000);
    while world.now() < faults_until {
        world.hub.sleep(world.span(5_000, 60_000)).await;
        let victim = world.with(|state| {
            let node = state.random.below(2);
            let dies = state.crashes_left > 0 && state.random.chance(50);
            let alive = state.nodes[node].is_some();
            (dies && alive).then(|| {
                state.crashes_left -= 1;
                state.reach("any moment", "crash");
                node
            })
        });
        world.with(|state| {
            if state.random.chance(40) {
                let market = state.random.below(2);
                state.numbers[market].deposited.0 += state.random.between(1, 5_000_000);
                state.reach("balance", "paid in");
            }
        });
        if let Some(node) = victim {
            node::crash(&world, &store, node);
        }
    }
    world.with(|state| state.faults = false);
    world.tell(|| "no more faults".to_owned());
    come_to_rest(&world).await;
    last_replays(&world).await;
    world.hub.end();
}

/// Waits until all is quiet and every balance was compared.
pub(crate) async fn come_to_rest(world: &Arc<World>) {
    loop {
        world.hub.sleep(Millis::seconds(30)).await;
        let now = world.now();
        if now - START > LONGEST {
            world.with(|state| {
                let stuck: Vec<String> = stuck(state);
                state.violate("I-20", format!("not at rest after six hours: {stuck:?}"));
            });
            break;
        }
        if world.with(|state| at_rest(state, now)) {
            break;
        }
    }
    // the last difference has to be seen twice
    let readings = Millis(3 * node::RECONCILE.0 + 3 * 90_000);
    world.hub.sleep(readings).await;
}

fn stuck(state: &State) -> Vec<String> {
    let activations = state
        .truth
        .activations
        .values()
        .filter(|row| row.due_at.is_some());
    let orders = state
        .truth
        .smm_orders
        .values()
        .filter(|row| row.due_at.is_some());
    let orphans = state
        .truth
        .orphans
        .values()
        .filter(|row| row.due_at.is_some());
    let requests = state
        .truth
        .requests
        .values()
        .filter(|row| row.due_at.is_some());
    let requests = requests.map(|row| format!("request {} {:?}", row.id, row.state));
    let numbers = activations.map(|row| format!("{} {:?}", row.id, row.state));
    let orders = orders.map(|row| format!("smm {} {:?}", row.id, row.state));
    let orphans = orphans.map(|row| format!("orphan {} {:?}", row.upstream_id, row.state));
    let mut all: Vec<String> = numbers
        .chain(orders)
        .chain(orphans)
        .chain(requests)
        .collect();
    if state.clients_open > 0 {
        all.push(format!("{} clients", state.clients_open));
    }
    all
}

/// Whether nothing can change any more.
fn at_rest(state: &mut State, now: Timestamp) -> bool {
    let all_up = state.nodes.iter().all(Option::is_some);
    if !all_up || state.clients_open > 0 || state.on_the_way > 0 || !state.truth.is_quiet(now) {
        return false;
    }
    let State {
        numbers,
        panel,
        truth,
        ..
    } = state;
    let sold_out = numbers.iter_mut().all(|market| {
        market.rented.iter_mut().all(|one| {
            one.settle(now);
            let linked = truth
                .links
                .contains_key(&(market.name.to_owned(), one.id.clone()));
            let over = one
                .closed_at
                .is_some_and(|at| at + one.returns_after.unwrap_or(Millis(0)) <= now);
            // what stays open on an order that is over costs what is booked, unless it comes back
            let comes_back = one.keeps_money && one.returns_after.is_some();
            let left_alone = truth.orphans.values().any(|row| {
                let same = row.upstream == market.name && row.upstream_id == one.id;
                same && row.state == OrphanState::Foreign
            });
            let settled = linked && one.closed_at.is_none() && !comes_back && !left_alone;
            one.origin == Origin::Foreign || settled || over
        })
    });
    sold_out
        && panel
            .placed
            .iter()
            .all(|one| one.story.last_turn() + Millis::minutes(20) < now)
}

/// Every key is used twice more: the answer must be final, and the same.
async fn last_replays(world: &Arc<World>) {
    let keyed: Vec<usize> = world.with(|state| {
        let known = state.purchases.iter().enumerate();
        known
            .filter(|(_, one)| one.key.is_some() && !one.told.is_empty())
            .map(|(i, _)| i)
            .collect()
    });
    for purchase in keyed {
        let caller = world.with(|state| {
            let customer = state.purchases[purchase].customer;
            state.callers[customer].clone()
        });
        // a purchase that no node ever took would begin only now
        let begun = world.with(|state| !state.purchases[purchase].orders.is_empty());
        for _ in 0..if begun { 2 } else { 0 } {
            client::request(world, purchase, &caller, None).await;
        }
    }
}
