//! What an operator says about an upstream that speaks `handler_api`.

use super::dialect::{Dialect, PriceList, Profile, PurchaseAction, StatusAction};
use crate::account::Account;
use domain::upstream::Capabilities;

/// One account at one upstream.
#[derive(Clone, Debug)]
pub struct HandlerApiSettings {
    /// Where it is and how it is paid. URL: that of the protocol's one page, used as given.
    pub account: Account,
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
}

impl HandlerApiSettings {
    /// A dollar account at a provider of this dialect: connect 5 s, answer 30 s, the rest as the
    /// dialect's profile says.
    pub fn new(dialect: Dialect, account: Account) -> Self {
        let Profile {
            purchase,
            status,
            prices,
            text_in_header,
            capabilities,
        } = dialect.profile();
        Self {
            account,
            purchase,
            status,
            prices,
            pools: false,
            ladder_min_stock: 1,
            text_in_header,
            capabilities,
        }
    }
}
