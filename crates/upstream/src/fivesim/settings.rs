//! What an operator says about an upstream that speaks 5sim.

use domain::upstream::Capabilities;
use rust_decimal::Decimal;
use std::fmt;

/// Orders asked for on one page of the list.
pub(super) const PAGE_ROWS: u32 = 500;

/// One account at one upstream.
#[derive(Clone)]
pub struct FiveSimSettings {
    /// The operator's name for it; stands in logs.
    pub name: String,
    /// Base address with the version, `https://HOST/v1`; may hold credentials of a proxy.
    pub url: String,
    /// The account's key.
    pub key: String,
    /// Proxy for this upstream; the environment's proxies are never used.
    pub proxy_url: Option<String>,
    /// Longest wait for a whole answer, from the start of connecting.
    pub timeout_ms: u64,
    /// Longest wait for a connection.
    pub connect_timeout_ms: u64,
    /// Whether each operator is a pool of its own. The server then heeds no price cap.
    pub operators: bool,
    /// Pause before the price list of each further country: servers refuse quick readers.
    pub listing_pause_ms: u64,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Dollars in one unit of the account's currency.
    pub usd_per_unit: Decimal,
}

impl FiveSimSettings {
    /// A dollar account that buys from any operator under a cap.
    pub fn new(name: &str, url: &str, key: &str) -> Self {
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            key: key.to_owned(),
            proxy_url: None,
            timeout_ms: 30_000,
            connect_timeout_ms: 5_000,
            operators: false,
            listing_pause_ms: 1_000,
            capabilities: Self::sheet(false),
            usd_per_unit: Decimal::ONE,
        }
    }

    /// The capability sheet, by whether operators are pools.
    pub fn sheet(operators: bool) -> Capabilities {
        Capabilities {
            max_price: !operators,
            list_page_limit: Some(PAGE_ROWS),
            history: true,
            ..Capabilities::numbers()
        }
    }
}

impl fmt::Debug for FiveSimSettings {
    /// Without key and addresses, which may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FiveSimSettings")
            .field("name", &self.name)
            .field("operators", &self.operators)
            .field("capabilities", &self.capabilities)
            .field("usd_per_unit", &self.usd_per_unit)
            .finish_non_exhaustive()
    }
}
