//! What an operator says about an SMM panel.

use domain::upstream::Capabilities;
use rust_decimal::Decimal;
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

/// One account at one panel.
#[derive(Clone)]
pub struct PanelSettings {
    /// The operator's name for it; stands in logs.
    pub name: String,
    /// Address of the API, used as given; may hold credentials of a proxy.
    pub url: String,
    /// The account's key.
    pub key: String,
    /// Proxy for this panel; the environment's proxies are never used.
    pub proxy_url: Option<String>,
    /// Longest wait for a whole answer, from the start of connecting.
    pub timeout_ms: u64,
    /// Longest wait for a connection.
    pub connect_timeout_ms: u64,
    /// Whether `action=orders` lists the account's own orders.
    pub lists_orders: bool,
    /// Whether `status` takes many orders at once.
    pub multi_status: bool,
    /// Whether every `error` answer to `add` means that nothing was bought, whatever its text.
    pub error_means_refused: bool,
    /// Units that a rate is the price of.
    pub rate_unit: RateUnit,
    /// What it can do. `list_active` says the same as `lists_orders`.
    pub capabilities: Capabilities,
    /// Dollars in one unit of the account's currency.
    pub usd_per_unit: Decimal,
}

impl PanelSettings {
    /// A plain dollar account: connect 5 s, answer 30 s, many statuses at once, no order list, no
    /// trust in unknown errors, 15 minutes until a late order no longer comes.
    pub fn new(name: &str, url: &str, key: &str) -> Self {
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            key: key.to_owned(),
            proxy_url: None,
            timeout_ms: 30_000,
            connect_timeout_ms: 5_000,
            lists_orders: false,
            multi_status: true,
            error_means_refused: false,
            rate_unit: RateUnit::Thousand,
            capabilities: Capabilities::panel(),
            usd_per_unit: Decimal::ONE,
        }
    }
}

impl fmt::Debug for PanelSettings {
    /// Without key and addresses, which may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PanelSettings")
            .field("name", &self.name)
            .field("lists_orders", &self.lists_orders)
            .field("multi_status", &self.multi_status)
            .field("error_means_refused", &self.error_means_refused)
            .field("rate_unit", &self.rate_unit)
            .field("capabilities", &self.capabilities)
            .field("usd_per_unit", &self.usd_per_unit)
            .finish_non_exhaustive()
    }
}
