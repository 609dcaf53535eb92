//! What an operator may say about a `handler_api` upstream beyond what its dialect implies.

use super::section::Section;
use upstream::{Dialect, PriceList, PurchaseAction, StatusAction};

/// The settings of `[upstreams.NAME]` that only `handler_api` has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HandlerApi {
    /// Whose providers speak alike; what the other settings default to.
    pub dialect: Dialect,
    /// The purchase call.
    pub purchase: PurchaseAction,
    /// The status call.
    pub status: StatusAction,
    /// The price list that is read.
    pub prices: PriceList,
    /// Whether each provider of its price list is a pool that customers choose.
    pub pools: bool,
    /// Numbers that must be on sale at an offer's cost or below.
    pub ladder_min_stock: u32,
    /// Whether it recognises a purchase that is sent again by our own id.
    pub idempotent_purchase: bool,
}

impl HandlerApi {
    /// Reads the keys; their defaults follow from the dialect.
    pub fn read(part: &mut Section<'_>) -> Self {
        let dialect = part.choice("dialect", Dialect::Classic, &Dialect::WORDS);
        let profile = dialect.profile();
        let purchase = part.choice("purchase", profile.purchase, &PurchaseAction::WORDS);
        let idempotent_purchase = part.flag("idempotent_purchase", false);
        if idempotent_purchase && purchase != PurchaseAction::GetNumberV2 {
            let why = "needs purchase = \"getNumberV2\": the other call carries no id of ours";
            part.problem("idempotent_purchase", why);
        }
        Self {
            dialect,
            purchase,
            status: part.choice("status", profile.status, &StatusAction::WORDS),
            prices: part.choice("prices", profile.prices, &PriceList::WORDS),
            pools: part.flag("pools", false),
            ladder_min_stock: part.number("ladder_min_stock", 1, 1..=1_000_000),
            idempotent_purchase,
        }
    }
}
