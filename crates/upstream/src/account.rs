//! One account at one provider, whatever it speaks: where it is, how it is reached and paid.

use crate::money::Exchange;
use crate::transport::{BadUpstream, Transport};
use domain::upstream::{ReadFailure, Refusal};
use rust_decimal::Decimal;
use std::fmt;
use std::net::SocketAddr;

/// What an operator says about an account, apart from the protocol.
#[derive(Clone)]
pub struct Account {
    /// The operator's name for it; stands in logs.
    pub name: String,
    /// Address of the API as its protocol takes it; may hold credentials of a proxy.
    pub url: String,
    /// The account's key.
    pub key: String,
    /// Proxy for this account; the environment's proxies are never used.
    pub proxy_url: Option<String>,
    /// The address that its host has, where that was looked up and must not be again; the port is the
    /// URL's.
    pub pinned: Option<SocketAddr>,
    /// Longest wait for a whole answer, from the start of connecting.
    pub timeout_ms: u64,
    /// Longest wait for a connection.
    pub connect_timeout_ms: u64,
    /// Dollars in one unit of the account's currency.
    pub usd_per_unit: Decimal,
    /// Currency that the account must be in, as ISO 4217 writes it; nothing for none in particular.
    pub currency: Option<String>,
}

impl Account {
    /// A dollar account: connect 5 s, answer 30 s, no proxy.
    pub fn new(name: &str, url: &str, key: &str) -> Self {
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            key: key.to_owned(),
            proxy_url: None,
            pinned: None,
            timeout_ms: 30_000,
            connect_timeout_ms: 5_000,
            usd_per_unit: Decimal::ONE,
            currency: None,
        }
    }

    /// Whether an amount in this currency is one in the account's; many upstreams leave it out.
    pub(crate) fn is_ours(&self, said: Option<&str>) -> bool {
        let due = self.currency.as_deref();
        let differs = said
            .zip(due)
            .map(|(said, due)| !said.eq_ignore_ascii_case(due));
        !differs.unwrap_or(false)
    }

    /// Every price and every cost means something else once the account is in another currency.
    pub(crate) fn check_currency(&self, said: Option<&str>) -> Result<(), ReadFailure> {
        if self.is_ours(said) {
            return Ok(());
        }
        let (upstream, due) = (&self.name, &self.currency);
        tracing::error!(
            %upstream, said, expected = due,
            "the account at {upstream} is in {}, and upstreams.{upstream}.currency says {}: nothing \
             is bought there until they agree",
            said.unwrap_or_default(),
            due.as_deref().unwrap_or_default(),
        );
        Err(ReadFailure::Refused(Refusal::WrongCurrency))
    }

    /// The exchange and the way to it. `in_head`: the key travels as a bearer token in the head
    /// of every request.
    pub(crate) fn open(&self, in_head: bool) -> Result<(Exchange, Transport), BadUpstream> {
        let exchange = Exchange::new(self.usd_per_unit);
        let exchange = exchange.ok_or_else(|| BadUpstream::Exchange(self.name.clone()))?;
        Ok((exchange, Transport::new(self, in_head)?))
    }
}

impl fmt::Debug for Account {
    /// Without key and addresses, which may hold credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("name", &self.name)
            .field("usd_per_unit", &self.usd_per_unit)
            .finish_non_exhaustive()
    }
}
