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
    /// Upstream that sells it at this cost.
    pub upstream: &'a Arc<str>,
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

/// What is sold on one typed route in one country, for one tier: the offers of the upstream behind
/// it, or of several in the order of trying. Of what several sell there is one offer, priced by the
/// first that has it in stock; the others may sell it at that price.
#[derive(Clone, Debug)]
pub struct Route<'a> {
    /// Canonical country key.
    pub country_key: &'a Arc<str>,
    parts: Vec<Part<'a>>,
    pricing: Pricing<'a>,
}

/// What one upstream sells on the route.
#[derive(Clone, Copy, Debug)]
struct Part<'a> {
    shelf: &'a Shelf,
    country: &'a ShelfCountry,
}

impl<'a> Route<'a> {
    /// A route from the shelves that sell in its country, in the order of trying; nothing where
    /// there is none. An upstream that means another country by the same id is left out.
    pub(super) fn new(
        shelves: impl Iterator<Item = &'a Arc<Shelf>>,
        country_id: &str,
        pricing: impl FnOnce(&'a str) -> Pricing<'a>,
    ) -> Option<Self> {
        let mut parts: Vec<Part<'a>> = shelves
            .filter_map(|shelf| {
                let country = shelf.country(country_id)?;
                Some(Part { shelf, country })
            })
            .collect();
        let country_key = &parts.first()?.country.key;
        parts.retain(|part| part.country.key == *country_key);
        Some(Self {
            country_key,
            parts,
            pricing: pricing(country_key),
        })
    }

    /// All offers, by name of the service, then cost.
    pub fn offers(&self) -> impl Iterator<Item = Offer<'a>> + '_ {
        self.parts
            .iter()
            .enumerate()
            .flat_map(move |(place, part)| {
                self.offers_from(part, 0, part.shelf.rows_of(part.country))
                    .filter(move |offer| self.is_shown(place, offer))
            })
    }

    /// The offer for a service: the one in the pool that was asked for, else the best pool, which
    /// is the cheapest one and among equals the one with the best stated delivery.
    pub fn offer(
        &self,
        service_id: &str,
        pool_id: Option<&str>,
        now: Timestamp,
    ) -> Option<Offer<'a>> {
        self.offers_of(service_id)
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

    /// The same offer at every upstream that sells it, at its price: its own first, then the others
    /// in the order of trying, what is known to be out of stock last. Whether the price covers what
    /// it costs there is for the caller to see.
    pub fn ways(&self, offer: &Offer<'a>) -> Vec<Offer<'a>> {
        let others = self.parts.iter().filter_map(|part| {
            let other = self.same_at(part, offer)?;
            Some(Offer {
                price: offer.price,
                shown: offer.shown,
                ..other
            })
        });
        let others = others.filter(|other| other.upstream != offer.upstream);
        let mut ways: Vec<Offer<'a>> = std::iter::once(*offer).chain(others).collect();
        ways[1..].sort_by_key(|way| way.available == Some(0));
        ways
    }

    /// What one upstream sells under a service id and pool, with its own cost.
    pub fn offer_at(
        &self,
        upstream: &str,
        service_id: &str,
        pool_id: Option<&str>,
    ) -> Option<Offer<'a>> {
        let mut parts = self.parts.iter();
        let part = parts.find(|part| **part.shelf.upstream() == *upstream)?;
        let (first, rows) = part.rows_of(service_id);
        let mut offers = self.offers_from(part, first, rows);
        offers.find(|offer| offer.pool_id.map(|pool| &**pool) == pool_id)
    }

    /// All offers of services of this name, whatever their ids.
    pub fn offers_named(&self, name: &str) -> Vec<Offer<'a>> {
        let mut found = Vec::new();
        for (place, part) in self.parts.iter().enumerate() {
            for id in part.shelf.ids_named(name) {
                let (first, rows) = part.rows_of(id);
                let offers = self.offers_from(part, first, rows);
                found.extend(offers.filter(|offer| self.is_shown(place, offer)));
            }
        }
        found
    }

    /// Whether the route sells a service at all, in whatever pool.
    pub fn sells(&self, service_id: &str) -> bool {
        self.offers_of(service_id).next().is_some()
    }

    /// Whether any offer of the route names a pool.
    pub fn has_pools(&self) -> bool {
        let pools = |part: &Part<'_>| {
            let mut rows = part.shelf.rows_of(part.country).iter();
            rows.any(|row| part.shelf.pool(row).is_some())
        };
        self.parts.iter().any(pools)
    }

    fn offers_of(&self, service_id: &str) -> impl Iterator<Item = Offer<'a>> + '_ {
        let parts = self.parts.iter().enumerate();
        let rows = parts.map(move |(place, part)| (place, part, part.rows_of(service_id)));
        let rows = rows.collect::<Vec<_>>().into_iter();
        rows.flat_map(move |(place, part, (first, rows))| {
            self.offers_from(part, first, rows)
                .filter(move |offer| self.is_shown(place, offer))
        })
    }

    /// Whether an offer is the one that is shown. Where an upstream before this one means another
    /// service by the same id, this one's is not sold.
    fn is_shown(&self, place: usize, offer: &Offer<'a>) -> bool {
        let clashes = |part: &Part<'a>| {
            let (first, rows) = part.rows_of(offer.service_id);
            let mut named = self.offers_from(part, first, rows);
            named.any(|one| one.service_name != offer.service_name)
        };
        self.leader(offer) == place && !self.parts[..place].iter().any(clashes)
    }

    /// Place of the upstream whose offer is shown: the first that has it in stock, else the first.
    fn leader(&self, offer: &Offer<'a>) -> usize {
        if self.parts.len() == 1 {
            return 0;
        }
        let same = |part: &Part<'a>| self.same_at(part, offer);
        let in_stock = |part: &Part<'a>| same(part).is_some_and(|one| one.available != Some(0));
        let first = self.parts.iter().position(in_stock);
        let first = first.or_else(|| self.parts.iter().position(|part| same(part).is_some()));
        first.unwrap_or(0)
    }

    /// The best offer of an upstream for the same service, by id and name, in the same pool.
    fn same_at(&self, part: &Part<'a>, offer: &Offer<'a>) -> Option<Offer<'a>> {
        let (first, rows) = part.rows_of(offer.service_id);
        self.offers_from(part, first, rows)
            .filter(|one| one.service_name == offer.service_name && one.pool_id == offer.pool_id)
            .min_by_key(|one| (one.available == Some(0), one.price))
    }

    /// Offers that have a price.
    fn offers_from(
        &self,
        part: &Part<'a>,
        first: usize,
        rows: &'a [Row],
    ) -> impl Iterator<Item = Offer<'a>> + '_ {
        let (part, start) = (*part, part.country.rows.start as usize + first);
        rows.iter()
            .zip(start..)
            .filter_map(move |(row, at)| self.look(part, row, at))
    }

    fn look(&self, part: Part<'a>, row: &'a Row, at: usize) -> Option<Offer<'a>> {
        let service = &part.shelf.services[row.service as usize];
        let markup = self.pricing.markup([&service.id, &service.name]);
        let price = markup.price(row.cost).filter(|price| *price > Usd::ZERO)?;
        let shown = part.shelf.shown(at);
        Some(Offer {
            upstream: part.shelf.upstream(),
            service_id: &service.id,
            service_name: &service.name,
            class: service.class,
            pool_id: part.shelf.pool(row),
            cost: row.cost,
            price,
            shown: shown.and_then(|(cost, until)| Some((markup.price(cost)?, until))),
            below_cost: markup.below_cost,
            available: row.available(),
            stated_rate: row.stated_rate(),
        })
    }
}

impl<'a> Part<'a> {
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
}
