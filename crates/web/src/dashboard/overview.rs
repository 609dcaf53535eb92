//! `/`: what a customer sees first, and what a stranger sees.

use super::page::{Failed, Page};
use super::session::{Customer, Visitor};
use super::view;
use crate::door::Door;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use domain::access::Account;
use domain::ports::Page as Rows;
use minijinja::{Value, context};
use std::sync::Arc;

/// Orders shown.
const LATEST: u32 = 5;

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new().route("/", get(home))
}

async fn home(State(door): State<Arc<Door>>, visitor: Visitor) -> Response {
    if visitor.signed.is_none() {
        let values = context! { sign_up => door.people.takes_sign_ups() };
        return Page::new(&visitor, "Tollgate").show("home.html", values);
    }
    let customer = match Customer::of(visitor) {
        Ok(customer) => customer,
        Err(away) => return away.into_response(),
    };
    let page = Page::new(&customer.visitor, "Overview").under("overview");
    match values(&door, &customer.account).await {
        Ok(values) => page.show("overview.html", values),
        Err(failed) => page.failed(&failed),
    }
}

async fn values(door: &Door, account: &Account) -> Result<Value, Failed> {
    let id = account.id;
    let store = door.engine.store();
    let wallet = store.wallet(id).await?.unwrap_or_default();
    let latest = Rows {
        limit: LATEST,
        before: None,
        since: None,
        states: Vec::new(),
        progress: Vec::new(),
    };
    let numbers = store.activations(id, &latest).await?;
    let orders = store.smm_orders(id, &latest).await?;
    let keys = store.keys(id).await?;
    Ok(context! {
        available => wallet.available.0,
        held => wallet.held.0,
        api_access => account.api_access,
        keys => keys.iter().filter(|key| !key.revoked).count(),
        numbers => numbers.iter().map(|one| context! {
            id => one.id.0,
            service => &one.wanted.service_name,
            phone => one.disclosed_at.and(one.phone.as_ref()).map(ToString::to_string),
            status => view::status(one.public_status()),
            price => one.price.0,
            at => one.created_at.0,
        }).collect::<Vec<_>>(),
        orders => orders.iter().map(|one| context! {
            id => one.id.0,
            service => &one.service_name,
            link => &one.link,
            status => one.public_progress().word(),
            price => one.price.0,
            at => one.created_at.0,
        }).collect::<Vec<_>>(),
    })
}
