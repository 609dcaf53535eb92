//! `/`: what a customer sees first, and what a stranger sees.

use super::page::{Failed, Page};
use super::session::Visitor;
use super::view;
use crate::door::Door;
use app::people::Signed;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use domain::ids::AccountId;
use domain::ports::Page as Rows;
use minijinja::{Value, context};
use std::sync::Arc;

/// Orders shown.
const LATEST: u32 = 5;

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new().route("/", get(home))
}

async fn home(State(door): State<Arc<Door>>, visitor: Visitor) -> Response {
    let Some(signed) = visitor.signed.clone() else {
        let values = context! { sign_up => door.people.takes_sign_ups() };
        return Page::new(&visitor, "Tollgate").show("home.html", values);
    };
    let page = Page::new(&visitor, "Overview").under("overview");
    match values(&door, &signed).await {
        Ok(values) => page.show("overview.html", values),
        Err(failed) => page.failed(&failed),
    }
}

async fn values(door: &Door, signed: &Signed) -> Result<Value, Failed> {
    let account = signed.account.as_ref();
    let id = account.map_or(AccountId(0), |account| account.id);
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
        api_access => account.is_some_and(|account| account.api_access),
        keys => keys.iter().filter(|key| !key.revoked).count(),
        numbers => numbers.iter().map(|one| context! {
            id => one.id.0,
            service => &one.wanted.service_name,
            phone => one.phone.as_ref().map(ToString::to_string),
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
