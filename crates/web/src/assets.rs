//! The files that pages ask for, carried inside the program. Links to them carry a digest of their
//! content, so that browsers may keep them for ever and still see every new release at once.

use crate::api_v1::problem::Problem;
use axum::http::{HeaderValue, Uri, header};
use axum::response::{IntoResponse, Response};
use domain::hex::hex;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::sync::LazyLock;

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";
const PNG: &str = "image/png";
const SVG: &str = "image/svg+xml";

/// Name, media type and content of every file.
const FILES: [(&str, &str, &[u8]); 10] = [
    ("docs.css", CSS, include_bytes!("../assets/docs/docs.css")),
    ("ink.css", CSS, include_bytes!("../assets/ink.css")),
    (
        "docs.js",
        JAVASCRIPT,
        include_bytes!("../assets/docs/docs.js"),
    ),
    (
        "try.js",
        JAVASCRIPT,
        include_bytes!("../assets/docs/try.js"),
    ),
    ("docs.svg", SVG, include_bytes!("../assets/docs/docs.svg")),
    (
        "app.css",
        CSS,
        include_bytes!("../assets/dashboard/app.css"),
    ),
    (
        "app.js",
        JAVASCRIPT,
        include_bytes!("../assets/dashboard/app.js"),
    ),
    (
        "flags.css",
        CSS,
        include_bytes!("../assets/vendor/flags.css"),
    ),
    (
        "flags.png",
        PNG,
        include_bytes!("../assets/vendor/flags.png"),
    ),
    (
        "htmx.js",
        JAVASCRIPT,
        include_bytes!("../assets/vendor/htmx-4.0.1.min.js"),
    ),
];

/// Digest of each file by its name.
static DIGESTS: LazyLock<HashMap<&str, String>> = LazyLock::new(|| {
    let digest = |content: &[u8]| hex(&Sha256::digest(content)[..8]);
    FILES
        .iter()
        .map(|(name, _, content)| (*name, digest(content)))
        .collect()
});

/// The address of a file as pages link to it.
pub(crate) fn address(name: &str) -> String {
    match DIGESTS.get(name) {
        Some(digest) => format!("/assets/{name}?v={digest}"),
        None => format!("/assets/{name}"),
    }
}

/// What is in a file.
#[cfg(test)]
pub(crate) fn content(name: &str) -> Option<&'static [u8]> {
    let file = FILES.iter().find(|(known, ..)| *known == name);
    file.map(|(_, _, content)| *content)
}

/// `GET /assets/{name}`.
pub(crate) async fn serve(target: Uri) -> Response {
    let name = target.path().strip_prefix("/assets/").unwrap_or_default();
    let Some((_, media_type, content)) = FILES.iter().find(|(known, ..)| *known == name) else {
        return Problem::not_found().into_response();
    };
    let digest = DIGESTS.get(name).map(String::as_str);
    let asked = target.query().and_then(|query| query.strip_prefix("v="));
    let keep = if asked.is_some() && asked == digest {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    let mut response = (
        [
            (header::CONTENT_TYPE, *media_type),
            (header::CACHE_CONTROL, keep),
        ],
        *content,
    )
        .into_response();
    if let Some(tag) =
        digest.and_then(|digest| HeaderValue::from_str(&format!("\"{digest}\"")).ok())
    {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}
