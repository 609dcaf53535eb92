//! Whether the machine's clock can be believed. While it shows a time before the newest entry of the
//! books no money moves and no background step is taken: spans that count from a wrong time would end
//! too early or never.

use crate::engine::Engine;
use domain::time::Timestamp;
use std::sync::atomic::Ordering;

impl Engine {
    /// Compares the clock with the newest entry of the books, before anything else is done. Says
    /// whether money may move; if not, it waits for [`Self::clock_caught_up`].
    pub fn check_clock(&self, newest_entry: Option<Timestamp>) -> bool {
        let behind = newest_entry.is_some_and(|newest| self.now() < newest);
        self.clock_behind.store(behind, Ordering::Release);
        !behind
    }

    /// Whether money waits for the clock.
    pub fn clock_is_behind(&self) -> bool {
        self.clock_behind.load(Ordering::Acquire)
    }

    /// The clock is right now. What has to pass while the process watches counts from here.
    pub fn clock_caught_up(&self) {
        self.watching_since.store(self.now().0, Ordering::Release);
        self.clock_behind.store(false, Ordering::Release);
    }

    /// Since when the process has watched its purchases by a clock that can be believed.
    pub(crate) fn watching_since(&self) -> Timestamp {
        Timestamp(self.watching_since.load(Ordering::Acquire))
    }
}
