//! `/orders`: what was bought, the story of each order, and the search for one.

mod story;

use super::fields::day;
use super::numbers::{country_name, flag};
use super::page::{Failed, Page};
use super::session::{Customer, Visitor};
use super::view;
use crate::door::Door;
use app::Refusal;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use domain::access::Caller;
use domain::activation::{Activation, ActivationState};
use domain::ids::OrderId;
use domain::phone::Phone;
use domain::ports::Page as Rows;
use domain::smm_order::SmmOrder;
use domain::upstream::Progress;
use minijinja::{Value, context};
use std::sync::Arc;

/// Rows on one page.
const ROWS: u32 = 25;
/// Hits of a search.
const HITS: u32 = 25;

/// Filter words of numbers, and the states that they mean.
const NUMBER_STATES: [(&str, &[ActivationState]); 4] = [
    (
        "waiting",
        &[ActivationState::Active, ActivationState::CancelRequested],
    ),
    ("received", &[ActivationState::Received]),
    (
        "cancelled",
        &[ActivationState::Cancelled, ActivationState::Failed],
    ),
    (
        "pending",
        &[
            ActivationState::Calling,
            ActivationState::InDoubt,
            ActivationState::Undo,
        ],
    ),
];

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/orders", get(list))
        .route("/orders/{id}", get(one))
        .route("/search", get(search))
}

async fn list(State(door): State<Arc<Door>>, customer: Customer) -> Response {
    let page = Page::new(&customer.visitor, "Orders").under("orders");
    let caller = Caller::signed_in(customer.account.clone());
    match listed(&door, &caller, &customer.visitor).await {
        Ok(values) => page.show("orders.html", values),
        Err(failed) => page.failed(&failed),
    }
}

async fn listed(door: &Door, caller: &Caller, visitor: &Visitor) -> Result<Value, Failed> {
    let smm = visitor.asked("kind") == "smm";
    let status = visitor.asked("status");
    let since = visitor.asked("since");
    let mut rows = Rows {
        limit: ROWS + 1,
        before: OrderId::parse(&visitor.asked("before")),
        since: day("since", &since)?,
        states: Vec::new(),
        progress: Vec::new(),
    };
    let mut orders = if smm {
        let known = Progress::ALL.iter().find(|one| one.word() == status);
        rows.progress.extend(known.map(|one| one.word()));
        let orders = door.engine.list_smm_orders(caller, &rows).await;
        let orders = orders.map_err(Failed::from)?;
        orders.iter().map(smm_row).collect::<Vec<_>>()
    } else {
        let known = NUMBER_STATES.iter().find(|(word, _)| *word == status);
        let states = known.map_or(&[][..], |(_, states)| states);
        rows.states.extend(states.iter().map(|state| state.slug()));
        let orders = door.engine.list_activations(caller, &rows).await;
        let orders = orders.map_err(Failed::from)?;
        orders.iter().map(number_row).collect()
    };
    let open = |row: &Value| row.get_attr("open").is_ok_and(|open| open.is_true());
    let live = orders.iter().any(open);
    let more = orders.len() > ROWS as usize;
    orders.truncate(ROWS as usize);
    let last = orders.last().and_then(|row| row.get_attr("id").ok());
    let words: Vec<&str> = if smm {
        Progress::ALL.iter().map(|one| one.word()).collect()
    } else {
        NUMBER_STATES.iter().map(|(word, _)| *word).collect()
    };
    let next = last.filter(|_| more);
    Ok(context! { smm, status, since, words, orders, live, next })
}

fn number_row(order: &Activation) -> Value {
    let shown = order.disclosed_at.and(order.phone.as_ref());
    context! {
        id => order.id.0,
        service => &order.wanted.service_name,
        flag => flag(&order.wanted.country_key),
        country => country_name(&order.wanted.country_key),
        phone => shown.map(ToString::to_string),
        status => view::status(order.public_status()),
        price => order.price.0,
        open => order.state.is_open(),
        at => order.created_at.0,
    }
}

fn smm_row(order: &SmmOrder) -> Value {
    context! {
        id => order.id.0,
        service => &order.service_name,
        link => &order.link,
        quantity => order.quantity,
        remains => order.remains,
        status => order.public_progress().word(),
        price => order.price.0,
        returned => order.returned.0,
        open => order.resolved_at.is_none(),
        at => order.created_at.0,
    }
}

async fn one(
    State(door): State<Arc<Door>>,
    customer: Customer,
    Path(id): Path<String>,
) -> Response {
    let page = Page::new(&customer.visitor, "Order").under("orders");
    let caller = Caller::signed_in(customer.account.clone());
    match shown(&door, &caller, &id).await {
        Ok((template, values)) => page.show(template, values),
        Err(failed) => page.failed(&failed),
    }
}

/// The page of an order of this account, whichever kind it is of.
async fn shown(door: &Door, caller: &Caller, id: &str) -> Result<(&'static str, Value), Failed> {
    let missing = || Failed::new(StatusCode::NOT_FOUND, "There is no such order.");
    let id = OrderId::parse(id).ok_or_else(missing)?;
    match door.engine.get_status(caller, id).await {
        Ok(order) => Ok(("order_number.html", story::of_number(door, &order).await?)),
        Err(Refusal::OrderNotFound) => match door.engine.order_status(caller, id).await {
            Ok(order) => Ok(("order_smm.html", story::of_smm(door, &order).await?)),
            Err(Refusal::OrderNotFound) => Err(missing()),
            Err(refusal) => Err(refusal.into()),
        },
        Err(refusal) => Err(refusal.into()),
    }
}

async fn search(State(door): State<Arc<Door>>, customer: Customer) -> Response {
    let text = customer.visitor.asked("q").trim().to_owned();
    let caller = Caller::signed_in(customer.account.clone());
    let page = Page::new(&customer.visitor, "Search").under("orders");
    match found(&door, &caller, &text).await {
        Ok(hits) if hits.len() == 1 => {
            Redirect::to(&format!("/orders/{}", hits[0])).into_response()
        }
        Ok(hits) => {
            let mut rows = Vec::new();
            for id in hits {
                if let Ok(order) = door.engine.get_status(&caller, id).await {
                    rows.push(number_row(&order));
                } else if let Ok(order) = door.engine.order_status(&caller, id).await {
                    rows.push(smm_row(&order));
                }
            }
            page.show("search.html", context! { text, rows })
        }
        Err(failed) => page.failed(&failed),
    }
}

/// Orders with this id, on this number, or for this link; newest first.
async fn found(door: &Door, caller: &Caller, text: &str) -> Result<Vec<OrderId>, Failed> {
    let account = caller.account.id;
    let mut hits = Vec::new();
    if let Some(id) = OrderId::parse(text) {
        let number = door.engine.get_status(caller, id).await.is_ok();
        if number || door.engine.order_status(caller, id).await.is_ok() {
            hits.push(id);
        }
    }
    let number_like = |c: char| c.is_ascii_digit() || "+-() ".contains(c);
    if let Some(phone) = Phone::parse(text).filter(|_| text.chars().all(number_like)) {
        hits.extend(
            door.pages
                .activations_on(account, phone.digits(), HITS)
                .await?,
        );
    }
    if text.contains('.') {
        let target = domain::link::target(text);
        hits.extend(door.pages.smm_orders_for(account, &target, HITS).await?);
    }
    Ok(hits)
}
