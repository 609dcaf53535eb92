//! Cases of one kind: each is drawn from a seed, lived through, and checked once all is quiet.

use crate::campaign::{Kept, Stores};
use crate::schedule;
use crate::world::World;
use domain::ports::Store;
use std::fmt::Debug;
use std::sync::Arc;

/// A kind of case.
pub trait Case: Copy + Debug + Send + 'static {
    /// What is noted of each case.
    type Seen;

    /// One as the world's chance has it.
    fn draw(world: &World) -> Self;

    /// What happens in it.
    fn live(self, world: Arc<World>, store: Arc<dyn Store>) -> impl Future<Output = ()> + Send;

    /// What came of it, once all is quiet.
    fn seen(self, world: &World) -> Self::Seen;
}

/// What came of many cases.
#[derive(Debug)]
pub struct Cases<T> {
    /// What was noted, a case each.
    pub seen: Vec<T>,
    /// Seeds of cases that broke something, and what.
    pub failures: Vec<(u64, String)>,
}

/// Runs `count` cases from a seed.
pub fn run<C: Case>(count: u64, seed: u64, mutant: Option<u8>) -> Cases<C::Seen> {
    let stores = Stores::new(Kept::InMaps);
    let mut cases = Cases {
        seen: Vec::new(),
        failures: Vec::new(),
    };
    for case in seed..seed + count {
        let (seen, broken) = one::<C>(&stores.empty(), case, mutant);
        cases.seen.push(seen);
        cases.failures.extend(broken);
    }
    cases
}

/// After how many cases a mutant is noticed. The same case with all rules in place must be fine.
pub fn first_kill<C: Case>(mutant: u8, seed: u64, most: u64, kept: Kept) -> Option<(u64, String)> {
    let stores = Stores::new(kept);
    (0..most).find_map(|step| {
        let [broken, whole] =
            [Some(mutant), None].map(|mutant| one::<C>(&stores.empty(), seed + step, mutant).1);
        let (_, what) = broken.first().filter(|_| whole.is_empty())?;
        let rule = what.split(':').next().unwrap_or_default();
        Some((step + 1, rule.to_owned()))
    })
}

fn one<C: Case>(
    store: &Arc<dyn Store>,
    seed: u64,
    mutant: Option<u8>,
) -> (C::Seen, Vec<(u64, String)>) {
    let mut drawn = None;
    let world = schedule::stage(store, seed, mutant, |world| {
        drawn
            .insert(C::draw(world))
            .live(Arc::clone(world), Arc::clone(store))
    });
    let case = drawn.expect("every stage begins its script");
    let seen = case.seen(&world);
    let broken = schedule::finish(&world).violations.into_iter();
    let broken = broken.map(|(rule, detail)| (seed, format!("{rule}: {detail} ({case:?})")));
    (seen, broken.collect())
}
