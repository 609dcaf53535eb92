//! A running server: store, engine, doors and background work, from start to a clean stop.

use crate::admin::Office;
use crate::admin::keeper::Keeper;
use crate::admin::upstreams::{Network, sheets};
use crate::background::Background;
use crate::checkpoints::Checkpoints;
use crate::clock::SteadyClock;
use crate::metrics;
use crate::notify;
use crate::payments;
use crate::postman::Postman;
use crate::proxies;
use crate::reload::Reload;
use crate::settings::{self, Settings};
use crate::shared_windows::Windows;
use crate::socket;
use crate::tasks::Tracked;
use crate::wiring;
use anyhow::Context;
use app::api_key::{Environment, Pepper};
use app::limits::Limits;
use app::people::PeopleSettings;
use app::{ApiLog, AuditLog, Desk, Engine, Lawful, OwnNumbers, People, RedeemCodes, Stock, TopUps};
use domain::ports::{
    ApiLogRows, AuditRows, Clock, DeskRows, PeopleRows, PolicyRows, PoolRows, RedeemRows, TopUpRows,
};
use domain::time::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use web::serve::{Bounds, Stop, listen, serve};

/// Open requests get this long to end after a stop was asked for.
const GRACE: Duration = Duration::from_secs(7);
/// Open purchases get this long more; what is still open then is settled after the next start.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// What the manager of services grants beyond that before it kills the program.
const SPARE: Duration = Duration::from_secs(10);
/// Addresses whose failed requests are counted one by one.
const ADDRESSES_COUNTED: usize = 100_000;

/// The keys of an installation's stored secrets.
fn open_vault(settings: &Settings, now: Timestamp) -> anyhow::Result<Arc<store::Vault>> {
    let secrets = &settings.secrets;
    let beside = settings.store.data_dir.join("daily-keys");
    let daily = secrets.daily_keys.as_deref().unwrap_or(&beside);
    let vault = store::Vault::open(secrets.key.expose(), daily, secrets.code_retention, now);
    Ok(Arc::new(vault.context("the keys of stored secrets")?))
}

/// The store of an installation for one that serves it: of many nodes each needs the same daily keys.
fn open_node(
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
fn limits(settings: &Settings) -> anyhow::Result<Limits> {
    let here = Limits::new(ADDRESSES_COUNTED);
    Ok(match &settings.limits.redis {
        Some(url) => here.shared_by(Arc::new(Windows::at(url.expose())?)),
        None => here,
    })
}

/// The use cases over one engine and its store. Where no public address is set, links in mails lead
/// to where this process listens, or would listen.
fn assemble(
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

/// Whether the machine's clock is believed although it shows a time before the newest entry of the
/// books: then that entry is what was wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustClock {
    /// Only if it is not behind the books.
    IfItFits,
    /// The operator says that it is right.
    Always,
}

/// Until when the books go, for a clock that has to be compared with them.
struct BooksEnd(Option<Timestamp>);

impl BooksEnd {
    fn of(store: &store::Database, trust: TrustClock) -> Self {
        Self(match trust {
            TrustClock::IfItFits => store.newest_entry(),
            TrustClock::Always => None,
        })
    }

    /// Money waits while the clock is behind.
    fn compare(self, clock: Arc<SteadyClock>, background: &Background) {
        if !background.engine.check_clock(self.0) {
            background.wait_for_clock(clock, self.0);
        }
    }
}

/// How a server is started.
pub struct Start {
    /// What keys made here are good for.
    pub environment: Environment,
    /// Whether the machine's clock is believed.
    pub trust: TrustClock,
    /// Where SIGHUP reads the settings from; a demo has none.
    pub reload: Option<Reload>,
}

/// Everything that goes on by itself from now on.
async fn start_work(background: &Background, office: &Office, settings: &Settings) {
    if let Err(error) = office.audit.note_rules().await {
        tracing::warn!(%error, "the rules in force could not be noted");
    }
    background.start();
    background.watch_top_ups(&office.top_ups);
    background.keep_witnessed(&office.audit, settings.audit.checkpoint);
    background.keep_lawful(&office.lawful, &office.keeper);
}

/// Runs until a stop signal. `announce` is called once everything answers.
pub async fn run<A>(settings: &Settings, start: Start, announce: A) -> anyhow::Result<()>
where
    A: AsyncFnOnce(&Office, SocketAddr) -> anyhow::Result<()>,
{
    // from here on a stop is heard, however long the start takes
    let mut stop_asked = std::pin::pin!(stop_asked());
    let (listener, address) = entrance(settings).await?;
    let watched = Watched::open(settings)?;
    let console = ConsoleListener::open(settings)?;
    let clock: Arc<SteadyClock> = Arc::new(SteadyClock::start());
    let vault = open_vault(settings, clock.now())?;
    let store = open_node(settings, &vault)?;
    let log_rows: Arc<dyn ApiLogRows> = Arc::clone(&store) as _;
    let books_end = BooksEnd::of(&store, start.trust);
    let purchases = Tracked::default();
    let tasks = Arc::new(purchases.clone());
    let engine = wiring::engine(settings, start.environment, (&store, &clock, tasks))?;
    let limits = Arc::new(limits(settings)?);
    let parts = (&engine, &store, &vault);
    let office = assemble(settings, start.environment, parts, &limits, Some(address))?;
    let background = Background {
        engine: Arc::clone(&engine),
        limits,
        refresh: settings.sync.refresh_catalogue,
        balance: settings.sync.balance,
        stop: CancellationToken::new(),
        tasks: TaskTracker::new(),
    };
    books_end.compare(clock, &background);
    tokio::select! {
        biased;
        () = &mut stop_asked => return Ok(()),
        () = background.first_catalogue() => {}
    }
    start_work(&background, &office, settings).await;
    socket::listen(
        &settings.store.data_dir,
        office.clone(),
        background.stop.clone(),
        &background.tasks,
    )
    .context("cannot open the local socket for commands")?;
    Postman::new(settings.mail.as_ref(), &office.people)?.start(&background);
    let log = Arc::new(ApiLog::new(engine, log_rows));
    background.keep_log(&log);
    let rows = (Arc::clone(&log), address);
    let door = Arc::new(door(settings, &office, &background, rows));
    let stop = Stop::new();
    let router = web::router(Arc::clone(&door));
    watched.answer(&door, &store, &background);
    console.answer(&door, &background);
    let mut serving = std::pin::pin!(serve(listener, router, Bounds::default(), stop.clone()));
    if let Some(reload) = start.reload {
        reload.watch(settings, &door, &background)?;
    }
    door.ready.store(true, Ordering::Release);
    announce(&office, address).await?;
    tokio::select! {
        ended = &mut serving => ended.context("the listener failed")?,
        () = stop_asked => {}
    }
    door.ready.store(false, Ordering::Release);
    notify::tell(notify::STOPPING);
    notify::more_time(settings.listen.drain + GRACE + LAST_WORDS + SPARE);
    still_serving(serving.as_mut(), settings.listen.drain).await?;
    tracing::info!("stopping: no new connections, open requests end");
    stop.within(GRACE);
    background.stop.cancel();
    serving.await.context("the listener failed")?;
    log.write_down().await;
    office.lawful.write_denials().await;
    end(background.tasks, purchases.0).await;
    Ok(())
}

/// The listener for customers, and where it is, once nothing speaks against buying.
async fn entrance(settings: &Settings) -> anyhow::Result<(TcpListener, SocketAddr)> {
    proxies::check(settings).await?;
    let address = settings.listen.address;
    let listener = listen(address).with_context(|| {
        format!("cannot listen on {address}; give another address with --listen or listen.address")
    })?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Takes requests for a little longer: whoever sends them here has to hear first that this node is not
/// ready any more. Who asks a second time does not want to wait for that.
async fn still_serving<F>(serving: Pin<&mut F>, drain: Duration) -> anyhow::Result<()>
where
    F: Future<Output = std::io::Result<()>>,
{
    tokio::select! {
        ended = serving => {
            ended.context("the listener failed")?;
            anyhow::bail!("the listener ended")
        }
        () = tokio::time::sleep(drain) => Ok(()),
        () = stop_asked() => Ok(()),
    }
}

/// The admin listener, where one is set. It counts from the moment it is opened: what the background
/// work does first, the audit of the start among it, must not go by uncounted.
struct Watched(Option<(TcpListener, PrometheusHandle)>);

impl Watched {
    fn open(settings: &Settings) -> anyhow::Result<Self> {
        let Some(address) = settings.admin.address else {
            return Ok(Self(None));
        };
        let listener = listen(address)
            .with_context(|| format!("cannot listen on {address}; set another admin.address"))?;
        Ok(Self(Some((listener, metrics::install()?))))
    }

    /// Answers until the last request has ended.
    fn answer(self, door: &Arc<web::Door>, store: &Arc<store::Database>, background: &Background) {
        let Some((listener, counted)) = self.0 else {
            return;
        };
        let metrics = metrics::drawn(&door.engine, store, counted);
        let router = web::admin_router(Arc::clone(door), metrics);
        let stop = Stop::new();
        let serving = serve(listener, router, Bounds::default(), stop.clone());
        beside(serving, stop, background, "admin");
    }
}

/// The console's own listener, where one is set.
struct ConsoleListener(Option<TcpListener>);

impl ConsoleListener {
    fn open(settings: &Settings) -> anyhow::Result<Self> {
        let Some(address) = settings.console.address else {
            return Ok(Self(None));
        };
        let listener = listen(address)
            .with_context(|| format!("cannot listen on {address}; set another console.address"))?;
        Ok(Self(Some(listener)))
    }

    fn answer(self, door: &Arc<web::Door>, background: &Background) {
        if let Some(listener) = self.0 {
            let router = web::console_router(Arc::clone(door));
            let stop = Stop::new();
            let serving = serve(listener, router, Bounds::default(), stop.clone());
            beside(serving, stop, background, "console");
        }
    }
}

/// Serves beside the listener of customers until the last request has ended.
fn beside(
    serving: impl Future<Output = std::io::Result<()>> + Send + 'static,
    stop: Stop,
    background: &Background,
    name: &'static str,
) {
    let asked = background.stop.clone();
    background.tasks.spawn(async move {
        let mut serving = std::pin::pin!(serving);
        let ended = tokio::select! {
            ended = &mut serving => ended,
            () = asked.cancelled() => {
                stop.within(Duration::ZERO);
                serving.await
            }
        };
        if let Err(error) = ended {
            tracing::error!(%error, "the {name} listener failed");
        }
    });
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
        (Environment::Live, None, Some(own)) => format!("http://{own}"),
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
    public_url.unwrap_or_else(|| format!("http://{address}"))
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

fn door(
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

/// Waits for background passes and open purchases, but not for ever: whatever is cut is in the
/// store and settled after the next start.
async fn end(background: TaskTracker, purchases: TaskTracker) {
    background.close();
    purchases.close();
    let all = async {
        background.wait().await;
        purchases.wait().await;
    };
    if tokio::time::timeout(LAST_WORDS, all).await.is_err() {
        tracing::warn!("stopped with purchases open; they are settled after the next start");
    }
}

/// Ctrl-C or SIGTERM.
pub async fn stop_asked() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        // without a handler for SIGTERM Ctrl-C still works
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
}
