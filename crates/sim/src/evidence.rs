//! What a balance shows of an SMM order in doubt while another order of ours moves the same money:
//! a ticket that says "placed" has to be right, whatever the panel does with the other one.

use crate::campaign::{Kept, Stores};
use crate::client::{self, Purchase, Wish};
use crate::panel::Arranged;
use crate::race::Loss;
use crate::schedule;
use crate::story::Plot;
use crate::world::World;
use domain::ports::Store;
use domain::ticket::TicketKind;
use domain::time::Millis;
use domain::usd::Usd;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the other order does, and how many of its four units are left at its turn: the part that
/// moves costs as much as the order in doubt.
const OTHERS: [(Plot, i64); 3] = [
    (Plot::Completed, 0),
    (Plot::Partial, 1),
    (Plot::CompletedAfterPartial, 1),
];

/// One case as it was drawn.
#[derive(Clone, Copy, Debug)]
struct Plan {
    other: (Plot, i64),
    /// How long after the other order the one in doubt is placed.
    apart: Millis,
    loss: Loss,
    /// What another program spends there soon after: never the cost of the order in doubt, which
    /// nobody could tell from it.
    spent: Option<Usd>,
}

impl Plan {
    fn name(self) -> &'static str {
        match self.spent {
            Some(_) => "another program spends",
            None => self.other.0.name(),
        }
    }
}

/// How often the balance was said to show an order: what the other one did, whether the one in doubt
/// was placed, and whether a ticket says so.
pub type Seen = BTreeMap<(&'static str, bool, bool), u64>;

/// What came of many cases.
#[derive(Default)]
pub struct Cases {
    /// Counts.
    pub seen: Seen,
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
    let (said, name) = world.with(|state| {
        let mut tickets = state.truth.tickets.values();
        let said = tickets.any(|one| one.kind == TicketKind::PlacedWithoutId);
        (said, plan.name())
    });
    let placed = plan.loss == Loss::Answer;
    *cases.seen.entry((name, placed, said)).or_default() += 1;
    let broken = schedule::finish(&world).violations.into_iter();
    let broken = broken.map(|(rule, detail)| (seed, format!("{rule}: {detail} ({plan:?})")));
    cases.failures.extend(broken);
}

fn draw(world: &World) -> Plan {
    world.with(|state| {
        let random = &mut state.random;
        // the other one turns some thirteen minutes after it was placed
        let (from, until) = random.weighted(&[(1, (1, 1_000)), (1, (550, 800))]);
        let plan = Plan {
            other: OTHERS[random.below(OTHERS.len())],
            apart: Millis::seconds(random.between(from, until)),
            loss: random.weighted(&[(1, Loss::Request), (1, Loss::Answer)]),
            spent: random.chance(250).then_some(Usd(2_700)),
        };
        // what cannot be listed has to be guessed
        state.panel.lists = false;
        state.panel.arranged = [
            Arranged {
                loss: Loss::Nothing,
                plot: plan.other,
            },
            Arranged {
                loss: plan.loss,
                plot: (Plot::Completed, 0),
            },
        ]
        .into();
        plan
    })
}

async fn live(world: Arc<World>, plan: Plan) {
    // nodes load their catalogues, and read each balance once
    world.hub.sleep(Millis::seconds(120)).await;
    place(&world, 0, 4).await;
    world.hub.sleep(plan.apart).await;
    place(&world, 1, 1).await;
    if let Some(spent) = plan.spent {
        let soon = world.span(1_000, 200_000);
        world.hub.sleep(soon).await;
        world.with(|state| state.panel.spent_by_others = spent);
    }
}

async fn place(world: &Arc<World>, number: usize, quantity: u64) {
    let caller = world.with(|state| {
        let link = format!("https://instagram.com/p{number}");
        let wish = Wish::Order("1", link, quantity);
        state
            .purchases
            .push(Purchase::new(number, wish, Some(format!("key-{number}"))));
        state.callers[number].clone()
    });
    client::request(world, number, &caller, None).await;
}
