//! The gateway itself: whether it lives, its own description, its pages.

use crate::api_v1::problem::Problem;
use crate::door::Door;
use crate::{address, dashboard, docs};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

const OK: &str = r#"{"success":true,"data":{"status":"ok"}}"#;

/// Headers of an answer that is neither a page nor worth keeping.
const JSON: [(HeaderName, &str); 2] = [
    (header::CONTENT_TYPE, "application/json"),
    (header::CACHE_CONTROL, "no-store"),
];

pub(crate) async fn healthz() -> Response {
    (JSON, OK).into_response()
}

pub(crate) async fn readyz(State(door): State<Arc<Door>>) -> Response {
    match door.not_ready() {
        None => (JSON, OK).into_response(),
        Some(why) => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_ready", why).into_response()
        }
    }
}

pub(crate) async fn openapi(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    (JSON, docs::openapi(&base_url(&door, &parts))).into_response()
}

/// Programs get a problem, people a page.
pub(crate) async fn not_found(request: Request) -> Response {
    // it names no path that could be there or not
    if request.method() == Method::CONNECT {
        return Problem::method_not_allowed("GET, POST").into_response();
    }
    if is_person(&request) {
        return dashboard::not_found();
    }
    Problem::not_found().into_response()
}

/// The same beside the dashboard: who is signed in keeps its frame.
pub(crate) async fn not_found_there(State(door): State<Arc<Door>>, request: Request) -> Response {
    if request.method() == Method::CONNECT || !is_person(&request) {
        return not_found(request).await;
    }
    dashboard::not_found_for(&mut request.into_parts().0, &door).await
}

fn is_person(request: &Request) -> bool {
    let accepted = request.headers().get(header::ACCEPT);
    let reads_pages = accepted
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/html"));
    reads_pages && !request.uri().path().starts_with("/api/")
}

/// Which methods are allowed, the router adds: it knows the path's.
pub(crate) async fn method_not_allowed(request: Request) -> Response {
    match is_person(&request) {
        true => dashboard::method_not_allowed(),
        false => {
            let sentence = "This address is not called with this method; Allow names those it is.";
            let status = StatusCode::METHOD_NOT_ALLOWED;
            Problem::new(status, "method_not_allowed", sentence).into_response()
        }
    }
}

/// The same beside the dashboard.
pub(crate) async fn method_not_allowed_there(
    State(door): State<Arc<Door>>,
    request: Request,
) -> Response {
    if !is_person(&request) {
        return method_not_allowed(request).await;
    }
    dashboard::method_not_allowed_for(&mut request.into_parts().0, &door).await
}

/// The origin the reader came to. A Host that is no plain one is sorted out by the docs.
pub(crate) fn base_url(door: &Door, parts: &Parts) -> String {
    if let Some(public_url) = &door.settings.public_url {
        return public_url.clone();
    }
    let host = parts.headers.get(header::HOST);
    let host = host.and_then(|host| host.to_str().ok()).unwrap_or_default();
    let scheme = if address::is_https(parts, &door.settings.trusted_proxies) {
        "https"
    } else {
        "http"
    };
    format!("{scheme}://{host}")
}
