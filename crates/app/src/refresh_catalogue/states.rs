//! What is known of every upstream's listing, and how its costs changed.

use crate::engine::Engine;
use domain::ports::{ChangesOf, NotedChange, StoreError};
use domain::time::Timestamp;
use domain::upstream::PanelService;

/// One upstream's part of the catalogue, for the operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListingState {
    /// Upstream.
    pub upstream: String,
    /// Offers in its last good listing.
    pub offers: usize,
    /// When that was read.
    pub read_at: Timestamp,
    /// Bytes of memory it takes.
    pub bytes: usize,
    /// Why the latest reading was not taken over.
    pub trouble: Option<String>,
}

impl Engine {
    /// Whether an upstream has shown its listing since the start.
    pub fn is_listed(&self, name: &str) -> bool {
        self.listings.last_good().read.contains(name)
    }

    /// Whether every upstream has a listing that can be sold from.
    pub fn sells_at_once(&self) -> bool {
        let listings = self.listings.last_good();
        let mut names = self.number_upstreams();
        names.all(|name| {
            let shelf = listings.numbers.get(name);
            shelf.is_some_and(|shelf| self.is_fresh(shelf))
        }) && self.panels().all(|name| listings.panels.contains_key(name))
    }

    /// Every upstream's part of the catalogue, by name.
    pub fn listing_states(&self) -> Vec<ListingState> {
        let listings = self.listings.last_good();
        let mut states: Vec<ListingState> = listings
            .numbers
            .iter()
            .map(|(upstream, shelf)| ListingState {
                upstream: upstream.clone(),
                offers: shelf.len(),
                read_at: shelf.read_at(),
                bytes: shelf.bytes(),
                trouble: listings.troubles.get(upstream).cloned(),
            })
            .collect();
        states.sort_by(|a, b| a.upstream.cmp(&b.upstream));
        states
    }

    /// Every panel's part of the catalogue, by name.
    pub fn panel_states(&self) -> Vec<ListingState> {
        let listings = self.listings.last_good();
        let panels = listings.panels.iter();
        let states = panels.map(|(upstream, services)| ListingState {
            upstream: upstream.clone(),
            offers: services.list.len(),
            read_at: services.read_at,
            bytes: services.list.len() * size_of::<PanelService>(),
            trouble: listings.troubles.get(upstream).cloned(),
        });
        let mut states: Vec<_> = states.collect();
        states.sort_by(|a, b| a.upstream.cmp(&b.upstream));
        states
    }

    /// How costs changed, the latest first.
    ///
    /// # Errors
    /// The history cannot be read.
    pub async fn cost_changes(&self, wanted: ChangesOf) -> Result<Vec<NotedChange>, StoreError> {
        let Some(archive) = self.outside.archive.clone() else {
            return Ok(Vec::new());
        };
        let read = self.compute(move || archive.changes(&wanted)).await;
        read.unwrap_or_else(|| Err(StoreError("the history was not read to its end".to_owned())))
    }
}
