//! What an operator says about an upstream that speaks 5sim.

use crate::account::Account;
use domain::upstream::Capabilities;

/// Orders asked for on one page of the list.
pub(super) const PAGE_ROWS: u32 = 500;

/// One account at one upstream.
#[derive(Clone, Debug)]
pub struct FiveSimSettings {
    /// Where it is and how it is paid. URL: the base address with the version, `https://HOST/v1`.
    pub account: Account,
    /// Whether each operator is a pool of its own. The server then heeds no price cap.
    pub operators: bool,
    /// Pause before the price list of each further country: servers refuse quick readers.
    pub listing_pause_ms: u64,
    /// What it can do.
    pub capabilities: Capabilities,
}

impl FiveSimSettings {
    /// A dollar account that buys from any operator under a cap.
    pub fn new(account: Account) -> Self {
        Self {
            account,
            operators: false,
            listing_pause_ms: 1_000,
            capabilities: Self::sheet(false),
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
