//! Amounts and times on the wire: exact decimals as JSON numbers, RFC 3339 in UTC.

use domain::time::Timestamp;
use domain::usd::Usd;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// An amount as a JSON number with exactly six decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Number(pub Usd);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let digits = RawValue::from_string(self.0.to_string());
        digits
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

/// A time as RFC 3339 in UTC, with milliseconds only where there are some.
pub(crate) fn time(at: Timestamp) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .unwrap_or(jiff::Timestamp::MAX)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_numbers() {
        let shown = |micros| serde_json::to_string(&Number(Usd(micros))).unwrap();
        assert_eq!(shown(40_000), "0.040000");
        assert_eq!(shown(1), "0.000001");
        assert_eq!(shown(0), "0.000000");
        assert_eq!(shown(i64::MAX), "9223372036854.775807");
        assert_eq!(shown(12_450_000), "12.450000");
    }

    #[test]
    fn times_are_utc() {
        assert_eq!(time(Timestamp(0)), "1970-01-01T00:00:00Z");
        assert_eq!(
            time(Timestamp(1_769_860_800_120)),
            "2026-01-31T12:00:00.12Z"
        );
    }
}
