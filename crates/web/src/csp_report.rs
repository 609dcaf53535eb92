//! `POST /csp-report`: what browsers refused to run on our pages. Anybody can send one, so nothing of
//! it is kept but the name of a directive that we know.

use crate::address;
use crate::api_v1::problem::Problem;
use crate::door::Door;
use app::limits::Bucket;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use std::sync::Arc;

/// Largest report, in bytes.
const BODY_MAX: usize = 16 * 1024;
/// Reports of one address that are looked at in a minute: a broken page sends a few.
const PER_MINUTE: u32 = 20;

/// Directives by name; any other is "other".
const DIRECTIVES: [&str; 17] = [
    "base-uri",
    "connect-src",
    "default-src",
    "font-src",
    "form-action",
    "frame-ancestors",
    "frame-src",
    "img-src",
    "media-src",
    "object-src",
    "script-src",
    "script-src-attr",
    "script-src-elem",
    "style-src",
    "style-src-attr",
    "style-src-elem",
    "worker-src",
];

pub(crate) async fn receive(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let from = address::of_caller(&parts, &door.settings.trusted_proxies);
    let bucket = Bucket::address(from, "csp-report");
    let admission = door
        .limits
        .admit(bucket, PER_MINUTE, door.engine.now().0)
        .await;
    if !admission.admitted {
        return Problem::rate_limited(admission.reset_s).into_response();
    }
    let Ok(bytes) = to_bytes(body, BODY_MAX).await else {
        return Problem::body_too_large().into_response();
    };
    for directive in directives(&bytes) {
        metrics::counter!("tollgate_csp_reports_total", "directive" => directive).increment(1);
        tracing::warn!(
            directive,
            "a browser reports that {directive} forbade something on a page"
        );
    }
    StatusCode::NO_CONTENT.into_response()
}

/// The directives that a report names, in the form browsers had first or in the one of the
/// Reporting API.
fn directives(bytes: &[u8]) -> Vec<&'static str> {
    let report: Value = serde_json::from_slice(bytes).unwrap_or_default();
    let single = report.get("csp-report").into_iter().flat_map(|one| {
        let effective = one.get("effective-directive");
        effective.or_else(|| one.get("violated-directive"))
    });
    let listed = report.as_array().into_iter().flatten();
    let listed = listed.filter_map(|one| one.get("body")?.get("effectiveDirective"));
    let named = single.chain(listed).filter_map(Value::as_str);
    named.map(known).take(10).collect()
}

fn known(name: &str) -> &'static str {
    let first = name.split(' ').next().unwrap_or_default();
    let found = DIRECTIVES.iter().find(|directive| **directive == first);
    found.copied().unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::directives;

    #[test]
    fn only_directives_that_we_know_are_taken_from_a_report() {
        for (report, named) in [
            (
                r#"{"csp-report":{"document-uri":"https://x/reset?token=secret","effective-directive":"script-src-elem"}}"#,
                vec!["script-src-elem"],
            ),
            (
                r#"{"csp-report":{"violated-directive":"img-src 'self'"}}"#,
                vec!["img-src"],
            ),
            (
                r#"[{"type":"csp-violation","body":{"effectiveDirective":"style-src-attr"}},{"type":"x"}]"#,
                vec!["style-src-attr"],
            ),
            (
                "{\"csp-report\":{\"effective-directive\":\"a\\nforged line\"}}",
                vec!["other"],
            ),
            ("{", vec![]),
            ("null", vec![]),
            (r#"{"csp-report":7}"#, vec![]),
        ] {
            assert_eq!(directives(report.as_bytes()), named, "{report}");
        }
    }
}
