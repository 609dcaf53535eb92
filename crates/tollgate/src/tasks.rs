//! Work that outlives the request that started it; stopping waits for it.

use domain::ports::Tasks;
use domain::upstream::Pending;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Runs tasks on the runtime and counts them.
#[derive(Clone, Default)]
pub struct Tracked(pub TaskTracker);

impl Tasks for Tracked {
    fn spawn(&self, work: Pending<'static, ()>) {
        // what a request began still belongs to it
        self.0.spawn(work.in_current_span());
    }

    fn compute(&self, work: Box<dyn FnOnce() + Send>) -> Pending<'static, ()> {
        let done = self.0.spawn_blocking(work);
        Box::pin(async move {
            if let Err(error) = done.await {
                tracing::error!(%error, "work on the catalogue ended early");
            }
        })
    }
}
