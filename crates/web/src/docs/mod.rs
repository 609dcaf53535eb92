//! The documentation door: one table of endpoints, and everything that is generated from it.

pub mod clients;
pub mod endpoints;
pub mod errors;
pub mod openapi;
pub mod pages;
mod routes;
pub mod samples;

pub use openapi::openapi;
pub use pages::{GUIDE, llms, reference};
pub(crate) use routes::routes;

/// Shown where the caller's own address cannot be told.
const FALLBACK_BASE_URL: &str = "http://127.0.0.1:8080";

/// The origin to print in examples: without a trailing slash, and only if it is a plain
/// `http` or `https` origin. The Host header is a stranger's text and the examples are meant
/// to be pasted into a shell, so anything else is replaced.
fn origin(base_url: &str) -> &str {
    let base_url = base_url.trim_end_matches('/');
    let host = base_url
        .strip_prefix("https://")
        .or_else(|| base_url.strip_prefix("http://"));
    let harmless = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:[]".contains(&byte);
    match host {
        Some(host) if !host.is_empty() && host.bytes().all(harmless) => base_url,
        _ => FALLBACK_BASE_URL,
    }
}

#[cfg(test)]
mod tests;
