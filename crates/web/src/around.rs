//! What surrounds every request: its id, the bound on its target, a panic's answer, headers that
//! every answer carries, and one line in the log.

use crate::api_v1::problem::Problem;
use crate::{headers, request_id};
use app::ApiLog;
use axum::extract::{MatchedPath, Request};
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use domain::api_log::{CallKind, Calls};
use domain::ids::{AccountId, KeyId, OrderId};
use domain::time::Timestamp;
use std::any::Any;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Instant;
use tracing::{Instrument, Span, field};

/// Longest request target, in bytes.
const TARGET_MAX: usize = 16 * 1024;

/// What an answer of the API tells the log about its request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trail {
    /// The service that was asked.
    pub service: &'static str,
    /// The action, once it is known to be one.
    pub action: Option<&'static str>,
    /// The caller's account, once it is known.
    pub account: Option<AccountId>,
    /// The caller's key, once it is known.
    pub key: Option<KeyId>,
    /// The order it was about, once it is known to be the caller's.
    pub order: Option<OrderId>,
    /// Code of the refusal, if it was refused.
    pub error: Option<&'static str>,
}

impl Trail {
    /// What the account's log says of it; nothing of a caller who was not recognised.
    fn calls(self, at: Timestamp, status: u16) -> Option<Calls> {
        let kind = CallKind {
            account: self.account?,
            key: self.key?,
            service: self.service,
            action: self.action.unwrap_or_default(),
            status,
            error: self.error.unwrap_or_default(),
            order: self.order,
            minute: CallKind::minute_of(self.order, at),
        };
        Some(Calls {
            kind,
            count: 1,
            first_at: at,
            last_at: at,
            method: String::new(),
            duration_us: 0,
            request_id: String::new(),
        })
    }
}

/// The outermost layer.
pub(crate) async fn every_request(request: Request, next: Next) -> Response {
    let since = Instant::now();
    let id = request_id::of(request.headers());
    let method = request.method().clone();
    // of a path that is none of ours nothing is kept: a stranger chose it
    let matched = request.extensions().get::<MatchedPath>().cloned();
    let path = matched.as_ref().map_or("(none)", MatchedPath::as_str);
    let span = span(&method, path);
    let mut response = if target_length(request.uri()) > TARGET_MAX {
        Problem::uri_too_long().into_response()
    } else {
        next.run(request).instrument(span.clone()).await
    };
    let carried = response.headers_mut();
    carried.insert(request_id::HEADER, id.clone());
    headers::complete(carried);
    let trail = response.extensions().get::<Trail>().copied();
    let trail = trail.unwrap_or_default();
    let status = response.status().as_u16();
    span.record("http.response.status_code", status);
    span.record("action", trail.action);
    span.record("request.id", id.to_str().ok());
    count(path, trail.action, status, since);
    let duration_us = u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX);
    let id = id.to_str().unwrap_or("-");
    if let Some(log) = response.extensions().get::<Arc<ApiLog>>()
        && let Some(calls) = trail.calls(log.now(), status)
    {
        log.note(Calls {
            method: method.to_string(),
            duration_us,
            request_id: id.to_owned(),
            ..calls
        });
    }
    tracing::info!(
        http.method = %method,
        http.path = path,
        action = trail.action,
        http.status = status,
        duration_us,
        request.id = id,
        account.id = trail.account.map(|account| account.0),
        "answered {status}"
    );
    response
}

/// What a request goes through, for whoever collects traces. Of a target that a stranger chose there is
/// the route alone.
fn span(method: &Method, path: &str) -> Span {
    tracing::trace_span!(
        target: "tollgate::span",
        "request",
        otel.kind = "server",
        http.request.method = %method,
        http.route = path,
        http.response.status_code = field::Empty,
        action = field::Empty,
        request.id = field::Empty,
    )
}

/// One more request, for whoever watches the gateway. Every label has few values: paths are routes,
/// actions are those we know.
fn count(path: &str, action: Option<&'static str>, status: u16, since: Instant) {
    let labels = [
        ("path", Cow::from(path.to_owned())),
        ("action", Cow::from(action.unwrap_or_default())),
        ("status", Cow::from(status.to_string())),
    ];
    metrics::counter!("tollgate_requests_total", &labels).increment(1);
    let labels = [labels[0].clone(), labels[1].clone()];
    metrics::histogram!("tollgate_request_seconds", &labels).record(since.elapsed());
}

fn target_length(target: &Uri) -> usize {
    target.path().len() + target.query().map_or(0, |query| query.len() + 1)
}

/// The answer to a request whose handler panicked.
pub(crate) fn panicked(cause: Box<dyn Any + Send + 'static>) -> Response {
    let why = cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied());
    tracing::error!(why = why.unwrap_or("unknown"), "a handler panicked");
    Problem::internal().into_response()
}
