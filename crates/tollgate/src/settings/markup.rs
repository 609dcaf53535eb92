//! `[markup]`: what is added to an upstream's cost.

use super::exact::{self, Percent};
use super::nearest::hint;
use super::section::{Section, text};
use domain::countries;
use domain::markup::{Markup, Markups, Rule};
use domain::usd::Usd;
use std::collections::HashSet;
use toml::Value;

/// What a price is when no rule says otherwise: a fifth on top.
const DEFAULT_PERCENT: Percent = Percent { hundredths: 2000 };

/// Reads the section.
pub fn read(part: &mut Section<'_>) -> Markups {
    let percent = part.parsed("percent", DEFAULT_PERCENT, exact::percent);
    let fixed = part.parsed("fixed_usd", Usd::ZERO, exact::dollars);
    let rules = part.rows("rules", |row| rule(row, percent, fixed));
    let mut seen = HashSet::new();
    for (at, rule) in rules.iter().enumerate() {
        if !seen.insert((&rule.server, &rule.service, &rule.country)) {
            part.problem(
                &format!("rules[{at}]"),
                "covers exactly what a rule before it covers",
            );
        }
    }
    Markups {
        general: markup(percent, fixed),
        rules,
    }
}

/// An exception. A figure that is left out is the general one.
fn rule(part: &mut Section<'_>, percent: Percent, fixed: Usd) -> Rule {
    let server = part.optional("server", word, None);
    let service = part.optional("service", word, None);
    let country = part.optional("country", country, None);
    let is_general = server.is_none() && service.is_none() && country.is_none();
    if is_general
        && !["server", "service", "country"]
            .iter()
            .any(|key| part.has_problem(key))
    {
        part.problem(
            "server",
            "is missing, as are service and country: give at least one",
        );
    }
    let percent = part.parsed("percent", percent, exact::percent);
    let fixed = part.parsed("fixed_usd", fixed, exact::dollars);
    Rule {
        server,
        service,
        country,
        markup: markup(percent, fixed),
    }
}

fn markup(percent: Percent, fixed: Usd) -> Markup {
    Markup {
        parts_per_million: i64::from(percent.hundredths) * 100,
        fixed,
    }
}

fn word(value: &Value) -> Result<String, String> {
    match text(value)? {
        "" => Err("must not be empty; leave it out to cover all".to_owned()),
        word => Ok(word.to_lowercase()),
    }
}

/// A country however it is spelled, as its canonical key.
fn country(value: &Value) -> Result<String, String> {
    let given = text(value)?;
    let found = countries::find(given).map(|country| country.key.to_owned());
    found.ok_or_else(|| {
        format!(
            "is no country{}",
            hint(given, countries::all().map(|country| country.key))
        )
    })
}
