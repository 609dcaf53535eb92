//! `[admin]`: the listener for whoever watches the gateway.

use super::listen;
use super::section::Section;
use std::net::{IpAddr, SocketAddr};
use toml::Value;

/// `[admin]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Where metrics and health are read; nothing where nobody watches.
    pub address: Option<SocketAddr>,
}

impl Admin {
    /// Reads the section.
    pub fn read(part: &mut Section<'_>) -> Self {
        Self {
            address: part.optional("address", private, None),
        }
    }
}

/// Metrics tell upstreams' names and balances, and nothing asks who reads them.
fn private(value: &Value) -> Result<SocketAddr, String> {
    let address = listen::address(value)?;
    let hidden = match address.ip().to_canonical() {
        IpAddr::V4(four) => four.is_loopback() || four.is_private() || four.is_unspecified(),
        IpAddr::V6(six) => six.is_loopback() || six.is_unique_local() || six.is_unspecified(),
    };
    if hidden {
        Ok(address)
    } else {
        Err(
            "must be a loopback or private address: nobody is asked for a password there"
                .to_owned(),
        )
    }
}
