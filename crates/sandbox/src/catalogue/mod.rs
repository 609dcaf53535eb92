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
pub(crate) use shelf::{ListedCountry, ListedService, Offer, POOLS, Shelf};

use services::SERVICES;
use std::collections::HashMap;
use std::sync::LazyLock;

/// Position of a country in the country table.
pub(crate) type CountryIndex = usize;

/// Position of a service: ordinary ones first, then the misbehaving ones.
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
            None => SERVICES.get(self.0).map_or("", |service| service.name),
        }
    }

    /// The service with this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        static BY_NAME: LazyLock<HashMap<&str, ServiceIndex>> = LazyLock::new(|| {
            ServiceIndex::all()
                .map(|service| (service.name(), service))
                .collect()
        });
        BY_NAME.get(name).copied()
    }

    /// What goes wrong with it, if anything does.
    pub(crate) fn behaviour(self) -> Option<Misbehaviour> {
        self.odd_one().map(|odd| odd.behaviour)
    }

    fn odd_one(self) -> Option<&'static MisbehavingService> {
        misbehaving_services().get(self.0.checked_sub(SERVICES.len())?)
    }
}
