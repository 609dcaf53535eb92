//! On what terms money is taken: bounds, fees and bonuses.

use super::fact::MICROS_IN_CENT;
use crate::time::Millis;
use crate::usd::Usd;

/// From this amount on, so much is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BonusRule {
    /// Least amount.
    pub from: Usd,
    /// What is added, in parts of a million.
    pub parts_per_million: i64,
}

/// The operator's terms for one way to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Least amount.
    pub min: Usd,
    /// Greatest amount at once.
    pub max: Usd,
    /// Greatest sum of a day, by the account's tier; nothing where there is no bound.
    pub daily: [Option<Usd>; 4],
    /// For how long new money cannot be spent, by the account's tier.
    pub hold: [Millis; 4],
    /// What is asked beside the amount, in parts of a million of it.
    pub fee_parts_per_million: i64,
    /// What is asked beside that.
    pub fee_fixed: Usd,
    /// What the house adds; the rule with the greatest amount that is reached holds.
    pub bonuses: Vec<BonusRule>,
}

/// Why an amount is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadAmount {
    /// It is no amount of whole cents above zero.
    NotAnAmount,
    /// Below the least.
    BelowMin(Usd),
    /// Above the greatest.
    AboveMax(Usd),
    /// Above what is left of the day's sum.
    OverDaily(Usd),
}

/// Place of a tier in a list by tiers.
fn place(tier: u8) -> usize {
    usize::from(tier).min(3)
}

const MILLION: i128 = 1_000_000;

/// A share of an amount in whole cents, rounded up or down.
fn share(amount: Usd, parts_per_million: i64, up: bool) -> Usd {
    let unit = MILLION * i128::from(MICROS_IN_CENT);
    let product = i128::from(amount.0) * i128::from(parts_per_million);
    let cents = product.div_euclid(unit) + i128::from(up && product.rem_euclid(unit) != 0);
    Usd(i64::try_from(cents).map_or(0, |cents| cents * MICROS_IN_CENT))
}

impl Terms {
    /// The amount that a customer wrote, if so much is taken at once.
    pub fn amount(&self, text: &str) -> Result<Usd, BadAmount> {
        let amount = Usd::parse(text).map_err(|_| BadAmount::NotAnAmount)?;
        if amount <= Usd::ZERO || amount.0 % MICROS_IN_CENT != 0 {
            return Err(BadAmount::NotAnAmount);
        }
        if amount < self.min {
            return Err(BadAmount::BelowMin(self.min));
        }
        if amount > self.max {
            return Err(BadAmount::AboveMax(self.max));
        }
        Ok(amount)
    }

    /// The greatest sum that an account of this tier may begin in a day, if there is one.
    pub fn daily(&self, tier: u8) -> Option<Usd> {
        self.daily[place(tier)]
    }

    /// For how long new money of an account of this tier cannot be spent.
    pub fn hold(&self, tier: u8) -> Millis {
        self.hold[place(tier)]
    }

    /// What is asked beside an amount: whole cents, rounded up.
    pub fn fee(&self, amount: Usd) -> Usd {
        let fixed = share(self.fee_fixed, 1_000_000, true);
        Usd(share(amount, self.fee_parts_per_million, true).0 + fixed.0)
    }

    /// What the house adds to an amount: whole cents, rounded down.
    pub fn bonus(&self, amount: Usd) -> Usd {
        let reached = self.bonuses.iter().filter(|rule| rule.from <= amount);
        let rule = reached.max_by_key(|rule| rule.from);
        rule.map_or(Usd::ZERO, |rule| {
            share(amount, rule.parts_per_million, false)
        })
    }
}
