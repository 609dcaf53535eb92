//! The gateway itself: whether it lives, its own description, its pages.

use crate::api_v1::problem::Problem;
use crate::dashboard::Visitor;
use crate::door::Door;
use crate::{address, dashboard, docs};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::sync::Arc;

const OK: &str = r#"{"success":true,"data":{"status":"ok"}}"#;

const CONTENT_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Headers of an answer that is neither a page nor worth keeping.
const JSON: [(HeaderName, &str); 2] = [
    (header::CONTENT_TYPE, "application/json"),
    (header::CACHE_CONTROL, "no-store"),
];

/// Headers of everything that a browser shows.
const PAGE: [(HeaderName, &str); 3] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_POLICY),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-cache"),
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

pub(crate) async fn docs(
    State(door): State<Arc<Door>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let html = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    let signed = visitor.signed.is_some();
    let page = docs::page(&base_url(&door, &parts), signed);
    let mut response = (PAGE, html, page).into_response();
    if signed {
        let private = HeaderValue::from_static("private, no-store");
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, private);
    }
    response
}

pub(crate) async fn guide() -> Response {
    text("text/markdown; charset=utf-8", docs::GUIDE.to_owned())
}

pub(crate) async fn reference(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let reference = docs::reference(&base_url(&door, &parts));
    text("text/markdown; charset=utf-8", reference)
}

pub(crate) async fn llms(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    let text_type = "text/plain; charset=utf-8";
    text(text_type, docs::llms(&base_url(&door, &parts)))
}

fn text(media_type: &'static str, text: String) -> Response {
    (PAGE, [(header::CONTENT_TYPE, media_type)], text).into_response()
}

/// Programs get a problem, people a page.
pub(crate) async fn not_found(request: Request) -> Response {
    let accepted = request.headers().get(header::ACCEPT);
    let is_person = accepted
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("text/html"));
    if is_person && !request.uri().path().starts_with("/api/") {
        return dashboard::not_found();
    }
    Problem::not_found().into_response()
}

pub(crate) async fn method_not_allowed() -> Response {
    Problem::method_not_allowed("GET, HEAD").into_response()
}

/// The origin the reader came to. A Host that is no plain one is sorted out by the docs.
fn base_url(door: &Door, parts: &Parts) -> String {
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
