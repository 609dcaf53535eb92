//! `services`: what numbers can be bought for, and at what price.

use crate::api_v1::members::{Given, Members};
use crate::api_v1::money::Number;
use crate::api_v1::problem::Problem;
use crate::api_v1::reply::Reply;
use crate::api_v1::{Call, server};
use crate::lists::Key;
use app::{Refusal, ServiceView, ServicesOf};
use serde::Serialize;

/// Longest key of a country, in characters.
pub(super) const COUNTRY_KEY_MAX: usize = 64;
const ROUTES_MAX: usize = 50;

#[derive(Serialize)]
struct View<'a> {
    services: Vec<Service<'a>>,
    provider_sources: Vec<String>,
}

#[derive(Serialize)]
struct Service<'a> {
    service_id: &'a str,
    name: &'a str,
    provider_source: &'a str,
    country_id: &'a str,
    provider_type: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool_id: Option<&'a str>,
    your_price_usd: Number,
    success_rate: Option<u8>,
    success_samples: u32,
    avg_delivery_s: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<u32>,
}

impl<'a> From<&'a ServiceView> for Service<'a> {
    fn from(view: &'a ServiceView) -> Self {
        Self {
            service_id: &view.service_id,
            name: &view.name,
            provider_source: &view.provider_source,
            country_id: &view.country_id,
            provider_type: view.provider_type,
            pool_id: view.pool_id.as_deref(),
            your_price_usd: Number(view.price),
            success_rate: view.success_rate,
            success_samples: view.success_samples,
            avg_delivery_s: view.avg_delivery_s,
            available: view.available,
        }
    }
}

pub(crate) async fn handle(call: Call) -> Result<Reply, Problem> {
    let of = wanted(&call.members)?;
    let payer = call.engine.payer(&call.caller.account);
    let key = Key::Services(of.clone(), payer);
    call.lists.get(&call.engine, key, || {
        let list = call.engine.list_services(payer, &of)?;
        let reply = Reply::ok(View {
            services: list.services.iter().map(Service::from).collect(),
            provider_sources: call.engine.provider_sources(),
        })?;
        Ok((reply.into_body(), list.until))
    })
}

/// One server's list by its own country id, or every server's by the merged country.
fn wanted(members: &Members) -> Result<ServicesOf, Problem> {
    let server = server::named(members)?;
    let provider_type = server::provider_type(members)?;
    let routes = routes(members)?;
    let country_id = members.id("country_id")?;
    let country_key = members.text("country_key", COUNTRY_KEY_MAX)?;
    let one_server = server.as_deref().is_some_and(|name| name != server::ALL);
    match (country_key, country_id) {
        (Some(key), _) if !one_server => Ok(ServicesOf::Country(key.to_owned(), routes)),
        (_, Some(_)) if server.is_some() && !one_server => Err(Problem::missing("country_key")),
        (_, Some(id)) => Ok(ServicesOf::Route(server, id, provider_type)),
        (_, None) => Err(Refusal::MissingCountryId.into()),
    }
}

/// Pairs such as `1:61,2:61`.
fn routes(members: &Members) -> Result<Vec<(i64, String)>, Problem> {
    let pairs = match members.get("routes") {
        None => return Ok(Vec::new()),
        Some(Given::Text(text)) => text.split(',').map(route).collect(),
        Some(_) => None,
    };
    pairs
        .filter(|pairs: &Vec<_>| pairs.len() <= ROUTES_MAX)
        .ok_or_else(|| {
            let why = "must be at most 50 pairs of type and country id such as 1:61,2:61";
            Refusal::InvalidParameter("routes", why.to_owned()).into()
        })
}

fn route(pair: &str) -> Option<(i64, String)> {
    let (provider_type, country_id) = pair.split_once(':')?;
    let provider_type = whole(provider_type, 5)?.parse().ok()?;
    Some((provider_type, whole(country_id, 9)?.to_owned()))
}

/// A whole number in its one spelling, of at most so many digits.
fn whole(text: &str, digits_max: usize) -> Option<&str> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    ((1..=digits_max).contains(&text.len()) && digits && canonical).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api_v1::query;

    #[test]
    fn routes_are_pairs_or_refused() {
        let read = |text: &str| routes(&query::read(text.as_bytes()).members);
        let pair = |number, id: &str| (number, id.to_owned());
        assert_eq!(read("").unwrap(), []);
        assert_eq!(
            read("routes=1:61,2:61").unwrap(),
            [pair(1, "61"), pair(2, "61")]
        );
        let many = format!("routes={}", vec!["1:61"; 51].join(","));
        for bad in [
            "routes=",
            "routes=1:61,",
            "routes=1",
            "routes=:61",
            "routes=a:b",
            "routes=1:61:2",
            "routes=1:",
            "routes=01:61",
            "routes=1:061",
            "routes=1:99999999999999999999",
            "routes=1:61x",
            "routes=-1:61",
            "routes[]=1:61",
            &many,
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
        assert_eq!(read(&many[..many.len() - 5]).unwrap().len(), 50);
    }
}
