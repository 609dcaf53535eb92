//! A service looked for over all countries: where it is sold, and from which price.

use crate::engine::Engine;
use domain::access::Caller;
use domain::catalogue::{Catalogue, CountryEntry};
use domain::policy::{self, OtpClass};
use domain::usd::Usd;
use std::sync::Arc;

/// A service with the countries that it is sold in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceFound {
    /// Name.
    pub name: Arc<str>,
    /// Countries, the cheapest first.
    pub countries: Vec<SoldIn>,
}

/// A country in which a service is sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SoldIn {
    /// Canonical key.
    pub key: Arc<str>,
    /// Name.
    pub name: Arc<str>,
    /// The best price of what is in stock, or of everything where nothing is.
    pub price: Usd,
    /// Routes that sell it.
    pub routes: usize,
    /// Whether none of them has a number, as far as is known.
    pub sold_out: bool,
}

impl Engine {
    /// Names of services with this text in them that are sold to this caller somewhere, those that
    /// begin with it first; at most so many, and whether there are more.
    pub fn services_like(&self, caller: &Caller, text: &str, most: usize) -> (Vec<Arc<str>>, bool) {
        let (tier, in_force) = (caller.account.tier, self.known.now());
        let sold = |class: OtpClass| policy::sellable_otp(&in_force.rules, class, tier);
        let mut names = self.catalogue().services_like(text, sold);
        let more = names.len() > most;
        names.truncate(most);
        (names, more)
    }

    /// Where a service of this name is sold to this caller.
    pub fn countries_of(&self, caller: &Caller, name: &str) -> ServiceFound {
        let catalogue = self.catalogue();
        let sold = catalogue.countries.iter();
        let sold = sold.filter_map(|country| self.sold_in(&catalogue, country, caller, name));
        let mut countries: Vec<SoldIn> = sold.collect();
        // stable: equal prices stay in the order of names
        countries.sort_by_key(|one| (one.sold_out, one.price));
        let name = name.into();
        ServiceFound { name, countries }
    }

    fn sold_in(
        &self,
        catalogue: &Catalogue,
        country: &CountryEntry,
        caller: &Caller,
        name: &str,
    ) -> Option<SoldIn> {
        let (tier, now, in_force) = (caller.account.tier, self.now(), self.known.now());
        let payer = catalogue.payer(&caller.account);
        let mut best: Option<(bool, Usd)> = None;
        let mut routes = 0;
        for key in &country.routes {
            let Some(route) = catalogue.route(key, payer) else {
                continue;
            };
            let offers = route
                .offers_named(name)
                .into_iter()
                .filter(|offer| policy::sellable_otp(&in_force.rules, offer.class, tier));
            let prices = offers.map(|offer| (offer.available == Some(0), offer.price_at(now)));
            let Some(here) = prices.min() else {
                continue;
            };
            routes += 1;
            best = Some(best.map_or(here, |best| best.min(here)));
        }
        let (sold_out, price) = best?;
        Some(SoldIn {
            key: country.key.clone(),
            name: country.name.clone(),
            price,
            routes,
            sold_out,
        })
    }
}
