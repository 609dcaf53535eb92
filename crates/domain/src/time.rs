//! Points and spans of time in milliseconds. Nothing in this crate reads a clock.

use std::ops::{Add, Sub};

/// Milliseconds since 1970-01-01 UTC, as the [`Clock`](crate::ports::Clock) gave it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

/// A span of milliseconds; may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// A span of whole seconds.
    pub const fn seconds(seconds: i64) -> Self {
        Self(seconds * 1000)
    }

    /// A span of whole minutes.
    pub const fn minutes(minutes: i64) -> Self {
        Self::seconds(minutes * 60)
    }

    /// Whole seconds, rounded up, never below zero: what `Retry-After` needs.
    pub const fn ceil_seconds(self) -> i64 {
        if self.0 <= 0 {
            0
        } else {
            (self.0 + 999) / 1000
        }
    }
}

impl Add<Millis> for Timestamp {
    type Output = Self;
    fn add(self, span: Millis) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Sub<Millis> for Timestamp {
    type Output = Self;
    fn sub(self, span: Millis) -> Self {
        Self(self.0.saturating_sub(span.0))
    }
}

impl Sub for Timestamp {
    type Output = Millis;
    fn sub(self, earlier: Self) -> Millis {
        Millis(self.0.saturating_sub(earlier.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_rounds_up_and_never_goes_negative() {
        assert_eq!(Millis(1).ceil_seconds(), 1);
        assert_eq!(Millis(1000).ceil_seconds(), 1);
        assert_eq!(Millis(1001).ceil_seconds(), 2);
        assert_eq!(Millis(-5).ceil_seconds(), 0);
    }
}
