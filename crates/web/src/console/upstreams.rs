//! `/console/upstreams`: whom we buy from, how each is doing, and whether anything is bought there.

mod add;
mod one;

use super::{Operator, Routes};
use crate::dashboard::page::Failed;
use crate::door::Door;
use app::{Closed, ListingState, UpstreamHealth};
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use domain::breaker::Shown;
use domain::desk::{Deed, Pause};
use domain::outcomes::Figures;
use minijinja::{Value, context};
use std::sync::Arc;

pub(super) fn routes() -> Routes {
    Routes::default()
        .see("/console/upstreams", Deed::SeeUpstreams, get(list))
        .see(
            "/console/new-upstream",
            Deed::ChangeUpstreams,
            get(add::form),
        )
        .act(
            "/console/new-upstream",
            Deed::ChangeUpstreams,
            post(add::check),
        )
        .see(
            "/console/upstreams/{name}",
            Deed::SeeUpstreams,
            get(one::show),
        )
        .act(
            "/console/upstreams/{name}/test",
            Deed::TryUpstreams,
            post(one::test),
        )
        .act(
            "/console/upstreams/{name}/pause",
            Deed::ChangeUpstreams,
            post(one::pause),
        )
        .act(
            "/console/upstreams/{name}/resume",
            Deed::ChangeUpstreams,
            post(one::resume),
        )
}

async fn list(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    let page = operator.page("Upstreams", "upstreams");
    page.showing("console/upstreams.html", values(&door).await)
}

async fn values(door: &Door) -> Result<Value, Failed> {
    let in_force = door.engine.in_force().await?;
    let pauses = &in_force.pauses;
    let health = door.engine.upstream_health();
    let listings = listings(door);
    let rows: Vec<Value> = door
        .stock
        .sheets()
        .iter()
        .map(|sheet| {
            let health = health.iter().find(|one| one.upstream == sheet.name);
            context! {
                name => &sheet.name,
                protocol => sheet.protocol,
                servers => sheet.servers.join(", "),
                health => health.map(health_view),
                listing => listing_of(&listings, &sheet.name),
                measured => figures_view(&door.engine.measured_at(&sheet.name)),
            }
        })
        .collect();
    // a pause outlives the settings of its upstream, and would hold again with them
    let gone = |pause: &&Pause| door.stock.sheet(&pause.upstream).is_none();
    let gone: Vec<Value> = pauses.iter().filter(gone).map(pause_view).collect();
    Ok(context! { upstreams => rows, gone })
}

fn pause_view(pause: &Pause) -> Value {
    context! {
        name => &pause.upstream,
        actor => &pause.actor,
        why => &pause.why,
        since => pause.since.0,
    }
}

/// What every upstream listed last.
pub(super) fn listings(door: &Door) -> Vec<ListingState> {
    let mut all = door.engine.listing_states();
    all.extend(door.engine.panel_states());
    all
}

fn listing_of(listings: &[ListingState], name: &str) -> Option<Value> {
    let found = listings.iter().find(|one| one.upstream == name);
    found.map(|one| {
        context! { offers => one.offers, read_at => one.read_at.0, trouble => &one.trouble }
    })
}

fn health_view(health: &UpstreamHealth) -> Value {
    context! {
        state => health.closed.as_ref().map_or("open", Closed::word),
        why => health.closed.as_ref().map(Closed::to_string),
        until => health.closed.as_ref().and_then(Closed::until).map(|until| until.0),
        buying => shown(&health.buying),
        reading => shown(&health.reading),
        fault => health.fault.map(|(class, since)| {
            context! { class => class.replace('_', " "), since => since.0 }
        }),
        took => health.took.map(|took| {
            context! { calls => took.calls, p50 => took.p50.0, p90 => took.p90.0 }
        }),
        balance_took => health.balance_took.map(|took| took.0),
        balance => health.balance.map(|(usd, _)| usd.0),
        balance_at => health.balance.map(|(_, at)| at.0),
        low => health.float_is_low,
        under_way => health.under_way,
        in_doubt => health.in_doubt,
        not_sold => health.not_sold,
    }
}

/// What was measured, ready for a page.
pub(super) fn figures_view(figures: &Figures) -> Value {
    context! {
        samples => figures.samples,
        rate => figures.rate,
        at_least => figures.at_least,
        cancelled => figures.cancelled,
        p50_s => figures.p50_s,
        p90_s => figures.p90_s,
    }
}

fn shown(breaker: &Shown) -> Value {
    let (word, until) = match breaker {
        Shown::Closed => ("pass", None),
        Shown::Trying => ("are being tried", None),
        Shown::Open(until) => ("pause", Some(until.0)),
    };
    context! { word, until }
}
