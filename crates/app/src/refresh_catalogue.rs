//! Refreshing the catalogue: every upstream's listing, the last good one kept, one swap.

use crate::engine::Engine;
use domain::catalogue::{Catalogue, Sources};
use domain::upstream::{NumberListing, PanelService, ReadFailure};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
struct LastGood {
    numbers: HashMap<String, Arc<NumberListing>>,
    panels: HashMap<String, Arc<Vec<PanelService>>>,
}

/// The last good listing of every upstream.
#[derive(Debug, Default)]
pub(crate) struct Listings(Mutex<LastGood>);

impl Listings {
    fn last_good(&self) -> MutexGuard<'_, LastGood> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one refresh came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refreshed {
    /// Upstream.
    pub upstream: String,
    /// Offers taken over, or why the last good listing stays.
    pub outcome: Result<usize, String>,
}

impl Engine {
    /// Asks one upstream for its listing and swaps the catalogue. A listing that fails or is empty
    /// changes nothing.
    pub async fn refresh_upstream(&self, name: &str) -> Refreshed {
        let outcome = match (self.number_upstream(name), self.panel(name)) {
            (Some(upstream), _) => self.take_numbers(name, upstream.listing().await),
            (None, Some(panel)) => self.take_services(name, panel.services().await),
            (None, None) => Err("there is no upstream of this name".to_owned()),
        };
        match &outcome {
            Ok(offers) => {
                tracing::info!(
                    upstream = name,
                    offers,
                    "catalogue of {name}: {offers} offers"
                );
                self.rebuild_catalogue();
            }
            Err(why) => {
                tracing::warn!(
                    upstream = name,
                    why,
                    "catalogue of {name} kept as it was: {why}"
                );
            }
        }
        Refreshed {
            upstream: name.to_owned(),
            outcome,
        }
    }

    fn take_numbers(
        &self,
        name: &str,
        listing: Result<NumberListing, ReadFailure>,
    ) -> Result<usize, String> {
        let listing = listing.map_err(|failure| failure.to_string())?;
        if listing.offers.is_empty() {
            return Err("the listing holds no offers".to_owned());
        }
        let count = listing.offers.len();
        self.listings
            .last_good()
            .numbers
            .insert(name.to_owned(), Arc::new(listing));
        Ok(count)
    }

    fn take_services(
        &self,
        name: &str,
        services: Result<Vec<PanelService>, ReadFailure>,
    ) -> Result<usize, String> {
        let services = services.map_err(|failure| failure.to_string())?;
        if services.is_empty() {
            return Err("the list holds no services".to_owned());
        }
        let count = services.len();
        self.listings
            .last_good()
            .panels
            .insert(name.to_owned(), Arc::new(services));
        Ok(count)
    }

    /// Whether an upstream has shown its listing since the start.
    pub fn is_listed(&self, name: &str) -> bool {
        let listings = self.listings.last_good();
        listings.numbers.contains_key(name) || listings.panels.contains_key(name)
    }

    /// Builds the catalogue from the last good listings and swaps it in. The lock over the
    /// listings also keeps two rebuilds from overtaking each other.
    fn rebuild_catalogue(&self) {
        let listings = self.listings.last_good();
        let panels: Vec<_> = self
            .panels()
            .filter_map(|name| Some((name.to_owned(), listings.panels.get(name)?.clone())))
            .collect();
        let sources = Sources {
            servers: &self.settings.servers,
            numbers: &listings.numbers,
            panels_read: panels.len() == self.outside.panels.len(),
            panels: &panels,
            markups: &self.settings.markups,
            rules: &self.settings.rules,
            grace: self.settings.price_grace,
        };
        let next = Catalogue::build(&sources, &self.catalogue(), self.now());
        self.catalogue.store(Arc::new(next));
    }
}
