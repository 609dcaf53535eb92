//! What the background work of this process remembers between its passes: nothing that matters
//! after a restart.

use domain::activation::Wanted;
use domain::ids::OrderId;
use domain::time::{Millis, Timestamp};
use domain::usd::Usd;
use domain::window::Window;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
struct Seen {
    /// Purchases in doubt at each upstream when it was last looked at.
    in_doubt: HashMap<String, usize>,
    /// Upstream activations without an order.
    strangers: HashMap<(String, String), Sighting>,
    /// When each upstream's list was last asked for, and what was on the first one without an order:
    /// nobody knows how old that is.
    lists: HashMap<String, (Timestamp, HashSet<String>)>,
    /// When each upstream is asked for news next.
    next_poll: HashMap<String, Timestamp>,
    /// The activation whose state each upstream was last asked for by itself.
    asked_last: HashMap<String, OrderId>,
    /// Offers that cost far more than they were quoted at, and the quote that was wrong.
    dear: HashMap<(String, String, String), Usd>,
    /// Reads sent to each upstream in the last minute.
    reads: HashMap<String, Window>,
    /// Purchase calls of this process that have no stored outcome yet, by upstream and service.
    calls: HashMap<(String, String), usize>,
}

/// What this process saw of an activation without an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sighting {
    /// Since when it has been listed without a break.
    pub since: Timestamp,
    /// It was made after this: a list that was asked for before did not hold it. Nothing where it
    /// was there from the first list on.
    pub made_after: Option<Timestamp>,
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

    /// The activation whose state an upstream was last asked for by itself.
    pub fn asked_last(&self, upstream: &str) -> Option<OrderId> {
        self.seen().asked_last.get(upstream).copied()
    }

    /// An upstream is asked for the state of one activation.
    pub fn asks(&self, upstream: &str, activation: OrderId) {
        self.seen()
            .asked_last
            .insert(upstream.to_owned(), activation);
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

    /// All offers whose quote is known to be wrong: upstream, country and service, and the quote.
    pub fn all_dear(&self) -> Vec<((String, String, String), Usd)> {
        let seen = self.seen();
        let offers = seen.dear.iter();
        offers
            .map(|(place, quote)| (place.clone(), *quote))
            .collect()
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

    /// Notes which activations the list that was asked for at `now` holds without an order. What
    /// was made is in the list after `lag` at the latest.
    pub fn strangers(
        &self,
        upstream: &str,
        ids: &[&str],
        lag: Millis,
        now: Timestamp,
    ) -> Vec<Sighting> {
        let mut seen = self.seen();
        let made_after = |id: &str| {
            let (last, first_list) = seen.lists.get(upstream)?;
            (!first_list.contains(id)).then(|| *last - lag)
        };
        let sighting = |id: &&str| {
            let key = (upstream.to_owned(), (*id).to_owned());
            let fresh = || Sighting {
                since: now,
                made_after: made_after(id),
            };
            let known = seen.strangers.get(&key).copied();
            (key, known.unwrap_or_else(fresh))
        };
        let kept: Vec<_> = ids.iter().map(sighting).collect();
        let sightings = kept.iter().map(|(_, sighting)| *sighting).collect();
        seen.strangers.retain(|(of, _), _| of != upstream);
        seen.strangers.extend(kept);
        let first_list = || ids.iter().map(|id| (*id).to_owned()).collect();
        let list = seen.lists.entry(upstream.to_owned());
        list.or_insert_with(|| (now, first_list())).0 = now;
        sightings
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

    #[test]
    fn what_an_earlier_list_did_not_hold_was_made_since() {
        let watch = Watch::default();
        let lag = Millis(60);
        let see = |ids: &[&str], at| watch.strangers("romeo", ids, lag, Timestamp(at));
        let of = |since, made_after: Option<i64>| Sighting {
            since: Timestamp(since),
            made_after: made_after.map(Timestamp),
        };
        assert_eq!(see(&["old"], 1_000), [of(1_000, None)]);
        assert_eq!(
            see(&["old", "new"], 2_000),
            [of(1_000, None), of(2_000, Some(940))]
        );
        assert_eq!(see(&["new"], 3_000), [of(2_000, Some(940))]);
        // a list may leave a row out: that does not make it young
        assert_eq!(see(&["old"], 4_000), [of(4_000, None)]);
        let elsewhere = watch.strangers("paul", &["old"], lag, Timestamp(5_000));
        assert_eq!(elsewhere, [of(5_000, None)]);
    }
}
