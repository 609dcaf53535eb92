//! The console: pages for the people who run the gateway.
//!
//! Each page file offers `routes()`, each route names the [`Deed`] it is, and [`Operator`] lets in
//! only whose role may do it: what names none lets nobody in. Deeds run inside
//! [`Operator::acting`], so that the audit log tells who and why.

mod accounts;
mod announcements;
mod audit;
mod cases;
mod catalogue;
mod codes;
mod ledger;
mod money;
mod orders;
mod overview;
mod page;
mod policy;
mod prices;
mod reports;
mod servers;
mod session;
mod sign_in;
mod staff;
mod tickets;
mod top_ups;
mod upstreams;

pub(crate) use session::{Operator, OperatorsForm};

use crate::door::Door;
use crate::{address, around, assets, csp_report, gateway, headers};
use axum::Router;
use axum::extract::{Extension, Request, State};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use domain::desk::Deed;
use std::net::IpAddr;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::csrf::CsrfLayer;

/// What the operator set about the console.
#[derive(Clone, Debug, Default)]
pub struct ConsoleDoor {
    /// It answers where customers are answered; else only at a listener of its own.
    pub beside_customers: bool,
    /// From where it answers: network and bits of its prefix; everywhere where none is named.
    pub allowed: Vec<(IpAddr, u8)>,
}

/// An entry of the navigation.
struct Entry {
    name: &'static str,
    path: &'static str,
    label: &'static str,
    /// Who may not do this does not see it.
    deed: Deed,
}

const fn entry(name: &'static str, path: &'static str, label: &'static str, deed: Deed) -> Entry {
    Entry {
        name,
        path,
        label,
        deed,
    }
}

/// The navigation, in its order. A new page is one line here and one in [`all`].
const NAVIGATION: &[Entry] = &[
    entry("overview", "/console", "Overview", Deed::SeeOverview),
    entry(
        "accounts",
        "/console/accounts",
        "Accounts",
        Deed::SeeAccounts,
    ),
    entry("orders", "/console/orders", "Orders", Deed::SeeOrders),
    entry("tickets", "/console/tickets", "Tickets", Deed::SeeTickets),
    entry(
        "upstreams",
        "/console/upstreams",
        "Upstreams",
        Deed::SeeUpstreams,
    ),
    entry("servers", "/console/servers", "Servers", Deed::SeeUpstreams),
    entry(
        "catalogue",
        "/console/catalogue",
        "Catalogue",
        Deed::SeeCatalogue,
    ),
    entry("prices", "/console/prices", "Prices", Deed::SeeCatalogue),
    entry("policy", "/console/policy", "Policy", Deed::SeePolicy),
    entry("cases", "/console/cases", "Cases", Deed::SeeCases),
    entry("top-ups", "/console/top-ups", "Top-ups", Deed::SeeTopUps),
    entry("money", "/console/money", "Credits", Deed::SeeLedger),
    entry("codes", "/console/codes", "Redeem codes", Deed::SeeCodes),
    entry("ledger", "/console/ledger", "Ledger", Deed::SeeLedger),
    entry("reports", "/console/reports", "Reports", Deed::SeeReports),
    entry(
        "announcements",
        "/console/announcements",
        "Announcements",
        Deed::SeeAnnouncements,
    ),
    entry("audit", "/console/audit", "Audit log", Deed::SeeAudit),
    entry("staff", "/console/staff", "Staff", Deed::SeeStaff),
];

/// A route and whose it is, for the test that asks each of them as each role.
#[cfg(test)]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// As the router has it.
    pub path: &'static str,
    /// What it does; nothing where nobody need be signed in.
    pub deed: Option<Deed>,
}

/// Routes together with whose they are.
#[derive(Default)]
pub(crate) struct Routes {
    router: Router<Arc<Door>>,
    #[cfg(test)]
    pub listed: Vec<Listed>,
}

impl Routes {
    /// A page.
    fn see(self, path: &'static str, deed: Deed, page: MethodRouter<Arc<Door>>) -> Self {
        self.add("GET", path, Some(deed), page)
    }

    /// What a form does.
    fn act(self, path: &'static str, deed: Deed, form: MethodRouter<Arc<Door>>) -> Self {
        self.add("POST", path, Some(deed), form)
    }

    /// A page or form that lets people in.
    fn open(self, method: &'static str, path: &'static str, it: MethodRouter<Arc<Door>>) -> Self {
        self.add(method, path, None, it)
    }

    fn add(
        mut self,
        method: &'static str,
        path: &'static str,
        deed: Option<Deed>,
        handler: MethodRouter<Arc<Door>>,
    ) -> Self {
        let handler = match deed {
            Some(deed) => handler.route_layer(Extension(deed)),
            None => handler,
        };
        self.router = self.router.route(path, handler);
        #[cfg(test)]
        self.listed.push(Listed { method, path, deed });
        #[cfg(not(test))]
        let _ = method;
        self
    }

    fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        #[cfg(test)]
        self.listed.extend(other.listed);
        self
    }
}

/// Every page and form of the console.
pub(crate) fn all() -> Routes {
    Routes::default()
        .merge(sign_in::routes())
        .merge(overview::routes())
        .merge(accounts::routes())
        .merge(orders::routes())
        .merge(tickets::routes())
        .merge(upstreams::routes())
        .merge(servers::routes())
        .merge(catalogue::routes())
        .merge(prices::routes())
        .merge(policy::routes())
        .merge(cases::routes())
        .merge(top_ups::routes())
        .merge(money::routes())
        .merge(codes::routes())
        .merge(ledger::routes())
        .merge(reports::routes())
        .merge(announcements::routes())
        .merge(audit::routes())
        .merge(staff::routes())
}

/// The names of all upstreams.
fn upstream_names(door: &Door) -> Vec<String> {
    let numbers = door.engine.number_upstreams();
    let all = numbers.chain(door.engine.panels());
    all.map(str::to_owned).collect()
}

fn pages() -> Router<Arc<Door>> {
    all()
        .router
        .layer(CsrfLayer::new().with_rejection_response(|_| crate::dashboard::page::crossed()))
}

/// The console for whoever comes from an allowed address.
pub(crate) fn guarded(door: &Arc<Door>) -> Router<Arc<Door>> {
    only_welcome(pages(), door)
}

/// These routes for whoever comes from an allowed address; all others find nothing there, not even
/// that a path takes another method.
fn only_welcome(routes: Router<Arc<Door>>, door: &Arc<Door>) -> Router<Arc<Door>> {
    routes
        .method_not_allowed_fallback(gateway::method_not_allowed)
        .layer(from_fn_with_state(Arc::clone(door), from_allowed_address))
}

async fn from_allowed_address(
    State(door): State<Arc<Door>>,
    request: Request,
    next: Next,
) -> Response {
    let allowed = &door.settings.console.allowed;
    let (parts, body) = request.into_parts();
    let caller = address::of_caller(&parts, &door.settings.trusted_proxies);
    let welcome = allowed.is_empty() || address::is_among(caller, allowed);
    if !welcome {
        return gateway::not_found(Request::from_parts(parts, body)).await;
    }
    next.run(Request::from_parts(parts, body)).await
}

/// The router of the console's own listener.
pub fn console_router(door: Arc<Door>) -> Router {
    let routes = Router::new()
        .route("/", get(async || Redirect::to("/console").into_response()))
        .route("/assets/{name}", get(assets::serve))
        .route("/csp-report", post(csp_report::receive))
        .merge(pages());
    only_welcome(routes, &door)
        .fallback(gateway::not_found)
        .layer(CatchPanicLayer::custom(around::panicked))
        .layer(from_fn_with_state(Arc::clone(&door), headers::tls_only))
        .layer(from_fn(around::every_request))
        .with_state(door)
}
