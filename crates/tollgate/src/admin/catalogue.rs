//! What the operator can ask about the catalogue.

use super::rfc3339;
use super::upstreams::measured;
use crate::settings::Settings;
use app::{AdminError, Engine, ListingState};
use domain::catalogue::{Catalogue, Offer, RouteKey};
use domain::countries;
use domain::policy::OtpClass;
use domain::ports::ChangesOf;
use domain::usd::Usd;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Counts, and each upstream's part.
pub fn stats(engine: &Engine) -> Value {
    let catalogue = engine.catalogue();
    let (offers, smm_services) = catalogue.size();
    let states = engine.listing_states();
    let bytes: usize = states.iter().map(|state| state.bytes).sum();
    json!({
        "offers": offers,
        "countries": catalogue.countries.len(),
        "smm_services": smm_services,
        "smm_notes": smm_notes(&catalogue),
        "bytes": bytes,
        "upstreams": listings(states),
        "panels": listings(engine.panel_states()),
        "routes": routes(engine),
    })
}

/// How the routes perform that somebody bought on.
fn routes(engine: &Engine) -> Vec<Value> {
    let rows = engine.measured_routes().into_iter().map(|route| {
        json!({
            "server": route.server,
            "provider_type": route.provider_type,
            "country_id": route.country_id,
            "measured": measured(&route.figures),
        })
    });
    rows.collect()
}

fn listings(states: Vec<ListingState>) -> Vec<Value> {
    let rows = states.into_iter().map(|state| {
        json!({
            "upstream": state.upstream,
            "offers": state.offers,
            "bytes": state.bytes,
            "read_at": rfc3339(state.read_at.0),
            "trouble": state.trouble,
        })
    });
    rows.collect()
}

/// SMM services that are not sold as the operator would expect, and why.
fn smm_notes(catalogue: &Catalogue) -> Vec<Value> {
    let notes = catalogue.smm_notes().iter();
    let rows = notes.map(|note| {
        let source = note.source.as_ref();
        json!({
            "service_id": &*note.service,
            "source": source.map(|(upstream, service)| format!("{upstream}:{service}")),
            "trouble": note.trouble.slug(),
        })
    });
    rows.collect()
}

/// Services that wait for a class, the ones with most offers first.
pub fn unclassified(engine: &Engine) -> Value {
    let catalogue = engine.catalogue();
    let mut waiting: BTreeMap<&str, (usize, Vec<String>)> = BTreeMap::new();
    for shelf in catalogue.shelves() {
        for (id, name, offers) in shelf.unclassified() {
            let entry = waiting.entry(name).or_default();
            entry.0 += offers;
            entry.1.push(format!("{} {id}", shelf.upstream()));
        }
    }
    let mut rows: Vec<_> = waiting.into_iter().collect();
    rows.sort_by_key(|(_, (offers, _))| std::cmp::Reverse(*offers));
    let rows: Vec<Value> = rows
        .into_iter()
        .map(|(name, (offers, at))| json!({ "name": name, "offers": offers, "at": at }))
        .collect();
    json!({ "services": rows })
}

/// Gives a service a class.
pub async fn classify(engine: &Engine, name: &str, word: &str) -> Result<Value, AdminError> {
    let known = OtpClass::ALL
        .iter()
        .filter(|class| **class != OtpClass::Unclassified);
    let class = known.clone().find(|class| class.slug() == word);
    let Some(class) = class else {
        let words: Vec<&str> = known.map(|class| class.slug()).collect();
        return Err(AdminError::Invalid(format!(
            "{word}: there are the classes {}",
            words.join(", ")
        )));
    };
    if name.trim().is_empty() {
        return Err(AdminError::Invalid("NAME: must not be empty".to_owned()));
    }
    let written = engine.classify_service(name.trim(), *class).await;
    written.map_err(|error| AdminError::Invalid(error.to_string()))?;
    Ok(json!({ "name": name.trim(), "class": class.slug() }))
}

/// What of the history is asked for.
pub fn wanted(
    service: Option<String>,
    country: Option<String>,
    upstream: Option<String>,
    limit: u32,
) -> Result<ChangesOf, AdminError> {
    let key = |name: String| match countries::find(&name) {
        Some(country) => Ok(country.key.to_owned()),
        None => Err(AdminError::Invalid(format!(
            "--country {name}: is no country"
        ))),
    };
    Ok(ChangesOf {
        service,
        country: country.map(key).transpose()?,
        upstream,
        limit: usize::try_from(limit).unwrap_or(usize::MAX),
        ..ChangesOf::default()
    })
}

/// Changes of costs, the latest first.
pub async fn history(engine: &Engine, wanted: ChangesOf) -> Result<Value, AdminError> {
    let found = engine.cost_changes(wanted).await;
    let found = found.map_err(|error| AdminError::Invalid(error.to_string()))?;
    let rows: Vec<Value> = found
        .iter()
        .map(|noted| {
            let change = &noted.change;
            json!({
                "at": rfc3339(noted.at.0),
                "upstream": noted.upstream,
                "country": &*change.country_key,
                "country_id": &*change.country_id,
                "service": &*change.service_name,
                "service_id": &*change.service_id,
                "pool_id": change.pool_id.as_deref(),
                "cost_before": change.from.to_string(),
                "cost": change.to.to_string(),
            })
        })
        .collect();
    Ok(json!({ "changes": rows }))
}

/// Counts of a comparison.
#[derive(Default)]
struct Compared {
    offers: usize,
    dearer: usize,
    cheaper: usize,
    unsold: usize,
    below_cost: usize,
}

/// What another file's markup would change, without applying it.
pub fn preview(engine: &Engine, file: &str, tier: u8, limit: u32) -> Result<Value, AdminError> {
    let markups = Settings::markup_of(file).map_err(|problems| {
        let lines: Vec<String> = problems
            .iter()
            .map(|problem| format!("{}: {}", problem.key, problem.why))
            .collect();
        AdminError::Invalid(lines.join("\n"))
    })?;
    let (now, then) = (engine.catalogue(), engine.catalogue().repriced(markups));
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut compared, mut examples) = (Compared::default(), Vec::new());
    for key in now.countries.iter().flat_map(|country| &country.routes) {
        let (Some(before), Some(after)) = (now.route(key, tier), then.route(key, tier)) else {
            continue;
        };
        // a rule may leave an offer without a price, so the two lists need not be equally long
        let mut after = after.offers().peekable();
        for old in before.offers() {
            let new = after.next_if(|new| is_same(&old, new));
            let new_price = new.map(|new| new.price);
            let below_cost = new_price.is_some_and(|price| price < old.cost);
            compared.add(old.price, new_price, below_cost);
            if new_price != Some(old.price) && examples.len() < limit {
                examples.push(example(&now, key, &old, new_price));
            }
        }
    }
    Ok(json!({
        "tier": tier,
        "offers": compared.offers,
        "dearer": compared.dearer,
        "cheaper": compared.cheaper,
        "no_longer_sold": compared.unsold,
        "below_cost": compared.below_cost,
        "examples": examples,
    }))
}

impl Compared {
    fn add(&mut self, before: Usd, after: Option<Usd>, below_cost: bool) {
        self.offers += 1;
        self.below_cost += usize::from(below_cost);
        match after {
            None => self.unsold += 1,
            Some(after) if after > before => self.dearer += 1,
            Some(after) if after < before => self.cheaper += 1,
            Some(_) => {}
        }
    }
}

fn is_same(old: &Offer<'_>, new: &Offer<'_>) -> bool {
    old.service_id == new.service_id && old.pool_id == new.pool_id && old.cost == new.cost
}

fn example(catalogue: &Catalogue, key: &RouteKey, old: &Offer<'_>, price: Option<Usd>) -> Value {
    json!({
        "server": catalogue.servers[key.server].name,
        "provider_type": key.provider_type,
        "country_id": &*key.country_id,
        "service": &**old.service_name,
        "service_id": &**old.service_id,
        "cost": old.cost.to_string(),
        "price_before": old.price.to_string(),
        "price": price.map(|price| price.to_string()),
    })
}
