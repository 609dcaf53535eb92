//! `/console/orders`: every order of every account, and the whole story of one.

mod one;

use super::{Operator, Routes, upstream_names};
use crate::dashboard::page::Failed;
use crate::door::Door;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use domain::activation::ActivationState;
use domain::desk::{Deed, OrderLine, OrdersOf, Sold};
use domain::ids::AccountId;
use domain::link;
use domain::phone::Phone;
use domain::smm_order::SmmState;
use minijinja::{Value, context};
use std::sync::Arc;

/// Orders on one page.
const ROWS: u32 = 50;

pub(super) fn routes() -> Routes {
    Routes::default()
        .see("/console/orders", Deed::SeeOrders, get(list))
        .see("/console/orders/{id}", Deed::SeeOrders, get(one::show))
        .act(
            "/console/orders/{id}/messages",
            Deed::ReadMessages,
            post(one::read_messages),
        )
        .act(
            "/console/orders/{id}/settle",
            Deed::PayTickets,
            post(one::settle),
        )
}

async fn list(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    let page = operator.page("Orders", "orders");
    page.showing("console/orders.html", found(&door, &operator).await)
}

async fn found(door: &Door, operator: &Operator) -> Result<Value, Failed> {
    let query = |name: &str| Some(operator.visitor.asked(name)).filter(|text| !text.is_empty());
    let (text, state, upstream) = (query("q"), query("state"), query("upstream"));
    let account = query("account").and_then(|text| text.parse().ok());
    let mut wanted = OrdersOf {
        account: account.map(AccountId),
        text: text.clone(),
        state: state.clone(),
        upstream: upstream.clone(),
        before: query("before").and_then(|text| text.parse().ok()),
        limit: ROWS + 1,
    };
    let mut orders = door.desk.rows().orders_like(&wanted).await?;
    if orders.is_empty()
        && let Some(spelt) = text.as_deref().and_then(respelt)
    {
        wanted.text = Some(spelt);
        orders = door.desk.rows().orders_like(&wanted).await?;
    }
    let more = orders.len() > ROWS as usize;
    orders.truncate(ROWS as usize);
    let next = orders.last().filter(|_| more).map(|last| last.id);
    Ok(context! {
        orders => orders.iter().map(line).collect::<Vec<_>>(),
        text => text.unwrap_or_default(),
        state => state.unwrap_or_default(),
        upstream => upstream.unwrap_or_default(),
        account,
        states => states(),
        upstreams => upstream_names(door),
        next,
    })
}

/// A number as it is kept, however it was typed; a link as duplicates are compared.
fn respelt(text: &str) -> Option<String> {
    let phone = Phone::parse(text).map(|phone| phone.digits().to_owned());
    phone.or_else(|| text.contains('/').then(|| link::target(text)))
}

fn states() -> Vec<&'static str> {
    let mut words: Vec<&str> = ActivationState::ALL
        .iter()
        .map(|state| state.slug())
        .collect();
    words.extend(SmmState::ALL.iter().map(|state| state.slug()));
    words.sort_unstable();
    words.dedup();
    words
}

/// An order in a list, ready for a page.
pub(super) fn line(order: &OrderLine) -> Value {
    context! {
        id => order.id,
        smm => order.sold == Sold::Smm,
        account => order.account.0,
        service => &order.service,
        target => &order.target,
        state => &order.state,
        price => order.price.0,
        upstream => &order.upstream,
        at => order.at.0,
    }
}
