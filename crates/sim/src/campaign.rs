//! Many schedules: shared out over threads, counted, and told with the seed that runs one again.

use crate::contested::Contested;
use crate::corners::Corner;
use crate::evidence::Evidence;
use crate::schedule::{self, Outcome, Tally};
use crate::undone::Undone;
use crate::world::Reached;
use crate::{cases, mutants, race};
use domain::ports::Store;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use store::{Database, Memory};

/// What the engines of a schedule share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kept {
    /// The product's own store, over a database in memory.
    #[default]
    InDatabase,
    /// Maps under the same contract: several times as fast.
    InMaps,
}

/// Gives each schedule an empty store.
pub(crate) struct Stores {
    database: Option<Arc<Database>>,
}

impl Stores {
    pub(crate) fn new(kept: Kept) -> Self {
        let open = || Database::in_memory_rewindable().expect("a database in memory opens");
        let database = (kept == Kept::InDatabase).then(|| Arc::new(open()));
        Self { database }
    }

    pub(crate) fn empty(&self) -> Arc<dyn Store> {
        match &self.database {
            Some(database) => {
                let emptied = database.rewind();
                emptied.expect("a database in memory can be emptied");
                Arc::clone(database) as _
            }
            None => Arc::new(Memory::default()),
        }
    }
}

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// How many schedules.
    pub schedules: u64,
    /// Seed of the first.
    pub seed: u64,
    /// Rule to take out.
    pub mutant: Option<u8>,
    /// Whether to tell everything.
    pub trace: bool,
    /// Threads.
    pub threads: u64,
    /// What the engines share.
    pub kept: Kept,
}

/// A schedule that broke something.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Its seed.
    pub seed: u64,
    /// Rule taken out, if one was.
    pub mutant: Option<u8>,
    /// What broke.
    pub violations: Vec<(&'static str, String)>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (rule, detail) in &self.violations {
            writeln!(f, "seed {}: {rule}: {detail}", self.seed)?;
        }
        let mutant = self
            .mutant
            .map(|number| format!(" --mutant {}", mutants::name(number)));
        write!(
            f,
            "  again: cargo run --release -p sim -- sim --schedules 1 --seed {}{} --trace",
            self.seed,
            mutant.unwrap_or_default()
        )
    }
}

/// What came of it.
#[derive(Default)]
pub struct Report {
    /// Schedules run.
    pub schedules: u64,
    /// First seed.
    pub seed: u64,
    /// Schedules that broke something, by seed.
    pub failures: Vec<Failure>,
    /// Coverage.
    pub reached: Reached,
    /// Counts.
    pub tally: Tally,
    /// What differs between two different runs.
    pub digest: u64,
    told: Vec<String>,
}

impl Report {
    fn add(&mut self, order: &Order, seed: u64, outcome: Outcome) {
        self.schedules += 1;
        self.digest = self.digest.wrapping_mul(31).wrapping_add(outcome.digest);
        for (cell, count) in outcome.reached {
            *self.reached.entry(cell).or_default() += count;
        }
        self.tally = self.tally.plus(outcome.tally);
        self.told.extend(outcome.trace);
        if !outcome.violations.is_empty() {
            let violations = outcome.violations;
            self.failures.push(Failure {
                seed,
                mutant: order.mutant,
                violations,
            });
        }
    }

    fn join(&mut self, other: Self) {
        self.schedules += other.schedules;
        self.digest ^= other.digest;
        self.failures.extend(other.failures);
        for (cell, count) in other.reached {
            *self.reached.entry(cell).or_default() += count;
        }
        self.tally = self.tally.plus(other.tally);
        self.told.extend(other.told);
    }

    /// Everything that happened, where it was asked for.
    pub fn trace(&self) -> &[String] {
        &self.told
    }

    /// One line of figures.
    pub fn summary(&self, took: Duration) -> String {
        let Tally {
            orders,
            crashes,
            calls,
            in_doubt,
            lost,
            invisible,
        } = self.tally;
        let rate = u128::from(self.schedules) * 1000 / took.as_millis().max(1);
        format!(
            "{} schedules from seed {} in {} s ({rate}/s), {} failed; {orders} orders, {calls} \
             purchase calls, {in_doubt} in doubt, {crashes} crashes; house loss {lost} and {invisible} \
             only a balance shows (micro-dollars)",
            self.schedules,
            self.seed,
            took.as_secs(),
            self.failures.len(),
        )
    }
}

fn one(stores: &Stores, seed: u64, mutant: Option<u8>, trace: bool) -> Outcome {
    schedule::run(&stores.empty(), seed, mutant, trace)
}

/// Runs them all.
pub fn run(order: &Order) -> Report {
    let threads = order.threads.clamp(1, order.schedules.max(1));
    let share = |thread: u64| {
        let stores = Stores::new(order.kept);
        let mut report = Report::default();
        for step in (thread..order.schedules).step_by(usize::try_from(threads).unwrap_or(1)) {
            let seed = order.seed + step;
            report.add(order, seed, one(&stores, seed, order.mutant, order.trace));
        }
        report
    };
    let mut all = Report {
        seed: order.seed,
        ..Report::default()
    };
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || share(thread)))
            .collect();
        for one in running {
            match one.join() {
                Ok(report) => all.join(report),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    all.failures.sort_by_key(|failure| failure.seed);
    all
}

/// After how many schedules a mutant is noticed, and by which checks.
pub fn first_kill(mutant: u8, seed: u64, most: u64, kept: Kept) -> Option<(u64, String)> {
    if mutants::BY_CASES.contains(&mutant) {
        return cases::first_kill::<Evidence>(mutant, seed, most, kept);
    }
    if mutants::BY_CONTEST.contains(&mutant) {
        return cases::first_kill::<Contested>(mutant, seed, most, kept);
    }
    if mutants::BY_UNDOING.contains(&mutant) {
        return cases::first_kill::<Undone>(mutant, seed, most, kept);
    }
    if mutants::BY_CORNERS.contains(&mutant) {
        return cases::first_kill::<Corner>(mutant, seed, most, kept);
    }
    if mutants::BY_RACES.contains(&mutant) {
        return race::first_kill(mutant, seed, most, kept);
    }
    let stores = Stores::new(kept);
    (0..most).find_map(|step| {
        let outcome = one(&stores, seed + step, Some(mutant), false);
        let rules: BTreeSet<&str> = outcome.violations.iter().map(|(rule, _)| *rule).collect();
        if rules.is_empty() {
            return None;
        }
        // the same schedule with all rules in place must be fine, or it says nothing
        let fine = one(&stores, seed + step, None, false).violations.is_empty();
        fine.then(|| (step + 1, rules.into_iter().collect::<Vec<_>>().join(" ")))
    })
}
