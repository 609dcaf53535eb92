//! Reply to `services`.

use super::failure::{Failure, open};
use crate::amount::{amount_with_separators, count, cut};
use crate::answer::Answer;
use crate::json::{Id, Node, print};
use domain::order_type::OrderType;
use rust_decimal::Decimal;
use serde::Serialize;

/// Longest name, category or type carried on, in characters.
const NAME_MAX: usize = 300;
/// Longest description carried on, in characters.
const DESCRIPTION_MAX: usize = 4000;

/// One service on sale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServiceRow {
    /// The panel's id.
    pub id: String,
    /// Name; hostile text.
    pub name: String,
    /// Type as sent; see [`Self::order_type`].
    pub kind: String,
    /// Category; hostile text.
    pub category: String,
    /// Price of 1000 units, or of one package, in the account's currency.
    pub rate: Decimal,
    /// Least quantity.
    pub min: u64,
    /// Greatest quantity.
    pub max: u64,
    /// Whether refills are offered.
    pub refill: bool,
    /// Whether cancels are offered.
    pub cancel: bool,
    /// Whether drip-feed is offered.
    pub dripfeed: bool,
    /// Description, where given; hostile text.
    pub description: Option<String>,
}

impl ServiceRow {
    /// The type, where it is one we know.
    pub fn order_type(&self) -> Option<OrderType> {
        OrderType::parse(&self.kind)
    }
}

/// The list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services {
    /// Rows that could be read.
    pub rows: Vec<ServiceRow>,
    /// Rows that could not.
    pub skipped: usize,
}

impl Services {
    /// Reads a reply: an array, wrapped or bare, or the words some panels use for an empty
    /// catalogue. A list in which no row could be read is a failure.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let node = open(answer)?;
        let items = items(node).ok_or_else(|| Failure::shape("a list of services"))?;
        let rows: Vec<ServiceRow> = items.iter().filter_map(|item| read(*item)).collect();
        if rows.is_empty() && !items.is_empty() {
            return Err(Failure::shape("a list of services"));
        }
        Ok(Self {
            skipped: items.len() - rows.len(),
            rows,
        })
    }

    /// Prints a reply: the id as an integer, rate and limits as strings, flags as booleans.
    pub fn print(&self) -> String {
        print(&self.rows.iter().map(Printed::of).collect::<Vec<_>>())
    }
}

fn items(node: Node<'_>) -> Option<Vec<Node<'_>>> {
    if let Some(items) = node.items() {
        return Some(items);
    }
    let object = node.object()?;
    let empty = object
        .text(&["data"])
        .is_some_and(|text| text.eq_ignore_ascii_case("empty data"));
    if empty {
        return Some(vec![]);
    }
    object
        .get("services")
        .or_else(|| object.get("data"))?
        .items()
}

fn read(node: Node<'_>) -> Option<ServiceRow> {
    let object = node.object()?;
    let name = |name: &str| cut(object.text(&[name]).unwrap_or_default().trim(), NAME_MAX);
    let limit = |name: &str| count(&object.text(&[name])?);
    Some(ServiceRow {
        id: object.id(&["service"])?,
        name: name("name"),
        kind: name("type"),
        category: name("category"),
        rate: amount_with_separators(&object.text(&["rate"])?)?,
        min: limit("min")?,
        max: limit("max")?,
        refill: object.flag("refill"),
        cancel: object.flag("cancel"),
        dripfeed: object.flag("dripfeed"),
        description: object
            .text(&["desc", "description"])
            .map(|text| cut(&text, DESCRIPTION_MAX)),
    })
}

#[derive(Serialize)]
struct Printed<'a> {
    service: Id<'a>,
    name: &'a str,
    #[serde(rename = "type")]
    kind: &'a str,
    category: &'a str,
    rate: String,
    min: String,
    max: String,
    refill: bool,
    cancel: bool,
    dripfeed: bool,
    #[serde(rename = "desc", skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
}

impl<'a> Printed<'a> {
    fn of(row: &'a ServiceRow) -> Self {
        Self {
            service: Id(&row.id),
            name: &row.name,
            kind: &row.kind,
            category: &row.category,
            rate: row.rate.to_string(),
            min: row.min.to_string(),
            max: row.max.to_string(),
            refill: row.refill,
            cancel: row.cancel,
            dripfeed: row.dripfeed,
            description: row.description.as_deref(),
        }
    }
}
