//! `[listen]`: where the program answers and whom it believes about the caller's address.

use super::base_url;
use super::section::{Section, text};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use toml::Value;

/// `[listen]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Address and port of the listener.
    pub address: SocketAddr,
    /// How customers reach the program, without a slash at the end; nothing means by `address`.
    pub public_url: Option<String>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// How long a node that was told to stop still takes requests after it has said that it is not
    /// ready.
    pub drain: Duration,
}

impl Listen {
    /// Reads the section.
    pub fn read(part: &mut Section<'_>) -> Self {
        Self {
            address: part.parsed("address", SocketAddr::from(([127, 0, 0, 1], 8080)), address),
            public_url: part.optional("public_url", base_url::public, None),
            trusted_proxies: part.list("trusted_proxies", Vec::new(), network),
            drain: Duration::from_secs(part.number("drain_s", 0, 0..=300).into()),
        }
    }
}

/// An IP address and a port.
pub fn address(value: &Value) -> Result<SocketAddr, String> {
    let allowed = "must be an IP address and a port, like \"127.0.0.1:8080\" or \"[::1]:8080\"";
    text(value)?.parse().map_err(|_| allowed.to_owned())
}

/// A block of addresses: `10.0.0.0/8`, `::1/128`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// First address and length of the prefix in bits.
    pub fn parts(&self) -> (IpAddr, u8) {
        (self.base, self.prefix_bits)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix_bits)
    }
}

fn network(value: &Value) -> Result<Network, String> {
    let allowed = || "must be an address block, like \"10.0.0.0/8\" or \"::1/128\"".to_owned();
    let given = text(value)?;
    let (base, prefix) = given
        .split_once('/')
        .map_or((given, None), |(b, p)| (b, Some(p)));
    let base: IpAddr = base.parse().map_err(|_| allowed())?;
    let width = if base.is_ipv4() { 32 } else { 128 };
    let prefix_bits = prefix
        .map_or(Ok(width), str::parse)
        .map_err(|_| allowed())?;
    if prefix_bits > width || base != base.to_canonical() {
        Err(allowed())
    } else if bits(base) & !mask(prefix_bits) != 0 {
        Err(format!(
            "is not a block: bits are set after the first {prefix_bits}"
        ))
    } else {
        Ok(Network { base, prefix_bits })
    }
}

/// The address at the upper end of 128 bits, so that a prefix means the same in both families.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => u128::from(four.to_bits()) << 96,
        IpAddr::V6(six) => six.to_bits(),
    }
}

fn mask(prefix_bits: u8) -> u128 {
    u128::MAX
        .checked_shl(128 - u32::from(prefix_bits))
        .unwrap_or(0)
}
