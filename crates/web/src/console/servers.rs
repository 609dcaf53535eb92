//! `/console/servers`: what customers know as servers, and whom each buys from.

use super::overview::line;
use super::upstreams::figures_view;
use super::{Operator, Routes};
use crate::dashboard::page::Failed;
use crate::door::Door;
use app::{Behind, Closed, RouteMeasured, RouteSheet, ServerSheet};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use domain::books::DAY_MS;
use domain::desk::{Deed, ReportBy};
use domain::time::Timestamp;
use minijinja::{Value, context};
use std::sync::Arc;

/// Days of what was earned.
const DAYS: i64 = 30;
/// Lines of a report that are looked through.
const LINES: u32 = 1_000;
/// Countries shown.
const ROWS: usize = 200;

pub(super) fn routes() -> Routes {
    Routes::default()
        .see("/console/servers", Deed::SeeUpstreams, get(list))
        .see("/console/servers/{name}", Deed::SeeUpstreams, get(show))
}

async fn list(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    let page = operator.page("Servers", "servers");
    page.showing("console/servers.html", values(&door).await)
}

async fn values(door: &Door) -> Result<Value, Failed> {
    door.engine.in_force().await?;
    let servers: Vec<Value> = door.stock.servers().iter().map(server_view).collect();
    let (strategy, tries) = door.stock.routing();
    let panels: Vec<Value> = door
        .engine
        .panels()
        .map(|name| {
            let states = door.engine.panel_states();
            let state = states.iter().find(|state| state.upstream == name);
            context! { name, services => state.map(|state| state.offers) }
        })
        .collect();
    Ok(context! {
        servers,
        strategy => strategy.replace('_', " "),
        tries,
        panels,
        smm_services => door.engine.catalogue().smm_services().len(),
    })
}

fn server_view(server: &ServerSheet) -> Value {
    context! {
        name => &server.name,
        enabled => server.enabled,
        weight => server.weight,
        routes => server.routes.iter().map(route_view).collect::<Vec<_>>(),
    }
}

fn route_view(route: &RouteSheet) -> Value {
    context! {
        kind => route.provider_type,
        upstreams => route.upstreams.iter().map(behind_view).collect::<Vec<_>>(),
        measured => figures_view(&route.measured),
    }
}

fn behind_view(behind: &Behind) -> Value {
    context! {
        name => &behind.upstream,
        state => behind.closed.as_ref().map_or("open", Closed::word),
        countries => behind.lists.map(|(countries, _)| countries),
        offers => behind.lists.map(|(_, offers)| offers),
        cost_from => behind.costs.map(|(low, _)| low.0),
        cost_to => behind.costs.map(|(_, high)| high.0),
    }
}

async fn show(
    State(door): State<Arc<Door>>,
    Path(name): Path<String>,
    operator: Operator,
) -> Response {
    let title = format!("Server {name}");
    let page = operator.page(&title, "servers");
    page.showing("console/server.html", one(&door, &operator, &name).await)
}

async fn one(door: &Door, operator: &Operator, name: &str) -> Result<Value, Failed> {
    door.engine.in_force().await?;
    let servers = door.stock.servers();
    let server = servers.iter().find(|server| server.name == name);
    let server =
        server.ok_or_else(|| Failed::new(StatusCode::NOT_FOUND, "There is no such server."))?;
    let mut measured = door.engine.measured_routes();
    measured.retain(|route| route.server == name);
    measured.sort_by_key(|route| std::cmp::Reverse(route.figures.samples));
    let more = measured.len().saturating_sub(ROWS);
    measured.truncate(ROWS);
    let earned = match operator.may(Deed::SeeReports) {
        true => earned(door, name).await?,
        false => None,
    };
    Ok(context! {
        server => server_view(server),
        countries => measured.iter().map(country_view).collect::<Vec<_>>(),
        more,
        earned,
        days => DAYS,
    })
}

/// What the server brought in the last days.
async fn earned(door: &Door, name: &str) -> Result<Option<Value>, Failed> {
    let now = door.engine.now();
    let span = (Timestamp(now.0 - DAYS * DAY_MS), Timestamp(now.0 + 1));
    let rows = door.desk.rows();
    let lines = rows.report(ReportBy::Server, span, LINES).await?;
    Ok(lines.iter().find(|line| line.key == name).map(line))
}

fn country_view(route: &RouteMeasured) -> Value {
    context! {
        kind => route.provider_type,
        country_id => &route.country_id,
        measured => figures_view(&route.figures),
    }
}
