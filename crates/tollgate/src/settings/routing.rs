//! `[routing]`: which of several routes that sell the same is taken, and when one is left alone.

use super::section::Section;
use domain::breaker::Limits;
use domain::routing::Strategy;
use domain::time::Millis;

/// `[routing]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Routing {
    /// The order of routes.
    pub strategy: Strategy,
    /// Routes tried for one purchase at most.
    pub tries: u32,
    /// After this long an outcome weighs half in the measured figures.
    pub half_life: Millis,
    /// When calls to an upstream pause.
    pub breaker: Limits,
}

impl Routing {
    /// Reads the section.
    pub fn read(part: &mut Section<'_>) -> Self {
        let seconds = |count: u32| Millis::seconds(count.into());
        let hours = part.number("half_life_h", 72, 1..=8760);
        let (pause, longest) = (
            part.number("breaker_pause_s", 5, 1..=3600),
            part.number("breaker_pause_max_s", 300, 1..=3600),
        );
        if longest < pause {
            let why = "must not be shorter than breaker_pause_s";
            part.problem("breaker_pause_max_s", why);
        }
        Self {
            strategy: part.choice("strategy", Strategy::Price, &Strategy::WORDS),
            tries: part.number("tries", 12, 1..=20),
            half_life: Millis::minutes(i64::from(hours) * 60),
            breaker: Limits {
                failures: part.number("breaker_failures", 5, 1..=50),
                window: seconds(part.number("breaker_window_s", 60, 1..=3600)),
                pause: seconds(pause),
                pause_max: seconds(longest),
            },
        }
    }
}
