//! Reply to `orders`: the account's own orders, newest first. A deviation: few panels offer it.

use super::failure::{Failure, open};
use crate::amount::cut;
use crate::answer::Answer;
use crate::json::{Id, Node, print};
use rust_decimal::Decimal;
use serde::Serialize;

/// Longest link carried on, in characters.
const LINK_MAX: usize = 4096;
/// Longest status word carried on, in characters.
const WORD_MAX: usize = 200;

/// One order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderRow {
    /// The panel's order id.
    pub id: String,
    /// The panel's service id.
    pub service: String,
    /// Link as it was sent.
    pub link: String,
    /// Quantity, where the type has one.
    pub quantity: Option<u64>,
    /// What it cost, in the account's currency.
    pub charge: Option<Decimal>,
    /// Status word.
    pub status: String,
    /// Creation in unix seconds.
    pub created_s: Option<i64>,
}

/// The list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    /// Rows that could be read.
    pub rows: Vec<OrderRow>,
    /// Rows that could not: the list is then no proof that something is not on it.
    pub skipped: usize,
}

impl Orders {
    /// Reads a reply: an array, bare or under `orders` or `data`.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let node = open(answer)?;
        let wrapped = || {
            let object = node.object()?;
            object.get("orders").or_else(|| object.get("data"))?.items()
        };
        let items = node.items().or_else(wrapped);
        let items = items.ok_or_else(|| Failure::shape("a list of orders"))?;
        let rows: Vec<OrderRow> = items.iter().filter_map(|item| read(*item)).collect();
        Ok(Self {
            skipped: items.len() - rows.len(),
            rows,
        })
    }

    /// Prints a reply: order and creation as integers, the rest as strings.
    pub fn print(&self) -> String {
        print(&self.rows.iter().map(Printed::of).collect::<Vec<_>>())
    }
}

fn read(node: Node<'_>) -> Option<OrderRow> {
    let object = node.object()?;
    Some(OrderRow {
        id: object.id(&["order", "id"])?,
        service: object.id(&["service"])?,
        link: cut(&object.text(&["link"]).unwrap_or_default(), LINK_MAX),
        quantity: object.count("quantity"),
        charge: object.amount("charge"),
        status: cut(
            object.text(&["status"]).unwrap_or_default().trim(),
            WORD_MAX,
        ),
        created_s: object.whole("created"),
    })
}

#[derive(Serialize)]
struct Printed<'a> {
    order: Id<'a>,
    service: &'a str,
    link: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    charge: Option<String>,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    created: Option<i64>,
}

impl<'a> Printed<'a> {
    fn of(row: &'a OrderRow) -> Self {
        Self {
            order: Id(&row.id),
            service: &row.service,
            link: &row.link,
            quantity: row.quantity.map(|quantity| quantity.to_string()),
            charge: row.charge.map(|charge| charge.to_string()),
            status: &row.status,
            created: row.created_s,
        }
    }
}
