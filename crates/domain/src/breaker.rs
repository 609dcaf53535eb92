//! The circuit breaker: an upstream that keeps failing is left alone for a while, then tried with
//! one call. Pure: the moment and the dice are passed in.

use crate::routing::scrambled;
use crate::time::{Millis, Timestamp};
use std::collections::VecDeque;

/// Outcomes that are remembered.
const REMEMBERED: usize = 50;

/// A try of which nothing was heard for this long does not bar the next one.
const PROBE_LOST: Millis = Millis::seconds(60);

/// When it opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Failures within the window at which it opens, if they are at least half of all calls.
    pub failures: u32,
    /// The window.
    pub window: Millis,
    /// The first pause; doubles with every try that fails.
    pub pause: Millis,
    /// The longest pause.
    pub pause_max: Millis,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            failures: 5,
            window: Millis::seconds(60),
            pause: Millis::seconds(5),
            pause_max: Millis::minutes(5),
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Closed,
    Open {
        until: Timestamp,
        trips: u32,
    },
    Trying {
        since: Timestamp,
        trips: u32,
    },
}

/// What an operator sees of a breaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Calls pass.
    Closed,
    /// No call passes before this moment.
    Open(Timestamp),
    /// One call is under way, or may leave, to see whether it works again.
    Trying,
}

/// One upstream and operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Breaker {
    state: State,
    /// Moments of the last calls, true where they failed.
    recent: VecDeque<(Timestamp, bool)>,
}

impl Breaker {
    /// Whether a call may leave now.
    pub fn admits(&self, now: Timestamp) -> bool {
        match self.state {
            State::Closed => true,
            State::Open { until, .. } => until <= now,
            State::Trying { since, .. } => now - since >= PROBE_LOST,
        }
    }

    /// A call leaves: after a pause, the one that tries.
    pub fn begin(&mut self, now: Timestamp) {
        match self.state {
            State::Closed => {}
            State::Open { trips, .. } | State::Trying { trips, .. } => {
                self.state = State::Trying { since: now, trips };
            }
        }
    }

    /// A call that was to leave did not, or its outcome was noted: another one may try.
    pub fn abandon(&mut self) {
        if let State::Trying { since, trips } = self.state {
            self.state = State::Open {
                until: since,
                trips,
            };
        }
    }

    /// What came of a call. Gives whether it opened because of it.
    pub fn note(&mut self, failed: bool, limits: &Limits, dice: u64, now: Timestamp) -> bool {
        if !failed {
            if self.state != State::Closed {
                *self = Self::default();
            }
            self.remember(false, limits, now);
            return false;
        }
        self.remember(true, limits, now);
        let trips = match self.state {
            State::Closed if self.fails_too_often(limits) => 0,
            State::Closed | State::Open { .. } => return false,
            State::Trying { trips, .. } => trips + 1,
        };
        let pause = limits.pause.0 << trips.min(20);
        let pause = Millis(pause.clamp(0, limits.pause_max.0));
        self.state = State::Open {
            until: now + jittered(pause, dice),
            trips,
        };
        true
    }

    fn remember(&mut self, failed: bool, limits: &Limits, now: Timestamp) {
        self.recent.push_back((now, failed));
        while self.recent.len() > REMEMBERED
            || (self.recent.front()).is_some_and(|(at, _)| now - *at > limits.window)
        {
            self.recent.pop_front();
        }
    }

    fn fails_too_often(&self, limits: &Limits) -> bool {
        let failures = self.recent.iter().filter(|(_, failed)| *failed).count();
        let enough = u32::try_from(failures).unwrap_or(u32::MAX) >= limits.failures;
        enough && failures * 2 >= self.recent.len()
    }

    /// What an operator sees.
    pub fn shown(&self, now: Timestamp) -> Shown {
        match self.state {
            State::Closed => Shown::Closed,
            State::Open { until, .. } if until > now => Shown::Open(until),
            State::Open { .. } | State::Trying { .. } => Shown::Trying,
        }
    }
}

/// Up to a quarter longer, so that many nodes do not all try at once.
fn jittered(pause: Millis, dice: u64) -> Millis {
    let share = i64::try_from(scrambled(dice) % 26).unwrap_or(0);
    Millis(pause.0 + pause.0 * share / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: Timestamp = Timestamp(1_000_000);

    fn limits() -> Limits {
        Limits {
            failures: 3,
            ..Limits::default()
        }
    }

    fn fail(breaker: &mut Breaker, at: Timestamp) -> bool {
        breaker.begin(at);
        breaker.note(true, &limits(), 1, at)
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::default();
        assert!(!fail(&mut breaker, T0));
        assert!(!fail(&mut breaker, T0));
        assert!(fail(&mut breaker, T0));
        breaker
    }

    fn reopens_at(breaker: &Breaker, now: Timestamp) -> Millis {
        match breaker.shown(now) {
            Shown::Open(until) => until - now,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn it_opens_after_enough_failures_and_only_for_its_pause() {
        let breaker = opened();
        assert!(!breaker.admits(T0));
        let pause = reopens_at(&breaker, T0);
        assert!((5_000..=6_250).contains(&pause.0), "{pause:?}");
        assert!(!breaker.admits(T0 + Millis(pause.0 - 1)));
        assert!(breaker.admits(T0 + pause));
    }

    #[test]
    fn failures_far_apart_or_among_successes_do_not_open_it() {
        let mut breaker = Breaker::default();
        for minutes in 0..10 {
            assert!(!fail(&mut breaker, T0 + Millis::minutes(2 * minutes)));
        }
        let mut breaker = Breaker::default();
        for _ in 0..10 {
            breaker.note(false, &limits(), 1, T0);
        }
        for _ in 0..9 {
            assert!(!fail(&mut breaker, T0));
        }
        assert!(fail(&mut breaker, T0));
    }

    #[test]
    fn one_call_tries_and_decides() {
        let mut breaker = opened();
        let later = T0 + Millis::seconds(10);
        breaker.begin(later);
        assert_eq!(breaker.shown(later), Shown::Trying);
        assert!(!breaker.admits(later), "a second call does not pass");
        assert!(breaker.note(true, &limits(), 1, later));
        let pause = reopens_at(&breaker, later);
        assert!((10_000..=12_500).contains(&pause.0), "{pause:?}");
        let again = later + Millis::seconds(20);
        breaker.begin(again);
        assert!(!breaker.note(false, &limits(), 1, again));
        assert_eq!(breaker, {
            let mut closed = Breaker::default();
            closed.note(false, &limits(), 1, again);
            closed
        });
    }

    #[test]
    fn a_try_that_is_never_answered_does_not_bar_the_next() {
        let mut breaker = opened();
        let later = T0 + Millis::seconds(10);
        breaker.begin(later);
        assert!(breaker.admits(later + PROBE_LOST));
    }
}
