//! `[smm]`: the panels that take SMM orders, and what is said of single services.

use super::exact;
use super::links::unknown_upstream;
use super::nearest::hint;
use super::reader::Reader;
use super::section::{Section, text};
use super::{Protocol, Settings};
use domain::catalogue::{CostAbovePrice, SmmRule, SmmRules};
use domain::usd::Usd;
use std::collections::HashSet;
use std::fmt;
use toml::Value;

/// The panel of a file that names none.
const DEFAULT_PANEL: &str = "panel";

const ON_COST_ABOVE_PRICE: [(&str, CostAbovePrice); 3] = [
    ("raise", CostAbovePrice::Raise),
    ("disable", CostAbovePrice::Disable),
    ("notify", CostAbovePrice::Notify),
];

/// `[smm]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Smm {
    /// Panels in order of preference; none where there is no SMM side.
    pub upstreams: Vec<String>,
    /// Single services, and set prices that no longer cover their cost.
    pub rules: SmmRules,
    /// The key that named the panels.
    listed: bool,
}

/// A panel's service as it is written: `panel:123`.
struct Source(String, String);

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0, self.1)
    }
}

impl Smm {
    /// Reads the section; names are checked once all upstreams are known.
    pub fn read(part: &mut Section<'_>) -> Self {
        let name = |value: &Value| text(value).map(str::to_owned);
        let default = DEFAULT_PANEL.to_owned();
        let one = part.optional("upstream", name, Some(&default));
        let several = part.list("upstreams", Vec::new(), name);
        if one.is_some() && !several.is_empty() {
            part.problem("upstreams", "cannot stand beside smm.upstream");
        }
        let listed = !several.is_empty();
        let one = one.unwrap_or(default);
        let upstreams = match listed {
            true => several,
            false => Some(one)
                .into_iter()
                .filter(|name| !name.is_empty())
                .collect(),
        };
        let on_cost_above_price = part.choice(
            "on_cost_above_price",
            CostAbovePrice::default(),
            &ON_COST_ABOVE_PRICE,
        );
        let services = part.named("services", |id, part| (id.to_owned(), service(part)));
        Self {
            upstreams,
            rules: SmmRules {
                services: services.into_iter().collect(),
                on_cost_above_price,
            },
            listed,
        }
    }
}

fn service(part: &mut Section<'_>) -> SmmRule {
    let sources = part.list("sources", Vec::new(), source);
    SmmRule {
        name: part.optional("name", words, None),
        category: part.optional("category", words, None),
        sources: sources.into_iter().map(|Source(up, id)| (up, id)).collect(),
        rate: part.optional("rate_usd", above_zero, None),
        disabled: part.flag("disabled", false),
    }
}

fn words(value: &Value) -> Result<String, String> {
    match text(value)?.trim() {
        "" => Err("must not be empty; leave it out to keep the panel's".to_owned()),
        words => Ok(words.to_owned()),
    }
}

fn above_zero(value: &Value) -> Result<Usd, String> {
    match exact::dollars(value)? {
        Usd::ZERO => Err("must be above zero".to_owned()),
        rate => Ok(rate),
    }
}

fn source(value: &Value) -> Result<Source, String> {
    match text(value)?.split_once(':') {
        Some((panel, id)) if !panel.is_empty() && !id.trim().is_empty() => {
            Ok(Source(panel.to_owned(), id.trim().to_owned()))
        }
        _ => Err("must be an upstream and its service id, like \"panel:123\"".to_owned()),
    }
}

/// Names that lead nowhere. Without any panel there is no SMM side, whatever the default.
pub fn check(settings: &mut Settings, reader: &Reader<'_>) {
    let mut smm = std::mem::take(&mut settings.smm);
    let speaks = |name: &str| {
        let upstream = settings.upstream(name);
        upstream.map(|upstream| upstream.protocol == Protocol::PanelV2)
    };
    let panels = settings.upstreams.iter();
    let none = !panels.clone().any(|up| up.protocol == Protocol::PanelV2);
    let mut seen = HashSet::new();
    for (at, name) in smm.upstreams.iter().enumerate() {
        let key = match smm.listed {
            true => format!("smm.upstreams[{at}]"),
            false => "smm.upstream".to_owned(),
        };
        match speaks(name) {
            Some(true) if seen.insert(name.clone()) => {}
            Some(true) => reader.problem(&key, "is there twice"),
            Some(false) => {
                reader.problem(&key, "names an upstream that does not speak panel_v2");
            }
            None if none && !smm.listed => {}
            None => reader.problem(&key, unknown_upstream(settings, name)),
        }
    }
    smm.upstreams.retain(|name| speaks(name) == Some(true));
    services(&smm, reader);
    settings.smm = smm;
}

fn services(smm: &Smm, reader: &Reader<'_>) {
    let mut seen = HashSet::new();
    for (id, rule) in &smm.rules.services {
        let whole = id.parse::<u32>().is_ok_and(|id| id > 0) && !id.starts_with('0');
        if !whole {
            let why = "must be named with a whole number above zero: clients read ids as numbers";
            reader.problem(&format!("smm.services.{id}"), why);
        }
        for (at, source) in rule.sources.iter().enumerate() {
            let key = format!("smm.services.{id}.sources[{at}]");
            if !smm.upstreams.contains(&source.0) {
                let near = hint(&source.0, smm.upstreams.iter().map(String::as_str));
                let why = format!("names \"{}\", which takes no SMM orders{near}", source.0);
                reader.problem(&key, why);
            } else if !seen.insert(source) {
                reader.problem(&key, "is a source already");
            }
        }
    }
}
