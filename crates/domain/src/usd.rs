//! Money: micro-dollars in 64 bits, products in 128, every rounding named.

use std::fmt;
use std::iter::Sum;
use std::ops::Neg;

/// An amount in micro-dollars (six decimals). Signed: a posting's direction is its sign;
/// prices and holds are checked to be positive where they are made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Usd(pub i64);

/// The text is not an exact amount of at most six decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnAmount;

/// Micro-dollars in a dollar.
const MICROS: i64 = 1_000_000;

impl Usd {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Reads `12`, `12.5` or `0.040000`: digits, at most one point, at most six decimals, no sign,
    /// no padding, no exponent, no separators. Anything else is refused, never rounded.
    pub fn parse(text: &str) -> Result<Self, NotAnAmount> {
        let (whole, part) = match text.split_once('.') {
            Some((whole, part)) if !part.is_empty() => (whole, part),
            Some(_) => return Err(NotAnAmount),
            None => (text, ""),
        };
        let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
        let padded = whole.len() > 1 && whole.starts_with('0');
        let bounded = (1..=12).contains(&whole.len()) && part.len() <= 6 && !padded;
        if !bounded || !digits(whole) || !digits(part) {
            return Err(NotAnAmount);
        }
        format!("{whole}{part:0<6}")
            .parse()
            .map(Self)
            .map_err(|_| NotAnAmount)
    }

    /// Sum, or nothing where it would not fit.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Difference, or nothing where it would not fit.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The shortest exact decimal with at least two decimals, as panel clients expect a charge.
    pub fn short(self) -> String {
        let full = self.to_string();
        let point = full.find('.').map_or(full.len(), |at| at + 3);
        let kept = full.trim_end_matches('0').len().max(point);
        full[..kept].to_owned()
    }
}

impl fmt::Display for Usd {
    /// Exactly six decimals: `12.450000`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let micros = self.0.unsigned_abs();
        let unit = MICROS.unsigned_abs();
        write!(f, "{sign}{}.{:06}", micros / unit, micros % unit)
    }
}

impl Neg for Usd {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Sum for Usd {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        Self(amounts.map(|amount| amount.0).sum())
    }
}

/// Price of 1000 units in nano-dollars: upstream rates carry more decimals than a wallet does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rate(pub i64);

/// Nano-dollars in a micro-dollar.
const NANOS_IN_MICRO: i128 = 1000;

impl Rate {
    /// The rate that costs exactly this per 1000 units.
    pub fn per_1000(price: Usd) -> Option<Self> {
        price.0.checked_mul(1000).map(Self)
    }

    /// Rounded up to a whole micro-dollar per 1000 units: what a customer is shown.
    pub fn ceil(self) -> Usd {
        narrow(ceil_div(i128::from(self.0), NANOS_IN_MICRO)).unwrap_or(Usd(i64::MAX))
    }

    /// `ceil(rate * units / 1000)` to the micro-dollar; nothing where it would not fit.
    pub fn charge(self, units: u64) -> Option<Usd> {
        narrow(ceil_div(
            i128::from(self.0) * i128::from(units),
            1000 * NANOS_IN_MICRO,
        ))
    }
}

/// `floor(held * undelivered / ordered)`: what goes back for the part that was not delivered.
/// `undelivered` is clamped to the ordered units, so that parts never add up to more than the hold.
pub fn refund_share(held: Usd, undelivered: u64, ordered: u64) -> Usd {
    if ordered == 0 {
        return Usd::ZERO;
    }
    let part = i128::from(held.0) * i128::from(undelivered.min(ordered)) / i128::from(ordered);
    narrow(part).unwrap_or(Usd::ZERO)
}

fn ceil_div(value: i128, by: i128) -> i128 {
    value.div_euclid(by) + i128::from(value.rem_euclid(by) != 0)
}

fn narrow(value: i128) -> Option<Usd> {
    i64::try_from(value).ok().map(Usd)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn usd(text: &str) -> Usd {
        Usd::parse(text).unwrap()
    }

    #[test]
    fn the_published_rounding_table() {
        for (rate, units, charge, remains, refund) in [
            ("1.08", 500, "0.540000", 157, "0.169560"),
            ("0.90", 1000, "0.900000", 157, "0.141300"),
            ("0.333333", 7, "0.002334", 3, "0.001000"),
            ("0.09", 10, "0.000900", 9, "0.000810"),
            ("0.00027", 37, "0.000010", 10, "0.000002"),
            ("0.0049", 1, "0.000005", 0, "0.000000"),
            ("0.000001", 1, "0.000001", 1, "0.000001"),
        ] {
            let held = Rate::per_1000(usd(rate)).unwrap().charge(units).unwrap();
            assert_eq!(held.to_string(), charge, "{units} at {rate}");
            assert_eq!(
                refund_share(held, remains, units).to_string(),
                refund,
                "{units} at {rate}"
            );
        }
    }

    #[test]
    fn amounts_are_exact_or_refused() {
        assert_eq!(usd("12.45").to_string(), "12.450000");
        for bad in [
            "",
            ".",
            "1.",
            ".5",
            "-1",
            "+1",
            "1e3",
            "1,0",
            " 1",
            "0.0000001",
            "NaN",
        ] {
            assert_eq!(Usd::parse(bad), Err(NotAnAmount), "{bad:?}");
        }
        assert_eq!(Usd(-1).to_string(), "-0.000001");
    }

    #[test]
    fn short_form_keeps_two_to_six_decimals() {
        for (text, short) in [("0.54", "0.54"), ("0.002334", "0.002334"), ("1", "1.00")] {
            assert_eq!(usd(text).short(), short);
        }
    }

    proptest! {
        #[test]
        fn printing_and_reading_are_inverse(micros in 0..=i64::MAX / 2) {
            let amount = Usd(micros);
            if let Ok(read) = Usd::parse(&amount.to_string()) {
                prop_assert_eq!(read, amount);
            } else {
                prop_assert!(micros >= 1_000_000_000_000_000_000);
            }
        }

        #[test]
        fn refunds_never_exceed_the_hold_and_never_fall(
            held in 0..i64::MAX, ordered in 1..u64::MAX, less in 0..u64::MAX, more in 0..u64::MAX,
        ) {
            let (less, more) = (less.min(more), less.max(more));
            let (low, high) =
                (refund_share(Usd(held), less, ordered), refund_share(Usd(held), more, ordered));
            prop_assert!(Usd::ZERO <= low && low <= high && high <= Usd(held));
            prop_assert_eq!(refund_share(Usd(held), ordered, ordered), Usd(held));
            prop_assert_eq!(refund_share(Usd(held), 0, ordered), Usd::ZERO);
        }

        #[test]
        fn splitting_an_order_never_costs_less(
            rate in 1..1_000_000_000_000_i64, first in 0..1_000_000_u64, second in 0..1_000_000_u64,
        ) {
            let rate = Rate(rate);
            let parts = rate.charge(first).unwrap().0 + rate.charge(second).unwrap().0;
            prop_assert!(parts >= rate.charge(first + second).unwrap().0);
            prop_assert!(first == 0 || rate.charge(first).unwrap() > Usd::ZERO);
        }
    }
}
