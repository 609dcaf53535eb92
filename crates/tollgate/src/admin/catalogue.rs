//! What the operator can ask about the catalogue.

use super::rfc3339;
use super::upstreams::measured;
use app::{AdminError, Engine, ListingState, PriceExample, Stock};
use domain::catalogue::Catalogue;
use domain::countries;
use domain::ids::AccountId;
use domain::ports::ChangesOf;
use domain::usd::Usd;
use serde_json::{Value, json};

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
pub fn unclassified(stock: &Stock) -> Value {
    let rows = stock.unclassified().into_iter().map(|one| {
        let at = one.at.iter();
        let at: Vec<String> = at
            .map(|(upstream, id)| format!("{upstream} {id}"))
            .collect();
        json!({ "name": one.name, "offers": one.offers, "at": at })
    });
    json!({ "services": rows.collect::<Vec<_>>() })
}

/// Gives a service a class.
pub async fn classify(stock: &Stock, name: &str, word: &str) -> Result<Value, AdminError> {
    let class = stock.classify(name, word).await?;
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

/// What another file's markup would change, without applying it.
pub async fn preview(
    stock: &Stock,
    file: &str,
    (tier, account): (u8, Option<i64>),
    limit: u32,
) -> Result<Value, AdminError> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let payer = stock.whose(tier, account.map(AccountId)).await?;
    let compared = stock.preview(file, payer, limit).await?;
    let examples: Vec<Value> = compared.examples.iter().map(example).collect();
    let usd = |amount: Option<Usd>| amount.map(|amount| amount.to_string());
    Ok(json!({
        "tier": compared.tier,
        "account_id": compared.account.map(|account| account.0),
        "offers": compared.offers,
        "dearer": compared.dearer,
        "cheaper": compared.cheaper,
        "no_longer_sold": compared.unsold,
        "below_cost": compared.below_cost,
        "least_margin_before": usd(compared.least_margin_before),
        "least_margin": usd(compared.least_margin),
        "examples": examples,
    }))
}

fn example(one: &PriceExample) -> Value {
    json!({
        "server": one.server,
        "provider_type": one.provider_type,
        "country_id": one.country_id,
        "service": one.service,
        "service_id": one.service_id,
        "cost": one.cost.to_string(),
        "price_before": one.before.to_string(),
        "price": one.after.map(|price| price.to_string()),
    })
}
