//! Replies to the three price lists.

use super::catalogue::json;
use super::failure::Failure;
use crate::amount::{amount, count, id};
use crate::answer::Answer;
use crate::json::{Exact, Id, Keyed, Node, Object, print};
use rust_decimal::Decimal;
use serde::Serialize;

/// Most rows taken: many times what the largest seller lists, and still held in memory.
const ROWS_MAX: usize = 1_000_000;

/// One thing on sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRow {
    /// Country id.
    pub country: String,
    /// Service code.
    pub service: String,
    /// Provider (pool) id, in lists per provider.
    pub pool: Option<String>,
    /// Price, in the account's currency.
    pub cost: Decimal,
    /// Numbers in stock.
    pub count: u64,
    /// Numbers in stock that are real cards, where stated.
    pub physical_count: Option<u64>,
}

/// Which of the three price lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceShape {
    /// `getPrices` (and `getPricesExtended`, with a ladder in `freePriceMap`): one price per country
    /// and service.
    Single,
    /// `getPricesV2`: stock by price.
    Ladder,
    /// `getPricesV3`: price and stock per provider.
    PerProvider,
}

/// Reply to `getPrices`, `getPricesV2` or `getPricesV3`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Prices {
    /// Rows that could be read; empty means that nothing is on sale.
    pub rows: Vec<PriceRow>,
    /// Rows that could not.
    pub skipped: usize,
}

impl Prices {
    /// Reads a reply: country, then service, then what the shape says. Empty arrays stand for
    /// empty objects. A list in which nothing at all could be read is a failure.
    pub fn parse(answer: Answer<'_>, shape: PriceShape) -> Result<Self, Failure> {
        let node = json(answer, "prices")?;
        let countries = keyed(node).ok_or_else(|| Failure::shape("a price list"))?;
        let mut prices = Self::default();
        for (country, services) in &countries.0 {
            match (id(country), keyed(*services)) {
                (Some(country), Some(services)) => prices.add(&country, &services, shape),
                _ => prices.skipped += 1,
            }
            if prices.rows.len() > ROWS_MAX {
                return Err(Failure::shape("a price list of fewer than a million rows"));
            }
        }
        if prices.rows.is_empty() && prices.skipped > 0 {
            return Err(Failure::shape("a price list"));
        }
        Ok(prices)
    }

    fn add(&mut self, country: &str, services: &Object<'_>, shape: PriceShape) {
        for (service, node) in &services.0 {
            if self.rows.len() > ROWS_MAX {
                return;
            }
            match id(service).and_then(|service| {
                let place = Place {
                    country,
                    service: &service,
                };
                place.rows(*node, shape)
            }) {
                Some((rows, skipped)) => {
                    self.rows.extend(rows);
                    self.skipped += skipped;
                }
                None => self.skipped += 1,
            }
        }
    }

    /// Prints a reply. Rows of one country stand together, in order of first mention; in a ladder
    /// the pool, and in a single price list everything after the first row of a service, is lost.
    pub fn print(&self, shape: PriceShape) -> String {
        let mut countries: Keyed<&str, Keyed<&str, Vec<&PriceRow>>> = Keyed(vec![]);
        for row in &self.rows {
            let services = entry(&mut countries, &row.country, || Keyed(vec![]));
            entry(services, &row.service, Vec::new).push(row);
        }
        let shaped = countries.0.into_iter().map(|(country, services)| {
            let cells = services
                .0
                .into_iter()
                .map(|(service, rows)| (service, cell(&rows, shape)));
            (country, Keyed(cells.collect()))
        });
        print(&Keyed(shaped.collect()))
    }
}

/// Where a price stands.
struct Place<'a> {
    country: &'a str,
    service: &'a str,
}

impl Place<'_> {
    fn row(&self, pool: Option<String>, cost: Decimal, count: u64) -> PriceRow {
        PriceRow {
            country: self.country.to_owned(),
            service: self.service.to_owned(),
            pool,
            cost,
            count,
            physical_count: None,
        }
    }

    /// Rows of one service, and how many could not be read.
    fn rows(&self, node: Node<'_>, shape: PriceShape) -> Option<(Vec<PriceRow>, usize)> {
        let object = keyed(node)?;
        if shape == PriceShape::Single {
            if object.0.is_empty() {
                return Some((vec![], 0));
            }
            if let Some(ladder) = object.get("freePriceMap").and_then(keyed)
                && !ladder.0.is_empty()
            {
                return Some(self.rungs(&ladder));
            }
            let Some(cost) = object.amount("cost").or_else(|| object.amount("price")) else {
                // one dialect answers the stock by price here too
                return Some(self.rungs(&object)).filter(|(rows, _)| !rows.is_empty());
            };
            let mut row = self.row(None, cost, object.count("count")?);
            row.physical_count = object.count("physicalCount");
            return Some((vec![row], 0));
        }
        if shape == PriceShape::Ladder {
            return Some(self.rungs(&object));
        }
        let read = |(key, value): &(String, Node<'_>)| {
            let provider = value.object()?;
            let pool = provider.id(&["provider_id"]).or_else(|| id(key))?;
            Some(self.row(
                Some(pool),
                provider.amount("price")?,
                provider.count("count")?,
            ))
        };
        let rows: Vec<PriceRow> = object.0.iter().filter_map(read).collect();
        let skipped = object.0.len() - rows.len();
        Some((rows, skipped))
    }

    /// Stock by price, and how many rungs could not be read.
    fn rungs(&self, ladder: &Object<'_>) -> (Vec<PriceRow>, usize) {
        let read = |(key, value): &(String, Node<'_>)| {
            Some(self.row(None, amount(key)?, count(&value.text()?)?))
        };
        let rows: Vec<PriceRow> = ladder.0.iter().filter_map(read).collect();
        let skipped = ladder.0.len() - rows.len();
        (rows, skipped)
    }
}

/// What stands under one service.
#[derive(Serialize)]
#[serde(untagged)]
enum Cell<'a> {
    Single {
        cost: Exact,
        count: u64,
        #[serde(rename = "physicalCount", skip_serializing_if = "Option::is_none")]
        physical_count: Option<u64>,
    },
    Ladder(Keyed<String, u64>),
    PerProvider(Keyed<&'a str, Provider<'a>>),
    Nothing {},
}

#[derive(Serialize)]
struct Provider<'a> {
    count: u64,
    price: Exact,
    provider_id: Id<'a>,
}

fn cell<'a>(rows: &[&'a PriceRow], shape: PriceShape) -> Cell<'a> {
    match (shape, rows.first()) {
        (_, None) => Cell::Nothing {},
        (PriceShape::Single, Some(row)) => Cell::Single {
            cost: Exact(row.cost),
            count: row.count,
            physical_count: row.physical_count,
        },
        (PriceShape::Ladder, _) => Cell::Ladder(Keyed(
            rows.iter()
                .map(|row| (row.cost.to_string(), row.count))
                .collect(),
        )),
        (PriceShape::PerProvider, _) => {
            let provider = |row: &&'a PriceRow| {
                let pool = row.pool.as_deref().unwrap_or("0");
                let price = Exact(row.cost);
                (
                    pool,
                    Provider {
                        count: row.count,
                        price,
                        provider_id: Id(pool),
                    },
                )
            };
            Cell::PerProvider(Keyed(rows.iter().map(provider).collect()))
        }
    }
}

/// The value under a key, made where it is missing. Rows come grouped, so the last is looked at
/// first.
fn entry<'a, 'b, V>(
    keyed: &'b mut Keyed<&'a str, V>,
    key: &'a str,
    make: impl FnOnce() -> V,
) -> &'b mut V {
    let at = keyed
        .0
        .iter()
        .rposition(|(found, _)| *found == key)
        .unwrap_or_else(|| {
            keyed.0.push((key, make()));
            keyed.0.len() - 1
        });
    &mut keyed.0[at].1
}

/// An object, or the empty array that stands for one.
fn keyed(node: Node<'_>) -> Option<Object<'_>> {
    node.object()
        .or_else(|| node.is_empty_array().then(Object::default))
}
