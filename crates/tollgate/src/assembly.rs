//! What an installation is made of: its store with the keys of its secrets, the use cases over one engine,
//! and what the doors share.

use crate::admin::Office;
use crate::admin::keeper::Keeper;
use crate::admin::upstreams::{Network, sheets};
use crate::background::Background;
use crate::checkpoints::Checkpoints;
use crate::clock::SteadyClock;
use crate::payments;
use crate::settings::{self, Settings};
use crate::shared_windows::Windows;
use crate::tasks::Tracked;
use crate::wiring;
use anyhow::Context;
use app::api_key::{Environment, Pepper};
use app::limits::Limits;
use app::people::PeopleSettings;
use app::{ApiLog, AuditLog, Desk, Engine, Lawful, OwnNumbers, People, RedeemCodes, Stock, TopUps};
use domain::ports::{
    AuditRows, Clock, DeskRows, PeopleRows, PolicyRows, PoolRows, RedeemRows, TopUpRows,
};
use domain::time::Timestamp;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Addresses whose failed requests are counted one by one.
const ADDRESSES_COUNTED: usize = 100_000;

/// The keys of an installation's stored secrets.
pub fn open_vault(settings: &Settings, now: Timestamp) -> anyhow::Result<Arc<store::Vault>> {
    let secrets = &settings.secrets;
    let beside = settings.store.data_dir.join("daily-keys");
    let daily = secrets.daily_keys.as_deref().unwrap_or(&beside);
    let vault = store::Vault::open(secrets.key.expose(), daily, secrets.code_retention, now);
    Ok(Arc::new(vault.context("the keys of stored secrets")?))
}

/// The store of an installation for one that serves it: of many nodes each needs the same daily keys.
pub fn open_node(
    settings: &Settings,
    vault: &Arc<store::Vault>,
) -> anyhow::Result<Arc<store::Database>> {
    match &settings.store.engine {
        settings::Engine::Sqlite { .. } => open_store(settings, vault),
        settings::Engine::Postgres(server) => {
            Ok(Arc::new(store::Database::connect_node(server, vault)?))
        }
    }
}

/// The store of an installation.
fn open_store(
    settings: &Settings,
    vault: &Arc<store::Vault>,
) -> anyhow::Result<Arc<store::Database>> {
    let store = match &settings.store.engine {
        settings::Engine::Sqlite { directory } => store::Database::open(directory),
        settings::Engine::Postgres(server) => store::Database::connect(server),
    };
    Ok(Arc::new(store?.with_vault(Arc::clone(vault))))
}

/// The pepper of an installation.
pub fn pepper(settings: &Settings) -> anyhow::Result<Pepper> {
    Pepper::new(settings.keys.pepper.expose().as_bytes())
        .context("keys.pepper: must have at least 32 characters")
}

/// An engine over an installation's store, for commands while no server runs.
pub fn office(settings: &Settings, environment: Environment) -> anyhow::Result<Office> {
    let (clock, tasks) = (Arc::new(SteadyClock::start()), Arc::new(Tracked::default()));
    let vault = open_vault(settings, clock.now())?;
    let store = open_store(settings, &vault)?;
    let newest_entry = store.newest_entry();
    let engine = wiring::engine(settings, environment, (&store, &clock, tasks))?;
    engine.check_clock(newest_entry);
    let limits = Arc::new(Limits::new(ADDRESSES_COUNTED));
    let parts = (&engine, &store, &vault);
    assemble(settings, environment, parts, &limits, None)
}

/// The limits of this node, shared with others where that is set.
pub fn limits(settings: &Settings) -> anyhow::Result<Limits> {
    let here = Limits::new(ADDRESSES_COUNTED);
    Ok(match &settings.limits.redis {
        Some(url) => here.shared_by(Arc::new(Windows::at(url.expose())?)),
        None => here,
    })
}

/// The use cases over one engine and its store. Where no public address is set, links in mails lead
/// to where this process listens, or would listen.
pub fn assemble(
    settings: &Settings,
    environment: Environment,
    (engine, store, vault): (&Arc<Engine>, &Arc<store::Database>, &Arc<store::Vault>),
    limits: &Arc<Limits>,
    listening: Option<SocketAddr>,
) -> anyhow::Result<Office> {
    let rows: Arc<dyn PeopleRows> = Arc::clone(store) as _;
    let address = listening.unwrap_or(settings.listen.address);
    Ok(Office {
        people: people(settings, environment, (engine, rows), limits, address)?,
        redeem: redeem(engine, store, (limits, pepper(settings)?)),
        lawful: lawful(engine, store),
        numbers: numbers(settings, engine, Arc::clone(store) as _),
        top_ups: top_ups(settings, engine, store, limits, address)?,
        audit: audit_log(settings, engine, store)?,
        desk: desk(settings, engine, store),
        stock: stock(settings, environment, engine),
        pages: Arc::clone(store) as _,
        keeper: Arc::new(Keeper::new(
            Arc::clone(engine),
            Arc::clone(store),
            Arc::clone(vault),
            settings.secrets.key_file.clone(),
        )),
        engine: Arc::clone(engine),
        store: Arc::clone(store),
        pepper: pepper(settings)?,
        environment,
    })
}

/// Use cases about the operator's own numbers.
fn numbers(settings: &Settings, engine: &Arc<Engine>, rows: Arc<dyn PoolRows>) -> Arc<OwnNumbers> {
    let pools = settings.upstreams.iter();
    let pools = pools.filter(|one| one.protocol == settings::Protocol::OwnNumbers);
    let pools = pools.map(|one| one.name.clone()).collect();
    Arc::new(OwnNumbers::new(Arc::clone(engine), rows, pools))
}

/// Use cases about attestations and the do-not-use list.
fn lawful(engine: &Arc<Engine>, store: &Arc<store::Database>) -> Arc<Lawful> {
    let rows: Arc<dyn PolicyRows> = Arc::clone(store) as _;
    Arc::new(Lawful::new(Arc::clone(engine), rows))
}

/// The audit log, with who signs it.
fn audit_log(
    settings: &Settings,
    engine: &Arc<Engine>,
    store: &Arc<store::Database>,
) -> anyhow::Result<Arc<AuditLog>> {
    let rows: Arc<dyn AuditRows> = Arc::clone(store) as _;
    let notary = Arc::new(Checkpoints::open(&settings.audit)?);
    Ok(Arc::new(AuditLog::new(Arc::clone(engine), rows, notary)))
}

/// Use cases about what is bought and sold.
fn stock(settings: &Settings, environment: Environment, engine: &Arc<Engine>) -> Arc<Stock> {
    let near = environment == Environment::Demo;
    let around = Arc::new(Network { near });
    Arc::new(Stock::new(Arc::clone(engine), sheets(settings), around))
}

/// Use cases of the console.
fn desk(settings: &Settings, engine: &Arc<Engine>, store: &Arc<store::Database>) -> Arc<Desk> {
    let rows: Arc<dyn DeskRows> = Arc::clone(store) as _;
    let cap = settings.console.second_approval_above;
    Arc::new(Desk::new(Arc::clone(engine), rows, cap))
}

/// Where staff reach the console: where customers are, in a demo.
fn console_url(settings: &Settings, environment: Environment, address: SocketAddr) -> String {
    let console = &settings.console;
    match (environment, &console.url, console.address) {
        (_, Some(url), _) => url.clone(),
        (Environment::Live, None, Some(own)) => settings.listen.url_at(own),
        _ => base_url(settings, address),
    }
}

/// Use cases about redeem codes.
fn redeem(
    engine: &Arc<Engine>,
    store: &Arc<store::Database>,
    (limits, pepper): (&Arc<Limits>, Pepper),
) -> Arc<RedeemCodes> {
    let rows: Arc<dyn RedeemRows> = Arc::clone(store) as _;
    let (engine, limits) = (Arc::clone(engine), Arc::clone(limits));
    Arc::new(RedeemCodes::new(engine, rows, limits, pepper))
}

/// Use cases about top-ups.
fn top_ups(
    settings: &Settings,
    engine: &Arc<Engine>,
    store: &Arc<store::Database>,
    limits: &Arc<Limits>,
    address: SocketAddr,
) -> anyhow::Result<Arc<TopUps>> {
    let rows: Arc<dyn TopUpRows> = Arc::clone(store) as _;
    payments::top_ups(settings, engine, rows, limits, base_url(settings, address))
}

/// Where people reach the pages; this machine where no public address is set.
fn base_url(settings: &Settings, address: SocketAddr) -> String {
    let public_url = settings.listen.public_url.clone();
    public_url.unwrap_or_else(|| settings.listen.url_at(address))
}

/// Use cases about people. Where no public address is set, links in mails lead to this machine.
fn people(
    settings: &Settings,
    environment: Environment,
    (engine, rows): (&Arc<Engine>, Arc<dyn PeopleRows>),
    limits: &Arc<Limits>,
    address: SocketAddr,
) -> anyhow::Result<Arc<People>> {
    let demo = environment == Environment::Demo;
    let people = PeopleSettings {
        base_url: base_url(settings, address),
        console_url: console_url(settings, environment, address),
        sign_up_tier: if demo { 3 } else { 0 },
        mails: demo || settings.mail.is_some(),
        keeps_mails: demo,
    };
    let (engine, limits) = (Arc::clone(engine), Arc::clone(limits));
    let people = People::new(engine, rows, limits, pepper(settings)?, people);
    Ok(Arc::new(people))
}

/// What the doors share.
pub fn door(
    settings: &Settings,
    office: &Office,
    background: &Background,
    (log, address): (Arc<ApiLog>, SocketAddr),
) -> web::Door {
    let limits = &settings.limits;
    let trusted = &settings.listen.trusted_proxies;
    web::Door {
        engine: Arc::clone(&office.engine),
        people: Arc::clone(&office.people),
        redeem: Arc::clone(&office.redeem),
        log,
        lawful: Arc::clone(&office.lawful),
        top_ups: Arc::clone(&office.top_ups),
        audit: Arc::clone(&office.audit),
        desk: Arc::clone(&office.desk),
        stock: Arc::clone(&office.stock),
        pages: Arc::clone(&office.pages),
        streams: web::Streams::default(),
        environment: office.environment,
        limits: Arc::clone(&background.limits),
        pepper: office.pepper.clone(),
        lists: Arc::default(),
        settings: web::DoorSettings {
            requests_per_minute: limits.requests_per_minute.into(),
            account_requests_per_minute: limits.accounts.iter().copied().collect(),
            failed_auth_per_minute: limits.failed_auth_per_minute.into(),
            misses_per_minute: limits.misses_per_minute.into(),
            trusted_proxies: trusted.iter().map(settings::Network::parts).collect(),
            public_url: settings.listen.public_url.clone(),
            hooks: settings.hooks.door().told(&base_url(settings, address)),
            console: web::ConsoleDoor {
                beside_customers: office.environment == Environment::Demo,
                allowed: settings
                    .console
                    .allowed
                    .iter()
                    .map(settings::Network::parts)
                    .collect(),
            },
        },
        ready: AtomicBool::new(false),
    }
}
