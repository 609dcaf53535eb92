//! From settings to a running engine: adapters, spans and servers.

use crate::clock::SteadyClock;
use crate::demo::MisbehavingPool;
use crate::settings::{self, Protocol, Settings};
use crate::tasks::Tracked;
use app::api_key::Environment;
use app::{Adapter, Engine, Outside, Routing, UpstreamLimits};
use domain::activation::Plan;
use domain::catalogue::{Server, ServerRoute};
use domain::ports::Clock;
use domain::smm_order::SmmPlan;
use domain::time::Millis;
use domain::upstream::{Capabilities, NumberUpstream, PanelUpstream};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use store::Database;
use upstream::{
    Account, FiveSim, FiveSimSettings, HandlerApi, HandlerApiSettings, OwnNumbers,
    OwnNumbersSettings, Panel, PanelSettings, RateUnit, SmsPool, SmsPoolSettings,
};

/// How much longer than the call itself a purchase stays in the hands of whoever made it.
const LEASE_MARGIN: Millis = Millis::seconds(5);

/// Over which reads are counted.
const MINUTE_MS: u64 = 60_000;

/// Idempotency keys are promised for a day and kept for a week: a row is small.
const KEY_LIFETIME: Millis = Millis::minutes(7 * 24 * 60);

/// Final SMM orders are watched for corrections for thirty days.
const SMM_WATCH: Millis = Millis::minutes(30 * 24 * 60);

/// Builds the engine.
pub fn engine(
    settings: &Settings,
    environment: Environment,
    (store, clock, tasks): (&Arc<Database>, &Arc<SteadyClock>, Arc<Tracked>),
) -> anyhow::Result<Arc<Engine>> {
    let clock: Arc<dyn Clock> = Arc::clone(clock) as _;
    let pool = |one: &settings::Upstream| -> Arc<dyn NumberUpstream> {
        let own = Arc::new(own_numbers(one, store, &clock));
        match environment {
            Environment::Demo => Arc::new(MisbehavingPool::new(own, Arc::clone(&clock))),
            _ => own,
        }
    };
    let (numbers, panels) = adapters(settings, pool)?;
    let archive = Arc::new(store::CatalogueFiles::new(
        &settings.store.data_dir.join("catalogue"),
        settings.catalogue.history,
    ));
    let outside = Outside {
        store: Arc::clone(store) as _,
        clock,
        tasks,
        numbers,
        panels,
        archive: Some(archive),
    };
    let engine = Engine::new(outside, engine_settings(settings)?);
    engine.note_restoration(store.restored_at());
    Ok(engine)
}

type Adapters = (
    HashMap<String, Arc<dyn NumberUpstream>>,
    Vec<(String, Arc<dyn PanelUpstream>)>,
);

fn adapters(
    settings: &Settings,
    pool: impl Fn(&settings::Upstream) -> Arc<dyn NumberUpstream>,
) -> anyhow::Result<Adapters> {
    let mut numbers: HashMap<String, Arc<dyn NumberUpstream>> = HashMap::new();
    let mut panels: Vec<(String, Arc<dyn PanelUpstream>)> = Vec::new();
    for one in &settings.upstreams {
        if one.protocol == Protocol::OwnNumbers {
            numbers.insert(one.name.clone(), pool(one));
        } else if let Some(Adapter::Numbers(adapter)) = adapter(one, None)? {
            numbers.insert(one.name.clone(), adapter);
        }
    }
    for name in &settings.smm.upstreams {
        let one = settings.upstream(name).map(|one| adapter(one, None));
        let one = one.transpose()?;
        if let Some(Some(Adapter::Panel(panel))) = one {
            panels.push((name.clone(), panel));
        }
    }
    Ok((numbers, panels))
}

/// What speaks to an upstream, at this address where its name was looked up already; nothing for a pool of
/// own numbers, which is no account anywhere.
pub fn adapter(
    one: &settings::Upstream,
    pinned: Option<SocketAddr>,
) -> anyhow::Result<Option<Adapter>> {
    let at = Account {
        pinned,
        ..account(one)
    };
    Ok(Some(match one.protocol {
        Protocol::HandlerApi => Adapter::Numbers(Arc::new(HandlerApi::new(handler_api(one, at))?)),
        Protocol::SmsPool => Adapter::Numbers(Arc::new(SmsPool::new(smspool(one, at))?)),
        Protocol::FiveSim => Adapter::Numbers(Arc::new(FiveSim::new(fivesim(one, at))?)),
        Protocol::PanelV2 => Adapter::Panel(Arc::new(Panel::new(panel(one, at)?)?)),
        Protocol::OwnNumbers => return Ok(None),
    }))
}

fn handler_api(one: &settings::Upstream, at: Account) -> HandlerApiSettings {
    let own = one.handler_api;
    let base = HandlerApiSettings::new(own.dialect, at);
    HandlerApiSettings {
        purchase: own.purchase,
        status: own.status,
        prices: own.prices,
        pools: own.pools,
        ladder_min_stock: own.ladder_min_stock.into(),
        capabilities: Capabilities {
            idempotency_key: own.idempotent_purchase,
            ..number_capabilities(one, &base.capabilities)
        },
        ..base
    }
}

fn own_numbers(
    one: &settings::Upstream,
    store: &Arc<Database>,
    clock: &Arc<dyn Clock>,
) -> OwnNumbers {
    let own = one.own.clone();
    let settings = OwnNumbersSettings {
        name: one.name.clone(),
        services: own.services,
        cost: own.cost,
        costs: own.costs,
        cooling_off: own.cooling_off,
        sell_again: own.sell_again,
        capabilities: Capabilities {
            min_cancel_age: one.min_cancel_age,
            activation_ttl: one.activation_ttl,
            ..OwnNumbersSettings::capabilities()
        },
    };
    OwnNumbers::new(
        settings,
        Arc::clone(store) as _,
        Arc::clone(store) as _,
        Arc::clone(clock),
    )
}

/// What holds for every account, whatever it speaks.
fn account(one: &settings::Upstream) -> Account {
    let proxy = one.proxy.as_ref();
    Account {
        proxy_url: proxy.map(|proxy| proxy.expose().to_owned()),
        timeout_ms: millis(one.timeout),
        connect_timeout_ms: millis(one.connect_timeout),
        usd_per_unit: one.usd_per_unit,
        currency: one.panel.currency.clone(),
        ..Account::new(&one.name, &one.url, one.key.expose())
    }
}

fn smspool(one: &settings::Upstream, at: Account) -> SmsPoolSettings {
    let base = SmsPoolSettings::new(at);
    SmsPoolSettings {
        capabilities: number_capabilities(one, &base.capabilities),
        ..base
    }
}

fn fivesim(one: &settings::Upstream, at: Account) -> FiveSimSettings {
    let operators = one.handler_api.pools;
    FiveSimSettings {
        operators,
        listing_pause_ms: MINUTE_MS / u64::from(one.reads_per_minute),
        capabilities: number_capabilities(one, &FiveSimSettings::sheet(operators)),
        ..FiveSimSettings::new(at)
    }
}

/// What the operator says of a seller of numbers, over what its protocol is known for.
fn number_capabilities(one: &settings::Upstream, base: &Capabilities) -> Capabilities {
    Capabilities {
        list_active: one.doubt.lists_orders,
        list_lag: one.doubt.list_lag,
        late_window: one.doubt.late_window,
        min_cancel_age: one.min_cancel_age,
        activation_ttl: one.activation_ttl,
        ..base.clone()
    }
}

fn panel(one: &settings::Upstream, at: Account) -> anyhow::Result<PanelSettings> {
    let base = PanelSettings::new(at);
    let rate_unit = RateUnit::from_units(one.panel.rate_unit).ok_or_else(|| {
        anyhow::anyhow!("upstreams.{}.rate_unit: must be 100, 500 or 1000", one.name)
    })?;
    Ok(PanelSettings {
        lists_orders: one.doubt.lists_orders,
        transport: one.panel.transport,
        bearer: one.panel.bearer,
        text_ids: one.panel.text_ids,
        status_words: one.panel.status_words.clone(),
        error_means_refused: one.doubt.error_means_refused,
        challenge_means_refused: one.panel.challenge_means_refused,
        rate_unit,
        capabilities: Capabilities {
            list_active: one.doubt.lists_orders,
            list_lag: one.doubt.list_lag,
            late_window: one.doubt.late_window,
            dup_window: one.doubt.duplicate_window,
            idempotency_key: one.panel.request_ids,
            ids_per_call: match one.panel.multi_status {
                true => base.capabilities.ids_per_call,
                false => 1,
            },
            ..base.capabilities.clone()
        },
        ..base
    })
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn lease(one: &settings::Upstream) -> Millis {
    let call = i64::try_from(millis(one.timeout)).unwrap_or(i64::MAX / 4);
    Millis(call * one.calls() + LEASE_MARGIN.0)
}

fn engine_settings(settings: &Settings) -> anyhow::Result<app::Settings> {
    let leases = settings.upstreams.iter().map(lease);
    let longest = leases.max().unwrap_or(Millis::seconds(35));
    Ok(app::Settings {
        default_server: settings.otp.default_server.clone(),
        servers: settings.servers.iter().map(server).collect(),
        activations: plans(settings),
        smm: settings
            .upstreams
            .iter()
            .map(|one| (one.name.clone(), smm_plan(one)))
            .collect(),
        activation_poll: settings.sync.activation_poll,
        upstreams: settings.upstreams.iter().map(limits).collect(),
        routing: routing(settings),
        sync_budget: settings.purchase.sync_budget,
        price_grace: settings.purchase.price_grace,
        key_lifetime: KEY_LIFETIME,
        // an unlinked activation may still belong to a call that is being answered
        orphan_after: Millis(longest.0 + LEASE_MARGIN.0),
        reconcile_every: settings.sync.reconcile,
        balance_steps: settings
            .upstreams
            .iter()
            .map(|one| (one.name.clone(), one.balance_step))
            .collect(),
        markups: Arc::new(settings.markup.clone()),
        rules: settings
            .policy
            .rules()
            .map_err(|error| anyhow::anyhow!("policy.lifted: {error}"))?,
        velocity: settings.policy.tiers.clone(),
        catalogue: settings.catalogue.engine(&settings.smm.rules),
    })
}

fn limits(one: &settings::Upstream) -> (String, UpstreamLimits) {
    let count = |number: u32| usize::try_from(number).ok();
    let limits = UpstreamLimits {
        reads_per_minute: Some(one.reads_per_minute),
        poll: one.polling.pauses.first().copied(),
        in_doubt_cap: count(one.doubt.cap),
        max_concurrent_purchases: count(one.max_concurrent_purchases),
        float_warn: one.float_warn,
        float_stop: one.float_stop,
    };
    (one.name.clone(), limits)
}

fn routing(settings: &Settings) -> Routing {
    let weights = settings.servers.iter();
    Routing {
        strategy: settings.routing.strategy,
        weights: weights
            .map(|server| (server.name.clone(), server.weight))
            .collect(),
        tries: usize::try_from(settings.routing.tries).unwrap_or(1),
        half_life: settings.routing.half_life,
        breaker: settings.routing.breaker,
    }
}

fn server(server: &settings::Server) -> Server {
    let routes = server.routes.iter().map(|route| ServerRoute {
        provider_type: route.provider_type.into(),
        upstream: route.upstream.clone(),
    });
    Server {
        name: server.name.clone(),
        enabled: server.enabled,
        routes: routes.collect(),
    }
}

fn plans(settings: &Settings) -> HashMap<(String, String), Plan> {
    let mut plans = HashMap::new();
    for server in &settings.servers {
        for route in &server.routes {
            let Some(one) = settings.upstream(&route.upstream) else {
                continue;
            };
            let plan = Plan {
                lease: lease(one),
                in_doubt_window: one.doubt.window,
                min_cancel_age: server.min_cancel_age.max(one.min_cancel_age),
                lifetime: server.lifetime.min(one.activation_ttl),
                retry: one
                    .polling
                    .pauses
                    .first()
                    .copied()
                    .unwrap_or(Millis::seconds(2)),
            };
            plans.insert((server.name.clone(), one.name.clone()), plan);
        }
    }
    plans
}

fn smm_plan(one: &settings::Upstream) -> SmmPlan {
    SmmPlan {
        lease: lease(one),
        in_doubt_window: one.doubt.window,
        confirmation: one.terminal_confirmation,
        remains_patience: SmmPlan::REMAINS_PATIENCE,
        poll: one.polling.pauses.clone(),
        retry: one
            .polling
            .pauses
            .first()
            .copied()
            .unwrap_or(Millis::seconds(5)),
        watch: SMM_WATCH,
        refill_window: one.panel.refill_window,
        correction_max: one.correction_max,
    }
}
