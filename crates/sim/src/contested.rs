//! A purchase in doubt whose number is listed only at the end of its window, while other calls for
//! the same are under way, one after the other: it takes its number all the same.

use crate::campaign::{Kept, Stores};
use crate::client::{self, Purchase, Wish};
use crate::executor::Owner;
use crate::node::WINDOW;
use crate::sale::{Fate, Kind};
use crate::schedule;
use crate::world::{NUMBER_UPSTREAMS, World};
use domain::activation::ActivationState;
use domain::ports::Store;
use domain::time::Millis;
use std::sync::Arc;

/// Nodes load their catalogues first.
const BEFORE: Millis = Millis::seconds(5);

/// Calls that follow one another.
const RIVALS: usize = 4;

/// One case as it was drawn.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// When the list is to be had again, after the start.
    list_back: Millis,
    /// When each of the other calls begins, after the start.
    rivals: [Millis; RIVALS],
    fates: [Fate; RIVALS],
}

/// What came of many cases.
#[derive(Debug, Default)]
pub struct Cases {
    /// Purchases in doubt that took their number.
    pub taken: u64,
    /// Seeds of cases that broke something, and what.
    pub failures: Vec<(u64, String)>,
}

/// Runs `count` cases from a seed.
pub fn run(count: u64, seed: u64, mutant: Option<u8>) -> Cases {
    let stores = Stores::new(Kept::InMaps);
    let mut cases = Cases::default();
    for case in seed..seed + count {
        one(&stores.empty(), case, mutant, &mut cases);
    }
    cases
}

/// After how many cases a mutant is noticed. The same case with all rules in place must be fine.
pub fn first_kill(mutant: u8, seed: u64, most: u64, kept: Kept) -> Option<(u64, String)> {
    let stores = Stores::new(kept);
    (0..most).find_map(|step| {
        let [broken, whole] = [Some(mutant), None].map(|mutant| {
            let mut cases = Cases::default();
            one(&stores.empty(), seed + step, mutant, &mut cases);
            cases.failures
        });
        let (_, what) = broken.first().filter(|_| whole.is_empty())?;
        let rule = what.split(':').next().unwrap_or_default();
        Some((step + 1, rule.to_owned()))
    })
}

fn one(store: &Arc<dyn Store>, seed: u64, mutant: Option<u8>, cases: &mut Cases) {
    let mut drawn = None;
    let world = schedule::stage(store, seed, mutant, |world| {
        live(Arc::clone(world), *drawn.insert(draw(world)))
    });
    let Some(plan) = drawn else {
        return;
    };
    let taken = world.with(|state| {
        let first = state.purchases[0].orders.first();
        let row = first.and_then(|order| state.truth.activations.get(order));
        row.is_some_and(|row| row.state != ActivationState::Failed)
    });
    cases.taken += u64::from(taken);
    let broken = schedule::finish(&world).violations.into_iter();
    let broken = broken.map(|(rule, detail)| (seed, format!("{rule}: {detail} ({plan:?})")));
    cases.failures.extend(broken);
}

fn draw(world: &World) -> Plan {
    world.with(|state| {
        let random = &mut state.random;
        let list_back = Millis(WINDOW.0 + random.between(-40_000, 20_000));
        let mut begins = list_back.0 - random.between(1_000, 25_000);
        let rivals = [(); RIVALS].map(|()| {
            let begun = Millis(begins);
            begins += random.between(8_000, 24_000);
            begun
        });
        let fates = [(); RIVALS].map(|()| {
            let whole = random.between(20_000, 29_000);
            let processed = random.between(100, whole - 100);
            let sold = random.chance(700).then_some(Millis(processed));
            Fate {
                kind: Kind::Plain,
                processed_after: sold,
                answered_after: sold.map(|at| Millis(whole - at.0)),
                hangs: true,
            }
        });
        Plan {
            list_back,
            rivals,
            fates,
        }
    })
}

async fn live(world: Arc<World>, plan: Plan) {
    world.hub.sleep(BEFORE).await;
    let start = world.now();
    world.with(|state| {
        let lost = Fate {
            kind: Kind::Plain,
            processed_after: Some(Millis(300)),
            answered_after: None,
            hangs: false,
        };
        let market = &mut state.numbers[0];
        market.arranged = std::iter::once(lost).chain(plan.fates).collect();
        market.list_down_until = start + plan.list_back;
    });
    buy(&world, 0).await;
    for (number, begins) in plan.rivals.into_iter().enumerate() {
        world.hub.sleep(start + begins - world.now()).await;
        let rival = Arc::clone(&world);
        world.with(|state| state.clients_open += 1);
        world.hub.spawn(Owner::Outside, async move {
            buy(&rival, number + 1).await;
            rival.with(|state| state.clients_open -= 1);
        });
    }
}

async fn buy(world: &Arc<World>, number: usize) {
    let (index, caller) = world.with(|state| {
        let customer = number % state.callers.len();
        let wish = Wish::Number(NUMBER_UPSTREAMS[0], "s1");
        let purchase = Purchase::new(customer, wish, Some(format!("key-{number}")));
        state.purchases.push(purchase);
        (state.purchases.len() - 1, state.callers[customer].clone())
    });
    client::request(world, index, &caller, None).await;
}
