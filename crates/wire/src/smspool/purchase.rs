//! Reply to `purchase/sms`.

use super::failure::open;
use super::text::plain;
use crate::amount::cut;
use crate::answer::Answer;
use crate::handler_api::Failure;
use crate::json::{Id, Object, print};
use rust_decimal::Decimal;
use serde::Serialize;

/// Longest text field carried on, in characters.
const FIELD_MAX: usize = 64;
/// Cents in a dollar.
const CENTS: Decimal = Decimal::ONE_HUNDRED;

/// A number that was bought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberBought {
    /// Order code.
    pub order_id: String,
    /// The whole number, digits only. Not yet checked.
    pub phone: String,
    /// Calling code, digits only.
    pub calling_code: Option<String>,
    /// The number without its calling code.
    pub local: Option<String>,
    /// Name of the country.
    pub country: Option<String>,
    /// Name of the service.
    pub service: Option<String>,
    /// Id of the pool it came from.
    pub pool: Option<String>,
    /// Seconds until it expires.
    pub expires_in_s: Option<u64>,
    /// When it expires, unix seconds.
    pub expiration_s: Option<u64>,
    /// Words for people, without tags.
    pub message: Option<String>,
    /// What it cost, in dollars.
    pub cost: Option<Decimal>,
}

impl NumberBought {
    /// Reads a reply. Order code and number are there; whether they are usable is for the caller
    /// to check.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let object = open(answer)?.object();
        let read = object.and_then(|object| Self::read(&object));
        read.ok_or_else(|| Failure::Unreadable("not a number that was bought".to_owned()))
    }

    fn read(object: &Object<'_>) -> Option<Self> {
        let field = |name: &str| object.filled(name).map(|text| cut(text.trim(), FIELD_MAX));
        let cents = || {
            let cents = object.amount("cost_in_cents")?;
            cents.checked_div(CENTS)
        };
        let (calling_code, local) = (field("cc"), field("phonenumber"));
        Some(Self {
            order_id: object.id(&["order_id", "orderid"])?,
            phone: full_number(
                field("number").as_deref(),
                calling_code.as_deref(),
                local.as_deref(),
            )?,
            calling_code,
            local,
            country: field("country"),
            service: field("service"),
            pool: object.id(&["pool"]),
            expires_in_s: object.count("expires_in"),
            expiration_s: object.count("expiration"),
            message: object.filled("message").map(|text| plain(&text)),
            cost: object.amount("cost").or_else(cents),
        })
    }

    /// Prints a reply: the whole number as an integer, the cost as a string.
    pub fn print(&self) -> String {
        self.printed(Some(Id(&self.phone)))
    }

    /// Prints a reply without the whole number: its two parts have to do.
    pub fn print_split(&self) -> String {
        self.printed(None)
    }

    fn printed(&self, number: Option<Id<'_>>) -> String {
        print(&Printed {
            success: 1,
            number,
            cc: self.calling_code.as_deref(),
            phonenumber: self.local.as_deref(),
            order_id: &self.order_id,
            country: self.country.as_deref(),
            service: self.service.as_deref(),
            pool: self.pool.as_deref().map(Id),
            expires_in: self.expires_in_s,
            expiration: self.expiration_s,
            message: self.message.as_deref(),
            cost: self.cost.map(|cost| cost.normalize().to_string()),
        })
    }
}

/// The digits of a number that comes whole, or as a calling code with a local part of which one
/// leading 0 does not count. Nothing where it holds anything but digits and a plus in front.
pub fn full_number(
    whole: Option<&str>,
    calling_code: Option<&str>,
    local: Option<&str>,
) -> Option<String> {
    if let Some(whole) = whole {
        return digits(whole).map(str::to_owned);
    }
    let (code, local) = (digits(calling_code?)?, digits(local?)?);
    Some(format!(
        "{code}{}",
        local.strip_prefix('0').unwrap_or(local)
    ))
}

fn digits(text: &str) -> Option<&str> {
    let text = text.trim();
    let text = text.strip_prefix('+').unwrap_or(text);
    let only = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    only.then_some(text)
}

#[derive(Serialize)]
struct Printed<'a> {
    success: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<Id<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cc: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phonenumber: Option<&'a str>,
    order_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<Id<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_in: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiration: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<String>,
}
