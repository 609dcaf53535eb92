//! What an operator says about an upstream that speaks `handler_api`.

use domain::upstream::Capabilities;
use rust_decimal::Decimal;
use std::fmt;

/// Action by which numbers are bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PurchaseAction {
    /// `getNumber`: id and number alone.
    GetNumber,
    /// `getNumberV2`: with the real cost and times.
    GetNumberV2,
}

/// Action by which one activation is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusAction {
    /// `getStatus`: the code alone.
    GetStatus,
    /// `getStatusV2`: with the text.
    GetStatusV2,
}

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
    /// Whether offers come per provider (`getPricesV3`), to be bought with `providerIds`.
    pub pools: bool,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Dollars in one unit of the account's currency.
    pub usd_per_unit: Decimal,
}

impl HandlerApiSettings {
    /// A classic dollar account: connect 5 s, answer 30 s, `getNumber`, cancel after 120 s, 20
    /// minutes to live, 60 s until a purchase is listed, 180 s until a late one no longer comes.
    pub fn new(name: &str, url: &str, key: &str) -> Self {
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            key: key.to_owned(),
            proxy_url: None,
            timeout_ms: 30_000,
            connect_timeout_ms: 5_000,
            purchase: PurchaseAction::GetNumber,
            status: StatusAction::GetStatus,
            pools: false,
            capabilities: Capabilities::numbers(),
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
            .field("pools", &self.pools)
            .field("capabilities", &self.capabilities)
            .field("usd_per_unit", &self.usd_per_unit)
            .finish_non_exhaustive()
    }
}
