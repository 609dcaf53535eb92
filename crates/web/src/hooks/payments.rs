//! `POST /hooks/{processor}`: what payment processors tell us. The raw bytes are verified as they
//! came; nothing is kept of what nobody signed, and nothing is said about why.

use super::only;
use crate::address;
use crate::api_v1::body;
use crate::api_v1::problem::Problem;
use crate::door::Door;
use app::NotReceived;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::top_up::Processor;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Longest event, in bytes.
const LENGTH_MAX: usize = 256 * 1024;

pub(crate) async fn receive(processor: Processor, door: Arc<Door>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if parts.method != Method::POST {
        return Problem::method_not_allowed("POST").into_response();
    }
    if let Err(problem) = body::check_json(&parts.headers) {
        return problem.into_response();
    }
    let raw = match body::collect_up_to(body, LENGTH_MAX).await {
        Ok(raw) => raw,
        Err(problem) => return problem.into_response(),
    };
    let Some(adapter) = door.top_ups.processor(processor) else {
        return Problem::not_found().into_response();
    };
    let signature = only(&parts.headers, adapter.signature_header());
    let believed = signature.is_some_and(|text| adapter.believes(text, &raw, door.engine.now()));
    if !believed {
        let count = door.settings.hooks.refused.fetch_add(1, Ordering::Relaxed) + 1;
        let caller = address::of_caller(&parts, &door.settings.trusted_proxies);
        tracing::warn!(
            processor = processor.slug(),
            refused = count,
            %caller,
            "an event's signature is not believed"
        );
        return StatusCode::BAD_REQUEST.into_response();
    }
    match door.top_ups.receive(processor, &raw).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(NotReceived::Unreadable) => StatusCode::BAD_REQUEST.into_response(),
        // not acknowledged, so it is delivered again
        Err(NotReceived::Storage) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
