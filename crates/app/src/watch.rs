//! What the background work of this process remembers between its passes: nothing that matters
//! after a restart.

use domain::activation::Wanted;
use domain::ids::OrderId;
use domain::time::{Millis, Timestamp};
use domain::upstream::Progress;
use domain::usd::{Rate, Usd};
use domain::window::Window;
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
struct Seen {
    /// Purchases in doubt at each upstream when it was last looked at.
    in_doubt: HashMap<String, InDoubt>,
    /// Upstreams whose due steps this process is at.
    at_work: HashSet<String>,
    /// What is overdue and was told of: the kind of its ticket, and what that refers to.
    told: HashSet<(&'static str, i64)>,
    /// SMM orders that their panels have not spoken of when asked: since when, and when last.
    silent: HashMap<OrderId, (Timestamp, Timestamp)>,
    /// How orders at panels that are nobody's have ended, and since when that has been said.
    strays_ended: HashMap<i64, (StrayEnd, Timestamp)>,
    /// Until when cancels are locked by their upstream's word.
    locks: HashMap<OrderId, Timestamp>,
    /// Upstream activations without an order.
    strangers: HashMap<(String, String), Sighting>,
    /// When each upstream's list was last asked for, and what was on the first one without an order:
    /// nobody knows how old that is.
    lists: HashMap<String, (Timestamp, HashSet<String>)>,
    /// When each upstream's list was known to hold nothing that is not ours.
    known_lists: HashMap<String, Timestamp>,
    /// When each upstream is asked for news next.
    next_poll: HashMap<String, Timestamp>,
    /// The activation whose state each upstream was last asked for by itself.
    asked_last: HashMap<String, OrderId>,
    /// Offers that cost far more than they were quoted at, and the quote that was wrong.
    dear: HashMap<Offer, Usd>,
    /// Services of panels that took far more than was quoted, and the rate that was wrong.
    dear_services: HashMap<(String, String), Rate>,
    /// How far apart equal orders were that a panel answered with one id, at most.
    dup_windows: HashMap<String, Millis>,
    /// Reads sent to each upstream in the last minute.
    reads: HashMap<String, Window>,
    /// When the purchase calls of this process were sent that have no stored outcome yet.
    calls: HashMap<Offer, Vec<Timestamp>>,
}

/// The word that an order of nobody ended with, where its panel still knows it, and what was kept.
pub(crate) type StrayEnd = (Option<Progress>, Usd);

/// After so long nobody asks for an order any more that its panel was silent about.
const SILENCE_KEPT: Millis = Millis::minutes(24 * 60);

/// Purchases in doubt at an upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct InDoubt {
    /// All of them.
    pub count: usize,
    /// Those that should have been settled long ago.
    pub overdue: usize,
}

/// Upstream, country and service, as that upstream names them.
type Offer = (String, String, String);

/// What this process saw of an activation without an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sighting {
    /// Since when it has been listed without a break.
    pub since: Timestamp,
    /// It was made after this: a list that was asked for before did not hold it. Nothing where it
    /// was there from the first list on.
    pub made_after: Option<Timestamp>,
    /// It was made before this: the first list that holds it had arrived.
    pub made_before: Timestamp,
}

/// A purchase call that is under way until this is dropped.
pub(crate) struct Calling<'a> {
    watch: &'a Watch,
    offer: Offer,
    sent_at: Timestamp,
}

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        let mut seen = self.watch.seen();
        let Some(sent) = seen.calls.get_mut(&self.offer) else {
            return;
        };
        if let Some(place) = sent.iter().position(|at| *at == self.sent_at) {
            sent.swap_remove(place);
        }
        if sent.is_empty() {
            seen.calls.remove(&self.offer);
        }
    }
}

fn place_of(upstream: &str, wanted: &Wanted) -> Offer {
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

    pub fn in_doubt(&self, upstream: &str) -> InDoubt {
        let seen = self.seen();
        seen.in_doubt.get(upstream).copied().unwrap_or_default()
    }

    /// Notes what is in doubt at an upstream, and gives what was before.
    pub fn set_in_doubt(&self, upstream: &str, now: InDoubt) -> InDoubt {
        let before = self.seen().in_doubt.insert(upstream.to_owned(), now);
        before.unwrap_or_default()
    }

    /// One more purchase is in doubt: nobody waits for the next look to count it.
    pub fn one_more_in_doubt(&self, upstream: &str) {
        let mut seen = self.seen();
        seen.in_doubt.entry(upstream.to_owned()).or_default().count += 1;
    }

    /// Whether nobody in this process is at the due steps of an upstream; from now on somebody is.
    pub fn begins_work(&self, upstream: &str) -> bool {
        self.seen().at_work.insert(upstream.to_owned())
    }

    pub fn ends_work(&self, upstream: &str) {
        self.seen().at_work.remove(upstream);
    }

    /// Whether a ticket of this kind about this was opened before.
    pub fn is_told(&self, about: (&'static str, i64)) -> bool {
        self.seen().told.contains(&about)
    }

    pub fn tells(&self, about: (&'static str, i64)) {
        self.seen().told.insert(about);
    }

    /// A panel said nothing of an order now: since when it has been silent about it. A silence that was
    /// not noticed again for as long as it `lasts` is over: another process may have heard of the order.
    pub fn silent_since(&self, order: OrderId, now: Timestamp, lasts: Millis) -> Timestamp {
        let mut seen = self.seen();
        seen.silent
            .retain(|of, (_, last)| now - *last < SILENCE_KEPT || *of == order);
        let (since, last) = seen.silent.entry(order).or_insert((now, now));
        if now - *last > lasts {
            *since = now;
        }
        *last = now;
        *since
    }

    /// A panel spoke of an order.
    pub fn hears_of(&self, order: OrderId) {
        self.seen().silent.remove(&order);
    }

    /// A panel says now that an order of nobody has ended so, or that it has not: since when it has
    /// been saying the same.
    pub fn stray_ended(
        &self,
        orphan: i64,
        end: Option<StrayEnd>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let mut seen = self.seen();
        let Some(end) = end else {
            seen.strays_ended.remove(&orphan);
            return None;
        };
        let (known, since) = seen.strays_ended.entry(orphan).or_insert((end, now));
        if *known != end {
            (*known, *since) = (end, now);
        }
        Some(*since)
    }

    /// An upstream refuses to cancel before that moment.
    pub fn lock_cancel(&self, order: OrderId, until: Timestamp, now: Timestamp) {
        let mut seen = self.seen();
        seen.locks.retain(|_, until| *until > now);
        seen.locks.insert(order, until);
    }

    /// How long an upstream refuses to cancel, by its own word.
    pub fn cancel_lock(&self, order: OrderId, now: Timestamp) -> Option<Millis> {
        let until = self.seen().locks.get(&order).copied()?;
        (until > now).then(|| until - now)
    }

    /// Counts one read of an upstream, or refuses it: at most so many in any minute.
    pub fn may_read(&self, upstream: &str, limit: u32, now: Timestamp) -> bool {
        let mut seen = self.seen();
        let window = seen.reads.entry(upstream.to_owned()).or_default();
        window.admit(limit, now.0).admitted
    }

    /// Notes a purchase call until its outcome is stored: what it books is listed before its answer
    /// arrives, and belongs to it, not to an older purchase in doubt.
    pub fn calling(&self, upstream: &str, wanted: &Wanted, now: Timestamp) -> Calling<'_> {
        let offer = place_of(upstream, wanted);
        let mut seen = self.seen();
        seen.calls.entry(offer.clone()).or_default().push(now);
        Calling {
            watch: self,
            offer,
            sent_at: now,
        }
    }

    /// When the purchase calls under way for the same at an upstream were sent.
    pub fn calls(&self, upstream: &str, wanted: &Wanted) -> Vec<Timestamp> {
        let offer = place_of(upstream, wanted);
        self.seen().calls.get(&offer).cloned().unwrap_or_default()
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

    /// A panel took far more for a service than this rate says: nothing is bought at it any more.
    /// Gives whether that is news.
    pub fn close_dear_service(&self, panel: &str, service: &str, rate: Rate) -> bool {
        let place = (panel.to_owned(), service.to_owned());
        let known = self.seen().dear_services.insert(place, rate);
        known.is_none_or(|known| known < rate)
    }

    /// Whether a service's rate is known to be wrong. A new rate opens it again.
    pub fn is_dear_service(&self, panel: &str, service: &str, rate: Rate) -> bool {
        let place = (panel.to_owned(), service.to_owned());
        let seen = self.seen();
        let wrong = seen.dear_services.get(&place);
        wrong.is_some_and(|wrong| rate <= *wrong)
    }

    /// A panel answered two equal orders, so far apart, with one id.
    pub fn note_dup_window(&self, panel: &str, apart: Millis) {
        let mut seen = self.seen();
        let known = seen.dup_windows.entry(panel.to_owned()).or_default();
        *known = (*known).max(apart);
    }

    /// The window in which a panel was seen to answer equal orders with one id.
    pub fn dup_window(&self, panel: &str) -> Millis {
        let seen = self.seen();
        seen.dup_windows.get(panel).copied().unwrap_or_default()
    }

    /// When all that an upstream listed was known to be ours.
    pub fn list_known_at(&self, upstream: &str) -> Option<Timestamp> {
        self.seen().known_lists.get(upstream).copied()
    }

    pub fn knows_list(&self, upstream: &str, asked_at: Timestamp) {
        let mut seen = self.seen();
        seen.known_lists.insert(upstream.to_owned(), asked_at);
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

    /// Notes which activations the list that was asked for and had arrived at these moments holds
    /// without an order. What was made is in the list after `lag` at the latest.
    pub fn strangers(
        &self,
        upstream: &str,
        ids: &[&str],
        lag: Millis,
        (asked_at, heard_at): (Timestamp, Timestamp),
    ) -> Vec<Sighting> {
        let mut seen = self.seen();
        let made_after = |id: &str| {
            let (last, first_list) = seen.lists.get(upstream)?;
            (!first_list.contains(id)).then(|| *last - lag)
        };
        let sighting = |id: &&str| {
            let key = (upstream.to_owned(), (*id).to_owned());
            let fresh = || Sighting {
                since: asked_at,
                made_after: made_after(id),
                made_before: heard_at,
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
        list.or_insert_with(|| (asked_at, first_list())).0 = asked_at;
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
    fn a_silence_that_nobody_noticed_for_long_is_over() {
        let watch = Watch::default();
        let lasts = Millis(100);
        let silent = |order, at| watch.silent_since(OrderId(order), Timestamp(at), lasts);
        assert_eq!(silent(1, 1_000), Timestamp(1_000));
        assert_eq!(silent(1, 1_100), Timestamp(1_000));
        assert_eq!(silent(1, 1_201), Timestamp(1_201), "others asked meanwhile");
        watch.hears_of(OrderId(1));
        assert_eq!(silent(1, 1_210), Timestamp(1_210));
        // what nobody asks for any more is not kept
        silent(2, 1_210 + SILENCE_KEPT.0);
        assert_eq!(watch.seen().silent.len(), 1);
    }

    #[test]
    fn an_order_of_nobody_has_ended_since_its_panel_says_the_same() {
        let watch = Watch::default();
        let told = |end, at| watch.stray_ended(1, end, Timestamp(at));
        let end = |kept| Some((Some(Progress::Partial), Usd(kept)));
        assert_eq!(told(end(7), 1_000), Some(Timestamp(1_000)));
        assert_eq!(told(end(7), 2_000), Some(Timestamp(1_000)));
        assert_eq!(told(end(8), 3_000), Some(Timestamp(3_000)));
        assert_eq!(told(None, 4_000), None);
        assert_eq!(told(end(8), 5_000), Some(Timestamp(5_000)));
    }

    #[test]
    fn what_an_earlier_list_did_not_hold_was_made_since() {
        let watch = Watch::default();
        let lag = Millis(60);
        let see = |ids: &[&str], at| {
            let times = (Timestamp(at), Timestamp(at + 7));
            watch.strangers("romeo", ids, lag, times)
        };
        let of = |since, made_after: Option<i64>| Sighting {
            since: Timestamp(since),
            made_after: made_after.map(Timestamp),
            made_before: Timestamp(since + 7),
        };
        assert_eq!(see(&["old"], 1_000), [of(1_000, None)]);
        assert_eq!(
            see(&["old", "new"], 2_000),
            [of(1_000, None), of(2_000, Some(940))]
        );
        assert_eq!(see(&["new"], 3_000), [of(2_000, Some(940))]);
        // a list may leave a row out: that does not make it young
        assert_eq!(see(&["old"], 4_000), [of(4_000, None)]);
        let times = (Timestamp(5_000), Timestamp(5_007));
        let elsewhere = watch.strangers("paul", &["old"], lag, times);
        assert_eq!(elsewhere, [of(5_000, None)]);
    }
}
