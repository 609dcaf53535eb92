//! `[otp]` and `[servers.NAME]`: the public names behind which upstreams stand.

use super::section::{Section, text};
use domain::time::Millis;
use std::collections::HashSet;
use toml::Value;

/// Longest waiting period or lifetime that can be set, in seconds: a day.
const LONGEST_S: u32 = 86_400;

/// `[otp]`: what holds for all servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Otp {
    /// The server of a request that names none.
    pub default_server: String,
    /// Servers in the order customers see; servers not named here follow by name.
    pub order: Vec<String>,
}

impl Otp {
    /// Reads the section.
    pub fn read(part: &mut Section<'_>) -> Self {
        let word = |value: &Value| text(value).map(str::to_owned);
        Self {
            default_server: part.parsed("default_server", "peter".to_owned(), word),
            order: part.list("order", Vec::new(), word),
        }
    }
}

/// `[servers.NAME]`: one public server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// On the wire: `provider_source`.
    pub name: String,
    /// Whether it is sold at all.
    pub enabled: bool,
    /// Name for people.
    pub label: String,
    /// No cancel before this age of an activation.
    pub min_cancel_age: Millis,
    /// Lifetime of an activation where the upstream does not say.
    pub lifetime: Millis,
    /// How often it is taken by the weighted strategy, compared with the others.
    pub weight: u32,
    /// What stands behind it, in the order of trying.
    pub routes: Vec<Route>,
}

/// One upstream behind a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Route {
    /// On the wire: `provider_type`; 0 on a server without types.
    pub provider_type: u32,
    /// Name of the upstream.
    pub upstream: String,
}

impl Server {
    /// Reads the section.
    pub fn read(name: &str, part: &mut Section<'_>) -> Self {
        let label = |value: &Value| match text(value)? {
            label if label.trim().is_empty() => Err("must not be empty".to_owned()),
            label => Ok(label.to_owned()),
        };
        let server = Self {
            name: name.to_owned(),
            enabled: part.flag("enabled", true),
            label: part.parsed("label", name.to_owned(), label),
            min_cancel_age: seconds(part.number("min_cancel_age_s", 120, 0..=LONGEST_S)),
            lifetime: seconds(part.number("lifetime_s", 1200, 60..=LONGEST_S)),
            weight: part.number("weight", 1, 0..=1000),
            routes: part.rows("routes", Route::read),
        };
        server.check(part);
        server
    }

    /// What no single value shows.
    fn check(&self, part: &Section<'_>) {
        if self.min_cancel_age >= self.lifetime {
            part.problem("min_cancel_age_s", "must be shorter than lifetime_s");
        }
        let mut seen = HashSet::new();
        for (at, route) in self.routes.iter().enumerate() {
            if !seen.insert(route) {
                part.problem(&format!("routes[{at}]"), "is there twice");
            }
        }
    }
}

impl Route {
    fn read(part: &mut Section<'_>) -> Self {
        let provider_type = part.number("provider_type", 0, 0..=9999);
        let upstream = part.required("upstream", |value| text(value).map(str::to_owned));
        Self {
            provider_type,
            upstream: upstream.unwrap_or_default(),
        }
    }
}

fn seconds(count: u32) -> Millis {
    Millis::seconds(count.into())
}
