//! The form of one service: its price is shown before the button that pays it is there.

use super::members;
use super::services::row;
use crate::dashboard::fields::{Fields, Form};
use crate::dashboard::once;
use crate::dashboard::page::{self, Failed, Page};
use crate::dashboard::session::{Away, Customer};
use crate::door::Door;
use app::{Purchased, Refusal};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::access::Caller;
use domain::catalogue::SmmService;
use domain::ids::OrderId;
use minijinja::{Value, context};
use std::sync::Arc;

pub(super) async fn show(State(door): State<Arc<Door>>, customer: Customer) -> Response {
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("service", &customer.visitor.asked("service"))
        .append_pair("link", &customer.visitor.asked("link"))
        .append_pair("quantity", &customer.visitor.asked("quantity"))
        .finish();
    let fields = Fields::parse(query.as_bytes());
    form_page(
        &door,
        &customer,
        &fields,
        context! { quote => (), problem => () },
    )
    .await
}

async fn form_page(door: &Door, customer: &Customer, fields: &Fields, quote: Value) -> Response {
    let page = Page::new(&customer.visitor, "Order").under("smm");
    match values(door, customer, fields).await {
        Ok(values) => page.show("smm_order.html", context! { ..values, ..quote }),
        Err(failed) => page.failed(&failed),
    }
}

async fn values(door: &Door, customer: &Customer, fields: &Fields) -> Result<Value, Failed> {
    let caller = Caller::signed_in(customer.account.clone());
    let service = sold(door, &caller, fields.text("service"))?;
    Ok(context! {
        service => row(&service),
        fields => members::form(&service, fields),
        once => once::key()?,
        available => available(door, customer).await?,
    })
}

/// A service that this customer can order.
fn sold(door: &Door, caller: &Caller, id: &str) -> Result<SmmService, Refusal> {
    let services = door.engine.list_smm_services(caller)?;
    let found = services.into_iter().find(|service| &*service.id == id);
    found.ok_or(Refusal::ServiceNotFound)
}

/// What can be spent, in micro-dollars.
pub(super) async fn available(door: &Door, customer: &Customer) -> Result<i64, Failed> {
    let wallet = door.engine.store().wallet(customer.account.id).await?;
    Ok(wallet.unwrap_or_default().available.0)
}

/// What the order in a form would come to, or why it would be refused.
async fn quoted(door: &Door, customer: &Customer, fields: &Fields) -> Result<Value, Failed> {
    let caller = Caller::signed_in(customer.account.clone());
    let service = sold(door, &caller, fields.text("service"))?;
    let mut order = members::order(fields)?;
    order.max_price = None;
    let quote = door.engine.quote_order(&caller, &order);
    let quote = quote.map_err(members::not)?;
    let available = available(door, customer).await?;
    Ok(context! {
        units => quote.units,
        price => quote.price.0,
        exact => quote.price.to_string(),
        flat => service.kind.is_flat(),
        rate => service.rate.0,
        available,
        enough => quote.price.0 <= available,
    })
}

/// Values of the part of the page that shows the price.
async fn quote_part(door: &Door, customer: &Customer, fields: &Fields) -> Value {
    match quoted(door, customer, fields).await {
        Ok(quote) => context! { quote, problem => () },
        Err(failed) => context! { quote => (), problem => failed.why },
    }
}

/// The price alone, for a script.
pub(super) async fn quote(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor)?;
    let aim = ["link", "username"];
    let empty = aim.iter().all(|name| form.fields.filled(name).is_none());
    // nobody wants to read what is missing from a form that was just begun
    let values = match empty {
        true => context! { quote => (), problem => () },
        false => quote_part(&door, &customer, &form.fields).await,
    };
    Ok(page::part("smm_quote.html", values))
}

/// Shows the price, or orders at the price that was shown.
pub(super) async fn place(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    let fields = &form.fields;
    if fields.filled("max_price").is_none() {
        let quote = quote_part(&door, &customer, fields).await;
        return Ok(form_page(&door, &customer, fields, quote).await);
    }
    let failed = match placed(&door, &customer, fields).await {
        Ok((order, notice)) => {
            let there = match order {
                Some(order) => format!("/orders/{order}?notice={notice}"),
                None => format!("/orders?kind=smm&notice={notice}"),
            };
            return Ok(Redirect::to(&there).into_response());
        }
        Err(failed) => failed,
    };
    let page = Page::new(&customer.visitor, "Order").under("smm");
    let values = match values(&door, &customer, fields).await {
        Ok(values) => values,
        Err(_) => return Ok(page.failed(&failed)),
    };
    let quote = quoted(&door, &customer, fields).await.ok();
    let values = context! { quote, problem => (), ..values };
    Ok(page
        .with_failure(Some(failed))
        .show("smm_order.html", values))
}

async fn placed(
    door: &Door,
    customer: &Customer,
    fields: &Fields,
) -> Result<(Option<OrderId>, &'static str), Failed> {
    let caller = Caller::signed_in(customer.account.clone());
    let order = members::order(fields)?;
    let key = once::request("/smm/order", fields)?;
    let placed = once::bought(key, |key| {
        Box::pin(door.engine.place_order(&caller, &order, Some(key)))
    });
    match placed.await.outcome {
        Ok(Purchased::Done(order)) => Ok((Some(order.id), "order-placed")),
        Ok(Purchased::Pending(order)) => Ok((Some(order), "order-pending")),
        // the same form sent before has not got its order yet
        Err(Refusal::IdempotencyInProgress) => Ok((None, "order-running")),
        Err(refusal) => Err(members::not(refusal)),
    }
}
