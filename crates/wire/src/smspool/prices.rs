//! Replies to `request/price`, `request/pricing` and `sms/all_stock`. The last two are the whole
//! catalogue and are read row by row.

use super::failure::open;
use crate::amount::{amount, count, id};
use crate::answer::Answer;
use crate::handler_api::Failure;
use crate::json::{Id, Node, print};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Reply to `request/price`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price {
    /// Price, in dollars.
    pub price: Decimal,
    /// Share of orders that got a code, in percent, where stated.
    pub success_rate: Option<Decimal>,
}

impl Price {
    /// Reads a reply.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let object = open(answer)?.object().unwrap_or_default();
        let price = object.amount("price").map(|price| Self {
            price,
            success_rate: object.amount("success_rate"),
        });
        price.ok_or_else(|| Failure::Unreadable("not a price".to_owned()))
    }

    /// Prints a reply.
    pub fn print(&self) -> String {
        #[derive(Serialize)]
        struct Printed {
            price: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            success_rate: Option<String>,
        }
        print(&Printed {
            price: self.price.normalize().to_string(),
            success_rate: self.success_rate.map(|rate| rate.normalize().to_string()),
        })
    }
}

/// One thing on sale.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceCell {
    /// Id of the service.
    pub service: String,
    /// Name of the service; not read from answers.
    pub service_name: Option<String>,
    /// Id of the country.
    pub country: String,
    /// Name of the country; not read from answers.
    pub country_name: Option<String>,
    /// Two letters of the country; not read from answers.
    pub short_name: Option<String>,
    /// Id of the pool.
    pub pool: Option<String>,
    /// Price, in dollars.
    pub price: Option<Decimal>,
    /// Numbers in stock, in `sms/all_stock`.
    pub stock: Option<u64>,
}

/// The members of a row that are looked at. Names are left where they are: they repeat in each of
/// a million rows.
#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    service: Node<'a>,
    #[serde(borrow)]
    country: Node<'a>,
    #[serde(borrow, default)]
    pool: Option<Node<'a>>,
    #[serde(borrow, default)]
    price: Option<Node<'a>>,
    #[serde(borrow, default)]
    stock: Option<Node<'a>>,
}

impl Row<'_> {
    fn cell(&self) -> Option<PriceCell> {
        let text = |node: Option<Node<'_>>| node.and_then(Node::text);
        Some(PriceCell {
            service: id(&self.service.text()?)?,
            country: id(&self.country.text()?)?,
            pool: text(self.pool).and_then(|text| id(&text)),
            price: text(self.price).and_then(|text| amount(&text)),
            stock: text(self.stock).and_then(|text| count(&text)),
            ..PriceCell::default()
        })
    }
}

/// Reply to `request/pricing` or `sms/all_stock`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PriceList {
    /// What is on sale.
    pub cells: Vec<PriceCell>,
}

impl PriceList {
    /// Hands over each row of a reply and returns how many could not be read. A list in which
    /// nothing at all could be read is a failure.
    pub fn each(answer: Answer<'_>, mut take: impl FnMut(PriceCell)) -> Result<usize, Failure> {
        let (mut read, mut skipped) = (0_usize, 0_usize);
        let is_list =
            open(answer)?.each(
                |node| match node.typed::<Row<'_>>().and_then(|row| row.cell()) {
                    Some(cell) => {
                        read += 1;
                        take(cell);
                    }
                    None => skipped += 1,
                },
            );
        match is_list && (read > 0 || skipped == 0) {
            true => Ok(skipped),
            false => Err(Failure::Unreadable("not a list of prices".to_owned())),
        }
    }

    /// Prints a reply: prices as strings, ids as integers.
    pub fn print(&self) -> String {
        #[derive(Serialize)]
        struct Printed<'a> {
            service: Id<'a>,
            #[serde(skip_serializing_if = "Option::is_none")]
            service_name: Option<&'a str>,
            country: Id<'a>,
            #[serde(skip_serializing_if = "Option::is_none")]
            country_name: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            short_name: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            pool: Option<Id<'a>>,
            #[serde(skip_serializing_if = "Option::is_none")]
            stock: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            price: Option<String>,
        }
        let rows = self.cells.iter().map(|cell| Printed {
            service: Id(&cell.service),
            service_name: cell.service_name.as_deref(),
            country: Id(&cell.country),
            country_name: cell.country_name.as_deref(),
            short_name: cell.short_name.as_deref(),
            pool: cell.pool.as_deref().map(Id),
            stock: cell.stock,
            price: cell.price.map(|price| price.normalize().to_string()),
        });
        print(&rows.collect::<Vec<_>>())
    }
}
