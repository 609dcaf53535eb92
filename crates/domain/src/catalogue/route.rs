//! A look at one route: its offers with the prices that a tier pays.

use super::shelf::{Row, Shelf, ShelfCountry};
use crate::markup::Pricing;
use crate::policy::OtpClass;
use crate::time::Timestamp;
use crate::usd::Usd;
use std::sync::Arc;

/// One service on one route, as an account of some tier can buy it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offer<'a> {
    /// The route's service id.
    pub service_id: &'a Arc<str>,
    /// Name.
    pub service_name: &'a Arc<str>,
    /// Class for the policy engine.
    pub class: OtpClass,
    /// Pool, on servers with pools.
    pub pool_id: Option<&'a Arc<str>>,
    /// What it costs the house.
    pub cost: Usd,
    /// What a customer pays.
    pub price: Usd,
    /// A lower price that was shown until shortly before, and until when it is still honoured.
    pub shown: Option<(Usd, Timestamp)>,
    /// Whether the operator's rule lets it be sold below its cost.
    pub below_cost: bool,
    /// Stock, where known.
    pub available: Option<u32>,
    /// Delivery percentage the upstream states.
    pub stated_rate: Option<u8>,
}

impl Offer<'_> {
    /// The price at this moment: never more than what was shown within the grace period.
    pub fn price_at(&self, now: Timestamp) -> Usd {
        match self.shown {
            Some((lower, until)) if now < until => lower.min(self.price),
            _ => self.price,
        }
    }

    /// Whether buying at this price would lose money that no rule allows to be lost.
    pub fn loses_at(&self, price: Usd) -> bool {
        price < self.cost && !self.below_cost
    }
}

/// All offers of one route for one tier.
#[derive(Clone, Debug)]
pub struct Route<'a> {
    /// Upstream behind it.
    pub upstream: &'a Arc<str>,
    /// Canonical country key.
    pub country_key: &'a Arc<str>,
    shelf: &'a Shelf,
    country: &'a ShelfCountry,
    pricing: Pricing<'a>,
}

impl<'a> Route<'a> {
    pub(super) fn new(shelf: &'a Shelf, country: &'a ShelfCountry, pricing: Pricing<'a>) -> Self {
        Self {
            upstream: shelf.upstream(),
            country_key: &country.key,
            shelf,
            country,
            pricing,
        }
    }

    /// All offers, by name of the service, then cost.
    pub fn offers(&self) -> impl Iterator<Item = Offer<'a>> + '_ {
        self.offers_from(0, self.shelf.rows_of(self.country))
    }

    /// The offer for a service: the one in the pool that was asked for, else the best pool, which
    /// is the cheapest one and among equals the one with the best stated delivery.
    pub fn offer(
        &self,
        service_id: &str,
        pool_id: Option<&str>,
        now: Timestamp,
    ) -> Option<Offer<'a>> {
        let (first, rows) = self.rows_of(service_id);
        self.offers_from(first, rows)
            .filter(|offer| pool_id.is_none() || offer.pool_id.map(|pool| &**pool) == pool_id)
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
        let (first, rows) = self.rows_of(service_id);
        self.offers_from(first, rows).next().is_some()
    }

    /// Whether any offer of the route names a pool.
    pub fn has_pools(&self) -> bool {
        let mut rows = self.shelf.rows_of(self.country).iter();
        rows.any(|row| self.shelf.pool(row).is_some())
    }

    /// Rows of one service, and the place of the first one among the country's.
    fn rows_of(&self, service_id: &str) -> (usize, &'a [Row]) {
        let rows = self.shelf.rows_of(self.country);
        let Some(service) = self.shelf.service(service_id) else {
            return (0, &[]);
        };
        let first = rows.partition_point(|row| row.service < service);
        let count = rows[first..].partition_point(|row| row.service == service);
        (first, &rows[first..first + count])
    }

    /// Offers that have a price.
    fn offers_from(&self, first: usize, rows: &'a [Row]) -> impl Iterator<Item = Offer<'a>> + '_ {
        let start = self.country.rows.start as usize + first;
        rows.iter()
            .zip(start..)
            .filter_map(|(row, at)| self.look(row, at))
    }

    fn look(&self, row: &'a Row, at: usize) -> Option<Offer<'a>> {
        let service = &self.shelf.services[row.service as usize];
        let markup = self.pricing.markup([&service.id, &service.name]);
        let price = markup.price(row.cost).filter(|price| *price > Usd::ZERO)?;
        let shown = self.shelf.shown(at);
        Some(Offer {
            service_id: &service.id,
            service_name: &service.name,
            class: service.class,
            pool_id: self.shelf.pool(row),
            cost: row.cost,
            price,
            shown: shown.and_then(|(cost, until)| Some((markup.price(cost)?, until))),
            below_cost: markup.below_cost,
            available: row.available(),
            stated_rate: row.stated_rate(),
        })
    }
}
