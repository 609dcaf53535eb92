//! Replies to `country/retrieve_all`, `service/retrieve_all` and `pool/retrieve_all`.

use super::failure::open;
use super::text::plain;
use crate::amount::cut;
use crate::answer::Answer;
use crate::handler_api::Failure;
use crate::json::{Id, Node, Object, print};
use serde::Serialize;

/// Longest name carried on, in characters.
const NAME_MAX: usize = 200;

/// A country on sale.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Country {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Two letters of ISO 3166-1.
    pub short_name: Option<String>,
    /// Calling code, digits only.
    pub calling_code: Option<String>,
    /// Part of the world.
    pub region: Option<String>,
}

/// Reply to `country/retrieve_all`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Countries(pub Vec<Country>);

impl Countries {
    /// Reads a reply: an array, or an object of rows. Rows without id or name are left out.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let read = |object: &Object<'_>| {
            let field = |name: &str| object.filled(name).map(|text| cut(text.trim(), NAME_MAX));
            Some(Country {
                id: object.id(&["ID", "id"])?,
                name: name(object)?,
                short_name: field("short_name"),
                calling_code: field("cc").map(|code| code.trim_start_matches('+').to_owned()),
                region: field("region"),
            })
        };
        rows(answer, "a list of countries", read).map(Self)
    }

    /// Prints a reply.
    pub fn print(&self) -> String {
        #[derive(Serialize)]
        struct Printed<'a> {
            #[serde(rename = "ID")]
            id: Id<'a>,
            name: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            short_name: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            cc: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            region: Option<&'a str>,
        }
        let rows = self.0.iter().map(|country| Printed {
            id: Id(&country.id),
            name: &country.name,
            short_name: country.short_name.as_deref(),
            cc: country.calling_code.as_deref(),
            region: country.region.as_deref(),
        });
        print(&rows.collect::<Vec<_>>())
    }
}

/// A service or a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
}

/// Reply to `service/retrieve_all` or `pool/retrieve_all`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NamedList(pub Vec<Named>);

impl NamedList {
    /// Reads a reply, as [`Countries::parse`] does.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let read = |object: &Object<'_>| {
            Some(Named {
                id: object.id(&["ID", "id"])?,
                name: name(object)?,
            })
        };
        rows(answer, "a list of names", read).map(Self)
    }

    /// Prints a list of services, none of them a favourite.
    pub fn print_services(&self) -> String {
        self.print(Some(0))
    }

    /// Prints a list of pools.
    pub fn print_pools(&self) -> String {
        self.print(None)
    }

    fn print(&self, favourite: Option<u8>) -> String {
        #[derive(Serialize)]
        struct Printed<'a> {
            #[serde(rename = "ID")]
            id: Id<'a>,
            name: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            favourite: Option<u8>,
        }
        let rows = self.0.iter().map(|row| Printed {
            id: Id(&row.id),
            name: &row.name,
            favourite,
        });
        print(&rows.collect::<Vec<_>>())
    }
}

fn name(object: &Object<'_>) -> Option<String> {
    let name = cut(&plain(&object.filled("name")?), NAME_MAX);
    (!name.is_empty()).then_some(name)
}

fn rows<T>(
    answer: Answer<'_>,
    what: &str,
    read: impl Fn(&Object<'_>) -> Option<T>,
) -> Result<Vec<T>, Failure> {
    let mut found = Vec::new();
    let is_list = open(answer)?.each(|node: Node<'_>| {
        found.extend(node.object().as_ref().and_then(&read));
    });
    match is_list {
        true => Ok(found),
        false => Err(Failure::Unreadable(format!("not {what}"))),
    }
}
