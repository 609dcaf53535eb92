//! One account's shelf: which countries and services it lists under which ids, and at what cost.

use super::countries::{COUNTRIES, Country, PAKISTAN, UNITED_STATES};
use super::services::SERVICES;
use super::{CountryIndex, Misbehaviour, ServiceIndex};
use crate::accounts::{Account, AccountIndex, Protocol, accounts};
use crate::mix::pick;
use domain::usd::Usd;
use std::collections::{HashMap, HashSet};

/// Pools of a shelf that has them: id and cost level in thousandths.
pub(crate) const POOLS: [(u16, i64); 3] = [(1, 1000), (3, 1080), (7, 1190)];

/// Cost of every misbehaving service.
const MISBEHAVING_COST: Usd = Usd(10_000);
/// Stock shown for every misbehaving service.
const MISBEHAVING_STOCK: u32 = 1000;
/// Share of a server's countries and services that one shelf lists, in percent.
const COUNTRY_SHARE: u64 = 60;
const SERVICE_SHARE: u64 = 62;
/// Share of the country and service pairs of a shelf that are on sale, in percent.
const PAIR_SHARE: u64 = 20;

/// Prices that examples in documentation rely on: account, country, service, micro-dollars.
const FIXED_COSTS: [(&str, CountryIndex, &str, i64); 2] = [
    ("peter1", PAKISTAN, "Discord", 33_333),
    ("paul", PAKISTAN, "Telegram", 150_000),
];

/// How a server numbers countries: first id, step, and ids that are fixed.
struct Numbering {
    first: usize,
    step: usize,
    fixed: &'static [(CountryIndex, usize)],
}

/// A country as a shelf lists it.
#[derive(Clone, Debug)]
pub(crate) struct ListedCountry {
    /// The server's own id.
    pub(crate) id: usize,
    /// The id as it stands on the wire: a number, or a word where the protocol has words.
    pub(crate) code: String,
    /// The server's own name.
    pub(crate) name: &'static str,
    /// Which country it is.
    pub(crate) country: CountryIndex,
}

impl ListedCountry {
    /// What its numbers look like.
    pub(crate) fn plan(&self) -> &'static Country {
        &COUNTRIES[self.country]
    }
}

/// A service as a shelf lists it.
#[derive(Clone, Debug)]
pub(crate) struct ListedService {
    /// The server's own id.
    pub(crate) id: String,
    /// Which service it is.
    pub(crate) service: ServiceIndex,
}

/// What one country and service costs at one account (in one pool, where there are pools).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Offer {
    /// Pool id, on shelves with pools.
    pub(crate) pool: Option<u16>,
    /// What is debited for one number.
    pub(crate) cost: Usd,
    /// Numbers shown as in stock. Never falls: the sandbox does not run out.
    pub(crate) stock: u32,
}

/// Everything one account can buy.
pub(crate) struct Shelf {
    account: &'static Account,
    index: AccountIndex,
    /// Countries in listing order.
    pub(crate) countries: Vec<ListedCountry>,
    /// Services in listing order.
    pub(crate) services: Vec<ListedService>,
    by_country_id: HashMap<String, usize>,
    by_service_id: HashMap<String, usize>,
    service_ids: HashMap<ServiceIndex, usize>,
}

impl Shelf {
    /// The shelf of the account at this position.
    pub(crate) fn of(index: AccountIndex) -> Self {
        Self::stocked(index, 0)
    }

    /// The same, filled up with services sold in every country until it holds about so many
    /// offers.
    pub(crate) fn stocked(index: AccountIndex, offers: usize) -> Self {
        let account = &accounts()[index];
        let countries = list_countries(account);
        let mut services = list_services(account);
        let bulk = (0..offers.div_ceil(countries.len().max(1))).map_while(ServiceIndex::of_bulk);
        services.extend(bulk.map(|service| ListedService {
            id: format!("app{}", service.0),
            service,
        }));
        Self {
            by_country_id: positions(countries.iter().map(|listed| listed.code.clone())),
            by_service_id: positions(services.iter().map(|listed| listed.id.clone())),
            service_ids: positions(services.iter().map(|listed| listed.service)),
            account,
            index,
            countries,
            services,
        }
    }

    /// The listed country with this id.
    pub(crate) fn country(&self, id: &str) -> Option<&ListedCountry> {
        self.by_country_id.get(id).map(|&at| &self.countries[at])
    }

    /// The listed service with this id.
    pub(crate) fn service(&self, id: &str) -> Option<&ListedService> {
        self.by_service_id.get(id).map(|&at| &self.services[at])
    }

    /// This server's id of a service; empty for one it does not list.
    pub(crate) fn service_id(&self, service: ServiceIndex) -> &str {
        self.service_ids
            .get(&service)
            .map_or("", |&at| self.services[at].id.as_str())
    }

    /// A country's id as it stands on the wire; empty for an unknown one.
    pub(crate) fn country_code(&self, id: usize) -> &str {
        let found = self.countries.binary_search_by_key(&id, |listed| listed.id);
        found.map_or("", |at| self.countries[at].code.as_str())
    }

    /// Name under which a country id is listed; empty for an unknown id.
    pub(crate) fn country_name(&self, id: usize) -> &'static str {
        let found = self.countries.binary_search_by_key(&id, |listed| listed.id);
        found.map_or("", |at| self.countries[at].name)
    }

    /// The offers for a country and a service, cheapest first; none where the pair is not sold.
    pub(crate) fn offers(&self, country: &ListedCountry, service: ServiceIndex) -> Vec<Offer> {
        let Some(base) = self.offer(country, service) else {
            return Vec::new();
        };
        if !self.account.has_ladder() {
            return vec![base];
        }
        let in_pool = |(pool, level): (u16, i64)| {
            let odd = service.behaviour().is_some();
            let cost = if odd {
                base.cost
            } else {
                scaled(base.cost.0, &[level])
            };
            let stock = base.stock / u32::from(pool) + 1;
            Offer {
                pool: Some(pool),
                cost,
                stock,
            }
        };
        POOLS.into_iter().map(in_pool).collect()
    }

    /// What a service costs here without regard to the country.
    pub(crate) fn usual_cost(&self, service: ServiceIndex) -> Usd {
        match service.behaviour() {
            Some(_) => MISBEHAVING_COST,
            None => scaled(base_cost(service), &[self.account.cost_level]),
        }
    }

    fn offer(&self, listed: &ListedCountry, service: ServiceIndex) -> Option<Offer> {
        if service.behaviour().is_some() {
            let (cost, stock) = (MISBEHAVING_COST, MISBEHAVING_STOCK);
            return Some(Offer {
                pool: None,
                cost,
                stock,
            });
        }
        let spread = [self.index as u64, listed.id as u64, service.0 as u64];
        let always = matches!(listed.country, PAKISTAN | UNITED_STATES) || service.bulk().is_some();
        if !always && pick(100, &[1, spread[0], spread[1], spread[2]]) >= PAIR_SHARE {
            return None;
        }
        let stock = 20 + pick(4000, &[2, spread[0], spread[1], spread[2]]);
        let stock = u32::try_from(stock).unwrap_or(u32::MAX);
        Some(Offer {
            pool: None,
            cost: self.cost(listed, service, spread),
            stock,
        })
    }

    fn cost(&self, listed: &ListedCountry, service: ServiceIndex, spread: [u64; 3]) -> Usd {
        let fixed = FIXED_COSTS.iter().find(|(account, country, name, _)| {
            *account == self.account.name && *country == listed.country && *name == service.name()
        });
        if let Some((_, _, _, micros)) = fixed {
            return Usd(*micros);
        }
        let base = base_cost(service);
        let country_level = 450 + level(1100, &[3, listed.country as u64]);
        let jitter = 950 + level(101, &[4, spread[0], spread[1], spread[2]]);
        scaled(base, &[self.account.cost_level, country_level, jitter])
    }
}

/// Micro-dollars before the account's, the country's and the offer's own level.
fn base_cost(service: ServiceIndex) -> i64 {
    let listed = SERVICES.get(service.0);
    listed.map_or(40, |service| service.base_milli_usd) * 1000
}

/// `micros` times each level in thousandths, rounded to a hundredth of a cent, never nothing.
fn scaled(micros: i64, levels: &[i64]) -> Usd {
    let exact = levels
        .iter()
        .fold(micros, |amount, level| amount * level / 1000);
    Usd((exact / 100).max(10) * 100)
}

fn level(below: u64, parts: &[u64]) -> i64 {
    i64::try_from(pick(below, parts)).unwrap_or(0)
}

fn positions<K: std::hash::Hash + Eq>(keys: impl Iterator<Item = K>) -> HashMap<K, usize> {
    keys.enumerate().map(|(at, key)| (key, at)).collect()
}

/// A number that stands for a server, equal for all of its accounts.
fn server_number(account: &Account) -> u64 {
    account
        .server
        .bytes()
        .fold(0, |sum, byte| sum * 31 + u64::from(byte))
}

fn numbering(server: &str) -> Numbering {
    let (first, step, fixed): (usize, usize, &'static [(CountryIndex, usize)]) = match server {
        "peter" => (1, 1, &[(PAKISTAN, 61)]),
        "romeo" => (1, 1, &[(UNITED_STATES, 13)]),
        "paul" => (0, 1, &[(PAKISTAN, 6), (UNITED_STATES, 187)]),
        "juliet" => (101, 3, &[]),
        "andrew" => (1, 1, &[(UNITED_STATES, 1), (PAKISTAN, 24)]),
        "mark" => (2, 2, &[(UNITED_STATES, 12)]),
        "luke" => (500, 1, &[]),
        _ => (7, 5, &[]),
    };
    Numbering { first, step, fixed }
}

/// Ids follow an order of the server's own, so that no id means the same country everywhere.
fn list_countries(account: &Account) -> Vec<ListedCountry> {
    let server = server_number(account);
    let numbering = numbering(account.server);
    let fixed_id = |country| {
        numbering
            .fixed
            .iter()
            .find(|(c, _)| *c == country)
            .map(|(_, id)| *id)
    };
    let taken: HashSet<usize> = numbering
        .fixed
        .iter()
        .map(|(_, id)| *id)
        .chain([188])
        .collect();
    let mut free = (0..)
        .map(|n| numbering.first + n * numbering.step)
        .filter(|id| !taken.contains(id));
    let mut order: Vec<CountryIndex> = (0..COUNTRIES.len()).collect();
    order.sort_by_key(|&country| pick(u64::MAX, &[5, server, country as u64]));
    let mut listed = Vec::new();
    for country in order {
        let id = fixed_id(country)
            .or_else(|| free.next())
            .unwrap_or_default();
        let always = matches!(country, PAKISTAN | UNITED_STATES);
        if always || pick(100, &[6, server, country as u64]) < COUNTRY_SHARE {
            listed.push(ListedCountry {
                id,
                code: country_code(account, id, country),
                name: country_name(account, country),
                country,
            });
        }
    }
    if account.server == "romeo" {
        listed.push(ListedCountry {
            id: 188,
            code: "188".to_owned(),
            name: "USA (virtual)",
            country: UNITED_STATES,
        });
    }
    listed.sort_by_key(|country| country.id);
    listed
}

fn country_name(account: &Account, country: CountryIndex) -> &'static str {
    let short = matches!(account.server, "romeo" | "paul" | "mark");
    if country == UNITED_STATES && short {
        "USA"
    } else {
        COUNTRIES[country].name
    }
}

fn country_code(account: &Account, id: usize, country: CountryIndex) -> String {
    match (account.protocol, COUNTRIES[country].name) {
        (Protocol::FiveSim, "United States") => "usa".to_owned(),
        (Protocol::FiveSim, "United Kingdom") => "england".to_owned(),
        (Protocol::FiveSim, name) => slug(name),
        _ => id.to_string(),
    }
}

fn list_services(account: &Account) -> Vec<ListedService> {
    let server = server_number(account);
    let popular = [
        "Telegram",
        "WhatsApp",
        "Discord",
        "Instagram",
        "Steam",
        "Any other",
    ];
    ServiceIndex::all()
        .filter(|service| {
            service.behaviour().is_some()
                || popular.contains(&service.name())
                || pick(100, &[7, server, service.0 as u64]) < SERVICE_SHARE
        })
        .map(|service| ListedService {
            id: service_id(account, service),
            service,
        })
        .collect()
}

fn service_id(account: &Account, service: ServiceIndex) -> String {
    let code = SERVICES.get(service.0).map_or("", |service| service.code);
    match (account.server, service.odd_one()) {
        ("peter" | "andrew", Some(odd)) => odd.numeric_id.to_string(),
        // a product has no name beside its slug, and by this one a gateway would refuse a bank
        ("john", Some(odd)) if odd.behaviour == Misbehaviour::BankText => "sbharbor".to_owned(),
        (_, Some(odd)) => odd.code.to_owned(),
        ("peter", None) if service.name() == "Discord" => "306343".to_owned(),
        ("peter", None) => (306_001 + service.0).to_string(),
        ("andrew", None) => (901 + service.0).to_string(),
        ("juliet", None) => format!("j{code}"),
        ("john", None) => slug(service.name()),
        (_, None) => code.to_owned(),
    }
}

/// Every service with its word where services have words and no names, and its name.
pub fn products() -> Vec<(String, &'static str)> {
    let john = accounts().iter().find(|account| account.name == "john");
    let every = john.into_iter().flat_map(|account| {
        let word = |service| (service_id(account, service), service.name());
        ServiceIndex::all().map(word)
    });
    every.collect()
}

/// A name as lower-case letters and digits only.
fn slug(name: &str) -> String {
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}
