//! What the search of `/numbers` finds before a country is chosen: countries by name, and services
//! with the countries they are sold in.

use super::{Search, flag};
use crate::door::Door;
use app::{Refusal, ServerChoice, ServiceFound};
use domain::access::Caller;
use minijinja::{Value, context};

/// Services whose countries are shown while their name is typed.
const SERVICES_MAX: usize = 3;
/// Countries shown of each, the cheapest.
const COUNTRIES_MAX: usize = 12;
/// Services named besides.
const OTHERS_MAX: usize = 20;

pub(super) fn values(door: &Door, caller: &Caller, search: &Search) -> Result<Value, Refusal> {
    let values = if search.service.is_empty() {
        by_text(door, caller, &search.text)?
    } else {
        let found = door.engine.countries_of(caller, &search.service);
        let service = service(&found, found.countries.len());
        context! { service }
    };
    Ok(context! { country => Value::from(()), ..values })
}

fn by_text(door: &Door, caller: &Caller, text: &str) -> Result<Value, Refusal> {
    let countries = door.engine.list_countries(&ServerChoice::All)?;
    let shown: Vec<Value> = countries
        .iter()
        .filter(|country| country.name.to_lowercase().contains(text))
        .map(|country| {
            context! {
                key => &country.key,
                name => &country.name,
                flag => flag(&country.key),
                servers => country.providers.len(),
            }
        })
        .collect();
    let (names, more) = match text {
        "" => (Vec::new(), false),
        _ => door
            .engine
            .services_like(caller, text, SERVICES_MAX + OTHERS_MAX),
    };
    let (first, others) = names.split_at(names.len().min(SERVICES_MAX));
    let first = first
        .iter()
        .map(|name| door.engine.countries_of(caller, name));
    let found: Vec<Value> = first
        .filter(|found| !found.countries.is_empty())
        .map(|one| service(&one, COUNTRIES_MAX))
        .collect();
    let others: Vec<Value> = others.iter().map(|name| Value::from(&**name)).collect();
    let service = Value::from(());
    Ok(context! { service, q => text, countries => shown, found, others, more })
}

/// A service with its cheapest countries.
fn service(found: &ServiceFound, most: usize) -> Value {
    let countries = found.countries.iter().take(most).map(|one| {
        context! {
            key => &*one.key,
            name => &*one.name,
            flag => flag(&one.key),
            price => one.price.0,
            routes => one.routes,
            sold_out => one.sold_out,
        }
    });
    context! {
        name => &*found.name,
        all => found.countries.len(),
        countries => countries.collect::<Vec<Value>>(),
    }
}
