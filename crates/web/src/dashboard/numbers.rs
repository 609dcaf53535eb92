//! `/numbers`: choose a country and a service, compare routes, buy; and the live list of numbers
//! that wait for their code.

mod found;
mod live;

pub use live::Streams;

use super::fields::{Fields, Form};
use super::page::{Failed, Page};
use super::session::{Away, Customer, Visitor};
use super::{link, once};
use crate::door::Door;
use app::{BuyNumber, Place, Purchased, Refusal, ServiceView, ServicesOf};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::access::Caller;
use domain::countries;
use domain::ids::OrderId;
use domain::usd::Usd;
use minijinja::{Value, context};
use std::sync::Arc;

/// Services shown at once; a search narrows them.
const SERVICES_MAX: usize = 60;

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/numbers", get(show))
        .route("/numbers/buy", post(buy))
        .route("/numbers/cancel", post(cancel))
        .route("/numbers/live", get(live::part))
        .route("/numbers/events", get(live::events))
}

/// What the reader looks for.
struct Search {
    /// Canonical country.
    country: String,
    /// Name of a service, whose countries are wanted.
    service: String,
    /// Part of a country's or service's name.
    text: String,
}

impl Search {
    fn of(visitor: &Visitor) -> Self {
        Self {
            country: visitor.asked("country"),
            service: visitor.asked("service"),
            text: visitor.asked("q").trim().to_lowercase(),
        }
    }
}

async fn show(State(door): State<Arc<Door>>, customer: Customer) -> Response {
    let search = Search::of(&customer.visitor);
    numbers_page(&door, &customer, &search, None).await
}

async fn numbers_page(
    door: &Door,
    customer: &Customer,
    search: &Search,
    failed: Option<Failed>,
) -> Response {
    let page = Page::new(&customer.visitor, "Numbers").under("numbers");
    let caller = Caller::signed_in(customer.account.clone());
    let live = match live::values(door, &caller).await {
        Ok(live) => live,
        Err(failed) => return page.failed(&failed),
    };
    let offer = if search.country.is_empty() {
        found::values(door, &caller, search)
    } else {
        services_of(door, &caller, search)
    };
    match offer {
        Ok(offer) => page
            .with_failure(failed)
            .show("numbers.html", context! { ..offer, ..live }),
        Err(refusal) => page.failed(&refusal.into()),
    }
}

/// The two letters by which a flag is found; none for what is no country of the list.
pub(super) fn flag(country_key: &str) -> String {
    countries::by_key(country_key).map_or_else(String::new, |country| country.iso2.to_lowercase())
}

pub(super) fn country_name(country_key: &str) -> String {
    countries::by_key(country_key).map_or_else(|| country_key.to_owned(), |one| one.name.to_owned())
}

fn services_of(door: &Door, caller: &Caller, search: &Search) -> Result<Value, Refusal> {
    let of = ServicesOf::Country(search.country.clone(), Vec::new());
    let list = door
        .engine
        .list_services(door.engine.payer(&caller.account), &of)?;
    let mut groups: Vec<Vec<&ServiceView>> = Vec::new();
    // by name and then price: equal names stand together, the best price first
    for one in &list.services {
        if !one.name.to_lowercase().contains(&search.text) {
            continue;
        }
        match groups.last_mut() {
            Some(group) if group[0].name == one.name => group.push(one),
            _ => groups.push(vec![one]),
        }
    }
    let more = groups.len().saturating_sub(SERVICES_MAX);
    let shown: Result<Vec<Value>, Refusal> = groups
        .iter()
        .take(SERVICES_MAX)
        .map(|group| service(group))
        .collect();
    Ok(context! {
        country => context! {
            key => &search.country,
            name => country_name(&search.country),
            flag => flag(&search.country),
        },
        service => Value::from(()),
        q => &search.text,
        services => shown?,
        more,
    })
}

/// One service with its routes. Each form has a key of its own, and each of its routes one made of
/// that: sent twice it buys once.
fn service(group: &[&ServiceView]) -> Result<Value, Refusal> {
    let best = group[0];
    let routes = group.iter().map(|route| {
        context! {
            chosen => chosen(route),
            server => &*route.provider_source,
            provider_type => route.provider_type,
            pool_id => route.pool_id.as_deref(),
            price => route.price.0,
            rate => route.success_rate,
            samples => route.success_samples,
            delivery => route.avg_delivery_s,
            available => route.available,
        }
    });
    Ok(context! {
        name => &*best.name,
        price => best.price.0,
        exact => best.price.to_string(),
        once => once::key()?,
        rate => group.iter().filter_map(|route| route.success_rate).max(),
        routes => routes.collect::<Vec<Value>>(),
    })
}

/// A route as the value of its button: what is bought there, at the price that is shown.
fn chosen(route: &ServiceView) -> String {
    let provider_type = route.provider_type.to_string();
    form_urlencoded::Serializer::new(String::new())
        .append_pair("server", &route.provider_source)
        .append_pair("service", &route.service_id)
        .append_pair("country_id", &route.country_id)
        .append_pair("provider_type", &provider_type)
        .append_pair("pool_id", route.pool_id.as_deref().unwrap_or_default())
        .append_pair("max_price", &route.price.to_string())
        .finish()
}

/// What the pressed button of a form asks for: a route, or the best one.
fn order_of(form: &Fields) -> Result<BuyNumber, Failed> {
    let chosen = form.filled("route");
    let chosen = chosen.map(|route| Fields::parse(route.as_bytes()));
    let fields = chosen.as_ref().unwrap_or(form);
    let max_price = fields.filled("max_price").map(Usd::parse).transpose();
    let max_price = max_price
        .map_err(|_| Failed::field("max_price", "The most you pay is an amount such as 0.05."))?;
    let place = match fields.filled("server") {
        Some(server) => Place::Route {
            country_id: fields.text("country_id").to_owned(),
            server: Some(server.to_owned()),
            provider_type: fields.number("provider_type"),
            pool_id: fields.filled("pool_id").map(str::to_owned),
        },
        None => Place::Everywhere {
            country_key: fields.text("country").to_owned(),
        },
    };
    Ok(BuyNumber {
        service: fields.text("service").to_owned(),
        place,
        max_price,
    })
}

async fn buy(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    let search = Search {
        country: form.fields.text("country").to_owned(),
        service: String::new(),
        text: form.fields.text("q").to_owned(),
    };
    let failed = match bought(&door, &customer, &form.fields).await {
        Ok(there) => return Ok(Redirect::to(&there).into_response()),
        Err(failed) => failed,
    };
    Ok(numbers_page(&door, &customer, &search, Some(failed)).await)
}

/// Buys; gives the page where its buyer goes on.
async fn bought(door: &Door, customer: &Customer, fields: &Fields) -> Result<String, Failed> {
    let caller = Caller::signed_in(customer.account.clone());
    let request = order_of(fields)?;
    let mut key = once::request("/numbers/buy", fields)?;
    if fields.filled("route").is_some() {
        key = once::of_button(key);
    }
    let country = link::encoded(fields.text("country"));
    let list = |notice: &str| Ok(format!("/numbers?country={country}&notice={notice}"));
    let bought = once::bought(key, |key| {
        Box::pin(door.engine.buy_number(&caller, &request, Some(key)))
    });
    match bought.await.outcome {
        Ok(Purchased::Done(_)) => list("number-bought"),
        Ok(Purchased::Pending(order)) => Ok(format!("/orders/{order}?notice=order-pending")),
        // the same form sent before has not got its order yet
        Err(Refusal::IdempotencyInProgress) => list("purchase-pending"),
        Err(refusal) => Err(refusal.into()),
    }
}

async fn cancel(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    let caller = Caller::signed_in(customer.account.clone());
    let order = OrderId::parse(form.fields.text("order"));
    let back = link::own(form.fields.text("back"));
    let outcome = match order {
        Some(order) => door.engine.cancel(&caller, order, None).await.outcome,
        None => Err(Refusal::OrderNotFound),
    };
    Ok(match outcome {
        Ok(_) => {
            let joint = if back.contains('?') { '&' } else { '?' };
            Redirect::to(&format!("{back}{joint}notice=number-cancelled")).into_response()
        }
        Err(refusal) => {
            let page = Page::new(&customer.visitor, "Not cancelled").under("numbers");
            page.failed(&refusal.into())
        }
    })
}
