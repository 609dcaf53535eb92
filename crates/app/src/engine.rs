//! The engine: what every use case works with.

use crate::acting;
use crate::balances::Balances;
use crate::health::{Health, UpstreamLimits};
use crate::in_force::Known;
use crate::key_cache::KeyCache;
use crate::lawful::Denials;
use crate::measured::Measured;
use crate::pace::Cancels;
use crate::signals::Signals;
use crate::tickets;
use crate::watch::Watch;
use arc_swap::ArcSwap;
use domain::activation::Plan;
use domain::breaker;
use domain::catalogue::{Catalogue, Naming, Server, SmmRules};
use domain::change::{Change, CommitError};
use domain::failpoint;
use domain::markup::Markups;
use domain::policy::Rules;
use domain::policy::velocity::Velocity;
use domain::ports::{Audit, CatalogueArchive, Clock, Store, StoreError, Tasks, Violation};
use domain::routing::Strategy;
use domain::smm_order::SmmPlan;
use domain::time::{Millis, Timestamp};
use domain::upstream::{Capabilities, NumberUpstream, PanelUpstream};
use domain::usd::Usd;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64};
use std::sync::{Arc, Mutex, PoisonError};
use tracing::Instrument;

/// Why money waits for the clock.
const CLOCK_BEHIND: &str = "the machine's clock shows a time before the newest entry of the books";

/// What the operator set, as far as use cases need it.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Server taken where a caller names none.
    pub default_server: String,
    /// Servers in the operator's order.
    pub servers: Vec<Server>,
    /// Spans of activations by server and upstream.
    pub activations: HashMap<(String, String), Plan>,
    /// Spans of SMM orders by upstream.
    pub smm: HashMap<String, SmmPlan>,
    /// How often each OTP upstream is asked for news while something waits there.
    pub activation_poll: Millis,
    /// What is done about each upstream.
    pub upstreams: HashMap<String, UpstreamLimits>,
    /// Which of several routes is taken.
    pub routing: Routing,
    /// How long a client waits for a purchase before it is told that the outcome is unknown.
    pub sync_budget: Millis,
    /// For how long a price that was shown is honoured after it rose.
    pub price_grace: Millis,
    /// How long idempotency keys are kept.
    pub key_lifetime: Millis,
    /// An upstream activation without an order counts as an orphan after this long.
    pub orphan_after: Millis,
    /// Between two comparisons of an upstream's balance with the books.
    pub reconcile_every: Millis,
    /// The smallest step that each upstream's balance shows; a micro-dollar where it is not named.
    pub balance_steps: HashMap<String, Usd>,
    /// Prices at the start; [`Engine::set_markups`] changes them.
    pub markups: Arc<Markups>,
    /// Policy.
    pub rules: Rules,
    /// Bounds of accounts by tier.
    pub velocity: [Velocity; 4],
    /// How listings become the catalogue.
    pub catalogue: CatalogueSettings,
}

/// How listings become the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CatalogueSettings {
    /// Names of countries and services.
    pub naming: Arc<Naming>,
    /// How long a listing may be sold from after it was read.
    pub lifetime: Millis,
    /// Share of its offers, in percent, that an upstream may lose from one reading to the next
    /// without being asked again.
    pub largest_loss_percent: u32,
    /// What the operator says of SMM services.
    pub smm: Arc<SmmRules>,
}

impl Default for CatalogueSettings {
    fn default() -> Self {
        Self {
            naming: Arc::default(),
            lifetime: Millis::minutes(24 * 60),
            largest_loss_percent: 50,
            smm: Arc::default(),
        }
    }
}

/// Which of several routes that sell the same is taken.
#[derive(Clone, Debug)]
pub struct Routing {
    /// Their order.
    pub strategy: Strategy,
    /// Weight of each server, where it is not 1.
    pub weights: HashMap<String, u32>,
    /// Routes tried for one purchase at most.
    pub tries: usize,
    /// After this long an outcome weighs half in the measured figures.
    pub half_life: Millis,
    /// When purchases and reads at an upstream pause.
    pub breaker: breaker::Limits,
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            strategy: Strategy::default(),
            weights: HashMap::new(),
            tries: 4,
            half_life: Millis::minutes(72 * 60),
            breaker: breaker::Limits::default(),
        }
    }
}

/// What stands outside the engine.
pub struct Outside {
    /// The store.
    pub store: Arc<dyn Store>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Where work runs that outlives its request.
    pub tasks: Arc<dyn Tasks>,
    /// OTP upstreams by name.
    pub numbers: HashMap<String, Arc<dyn NumberUpstream>>,
    /// Panels by name, in order of preference.
    pub panels: Vec<(String, Arc<dyn PanelUpstream>)>,
    /// Where catalogues are kept over a restart; nothing where they are not.
    pub archive: Option<Arc<dyn CatalogueArchive>>,
}

/// The engine. Use cases are its methods, one file each.
pub struct Engine {
    pub(crate) outside: Outside,
    pub(crate) settings: Settings,
    pub(crate) watching_since: AtomicI64,
    pub(crate) clock_behind: AtomicBool,
    pub(crate) restored_at: AtomicI64,
    pub(crate) catalogue: ArcSwap<Catalogue>,
    pub(crate) markups: ArcSwap<Markups>,
    pub(crate) listings: crate::refresh_catalogue::Listings,
    pub(crate) callers: KeyCache,
    pub(crate) watch: Watch,
    pub(crate) cancels: Cancels,
    pub(crate) denials: Denials,
    pub(crate) signals: Signals,
    pub(crate) health: Arc<Health>,
    pub(crate) known: Known,
    pub(crate) measured: Measured,
    pub(crate) balances: Balances,
    pub(crate) audited: Mutex<Vec<Violation>>,
}

impl Engine {
    /// An engine with an empty catalogue.
    pub fn new(outside: Outside, settings: Settings) -> Arc<Self> {
        let catalogue = Catalogue::empty(settings.servers.clone());
        Arc::new(Self {
            watching_since: AtomicI64::new(outside.clock.now().0),
            clock_behind: AtomicBool::new(false),
            restored_at: AtomicI64::new(i64::MIN),
            catalogue: ArcSwap::from_pointee(catalogue),
            markups: ArcSwap::new(Arc::clone(&settings.markups)),
            listings: crate::refresh_catalogue::Listings::default(),
            callers: KeyCache::default(),
            watch: Watch::default(),
            cancels: Cancels::default(),
            denials: Denials::default(),
            signals: Signals::default(),
            health: Arc::default(),
            known: Known::nothing(&settings),
            measured: Measured::default(),
            balances: Balances::default(),
            audited: Mutex::default(),
            outside,
            settings,
        })
    }

    /// The store, for reads that are no use case of their own.
    pub fn store(&self) -> &dyn Store {
        self.outside.store.as_ref()
    }

    /// Now, by the engine's clock.
    pub fn now(&self) -> Timestamp {
        self.outside.clock.now()
    }

    /// The clock.
    pub fn clock(&self) -> &dyn Clock {
        self.outside.clock.as_ref()
    }

    /// The catalogue at this moment.
    pub fn catalogue(&self) -> Arc<Catalogue> {
        self.catalogue.load_full()
    }

    /// Names of all OTP upstreams.
    pub fn number_upstreams(&self) -> impl Iterator<Item = &str> {
        self.outside.numbers.keys().map(String::as_str)
    }

    /// Names of all panels.
    pub fn panels(&self) -> impl Iterator<Item = &str> {
        self.outside.panels.iter().map(|(name, _)| name.as_str())
    }

    /// What the operator says about names.
    pub fn naming(&self) -> &Naming {
        &self.settings.catalogue.naming
    }

    /// What the operator says of SMM services.
    pub fn smm_rules(&self) -> &SmmRules {
        &self.settings.catalogue.smm
    }

    /// What an upstream can and cannot do; nothing for an unknown name.
    pub fn capabilities(&self, upstream: &str) -> Option<&Capabilities> {
        let numbers = self.number_upstream(upstream);
        let panel = || self.panel(upstream).map(|panel| panel.capabilities());
        numbers.map(|one| one.capabilities()).or_else(panel)
    }

    pub(crate) fn number_upstream(&self, name: &str) -> Option<&Arc<dyn NumberUpstream>> {
        self.outside.numbers.get(name)
    }

    pub(crate) fn panel(&self, name: &str) -> Option<&Arc<dyn PanelUpstream>> {
        self.outside
            .panels
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, panel)| panel)
    }

    /// Spans of an activation. One of a server that is no longer configured keeps going by the
    /// usual figures.
    pub(crate) fn plan(&self, server: &str, upstream: &str) -> Plan {
        let key = (server.to_owned(), upstream.to_owned());
        self.settings
            .activations
            .get(&key)
            .copied()
            .unwrap_or(Plan {
                lease: Millis::seconds(35),
                in_doubt_window: Millis::seconds(270),
                min_cancel_age: Millis::seconds(120),
                lifetime: Millis::minutes(20),
                retry: Millis::seconds(2),
            })
    }

    /// Spans of an SMM order.
    pub(crate) fn smm_plan(&self, upstream: &str) -> SmmPlan {
        self.settings
            .smm
            .get(upstream)
            .cloned()
            .unwrap_or_else(|| SmmPlan {
                lease: Millis::seconds(35),
                in_doubt_window: Millis::minutes(15),
                confirmation: Millis::seconds(60),
                remains_patience: SmmPlan::REMAINS_PATIENCE,
                poll: [30, 60, 300, 900].map(Millis::seconds).to_vec(),
                retry: Millis::seconds(5),
                watch: Millis::minutes(30 * 24 * 60),
                refill_window: None,
                correction_max: Usd(10_000_000),
            })
    }

    /// Whether an upstream may be asked for news once more this minute.
    pub(crate) fn may_read(&self, upstream: &str) -> bool {
        let (now, limit) = (self.now(), self.limits_of(upstream).reads_per_minute);
        self.health.may_read(upstream, now)
            && limit.is_none_or(|limit| self.watch.may_read(upstream, limit, now))
    }

    /// Between two questions for news of an upstream at which somebody waits.
    pub(crate) fn poll_base(&self, upstream: &str) -> Millis {
        let own = self.limits_of(upstream).poll;
        let base = own.unwrap_or(self.settings.activation_poll);
        let slower = i64::from(self.health.is_slow(upstream, self.now()));
        Millis(base.0 << slower)
    }

    /// Re-derives the books, and remembers what was wrong with them.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn audit_books(&self) -> Result<Audit, StoreError> {
        let audit = self.outside.store.audit(self.now()).await?;
        let found = audit.violations.clone();
        *self.audited.lock().unwrap_or_else(PoisonError::into_inner) = found;
        Ok(audit)
    }

    /// What the last audit in this process found wrong.
    pub fn last_violations(&self) -> Vec<Violation> {
        let found = self.audited.lock().unwrap_or_else(PoisonError::into_inner);
        found.clone()
    }

    pub(crate) async fn commit(
        &self,
        name: &'static str,
        mut writes: Vec<domain::change::Write>,
    ) -> Result<(), CommitError> {
        writes.extend(acting::line(name, &writes));
        let change = Change::new(name, self.now(), writes);
        failpoint::pass("before", name);
        let outcome = if self.clock_is_behind() && change.moves_money() {
            Err(CommitError::Storage(CLOCK_BEHIND.into()))
        } else {
            let span = tracing::trace_span!(target: "tollgate::span", "commit", change = name);
            self.outside.store.commit(change).instrument(span).await
        };
        failpoint::pass("stored", name);
        if let Err(CommitError::Storage(error)) = &outcome {
            tracing::error!(change = name, error, "a change may not have been stored");
        }
        outcome
    }

    /// Commits a background step. Losing a race is no error: whoever won owns the row now.
    pub(crate) async fn step(
        &self,
        name: &'static str,
        writes: Vec<domain::change::Write>,
    ) -> bool {
        if writes.is_empty() {
            return false;
        }
        let opened = tickets::opened(&writes);
        match self.commit(name, writes).await {
            Ok(()) => {
                tickets::tell(&opened);
                for ticket in &opened {
                    self.watch.tells((ticket.kind.slug(), ticket.reference));
                }
                true
            }
            Err(CommitError::Refused(refused)) => {
                tracing::debug!(change = name, ?refused, "somebody else moved the row first");
                false
            }
            Err(CommitError::Storage(_)) => false,
        }
    }
}
