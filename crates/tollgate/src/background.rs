//! Background work: what is due, what upstreams have to say, catalogues, limits, the audit.

use crate::admin::keeper::Keeper;
use crate::clock::SteadyClock;
use crate::metrics;
use app::limits::Limits;
use app::{ApiLog, AuditLog, Engine, Lawful, TopUps};
use domain::ports::{AtPanels, Clock};
use domain::time::{Millis, Timestamp};
use std::future::Future;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::Receiver;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Between two looks at what is due.
const DUE_LOOK: Millis = Millis(200);
/// Between two looks at what is due at panels that are no longer configured.
const LEFT_LOOK: Millis = Millis::seconds(5);
/// Between two looks whether an upstream's turn has come.
const POLL_LOOK: Millis = Millis(250);
/// Between two sweeps of idle rate-limit windows.
const SWEEP: Millis = Millis::seconds(60);
/// Between two looks at top-ups that are due.
const TOP_UP_LOOK: Millis = Millis::seconds(2);
/// Looks for a day that is over and that nobody has compared with the processors.
const RECONCILE: Millis = Millis::minutes(15);
/// Between two audits of the books.
const AUDIT: Millis = Millis::minutes(60);

/// Between two writes of how many sales were denied.
const DENIALS: Millis = Millis::seconds(30);
/// Between two looks whether other processes have changed what is in force: purchases look by themselves,
/// lists show what was read last.
const IN_FORCE: Millis = Millis::seconds(2);
/// Between two looks for signals of accounts and for automatic steps that have stood too long.
const SIGNALS: Millis = Millis::seconds(60);
/// Between two looks for keys of days, numbers and addresses whose time is over.
const FORGET: Millis = Millis::minutes(10);

/// Between two writes of the log of API requests.
const LOG_WRITE: Millis = Millis::seconds(1);
/// Between two looks for lines of it that are too old.
const LOG_FORGET: Millis = Millis::seconds(60);

/// Between two looks at a machine's clock that is behind the books.
const CLOCK_LOOK: Millis = Millis::seconds(1);

/// How long the start waits for catalogues.
const FIRST_CATALOGUE: Millis = Millis(700);
/// Between two tries to read a catalogue that was never read.
const UNREAD: Millis = Millis::seconds(3);
/// Catalogues read at the same time at the start.
const READ_AT_ONCE: usize = 3;

/// Loops that run until the token is cancelled.
pub struct Background {
    /// The engine.
    pub engine: Arc<Engine>,
    /// Rate-limit windows to sweep.
    pub limits: Arc<Limits>,
    /// Between two readings of an upstream's prices.
    pub refresh: Millis,
    /// Between two readings of our balance at an upstream.
    pub balance: Millis,
    /// Ends the loops.
    pub stop: CancellationToken,
    /// Where they run.
    pub tasks: TaskTracker,
}

impl Background {
    /// Takes up what was kept of the catalogue and reads every upstream's once, a few at a time: each holds a whole price list in
    /// memory while it is read. The start waits for them only so long: wallets, orders and their
    /// settlement need no catalogue, and what is not read yet is answered as unavailable.
    pub async fn first_catalogue(&self) {
        self.engine.restore_catalogue().await;
        let mut waiting = read_catalogues(&self.engine, &self.tasks);
        if self.engine.sells_at_once() {
            return;
        }
        tokio::select! {
            _ = waiting.recv() => {}
            () = self.engine.clock().sleep(FIRST_CATALOGUE) => {
                tracing::warn!("not every upstream has shown its catalogue yet; it is asked again");
            }
        }
    }

    /// Looks every second whether the machine's clock, which was behind the books, is right by now.
    pub fn wait_for_clock(&self, clock: Arc<SteadyClock>, newest_entry: Option<Timestamp>) {
        let newest = newest_entry.map(time_text).unwrap_or_default();
        tracing::error!(
            newest_entry = newest,
            "the machine's clock shows {}, before the newest entry of the books ({newest}): no money \
             moves until the clock is right; if it is the entry that is wrong, start once with \
             serve --trust-clock",
            time_text(clock.now())
        );
        let (engine, stop) = (Arc::clone(&self.engine), self.stop.clone());
        let tasks = self.tasks.clone();
        self.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = clock.sleep(CLOCK_LOOK) => {}
                }
                clock.catch_up();
                if newest_entry.is_none_or(|newest| newest <= clock.now()) {
                    engine.clock_caught_up();
                    tracing::warn!("the machine's clock has passed the books: money moves again");
                    // what was read by the wrong clock looks too old to sell from
                    read_catalogues(&engine, &tasks);
                    return;
                }
            }
        });
    }

    /// Starts all loops.
    pub fn start(&self) {
        self.every(DUE_LOOK, |engine| async move {
            // an upstream that hangs is no reason to look for the others' steps later
            engine.begin_due_activations().await;
        });
        for at in self.engine.panel_places() {
            self.keep_panel(at);
        }
        for name in self
            .engine
            .number_upstreams()
            .map(str::to_owned)
            .collect::<Vec<_>>()
        {
            self.every(POLL_LOOK, move |engine| {
                let name = name.clone();
                async move { engine.poll_upstream(&name).await }
            });
        }
        for name in upstreams(&self.engine) {
            self.keep_balance(name.clone());
            self.keep_catalogue(name);
        }
        let limits = Arc::clone(&self.limits);
        self.every(SWEEP, move |engine| {
            let limits = Arc::clone(&limits);
            async move {
                limits.sweep(engine.now().0);
            }
        });
        self.keep_audited();
        let engine = Arc::clone(&self.engine);
        self.tasks
            .spawn(async move { engine.remember_outcomes().await });
    }

    /// Writes the log of API requests down, and forgets what is too old.
    pub fn keep_log(&self, log: &Arc<ApiLog>) {
        let written = Arc::clone(log);
        self.every(LOG_WRITE, move |_| {
            let log = Arc::clone(&written);
            async move { log.write_down().await }
        });
        let forgotten = Arc::clone(log);
        self.every(LOG_FORGET, move |_| {
            let log = Arc::clone(&forgotten);
            async move { log.forget_old().await }
        });
    }

    /// Signs what is new of the audit log again and again, and looks at all of it from time to time.
    pub fn keep_witnessed(&self, log: &Arc<AuditLog>, pause: Millis) {
        let signed = Arc::clone(log);
        self.every(pause, move |_| {
            let log = Arc::clone(&signed);
            async move { witness(&log).await }
        });
        let (log, stop) = (Arc::clone(log), self.stop.clone());
        let engine = Arc::clone(&self.engine);
        self.tasks.spawn(async move {
            loop {
                look_at_log(&log).await;
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = engine.clock().sleep(AUDIT) => {}
                }
            }
        });
    }

    /// Looks at top-ups that are due, and compares each day that is over with the processors' own lists.
    pub fn watch_top_ups(&self, top_ups: &Arc<TopUps>) {
        let due = Arc::clone(top_ups);
        self.every(TOP_UP_LOOK, move |_| {
            let due = Arc::clone(&due);
            async move { due.run_due().await }
        });
        let listed = Arc::clone(top_ups);
        self.every(RECONCILE, move |_| {
            let listed = Arc::clone(&listed);
            async move { reconcile(&listed).await }
        });
    }

    /// Throws away the keys of days that are over, at once and then again and again.
    fn keep_secrets(&self, keeper: &Arc<Keeper>) {
        let (keeper, engine, stop) = (
            Arc::clone(keeper),
            Arc::clone(&self.engine),
            self.stop.clone(),
        );
        self.tasks.spawn(async move {
            loop {
                keeper.pass().await;
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = engine.clock().sleep(FORGET) => {}
                }
            }
        });
    }

    /// Counts denied sales, and forgets numbers, addresses and keys of days whose time is over.
    pub fn keep_lawful(&self, lawful: &Arc<Lawful>, keeper: &Arc<Keeper>) {
        self.keep_secrets(keeper);
        let counted = Arc::clone(lawful);
        self.every(DENIALS, move |_| {
            let lawful = Arc::clone(&counted);
            async move { lawful.write_denials().await }
        });
        self.every(IN_FORCE, |engine| async move {
            if let Err(error) = engine.in_force().await {
                tracing::warn!(error = %error, "what is in force could not be read");
            }
        });
        let looked_at = Arc::clone(lawful);
        self.every(SIGNALS, move |_| {
            let lawful = Arc::clone(&looked_at);
            async move { lawful.look_at_accounts().await }
        });
        let forgotten = Arc::clone(lawful);
        self.every(FORGET, move |_| {
            let lawful = Arc::clone(&forgotten);
            async move {
                let numbers = lawful.forget().await;
                if numbers > 0 {
                    tracing::info!(numbers, "numbers whose time is over are kept as hashes now");
                }
            }
        });
    }

    /// Takes what is due of SMM orders, and of requests for them, at one place.
    fn keep_panel(&self, at: AtPanels) {
        let pause = match at {
            AtPanels::One(_) => DUE_LOOK,
            AtPanels::NoneOf(_) => LEFT_LOOK,
        };
        let at = Arc::new(at);
        let requested = Arc::clone(&at);
        self.every(pause, move |engine| {
            let at = Arc::clone(&at);
            async move {
                engine.run_due_smm_orders(&at).await;
            }
        });
        self.every(pause, move |engine| {
            let at = Arc::clone(&requested);
            async move {
                engine.run_due_smm_requests(&at).await;
            }
        });
    }

    /// Reads our balance at one upstream, at once and then again and again.
    fn keep_balance(&self, name: String) {
        let (engine, stop, pause) = (Arc::clone(&self.engine), self.stop.clone(), self.balance);
        self.tasks.spawn(async move {
            loop {
                engine.watch_balance(&name).await;
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = engine.clock().sleep(pause) => {}
                }
            }
        });
    }

    /// Audits the books at once and then again and again.
    fn keep_audited(&self) {
        let (engine, stop) = (Arc::clone(&self.engine), self.stop.clone());
        self.tasks.spawn(async move {
            loop {
                audit(&engine).await;
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = engine.clock().sleep(AUDIT) => {}
                }
            }
        });
    }

    /// Reads one upstream's catalogue again and again: soon while it was never read.
    fn keep_catalogue(&self, name: String) {
        let (engine, stop, refresh) = (Arc::clone(&self.engine), self.stop.clone(), self.refresh);
        self.tasks.spawn(async move {
            loop {
                let pause = if engine.is_listed(&name) {
                    refresh
                } else {
                    UNREAD
                };
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = engine.clock().sleep(pause) => {}
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    _ = engine.refresh_upstream(&name) => {}
                }
            }
        });
    }

    /// Runs a pass again and again, with a pause after each, until the stop. A pass that has begun
    /// is not cut: it may stand between an upstream's answer and the commit of it.
    pub fn every<F, R>(&self, pause: Millis, pass: F)
    where
        F: Fn(Arc<Engine>) -> R + Send + 'static,
        R: Future<Output = ()> + Send + 'static,
    {
        let (engine, stop) = (Arc::clone(&self.engine), self.stop.clone());
        self.tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = engine.clock().sleep(pause) => {}
                }
                pass(Arc::clone(&engine)).await;
            }
        });
    }
}

/// Every upstream the engine knows, those of numbers and panels.
fn upstreams(engine: &Engine) -> Vec<String> {
    let numbers = engine.number_upstreams();
    numbers.chain(engine.panels()).map(str::to_owned).collect()
}

/// Begins to read every upstream's catalogue, a few at a time. The receiver is closed when all are
/// read.
fn read_catalogues(engine: &Arc<Engine>, tasks: &TaskTracker) -> Receiver<()> {
    let (all_read, waiting) = tokio::sync::mpsc::channel(1);
    let places = Arc::new(Semaphore::new(READ_AT_ONCE));
    for name in upstreams(engine) {
        let (engine, places) = (Arc::clone(engine), Arc::clone(&places));
        let all_read = all_read.clone();
        tasks.spawn(async move {
            let _place = places.acquire().await;
            engine.refresh_upstream(&name).await;
            drop(all_read);
        });
    }
    waiting
}

/// A time as people write it, in UTC.
fn time_text(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0).map_or_else(|_| at.0.to_string(), |at| at.to_string())
}

/// Compares days that are over with what the processors list.
async fn reconcile(top_ups: &TopUps) {
    let compared = top_ups.reconcile_due().await;
    for one in compared.unwrap_or_default() {
        let processor = one.processor.slug();
        for line in &one.unexplained {
            tracing::error!(processor, "a top-up is unexplained: {line}");
        }
        if let Some(why) = &one.failure {
            tracing::warn!(processor, "top-ups could not be compared: {why}");
        }
    }
}

/// Signs what is new of the audit log.
async fn witness(log: &AuditLog) {
    match log.checkpoint().await {
        Ok(None) => {}
        Ok(Some(file)) => {
            tracing::debug!(file = %file.display(), "the audit log has a new checkpoint")
        }
        Err(error) => {
            metrics::not_witnessed();
            tracing::error!(%error, "no checkpoint of the audit log could be kept");
        }
    }
}

/// Looks at the whole audit log and says what it found.
async fn look_at_log(log: &AuditLog) {
    match log.verify(None).await {
        Ok(found) => {
            metrics::log_verified(&found);
            for why in &found.unbelievable {
                tracing::error!("a checkpoint of the audit log is not believed: {why}");
            }
            if let Some(bad) = found.bad() {
                tracing::error!(line = bad.id, "the audit log was changed: {}", bad.why);
            }
        }
        Err(error) => tracing::error!(%error, "the audit log could not be looked at"),
    }
}

/// Re-derives the books and says what it found.
async fn audit(engine: &Engine) {
    let audit = engine.audit_books().await;
    metrics::audited(&audit, engine.now());
    match audit {
        Ok(audit) if audit.violations.is_empty() => {
            tracing::info!(
                audit.accounts,
                audit.entries,
                audit.open_holds,
                "the books are in order"
            );
        }
        Ok(audit) => {
            for violation in &audit.violations {
                tracing::error!(
                    rule = violation.rule,
                    "the books are wrong: {}",
                    violation.detail
                );
            }
        }
        Err(error) => tracing::error!(%error, "the books could not be audited"),
    }
}
