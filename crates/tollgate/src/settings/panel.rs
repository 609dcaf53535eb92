//! What an operator may say about an SMM panel: panels answer one protocol in many ways.

use super::section::Section;
use domain::time::Millis;
use rust_decimal::Decimal;
use toml::Value;

/// The settings of `[upstreams.NAME]` that only a panel has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelProfile {
    /// Units that its rates are quoted for.
    pub rate_unit: u32,
    /// Whether `status` takes many orders at once.
    pub multi_status: bool,
    /// Whether a browser check in the place of an answer never reached the panel.
    pub challenge_means_refused: bool,
    /// Currency that the account must be in; nothing for none in particular.
    pub currency: Option<String>,
    /// For how long after an order is completed it may be refilled; nothing for always.
    pub refill_window: Option<Millis>,
}

impl PanelProfile {
    /// Reads the keys. An account that is counted in dollars has to be one in dollars.
    pub fn read(part: &mut Section<'_>, usd_per_unit: Decimal) -> Self {
        let dollars = (usd_per_unit == Decimal::ONE).then(|| "USD".to_owned());
        let currency = part.optional("currency", currency, dollars.as_ref());
        let days = part.number("refill_days", 0, 0..=36_500);
        Self {
            rate_unit: rate_unit(part),
            multi_status: part.flag("multi_status", true),
            challenge_means_refused: part.flag("challenge_means_refused", false),
            currency: currency.or(dollars),
            refill_window: (days > 0).then(|| Millis::minutes(i64::from(days) * 24 * 60)),
        }
    }
}

/// Panels quote their rates for 100, 500 or 1000 units.
fn rate_unit(part: &mut Section<'_>) -> u32 {
    let units = part.number("rate_unit", 1000, 1..=1000);
    if ![100, 500, 1000].contains(&units) {
        part.problem("rate_unit", "must be 100, 500 or 1000");
    }
    units
}

fn currency(value: &Value) -> Result<String, String> {
    let word = value.as_str().unwrap_or_default();
    match word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_uppercase()) {
        true => Ok(word.to_owned()),
        false => Err("must be three upper-case letters, such as \"USD\"".to_owned()),
    }
}
