//! `[console]`: where staff work, and what needs two of them.

use super::base_url;
use super::exact;
use super::listen::{self, Network};
use super::section::Section;
use domain::usd::Usd;
use std::net::SocketAddr;

/// `[console]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Console {
    /// A listener of its own; without one there is no console, but for the demo's.
    pub address: Option<SocketAddr>,
    /// How staff reach it: scheme and host; what links for new staff begin with.
    pub url: Option<String>,
    /// From where it answers; everywhere where none is named.
    pub allowed: Vec<Network>,
    /// Credits and debits above this need a second person.
    pub second_approval_above: Usd,
}

impl Console {
    /// Reads the section.
    pub fn read(part: &mut Section<'_>) -> Self {
        Self {
            address: part.optional("address", listen::address, None),
            url: part.optional("url", base_url::public, None),
            allowed: part.list("allowed", Vec::new(), listen::network),
            second_approval_above: part.parsed(
                "second_approval_above_usd",
                Usd(100_000_000),
                exact::dollars,
            ),
        }
    }
}
