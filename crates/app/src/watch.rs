//! What the background work of this process remembers between its passes: nothing that matters
//! after a restart.

use domain::time::Timestamp;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
struct Seen {
    /// Purchases in doubt at each upstream when it was last looked at.
    in_doubt: HashMap<String, usize>,
    /// Upstream activations without an order, and since when they have been seen.
    strangers: HashMap<(String, String), Timestamp>,
    /// When each upstream is asked for news next.
    next_poll: HashMap<String, Timestamp>,
}

/// The memory of the background work.
#[derive(Debug, Default)]
pub(crate) struct Watch(Mutex<Seen>);

impl Watch {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn in_doubt(&self, upstream: &str) -> usize {
        self.seen().in_doubt.get(upstream).copied().unwrap_or(0)
    }

    pub fn set_in_doubt(&self, upstream: &str, count: usize) {
        self.seen().in_doubt.insert(upstream.to_owned(), count);
    }

    pub fn poll_is_due(&self, upstream: &str, now: Timestamp) -> bool {
        self.seen()
            .next_poll
            .get(upstream)
            .is_none_or(|next| *next <= now)
    }

    pub fn poll_again_at(&self, upstream: &str, at: Timestamp) {
        self.seen().next_poll.insert(upstream.to_owned(), at);
    }

    /// Notes which activations at an upstream have no order, and gives for each since when it has
    /// been so without a break.
    pub fn strangers(&self, upstream: &str, ids: &[&str], now: Timestamp) -> Vec<Timestamp> {
        let mut seen = self.seen();
        let kept: HashMap<_, _> = ids
            .iter()
            .map(|id| (upstream.to_owned(), (*id).to_owned()))
            .map(|key| {
                (
                    key.clone(),
                    seen.strangers.get(&key).copied().unwrap_or(now),
                )
            })
            .collect();
        seen.strangers.retain(|(of, _), _| of != upstream);
        let since = ids
            .iter()
            .map(|id| kept[&(upstream.to_owned(), (*id).to_owned())])
            .collect();
        seen.strangers.extend(kept);
        since
    }
}
