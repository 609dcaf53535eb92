//! Everything an upstream sells, put together from its lists.

use super::HandlerApi;
use crate::transport::{Fetched, LIST_MAX};
use domain::upstream::{NumberListing, NumberOffer, ReadFailure};
use rust_decimal::Decimal;
use wire::handler_api::{Countries, PriceFilter, PriceRow, PriceShape, Prices, Request, Services};

impl HandlerApi {
    /// Countries, services and prices, each read up to three times. An empty list is a failure: it
    /// would empty the catalogue.
    pub(super) async fn listing_now(&self) -> Result<NumberListing, ReadFailure> {
        let parse = |f: &Fetched| Countries::parse(f.answer());
        let Countries(countries) = self.reread(Request::Countries, LIST_MAX, parse).await?;
        let request = Request::Services { country: None };
        let parse = |f: &Fetched| Services::parse(f.answer());
        let Services(services) = self.reread(request, LIST_MAX, parse).await?;
        let prices = self.prices().await?;
        let offers: Vec<NumberOffer> = prices
            .rows
            .into_iter()
            .filter_map(|row| self.offer(row))
            .collect();
        for (list, empty) in [
            ("country", countries.is_empty()),
            ("service", services.is_empty()),
            ("price", offers.is_empty()),
        ] {
            if empty {
                return Err(ReadFailure::Fault(format!("the {list} list is empty")));
            }
        }
        let visible = countries.into_iter().filter(|country| country.visible);
        Ok(NumberListing {
            countries: visible.map(|country| (country.id, country.name)).collect(),
            services: services
                .into_iter()
                .map(|service| (service.code, service.name))
                .collect(),
            offers,
        })
    }

    async fn prices(&self) -> Result<Prices, ReadFailure> {
        let filter = PriceFilter::default();
        let (request, shape) = match self.settings.pools {
            true => (Request::PricesV3(filter), PriceShape::PerProvider),
            false => (Request::Prices(filter), PriceShape::Single),
        };
        let parse = |f: &Fetched| Prices::parse(f.answer(), shape);
        let prices = self.reread(request, LIST_MAX, parse).await?;
        if prices.skipped > 0 {
            tracing::warn!(
                upstream = %self.settings.name, skipped = prices.skipped,
                "left unreadable rows out of the price list",
            );
        }
        Ok(prices)
    }

    /// A price of nothing is a mistake of the list, never an offer.
    fn offer(&self, row: PriceRow) -> Option<NumberOffer> {
        let cost = self
            .exchange
            .cost(row.cost)
            .filter(|_| row.cost > Decimal::ZERO)?;
        Some(NumberOffer {
            country: row.country,
            service: row.service,
            pool: row.pool,
            cost,
            available: Some(u32::try_from(row.count).unwrap_or(u32::MAX)),
            success_rate: None,
        })
    }
}
