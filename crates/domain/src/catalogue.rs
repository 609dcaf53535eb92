//! All offers, merged: what every upstream lists, under public servers and canonical countries.
//!
//! A catalogue is an immutable snapshot, built whole from the listings and swapped whole.

use crate::countries;
use crate::markup::Markups;
use crate::order_type::OrderType;
use crate::policy::{OtpClass, Rules, SmmClass};
use crate::time::{Millis, Timestamp};
use crate::upstream::{NumberListing, PanelService};
use crate::usd::{Rate, Usd};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// One typed route of a public server: which upstream stands behind it.
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

/// One service on one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// The route's service id.
    pub service_id: Arc<str>,
    /// Name.
    pub service_name: Arc<str>,
    /// Class for the policy engine.
    pub class: OtpClass,
    /// Pool, on servers with pools.
    pub pool_id: Option<Arc<str>>,
    /// What it costs the house.
    pub cost: Usd,
    /// What a customer pays.
    pub price: Usd,
    /// A lower price that was shown until shortly before, and until when it is still honoured.
    pub shown: Option<(Usd, Timestamp)>,
    /// Stock, where known.
    pub available: Option<u32>,
    /// Delivery percentage the upstream states.
    pub stated_rate: Option<u8>,
}

impl Offer {
    /// The price at this moment: never more than what was shown within the grace period.
    pub fn price_at(&self, now: Timestamp) -> Usd {
        match self.shown {
            Some((lower, until)) if now < until => lower.min(self.price),
            _ => self.price,
        }
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

/// All offers of one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Upstream behind it.
    pub upstream: Arc<str>,
    /// Canonical country key.
    pub country_key: Arc<str>,
    /// Offers, by name and then price.
    pub offers: Vec<Offer>,
}

impl Route {
    /// The offer for a service: the one in the pool that was asked for, else the best pool, which
    /// is the cheapest one and among equals the one with the best stated delivery.
    pub fn offer(&self, service_id: &str, pool_id: Option<&str>, now: Timestamp) -> Option<&Offer> {
        let of_service = self
            .offers
            .iter()
            .filter(|offer| &*offer.service_id == service_id);
        of_service
            .filter(|offer| pool_id.is_none() || offer.pool_id.as_deref() == pool_id)
            .min_by_key(|offer| {
                let in_stock = offer.available != Some(0);
                (
                    !in_stock,
                    offer.price_at(now),
                    100 - offer.stated_rate.unwrap_or(0).min(100),
                )
            })
    }

    /// Whether the route sells a service at all, in whatever pool.
    pub fn sells(&self, service_id: &str) -> bool {
        self.offers
            .iter()
            .any(|offer| &*offer.service_id == service_id)
    }

    /// Whether any offer of the route names a pool.
    pub fn has_pools(&self) -> bool {
        self.offers.iter().any(|offer| offer.pool_id.is_some())
    }
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

/// One SMM service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmmService {
    /// Public id.
    pub id: Arc<str>,
    /// Name; hostile text.
    pub name: Arc<str>,
    /// Category; hostile text.
    pub category: Arc<str>,
    /// Order type.
    pub kind: OrderType,
    /// Class for the policy engine.
    pub class: SmmClass,
    /// Price per 1000 units, or of a package, for a customer.
    pub rate: Usd,
    /// What the same costs the house.
    pub cost: Rate,
    /// Least quantity.
    pub min: u64,
    /// Greatest quantity.
    pub max: u64,
    /// Offers refills.
    pub refill: bool,
    /// Offers cancel.
    pub cancel: bool,
    /// Offers drip-feed.
    pub dripfeed: bool,
    /// Upstream behind it.
    pub upstream: Arc<str>,
    /// The panel's service id.
    pub upstream_service: Arc<str>,
}

/// Everything on sale at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Catalogue {
    /// Servers in the operator's order.
    pub servers: Vec<Server>,
    /// Countries by name.
    pub countries: Vec<CountryEntry>,
    routes: HashMap<RouteKey, Route>,
    smm: Vec<SmmService>,
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
    pub numbers: &'a HashMap<String, Arc<NumberListing>>,
    /// The last good service list of each panel, in order of preference.
    pub panels: &'a [(String, Arc<Vec<PanelService>>)],
    /// Whether these are all the panels there are.
    pub panels_read: bool,
    /// Prices.
    pub markups: &'a Markups,
    /// Policy.
    pub rules: &'a Rules,
    /// For how long a price that was shown is honoured.
    pub grace: Millis,
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

    /// Builds a snapshot. Prices that rose since `previous` stay honoured for the grace period.
    pub fn build(sources: &Sources<'_>, previous: &Self, now: Timestamp) -> Self {
        let mut catalogue = Self {
            unread: Vec::new(),
            smm_read: sources.panels_read,
            ..Self::empty(sources.servers.to_vec())
        };
        let mut countries: BTreeMap<String, CountryEntry> = BTreeMap::new();
        for (index, server) in sources
            .servers
            .iter()
            .enumerate()
            .filter(|(_, s)| s.enabled)
        {
            for typed in &server.routes {
                let Some(listing) = sources.numbers.get(&typed.upstream) else {
                    catalogue.unread.push((index, typed.provider_type));
                    continue;
                };
                catalogue.add_listing(sources, previous, (index, typed), listing, now);
                catalogue.add_countries(&mut countries, (index, typed), listing);
            }
        }
        catalogue.countries = countries.into_values().collect();
        catalogue.countries.sort_by(|a, b| a.name.cmp(&b.name));
        catalogue.smm = smm_services(sources);
        catalogue
    }

    fn add_countries(
        &self,
        countries: &mut BTreeMap<String, CountryEntry>,
        (server, typed): (usize, &ServerRoute),
        listing: &NumberListing,
    ) {
        for (id, name) in &listing.countries {
            let key = RouteKey {
                server,
                provider_type: typed.provider_type,
                country_id: Arc::from(id.as_str()),
            };
            if !self.routes.contains_key(&key) {
                continue;
            }
            let (canonical, shown) = canonical_country(name);
            let entry = countries
                .entry(canonical.clone())
                .or_insert_with(|| CountryEntry {
                    key: Arc::from(canonical),
                    name: Arc::from(shown),
                    routes: Vec::new(),
                });
            entry.routes.push(key);
        }
    }

    fn add_listing(
        &mut self,
        sources: &Sources<'_>,
        previous: &Self,
        (index, typed): (usize, &ServerRoute),
        listing: &NumberListing,
        now: Timestamp,
    ) {
        let server = sources.servers[index].name.as_str();
        let country_names: HashMap<_, _> = listing.countries.iter().cloned().collect();
        let services = classify(&listing.services, sources.rules);
        let upstream: Arc<str> = Arc::from(typed.upstream.as_str());
        for listed in &listing.offers {
            let Some((service_id, service_name, class)) = services.get(listed.service.as_str())
            else {
                continue;
            };
            let Some(country) = country_names.get(&listed.country) else {
                continue;
            };
            let (country_key, _) = canonical_country(country);
            let markup =
                sources
                    .markups
                    .for_offer(server, [service_id, service_name], &country_key);
            let Some(price) = markup.price(listed.cost).filter(|price| *price > Usd::ZERO) else {
                continue;
            };
            let key = RouteKey {
                server: index,
                provider_type: typed.provider_type,
                country_id: Arc::from(listed.country.as_str()),
            };
            let pool_id = listed.pool.as_deref().map(Arc::from);
            let mut offer = Offer {
                service_id: service_id.clone(),
                service_name: service_name.clone(),
                class: *class,
                pool_id,
                cost: listed.cost,
                price,
                shown: None,
                available: listed.available,
                stated_rate: listed.success_rate,
            };
            offer.shown = previous.still_shown(&key, &offer, now, sources.grace);
            let route = self.routes.entry(key).or_insert_with(|| Route {
                upstream: upstream.clone(),
                country_key: Arc::from(country_key),
                offers: Vec::new(),
            });
            route.offers.push(offer);
        }
        for route in self
            .routes
            .values_mut()
            .filter(|route| route.upstream == upstream)
        {
            route.offers.sort_by(|a, b| {
                let name = a.service_name.cmp(&b.service_name);
                name.then(a.price.cmp(&b.price))
                    .then(a.pool_id.cmp(&b.pool_id))
            });
        }
    }

    /// The lower price this snapshot shows for an offer that has become dearer.
    fn still_shown(
        &self,
        key: &RouteKey,
        offer: &Offer,
        now: Timestamp,
        grace: Millis,
    ) -> Option<(Usd, Timestamp)> {
        let before = self
            .routes
            .get(key)?
            .offers
            .iter()
            .find(|old| old.service_id == offer.service_id && old.pool_id == offer.pool_id)?;
        let inherited = before
            .shown
            .filter(|(price, until)| *price < offer.price && now < *until);
        let lower = (before.price < offer.price).then_some((before.price, now + grace));
        match (inherited, lower) {
            (Some(old), Some(new)) => Some(if old.0 <= new.0 { old } else { new }),
            (old, new) => old.or(new),
        }
    }

    /// Place of a server by its public name, switched on or not.
    pub fn server(&self, name: &str) -> Option<usize> {
        self.servers.iter().position(|server| server.name == name)
    }

    /// One route.
    pub fn route(&self, key: &RouteKey) -> Option<&Route> {
        self.routes.get(key)
    }

    /// One country by its canonical key.
    pub fn country(&self, key: &str) -> Option<&CountryEntry> {
        self.countries.iter().find(|country| &*country.key == key)
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

    /// How many offers there are, numbers and SMM services.
    pub fn size(&self) -> (usize, usize) {
        (
            self.routes.values().map(|route| route.offers.len()).sum(),
            self.smm.len(),
        )
    }
}

type Classified<'a> = HashMap<&'a str, (Arc<str>, Arc<str>, OtpClass)>;

fn classify<'a>(services: &'a [(String, String)], rules: &Rules) -> Classified<'a> {
    let named = services.iter().map(|(code, name)| {
        let class = rules.otp_class(name, code);
        (
            code.as_str(),
            (Arc::from(code.as_str()), Arc::from(name.as_str()), class),
        )
    });
    named.collect()
}

/// Canonical key and display name of a country as an upstream names it.
fn canonical_country(name: &str) -> (String, String) {
    match countries::find(name) {
        Some(country) => (country.key.to_owned(), country.name.to_owned()),
        None => (countries::fold(name), name.to_owned()),
    }
}

/// SMM services of all panels; of one id the first panel's, since ids are public.
fn smm_services(sources: &Sources<'_>) -> Vec<SmmService> {
    let mut services: Vec<SmmService> = Vec::new();
    let mut known = std::collections::HashSet::new();
    for (upstream, listed) in sources.panels {
        for service in listed
            .iter()
            .filter(|service| known.insert(service.id.clone()))
        {
            services.extend(smm_service(sources, upstream, service));
        }
    }
    services
}

fn smm_service(sources: &Sources<'_>, upstream: &str, listed: &PanelService) -> Option<SmmService> {
    let kind = OrderType::parse(listed.kind?)?;
    if kind.is_per_child() {
        // its child orders would have to be followed one by one
        return None;
    }
    let markup = sources
        .markups
        .for_offer("smm", [&listed.id, &listed.name], "");
    let rate = markup.rate(listed.rate).filter(|rate| *rate > Usd::ZERO)?;
    Some(SmmService {
        id: Arc::from(listed.id.as_str()),
        name: Arc::from(listed.name.as_str()),
        category: Arc::from(listed.category.as_str()),
        kind,
        class: sources
            .rules
            .smm_class(&listed.name, &listed.category, kind.title()),
        rate,
        cost: listed.rate,
        min: listed.min.max(1),
        max: listed.max,
        refill: listed.refill,
        cancel: listed.cancel,
        dripfeed: listed.dripfeed,
        upstream: Arc::from(upstream),
        upstream_service: Arc::from(listed.id.as_str()),
    })
}

#[cfg(test)]
mod tests;
