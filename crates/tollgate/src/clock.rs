//! The program's clock: the wall clock as it was at the start, moved on by the monotonic one, so
//! that a machine clock that jumps while the program runs releases and expires nothing. It follows the
//! wall clock forward only while that had been behind the books at the start.

use domain::ports::Clock;
use domain::time::{Millis, Timestamp};
use domain::upstream::Pending;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// See the module.
pub struct SteadyClock {
    started_at_ms: AtomicI64,
    started: Instant,
}

impl SteadyClock {
    /// Reads the wall clock, once.
    pub fn start() -> Self {
        Self {
            started_at_ms: AtomicI64::new(wall_ms()),
            started: Instant::now(),
        }
    }

    /// Goes forward to what the wall clock shows now, if it was set right meanwhile; never back.
    pub fn catch_up(&self) {
        let started_at_ms = wall_ms().saturating_sub(self.elapsed_ms());
        self.started_at_ms
            .fetch_max(started_at_ms, Ordering::AcqRel);
    }

    fn elapsed_ms(&self) -> i64 {
        i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX)
    }
}

fn wall_ms() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the wall clock is read"
    )]
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}

impl Clock for SteadyClock {
    fn now(&self) -> Timestamp {
        let started_at_ms = self.started_at_ms.load(Ordering::Acquire);
        Timestamp(started_at_ms.saturating_add(self.elapsed_ms()))
    }

    fn sleep(&self, span: Millis) -> Pending<'static, ()> {
        let span = Duration::from_millis(u64::try_from(span.0).unwrap_or(0));
        Box::pin(tokio::time::sleep(span))
    }
}
