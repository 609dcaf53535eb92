//! How each upstream is doing, as this process sees it: whether a purchase may leave for it now.
//! Nothing of this outlives a restart; a fault that lasts shows itself again with the next call.

use crate::closed::Closed;
use crate::engine::Engine;
use crate::refusal::Refusal;
use domain::breaker::{Breaker, Limits, Shown};
use domain::latency::{Latency, Took};
use domain::time::{Millis, Timestamp};
use domain::upstream::{CancelReply, Purchase, ReadFailure, Refusal as Upstream};
use domain::usd::Usd;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// After a fault that lasts, one purchase tries again after this long, if no reading of the balance
/// has shown before that it is over.
const FAULT_PAUSE: Millis = Millis::minutes(5);

/// Reads settle purchases, so a breaker keeps them away for a minute at most.
const READ_PAUSE_MAX: Millis = Millis::minutes(1);

/// The longest that an upstream which asks us to wait is left alone: reads settle purchases.
const QUIET_MAX: Millis = Millis::minutes(5);

/// How long one that says "too many requests", and not for how long, is asked half as often.
const SLOW: Millis = Millis::minutes(1);

/// What is done about one upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct UpstreamLimits {
    /// Reads (lists, statuses) sent in a minute at most; none for no bound.
    pub reads_per_minute: Option<u32>,
    /// Between two questions for news while somebody waits for a number; none for the general pause.
    pub poll: Option<Millis>,
    /// Purchases in doubt at which nothing more is bought there.
    pub in_doubt_cap: Option<usize>,
    /// Purchase calls under way at the same time.
    pub max_concurrent_purchases: Option<usize>,
    /// Our balance there at which the operator is warned.
    pub float_warn: Usd,
    /// Our balance there below which nothing more is bought.
    pub float_stop: Usd,
}

/// One upstream, for its operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UpstreamHealth {
    /// Its name.
    pub upstream: String,
    /// Why nothing is bought there now; nothing where purchases pass.
    pub closed: Option<Closed>,
    /// The breaker of purchases.
    pub buying: Shown,
    /// The breaker of reads.
    pub reading: Shown,
    /// Since when it refuses all of us, and the class of its answer.
    pub fault: Option<(&'static str, Timestamp)>,
    /// How long the latest purchase calls took.
    pub took: Option<Took>,
    /// How long the latest reading of our balance took.
    pub balance_took: Option<Millis>,
    /// Our last known balance there, and when it was read.
    pub balance: Option<(Usd, Timestamp)>,
    /// Whether that is below what the operator wants to be warned of.
    pub float_is_low: bool,
    /// Purchase calls under way.
    pub under_way: usize,
    /// Purchases in doubt.
    pub in_doubt: usize,
    /// Those of them that should have been settled long ago.
    pub overdue: usize,
    /// Offers it said it does not sell, closed until its next listing.
    pub not_sold: usize,
}

#[derive(Clone, Copy, Debug)]
struct Fault {
    class: &'static str,
    since: Timestamp,
    try_at: Timestamp,
    /// Our balance when it began, where that was known.
    balance: Option<Usd>,
}

#[derive(Debug, Default)]
struct Seen {
    buying: Breaker,
    reading: Breaker,
    fault: Option<Fault>,
    /// Until when it asked us to wait.
    quiet_until: Option<Timestamp>,
    /// Until when it is asked half as often.
    slow_until: Option<Timestamp>,
    under_way: usize,
    /// Country and service.
    not_sold: HashSet<(String, String)>,
    float_is_low: bool,
    calls: Latency,
    balance_took: Option<Millis>,
}

/// What is known of all upstreams.
#[derive(Debug, Default)]
pub(crate) struct Health(Mutex<HashMap<String, Seen>>);

impl Health {
    fn seen(&self) -> MutexGuard<'_, HashMap<String, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn with<T>(&self, upstream: &str, look: impl FnOnce(&mut Seen) -> T) -> T {
        let mut all = self.seen();
        if let Some(seen) = all.get_mut(upstream) {
            return look(seen);
        }
        look(all.entry(upstream.to_owned()).or_default())
    }

    /// It said that it does not sell this: closed until its next listing.
    pub fn not_sold(&self, upstream: &str, country: &str, service: &str) {
        let offer = (country.to_owned(), service.to_owned());
        self.with(upstream, |seen| seen.not_sold.insert(offer));
    }

    pub fn is_not_sold(&self, upstream: &str, country: &str, service: &str) -> bool {
        let offer = (country.to_owned(), service.to_owned());
        self.with(upstream, |seen| seen.not_sold.contains(&offer))
    }

    /// All that upstreams said they do not sell: upstream, country and service.
    pub fn all_not_sold(&self) -> Vec<(String, String, String)> {
        let all = self.seen();
        let offers = all.iter().flat_map(|(upstream, seen)| {
            let offers = seen.not_sold.iter();
            offers.map(|(country, service)| (upstream.clone(), country.clone(), service.clone()))
        });
        offers.collect()
    }

    /// It has listed what it sells.
    pub fn listed(&self, upstream: &str) {
        self.with(upstream, |seen| seen.not_sold.clear());
    }

    /// Whether reads may be sent.
    pub fn may_read(&self, upstream: &str, now: Timestamp) -> bool {
        self.with(upstream, |seen| {
            seen.quiet(now).is_none() && seen.reading.admits(now)
        })
    }

    /// Whether it has said a short time ago that we ask too much.
    pub fn is_slow(&self, upstream: &str, now: Timestamp) -> bool {
        self.with(upstream, |seen| {
            seen.slow_until.is_some_and(|until| until > now)
        })
    }
}

/// The right to one purchase call at an upstream, until it is dropped.
pub(crate) struct Slot {
    health: Arc<Health>,
    upstream: String,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.health.with(&self.upstream, |seen| {
            seen.under_way -= 1;
            seen.buying.abandon();
        });
    }
}

impl Engine {
    /// How every upstream is doing, by name.
    pub fn upstream_health(&self) -> Vec<UpstreamHealth> {
        let mut names: Vec<&str> = self.number_upstreams().chain(self.panels()).collect();
        names.sort_unstable();
        names.into_iter().map(|name| self.health_of(name)).collect()
    }

    fn health_of(&self, upstream: &str) -> UpstreamHealth {
        let now = self.now();
        let closed = self.closed(upstream);
        let in_doubt = self.watch.in_doubt(upstream);
        self.health.with(upstream, |seen| UpstreamHealth {
            upstream: upstream.to_owned(),
            closed,
            buying: seen.buying.shown(now),
            reading: seen.reading.shown(now),
            fault: seen.fault.map(|fault| (fault.class, fault.since)),
            took: seen.calls.shown(),
            balance_took: seen.balance_took,
            balance: self.upstream_balance(upstream),
            float_is_low: seen.float_is_low,
            under_way: seen.under_way,
            in_doubt: in_doubt.count,
            overdue: in_doubt.overdue,
            not_sold: seen.not_sold.len(),
        })
    }

    /// What the operator set for an upstream.
    pub fn limits_of(&self, upstream: &str) -> UpstreamLimits {
        let limits = self.settings.upstreams.get(upstream);
        limits.copied().unwrap_or_default()
    }

    /// What holds for purchases there now. While one is in doubt at a panel whose balance is all the
    /// evidence there is, they run one at a time, so that no two differences are taken for one.
    fn limits_now(&self, upstream: &str) -> UpstreamLimits {
        let mut limits = self.limits_of(upstream);
        let weighed = self.panel(upstream).is_some_and(|panel| {
            let sheet = panel.capabilities();
            sheet.balance && !sheet.list_active
        });
        if weighed && self.watch.in_doubt(upstream).count > 0 {
            limits.max_concurrent_purchases = Some(1);
        }
        limits
    }

    /// Why nothing is bought at an upstream now.
    pub(crate) fn closed(&self, upstream: &str) -> Option<Closed> {
        if self.known.now().in_force.is_paused(upstream) {
            return Some(Closed::Paused);
        }
        let in_doubt = self.watch.in_doubt(upstream).count;
        let balance = self.upstream_balance(upstream).map(|(balance, _)| balance);
        let (now, limits) = (self.now(), self.limits_now(upstream));
        self.health.with(upstream, |seen| {
            seen.closed(&limits, in_doubt, balance, now)
        })
    }

    /// Takes the right to one purchase call.
    pub(crate) fn enter(&self, upstream: &str) -> Result<Slot, Refusal> {
        if self.known.now().in_force.is_paused(upstream) {
            return Err(Refusal::RouteClosed);
        }
        let in_doubt = self.watch.in_doubt(upstream).count;
        let balance = self.upstream_balance(upstream).map(|(balance, _)| balance);
        let (now, limits) = (self.now(), self.limits_now(upstream));
        self.health.with(upstream, |seen| {
            if let Some(closed) = seen.closed(&limits, in_doubt, balance, now) {
                tracing::debug!(upstream, ?closed, "nothing is bought at {upstream} now");
                return Err(Refusal::RouteClosed);
            }
            seen.under_way += 1;
            seen.buying.begin(now);
            if let Some(fault) = &mut seen.fault {
                fault.try_at = now + FAULT_PAUSE;
            }
            Ok(())
        })?;
        Ok(Slot {
            health: Arc::clone(&self.health),
            upstream: upstream.to_owned(),
        })
    }

    /// What came of a purchase call that left at `since`.
    pub(crate) fn call_came_to<T>(&self, upstream: &str, outcome: &Purchase<T>, since: Timestamp) {
        let now = self.now();
        count_purchase(upstream, outcome);
        if matches!(outcome, Purchase::Refused(Upstream::Throttled)) {
            self.throttled(upstream);
        }
        let failed = match outcome {
            Purchase::Unknown => true,
            Purchase::Refused(refusal) => {
                matches!(refusal, Upstream::Unreachable | Upstream::Throttled)
            }
            Purchase::Done(_) => false,
        };
        let fault = match outcome {
            Purchase::Refused(refusal) => hard_fault(refusal),
            _ => None,
        };
        let balance = self.upstream_balance(upstream).map(|(balance, _)| balance);
        let limits = self.settings.routing.breaker;
        let (opened, began, ended) = self.health.with(upstream, |seen| {
            let opened = seen.buying.note(failed, &limits, dice(upstream, now), now);
            seen.calls.note(now - since);
            let began = fault.is_some() && seen.fault.is_none();
            let over = fault.is_none() && matches!(outcome, Purchase::Done(_));
            let ended = if over { seen.fault.take() } else { None };
            if let Some(class) = fault {
                let since = seen.fault.map_or(now, |known| known.since);
                seen.fault = Some(Fault {
                    class,
                    since,
                    try_at: now + FAULT_PAUSE,
                    balance,
                });
            }
            (opened, began, ended)
        });
        if opened {
            tracing::error!(upstream, "{upstream} keeps failing: purchases pause there");
        }
        if let (true, Some(class)) = (began, fault) {
            tracing::error!(
                upstream,
                class,
                "{upstream} refuses all of us ({class}): nothing is bought there until that is over"
            );
        }
        if let Some(fault) = ended {
            tracing::info!(
                upstream,
                class = fault.class,
                "{upstream} sells to us again"
            );
        }
    }

    /// It says that we ask too much: it is left alone for as long as it asks for, and asked half as
    /// often for a while where it does not say how long.
    fn throttled(&self, upstream: &str) {
        let asked = match (self.number_upstream(upstream), self.panel(upstream)) {
            (Some(numbers), _) => numbers.asked_to_wait(),
            (None, Some(panel)) => panel.asked_to_wait(),
            (None, None) => None,
        };
        let now = self.now();
        self.health.with(upstream, |seen| match asked {
            Some(span) => seen.quiet_until = Some(now + span.min(QUIET_MAX)),
            None => seen.slow_until = Some(now + SLOW),
        });
        let asked_ms = asked.map(|span| span.0);
        tracing::warn!(upstream, asked_ms, "{upstream} says that we ask too much");
    }

    /// What came of a read, for the breaker of reads.
    pub(crate) fn read_came_to<T>(&self, upstream: &str, outcome: &Result<T, ReadFailure>) {
        let failed = matches!(
            outcome,
            Err(ReadFailure::Fault(_)
                | ReadFailure::Unusable(_)
                | ReadFailure::Refused(Upstream::Unreachable | Upstream::Throttled))
        );
        if matches!(outcome, Err(ReadFailure::Refused(Upstream::Throttled))) {
            self.throttled(upstream);
        }
        let now = self.now();
        let limits = Limits {
            pause_max: READ_PAUSE_MAX,
            ..self.settings.routing.breaker
        };
        let opened = self.health.with(upstream, |seen| {
            seen.reading.begin(now);
            seen.reading.note(failed, &limits, dice(upstream, now), now)
        });
        if opened {
            tracing::error!(upstream, "{upstream} keeps failing: reads pause there");
        }
    }

    /// The balance could not be read for a reason that makes every purchase there a mistake.
    pub(crate) fn account_is_unusable(&self, upstream: &str, why: &Upstream) {
        let fault = Fault {
            class: why.slug(),
            since: self.now(),
            // nothing is tried before a reading has shown that it is over
            try_at: Timestamp(i64::MAX),
            balance: None,
        };
        self.health.with(upstream, |seen| {
            seen.fault.get_or_insert(fault).try_at = fault.try_at;
        });
    }

    /// Our balance at an upstream was read, by a question of `since`: whoever answers knows our key,
    /// and may have our money.
    pub(crate) fn balance_came_to(&self, upstream: &str, balance: Usd, since: Timestamp) {
        let took = self.now() - since;
        let limits = self.limits_of(upstream);
        let (was_low, is_low, ended) = self.health.with(upstream, |seen| {
            let over = seen.fault.filter(|fault| fault.is_over_at(balance));
            if over.is_some() {
                seen.fault = None;
            }
            seen.balance_took = Some(took);
            let is_low = balance < limits.float_warn.max(limits.float_stop);
            let was_low = std::mem::replace(&mut seen.float_is_low, is_low);
            (was_low, is_low, over)
        });
        if let Some(fault) = ended {
            tracing::info!(
                upstream,
                class = fault.class,
                "{upstream} sells to us again"
            );
        }
        if is_low && balance < limits.float_stop {
            tracing::error!(
                upstream,
                "our balance at {upstream} is {balance}, below float_stop_usd {}: nothing is bought there",
                limits.float_stop
            );
        } else if is_low && !was_low {
            tracing::warn!(
                upstream,
                "our balance at {upstream} is {balance}, below float_warn_usd {}",
                limits.float_warn
            );
        }
    }
}

/// One more purchase call, by what came of it.
fn count_purchase<T>(upstream: &str, outcome: &Purchase<T>) {
    let class = match outcome {
        Purchase::Done(_) => "done",
        Purchase::Refused(refusal) => refusal.slug(),
        Purchase::Unknown => "unknown",
    };
    let labels = [
        ("upstream", upstream.to_owned()),
        ("class", class.to_owned()),
    ];
    metrics::counter!("tollgate_purchase_calls_total", &labels).increment(1);
}

/// One more request to cancel a number, by what came of it: providers take cancelling too much amiss.
pub(crate) fn count_cancel(upstream: &str, reply: &CancelReply) {
    let class = match reply {
        CancelReply::Cancelled => "cancelled",
        CancelReply::TooEarly(_) => "too_early",
        CancelReply::BadTransition | CancelReply::UnknownOrder => "refused",
        CancelReply::Unknown => "unknown",
    };
    let labels = [
        ("upstream", upstream.to_owned()),
        ("class", class.to_owned()),
    ];
    metrics::counter!("tollgate_upstream_cancels_total", &labels).increment(1);
}

impl Fault {
    /// Whether a balance that was just read shows that it is over.
    fn is_over_at(&self, balance: Usd) -> bool {
        if self.class == Upstream::UpstreamFunds.slug() {
            return self.balance.is_some_and(|before| balance > before);
        }
        true
    }
}

impl Seen {
    /// Until when it asked us to wait, if that is not over.
    fn quiet(&self, now: Timestamp) -> Option<Timestamp> {
        self.quiet_until.filter(|until| *until > now)
    }

    fn closed(
        &self,
        limits: &UpstreamLimits,
        in_doubt: usize,
        balance: Option<Usd>,
        now: Timestamp,
    ) -> Option<Closed> {
        if let Some(fault) = self.fault.filter(|fault| fault.try_at > now) {
            return Some(Closed::Fault(fault.class));
        }
        if let Some(until) = self.quiet(now) {
            return Some(Closed::Throttled(until));
        }
        if !self.buying.admits(now) {
            return Some(match self.buying.shown(now) {
                Shown::Open(until) => Closed::Breaker(until),
                Shown::Closed | Shown::Trying => Closed::Trying,
            });
        }
        if let Some(balance) = balance.filter(|balance| *balance < limits.float_stop) {
            return Some(Closed::Float(balance));
        }
        if limits.in_doubt_cap.is_some_and(|cap| in_doubt >= cap) {
            return Some(Closed::InDoubt(in_doubt));
        }
        let most = limits.max_concurrent_purchases;
        most.is_some_and(|most| self.under_way >= most)
            .then_some(Closed::Busy(self.under_way))
    }
}

/// The class of a refusal that every purchase there would get until the operator does something.
fn hard_fault(refusal: &Upstream) -> Option<&'static str> {
    match refusal {
        Upstream::UpstreamAuth
        | Upstream::AccountBlocked
        | Upstream::UpstreamFunds
        | Upstream::WrongCurrency => Some(refusal.slug()),
        _ => None,
    }
}

/// Chance enough to keep upstreams and nodes from all being tried at once.
fn dice(upstream: &str, now: Timestamp) -> u64 {
    let mut hasher = DefaultHasher::new();
    (upstream, now.0).hash(&mut hasher);
    hasher.finish()
}
