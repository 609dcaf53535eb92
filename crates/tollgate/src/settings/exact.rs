//! Exact figures: written in quotes, because a TOML number with a point is a float.

use super::section::text;
use domain::usd::Usd;
use rust_decimal::Decimal;
use std::fmt;
use toml::Value;

/// A percentage in hundredths: `12.5` % is 1250.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent {
    /// Hundredths of a per cent; negative only for a discount.
    pub hundredths: i32,
}

/// Greatest percentage that can be set.
const GREATEST_PERCENT: i32 = 10_000;
/// Micro-units in a hundredth.
const MICROS_IN_HUNDREDTH: i64 = 10_000;

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.hundredths < 0 {
            f.write_str("-")?;
        }
        let hundredths = self.hundredths.unsigned_abs();
        match (hundredths / 100, hundredths % 100) {
            (whole, 0) => write!(f, "{whole}"),
            (whole, part) if part % 10 == 0 => write!(f, "{whole}.{}", part / 10),
            (whole, part) => write!(f, "{whole}.{part:02}"),
        }
    }
}

/// A percentage of at most two decimals.
pub fn percent(value: &Value) -> Result<Percent, String> {
    let allowed = || {
        format!(
            "must be a percentage in quotes from \"0\" to \"{GREATEST_PERCENT}\" with at most \
                 two decimals, like \"12.5\""
        )
    };
    let amount = Usd::parse(text(value).map_err(|_| allowed())?).map_err(|_| allowed())?;
    let hundredths = i32::try_from(amount.0 / MICROS_IN_HUNDREDTH).map_err(|_| allowed())?;
    if amount.0 % MICROS_IN_HUNDREDTH != 0 || hundredths > GREATEST_PERCENT * 100 {
        return Err(allowed());
    }
    Ok(Percent { hundredths })
}

/// A percentage that may be a discount, like `-15`: at most the whole.
pub fn discount(value: &Value) -> Result<Percent, String> {
    let Some(less) = value.as_str().and_then(|text| text.strip_prefix('-')) else {
        return percent(value);
    };
    let less = percent(&Value::String(less.to_owned()))?;
    if less.hundredths > 10_000 {
        return Err("must not take off more than \"-100\"".to_owned());
    }
    Ok(Percent {
        hundredths: -less.hundredths,
    })
}

/// Dollars of at most six decimals.
pub fn dollars(value: &Value) -> Result<Usd, String> {
    let allowed = "must be dollars in quotes with at most six decimals, like \"0.05\"";
    Usd::parse(text(value).map_err(|_| allowed)?).map_err(|_| allowed.to_owned())
}

/// A decimal above zero of at most twelve digits before and after the point.
pub fn positive(value: &Value) -> Result<Decimal, String> {
    let allowed = "must be a decimal above zero in quotes, like \"0.0125\", with at most 12 \
                   digits before and after the point";
    let given = text(value).map_err(|_| allowed)?;
    let (whole, part) = given.split_once('.').unwrap_or((given, "0"));
    let digits = |half: &str| {
        (1..=12).contains(&half.len()) && half.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(whole) || !digits(part) {
        return Err(allowed.to_owned());
    }
    let decimal = Decimal::from_str_exact(given).map_err(|_| allowed)?;
    if decimal.is_zero() {
        Err(allowed.to_owned())
    } else {
        Ok(decimal)
    }
}
