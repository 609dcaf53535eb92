//! What the background work of this process remembers between its passes: nothing that matters
//! after a restart.

use domain::activation::Wanted;
use domain::time::Timestamp;
use domain::usd::Usd;
use domain::window::Window;
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
    /// Offers that cost far more than they were quoted at, and the quote that was wrong.
    dear: HashMap<(String, String, String), Usd>,
    /// Reads sent to each upstream in the last minute.
    reads: HashMap<String, Window>,
    /// Purchase calls of this process that have no stored outcome yet, by upstream and service.
    calls: HashMap<(String, String), usize>,
}

/// A purchase call that is under way until this is dropped.
pub(crate) struct Calling<'a> {
    watch: &'a Watch,
    key: (String, String),
}

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        let mut seen = self.watch.seen();
        if let Some(count) = seen.calls.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                seen.calls.remove(&self.key);
            }
        }
    }
}

fn place_of(upstream: &str, wanted: &Wanted) -> (String, String, String) {
    (
        upstream.to_owned(),
        wanted.country_id.clone(),
        wanted.service_id.clone(),
    )
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

    /// Counts one read of an upstream, or refuses it: at most so many in any minute.
    pub fn may_read(&self, upstream: &str, limit: u32, now: Timestamp) -> bool {
        let mut seen = self.seen();
        let window = seen.reads.entry(upstream.to_owned()).or_default();
        window.admit(limit, now.0).admitted
    }

    /// Notes a purchase call until its outcome is stored: what it books is listed before its answer
    /// arrives, and belongs to it, not to an older purchase in doubt.
    pub fn calling(&self, upstream: &str, service: &str) -> Calling<'_> {
        let key = (upstream.to_owned(), service.to_owned());
        *self.seen().calls.entry(key.clone()).or_default() += 1;
        Calling { watch: self, key }
    }

    /// Purchase calls under way for a service at an upstream.
    pub fn calls(&self, upstream: &str, service: &str) -> usize {
        let key = (upstream.to_owned(), service.to_owned());
        self.seen().calls.get(&key).copied().unwrap_or(0)
    }

    /// An offer took far more than its quote: nothing is bought at this quote any more.
    pub fn close_dear(&self, upstream: &str, wanted: &Wanted, quote: Usd) {
        let place = place_of(upstream, wanted);
        self.seen().dear.insert(place, quote);
    }

    /// Whether an offer's quote is known to be wrong. A new quote opens it again.
    pub fn is_dear(&self, upstream: &str, wanted: &Wanted, quote: Usd) -> bool {
        let place = place_of(upstream, wanted);
        self.seen()
            .dear
            .get(&place)
            .is_some_and(|wrong| quote <= *wrong)
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

    /// Asks an upstream for news no later than this: something waits there now.
    pub fn poll_by(&self, upstream: &str, at: Timestamp) {
        let mut seen = self.seen();
        let next = seen.next_poll.entry(upstream.to_owned()).or_insert(at);
        *next = (*next).min(at);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purchase_brings_the_next_poll_forward_and_never_puts_it_off() {
        let watch = Watch::default();
        watch.poll_again_at("romeo", Timestamp(5_000));
        watch.poll_by("romeo", Timestamp(1_000));
        assert!(!watch.poll_is_due("romeo", Timestamp(999)));
        assert!(watch.poll_is_due("romeo", Timestamp(1_000)));
        watch.poll_by("romeo", Timestamp(9_000));
        assert!(watch.poll_is_due("romeo", Timestamp(1_000)));
    }
}
