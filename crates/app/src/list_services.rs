//! Lists of what is sold: countries and services for numbers, services for SMM.

use crate::engine::Engine;
use crate::refusal::Refusal;
use domain::access::{Account, Caller};
use domain::catalogue::{Catalogue, CountryEntry, RouteKey, SmmService};
use domain::markup::Payer;
use domain::policy::{self, Standing};
use domain::time::Timestamp;
use domain::usd::Usd;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Which servers a list is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ServerChoice {
    /// Every enabled one.
    All,
    /// One by name.
    One(String),
}

/// A country as it is sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CountryView {
    /// The default server's id where it sells the country, else the first provider's.
    pub id: String,
    /// Canonical key.
    pub key: String,
    /// Name.
    pub name: String,
    /// Typed routes: provider type and country id.
    pub routes: Vec<(i64, String)>,
    /// Servers that sell it, in the operator's order.
    pub providers: Vec<String>,
    /// Each server's own ids of the country, in the same order.
    pub provider_country_ids: Vec<(String, Vec<String>)>,
}

/// A service as it is sold on one route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceView {
    /// Service id.
    pub service_id: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// Server.
    pub provider_source: Arc<str>,
    /// Country id.
    pub country_id: Arc<str>,
    /// Typed route, 0 where the server has none.
    pub provider_type: i64,
    /// Price.
    pub price: Usd,
    /// Percent of orders with a code: as measured, else as stated upstream.
    pub success_rate: Option<u8>,
    /// Orders measured for it, old ones counted in part; 0 where it is only stated.
    pub success_samples: u32,
    /// Mean seconds from purchase to code, where measured.
    pub avg_delivery_s: Option<u32>,
    /// Pool, on servers with pools.
    pub pool_id: Option<Arc<str>>,
    /// Stock, where known.
    pub available: Option<u32>,
}

/// A list of services, and how long its prices stand while the catalogue stays the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceList {
    /// By name and then price.
    pub services: Vec<ServiceView>,
    /// When the first price rises that is still honoured; nothing where none is.
    pub until: Option<Timestamp>,
}

/// Which services are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ServicesOf {
    /// One server's route: server (the default one where none is named), country id, typed route.
    Route(Option<String>, String, Option<i64>),
    /// Every server's, for a canonical country; typed routes narrow the typed servers.
    Country(String, Vec<(i64, String)>),
}

impl Engine {
    /// Names of the enabled servers, in the operator's order.
    pub fn provider_sources(&self) -> Vec<String> {
        let catalogue = self.catalogue();
        let enabled = catalogue.servers.iter().filter(|server| server.enabled);
        enabled.map(|server| server.name.clone()).collect()
    }

    /// Countries sold by the chosen servers.
    pub fn list_countries(&self, choice: &ServerChoice) -> Result<Vec<CountryView>, Refusal> {
        let catalogue = self.catalogue();
        let only = match choice {
            ServerChoice::All => None,
            ServerChoice::One(name) => Some(enabled_server(&catalogue, name)?),
        };
        let default = catalogue.server(&self.settings.default_server);
        let views = catalogue.countries.iter().filter_map(|country| {
            let mut routes = country
                .routes
                .iter()
                .filter(|key| only.is_none_or(|only| key.server == only));
            routes
                .next()
                .is_some()
                .then(|| country_view(&catalogue, country, only, default))
        });
        Ok(views.collect())
    }

    /// Whose prices an account has: lists of services are the same for all who are one payer.
    pub fn payer(&self, account: &Account) -> Payer {
        self.catalogue().payer(account)
    }

    /// Services sold on the chosen routes to this payer, by name and then price.
    pub fn list_services(&self, payer: Payer, of: &ServicesOf) -> Result<ServiceList, Refusal> {
        let catalogue = self.catalogue();
        let mut list = ServiceList {
            services: Vec::new(),
            until: None,
        };
        for key in self.routes_of(&catalogue, of)? {
            self.add_services(&catalogue, &key, payer, &mut list);
        }
        list.services
            .sort_by(|a, b| a.name.cmp(&b.name).then(a.price.cmp(&b.price)));
        Ok(list)
    }

    fn routes_of(&self, catalogue: &Catalogue, of: &ServicesOf) -> Result<Vec<RouteKey>, Refusal> {
        match of {
            ServicesOf::Route(server, country_id, provider_type) => {
                let name = server.as_deref().unwrap_or(&self.settings.default_server);
                let index = enabled_server(catalogue, name)?;
                let server = &catalogue.servers[index];
                let provider_type = provider_type.unwrap_or(i64::from(server.is_typed()));
                if !server
                    .routes
                    .iter()
                    .any(|route| route.provider_type == provider_type)
                {
                    return Err(Refusal::InvalidProviderType);
                }
                let country_id: Arc<str> = country_id.as_str().into();
                let key = RouteKey {
                    server: index,
                    provider_type,
                    country_id,
                };
                let absent = || match catalogue.is_read(index, provider_type) {
                    true => Refusal::CountryNotFound,
                    false => Refusal::ServerOff,
                };
                let anybody = Payer::of_tier(0);
                catalogue.route(&key, anybody).ok_or_else(absent)?;
                Ok(vec![key])
            }
            ServicesOf::Country(country_key, typed) => {
                let country = catalogue
                    .country(country_key)
                    .ok_or(Refusal::CountryNotFound)?;
                let wanted = |key: &&RouteKey| {
                    let of_type = |(provider_type, id): &(i64, String)| {
                        key.provider_type == *provider_type && *key.country_id == **id
                    };
                    typed.is_empty() || key.provider_type == 0 || typed.iter().any(of_type)
                };
                Ok(country.routes.iter().filter(wanted).cloned().collect())
            }
        }
    }

    fn add_services(
        &self,
        catalogue: &Catalogue,
        key: &RouteKey,
        payer: Payer,
        list: &mut ServiceList,
    ) {
        let Some(route) = catalogue.route(key, payer) else {
            return;
        };
        let server: Arc<str> = catalogue.servers[key.server].name.as_str().into();
        let measured = self.figures_of_route(&server, key.provider_type, &key.country_id);
        let now = self.now();
        let in_force = self.known.now();
        for offer in route.offers() {
            if !policy::sellable_otp(&in_force.rules, offer.class, payer.tier) {
                continue;
            }
            let rises = offer
                .shown
                .map(|(_, until)| until)
                .filter(|until| now < *until);
            list.until = [list.until, rises].into_iter().flatten().min();
            let pool = offer.pool_id.map(|pool| &**pool);
            let figures = measured.of(offer.service_id, pool);
            let (success_rate, success_samples) = figures.shown(offer.stated_rate);
            list.services.push(ServiceView {
                success_rate,
                success_samples,
                avg_delivery_s: figures.average_s,
                service_id: offer.service_id.clone(),
                name: offer.service_name.clone(),
                provider_source: server.clone(),
                country_id: key.country_id.clone(),
                provider_type: key.provider_type,
                price: offer.price_at(now),
                pool_id: offer.pool_id.cloned(),
                available: offer.available,
            });
        }
    }

    /// SMM services that may be ordered. Before every panel has shown its list nobody knows that
    /// there are none.
    pub fn list_smm_services(&self, caller: &Caller) -> Result<Vec<SmmService>, Refusal> {
        let catalogue = self.catalogue();
        let none = catalogue.smm_services().is_empty();
        if none && !catalogue.is_smm_read() && !self.outside.panels.is_empty() {
            return Err(Refusal::ServerOff);
        }
        let in_force = self.known.now();
        let sold = catalogue.smm_services().iter().filter(|service| {
            let request = policy::SmmRequest {
                class: service.class,
                standing: match caller.account.suspended {
                    true => Standing::Suspended,
                    false => Standing::Good,
                },
            };
            policy::decide_smm(&in_force.rules, &request).is_allowed()
        });
        Ok(sold.cloned().collect())
    }
}

fn enabled_server(catalogue: &Catalogue, name: &str) -> Result<usize, Refusal> {
    let index = catalogue
        .server(name)
        .ok_or_else(|| Refusal::UnknownServer(name.to_owned()))?;
    if catalogue.servers[index].enabled {
        Ok(index)
    } else {
        Err(Refusal::ServerOff)
    }
}

fn country_view(
    catalogue: &Catalogue,
    country: &CountryEntry,
    only: Option<usize>,
    default: Option<usize>,
) -> CountryView {
    let shown: Vec<&RouteKey> = country
        .routes
        .iter()
        .filter(|key| only.is_none_or(|only| key.server == only))
        .collect();
    let mut ids: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for key in &shown {
        let known = ids.entry(key.server).or_default();
        if !known.iter().any(|id| **id == *key.country_id) {
            known.push(key.country_id.to_string());
        }
    }
    let first = default
        .and_then(|server| ids.get(&server))
        .or_else(|| ids.values().next());
    let name_of = |server: usize| catalogue.servers[server].name.clone();
    CountryView {
        id: first
            .and_then(|known| known.first())
            .cloned()
            .unwrap_or_default(),
        key: country.key.to_string(),
        name: country.name.to_string(),
        routes: shown
            .iter()
            .filter(|key| key.provider_type != 0)
            .map(|key| (key.provider_type, key.country_id.to_string()))
            .collect(),
        providers: ids.keys().map(|server| name_of(*server)).collect(),
        provider_country_ids: ids
            .into_iter()
            .map(|(server, known)| (name_of(server), known))
            .collect(),
    }
}
