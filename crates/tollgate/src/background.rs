//! Background work: what is due, what upstreams have to say, catalogues, limits, the audit.

use app::Engine;
use app::limits::Limits;
use domain::time::Millis;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Between two looks at what is due.
const DUE_LOOK: Millis = Millis(200);
/// Between two looks whether an upstream's turn has come.
const POLL_LOOK: Millis = Millis(250);
/// Between two sweeps of idle rate-limit windows.
const SWEEP: Millis = Millis::seconds(60);
/// Between two audits of the books.
const AUDIT: Millis = Millis::minutes(60);

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
    /// Ends the loops.
    pub stop: CancellationToken,
    /// Where they run.
    pub tasks: TaskTracker,
}

impl Background {
    /// Reads every upstream's catalogue once, a few at a time: each holds a whole price list in
    /// memory while it is read. A catalogue that is not to be had does not hold up the start.
    pub async fn first_catalogue(&self) {
        let reads = TaskTracker::new();
        let places = Arc::new(Semaphore::new(READ_AT_ONCE));
        for name in self.upstreams() {
            let (engine, places) = (Arc::clone(&self.engine), Arc::clone(&places));
            reads.spawn(async move {
                let _place = places.acquire().await;
                engine.refresh_upstream(&name).await
            });
        }
        reads.close();
        reads.wait().await;
    }

    fn upstreams(&self) -> Vec<String> {
        let numbers = self.engine.number_upstreams();
        numbers
            .chain(self.engine.panels())
            .map(str::to_owned)
            .collect()
    }

    /// Starts all loops.
    pub fn start(&self) {
        self.every(DUE_LOOK, |engine| async move {
            engine.run_due_activations().await;
        });
        self.every(DUE_LOOK, |engine| async move {
            engine.run_due_smm_orders().await;
        });
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
        for name in self.upstreams() {
            self.every(self.refresh, move |engine| {
                let name = name.clone();
                async move {
                    engine.refresh_upstream(&name).await;
                }
            });
        }
        let limits = Arc::clone(&self.limits);
        self.every(SWEEP, move |engine| {
            let limits = Arc::clone(&limits);
            async move {
                limits.sweep(engine.now().0);
            }
        });
        self.every(AUDIT, |engine| async move { audit(&engine).await });
        let engine = Arc::clone(&self.engine);
        self.tasks
            .spawn(async move { engine.remember_outcomes().await });
    }

    /// Runs a pass again and again, with a pause after each, until the stop. A pass that has begun
    /// is not cut: it may stand between an upstream's answer and the commit of it.
    fn every<F, R>(&self, pause: Millis, pass: F)
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

/// Re-derives the books and says what it found.
async fn audit(engine: &Engine) {
    match engine.store().audit(engine.now()).await {
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
