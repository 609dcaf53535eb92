//! The public server of a request, under its three names.

use super::members::{Given, Members};
use super::problem::Problem;

pub(crate) const NAMES: [&str; 3] = ["server", "provider_source", "source"];
const LENGTH_MAX: usize = 64;

/// Stands for every enabled server.
pub(crate) const ALL: &str = "all";

/// The server that is named, if any.
pub(crate) fn named(members: &Members) -> Result<Option<String>, Problem> {
    let mut named: Option<(&str, &Given)> = None;
    for name in NAMES {
        let Some(given) = members.get(name) else {
            continue;
        };
        match named {
            Some((first, other)) if other != given => {
                let sentence = format!("Parameters {first} and {name} name different servers.");
                return Err(Problem::bad("conflicting_parameters", sentence));
            }
            _ => named = Some((name, given)),
        }
    }
    match named {
        None => Ok(None),
        Some((name, Given::Text(text))) if text.chars().count() > LENGTH_MAX => {
            Err(Problem::too_long(name, LENGTH_MAX))
        }
        Some((_, Given::Text(text))) => Ok(Some(text.clone())),
        Some((name, _)) => Err(Problem::bad(
            "unknown_server",
            format!("Parameter {name} must be the name of one server."),
        )),
    }
}

/// The typed route that is named, if any.
pub(crate) fn provider_type(members: &Members) -> Result<Option<i64>, Problem> {
    const GREATEST: i128 = 65_535;
    let given = match members.whole("provider_type") {
        None => return Ok(None),
        Some(given) => given.ok().filter(|number| *number <= GREATEST),
    };
    let narrow = given.and_then(|number| i64::try_from(number).ok());
    narrow.map(Some).ok_or_else(|| {
        let sentence = "Parameter provider_type must be a whole number from 0 to 65535.";
        Problem::bad("invalid_provider_type", sentence)
    })
}
