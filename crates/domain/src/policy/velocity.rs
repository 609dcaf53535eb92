//! How much an account may do in a span of time: figures by tier, and one pure rule that says which of
//! them an order would pass. The store asks it inside the change that opens the order, so that no two
//! orders at once can both be the last one allowed.

use crate::time::{Millis, Timestamp};
use crate::usd::Usd;

const HOUR: Millis = Millis::minutes(60);
const DAY: Millis = Millis::minutes(24 * 60);
const WEEK: Millis = Millis::minutes(7 * 24 * 60);

/// Activations that the share of cancels is taken over, and how many there must be.
const CANCELS_OVER: usize = 50;
const CANCELS_LEAST: usize = 20;

/// Tries that failed without a number count only against this multiple of the daily figure: what is
/// out of stock is nobody's fault, and hammering is.
const TRIES_FACTOR: u32 = 3;

/// After how long something open may have ended.
const SOON: Millis = Millis::seconds(60);

/// Bounds of an account; none means no bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Velocity {
    /// Activations open at the same time.
    pub open_activations: Option<u32>,
    /// Numbers bought in an hour.
    pub buys_per_hour: Option<u32>,
    /// Numbers bought in 24 hours.
    pub buys_per_day: Option<u32>,
    /// Numbers of one service in one country bought in 24 hours.
    pub same_offer_per_day: Option<u32>,
    /// Cancels among the last fifty activations, in percent, at which buying pauses for an hour.
    pub cancel_percent: Option<u32>,
    /// Different services bought in an hour.
    pub services_per_hour: Option<u32>,
    /// Micro-dollars spent in 24 hours, holds included.
    pub daily_spend: Option<Usd>,
    /// SMM orders in 24 hours.
    pub smm_per_day: Option<u32>,
    /// SMM orders for one target in seven days, those of all accounts together.
    pub smm_per_target_week: Option<u32>,
    /// API keys that work at the same time.
    pub keys: Option<u32>,
}

impl Velocity {
    /// What holds for a tier where the operator says nothing else. The contract tier is bounded in its
    /// cancels and keys alone.
    pub fn of_tier(tier: u8) -> Self {
        let bounded = |figures: [u32; 10]| {
            let [
                open,
                hour,
                day,
                same,
                cancels,
                services,
                usd,
                smm,
                target,
                keys,
            ] = figures;
            Self {
                open_activations: Some(open),
                buys_per_hour: Some(hour),
                buys_per_day: Some(day),
                same_offer_per_day: Some(same),
                cancel_percent: Some(cancels),
                services_per_hour: Some(services),
                daily_spend: Some(Usd(i64::from(usd) * 1_000_000)),
                smm_per_day: Some(smm),
                smm_per_target_week: Some(target),
                keys: Some(keys),
            }
        };
        match tier {
            0 => bounded([2, 5, 20, 3, 60, 3, 10, 5, 1, 1]),
            1 => bounded([5, 20, 100, 10, 60, 5, 50, 20, 3, 3]),
            2 => bounded([25, 100, 1000, 50, 70, 15, 1000, 200, 10, 20]),
            _ => Self {
                cancel_percent: Some(80),
                keys: Some(100),
                ..Self::default()
            },
        }
    }

    /// These bounds where they are tighter than the others, else the others.
    pub fn within(&self, other: &Self) -> Self {
        fn tighter<T: Ord + Copy>(one: Option<T>, other: Option<T>) -> Option<T> {
            one.into_iter().chain(other).min()
        }
        Self {
            open_activations: tighter(self.open_activations, other.open_activations),
            buys_per_hour: tighter(self.buys_per_hour, other.buys_per_hour),
            buys_per_day: tighter(self.buys_per_day, other.buys_per_day),
            same_offer_per_day: tighter(self.same_offer_per_day, other.same_offer_per_day),
            cancel_percent: tighter(self.cancel_percent, other.cancel_percent),
            services_per_hour: tighter(self.services_per_hour, other.services_per_hour),
            daily_spend: tighter(self.daily_spend, other.daily_spend),
            smm_per_day: tighter(self.smm_per_day, other.smm_per_day),
            smm_per_target_week: tighter(self.smm_per_target_week, other.smm_per_target_week),
            keys: tighter(self.keys, other.keys),
        }
    }

    /// The bounds of all tiers, from 0 to 3.
    pub fn of_tiers() -> [Self; 4] {
        [0, 1, 2, 3].map(Self::of_tier)
    }

    /// Whether every order has to be compared with the past. The share of cancels alone needs that only
    /// for who has cancelled much lately: [`Velocity::suspicious_cancels`].
    pub fn bounds_orders(&self) -> bool {
        let (cancel_percent, keys) = (self.cancel_percent, self.keys);
        let unbounded = Self {
            cancel_percent,
            keys,
            ..Self::default()
        };
        *self != unbounded
    }

    /// Cancels within an hour from which their share can be too high.
    pub fn suspicious_cancels(&self) -> Option<usize> {
        let percent = usize::try_from(self.cancel_percent?).ok()?;
        Some((CANCELS_LEAST * percent).div_ceil(100))
    }

    /// Activations to look back at, newest first; all of the last 24 hours are among them, or too many
    /// were tried.
    pub fn look_back(&self) -> u32 {
        let tries = self
            .buys_per_day
            .map_or(1000, |day| day.saturating_mul(TRIES_FACTOR));
        tries.saturating_add(1).max(50)
    }
}

/// An activation of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastNumber {
    /// When it was ordered.
    pub at: Timestamp,
    /// Canonical service.
    pub service: String,
    /// Canonical country.
    pub country: String,
    /// Whether nothing was sold.
    pub failed: bool,
    /// When its buyer cancelled it.
    pub cancelled_at: Option<Timestamp>,
    /// Micro-dollars held or charged.
    pub spent: Usd,
}

/// An SMM order of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastSmm {
    /// When it was ordered.
    pub at: Timestamp,
    /// Whether nothing was ordered.
    pub failed: bool,
    /// Micro-dollars held or charged, less what went back.
    pub spent: Usd,
}

/// What the rule decides from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// Activations that hold money now.
    pub open_activations: u32,
    /// Newest first.
    pub numbers: Vec<PastNumber>,
    /// Newest first, of the last 24 hours.
    pub smm: Vec<PastSmm>,
    /// When SMM orders of the last week for the same target were placed, by anybody; newest first.
    pub target: Vec<Timestamp>,
}

/// What is about to be ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ordered {
    /// A number.
    Number {
        /// Canonical service.
        service: String,
        /// Canonical country.
        country: String,
        /// Micro-dollars.
        price: Usd,
    },
    /// An SMM order.
    Smm {
        /// The link, spelt as duplicates are compared.
        target: String,
        /// Micro-dollars.
        price: Usd,
    },
}

/// A bound that an order would pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// Which: the name of its setting.
    pub bound: &'static str,
    /// When the same order can pass, as far as can be told now.
    pub again_at: Timestamp,
}

/// Whether an order passes every bound of the account. The same input always gives the same answer.
///
/// # Errors
/// The first bound that it would pass.
pub fn keeps_pace(
    velocity: &Velocity,
    ordered: &Ordered,
    past: &Past,
    now: Timestamp,
) -> Result<(), Exceeded> {
    let pace = Pace {
        velocity,
        past,
        now,
    };
    match ordered {
        Ordered::Number {
            service,
            country,
            price,
        } => {
            pace.open()?;
            pace.buys()?;
            pace.same_offer(service, country)?;
            pace.cancels()?;
            pace.services(service)?;
            pace.spend(*price)
        }
        Ordered::Smm { price, .. } => {
            pace.smm()?;
            pace.spend(*price)
        }
    }
}

struct Pace<'a> {
    velocity: &'a Velocity,
    past: &'a Past,
    now: Timestamp,
}

/// At most `limit` of these (newest first) in any span; one more has to wait until enough are older.
fn at_most(
    limit: Option<u32>,
    bound: &'static str,
    times: impl Iterator<Item = Timestamp>,
    (span, now): (Millis, Timestamp),
) -> Result<(), Exceeded> {
    let Some(limit) = limit.and_then(|limit| usize::try_from(limit).ok()) else {
        return Ok(());
    };
    let recent: Vec<Timestamp> = times.filter(|at| now - *at < span).collect();
    if recent.len() < limit {
        return Ok(());
    }
    // with room for none, only the settings can change that
    let leaves = limit.checked_sub(1).map_or(now, |last| recent[last]);
    Err(Exceeded {
        bound,
        again_at: leaves + span,
    })
}

impl Pace<'_> {
    fn bought(&self) -> impl Iterator<Item = &PastNumber> {
        self.past.numbers.iter().filter(|one| !one.failed)
    }

    fn open(&self) -> Result<(), Exceeded> {
        match self.velocity.open_activations {
            Some(limit) if self.past.open_activations >= limit => Err(Exceeded {
                bound: "open_activations",
                again_at: self.now + SOON,
            }),
            _ => Ok(()),
        }
    }

    fn buys(&self) -> Result<(), Exceeded> {
        let (velocity, now) = (self.velocity, self.now);
        let times = || self.bought().map(|one| one.at);
        at_most(
            velocity.buys_per_hour,
            "buys_per_hour",
            times(),
            (HOUR, now),
        )?;
        at_most(velocity.buys_per_day, "buys_per_day", times(), (DAY, now))?;
        let tries = velocity
            .buys_per_day
            .map(|day| day.saturating_mul(TRIES_FACTOR));
        let tried = self.past.numbers.iter().map(|one| one.at);
        at_most(tries, "buys_per_day", tried, (DAY, now))
    }

    fn same_offer(&self, service: &str, country: &str) -> Result<(), Exceeded> {
        let same = |one: &&PastNumber| one.service == service && one.country == country;
        let times = self.bought().filter(same).map(|one| one.at);
        let limit = self.velocity.same_offer_per_day;
        at_most(limit, "same_offer_per_day", times, (DAY, self.now))
    }

    fn cancels(&self) -> Result<(), Exceeded> {
        let Some(percent) = self.velocity.cancel_percent else {
            return Ok(());
        };
        let last: Vec<&PastNumber> = self.bought().take(CANCELS_OVER).collect();
        let cancelled = last.iter().filter_map(|one| one.cancelled_at);
        let (count, newest) = (cancelled.clone().count(), cancelled.max());
        let share = count * 100 >= last.len() * usize::try_from(percent).unwrap_or(usize::MAX);
        match newest {
            Some(at) if last.len() >= CANCELS_LEAST && share && self.now - at < HOUR => {
                Err(Exceeded {
                    bound: "cancel_percent",
                    again_at: at + HOUR,
                })
            }
            _ => Ok(()),
        }
    }

    fn services(&self, service: &str) -> Result<(), Exceeded> {
        let mut seen: Vec<&str> = Vec::new();
        let mut last_of_each = Vec::new();
        for one in self.bought() {
            if one.service != service && !seen.contains(&one.service.as_str()) {
                seen.push(&one.service);
                last_of_each.push(one.at);
            }
        }
        let known = self
            .bought()
            .any(|one| one.service == service && self.now - one.at < HOUR);
        if known {
            return Ok(());
        }
        let limit = self.velocity.services_per_hour;
        let span = (HOUR, self.now);
        at_most(limit, "services_per_hour", last_of_each.into_iter(), span)
    }

    fn spend(&self, price: Usd) -> Result<(), Exceeded> {
        let Some(limit) = self.velocity.daily_spend else {
            return Ok(());
        };
        let numbers = self.past.numbers.iter().map(|one| (one.at, one.spent));
        let smm = self.past.smm.iter().map(|one| (one.at, one.spent));
        let today = |(at, _): &(Timestamp, Usd)| self.now - *at < DAY;
        let mut spent: Vec<(Timestamp, Usd)> = numbers.chain(smm).filter(today).collect();
        spent.sort_unstable();
        let mut total: i64 = spent.iter().map(|(_, amount)| amount.0).sum();
        if total.saturating_add(price.0) <= limit.0 {
            return Ok(());
        }
        let mut again_at = self.now + DAY;
        for (at, amount) in spent {
            total -= amount.0;
            if total.saturating_add(price.0) <= limit.0 {
                again_at = at + DAY;
                break;
            }
        }
        Err(Exceeded {
            bound: "daily_spend",
            again_at,
        })
    }

    fn smm(&self) -> Result<(), Exceeded> {
        let (velocity, now) = (self.velocity, self.now);
        let placed = self.past.smm.iter().filter(|one| !one.failed);
        let times = placed.map(|one| one.at);
        at_most(velocity.smm_per_day, "smm_per_day", times, (DAY, now))?;
        let target = self.past.target.iter().copied();
        let limit = velocity.smm_per_target_week;
        at_most(limit, "smm_per_target_week", target, (WEEK, now))
    }
}

/// When the oldest order for a target counts still.
pub fn target_since(now: Timestamp) -> Timestamp {
    now - WEEK
}

/// When the oldest SMM order counts still.
pub fn smm_since(now: Timestamp) -> Timestamp {
    now - DAY
}
