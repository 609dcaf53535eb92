//! A running server: store, engine, doors and background work, from start to a clean stop.

use crate::admin::Office;
use crate::assembly::{assemble, door, limits, open_node, open_vault};
use crate::background::Background;
use crate::clock::SteadyClock;
use crate::metrics;
use crate::notify;
use crate::postman::Postman;
use crate::proxies;
use crate::reload::Reload;
use crate::settings::Settings;
use crate::socket;
use crate::tasks::Tracked;
use crate::wiring;
use anyhow::Context;
use app::ApiLog;
use app::api_key::Environment;
use domain::ports::{ApiLogRows, Clock};
use domain::time::Timestamp;
use metrics_exporter_prometheus::PrometheusHandle;
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use web::serve::{Bounds, Certificate, Entrance, Stop, listen, serve};

/// Open requests get this long to end after a stop was asked for.
const GRACE: Duration = Duration::from_secs(7);
/// Open purchases get this long more; what is still open then is settled after the next start.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// What the manager of services grants beyond that before it kills the program.
const SPARE: Duration = Duration::from_secs(10);

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
async fn start_work(
    background: &Background,
    office: &Office,
    settings: &Settings,
) -> anyhow::Result<()> {
    if let Err(error) = office.audit.note_rules().await {
        tracing::warn!(%error, "the rules in force could not be noted");
    }
    background.start();
    background.watch_top_ups(&office.top_ups);
    background.keep_witnessed(&office.audit, settings.audit.checkpoint);
    background.keep_lawful(&office.lawful, &office.keeper);
    let (data_dir, stop) = (&settings.store.data_dir, background.stop.clone());
    socket::listen(data_dir, office.clone(), stop, &background.tasks)
        .context("cannot open the local socket for commands")?;
    Postman::new(settings.mail.as_ref(), &office.people)?.start(background);
    Ok(())
}

/// Runs until a stop signal. `announce` is called once everything answers.
pub async fn run<A>(settings: &Settings, start: Start, announce: A) -> anyhow::Result<()>
where
    A: AsyncFnOnce(&Office, SocketAddr) -> anyhow::Result<()>,
{
    // from here on a stop is heard, however long the start takes
    let mut stop_asked = std::pin::pin!(stop_asked());
    let entrance = entrance(settings).await?;
    let (address, certificate) = (
        entrance.listener.local_addr()?,
        entrance.certificate.clone(),
    );
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
    start_work(&background, &office, settings).await?;
    let log = Arc::new(ApiLog::new(engine, log_rows));
    background.keep_log(&log);
    let rows = (Arc::clone(&log), address);
    let door = Arc::new(door(settings, &office, &background, rows));
    let stop = Stop::new();
    let router = web::router(Arc::clone(&door));
    watched.answer(&door, &store, &background);
    console.answer(certificate.clone(), &door, &background);
    let mut serving = std::pin::pin!(serve(entrance, router, Bounds::default(), stop.clone()));
    if let Some(reload) = start.reload {
        reload.watch(settings, (&door, certificate), &background)?;
    }
    door.ready.store(true, Ordering::Release);
    announce(&office, address).await?;
    tokio::select! {
        ended = &mut serving => ended.context("the listener failed")?,
        () = stop_asked => {}
    }
    door.ready.store(false, Ordering::Release);
    stop_serving(serving, (&stop, &background), settings.listen.drain).await?;
    log.write_down().await;
    office.lawful.write_denials().await;
    end(background.tasks, purchases.0).await;
    Ok(())
}

/// The listener for customers and what it shows, once nothing speaks against buying.
async fn entrance(settings: &Settings) -> anyhow::Result<Entrance> {
    proxies::check(settings).await?;
    let certificate = settings.listen.certificate()?;
    let address = settings.listen.address;
    let listener = listen(address).with_context(|| {
        format!("cannot listen on {address}; give another address with --listen or listen.address")
    })?;
    Ok(Entrance {
        listener,
        certificate,
    })
}

/// Tells the manager of services, takes requests for a little longer, then lets those that run end.
async fn stop_serving<F>(
    mut serving: Pin<&mut F>,
    (stop, background): (&Stop, &Background),
    drain: Duration,
) -> anyhow::Result<()>
where
    F: Future<Output = std::io::Result<()>>,
{
    notify::tell(notify::STOPPING);
    notify::more_time(drain + GRACE + LAST_WORDS + SPARE);
    still_serving(serving.as_mut(), drain).await?;
    tracing::info!("stopping: no new connections, open requests end");
    stop.within(GRACE);
    background.stop.cancel();
    serving.await.context("the listener failed")
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
        let metrics = metrics::drawn((&door.engine, &door.top_ups), store, counted);
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

    /// Answers until the last request has ended, over TLS where customers are answered so.
    fn answer(
        self,
        certificate: Option<Certificate>,
        door: &Arc<web::Door>,
        background: &Background,
    ) {
        if let Some(listener) = self.0 {
            let router = web::console_router(Arc::clone(door));
            let stop = Stop::new();
            let entrance = Entrance {
                listener,
                certificate,
            };
            let serving = serve(entrance, router, Bounds::default(), stop.clone());
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
