//! `[markup]`: what is added to an upstream's cost.

use super::exact::{self, Percent};
use super::section::{Section, text};
use domain::usd::Usd;
use std::collections::HashSet;
use toml::Value;

/// What a price is when no rule says otherwise: a fifth on top.
const DEFAULT_PERCENT: Percent = Percent { hundredths: 2000 };

/// `[markup]`: price = cost + cost × percent / 100 + fixed; the most specific rule wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markup {
    /// Where no rule fits.
    pub percent: Percent,
    /// Added to each sale where no rule fits.
    pub fixed: Usd,
    /// Exceptions, in the order of the file.
    pub rules: Vec<MarkupRule>,
}

/// An exception: each member that is given narrows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkupRule {
    /// What it covers.
    pub scope: MarkupScope,
    /// Percent on top.
    pub percent: Percent,
    /// Added to each sale.
    pub fixed: Usd,
}

/// What a markup rule covers; nothing means any.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MarkupScope {
    /// Public name of a server.
    pub server: Option<String>,
    /// Canonical service.
    pub service: Option<String>,
    /// Canonical country.
    pub country: Option<String>,
}

impl Markup {
    /// Reads the section.
    pub fn read(part: &mut Section<'_>) -> Self {
        let percent = part.parsed("percent", DEFAULT_PERCENT, exact::percent);
        let fixed = part.parsed("fixed_usd", Usd::ZERO, exact::dollars);
        let rules = part.rows("rules", |rule| MarkupRule::read(rule, percent, fixed));
        let mut seen = HashSet::new();
        for (at, rule) in rules.iter().enumerate() {
            if !seen.insert(&rule.scope) {
                part.problem(
                    &format!("rules[{at}]"),
                    "covers exactly what a rule before it covers",
                );
            }
        }
        Self {
            percent,
            fixed,
            rules,
        }
    }
}

impl MarkupRule {
    /// A figure that is left out is the general one.
    fn read(part: &mut Section<'_>, percent: Percent, fixed: Usd) -> Self {
        let mut member = |key: &str| part.optional(key, word, None);
        let scope = MarkupScope {
            server: member("server"),
            service: member("service"),
            country: member("country"),
        };
        if scope.server.is_none() && scope.service.is_none() && scope.country.is_none() {
            part.problem(
                "server",
                "is missing, as are service and country: give at least one",
            );
        }
        Self {
            scope,
            percent: part.parsed("percent", percent, exact::percent),
            fixed: part.parsed("fixed_usd", fixed, exact::dollars),
        }
    }
}

fn word(value: &Value) -> Result<String, String> {
    match text(value)? {
        "" => Err("must not be empty; leave it out to cover all".to_owned()),
        word => Ok(word.to_owned()),
    }
}
