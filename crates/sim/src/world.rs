//! What all parts of a schedule share: the clock, the dice, the upstreams, the record.

use crate::client::Purchase;
use crate::executor::{Hub, TaskId, lock};
use crate::numbers::NumberMarket;
use crate::panel::PanelMarket;
use crate::random::Random;
use crate::sale::Fate;
use crate::truth::Truth;
use app::Engine;
use domain::access::Caller;
use domain::ids::OrderId;
use domain::order::Told as Stored;
use domain::time::{Millis, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

/// OTP upstreams: the first lists its numbers with their age, the second may not list at all.
pub const NUMBER_UPSTREAMS: [&str; 2] = ["north", "south"];

/// Public servers with the upstreams behind each, in the order of trying.
pub const SERVERS: [(&str, &[&str]); 4] = [
    ("north", &["north"]),
    ("south", &["south"]),
    ("east", &["north"]),
    ("both", &["north", "south"]),
];

/// The SMM panel.
pub const PANEL: &str = "panel";

/// When every schedule starts.
pub const START: Timestamp = Timestamp(1_750_000_000_000);

/// How often each cell of the coverage table was reached: what, and how it went.
pub type Reached = BTreeMap<(&'static str, &'static str), u64>;

/// The shared state of one schedule.
pub struct State {
    /// The dice.
    pub random: Random,
    /// Whether anything may still go wrong.
    pub faults: bool,
    /// Purchase requests that an upstream has still to process.
    pub on_the_way: usize,
    /// What was committed.
    pub truth: Truth,
    /// The OTP upstreams, as [`NUMBER_UPSTREAMS`].
    pub numbers: Vec<NumberMarket>,
    /// The panel.
    pub panel: PanelMarket,
    /// Whether there is a second panel, which answers no question.
    pub hanging_panel: bool,
    /// Engines that run.
    pub nodes: [Option<Arc<Engine>>; 2],
    /// What clients asked for and were told.
    pub purchases: Vec<Purchase>,
    /// Purchases that an upstream definitely refused, with the upstream.
    pub refusals: BTreeSet<(usize, &'static str)>,
    /// Purchases by the task that serves them.
    pub serving: BTreeMap<TaskId, usize>,
    /// Orders whose node died between storing the answer and giving it.
    pub untellable: BTreeSet<OrderId>,
    /// Requests whose clients hung up while their answer was being stored.
    pub cut: BTreeSet<TaskId>,
    /// Customers.
    pub callers: Vec<Caller>,
    /// Clients that have not finished.
    pub clients_open: usize,
    /// Crashes left.
    pub crashes_left: u32,
    /// Storage errors left.
    pub storage_errors_left: u32,
    /// Until when no commit is stored that links an upstream's id.
    pub links_fail_until: Timestamp,
    /// When the store was brought back from a backup, if it was.
    pub restored_at: Option<Timestamp>,
    /// Cells reached.
    pub reached: Reached,
    /// What was found wrong.
    pub violations: Vec<(&'static str, String)>,
    /// What happened, if it is to be told.
    pub trace: Option<Vec<String>>,
}

/// The shared state with its clock.
pub struct World {
    /// The clock and the tasks.
    pub hub: Arc<Hub>,
    state: Mutex<State>,
}

impl World {
    /// A world around its state.
    pub fn new(hub: Arc<Hub>, state: State) -> Arc<Self> {
        Arc::new(Self {
            hub,
            state: Mutex::new(state),
        })
    }

    /// Looks at or changes the state; never while waiting for anything.
    pub fn with<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut lock(&self.state))
    }

    /// Now.
    pub fn now(&self) -> Timestamp {
        self.hub.now()
    }

    /// A span drawn from `low..=high` milliseconds.
    pub fn span(&self, low: i64, high: i64) -> Millis {
        Millis(self.with(|state| state.random.between(low, high)))
    }

    /// True in `of_1000` of a thousand draws.
    pub fn chance(&self, of_1000: u64) -> bool {
        self.with(|state| state.random.chance(of_1000))
    }

    /// Counts a cell of the coverage table.
    pub fn reach(&self, what: &'static str, how: &'static str) {
        self.with(|state| state.reach(what, how));
    }

    /// A purchase request sets out; one that gets lost arrives nowhere.
    pub fn set_out(&self, fate: &Fate) {
        let arrives = usize::from(fate.processed_after.is_some());
        self.with(|state| state.on_the_way += arrives);
    }

    /// Notes what happened, where somebody wants to read it.
    pub fn tell(&self, text: impl FnOnce() -> String) {
        let now = self.now();
        self.with(|state| state.tell(now, text));
    }

    /// The purchase that the present task works for, if it works for one.
    pub fn purchase_served(&self) -> Option<usize> {
        let task = self.request_served()?;
        self.with(|state| state.serving.get(&task).copied())
    }

    /// The request that the present task works for, if it works for one.
    pub fn request_served(&self) -> Option<TaskId> {
        let mut task = self.hub.current();
        while task != 0 {
            if self.with(|state| state.serving.contains_key(&task)) {
                return Some(task);
            }
            task = self.hub.parent(task);
        }
        None
    }
}

impl State {
    /// A node dies: an answer that was stored as told and not given yet may have left or not;
    /// nobody can know.
    pub fn note_untellable(&mut self) {
        let untold = self
            .purchases
            .iter()
            .filter(|one| one.key.is_none() && !one.was_told());
        let orders: Vec<OrderId> = untold.flat_map(|one| one.orders.iter().copied()).collect();
        for order in orders {
            let number = self.truth.activations.get(&order).map(|row| row.told);
            let smm = self.truth.smm_orders.get(&order).map(|row| row.told);
            if number.or(smm) == Some(Stored::Done) {
                self.untellable.insert(order);
            }
        }
    }

    /// Counts a cell of the coverage table.
    pub fn reach(&mut self, what: &'static str, how: &'static str) {
        *self.reached.entry((what, how)).or_default() += 1;
    }

    /// Something is wrong.
    pub fn violate(&mut self, rule: &'static str, detail: String) {
        self.violations.push((rule, detail));
    }

    /// Notes what happened, where somebody wants to read it.
    pub fn tell(&mut self, now: Timestamp, text: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            let millis = (now - START).0;
            trace.push(format!(
                "{:>6}.{:03} {}",
                millis / 1000,
                millis % 1000,
                text()
            ));
        }
    }
}
