//! What every answer tells a browser: run nothing foreign, frame nothing, guess no type, pass no
//! address on.

use crate::address;
use crate::door::Door;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use std::sync::Arc;

/// Of everything that people read. Nothing is inline, so there is nothing that would need a nonce.
pub(crate) const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; \
    base-uri 'none'; object-src 'none'; report-uri /csp-report";

/// Of everything else: should a browser ever show it, it may do nothing at all.
const ANSWER_POLICY: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; \
    form-action 'none'";

/// What an answer carries unless it says otherwise itself.
const COMMON: [(HeaderName, &str); 6] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CONTENT_SECURITY_POLICY, ANSWER_POLICY),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// A year: long enough for the lists that browsers ship with.
const TLS_ONLY: &str = "max-age=31536000; includeSubDomains";

/// Adds what is missing.
pub(crate) fn complete(headers: &mut HeaderMap) {
    for (name, value) in COMMON {
        let entry = headers.entry(name);
        entry.or_insert(HeaderValue::from_static(value));
    }
}

/// Tells browsers that came over TLS to come over nothing else. To those that did not it may not be
/// said.
pub(crate) async fn tls_only(
    State(door): State<Arc<Door>>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let public_url = door.settings.public_url.as_deref();
    let encrypted = public_url.is_some_and(|url| url.starts_with("https://"))
        || address::is_https(&parts, &door.settings.trusted_proxies);
    let mut response = next.run(Request::from_parts(parts, body)).await;
    if encrypted {
        let headers = response.headers_mut();
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static(TLS_ONLY),
        );
    }
    response
}
