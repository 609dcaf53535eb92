//! What an operator says about an account at SMSPool.

use domain::upstream::Capabilities;
use rust_decimal::Decimal;
use std::fmt;

/// One account.
#[derive(Clone)]
pub struct SmsPoolSettings {
    /// The operator's name for it; stands in logs.
    pub name: String,
    /// Base address, below which every call has its path; may hold credentials of a proxy.
    pub url: String,
    /// The account's key, sent as a bearer token.
    pub key: String,
    /// Proxy for this upstream; the environment's proxies are never used.
    pub proxy_url: Option<String>,
    /// Longest wait for a whole answer, from the start of connecting.
    pub timeout_ms: u64,
    /// Longest wait for a connection.
    pub connect_timeout_ms: u64,
    /// What it can do.
    pub capabilities: Capabilities,
    /// Dollars in one unit of the account's currency; prices there are in dollars.
    pub usd_per_unit: Decimal,
}

impl SmsPoolSettings {
    /// A dollar account: connect 5 s, answer 30 s, the capabilities of a seller of numbers.
    pub fn new(name: &str, url: &str, key: &str) -> Self {
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            key: key.to_owned(),
            proxy_url: None,
            timeout_ms: 30_000,
            connect_timeout_ms: 5_000,
            capabilities: Capabilities::numbers(),
            usd_per_unit: Decimal::ONE,
        }
    }
}

impl fmt::Debug for SmsPoolSettings {
    /// Without key and addresses, which may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmsPoolSettings")
            .field("name", &self.name)
            .field("capabilities", &self.capabilities)
            .field("usd_per_unit", &self.usd_per_unit)
            .finish_non_exhaustive()
    }
}
