//! Every route on one page.

use crate::api_v1::{self, Service};
use crate::door::Door;
use crate::{around, assets, console, csp_report, dashboard, docs, gateway, headers, hooks};
use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{any, get, post};
use std::sync::Arc;
use tower_http::CompressionLevel;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;

/// The router of all doors.
pub fn router(door: Arc<Door>) -> Router {
    Router::new()
        .route("/api/v1/otp", any(otp))
        .route("/api/v1/smm", any(smm))
        .route("/api/v1/openapi.json", get(gateway::openapi))
        .route("/healthz", get(gateway::healthz))
        .route("/readyz", get(gateway::readyz))
        .route("/csp-report", post(csp_report::receive))
        .merge(pages())
        .merge(console_of_demo(&door))
        .merge(carriers(&door))
        .merge(payments(&door))
        .fallback(gateway::not_found_there)
        .method_not_allowed_fallback(gateway::method_not_allowed_there)
        .layer(CatchPanicLayer::custom(around::panicked))
        .layer(from_fn_with_state(Arc::clone(&door), headers::tls_only))
        .layer(from_fn(around::every_request))
        .with_state(door)
}

/// What people read, compressed where their browser takes it. The API compresses its lists itself,
/// once for all callers; streams of events and pictures stay as they are.
fn pages() -> Router<Arc<Door>> {
    let compressed = CompressionLayer::new().quality(CompressionLevel::Precise(4));
    Router::new()
        .merge(docs::routes())
        .route("/assets/{name}", get(assets::serve))
        .merge(dashboard::routes())
        .layer(compressed)
}

/// The console beside everything else: only a demo has it so.
fn console_of_demo(door: &Arc<Door>) -> Router<Arc<Door>> {
    if door.settings.console.beside_customers {
        console::guarded(door)
    } else {
        Router::new()
    }
}

/// Carriers' webhooks: a hook without a key to verify with is not there at all.
fn carriers(door: &Door) -> Router<Arc<Door>> {
    let mut routes = Router::new();
    if door.settings.hooks.takes_twilio() {
        routes = routes.route("/hooks/twilio/sms", any(hooks::twilio::sms));
    }
    if door.settings.hooks.takes_telnyx() {
        routes = routes.route("/hooks/telnyx/sms", any(hooks::telnyx::sms));
    }
    routes
}

/// Payment processors' webhooks: one without a secret to verify with is not there at all.
fn payments(door: &Arc<Door>) -> Router<Arc<Door>> {
    let mut routes = Router::new();
    for processor in door.top_ups.processors().filter(|one| one.takes_webhooks()) {
        let kind = processor.kind();
        let path = format!("/hooks/{}", kind.slug());
        let receive = move |State(door): State<Arc<Door>>, request: Request| async move {
            hooks::payments::receive(kind, door, request).await
        };
        routes = routes.route(&path, any(receive));
    }
    routes
}

async fn otp(State(door): State<Arc<Door>>, request: Request) -> axum::response::Response {
    api_v1::serve(door, &Service::OTP, request).await
}

async fn smm(State(door): State<Arc<Door>>, request: Request) -> axum::response::Response {
    api_v1::serve(door, &Service::SMM, request).await
}
