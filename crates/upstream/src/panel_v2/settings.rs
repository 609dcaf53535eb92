//! What an operator says about an SMM panel.

use crate::account::Account;
use domain::upstream::{Capabilities, Progress};
use std::fmt;

/// Units that a panel's rate is the price of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RateUnit {
    /// Per 100.
    Hundred,
    /// Per 500.
    FiveHundred,
    /// Per 1000, as nearly everywhere.
    #[default]
    Thousand,
}

impl RateUnit {
    /// From the number in a settings file: 100, 500 or 1000.
    pub fn from_units(units: u32) -> Option<Self> {
        [Self::Hundred, Self::FiveHundred, Self::Thousand]
            .into_iter()
            .find(|unit| unit.units() == units)
    }

    /// The number of units.
    pub fn units(self) -> u32 {
        match self {
            Self::Hundred => 100,
            Self::FiveHundred => 500,
            Self::Thousand => 1000,
        }
    }
}

/// How a panel takes its calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PanelTransport {
    /// POST of a form, as nearly everywhere.
    #[default]
    Form,
    /// POST of a JSON object.
    Json,
    /// GET with a query, in which the key stands too.
    Get,
}

impl PanelTransport {
    /// Every way with its word in the settings.
    pub const WORDS: [(&str, Self); 3] = [
        ("form", Self::Form),
        ("json", Self::Json),
        ("get", Self::Get),
    ];
}

impl fmt::Display for PanelTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = Self::WORDS.iter().find(|(_, known)| known == self);
        f.write_str(word.map_or("", |(word, _)| word))
    }
}

/// One account at one panel.
#[derive(Clone, Debug)]
pub struct PanelSettings {
    /// Where it is and how it is paid. URL: that of the API, used as given.
    pub account: Account,
    /// How it takes its calls.
    pub transport: PanelTransport,
    /// Whether the key travels as a bearer token as well.
    pub bearer: bool,
    /// Whether ids of orders may be words.
    pub text_ids: bool,
    /// Status words and codes that mean something else there than everywhere, or nothing elsewhere;
    /// in any case of letters.
    pub status_words: Vec<(String, Progress)>,
    /// Whether `action=orders` lists the account's own orders.
    pub lists_orders: bool,
    /// Whether every `error` answer to `add` means that nothing was bought, whatever its text.
    pub error_means_refused: bool,
    /// Whether a browser check that answers `add` kept it from the panel, so that nothing was
    /// bought.
    pub challenge_means_refused: bool,
    /// Units that a rate is the price of.
    pub rate_unit: RateUnit,
    /// What it can do. Where it tells of one id in a call, it is asked in the singular form.
    /// `list_active` says the same as `lists_orders`, `idempotency_key` that it knows an order that is
    /// sent again by its `request_id`.
    pub capabilities: Capabilities,
}

impl PanelSettings {
    /// A plain dollar account: connect 5 s, answer 30 s, many statuses at once, no order list, no
    /// trust in unknown errors, 15 minutes until a late order no longer comes.
    pub fn new(account: Account) -> Self {
        Self {
            account,
            transport: PanelTransport::Form,
            bearer: false,
            text_ids: false,
            status_words: Vec::new(),
            lists_orders: false,
            error_means_refused: false,
            challenge_means_refused: false,
            rate_unit: RateUnit::Thousand,
            capabilities: Capabilities::panel(),
        }
    }
}
