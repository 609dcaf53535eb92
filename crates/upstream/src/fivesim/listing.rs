//! Everything an upstream sells: its countries, then the prices of one after the other.

use super::FiveSim;
use crate::handler_api::classify::may_pass;
use crate::money::Exchange;
use crate::transport::{Fetched, LIST_MAX, retried};
use domain::upstream::{NumberListing, NumberOffer, ReadFailure, Refusal};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use wire::fivesim::{Countries, PriceFilter, PriceOrder, PriceRow, Request, Slug, read_prices};

/// How much longer than usual we wait before the second, third and fourth try of a price list that
/// was refused as too quick.
const THROTTLED_WAITS: [u64; 3] = [10, 30, 60];
/// Products of the other trade, numbers for days, which stand in the same list.
const HOSTING: [&str; 4] = ["3hours", "1day", "10days", "1month"];

impl FiveSim {
    /// All or nothing: a country that cannot be read would vanish from the catalogue.
    pub(super) async fn listing_now(&self) -> Result<NumberListing, ReadFailure> {
        let countries = self.countries().await?;
        let mut listing = NumberListing::default();
        let mut products = BTreeSet::new();
        for country in countries.rows {
            tokio::time::sleep(Duration::from_millis(self.settings.listing_pause_ms)).await;
            let offers = self.country_offers(&country.slug).await?;
            products.extend(offers.iter().map(|offer| offer.service.clone()));
            listing.offers.extend(offers);
            let names = (country.slug.to_string(), country.name);
            listing.countries.push(names);
        }
        listing.services = products.into_iter().map(named).collect();
        for (list, empty) in [
            ("country", listing.countries.is_empty()),
            ("price", listing.offers.is_empty()),
        ] {
            if empty {
                return Err(ReadFailure::Fault(format!("the {list} list is empty")));
            }
        }
        Ok(listing)
    }

    async fn countries(&self) -> Result<Countries, ReadFailure> {
        let parse = |f: &Fetched| Countries::parse(f.answer());
        let read = || self.read(Request::Countries, LIST_MAX, parse);
        let countries = retried(may_pass, read).await?;
        self.warn_of_skipped("country", countries.skipped);
        Ok(countries)
    }

    /// What is sold in one country.
    async fn country_offers(&self, country: &Slug) -> Result<Vec<NumberOffer>, ReadFailure> {
        for wait in THROTTLED_WAITS {
            match self.country_offers_once(country).await {
                Err(ReadFailure::Refused(Refusal::Throttled)) => {
                    let pause_ms = self.settings.listing_pause_ms.saturating_mul(wait);
                    tokio::time::sleep(Duration::from_millis(pause_ms)).await;
                }
                Err(ReadFailure::Refused(Refusal::NotSold)) => return Ok(vec![]),
                settled => return settled,
            }
        }
        self.country_offers_once(country).await
    }

    async fn country_offers_once(&self, country: &Slug) -> Result<Vec<NumberOffer>, ReadFailure> {
        let request = Request::Prices(PriceFilter {
            country: Some(country.clone()),
            product: None,
        });
        let (country, exchange) = (country.clone(), self.exchange);
        let pooled = self.settings.operators;
        let parse = move |f: &Fetched| {
            let mut rows = Vec::new();
            let skipped = read_prices(f.answer(), PriceOrder::Country, |row| {
                if row.country == country && is_for_sale(&row) {
                    rows.push(row);
                }
            })?;
            Ok((offers(rows, pooled, exchange), skipped))
        };
        let read = || self.read(request.clone(), LIST_MAX, parse.clone());
        let (offers, skipped) = retried(may_pass, read).await?;
        self.warn_of_skipped("price", skipped);
        Ok(offers)
    }

    fn warn_of_skipped(&self, list: &str, skipped: usize) {
        if skipped > 0 {
            tracing::warn!(
                upstream = %self.settings.account.name, skipped,
                "left unreadable rows out of the {list} list",
            );
        }
    }
}

/// One offer for each operator where each is a pool, or one for each product: what any operator
/// sells at the least price. Numbers at a higher one are no part of it, as the cap of a purchase
/// would not reach them.
fn offers(rows: Vec<PriceRow>, pooled: bool, exchange: Exchange) -> Vec<NumberOffer> {
    if pooled {
        let offer = |row: &PriceRow| offer(row, Some(row.operator.to_string()), exchange);
        return rows.iter().filter_map(offer).collect();
    }
    let mut cheapest: BTreeMap<String, PriceRow> = BTreeMap::new();
    for row in rows {
        match cheapest.get_mut(row.product.as_str()) {
            None => {
                cheapest.insert(row.product.to_string(), row);
            }
            Some(best) if row.cost < best.cost => *best = row,
            Some(best) if row.cost == best.cost => {
                best.count = best.count.saturating_add(row.count);
                // whichever of the two sells it: promise no more than the worse
                if row.rates.recent() < best.rates.recent() {
                    best.rates = row.rates;
                }
            }
            Some(_) => {}
        }
    }
    let rows = cheapest.values();
    rows.filter_map(|row| offer(row, None, exchange)).collect()
}

fn offer(row: &PriceRow, pool: Option<String>, exchange: Exchange) -> Option<NumberOffer> {
    Some(NumberOffer {
        country: row.country.to_string(),
        service: row.product.to_string(),
        pool,
        cost: exchange.cost(row.cost)?,
        available: Some(u32::try_from(row.count).unwrap_or(u32::MAX)),
        success_rate: row.rates.recent().and_then(|rate| rate.floor().to_u8()),
    })
}

/// A price of nothing is a mistake of the list, and an operator without stock sells at no price.
fn is_for_sale(row: &PriceRow) -> bool {
    let hosting = HOSTING.contains(&row.product.as_str());
    row.count > 0 && row.cost > Decimal::ZERO && !hosting
}

/// Products have no names, only slugs: `telegram` is shown as `Telegram`.
fn named(product: String) -> (String, String) {
    let mut letters = product.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let name = first.into_iter().chain(letters).collect();
    (product, name)
}
