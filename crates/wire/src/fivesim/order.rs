//! The order object, which every call about an order answers, and the list of orders.

use super::failure::{open, shape};
use crate::amount::cut;
use crate::answer::Answer;
use crate::handler_api::Failure;
use crate::json::{Exact, Node, Object, print};
use rust_decimal::Decimal;
use serde::Serialize;

/// Longest short field carried on, in characters.
const FIELD_MAX: usize = 128;
/// Longest message carried on, in characters.
const TEXT_MAX: usize = 4096;
/// Most messages of one order looked at: the newest.
const MESSAGES_MAX: usize = 50;

/// Where an order stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OrderStatus {
    /// Being prepared.
    #[default]
    Pending,
    /// Waits for a message or has one: the word alone does not say which.
    Received,
    /// Cancelled.
    Canceled,
    /// Its life is over.
    Timeout,
    /// Completed.
    Finished,
    /// Its number was reported as bad.
    Banned,
    /// Anything else, as sent.
    Other(String),
}

impl OrderStatus {
    fn read(text: &str) -> Self {
        match text.trim().to_ascii_uppercase().as_str() {
            "PENDING" => Self::Pending,
            "RECEIVED" => Self::Received,
            "CANCELED" | "CANCELLED" => Self::Canceled,
            "TIMEOUT" => Self::Timeout,
            "FINISHED" => Self::Finished,
            "BANNED" => Self::Banned,
            _ => Self::Other(cut(text.trim(), FIELD_MAX)),
        }
    }

    /// The word on the wire.
    pub fn word(&self) -> &str {
        match self {
            Self::Pending => "PENDING",
            Self::Received => "RECEIVED",
            Self::Canceled => "CANCELED",
            Self::Timeout => "TIMEOUT",
            Self::Finished => "FINISHED",
            Self::Banned => "BANNED",
            Self::Other(word) => word,
        }
    }
}

/// One message of an order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// Code; may be empty beside a text.
    pub code: String,
    /// The whole text; may be empty beside a code.
    pub text: String,
    /// Who sent it.
    pub sender: String,
    /// When, RFC 3339.
    pub created_at: String,
}

/// One order. Times are RFC 3339 and stay text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Order {
    /// Id.
    pub id: u64,
    /// The number as sent, with a plus. Not yet checked.
    pub phone: String,
    /// Operator.
    pub operator: String,
    /// Product.
    pub product: String,
    /// What it cost, in the account's currency.
    pub price: Option<Decimal>,
    /// Where it stands.
    pub status: OrderStatus,
    /// End of its life.
    pub expires: Option<String>,
    /// Messages, oldest first; those without code and text are left out.
    pub sms: Vec<Message>,
    /// When it was sold.
    pub created_at: Option<String>,
    /// Country.
    pub country: String,
}

impl Order {
    /// Reads a reply: an id and a number are there; whether they are usable is for the caller to
    /// check.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        Self::read(open(answer)?).ok_or_else(|| shape("an order"))
    }

    fn read(node: Node<'_>) -> Option<Self> {
        let object = node.object()?;
        let field = |name: &str| object.filled(name).map(|text| cut(text.trim(), FIELD_MAX));
        Some(Self {
            id: object.count("id").filter(|id| *id > 0)?,
            phone: field("phone")?,
            operator: field("operator").unwrap_or_default(),
            product: field("product").unwrap_or_default(),
            price: object.amount("price"),
            status: OrderStatus::read(&object.get("status")?.string()?),
            expires: field("expires"),
            sms: messages(&object)?,
            created_at: field("created_at"),
            country: field("country").unwrap_or_default(),
        })
    }

    /// Prints a reply.
    pub fn print(&self) -> String {
        print(&Printed::of(self))
    }
}

/// `sms` is `null`, missing or a list; anything else makes the order unreadable, because a message
/// may be hidden in it.
fn messages(object: &Object<'_>) -> Option<Vec<Message>> {
    let Some(node) = object.get("sms") else {
        return Some(vec![]);
    };
    let items = node.items()?;
    let newest = &items[items.len().saturating_sub(MESSAGES_MAX)..];
    let read: Option<Vec<Message>> = newest.iter().map(|item| message(*item)).collect();
    let says_something = |one: &Message| !(one.code.is_empty() && one.text.is_empty());
    Some(read?.into_iter().filter(says_something).collect())
}

fn message(node: Node<'_>) -> Option<Message> {
    let object = node.object()?;
    let field = |name: &str, characters_max| {
        let text = object.text(&[name]).unwrap_or_default();
        cut(text.trim(), characters_max)
    };
    Some(Message {
        code: field("code", FIELD_MAX),
        text: field("text", TEXT_MAX),
        sender: field("sender", FIELD_MAX),
        created_at: field("created_at", FIELD_MAX),
    })
}

/// A page of the list of orders, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderList {
    /// Rows that could be read.
    pub rows: Vec<Order>,
    /// Rows that could not: the list is then no proof that something is not on it.
    pub skipped: usize,
    /// Rows on all pages together, where stated.
    pub total: Option<u64>,
}

impl OrderList {
    /// Reads a reply.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let not_a_list = || shape("a list of orders");
        let object = open(answer)?.object().ok_or_else(not_a_list)?;
        // `null` is how an empty list is printed by servers of this make
        let null = object
            .0
            .iter()
            .any(|(name, node)| name == "Data" && node.is_null());
        let items = match object.get("Data") {
            None if null => vec![],
            data => data.and_then(Node::items).ok_or_else(not_a_list)?,
        };
        let rows: Vec<Order> = items.iter().filter_map(|item| Order::read(*item)).collect();
        Ok(Self {
            skipped: items.len() - rows.len(),
            rows,
            total: object.count("Total"),
        })
    }

    /// Prints a reply.
    pub fn print(&self) -> String {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Wrapped<'a> {
            data: Vec<Printed<'a>>,
            product_names: [&'a str; 0],
            statuses: [&'a str; 0],
            #[serde(skip_serializing_if = "Option::is_none")]
            total: Option<u64>,
        }
        print(&Wrapped {
            data: self.rows.iter().map(Printed::of).collect(),
            product_names: [],
            statuses: [],
            total: self.total,
        })
    }
}

#[derive(Serialize)]
struct Printed<'a> {
    id: u64,
    phone: &'a str,
    operator: &'a str,
    product: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    price: Option<Exact>,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires: Option<&'a str>,
    sms: Option<Vec<PrintedMessage<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    created_at: Option<&'a str>,
    forwarding: bool,
    forwarding_number: &'a str,
    country: &'a str,
}

#[derive(Serialize)]
struct PrintedMessage<'a> {
    id: usize,
    created_at: &'a str,
    date: &'a str,
    sender: &'a str,
    text: &'a str,
    code: &'a str,
}

impl<'a> Printed<'a> {
    fn of(order: &'a Order) -> Self {
        let messages = order.sms.iter().enumerate();
        let printed = messages.map(|(at, message)| PrintedMessage {
            id: at + 1,
            created_at: &message.created_at,
            date: &message.created_at,
            sender: &message.sender,
            text: &message.text,
            code: &message.code,
        });
        // an order in preparation has no list yet, one that is ready an empty one
        let none_yet = order.status == OrderStatus::Pending && order.sms.is_empty();
        Self {
            id: order.id,
            phone: &order.phone,
            operator: &order.operator,
            product: &order.product,
            price: order.price.map(Exact),
            status: order.status.word(),
            expires: order.expires.as_deref(),
            sms: (!none_yet).then(|| printed.collect()),
            created_at: order.created_at.as_deref(),
            forwarding: false,
            forwarding_number: "",
            country: &order.country,
        }
    }
}
