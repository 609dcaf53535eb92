//! An account's currency to dollars and back, every rounding on the house's safe side.

use domain::usd::{Rate, Usd};
use rust_decimal::Decimal;
use rust_decimal::RoundingStrategy::{ToNegativeInfinity, ToPositiveInfinity};

/// Micro-dollars in a dollar.
const MICROS: Decimal = Decimal::from_parts(1_000_000, 0, 0, false, 0);
/// Nano-dollars in a dollar.
const NANOS: Decimal = Decimal::from_parts(1_000_000_000, 0, 0, false, 0);
/// Decimals of a price cap that is sent: more than any upstream prices in.
const CAP_DECIMALS: u32 = 6;

/// Dollars in one unit of an upstream account's currency.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Exchange(Decimal);

impl Exchange {
    /// Nothing where the rate is not positive.
    pub(crate) fn new(usd_per_unit: Decimal) -> Option<Self> {
        (usd_per_unit > Decimal::ZERO).then_some(Self(usd_per_unit))
    }

    /// A cost, rounded up to the micro-dollar; nothing where it would not fit.
    pub(crate) fn cost(self, amount: Decimal) -> Option<Usd> {
        let micros = amount.checked_mul(self.0)?.checked_mul(MICROS)?;
        whole(micros.round_dp_with_strategy(0, ToPositiveInfinity)).map(Usd)
    }

    /// What we own there, rounded down to the micro-dollar; nothing where it would not fit.
    pub(crate) fn balance(self, amount: Decimal) -> Option<Usd> {
        let micros = amount.checked_mul(self.0)?.checked_mul(MICROS)?;
        whole(micros.round_dp_with_strategy(0, ToNegativeInfinity)).map(Usd)
    }

    /// A cap in the account's currency whose cost is never above `cap`; nothing where that leaves
    /// no price at all.
    pub(crate) fn cap(self, cap: Usd) -> Option<Decimal> {
        let units = Decimal::from(cap.0)
            .checked_div(MICROS)?
            .checked_div(self.0)?;
        let mut units = units.round_dp_with_strategy(CAP_DECIMALS, ToNegativeInfinity);
        // a division is itself rounded, which can lift the last digit
        if self.cost(units)? > cap {
            units -= Decimal::new(1, CAP_DECIMALS);
        }
        (units > Decimal::ZERO).then(|| units.normalize())
    }

    /// A price of `per` units (or of one package, with `per` 1000) as a rate, rounded up to the
    /// nano-dollar; nothing where it would not fit.
    pub(crate) fn rate(self, price: Decimal, per: u32) -> Option<Rate> {
        let per_1000 = price
            .checked_mul(Decimal::from(1000))?
            .checked_div(Decimal::from(per))?;
        let nanos = per_1000.checked_mul(self.0)?.checked_mul(NANOS)?;
        whole(nanos.round_dp_with_strategy(0, ToPositiveInfinity)).map(Rate)
    }
}

fn whole(value: Decimal) -> Option<i64> {
    i64::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn costs_round_up_and_balances_down() {
        let roubles = Exchange::new(decimal("0.0123456789")).unwrap();
        assert_eq!(roubles.cost(decimal("1")), Some(Usd(12_346)));
        assert_eq!(roubles.balance(decimal("1")), Some(Usd(12_345)));
        let dollars = Exchange::new(Decimal::ONE).unwrap();
        assert_eq!(dollars.cost(decimal("0.2")), Some(Usd(200_000)));
        assert_eq!(dollars.cap(Usd(200_000)), Some(decimal("0.2")));
        assert_eq!(dollars.cap(Usd(0)), None);
        assert_eq!(dollars.cost(Decimal::MAX), None);
        assert!(Exchange::new(Decimal::ZERO).is_none());
        assert!(Exchange::new(decimal("-1")).is_none());
    }

    #[test]
    fn rates_keep_nano_dollars_and_scale_to_1000() {
        let dollars = Exchange::new(Decimal::ONE).unwrap();
        assert_eq!(dollars.rate(decimal("0.90"), 1000), Some(Rate(900_000_000)));
        assert_eq!(dollars.rate(decimal("0.09"), 100), Some(Rate(900_000_000)));
        assert_eq!(dollars.rate(decimal("0.45"), 500), Some(Rate(900_000_000)));
        assert_eq!(dollars.rate(decimal("0.0000000001"), 1000), Some(Rate(1)));
    }

    proptest! {
        #[test]
        fn a_cap_never_costs_more_than_it_should(
            cap in 0..1_000_000_000_i64, units in 1..10_000_000_i64, scale in 0..7_u32,
        ) {
            let exchange = Exchange::new(Decimal::new(units, scale)).unwrap();
            if let Some(sent) = exchange.cap(Usd(cap)) {
                prop_assert!(exchange.cost(sent).unwrap() <= Usd(cap));
                prop_assert!(sent.scale() <= CAP_DECIMALS);
            }
        }
    }
}
