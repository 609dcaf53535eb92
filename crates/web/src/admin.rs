//! The listener for whoever watches the gateway: its metrics and its health, away from customers.

use crate::door::Door;
use crate::{around, gateway};
use axum::Router;
use axum::extract::State;
use axum::http::{HeaderName, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use tower_http::catch_panic::CatchPanicLayer;

/// A text that is being drawn.
pub type Drawing = Pin<Box<dyn Future<Output = String> + Send>>;

/// Draws the metrics as Prometheus reads them, as of now.
pub type Metrics = Arc<dyn Fn() -> Drawing + Send + Sync>;

/// Version 0.0.4 is the text format that every Prometheus reads.
const EXPOSITION: [(HeaderName, &str); 2] = [
    (
        header::CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    ),
    (header::CACHE_CONTROL, "no-store"),
];

/// The router of the admin listener. Nothing there asks who reads.
pub fn admin_router(door: Arc<Door>, metrics: Metrics) -> Router {
    let health = Router::new()
        .route("/healthz", get(gateway::healthz))
        .route("/readyz", get(gateway::readyz))
        .with_state(door);
    Router::new()
        .route("/metrics", get(exposition))
        .with_state(metrics)
        .merge(health)
        .fallback(gateway::not_found)
        .method_not_allowed_fallback(gateway::method_not_allowed)
        .layer(CatchPanicLayer::custom(around::panicked))
        .layer(from_fn(around::every_request))
}

async fn exposition(State(metrics): State<Metrics>) -> Response {
    (EXPOSITION, metrics().await).into_response()
}
