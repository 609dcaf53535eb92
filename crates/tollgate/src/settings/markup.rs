//! `[markup]`: what is added to an upstream's cost.

use super::exact::{self, Percent};
use super::nearest::hint;
use super::section::{Section, text};
use domain::countries;
use domain::ids::AccountId;
use domain::markup::{Markup, Markups, Rule};
use domain::usd::Usd;
use std::collections::HashSet;
use toml::Value;

/// What a rule may name.
const NAMES: [&str; 5] = ["server", "service", "country", "tier", "account"];

/// What a price is when no rule says otherwise: a fifth on top.
const DEFAULT_PERCENT: Percent = Percent { hundredths: 2000 };

/// The figures of a markup as they are written.
#[derive(Clone, Copy)]
struct Figures {
    percent: Percent,
    fixed: Usd,
    min_margin: Usd,
    round_to: Usd,
}

/// Reads the section.
pub fn read(part: &mut Section<'_>) -> Markups {
    let general = Figures {
        percent: DEFAULT_PERCENT,
        fixed: Usd::ZERO,
        min_margin: Usd::ZERO,
        round_to: Usd::ZERO,
    };
    let general = figures(part, general, exact::percent);
    let rules = part.rows("rules", |row| rule(row, general));
    let mut seen = HashSet::new();
    for (at, rule) in rules.iter().enumerate() {
        if !seen.insert((
            &rule.server,
            &rule.service,
            &rule.country,
            rule.tier,
            rule.account,
        )) {
            part.problem(
                &format!("rules[{at}]"),
                "covers exactly what a rule before it covers",
            );
        }
    }
    Markups {
        general: markup(general, false),
        rules,
    }
}

fn figures(
    part: &mut Section<'_>,
    general: Figures,
    percent: fn(&Value) -> Result<Percent, String>,
) -> Figures {
    Figures {
        percent: part.parsed("percent", general.percent, percent),
        fixed: part.parsed("fixed_usd", general.fixed, exact::dollars),
        min_margin: part.parsed("min_margin_usd", general.min_margin, exact::dollars),
        round_to: part.parsed("round_to_usd", general.round_to, exact::dollars),
    }
}

/// An exception. A figure that is left out is the general one.
fn rule(part: &mut Section<'_>, general: Figures) -> Rule {
    let server = part.optional("server", word, None);
    let service = part.optional("service", word, None);
    let country = part.optional("country", country, None);
    let tier = part.optional_number("tier", 0..=3);
    let account = part.optional("account", account, None);
    let names = [server.is_some(), service.is_some(), country.is_some()];
    let is_general = names == [false; 3] && tier.is_none() && account.is_none();
    if is_general && !NAMES.iter().any(|key| part.has_problem(key)) {
        part.problem(
            "server",
            "is missing, as are service, country, tier and account: give at least one",
        );
    }
    let is_smm = server.as_deref() == Some("smm");
    for (key, given) in [("tier", tier.is_some()), ("account", account.is_some())] {
        if given && is_smm {
            let why = "has no meaning for SMM, which has one price for all accounts";
            part.problem(key, why);
        }
    }
    let own = figures(part, general, exact::discount);
    let below_cost = part.flag("below_cost", false);
    if own.percent.hundredths < 0 && !below_cost {
        let why = "takes something off the cost: that needs below_cost = true";
        part.problem("percent", why);
    }
    Rule {
        server,
        service,
        country,
        tier: tier.and_then(|tier| u8::try_from(tier).ok()),
        account,
        markup: markup(own, below_cost),
    }
}

fn markup(figures: Figures, below_cost: bool) -> Markup {
    Markup {
        parts_per_million: i64::from(figures.percent.hundredths) * 100,
        fixed: figures.fixed,
        min_margin: figures.min_margin,
        round_to: figures.round_to,
        below_cost,
    }
}

/// The section as a file has it. A rule names all its figures, so that none falls back on the general
/// ones.
pub fn written(markups: &Markups) -> String {
    let mut lines = vec!["[markup]".to_owned()];
    lines.extend(figures_written(&markups.general));
    for rule in &markups.rules {
        lines.extend([String::new(), "[[markup.rules]]".to_owned()]);
        let names = [
            ("server", &rule.server),
            ("service", &rule.service),
            ("country", &rule.country),
        ];
        for (key, name) in names {
            let name = name.iter().map(|name| Value::from(name.as_str()));
            lines.extend(name.map(|name| format!("{key} = {name}")));
        }
        lines.extend(rule.tier.map(|tier| format!("tier = {tier}")));
        let account = rule.account.map(|account| format!("account = {account}"));
        lines.extend(account);
        lines.extend(figures_written(&rule.markup));
        let below = rule.markup.below_cost;
        lines.extend(below.then(|| "below_cost = true".to_owned()));
    }
    lines.join("\n") + "\n"
}

fn figures_written(markup: &Markup) -> [String; 4] {
    let percent = Percent {
        hundredths: i32::try_from(markup.parts_per_million / 100).unwrap_or(i32::MAX),
    };
    [
        format!("percent = \"{percent}\""),
        format!("fixed_usd = \"{}\"", markup.fixed),
        format!("min_margin_usd = \"{}\"", markup.min_margin),
        format!("round_to_usd = \"{}\"", markup.round_to),
    ]
}

/// The number of an account.
pub(super) fn account(value: &Value) -> Result<AccountId, String> {
    let id = value.as_integer().filter(|id| *id > 0);
    id.map(AccountId)
        .ok_or_else(|| "must be the number of an account, like 100001".to_owned())
}

fn word(value: &Value) -> Result<String, String> {
    match text(value)? {
        "" => Err("must not be empty; leave it out to cover all".to_owned()),
        word => Ok(word.to_lowercase()),
    }
}

/// A country however it is spelled, as its canonical key.
pub(super) fn country(value: &Value) -> Result<String, String> {
    let given = text(value)?;
    let found = countries::find(given).map(|country| country.key.to_owned());
    found.ok_or_else(|| {
        format!(
            "is no country{}",
            hint(given, countries::all().map(|country| country.key))
        )
    })
}
