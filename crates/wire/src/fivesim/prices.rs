//! Reply to `/guest/prices`: the whole list is many megabytes, so rows are shown one by one.

use super::failure::{PRICES_NONE, open, shape};
use super::slug::Slug;
use crate::amount::{amount, count};
use crate::answer::Answer;
use crate::handler_api::Failure;
use crate::json::{Exact, Keyed, Node, print};
use rust_decimal::Decimal;
use serde::Serialize;

/// Most rows looked at.
const ROWS_MAX: usize = 2_000_000;
/// Names of the delivery figures, in the order of [`Rates`].
const RATES: [&str; 4] = ["rate", "rate24", "rate168", "rate720"];

/// One thing on sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceRow {
    /// Country.
    pub country: Slug,
    /// Product.
    pub product: Slug,
    /// Operator.
    pub operator: Slug,
    /// Price, in the account's currency.
    pub cost: Decimal,
    /// Numbers in stock.
    pub count: u64,
    /// How many of them were delivered.
    pub rates: Rates,
}

/// Share of numbers that got their message, in percent, over several windows. A missing figure
/// means too few orders to tell, a zero that all of them failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// The figure shown to people.
    pub shown: Option<Decimal>,
    /// Over a day.
    pub day: Option<Decimal>,
    /// Over a week.
    pub week: Option<Decimal>,
    /// Over a month: lags a dead operator by weeks.
    pub month: Option<Decimal>,
}

impl Rates {
    /// The figure to choose by: the shortest window that says something; a week in which
    /// everything failed outweighs whatever the month remembers.
    pub fn recent(&self) -> Option<Decimal> {
        let above_zero = |rate: &Decimal| *rate > Decimal::ZERO;
        self.day
            .filter(above_zero)
            .or(self.week)
            .or(self.month)
            .or(self.shown)
    }
}

/// What stands outermost in the list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceOrder {
    /// Country, product, operator: the usual.
    Country,
    /// Product, country, operator: where only a product was asked for.
    Product,
}

/// Reads a reply, showing each row to `see`; rows that cannot be read are counted and the count is
/// given back. `null` means that nothing is sold. A list in which nothing at all could be read is
/// a failure.
pub fn read_prices(
    answer: Answer<'_>,
    order: PriceOrder,
    mut see: impl FnMut(PriceRow),
) -> Result<usize, Failure> {
    if answer.is_success() && answer.text() == PRICES_NONE {
        return Ok(0);
    }
    let (mut rows, mut skipped) = (0_usize, 0_usize);
    let read = open(answer)?.each_member(|outer, inside| {
        let inner = inside.each_member(|inner, operators| {
            let all = operators.each_member(|operator, cell| {
                let (country, product) = match order {
                    PriceOrder::Country => (outer, inner),
                    PriceOrder::Product => (inner, outer),
                };
                match read_row([country, product, operator], cell) {
                    Some(row) if rows < ROWS_MAX => {
                        rows += 1;
                        see(row);
                    }
                    _ => skipped += 1,
                }
            });
            skipped += usize::from(all.is_none());
        });
        skipped += usize::from(inner.is_none());
    });
    match read {
        Some(()) if rows > 0 || skipped == 0 => Ok(skipped),
        _ => Err(shape("a price list")),
    }
}

fn read_row([country, product, operator]: [&str; 3], cell: Node<'_>) -> Option<PriceRow> {
    let (mut cost, mut stock) = (None, None);
    let mut rates = [None; RATES.len()];
    cell.each_member(|member, node| {
        let text = || node.text();
        match member {
            "cost" => cost = text().and_then(|text| amount(&text)),
            "count" => stock = text().and_then(|text| count(&text)),
            rate => {
                if let Some(at) = RATES.iter().position(|known| *known == rate) {
                    rates[at] = text().and_then(|text| amount(&text)).filter(is_percent);
                }
            }
        }
    })?;
    let [shown, day, week, month] = rates;
    Some(PriceRow {
        country: Slug::parse(country)?,
        product: Slug::parse(product)?,
        operator: Slug::parse(operator)?,
        cost: cost?,
        count: stock?,
        rates: Rates {
            shown,
            day,
            week,
            month,
        },
    })
}

fn is_percent(rate: &Decimal) -> bool {
    *rate <= Decimal::ONE_HUNDRED
}

#[derive(Serialize)]
struct Cell {
    cost: Exact,
    count: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate: Option<Exact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate24: Option<Exact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate168: Option<Exact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rate720: Option<Exact>,
}

impl Cell {
    fn of(row: &PriceRow) -> Self {
        Self {
            cost: Exact(row.cost),
            count: row.count,
            rate: row.rates.shown.map(Exact),
            rate24: row.rates.day.map(Exact),
            rate168: row.rates.week.map(Exact),
            rate720: row.rates.month.map(Exact),
        }
    }
}

/// Cells by what stands second and by operator.
type Operators<'a> = Keyed<&'a str, Keyed<&'a str, Cell>>;

/// Prints a reply; `null` where there are no rows. Rows of one country and product stand together.
pub fn print_prices(rows: &[PriceRow], order: PriceOrder) -> String {
    if rows.is_empty() {
        return PRICES_NONE.to_owned();
    }
    let mut outer: Vec<(&str, Operators<'_>)> = Vec::new();
    for row in rows {
        let (country, product) = (row.country.as_str(), row.product.as_str());
        let (first, second) = match order {
            PriceOrder::Country => (country, product),
            PriceOrder::Product => (product, country),
        };
        let inner = last_or_new(&mut outer, first, || Keyed(vec![]));
        let cells = last_or_new(&mut inner.0, second, || Keyed(vec![]));
        cells.0.push((row.operator.as_str(), Cell::of(row)));
    }
    print(&Keyed(outer))
}

/// The value under a key, made where the last one has another key: rows come grouped.
fn last_or_new<'a, 'b, V>(
    rows: &'b mut Vec<(&'a str, V)>,
    key: &'a str,
    make: impl FnOnce() -> V,
) -> &'b mut V {
    if rows.last().is_none_or(|(last, _)| *last != key) {
        rows.push((key, make()));
    }
    let at = rows.len() - 1;
    &mut rows[at].1
}
