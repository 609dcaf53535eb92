//! What an operator says about an upstream that speaks `handler_api`.

use super::dialect::{Dialect, PriceList, Profile, PurchaseAction, StatusAction};
use domain::upstream::Capabilities;
use rust_decimal::Decimal;
use std::fmt;

/// One account at one upstream.
#[derive(Clone)]
pub struct HandlerApiSettings {
    /// The operator's name for it; stands in logs.
    pub name: String,
    /// Address of the protocol's one page, used as given; may hold credentials of a proxy.
    pub url: String,
    /// The account's key.
    pub key: String,
    /// Proxy for this upstream; the environment's proxies are never used.
    pub proxy_url: Option<String>,
    /// Longest wait for a whole answer, from the start of connecting.
    pub timeout_ms: u64,
    /// Longest wait for a connection.
    pub connect_timeout_ms: u64,
    /// How numbers are bought.
    pub purchase: PurchaseAction,
    /// How one activation is read.
    pub status: StatusAction,
    /// Which price list is read.
    pub prices: PriceList,
    /// Whether each provider of a `getPricesV3` list is a pool of its own, to be bought from with
    /// `providerIds`.
    pub pools: bool,
    /// How many numbers must be on sale at an offer's cost or below: which rung of a price ladder is
    /// the cost. At least 1.
    pub ladder_min_stock: u64,
    /// Whether a status call that asks for it answers the message's text in a header.
    pub text_in_header: bool,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Dollars in one unit of the account's currency.
    pub usd_per_unit: Decimal,
}

impl HandlerApiSettings {
    /// A dollar account at a provider of this dialect: connect 5 s, answer 30 s, the rest as the
    /// dialect's profile says.
    pub fn new(dialect: Dialect, name: &str, url: &str, key: &str) -> Self {
        let Profile {
            purchase,
            status,
            prices,
            text_in_header,
            capabilities,
        } = dialect.profile();
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            key: key.to_owned(),
            proxy_url: None,
            timeout_ms: 30_000,
            connect_timeout_ms: 5_000,
            purchase,
            status,
            prices,
            pools: false,
            ladder_min_stock: 1,
            text_in_header,
            capabilities,
            usd_per_unit: Decimal::ONE,
        }
    }
}

impl fmt::Debug for HandlerApiSettings {
    /// Without key and addresses, which may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerApiSettings")
            .field("name", &self.name)
            .field("purchase", &self.purchase)
            .field("status", &self.status)
            .field("prices", &self.prices)
            .field("pools", &self.pools)
            .field("ladder_min_stock", &self.ladder_min_stock)
            .field("text_in_header", &self.text_in_header)
            .field("capabilities", &self.capabilities)
            .field("usd_per_unit", &self.usd_per_unit)
            .finish_non_exhaustive()
    }
}
