//! What an operator may say about an SMM panel: panels answer one protocol in many ways.

use super::section::{Section, text};
use domain::time::Millis;
use domain::upstream::Progress;
use rust_decimal::Decimal;
use std::fmt;
use toml::Value;
use upstream::PanelTransport;

/// The settings of `[upstreams.NAME]` that only a panel has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelProfile {
    /// How it takes its calls.
    pub transport: PanelTransport,
    /// Whether the key travels as a bearer token as well.
    pub bearer: bool,
    /// Whether ids of its orders may be words.
    pub text_ids: bool,
    /// Whether it recognises an order that is sent again by our own id.
    pub request_ids: bool,
    /// What status words of its own mean.
    pub status_words: Vec<(String, Progress)>,
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
        let words = part.words("status_words", progress).into_iter();
        Self {
            transport: part.choice("transport", PanelTransport::Form, &PanelTransport::WORDS),
            bearer: part.flag("bearer", false),
            text_ids: part.flag("text_ids", false),
            request_ids: part.flag("request_ids", false),
            status_words: words.map(|(word, Shown(meant))| (word, meant)).collect(),
            rate_unit: rate_unit(part),
            multi_status: part.flag("multi_status", true),
            challenge_means_refused: part.flag("challenge_means_refused", false),
            currency: currency.or(dollars),
            refill_window: (days > 0).then(|| Millis::minutes(i64::from(days) * 24 * 60)),
        }
    }
}

/// A progress as the file has it.
struct Shown(Progress);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.word())
    }
}

fn progress(value: &Value) -> Result<Shown, String> {
    let given = text(value)?;
    let found = Progress::ALL.into_iter().find(|one| one.word() == given);
    found.map(Shown).ok_or_else(|| {
        let words = Progress::ALL.map(|one| format!("\"{}\"", one.word()));
        format!("must be one of {}", words.join(", "))
    })
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
