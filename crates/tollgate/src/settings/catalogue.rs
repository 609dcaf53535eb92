//! `[catalogue]`: how upstreams' listings become what is on sale.

use super::markup::country;
use super::section::{Section, text};
use app::CatalogueSettings;
use domain::catalogue::{Naming, SmmRules};
use domain::countries;
use domain::time::Millis;
use std::sync::Arc;
use store::History;
use toml::Value;

/// `[catalogue]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Catalogue {
    /// How long a listing may be sold from after it was read.
    pub lifetime: Millis,
    /// Share of its offers that an upstream may lose at once.
    pub largest_loss_percent: u32,
    /// How much of the history of costs is kept.
    pub history: History,
    /// Names of countries and services.
    pub naming: Naming,
}

impl Catalogue {
    /// Reads the section.
    pub fn read(part: &mut Section<'_>) -> Self {
        let lifetime_h = part.number("lifetime_h", 24, 1..=720);
        let largest_loss_percent = part.number("largest_loss_percent", 50, 1..=100);
        let history = History {
            days: part.number("history_days", 30, 1..=3650),
            bytes: u64::from(part.number("history_mb", 64, 1..=100_000)) * 1_000_000,
        };
        let mut naming = Naming::default();
        part.section("aliases", |part| aliases(part, &mut naming));
        renamed(part, &mut naming);
        part.section("hide", |part| hidden(part, &mut naming));
        Self {
            lifetime: Millis::minutes(60 * i64::from(lifetime_h)),
            largest_loss_percent,
            history,
            naming,
        }
    }

    /// The same for the engine.
    pub fn engine(&self, smm: &SmmRules) -> CatalogueSettings {
        CatalogueSettings {
            naming: Arc::new(self.naming.clone()),
            lifetime: self.lifetime,
            largest_loss_percent: self.largest_loss_percent,
            smm: Arc::new(smm.clone()),
        }
    }
}

fn aliases(part: &mut Section<'_>, naming: &mut Naming) {
    for (spelling, key) in part.words("countries", country) {
        if let Some(country) = countries::by_key(&key) {
            naming.country_alias(&spelling, country);
        }
    }
    for (spelling, name) in part.words("services", name) {
        naming.service_alias(&spelling, &name);
    }
}

fn renamed(part: &mut Section<'_>, naming: &mut Naming) {
    for (given, name) in part.words("rename_countries", name) {
        match countries::find(&given) {
            Some(country) => naming.rename_country(country, &name),
            None => part.problem(&format!("rename_countries.{given:?}"), "is no country"),
        }
    }
}

fn hidden(part: &mut Section<'_>, naming: &mut Naming) {
    for key in part.list("countries", Vec::new(), country) {
        naming.hide_country(&key);
    }
    for service in part.list("services", Vec::new(), name) {
        naming.hide_service(&service);
    }
}

fn name(value: &Value) -> Result<String, String> {
    match text(value)?.trim() {
        "" => Err("must not be empty".to_owned()),
        name => Ok(name.to_owned()),
    }
}
