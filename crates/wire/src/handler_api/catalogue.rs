//! Replies to `getCountries` and `getServicesList`.

use super::failure::{Body, Failure, open};
use crate::amount::{cut, id};
use crate::answer::Answer;
use crate::json::{Id, Keyed, Node, print};
use serde::Serialize;

/// Longest name carried on, in characters.
const NAME_MAX: usize = 200;

/// One country.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Country {
    /// The server's own id.
    pub id: String,
    /// English name.
    pub name: String,
    /// Whether it is on sale.
    pub visible: bool,
}

/// Reply to `getCountries`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Countries(pub Vec<Country>);

impl Countries {
    /// Reads a reply: an object by id, or an array of the same rows; rows without id or name are
    /// left out.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let rows = rows(json(answer, "countries")?, "countries");
        let rows = rows.ok_or_else(|| Failure::shape("a list of countries"))?;
        Ok(Self(
            rows.iter()
                .filter_map(|(key, row)| Self::read(key.as_deref(), *row))
                .collect(),
        ))
    }

    fn read(key: Option<&str>, row: Node<'_>) -> Option<Country> {
        let object = row.object()?;
        let own = object.id(&["id"]);
        Some(Country {
            id: own.or_else(|| id(key?))?,
            name: cut(object.text(&["eng", "name"])?.trim(), NAME_MAX),
            visible: object.get("visible").is_none() || object.flag("visible"),
        })
    }

    /// Prints the classic reply: an object by id.
    pub fn print(&self) -> String {
        print(&Keyed(
            self.printed()
                .into_iter()
                .map(|row| (row.id.0, row))
                .collect(),
        ))
    }

    /// Prints an array, as some dialects do.
    pub fn print_array(&self) -> String {
        print(&self.printed())
    }

    fn printed(&self) -> Vec<PrintedCountry<'_>> {
        self.0.iter().map(PrintedCountry::of).collect()
    }
}

#[derive(Serialize)]
struct PrintedCountry<'a> {
    id: Id<'a>,
    rus: &'a str,
    eng: &'a str,
    chn: &'a str,
    visible: u8,
    retry: u8,
    rent: u8,
    #[serde(rename = "multiService")]
    multi_service: u8,
}

impl<'a> PrintedCountry<'a> {
    fn of(country: &'a Country) -> Self {
        Self {
            id: Id(&country.id),
            rus: &country.name,
            eng: &country.name,
            chn: &country.name,
            visible: u8::from(country.visible),
            retry: 1,
            rent: 0,
            multi_service: 0,
        }
    }
}

/// One service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Service {
    /// The server's own code.
    pub code: String,
    /// Name.
    pub name: String,
}

/// How a list of services is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceShape {
    /// `{"status":"success","services":[…]}`: classic.
    Wrapped,
    /// `[…]`.
    Array,
    /// `{"tg":{"code":"tg","name":"Telegram"}}`.
    Object,
}

/// Reply to `getServicesList`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Services(pub Vec<Service>);

impl Services {
    /// Reads a reply: wrapped, an array, an object of rows, or an object of names; rows without
    /// code or name are left out.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let rows = rows(json(answer, "services")?, "services");
        let rows = rows.ok_or_else(|| Failure::shape("a list of services"))?;
        Ok(Self(
            rows.iter()
                .filter_map(|(key, row)| Self::read(key.as_deref(), *row))
                .collect(),
        ))
    }

    fn read(key: Option<&str>, row: Node<'_>) -> Option<Service> {
        let name = |text: String| cut(text.trim(), NAME_MAX);
        match row.object() {
            Some(object) => Some(Service {
                code: object.id(&["code", "id"]).or_else(|| id(key?))?,
                name: name(object.text(&["name"])?),
            }),
            None => Some(Service {
                code: id(key?)?,
                name: name(row.string()?),
            }),
        }
    }

    /// Prints the reply in the shape asked for.
    pub fn print(&self, shape: ServiceShape) -> String {
        #[derive(Serialize)]
        struct Wrapped<'a> {
            status: &'a str,
            services: &'a [Service],
        }
        match shape {
            ServiceShape::Wrapped => print(&Wrapped {
                status: "success",
                services: &self.0,
            }),
            ServiceShape::Array => print(&self.0),
            ServiceShape::Object => print(&Keyed(
                self.0
                    .iter()
                    .map(|service| (&service.code, service))
                    .collect(),
            )),
        }
    }
}

/// The document of an answer that must be JSON.
pub(super) fn json<'a>(answer: Answer<'a>, what: &str) -> Result<Node<'a>, Failure> {
    match open(answer)? {
        Body::Json(node) => Ok(node),
        Body::Word(_) => Err(Failure::shape(what)),
    }
}

/// Rows of a list that is an array, an object by key, or either of them under `wrapper`.
fn rows<'a>(node: Node<'a>, wrapper: &str) -> Option<Vec<(Option<String>, Node<'a>)>> {
    let inner = node
        .object()
        .and_then(|object| object.get(wrapper).or_else(|| object.get("data")));
    let node = inner.unwrap_or(node);
    match node.items() {
        Some(items) => Some(items.into_iter().map(|item| (None, item)).collect()),
        None => Some(
            node.object()?
                .0
                .into_iter()
                .map(|(key, row)| (Some(key), row))
                .collect(),
        ),
    }
}
