//! `[traces]`: where traces of requests go.

use super::base_url;
use super::secret::{Secret, Shape};
use super::section::Section;

/// `[traces]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traces {
    /// Full address that takes OTLP over HTTP, as a rule ending in `/v1/traces`.
    pub otlp_url: String,
    /// What is shown there as a bearer token.
    pub token: Option<Secret>,
    /// How many requests of a hundred are traced.
    pub sample_percent: u32,
}

impl Traces {
    /// Reads the section; nothing where no address is set.
    pub fn read(part: &mut Section<'_>) -> Option<Self> {
        let plain = part.flag("allow_plain_http", false);
        let otlp_url = part.optional("otlp_url", |value| base_url::upstream(value, plain), None);
        let token = part.optional_secret(&Shape {
            key: "token",
            default_file: None,
            least_bytes: 1,
        });
        let sample_percent = part.number("sample_percent", 100, 1..=100);
        Some(Self {
            otlp_url: otlp_url?,
            token,
            sample_percent,
        })
    }
}
