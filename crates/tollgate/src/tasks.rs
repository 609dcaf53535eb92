//! Work that outlives the request that started it; stopping waits for it.

use domain::ports::Tasks;
use domain::upstream::Pending;
use tokio_util::task::TaskTracker;

/// Runs tasks on the runtime and counts them.
#[derive(Clone, Default)]
pub struct Tracked(pub TaskTracker);

impl Tasks for Tracked {
    fn spawn(&self, work: Pending<'static, ()>) {
        self.0.spawn(work);
    }
}
