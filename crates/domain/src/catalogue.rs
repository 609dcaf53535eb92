//! All offers, merged: what every upstream lists, under public servers and canonical countries.
//!
//! A catalogue is an immutable snapshot, swapped whole. It shares each upstream's [`Shelf`] with the
//! snapshot before it, so that what one refresh builds anew is what one upstream lists. Prices are
//! no part of it: they follow from cost and markup when a [`Route`] is looked at.

mod bytes;
mod naming;
mod panel_bytes;
mod route;
mod shelf;
mod smm;

pub use bytes::NotAListing;
pub use naming::Naming;
pub use panel_bytes::PanelListing;
pub use route::{Offer, Route};
pub use shelf::{CostChange, Intake, Shelf};
pub use smm::{
    CostAbovePrice, SmmIds, SmmNote, SmmRule, SmmRules, SmmService, SmmSource, SmmTrouble,
    SourceKey,
};

use crate::access::Account;
use crate::markup::{Markups, Payer};
use crate::policy::{OtpClass, Rules};
use crate::upstream::PanelService;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// One typed route of a public server and an upstream behind it. Several with the same type are one
/// route with several upstreams, in the order of trying.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerRoute {
    /// 0 where the server has no typed routes.
    pub provider_type: i64,
    /// Upstream.
    pub upstream: String,
}

/// A public server as the operator configured it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Public name.
    pub name: String,
    /// Switched on.
    pub enabled: bool,
    /// Its routes.
    pub routes: Vec<ServerRoute>,
}

impl Server {
    /// Whether its routes carry types.
    pub fn is_typed(&self) -> bool {
        self.routes.iter().any(|route| route.provider_type != 0)
    }
}

/// Where an offer is found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteKey {
    /// Place of the server in the operator's order.
    pub server: usize,
    /// Typed route, 0 where the server has none.
    pub provider_type: i64,
    /// The route's country id.
    pub country_id: Arc<str>,
}

/// One country over all servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountryEntry {
    /// Canonical key.
    pub key: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// Routes that sell it, in the operator's order of servers.
    pub routes: Vec<RouteKey>,
}

/// Everything on sale at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// Servers in the operator's order.
    pub servers: Vec<Server>,
    /// Countries by name.
    pub countries: Vec<CountryEntry>,
    /// Counts snapshots: whatever was derived from another one is out of date.
    pub generation: u64,
    markups: Arc<Markups>,
    /// By server and typed route; of each the upstreams in the order of trying.
    shelves: BTreeMap<(usize, i64), Vec<Arc<Shelf>>>,
    smm: Vec<SmmService>,
    smm_notes: Vec<SmmNote>,
    /// Typed routes whose upstream has not shown its listing since the start.
    unread: Vec<(usize, i64)>,
    /// Whether every panel has shown its services since the start.
    smm_read: bool,
}

/// What a catalogue is built from.
pub struct Sources<'a> {
    /// Servers in the operator's order.
    pub servers: &'a [Server],
    /// The last good listing of each OTP upstream.
    pub numbers: &'a HashMap<String, Arc<Shelf>>,
    /// The last good service list of each panel, in order of preference.
    pub panels: &'a [(String, Arc<Vec<PanelService>>)],
    /// Whether these are all the panels there are.
    pub panels_read: bool,
    /// Public ids of panels' services.
    pub smm_ids: &'a SmmIds,
    /// What the operator says of SMM services.
    pub smm: &'a SmmRules,
    /// Prices.
    pub markups: &'a Arc<Markups>,
    /// Policy.
    pub rules: &'a Rules,
}

impl Catalogue {
    /// A catalogue that knows the servers and nothing they sell.
    pub fn empty(servers: Vec<Server>) -> Self {
        let typed = |(index, server): (usize, &Server)| {
            let types = server
                .routes
                .iter()
                .map(move |route| (index, route.provider_type));
            types.collect::<Vec<_>>()
        };
        Self {
            unread: servers.iter().enumerate().flat_map(typed).collect(),
            servers,
            ..Self::default()
        }
    }

    /// Builds the snapshot that follows `previous`.
    pub fn build(sources: &Sources<'_>, previous: &Self) -> Self {
        let mut catalogue = Self {
            unread: Vec::new(),
            smm_read: sources.panels_read,
            generation: previous.generation + 1,
            markups: sources.markups.clone(),
            ..Self::empty(sources.servers.to_vec())
        };
        let mut countries: BTreeMap<Arc<str>, CountryEntry> = BTreeMap::new();
        let enabled = |(_, server): &(usize, &Server)| server.enabled;
        for (index, server) in sources.servers.iter().enumerate().filter(enabled) {
            for typed in &server.routes {
                let place = (index, typed.provider_type);
                match sources.numbers.get(&typed.upstream) {
                    Some(shelf) => catalogue.add_shelf(place, shelf, &mut countries),
                    None => catalogue.unread.push(place),
                }
            }
        }
        catalogue.countries = countries.into_values().collect();
        catalogue.countries.sort_by(|a, b| a.name.cmp(&b.name));
        (catalogue.smm, catalogue.smm_notes) = smm::services(sources);
        catalogue
    }

    /// One more upstream behind a typed route. A country id that another one there uses already is
    /// the same country or not sold.
    fn add_shelf(
        &mut self,
        place: (usize, i64),
        shelf: &Arc<Shelf>,
        countries: &mut BTreeMap<Arc<str>, CountryEntry>,
    ) {
        let before = self.shelves.entry(place).or_default();
        let new = |id: &str| before.iter().all(|known| known.country(id).is_none());
        for country in shelf.countries.iter().filter(|country| new(&country.id)) {
            let entry = countries.entry(country.key.clone());
            let entry = entry.or_insert_with(|| CountryEntry {
                key: country.key.clone(),
                name: country.name.clone(),
                routes: Vec::new(),
            });
            entry.routes.push(RouteKey {
                server: place.0,
                provider_type: place.1,
                country_id: country.id.clone(),
            });
        }
        before.push(shelf.clone());
    }

    /// Place of a server by its public name, switched on or not.
    pub fn server(&self, name: &str) -> Option<usize> {
        self.servers.iter().position(|server| server.name == name)
    }

    /// Whose prices an account has.
    pub fn payer(&self, account: &Account) -> Payer {
        self.markups.payer(account)
    }

    /// One route, with this payer's prices.
    pub fn route(&self, key: &RouteKey, payer: Payer) -> Option<Route<'_>> {
        let shelves = self.shelves.get(&(key.server, key.provider_type))?;
        let server = self.servers.get(key.server)?;
        Route::new(shelves.iter(), &key.country_id, |country| {
            self.markups.pricing(&server.name, country, Some(payer))
        })
    }

    /// The same catalogue under other markup rules: what a preview compares with.
    pub fn repriced(&self, markups: Markups) -> Self {
        Self {
            markups: Arc::new(markups),
            ..self.clone()
        }
    }

    /// Every shelf once, by upstream.
    pub fn shelves(&self) -> impl Iterator<Item = &Arc<Shelf>> {
        let by_upstream: BTreeMap<_, _> = self
            .shelves
            .values()
            .flatten()
            .map(|shelf| (shelf.upstream(), shelf))
            .collect();
        by_upstream.into_values()
    }

    /// One country by its canonical key.
    pub fn country(&self, key: &str) -> Option<&CountryEntry> {
        self.countries.iter().find(|country| &*country.key == key)
    }

    /// Names with this text in them, in any case, of services whose class is sold: those that begin
    /// with it first, then by name.
    pub fn services_like(&self, text: &str, sold: impl Fn(OtpClass) -> bool) -> Vec<Arc<str>> {
        let text = text.to_lowercase();
        let mut found: BTreeSet<(bool, &Arc<str>)> = BTreeSet::new();
        let listed = self
            .shelves
            .values()
            .flatten()
            .flat_map(|shelf| &shelf.services);
        for service in listed.filter(|service| sold(service.class)) {
            let name = service.name.to_lowercase();
            if name.contains(&text) {
                found.insert((!name.starts_with(&text), &service.name));
            }
        }
        found.into_iter().map(|(_, name)| name.clone()).collect()
    }

    /// Whether the upstream behind a typed route has shown what it sells: until then nobody can say
    /// that something is not sold there.
    pub fn is_read(&self, server: usize, provider_type: i64) -> bool {
        !self.unread.contains(&(server, provider_type))
    }

    /// Whether every panel has shown what it sells.
    pub fn is_smm_read(&self) -> bool {
        self.smm_read
    }

    /// All SMM services, in the panel's order.
    pub fn smm_services(&self) -> &[SmmService] {
        &self.smm
    }

    /// One SMM service by its public id.
    pub fn smm_service(&self, id: &str) -> Option<&SmmService> {
        self.smm.iter().find(|service| &*service.id == id)
    }

    /// A panel's service behind one of ours.
    pub fn smm_source(&self, upstream: &str, service: &str) -> Option<&SmmSource> {
        let mut sources = self.smm.iter().flat_map(|sold| &sold.sources);
        sources.find(|source| &*source.upstream == upstream && &*source.service == service)
    }

    /// What the operator should know of SMM services.
    pub fn smm_notes(&self) -> &[SmmNote] {
        &self.smm_notes
    }

    /// How many offers there are, numbers and SMM services.
    pub fn size(&self) -> (usize, usize) {
        (
            self.shelves
                .values()
                .flatten()
                .map(|shelf| shelf.len())
                .sum(),
            self.smm.len(),
        )
    }
}

#[cfg(test)]
mod tests;
