//! Replies to `request/active` and `request/history`.

use super::check::OrderState;
use super::failure::open;
use super::text::{message, plain};
use crate::amount::{cut, id};
use crate::answer::Answer;
use crate::handler_api::Failure;
use crate::json::{Id, Node, Object, print};
use rust_decimal::Decimal;
use serde::Serialize;

/// Longest text field carried on, in characters.
const FIELD_MAX: usize = 200;

/// One order of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedOrder {
    /// Order code.
    pub order_code: String,
    /// The number as sent: whole or without its calling code, the list does not say which.
    pub phone: Option<String>,
    /// Calling code, on servers that list it.
    pub calling_code: Option<String>,
    /// Name or id of the service; names without tags.
    pub service: String,
    /// Two letters of the country.
    pub short_name: Option<String>,
    /// Id of the pool, in the history.
    pub pool: Option<String>,
    /// What it cost, in dollars.
    pub cost: Option<Decimal>,
    /// The code; never a placeholder.
    pub code: Option<String>,
    /// The whole text; never a placeholder.
    pub full_code: Option<String>,
    /// State.
    pub state: OrderState,
    /// When it was sold: unix seconds, or whatever the server writes.
    pub timestamp: Option<String>,
    /// When it was completed, in the history.
    pub completed_on: Option<String>,
    /// When it expires, unix seconds.
    pub expiry_s: Option<u64>,
    /// Seconds until then.
    pub time_left_s: Option<u64>,
}

impl ListedOrder {
    fn read(object: &Object<'_>) -> Option<Self> {
        let field = |name: &str| object.filled(name).map(|text| cut(text.trim(), FIELD_MAX));
        let received = |name: &str| object.text(&[name]).and_then(|text| message(&text));
        Some(Self {
            order_code: object.id(&["order_code", "order_id", "orderid"])?,
            phone: field("phonenumber").or_else(|| field("number")),
            calling_code: field("cc"),
            service: field("service").map(|name| plain(&name))?,
            short_name: field("short_name"),
            pool: object.text(&["pool"]).and_then(|text| id(&text)),
            cost: object.amount("cost"),
            code: received("code"),
            full_code: received("full_code"),
            state: OrderState::read(&object.text(&["status"]).unwrap_or_default()),
            timestamp: field("timestamp"),
            completed_on: field("completed_on"),
            expiry_s: object.count("expiry"),
            time_left_s: object.count("time_left"),
        })
    }

    /// When it was sold, where that is unix seconds.
    pub fn sold_at_s(&self) -> Option<u64> {
        crate::amount::count(self.timestamp.as_deref()?)
    }
}

/// A list of orders.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    /// Rows that could be read.
    pub rows: Vec<ListedOrder>,
    /// Rows that could not: the list is then no proof that something is not on it.
    pub skipped: usize,
}

impl Orders {
    /// Reads a reply: an array, or an object that is numbered like one; either may stand under
    /// `data`.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let node = open(answer)?;
        let wrapped = node.object().and_then(|object| object.get("data"));
        let mut orders = Self::default();
        if !is_list(wrapped.unwrap_or(node)) {
            return Err(Failure::Unreadable("not a list of orders".to_owned()));
        }
        wrapped.unwrap_or(node).each(|node| {
            let row = node.object().as_ref().and_then(ListedOrder::read);
            orders.skipped += usize::from(row.is_none());
            orders.rows.extend(row);
        });
        Ok(orders)
    }

    /// Prints a reply.
    pub fn print(&self) -> String {
        print(&self.rows.iter().map(Printed::of).collect::<Vec<_>>())
    }
}

/// An array, or an object whose members are numbered.
fn is_list(node: Node<'_>) -> bool {
    match node.object() {
        Some(object) => object.0.iter().all(|(name, _)| name.parse::<u64>().is_ok()),
        None => node.is_array(),
    }
}

#[derive(Serialize)]
struct Printed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<String>,
    order_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    phonenumber: Option<Id<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cc: Option<&'a str>,
    code: &'a str,
    full_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    short_name: Option<&'a str>,
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<Id<'a>>,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_on: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    time_left: Option<u64>,
}

impl<'a> Printed<'a> {
    fn of(row: &'a ListedOrder) -> Self {
        Self {
            timestamp: row.timestamp.as_deref(),
            cost: row.cost.map(|cost| cost.normalize().to_string()),
            order_code: &row.order_code,
            phonenumber: row.phone.as_deref().map(Id),
            cc: row.calling_code.as_deref(),
            code: row.code.as_deref().unwrap_or("0"),
            full_code: row.full_code.as_deref().unwrap_or_default(),
            short_name: row.short_name.as_deref(),
            service: &row.service,
            pool: row.pool.as_deref().map(Id),
            status: row.state.word(),
            completed_on: row.completed_on.as_deref(),
            expiry: row.expiry_s,
            time_left: row.time_left_s,
        }
    }
}
