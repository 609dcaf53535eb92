//! What of the catalogue needs a person: services without a class, offers that bring nothing.

use super::Stock;
use crate::accounts::AdminError;
use domain::outcomes::FEWEST;
use domain::policy::OtpClass;
use domain::usd::Usd;
use std::collections::BTreeMap;

/// A service that waits for a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its name, as listed.
    pub name: String,
    /// Offers that wait with it.
    pub offers: usize,
    /// Where: upstream and its id there.
    pub at: Vec<(String, String)>,
}

/// Why an offer brings nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dead {
    /// Its upstream said that it does not sell it; closed until its next listing.
    NotSold,
    /// It took far more than this quote; closed until it quotes more.
    Dear(Usd),
    /// Of so many numbers none received a code.
    Silent(u32),
}

/// An offer that brings nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadOffer {
    /// Upstream, or server with its typed route.
    pub place: String,
    /// Country id there.
    pub country_id: String,
    /// Service id there.
    pub service_id: String,
    /// Why.
    pub why: Dead,
}

impl Stock {
    /// Services that wait for a class, the ones with most offers first.
    pub fn unclassified(&self) -> Vec<Waiting> {
        let catalogue = self.engine.catalogue();
        let mut waiting: BTreeMap<&str, Waiting> = BTreeMap::new();
        for shelf in catalogue.shelves() {
            for (id, name, offers) in shelf.unclassified() {
                let entry = waiting.entry(name).or_insert_with(|| Waiting {
                    name: name.to_owned(),
                    offers: 0,
                    at: Vec::new(),
                });
                entry.offers += offers;
                entry.at.push((shelf.upstream().to_string(), id.to_owned()));
            }
        }
        let mut rows: Vec<Waiting> = waiting.into_values().collect();
        rows.sort_by_key(|row| std::cmp::Reverse(row.offers));
        rows
    }

    /// Classes that can be given.
    pub fn classes() -> impl Iterator<Item = OtpClass> {
        let all = OtpClass::ALL.into_iter();
        all.filter(|class| *class != OtpClass::Unclassified)
    }

    /// Gives a service a class, from now on and over restarts.
    ///
    /// # Errors
    /// The name is empty, there is no such class, or it cannot be kept.
    pub async fn classify(&self, name: &str, word: &str) -> Result<OtpClass, AdminError> {
        let Some(class) = Self::classes().find(|class| class.slug() == word) else {
            let words: Vec<&str> = Self::classes().map(OtpClass::slug).collect();
            return Err(AdminError::Invalid(format!(
                "{word}: there are the classes {}",
                words.join(", ")
            )));
        };
        if name.trim().is_empty() {
            return Err(AdminError::Invalid("NAME: must not be empty".to_owned()));
        }
        let written = self.engine.classify_service(name.trim(), class).await;
        written.map_err(|error| AdminError::Invalid(error.to_string()))?;
        Ok(class)
    }

    /// Offers that bring nothing, as far as this process knows.
    pub fn dead_offers(&self) -> Vec<DeadOffer> {
        let engine = &self.engine;
        let dead = |(place, country_id, service_id), why| DeadOffer {
            place,
            country_id,
            service_id,
            why,
        };
        let not_sold = engine.health.all_not_sold().into_iter();
        let not_sold = not_sold.map(|offer| dead(offer, Dead::NotSold));
        let dear = engine.watch.all_dear().into_iter();
        let dear = dear.map(|(offer, quote)| dead(offer, Dead::Dear(quote)));
        let silent = engine.silent_offers(FEWEST).into_iter();
        let silent = silent.map(|(offer, samples)| dead(offer, Dead::Silent(samples)));
        let mut all: Vec<DeadOffer> = not_sold.chain(dear).chain(silent).collect();
        let key = |one: &DeadOffer| {
            let (place, country) = (one.place.clone(), one.country_id.clone());
            (place, country, one.service_id.clone())
        };
        all.sort_by_cached_key(key);
        all
    }
}
