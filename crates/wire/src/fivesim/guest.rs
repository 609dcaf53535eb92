//! Replies to `/guest/countries` and `/guest/products`.

use super::failure::{open, shape};
use super::slug::Slug;
use crate::amount::cut;
use crate::answer::Answer;
use crate::handler_api::Failure;
use crate::json::{Exact, Keyed, Node, print};
use rust_decimal::Decimal;
use serde::Serialize;

/// Longest name carried on, in characters.
const NAME_MAX: usize = 200;
/// Most rows looked at.
const ROWS_MAX: usize = 100_000;

/// One country.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Country {
    /// What it is called in paths.
    pub slug: Slug,
    /// English name.
    pub name: String,
    /// Two-letter code in lower case, where stated.
    pub iso: Option<String>,
    /// Calling code with a plus, where stated.
    pub prefix: Option<String>,
    /// Operators that sell there.
    pub operators: Vec<Slug>,
}

/// Reply to `/guest/countries`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Countries {
    /// Rows that could be read.
    pub rows: Vec<Country>,
    /// Rows that could not.
    pub skipped: usize,
}

impl Countries {
    /// Reads a reply.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let mut countries = Self::default();
        let seen = open(answer)?.each_member(|slug, row| match read_country(slug, row) {
            Some(country) if countries.rows.len() < ROWS_MAX => countries.rows.push(country),
            _ => countries.skipped += 1,
        });
        seen.map(|()| countries)
            .ok_or_else(|| shape("a list of countries"))
    }

    /// Prints a reply. Names stand before operators: some clients count positions.
    pub fn print(&self) -> String {
        let rows = self.rows.iter();
        print(&Keyed(
            rows.map(|row| (row.slug.as_str(), print_country(row)))
                .collect(),
        ))
    }
}

fn read_country(slug: &str, row: Node<'_>) -> Option<Country> {
    let (mut name, mut iso, mut prefix) = (None, None, None);
    let mut operators = Vec::new();
    row.each_member(|member, node| match member {
        "text_en" => name = node.string(),
        "iso" => iso = only_key(node),
        "prefix" => prefix = only_key(node),
        "text_ru" => {}
        operator if operators.len() < ROWS_MAX => operators.extend(Slug::parse(operator)),
        _ => {}
    })?;
    let name = cut(name?.trim(), NAME_MAX);
    (!name.is_empty()).then_some(Country {
        slug: Slug::parse(slug)?,
        name,
        iso,
        prefix,
        operators,
    })
}

/// `{"ru":1}`: the first name of an object whose names are the data.
fn only_key(node: Node<'_>) -> Option<String> {
    let mut first = None;
    node.each_member(|key, _| {
        first.get_or_insert_with(|| cut(key, NAME_MAX));
    })?;
    first
}

fn as_key(text: Option<&str>) -> Member<'_> {
    Member::Key(Keyed(text.map(|key| (key, 1)).into_iter().collect()))
}

/// What stands under a country's members.
#[derive(Serialize)]
#[serde(untagged)]
enum Member<'a> {
    Key(Keyed<&'a str, u8>),
    Name(&'a str),
    Sells { activation: u8 },
}

fn print_country(country: &Country) -> Keyed<&str, Member<'_>> {
    let mut members = vec![
        ("iso", as_key(country.iso.as_deref())),
        ("prefix", as_key(country.prefix.as_deref())),
        ("text_en", Member::Name(country.name.as_str())),
        ("text_ru", Member::Name(country.name.as_str())),
    ];
    let operators = country.operators.iter();
    members.extend(operators.map(|one| (one.as_str(), Member::Sells { activation: 1 })));
    Keyed(members)
}

/// One product of a country and operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Product {
    /// What it is called in paths.
    pub slug: Slug,
    /// Numbers in stock.
    pub count: u64,
    /// Price, in the account's currency.
    pub price: Decimal,
}

/// Reply to `/guest/products/{country}/{operator}`: activations alone, numbers for days are
/// another trade.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Products {
    /// Rows that could be read.
    pub rows: Vec<Product>,
    /// Rows that could not.
    pub skipped: usize,
}

impl Products {
    /// Reads a reply.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let mut products = Self::default();
        let seen = open(answer)?.each_member(|slug, row| match read_product(slug, row) {
            Some(Some(product)) if products.rows.len() < ROWS_MAX => products.rows.push(product),
            Some(None) => {}
            _ => products.skipped += 1,
        });
        seen.map(|()| products)
            .ok_or_else(|| shape("a list of products"))
    }

    /// Prints a reply.
    pub fn print(&self) -> String {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Printed<'a> {
            category: &'a str,
            qty: u64,
            price: Exact,
        }
        let printed = |row: &Product| Printed {
            category: "activation",
            qty: row.count,
            price: Exact(row.price),
        };
        let rows = self.rows.iter();
        print(&Keyed(
            rows.map(|row| (row.slug.as_str(), printed(row))).collect(),
        ))
    }
}

/// A row; an inner nothing for one of another trade.
fn read_product(slug: &str, row: Node<'_>) -> Option<Option<Product>> {
    let (mut category, mut count, mut price) = (None, None, None);
    row.each_member(|member, node| match member {
        "Category" => category = node.string(),
        "Qty" => count = node.text().and_then(|text| crate::amount::count(&text)),
        "Price" => price = node.text().and_then(|text| crate::amount::amount(&text)),
        _ => {}
    })?;
    if category?.trim() != "activation" {
        return Some(None);
    }
    Some(Some(Product {
        slug: Slug::parse(slug)?,
        count: count?,
        price: price?,
    }))
}
