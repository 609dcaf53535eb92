//! How long the latest calls took.

use crate::time::Millis;
use std::collections::VecDeque;

/// Calls that are remembered.
const KEPT: usize = 100;

/// The latest calls of one kind to one place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latency(VecDeque<Millis>);

/// What they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Took {
    /// How many calls that is.
    pub calls: usize,
    /// Half of them took no longer.
    pub p50: Millis,
    /// Nine in ten took no longer.
    pub p90: Millis,
}

impl Latency {
    /// One more call.
    pub fn note(&mut self, took: Millis) {
        if self.0.len() == KEPT {
            self.0.pop_front();
        }
        self.0.push_back(took);
    }

    /// What the latest calls say; nothing where there was none.
    pub fn shown(&self) -> Option<Took> {
        let mut sorted: Vec<Millis> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        let within = |percent: usize| {
            let place = (sorted.len() * percent).div_ceil(100).checked_sub(1)?;
            sorted.get(place).copied()
        };
        Some(Took {
            calls: sorted.len(),
            p50: within(50)?,
            p90: within(90)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_calls_count() {
        let mut latency = Latency::default();
        assert_eq!(latency.shown(), None);
        latency.note(Millis(7));
        let one = latency.shown().map(|took| (took.calls, took.p50, took.p90));
        assert_eq!(one, Some((1, Millis(7), Millis(7))));
        (1..=10).for_each(|took| latency.note(Millis(took * 10)));
        let eleven = latency.shown().map(|took| (took.p50, took.p90));
        assert_eq!(eleven, Some((Millis(50), Millis(90))));
        (0..100).for_each(|_| latency.note(Millis(1)));
        let slow_ones_are_gone = latency.shown().map(|took| (took.calls, took.p90));
        assert_eq!(slow_ones_are_gone, Some((100, Millis(1))));
    }
}
