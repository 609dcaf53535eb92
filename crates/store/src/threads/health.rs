//! Whether the storage can be trusted, shared by all threads of one store.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Starts healthy; falls ill with the first storage failure; gets well by a checked reopen.
#[derive(Default)]
pub(crate) struct Health {
    ill: AtomicBool,
    reopened: AtomicU64,
}

impl Health {
    /// Whether money may move.
    pub(crate) fn is_good(&self) -> bool {
        !self.ill.load(Ordering::Acquire)
    }

    /// The storage failed.
    pub(crate) fn fall_ill(&self) {
        self.ill.store(true, Ordering::Release);
    }

    /// A fresh open has passed its checks.
    pub(crate) fn recover(&self) {
        self.reopened.fetch_add(1, Ordering::AcqRel);
        self.ill.store(false, Ordering::Release);
    }

    /// How often the database was opened anew: readers follow.
    pub(crate) fn reopened(&self) -> u64 {
        self.reopened.load(Ordering::Acquire)
    }
}
