//! One upstream's listing as it is kept: names once, offers as rows of numbers.
//!
//! A shelf knows costs and no prices, so one serves every server, tier and markup; a refresh builds
//! the shelf of the upstream that was read and leaves the others alone.

use super::Naming;
use crate::policy::{OtpClass, Rules, is_sandbox};
use crate::time::{Millis, Timestamp};
use crate::upstream::NumberListing;
use crate::usd::Usd;
use std::collections::{BTreeSet, HashMap};
use std::mem::size_of;
use std::sync::Arc;

/// Stands for "no pool" and "stock not known" in a row.
pub(super) const NONE: u32 = u32::MAX;
/// Stands for "no rate stated" in a row.
pub(super) const NO_RATE: u8 = u8::MAX;

/// A country of a shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShelfCountry {
    pub(super) id: Arc<str>,
    /// Name as the upstream lists it.
    pub(super) listed: Arc<str>,
    pub(super) key: Arc<str>,
    pub(super) name: Arc<str>,
    /// Its rows: from here to the next country's.
    pub(super) rows: std::ops::Range<u32>,
}

/// A service of a shelf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ShelfService {
    pub(super) id: Arc<str>,
    /// Name as the upstream lists it.
    pub(super) listed: Arc<str>,
    pub(super) name: Arc<str>,
    pub(super) class: OtpClass,
}

/// One offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) cost: Usd,
    pub(super) service: u32,
    pub(super) pool: u32,
    pub(super) available: u32,
    pub(super) rate: u8,
}

impl Row {
    pub(super) fn available(&self) -> Option<u32> {
        (self.available != NONE).then_some(self.available)
    }

    pub(super) fn stated_rate(&self) -> Option<u8> {
        (self.rate != NO_RATE).then_some(self.rate)
    }
}

/// A cost that was lower until shortly before, and until when its price is still honoured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shown {
    row: u32,
    cost: Usd,
    until: Timestamp,
}

/// The compact listing of one upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    upstream: Arc<str>,
    read_at: Timestamp,
    /// In the upstream's order.
    pub(super) countries: Vec<ShelfCountry>,
    countries_by_id: Vec<u32>,
    /// By name.
    pub(super) services: Vec<ShelfService>,
    services_by_id: Vec<u32>,
    pub(super) pools: Vec<Arc<str>>,
    /// By country, service, cost, pool.
    pub(super) rows: Arc<[Row]>,
    /// By row.
    shown: Arc<[Shown]>,
}

/// What a shelf is made from.
pub struct Intake<'a> {
    /// Upstream.
    pub upstream: &'a str,
    /// What it lists.
    pub listing: &'a NumberListing,
    /// Names.
    pub naming: &'a Naming,
    /// Classes.
    pub rules: &'a Rules,
    /// The shelf before.
    pub previous: Option<&'a Shelf>,
    /// When the listing was read.
    pub read_at: Timestamp,
    /// For how long a price that was shown is honoured.
    pub grace: Millis,
}

/// An upstream changed what it asks for a number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostChange {
    /// The upstream's country id.
    pub country_id: Arc<str>,
    /// Canonical country key.
    pub country_key: Arc<str>,
    /// The upstream's service id.
    pub service_id: Arc<str>,
    /// Name of the service.
    pub service_name: Arc<str>,
    /// Pool, where there are pools.
    pub pool_id: Option<Arc<str>>,
    /// Cost before.
    pub from: Usd,
    /// Cost now.
    pub to: Usd,
}

impl Shelf {
    /// Takes a listing in. Costs that rose since the shelf before stay honoured for the grace
    /// period; every changed cost is named.
    pub fn take(intake: &Intake<'_>) -> (Self, Vec<CostChange>) {
        let mut interner = Interner::default();
        let mut countries = listed_countries(intake, &mut interner);
        let services = listed_services(intake, &mut interner);
        let (rows, pools) = rows(intake, &mut countries, &services, &mut interner);
        let countries: Vec<ShelfCountry> = countries
            .into_iter()
            .filter(|country| country.rows.start != country.rows.end)
            .collect();
        let mut shelf = Self {
            upstream: Arc::from(intake.upstream),
            read_at: intake.read_at,
            countries_by_id: order_by(&countries, |country| &country.id),
            countries,
            services_by_id: order_by(&services, |service| &service.id),
            services,
            pools,
            rows: rows.into(),
            shown: Arc::default(),
        };
        let changes = match intake.previous {
            Some(previous) => shelf.compare(previous, intake.read_at, intake.grace),
            None => Vec::new(),
        };
        (shelf, changes)
    }

    /// The same shelf with every service judged anew.
    pub fn classified(&self, rules: &Rules) -> Self {
        let mut shelf = self.clone();
        for service in &mut shelf.services {
            service.class = class_of(rules, &service.listed, &service.name, &service.id);
        }
        shelf
    }

    /// Upstream.
    pub fn upstream(&self) -> &Arc<str> {
        &self.upstream
    }

    /// When its listing was read.
    pub fn read_at(&self) -> Timestamp {
        self.read_at
    }

    /// How many offers it holds.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many countries it sells in.
    pub fn country_count(&self) -> usize {
        self.countries.len()
    }

    /// The lowest and the highest cost of its offers.
    pub fn costs(&self) -> Option<(Usd, Usd)> {
        let costs = || self.rows.iter().map(|row| row.cost);
        Some((costs().min()?, costs().max()?))
    }

    /// Services that nobody has classified: id, name as listed, and how many offers wait. Those of a
    /// practice provider that misbehave are not in it: they never have a class.
    pub fn unclassified(&self) -> Vec<(&str, &str, usize)> {
        let mut offers = vec![0_usize; self.services.len()];
        for row in self.rows.iter() {
            offers[row.service as usize] += 1;
        }
        let waiting = self.services.iter().zip(offers);
        waiting
            .filter(|(service, _)| {
                service.class == OtpClass::Unclassified && !is_sandbox(&service.name)
            })
            .map(|(service, offers)| (&*service.id, &*service.listed, offers))
            .collect()
    }

    /// Bytes of memory it takes, counted by its structure.
    pub fn bytes(&self) -> usize {
        let texts = self
            .services
            .iter()
            .flat_map(|s| [&s.id, &s.listed, &s.name]);
        let of_countries = self.countries.iter();
        let of_countries = of_countries.flat_map(|c| [&c.id, &c.listed, &c.key, &c.name]);
        let texts = texts.chain(of_countries).chain(&self.pools);
        // a shared text carries two counters; counted as if no two names shared one
        let text_bytes: usize = texts.map(|text| text.len() + 2 * size_of::<usize>()).sum();
        text_bytes
            + size_of::<Self>()
            + self.countries.capacity() * size_of::<ShelfCountry>()
            + self.services.capacity() * size_of::<ShelfService>()
            + (self.countries_by_id.capacity() + self.services_by_id.capacity()) * 4
            + self.pools.capacity() * size_of::<Arc<str>>()
            + self.rows.len() * size_of::<Row>()
            + self.shown.len() * size_of::<Shown>()
    }

    pub(super) fn country(&self, id: &str) -> Option<&ShelfCountry> {
        let at = find(&self.countries_by_id, |at| &*self.countries[at].id, id)?;
        Some(&self.countries[at])
    }

    pub(super) fn service(&self, id: &str) -> Option<u32> {
        let at = find(&self.services_by_id, |at| &*self.services[at].id, id)?;
        u32::try_from(at).ok()
    }

    /// Ids of the services of this name.
    pub(super) fn ids_named(&self, name: &str) -> impl Iterator<Item = &Arc<str>> {
        let first = self.services.partition_point(|one| &*one.name < name);
        let named = self.services[first..].iter();
        named
            .take_while(move |one| &*one.name == name)
            .map(|one| &one.id)
    }

    pub(super) fn rows_of(&self, country: &ShelfCountry) -> &[Row] {
        &self.rows[country.rows.start as usize..country.rows.end as usize]
    }

    pub(super) fn pool(&self, row: &Row) -> Option<&Arc<str>> {
        self.pools.get(row.pool as usize)
    }

    /// The lower cost of a row whose price is still honoured, and until when.
    pub(super) fn shown(&self, row: usize) -> Option<(Usd, Timestamp)> {
        if self.shown.is_empty() {
            return None;
        }
        let wanted = |shown: &Shown| (shown.row as usize).cmp(&row);
        let at = self.shown.binary_search_by(wanted).ok()?;
        Some((self.shown[at].cost, self.shown[at].until))
    }

    /// Finds every offer of this shelf in the one before, notes what became dearer and gives all
    /// that changed.
    fn compare(&mut self, previous: &Self, now: Timestamp, grace: Millis) -> Vec<CostChange> {
        let old_services = self.services.iter().map(|s| previous.service(&s.id));
        let old_services: Vec<Option<u32>> = old_services.collect();
        let old_pool = |pool: &Arc<str>| previous.pools.iter().position(|old| old == pool);
        let old_pools: Vec<Option<usize>> = self.pools.iter().map(old_pool).collect();
        let (mut shown, mut changes) = (Vec::new(), Vec::new());
        for country in &self.countries {
            let Some(before) = previous.country(&country.id) else {
                continue;
            };
            for at in country.rows.clone() {
                let row = &self.rows[at as usize];
                let old_pool = match self.pool(row) {
                    None => NONE,
                    Some(_) => match old_pools[row.pool as usize] {
                        Some(pool) => index(pool),
                        None => continue,
                    },
                };
                let Some(service) = old_services[row.service as usize] else {
                    continue;
                };
                let Some(old_at) = previous.find_row(before, service, old_pool) else {
                    continue;
                };
                let old = previous.rows[old_at].cost;
                if old != row.cost {
                    changes.push(self.change(country, row, old));
                }
                let inherited = previous
                    .shown(old_at)
                    .filter(|(cost, until)| *cost < row.cost && now < *until);
                let lower = (old < row.cost).then_some((old, now + grace));
                if let Some((cost, until)) = cheaper(inherited, lower) {
                    shown.push(Shown {
                        row: at,
                        cost,
                        until,
                    });
                }
            }
        }
        shown.sort_unstable_by_key(|shown| shown.row);
        self.shown = shown.into();
        changes
    }

    fn find_row(&self, country: &ShelfCountry, service: u32, pool: u32) -> Option<usize> {
        let rows = self.rows_of(country);
        let first = rows.partition_point(|row| row.service < service);
        let of_service = rows[first..]
            .iter()
            .take_while(|row| row.service == service);
        let within = of_service.enumerate().find(|(_, row)| row.pool == pool)?.0;
        Some(country.rows.start as usize + first + within)
    }

    fn change(&self, country: &ShelfCountry, row: &Row, from: Usd) -> CostChange {
        let service = &self.services[row.service as usize];
        CostChange {
            country_id: country.id.clone(),
            country_key: country.key.clone(),
            service_id: service.id.clone(),
            service_name: service.name.clone(),
            pool_id: self.pool(row).cloned(),
            from,
            to: row.cost,
        }
    }
}

type Honoured = Option<(Usd, Timestamp)>;

/// The lower of two costs that are still honoured; of equal ones the first.
fn cheaper(first: Honoured, second: Honoured) -> Honoured {
    match (first, second) {
        (Some(old), Some(new)) => Some(if old.0 <= new.0 { old } else { new }),
        (old, new) => old.or(new),
    }
}

fn class_of(rules: &Rules, listed: &str, name: &str, id: &str) -> OtpClass {
    match rules.otp_class(listed, id) {
        OtpClass::Unclassified if name != listed => rules.otp_class(name, id),
        class => class,
    }
}

/// One copy of each text.
#[derive(Default)]
struct Interner(HashMap<String, Arc<str>>);

impl Interner {
    fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let shared: Arc<str> = Arc::from(text);
        self.0.insert(text.to_owned(), shared.clone());
        shared
    }
}

/// Countries in the upstream's order; of two with one id the last one's name holds.
fn listed_countries(intake: &Intake<'_>, texts: &mut Interner) -> Vec<ShelfCountry> {
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut countries: Vec<ShelfCountry> = Vec::new();
    for (id, listed) in &intake.listing.countries {
        let Some((key, name)) = intake.naming.country(listed) else {
            continue;
        };
        let country = ShelfCountry {
            id: texts.get(id),
            listed: texts.get(listed),
            key: texts.get(&key),
            name: texts.get(&name),
            rows: 0..0,
        };
        match places.get(id.as_str()) {
            Some(at) => countries[*at] = country,
            None => {
                places.insert(id, countries.len());
                countries.push(country);
            }
        }
    }
    countries
}

/// Services by name; of two with one id the last one's name holds.
fn listed_services(intake: &Intake<'_>, texts: &mut Interner) -> Vec<ShelfService> {
    let last: HashMap<&str, &str> = intake
        .listing
        .services
        .iter()
        .map(|(id, name)| (id.as_str(), name.as_str()))
        .collect();
    let mut services: Vec<ShelfService> = last
        .into_iter()
        .filter_map(|(id, listed)| {
            let name = intake.naming.service(listed)?;
            Some(ShelfService {
                class: class_of(intake.rules, listed, &name, id),
                id: texts.get(id),
                listed: texts.get(listed),
                name: texts.get(&name),
            })
        })
        .collect();
    services.sort_unstable_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
    services
}

/// Rows in their order, and the pools they name. Offers of nameless countries or services are not
/// sold; nor is anything that costs less than nothing.
fn rows(
    intake: &Intake<'_>,
    countries: &mut [ShelfCountry],
    services: &[ShelfService],
    texts: &mut Interner,
) -> (Vec<Row>, Vec<Arc<str>>) {
    let of_country = positions(countries.iter().map(|country| country.id.clone()));
    let of_service = positions(services.iter().map(|service| service.id.clone()));
    let named = intake.listing.offers.iter();
    let pools: BTreeSet<&str> = named.filter_map(|offer| offer.pool.as_deref()).collect();
    let of_pool: HashMap<&str, u32> = pools.iter().copied().zip(0..).collect();
    let mut placed: Vec<(u32, Row)> = Vec::with_capacity(intake.listing.offers.len());
    for listed in &intake.listing.offers {
        let found = (
            of_country.get(listed.country.as_str()),
            of_service.get(listed.service.as_str()),
        );
        let (Some(country), Some(service)) = found else {
            continue;
        };
        if listed.cost < Usd::ZERO {
            continue;
        }
        let pool = listed.pool.as_deref().and_then(|pool| of_pool.get(pool));
        let row = Row {
            cost: listed.cost,
            service: *service,
            pool: pool.copied().unwrap_or(NONE),
            available: listed.available.map_or(NONE, |stock| stock.min(NONE - 1)),
            rate: listed.success_rate.unwrap_or(NO_RATE),
        };
        placed.push((*country, row));
    }
    placed.sort_unstable_by_key(|(country, row)| (*country, row.service, row.cost, row.pool));
    let mut rows = Vec::with_capacity(placed.len());
    for (country, row) in placed {
        let at = index(rows.len());
        let range = &mut countries[country as usize].rows;
        if range.start == range.end {
            range.start = at;
        }
        range.end = at + 1;
        rows.push(row);
    }
    let pools = pools.into_iter().map(|pool| texts.get(pool));
    (rows, pools.collect())
}

fn positions(texts: impl Iterator<Item = Arc<str>>) -> HashMap<Arc<str>, u32> {
    texts.zip(0..).collect()
}

/// A place in a list that is far shorter than four billion.
fn index(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(NONE)
}

fn order_by<T>(items: &[T], id: impl Fn(&T) -> &Arc<str>) -> Vec<u32> {
    let mut order: Vec<u32> = (0..index(items.len())).collect();
    order.sort_unstable_by(|a, b| id(&items[*a as usize]).cmp(id(&items[*b as usize])));
    order
}

fn find<'a>(order: &[u32], id_at: impl Fn(usize) -> &'a str, wanted: &str) -> Option<usize> {
    let found = order.binary_search_by(|at| id_at(*at as usize).cmp(wanted));
    found.ok().map(|at| order[at] as usize)
}
