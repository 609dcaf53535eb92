//! What became of numbers that were shown, counted so that old outcomes weigh less and less.

use crate::time::{Millis, Timestamp};

/// Weight of one outcome at the moment it counts from.
const ONE: u64 = 1_000;

/// Halvings after which the counts are brought down, so that no weight outgrows its number.
const HALVINGS_MAX: i64 = 20;

/// Outcomes below which a rate says nothing.
pub const FEWEST: u32 = 5;

/// Upper ends of the classes of delivery times, in seconds; the last one has none.
const CLASSES_S: [u32; 14] = [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600, 900, 1200];

/// Outcomes that a route without any of its own is credited with, at the rate it states.
const CREDITED: u64 = 10 * ONE;

/// Square of the quantile behind the confidence bound (95 %), in thousandths, and the quantile.
const Z_SQUARED: u128 = 3_842;
const Z: u128 = 1_960;

/// How one number ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A code came, this long after the purchase where that is known.
    Delivered(Option<Millis>),
    /// Its buyer cancelled it.
    Cancelled,
    /// It expired, or the upstream closed it.
    Silent,
}

/// Outcomes of one route and service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcomes {
    /// An outcome of this moment weighs [`ONE`]; one a half-life later, twice as much.
    since: Timestamp,
    delivered: u64,
    cancelled: u64,
    silent: u64,
    /// Outcomes with a known time, and the sum of their seconds.
    timed: u64,
    seconds: u64,
    classes: [u64; CLASSES_S.len() + 1],
}

/// What the outcomes say at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// How many outcomes that is, old ones counted in part.
    pub samples: u32,
    /// Percent of them with a code; nothing while they are too few.
    pub rate: Option<u8>,
    /// Percent with a code that the true share is hardly below: the lower end of the 95 % interval.
    pub at_least: Option<u8>,
    /// Percent of them that their buyers cancelled.
    pub cancelled: Option<u8>,
    /// Mean time from purchase to code, in seconds.
    pub average_s: Option<u32>,
    /// Half of all codes came within this many seconds.
    pub p50_s: Option<u32>,
    /// Nine in ten came within this many seconds.
    pub p90_s: Option<u32>,
}

impl Figures {
    /// Rate and samples as customers see them. A rate that the upstream states is nobody's count: no
    /// samples stand behind it.
    pub fn shown(self, stated: Option<u8>) -> (Option<u8>, u32) {
        match (self.rate, stated) {
            (None, Some(stated)) => (Some(stated), 0),
            (measured, _) => (measured, self.samples),
        }
    }
}

impl Outcomes {
    /// None yet.
    pub fn starting(since: Timestamp) -> Self {
        Self {
            since,
            delivered: 0,
            cancelled: 0,
            silent: 0,
            timed: 0,
            seconds: 0,
            classes: [0; CLASSES_S.len() + 1],
        }
    }

    /// Counts one. Outcomes from before the start count as of the start.
    pub fn note(&mut self, ended: Ended, at: Timestamp, half_life: Millis) {
        self.bring_down(at, half_life);
        let weight = weight(at - self.since, half_life);
        match ended {
            Ended::Cancelled => self.cancelled += weight,
            Ended::Silent => self.silent += weight,
            Ended::Delivered(after) => {
                self.delivered += weight;
                let seconds = after.and_then(|after| u64::try_from(after.0 / 1000).ok());
                if let Some(seconds) = seconds {
                    self.timed += weight;
                    self.seconds += weight * seconds.min(86_400);
                    let class = CLASSES_S.iter().position(|end| seconds <= u64::from(*end));
                    self.classes[class.unwrap_or(CLASSES_S.len())] += weight;
                }
            }
        }
    }

    fn bring_down(&mut self, at: Timestamp, half_life: Millis) {
        let halvings = (at - self.since).0 / half_life.0.max(1);
        if halvings < HALVINGS_MAX {
            return;
        }
        self.since = self.since + Millis(halvings * half_life.0);
        let shift = u32::try_from(halvings).unwrap_or(u32::MAX);
        let counts = [
            &mut self.delivered,
            &mut self.cancelled,
            &mut self.silent,
            &mut self.timed,
            &mut self.seconds,
        ];
        for count in counts.into_iter().chain(&mut self.classes) {
            *count = count.checked_shr(shift).unwrap_or(0);
        }
    }

    /// The same with those of another service or route.
    pub fn with(&self, other: &Self, now: Timestamp, half_life: Millis) -> Self {
        let (mut sum, other) = (self.as_of(now, half_life), other.as_of(now, half_life));
        sum.delivered += other.delivered;
        sum.cancelled += other.cancelled;
        sum.silent += other.silent;
        sum.timed += other.timed;
        sum.seconds += other.seconds;
        for (count, more) in sum.classes.iter_mut().zip(other.classes) {
            *count += more;
        }
        sum
    }

    /// Weighed from this moment on.
    fn as_of(&self, now: Timestamp, half_life: Millis) -> Self {
        let left = |sum: u64| now_worth(sum, now - self.since, half_life);
        Self {
            since: now,
            delivered: left(self.delivered),
            cancelled: left(self.cancelled),
            silent: left(self.silent),
            timed: left(self.timed),
            seconds: left(self.seconds),
            classes: self.classes.map(left),
        }
    }

    /// Whether none of them brought a code.
    pub fn is_silent(&self) -> bool {
        self.delivered == 0
    }

    fn all(&self) -> u64 {
        self.delivered + self.cancelled + self.silent
    }

    /// What they say now.
    pub fn figures(&self, now: Timestamp, half_life: Millis) -> Figures {
        let samples = now_worth(self.all(), now - self.since, half_life);
        let samples = u32::try_from((samples + ONE / 2) / ONE).unwrap_or(u32::MAX);
        if samples < FEWEST {
            return Figures {
                samples,
                ..Figures::default()
            };
        }
        let percent = |part: u64| u8::try_from((part * 100 + self.all() / 2) / self.all()).ok();
        Figures {
            samples,
            rate: percent(self.delivered),
            at_least: u8::try_from(
                wilson_ppm(
                    now_worth(self.delivered, now - self.since, half_life),
                    now_worth(self.all(), now - self.since, half_life),
                ) / 10_000,
            )
            .ok(),
            cancelled: percent(self.cancelled),
            average_s: self
                .seconds
                .checked_div(self.timed)
                .and_then(|mean| u32::try_from(mean).ok()),
            p50_s: self.within(50),
            p90_s: self.within(90),
        }
    }

    /// The end of the class within which so many percent of the codes came.
    fn within(&self, percent: u64) -> Option<u32> {
        let mut sum = 0;
        let wanted = (self.timed > 0).then_some(self.timed * percent)?;
        let class = self.classes.iter().position(|count| {
            sum += count * 100;
            sum >= wanted
        });
        CLASSES_S.get(class?).copied()
    }

    /// The share of numbers we may count on to receive a code, in millionths: the lower end of the
    /// 95 % interval (Wilson), after crediting a few outcomes at the stated percentage, or at half
    /// where nothing is stated.
    pub fn sure_ppm(&self, stated: Option<u8>, now: Timestamp, half_life: Millis) -> u32 {
        let age = now - self.since;
        let delivered = now_worth(self.delivered, age, half_life);
        lower_bound(delivered, now_worth(self.all(), age, half_life), stated)
    }
}

/// As [`Outcomes::sure_ppm`], for a route without outcomes.
pub fn unmeasured_ppm(stated: Option<u8>) -> u32 {
    lower_bound(0, 0, stated)
}

fn lower_bound(delivered: u64, all: u64, stated: Option<u8>) -> u32 {
    let credited = CREDITED * u64::from(stated.unwrap_or(50).min(100)) / 100;
    wilson_ppm(delivered + credited, all + CREDITED)
}

/// The lower end of the 95 % interval (Wilson) of a share, in millionths; both counts in thousandths
/// of an outcome.
fn wilson_ppm(hits: u64, count: u64) -> u32 {
    let (hits, count) = (u128::from(hits), u128::from(count.max(1)));
    let spread = hits * (count - hits) / count + Z_SQUARED / 4;
    let margin = Z * (spread * u128::from(ONE)).isqrt() / u128::from(ONE);
    let lower = (hits + Z_SQUARED / 2).saturating_sub(margin);
    u32::try_from(lower * 1_000_000 / (count + Z_SQUARED)).unwrap_or(0)
}

/// What an outcome weighs that comes this long after the start: twice as much after each
/// half-life, in a straight line between.
fn weight(age: Millis, half_life: Millis) -> u64 {
    let half_life = half_life.0.max(1);
    let age = age.0.max(0);
    let halvings = u32::try_from(age / half_life)
        .unwrap_or(u32::MAX)
        .min(62 - 10);
    let whole = ONE << halvings;
    let rest = u128::from(whole) * u128::from((age % half_life).unsigned_abs());
    whole + u64::try_from(rest / u128::from(half_life.unsigned_abs())).unwrap_or(0)
}

/// What is left of a sum of weights, in thousandths of an outcome.
fn now_worth(sum: u64, age: Millis, half_life: Millis) -> u64 {
    let left = u128::from(sum) * u128::from(ONE) / u128::from(weight(age, half_life));
    u64::try_from(left).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Millis = Millis::minutes(24 * 60);
    const T0: Timestamp = Timestamp(1_750_000_000_000);

    fn of(delivered: u32, silent: u32) -> Outcomes {
        let mut outcomes = Outcomes::starting(T0);
        for _ in 0..delivered {
            outcomes.note(Ended::Delivered(Some(Millis::seconds(8))), T0, DAY);
        }
        for _ in 0..silent {
            outcomes.note(Ended::Silent, T0, DAY);
        }
        outcomes
    }

    #[test]
    fn a_few_outcomes_say_nothing_of_the_rate() {
        assert_eq!(of(4, 0).figures(T0, DAY).rate, None);
        let figures = of(4, 1).figures(T0, DAY);
        assert_eq!((figures.samples, figures.rate), (5, Some(80)));
    }

    #[test]
    fn old_outcomes_weigh_less_and_are_forgotten() {
        let mut outcomes = of(0, 10);
        let later = T0 + DAY;
        for _ in 0..5 {
            outcomes.note(Ended::Delivered(None), later, DAY);
        }
        let figures = outcomes.figures(later, DAY);
        assert_eq!((figures.samples, figures.rate), (10, Some(50)));
        let long_after = later + Millis(DAY.0 * 3);
        assert_eq!(outcomes.figures(long_after, DAY).rate, None);
        let years = T0 + Millis(DAY.0 * 5_000);
        assert_eq!(outcomes.figures(years, DAY).samples, 0);
        outcomes.note(Ended::Cancelled, years, DAY);
        assert_eq!(outcomes.figures(years, DAY).samples, 1);
    }

    #[test]
    fn many_weights_keep_the_half_life() {
        let mut outcomes = Outcomes::starting(T0);
        let hour = Millis::minutes(60);
        for at in 0..2_400 {
            outcomes.note(Ended::Silent, T0 + Millis(hour.0 * at), DAY);
        }
        // an outcome an hour with a half-life of 24 leaves 24 / ln 2 of them, about 35
        let samples = outcomes.figures(T0 + Millis(hour.0 * 2_400), DAY).samples;
        assert!((33..=37).contains(&samples), "{samples}");
    }

    #[test]
    fn delivery_times_are_told_by_class_and_mean() {
        let mut outcomes = Outcomes::starting(T0);
        for seconds in [4, 4, 4, 4, 4, 4, 4, 4, 100, 4_000] {
            outcomes.note(Ended::Delivered(Some(Millis::seconds(seconds))), T0, DAY);
        }
        let figures = outcomes.figures(T0, DAY);
        assert_eq!(figures.average_s, Some((4 * 8 + 100 + 4_000) / 10));
        assert_eq!((figures.p50_s, figures.p90_s), (Some(5), Some(120)));
    }

    #[test]
    fn the_bound_is_that_of_wilson() {
        // 80 of 100 and the credited 5 of 10: 85 of 110 gives 0.685
        let bound = of(80, 20).sure_ppm(None, T0, DAY);
        assert!((684_000..687_000).contains(&bound), "{bound}");
        assert!(of(8, 2).sure_ppm(None, T0, DAY) < bound);
        assert!(unmeasured_ppm(Some(90)) > unmeasured_ppm(None));
        assert!(unmeasured_ppm(Some(0)) < 10_000);
    }

    #[test]
    fn a_stated_rate_has_no_samples_and_a_measured_one_has_no_other() {
        let few = Figures {
            samples: 3,
            ..Figures::default()
        };
        assert_eq!(few.shown(None), (None, 3));
        assert_eq!(few.shown(Some(90)), (Some(90), 0));
        let measured = Figures {
            samples: 7,
            rate: Some(40),
            ..Figures::default()
        };
        assert_eq!(measured.shown(Some(90)), (Some(40), 7));
    }

    #[test]
    fn outcomes_of_several_services_add_up_whenever_they_began() {
        let (hour, day) = (Millis::minutes(60), Millis::minutes(24 * 60));
        let mut old = Outcomes::starting(Timestamp(0));
        for _ in 0..8 {
            old.note(
                Ended::Delivered(Some(Millis::seconds(9))),
                Timestamp(0),
                day,
            );
        }
        let now = Timestamp(day.0);
        let mut fresh = Outcomes::starting(Timestamp(day.0 - hour.0));
        for _ in 0..4 {
            fresh.note(Ended::Cancelled, now, day);
        }
        // a day old: eight are worth four
        let sum = old.with(&fresh, now, day).figures(now, day);
        assert_eq!(
            (sum.samples, sum.rate, sum.cancelled),
            (8, Some(50), Some(50))
        );
        assert_eq!((sum.p50_s, sum.p90_s), (Some(10), Some(10)));
        let bound = sum.at_least.unwrap();
        assert!((15..=30).contains(&bound), "{bound}");
    }
}
