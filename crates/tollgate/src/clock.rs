//! The program's clock: the wall clock as it was at the start, moved on by the monotonic one, so
//! that a machine clock that jumps while the program runs releases and expires nothing.

use domain::ports::Clock;
use domain::time::{Millis, Timestamp};
use domain::upstream::Pending;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// See the module.
pub struct SteadyClock {
    started_at_ms: i64,
    started: Instant,
}

impl SteadyClock {
    /// Reads the wall clock, once.
    pub fn start() -> Self {
        #[expect(
            clippy::disallowed_methods,
            reason = "the one place where the wall clock is read"
        )]
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            started_at_ms: i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX),
            started: Instant::now(),
        }
    }
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        let elapsed_ms = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp(self.started_at_ms.saturating_add(elapsed_ms))
    }

    fn sleep(&self, span: Millis) -> Pending<'static, ()> {
        let span = Duration::from_millis(u64::try_from(span.0).unwrap_or(0));
        Box::pin(tokio::time::sleep(span))
    }
}
