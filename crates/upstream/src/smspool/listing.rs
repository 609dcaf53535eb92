//! Everything SMSPool sells, put together from its lists.

use super::names::Names;
use super::{Fetched, LIST_MAX, SmsPool};
use crate::money::Exchange;
use domain::upstream::{NumberListing, NumberOffer, ReadFailure};
use rust_decimal::Decimal;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use wire::smspool::{
    Countries, Country, Named, NamedList, PriceCell, PriceFilter, PriceList, Request,
};

/// Stock by offer. The key is a hash: of a million offers two will hardly ever share one, and then
/// a wrong figure is shown, nothing is sold wrong.
type Stock = HashMap<u64, u32>;

impl SmsPool {
    /// Countries, services and prices, each read up to three times. An empty list is a failure: it
    /// would empty the catalogue.
    pub(super) async fn listing_now(&self) -> Result<NumberListing, ReadFailure> {
        let (countries, services) = self.read_both().await?;
        let stock = self.stock().await;
        let offers = self.offers(stock).await?;
        for (list, empty) in [
            ("country", countries.is_empty()),
            ("service", services.is_empty()),
            ("price", offers.is_empty()),
        ] {
            if empty {
                return Err(ReadFailure::Fault(format!("the {list} list is empty")));
            }
        }
        let country = |country: Country| (country.id, country.name);
        let service = |service: Named| (service.id, service.name);
        Ok(NumberListing {
            countries: countries.into_iter().map(country).collect(),
            services: services.into_iter().map(service).collect(),
            offers,
        })
    }

    /// The names behind the ids, for the list of orders.
    pub(super) async fn read_names(&self) -> Result<Arc<Names>, ReadFailure> {
        self.read_both().await?;
        let empty = || ReadFailure::Fault("the country or the service list is empty".to_owned());
        self.names().clone().ok_or_else(empty)
    }

    /// Countries and services; remembers the names where both lists say something.
    async fn read_both(&self) -> Result<(Vec<Country>, Vec<Named>), ReadFailure> {
        let parse = |f: &Fetched| Countries::parse(f.answer());
        let Countries(countries) = self.reread(&Request::Countries, LIST_MAX, parse).await?;
        let request = Request::Services { country: None };
        let parse = |f: &Fetched| NamedList::parse(f.answer());
        let NamedList(services) = self.reread(&request, LIST_MAX, parse).await?;
        if !countries.is_empty() && !services.is_empty() {
            *self.names() = Some(Arc::new(Names::new(&countries, &services)));
        }
        Ok((countries, services))
    }

    /// Stock is a nicety: prices count without it.
    async fn stock(&self) -> Stock {
        let request = Request::Stock(PriceFilter::default());
        let parse = |f: &Fetched| {
            let mut stock = Stock::new();
            PriceList::each(f.answer(), |cell| {
                if let Some(count) = cell.stock {
                    stock.insert(key(&cell), u32::try_from(count).unwrap_or(u32::MAX));
                }
            })?;
            Ok(stock)
        };
        self.read(&request, LIST_MAX, parse)
            .await
            .unwrap_or_default()
    }

    async fn offers(&self, stock: Stock) -> Result<Vec<NumberOffer>, ReadFailure> {
        let request = Request::Pricing(PriceFilter::default());
        let (stock, exchange) = (Arc::new(stock), self.exchange);
        let parse = move |f: &Fetched| {
            let mut offers = Vec::new();
            let skipped = PriceList::each(f.answer(), |cell| {
                offers.extend(offer(cell, &stock, exchange));
            })?;
            Ok((offers, skipped))
        };
        let (offers, skipped) = self.reread(&request, LIST_MAX, parse).await?;
        if skipped > 0 {
            tracing::warn!(
                upstream = %self.settings.account.name, skipped,
                "left unreadable rows out of the price list",
            );
        }
        Ok(offers)
    }
}

/// A price of nothing is a mistake of the list, never an offer.
fn offer(cell: PriceCell, stock: &Stock, exchange: Exchange) -> Option<NumberOffer> {
    let price = cell.price.filter(|price| *price > Decimal::ZERO)?;
    Some(NumberOffer {
        available: stock.get(&key(&cell)).copied(),
        cost: exchange.cost(price)?,
        country: cell.country,
        service: cell.service,
        pool: cell.pool,
        success_rate: None,
    })
}

fn key(cell: &PriceCell) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&cell.service, &cell.country, &cell.pool).hash(&mut hasher);
    hasher.finish()
}
