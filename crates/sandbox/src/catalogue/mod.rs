//! What each practice provider sells: its own country and service ids, its own costs.
//!
//! Built once at start from compact tables and fixed arithmetic, never from the seed: the
//! catalogue is the same on every machine and at every start.

mod countries;
mod misbehaviour;
pub(crate) mod panel_services;
mod services;
mod shelf;
#[cfg(test)]
mod tests;

pub(crate) use countries::{COUNTRIES, Country};
pub use misbehaviour::{MisbehavingService, Misbehaviour, misbehaving_services};
pub use shelf::products;
pub(crate) use shelf::{ListedCountry, ListedService, Offer, POOLS, Shelf};

use services::SERVICES;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Position of a country in the country table.
pub(crate) type CountryIndex = usize;

/// Names of the services that exist to make a catalogue large.
static BULK: LazyLock<Vec<String>> = LazyLock::new(|| {
    let numbers = 1..=BULK_SERVICES_MAX;
    numbers
        .map(|number| format!("Practice app {number:05}"))
        .collect()
});

/// Most services that a shelf can be filled up with.
const BULK_SERVICES_MAX: usize = 20_000;

/// Position of a service: ordinary ones first, then the misbehaving ones, then those that only
/// make a catalogue large.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ServiceIndex(pub(crate) usize);

impl ServiceIndex {
    /// Every service.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..SERVICES.len() + misbehaving_services().len()).map(Self)
    }

    /// English name.
    pub(crate) fn name(self) -> &'static str {
        match self.odd_one() {
            Some(odd) => odd.name,
            None => {
                let service = SERVICES.get(self.0).map(|service| service.name);
                let bulk = || BULK.get(self.bulk()?).map(String::as_str);
                service.or_else(bulk).unwrap_or_default()
            }
        }
    }

    /// The service with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        static BY_NAME: LazyLock<HashMap<&str, ServiceIndex>> = LazyLock::new(|| {
            ServiceIndex::all()
                .map(|service| (service.name(), service))
                .collect()
        });
        let bulk = || Self::of_bulk(BULK.binary_search_by(|known| (**known).cmp(name)).ok()?);
        BY_NAME.get(name).copied().or_else(bulk)
    }

    /// What goes wrong with it, if anything does.
    pub(crate) fn behaviour(self) -> Option<Misbehaviour> {
        self.odd_one().map(|odd| odd.behaviour)
    }

    /// The bulk service with this number.
    pub(crate) fn of_bulk(number: usize) -> Option<Self> {
        let first = SERVICES.len() + misbehaving_services().len();
        (number < BULK_SERVICES_MAX).then_some(Self(first + number))
    }

    /// Its number among the bulk services, if it is one.
    pub(crate) fn bulk(self) -> Option<usize> {
        self.0
            .checked_sub(SERVICES.len() + misbehaving_services().len())
    }

    fn odd_one(self) -> Option<&'static MisbehavingService> {
        misbehaving_services().get(self.0.checked_sub(SERVICES.len())?)
    }
}
