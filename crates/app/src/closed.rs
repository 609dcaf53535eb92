//! Why nothing is bought at an upstream, and how that is said.

use domain::time::Timestamp;
use domain::upstream::Refusal;
use domain::usd::Usd;
use std::fmt;

/// Why nothing is bought at an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The operator wants nothing bought there.
    Paused,
    /// It refuses all of us: our key, our account or our funds (the class of its answer).
    Fault(&'static str),
    /// It keeps failing: nobody calls before this moment.
    Breaker(Timestamp),
    /// It asked us to wait until then.
    Throttled(Timestamp),
    /// One call is under way to see whether it works again.
    Trying,
    /// Our balance there is below what must stay.
    Float(Usd),
    /// Too many purchases there are in doubt.
    InDoubt(usize),
    /// As many purchase calls as allowed are under way.
    Busy(usize),
}

impl Closed {
    /// The same in one or two words.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Fault(_) => "refuses us",
            Self::Breaker(_) => "failing",
            Self::Throttled(_) => "asked us to wait",
            Self::Trying => "being tried",
            Self::Float(_) => "balance too low",
            Self::InDoubt(_) => "too much in doubt",
            Self::Busy(_) => "busy",
        }
    }

    /// When it ends, where that is known.
    pub fn until(&self) -> Option<Timestamp> {
        match self {
            Self::Breaker(until) | Self::Throttled(until) => Some(*until),
            _ => None,
        }
    }
}

impl fmt::Display for Closed {
    /// For the operator, without a stop and without the moment of [`Closed::until`].
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(class) if *class == Refusal::WrongCurrency.slug() => {
                f.write_str("its account is in another currency than the setting currency says")
            }
            Self::Fault(class) => write!(f, "refuses us: {}", class.replace('_', " ")),
            Self::Breaker(_) => f.write_str("keeps failing and is left alone"),
            Self::Trying => f.write_str("one purchase is under way to see whether it works again"),
            Self::Float(balance) => {
                write!(
                    f,
                    "our balance there, {balance} USD, is below what must stay"
                )
            }
            Self::InDoubt(count) => write!(f, "{count} purchases there are in doubt"),
            Self::Busy(count) => write!(f, "{count} purchase calls are under way"),
            Self::Paused | Self::Throttled(_) => f.write_str(self.word()),
        }
    }
}
