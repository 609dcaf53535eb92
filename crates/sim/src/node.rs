//! A node: an engine over the shared store, its background loops, its crashes and restarts.

use crate::executor::{Hub, Owner};
use crate::hanging::{HANGING, HangingPanel, SERVICE};
use crate::mutants::lacks_rule;
use crate::node_store::NodeStore;
use crate::numbers::NumberSeller;
use crate::panel::{PanelSeller, ROUTES};
use crate::world::{NUMBER_UPSTREAMS, PANEL, SERVERS, START, World};
use app::{CatalogueSettings, Engine, Outside, Routing, Settings};
use domain::activation::Plan;
use domain::catalogue::{Server, ServerRoute, SmmRule, SmmRules};
use domain::markup::{Markup, Markups};
use domain::policy::Rules;
use domain::policy::velocity::Velocity;
use domain::ports::{Clock, Store, Tasks};
use domain::routing::Strategy;
use domain::smm_order::SmmPlan;
use domain::time::{Millis, Timestamp};
use domain::upstream::{NumberUpstream, PanelUpstream, Pending};
use domain::usd::Usd;
use std::collections::HashMap;
use std::sync::Arc;

/// How long a purchase call may stay open before its order counts as abandoned.
pub const LEASE: Millis = Millis::seconds(35);
/// How long an unknown number purchase may still show up.
pub const WINDOW: Millis = Millis::seconds(270);
/// How long an unknown SMM purchase may still show up.
pub const SMM_WINDOW: Millis = Millis::minutes(15);
/// How far apart two equal final statuses must be.
pub const CONFIRMATION: Millis = Millis::seconds(60);
/// How long a final status without its units is asked for them.
pub const REMAINS_PATIENCE: Millis = Millis::minutes(40);
/// Lifetime of a number.
pub const LIFETIME: Millis = Millis::minutes(20);
/// Between two comparisons of balances with the books.
pub const RECONCILE: Millis = Millis::seconds(200);
/// How long a client waits for a purchase.
pub const BUDGET: Millis = Millis::seconds(25);

/// Most that a panel's later word returns without a person.
pub const CORRECTION_MAX: Usd = Usd(200_000);

/// When the machine's clock is set ahead, and by how much.
const CLOCK_SET_AT: Millis = Millis::seconds(90);
const CLOCK_SET_BY: Millis = Millis::minutes(180);

struct NodeClock(Arc<Hub>);

impl Clock for NodeClock {
    fn now(&self) -> Timestamp {
        let now = self.0.now();
        // the machine's clock is set ahead soon after the start; the program's clock does not see it
        if lacks_rule(20) && now > START + CLOCK_SET_AT {
            return now + CLOCK_SET_BY;
        }
        now
    }

    fn sleep(&self, span: Millis) -> Pending<'static, ()> {
        Box::pin(self.0.sleep(span))
    }
}

struct NodeTasks {
    hub: Arc<Hub>,
    owner: Owner,
}

impl Tasks for NodeTasks {
    fn spawn(&self, work: Pending<'static, ()>) {
        self.hub.spawn(self.owner, work);
    }
}

/// What is added to every cost.
pub fn markup() -> Markup {
    Markup {
        parts_per_million: 200_000,
        ..Markup::default()
    }
}

/// The first SMM service is bought as the first of its routes, then as the second; the panel that
/// hangs sells one of its own.
fn services(hanging: bool) -> SmmRules {
    let sources = ROUTES.map(|service| (PANEL.to_owned(), service.to_owned()));
    let rule = SmmRule {
        sources: sources.to_vec(),
        ..SmmRule::default()
    };
    let own = SmmRule {
        sources: vec![(HANGING.to_owned(), SERVICE.to_owned())],
        ..SmmRule::default()
    };
    let own = hanging.then(|| (SERVICE.to_owned(), own));
    let services = [(ROUTES[0].to_owned(), rule)].into_iter().chain(own);
    SmmRules {
        services: services.collect(),
        ..SmmRules::default()
    }
}

fn settings(hanging: bool) -> Settings {
    let plan = Plan {
        lease: LEASE,
        in_doubt_window: WINDOW,
        min_cancel_age: Millis::seconds(120),
        lifetime: LIFETIME,
        retry: Millis::seconds(2),
    };
    let smm = SmmPlan {
        lease: LEASE,
        in_doubt_window: SMM_WINDOW,
        confirmation: CONFIRMATION,
        remains_patience: REMAINS_PATIENCE,
        poll: [30, 120].map(Millis::seconds).to_vec(),
        retry: Millis::seconds(5),
        watch: Millis::minutes(30),
        refill_window: None,
        correction_max: CORRECTION_MAX,
    };
    let route = |upstream: &&str| ServerRoute {
        provider_type: 0,
        upstream: (*upstream).to_owned(),
    };
    let servers = SERVERS.map(|(name, upstreams)| Server {
        name: name.to_owned(),
        enabled: true,
        routes: upstreams.iter().map(route).collect(),
    });
    let places = SERVERS.iter().flat_map(|(name, upstreams)| {
        let place = |upstream: &&str| (((*name).to_owned(), (*upstream).to_owned()), plan);
        upstreams.iter().map(place)
    });
    let mut rules = Rules::demo();
    rules.smm_confirmed = true;
    Settings {
        default_server: NUMBER_UPSTREAMS[0].to_owned(),
        servers: servers.to_vec(),
        activations: places.collect(),
        smm: HashMap::from([(PANEL.to_owned(), smm)]),
        activation_poll: Millis::seconds(3),
        upstreams: HashMap::new(),
        // each route comes first now and then
        routing: Routing {
            strategy: Strategy::Weighted,
            ..Routing::default()
        },
        sync_budget: BUDGET,
        price_grace: Millis::minutes(5),
        key_lifetime: Millis::minutes(7 * 24 * 60),
        orphan_after: Millis::seconds(40),
        reconcile_every: RECONCILE,
        balance_steps: HashMap::new(),
        markups: Arc::new(Markups {
            general: markup(),
            rules: Vec::new(),
        }),
        rules,
        velocity: Velocity::of_tiers(),
        catalogue: CatalogueSettings {
            smm: Arc::new(services(hanging)),
            // simulated time runs far
            lifetime: Millis(i64::MAX / 2),
            ..CatalogueSettings::default()
        },
    }
}

/// Starts a node: a fresh engine, its catalogue, its loops.
pub fn start(world: &Arc<World>, store: &Arc<dyn Store>, node: usize) {
    let owner = Owner::Node(node, world.hub.life(node));
    let numbers = NUMBER_UPSTREAMS.iter().enumerate().map(|(index, name)| {
        let seller = NumberSeller::new(Arc::clone(world), index, node);
        (
            (*name).to_owned(),
            Arc::new(seller) as Arc<dyn NumberUpstream>,
        )
    });
    let seller: Arc<dyn PanelUpstream> = Arc::new(PanelSeller::new(Arc::clone(world)));
    let mut panels = vec![(PANEL.to_owned(), seller)];
    if world.with(|state| state.hanging_panel) {
        let hangs = HangingPanel::new(Arc::clone(&world.hub));
        panels.push((HANGING.to_owned(), Arc::new(hangs) as _));
    }
    let names: Vec<String> = panels.iter().map(|(name, _)| name.clone()).collect();
    let outside = Outside {
        store: Arc::new(NodeStore::new(Arc::clone(world), Arc::clone(store), node)),
        clock: Arc::new(NodeClock(Arc::clone(&world.hub))),
        tasks: Arc::new(NodeTasks {
            hub: Arc::clone(&world.hub),
            owner,
        }),
        numbers: numbers.collect(),
        panels,
        archive: None,
    };
    let engine = Engine::new(outside, settings(names.len() > 1));
    engine.note_restoration(world.with(|state| state.restored_at));
    world.tell(|| format!("node {node} starts"));
    let (world, hub) = (Arc::clone(world), Arc::clone(&world.hub));
    hub.spawn(owner, async move {
        for name in NUMBER_UPSTREAMS {
            engine.refresh_upstream(name).await;
        }
        for name in &names {
            engine.refresh_upstream(name).await;
        }
        world.with(|state| state.nodes[node] = Some(Arc::clone(&engine)));
        loops(&world, &engine, owner);
    });
}

/// The loops that production runs, each in a task of its own.
fn loops(world: &Arc<World>, engine: &Arc<Engine>, owner: Owner) {
    let watching = watch_balances(Arc::clone(world), Arc::clone(engine));
    world.hub.spawn(owner, watching);
    let (shared, one) = (Arc::clone(world), Arc::clone(engine));
    world.hub.spawn(owner, async move {
        loop {
            one.run_due_activations().await;
            pause(&shared, true).await;
        }
    });
    for at in engine.panel_places() {
        let (shared, one) = (Arc::clone(world), Arc::clone(engine));
        world.hub.spawn(owner, async move {
            loop {
                one.run_due_smm_orders(&at).await;
                one.run_due_smm_requests(&at).await;
                pause(&shared, true).await;
            }
        });
    }
    let (shared, one) = (Arc::clone(world), Arc::clone(engine));
    world.hub.spawn(owner, async move {
        loop {
            for name in NUMBER_UPSTREAMS {
                one.poll_upstream(name).await;
            }
            pause(&shared, false).await;
        }
    });
}

/// Balances, at the pace of the books.
async fn watch_balances(world: Arc<World>, engine: Arc<Engine>) {
    loop {
        for name in NUMBER_UPSTREAMS.into_iter().chain([PANEL]) {
            engine.watch_balance(name).await;
        }
        let span = world.span(5_000, 90_000);
        world.hub.sleep(span).await;
    }
}

/// Between two passes: short or long by chance; a pass that would find nothing due is left out.
async fn pause(world: &Arc<World>, until_due: bool) {
    let now = world.now();
    let span = world.with(|state| {
        let low = if state.faults { 300 } else { 2_000 };
        let drawn = state
            .random
            .weighted(&[(3, 4_000), (3, 12_000), (2, 30_000)]);
        let span = state.random.between(low, drawn);
        let due = state.truth.next_due().map_or(i64::MAX, |due| (due - now).0);
        if until_due {
            span.max(due.min(30_000))
        } else {
            span
        }
    });
    world.hub.sleep(Millis(span)).await;
}

/// Kills a node now and starts it again a while later.
pub fn crash(world: &Arc<World>, store: &Arc<dyn Store>, node: usize) {
    world.tell(|| format!("node {node} dies"));
    world.with(|state| {
        state.nodes[node] = None;
        state.note_untellable();
    });
    world.hub.crash(node);
    let (shared, store) = (Arc::clone(world), Arc::clone(store));
    world.hub.spawn(Owner::Outside, async move {
        let down = shared.with(|state| {
            let most = state
                .random
                .weighted(&[(3, 2_000), (3, 20_000), (1, 300_000)]);
            Millis(state.random.between(100, most))
        });
        shared.hub.sleep(down).await;
        start(&shared, &store, node);
    });
}
