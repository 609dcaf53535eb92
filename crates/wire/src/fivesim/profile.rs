//! Reply to `/user/profile`.

use super::failure::{open, shape};
use crate::answer::Answer;
use crate::handler_api::Failure;
use crate::json::{Exact, print};
use rust_decimal::Decimal;
use serde::Serialize;

/// The account, as far as money and standing go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Id of the account.
    pub id: u64,
    /// What can be spent, in the account's currency.
    pub balance: Decimal,
    /// Standing, 0 to 96: at 0 nothing is sold for a day.
    pub rating: Option<Decimal>,
    /// What orders that are open have set aside.
    pub frozen_balance: Option<Decimal>,
}

impl Profile {
    /// Reads a reply; only the balance must be there.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let object = open(answer)?.object().ok_or_else(|| shape("a profile"))?;
        Ok(Self {
            id: object.count("id").unwrap_or_default(),
            balance: object.amount("balance").ok_or_else(|| shape("a profile"))?,
            rating: object.amount("rating"),
            frozen_balance: object.amount("frozen_balance"),
        })
    }

    /// Prints a reply with every member that clients ask for.
    pub fn print(&self) -> String {
        print(&Printed {
            id: self.id,
            email: "account@example.com",
            vendor: "",
            default_forwarding_number: "",
            balance: Exact(self.balance),
            rating: self.rating.map(Exact),
            default_country: Country {
                name: "russia",
                iso: "ru",
                prefix: "+7",
            },
            default_operator: Operator { name: "" },
            frozen_balance: self.frozen_balance.map(Exact),
            last_order: "russia:telegram:any:1:0.5",
            last_top_orders: "[russia:telegram:any:1:0.5]",
            last_top_idx: 0,
            total_active_orders: 0,
            did_order: true,
        })
    }
}

#[derive(Serialize)]
struct Printed<'a> {
    id: u64,
    email: &'a str,
    vendor: &'a str,
    default_forwarding_number: &'a str,
    balance: Exact,
    #[serde(skip_serializing_if = "Option::is_none")]
    rating: Option<Exact>,
    default_country: Country<'a>,
    default_operator: Operator<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frozen_balance: Option<Exact>,
    last_order: &'a str,
    last_top_orders: &'a str,
    last_top_idx: u32,
    total_active_orders: u32,
    did_order: bool,
}

#[derive(Serialize)]
struct Country<'a> {
    name: &'a str,
    iso: &'a str,
    prefix: &'a str,
}

#[derive(Serialize)]
struct Operator<'a> {
    name: &'a str,
}
