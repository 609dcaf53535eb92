//! Everything an upstream sells, put together from its lists.

use super::{HandlerApi, PriceList};
use crate::money::Exchange;
use crate::transport::{ANSWER_MAX, Fetched, LIST_MAX};
use domain::upstream::{NumberListing, NumberOffer, ReadFailure, Refusal};
use rust_decimal::Decimal;
use std::collections::BTreeSet;
use wire::handler_api::{
    Balance, Countries, Failure, PriceFilter, PriceRow, PriceShape, Prices, Request, Services,
};

impl HandlerApi {
    /// Countries, services and prices, each read up to three times. An empty list is a failure: it
    /// would empty the catalogue. An upstream without lists of names is listed by its ids.
    pub(super) async fn listing_now(&self) -> Result<NumberListing, ReadFailure> {
        self.check_account().await?;
        let parse = |f: &Fetched| Countries::parse(f.answer());
        let countries = offered(self.reread(Request::Countries, LIST_MAX, parse).await)?;
        let request = Request::Services { country: None };
        let parse = |f: &Fetched| Services::parse(f.answer());
        let services = offered(self.reread(request, LIST_MAX, parse).await)?;
        let offers = self.offers().await?;
        let countries = match countries {
            Some(Countries(rows)) => rows
                .into_iter()
                .filter(|country| country.visible)
                .map(|country| (country.id, country.name))
                .collect(),
            None => named_by_id(offers.iter().map(|offer| &offer.country)),
        };
        let services = match services {
            Some(Services(rows)) => rows
                .into_iter()
                .map(|service| (service.code, service.name))
                .collect(),
            None => named_by_id(offers.iter().map(|offer| &offer.service)),
        };
        for (list, empty) in [
            ("country", countries.is_empty()),
            ("service", services.is_empty()),
            ("price", offers.is_empty()),
        ] {
            if empty {
                return Err(ReadFailure::Fault(format!("the {list} list is empty")));
            }
        }
        Ok(NumberListing {
            countries,
            services,
            offers,
        })
    }

    /// Prices are taken only in the account's currency, which the balance may tell.
    async fn check_account(&self) -> Result<(), ReadFailure> {
        if self.settings.account.currency.is_none() {
            return Ok(());
        }
        let parse = |f: &Fetched| Ok(Balance::currency(f.answer()));
        let said = self.read(Request::Balance, ANSWER_MAX, parse).await;
        self.in_our_currency(said.ok().flatten())
    }

    async fn offers(&self) -> Result<Vec<NumberOffer>, ReadFailure> {
        let filter = PriceFilter::default();
        let pools = self.settings.pools;
        let (request, shape) = match self.settings.prices {
            _ if pools => (Request::PricesV3(filter), PriceShape::PerProvider),
            PriceList::Prices => (Request::Prices(filter), PriceShape::Single),
            PriceList::PricesExtended => (Request::PricesExtended(filter), PriceShape::Single),
            PriceList::PricesV2 => (Request::PricesV2(filter), PriceShape::Ladder),
            PriceList::PricesV3 => (Request::PricesV3(filter), PriceShape::PerProvider),
        };
        let (exchange, least) = (self.exchange, self.settings.ladder_min_stock);
        let parse = move |f: &Fetched| -> Result<(Vec<NumberOffer>, usize), Failure> {
            let Prices { rows, skipped } = Prices::parse(f.answer(), shape)?;
            let rows = match pools {
                true => rows,
                false => rungs(rows, least),
            };
            let offers = rows.into_iter().filter_map(|row| offer(row, exchange));
            Ok((offers.collect(), skipped))
        };
        let (offers, skipped) = self.reread(request, LIST_MAX, parse).await?;
        if skipped > 0 {
            tracing::warn!(
                upstream = %self.settings.account.name, skipped,
                "left unreadable rows out of the price list",
            );
        }
        Ok(offers)
    }
}

/// A list that the upstream does not know is none; every other failure is one.
fn offered<T>(list: Result<T, ReadFailure>) -> Result<Option<T>, ReadFailure> {
    match list {
        Err(ReadFailure::NotOffered | ReadFailure::Refused(Refusal::OurFault)) => Ok(None),
        other => other.map(Some),
    }
}

fn named_by_id<'a>(ids: impl Iterator<Item = &'a String>) -> Vec<(String, String)> {
    let distinct: BTreeSet<&String> = ids.collect();
    distinct
        .into_iter()
        .map(|id| (id.clone(), id.clone()))
        .collect()
}

/// One row for each service of a country: the rung of its price ladder that is sold from.
fn rungs(mut rows: Vec<PriceRow>, least: u64) -> Vec<PriceRow> {
    rows.retain(|row| row.cost > Decimal::ZERO);
    let same = |a: &PriceRow, b: &PriceRow| (&a.country, &a.service) == (&b.country, &b.service);
    rows.chunk_by_mut(same)
        .filter_map(|ladder| rung(ladder, least))
        .collect()
}

/// What is bought with a cap is sold from the cheapest rung up to it. So the cost of an offer is the
/// cap that reaches `least` numbers, its stock is what stands at or below that cap, and a ladder
/// that holds fewer altogether is offered at its last rung with stock.
fn rung(ladder: &mut [PriceRow], least: u64) -> Option<PriceRow> {
    ladder.sort_by_key(|row| row.cost);
    let mut chosen: Option<PriceRow> = None;
    let mut stock = 0_u64;
    for row in ladder.iter() {
        if row.count == 0 && chosen.is_some() {
            continue;
        }
        stock = stock.saturating_add(row.count);
        chosen = Some(PriceRow {
            pool: None,
            count: stock,
            ..row.clone()
        });
        if stock >= least.max(1) {
            break;
        }
    }
    chosen
}

/// A price of nothing is a mistake of the list, never an offer.
fn offer(row: PriceRow, exchange: Exchange) -> Option<NumberOffer> {
    let cost = exchange
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

#[cfg(test)]
mod tests {
    use super::*;

    fn ladder(rungs: &[(&str, u64)]) -> Vec<PriceRow> {
        let row = |(cost, count): &(&str, u64)| PriceRow {
            country: "2".to_owned(),
            service: "tg".to_owned(),
            pool: Some("11".to_owned()),
            cost: cost.parse().unwrap(),
            count: *count,
            physical_count: None,
        };
        rungs.iter().map(row).collect()
    }

    fn sold_at(rungs_listed: &[(&str, u64)], least: u64) -> Option<(String, u64)> {
        let rows = rungs(ladder(rungs_listed), least);
        assert!(rows.len() <= 1 && rows.iter().all(|row| row.pool.is_none()));
        rows.first().map(|row| (row.cost.to_string(), row.count))
    }

    #[test]
    fn the_cost_is_the_cap_that_reaches_the_stock_asked_for() {
        let listed = [("0.25", 40), ("0.20", 7), ("0.30", 1000), ("0.10", 0)];
        let at = |least| sold_at(&listed, least).unwrap();
        assert_eq!(at(0), ("0.20".to_owned(), 7));
        assert_eq!(at(1), ("0.20".to_owned(), 7));
        assert_eq!(at(7), ("0.20".to_owned(), 7));
        assert_eq!(at(8), ("0.25".to_owned(), 47));
        assert_eq!(at(48), ("0.30".to_owned(), 1047));
        assert_eq!(at(5000), ("0.30".to_owned(), 1047));
    }

    #[test]
    fn a_ladder_without_stock_keeps_its_lowest_price_and_nothing_costs_nothing() {
        let empty = sold_at(&[("0.3", 0), ("0.2", 0)], 1);
        assert_eq!(empty, Some(("0.2".to_owned(), 0)));
        assert_eq!(sold_at(&[("0", 9)], 1), None);
        let last = sold_at(&[("0.2", 3), ("0.9", 0)], 10);
        assert_eq!(last, Some(("0.2".to_owned(), 3)));
    }

    #[test]
    fn services_do_not_mix() {
        let mut rows = ladder(&[("0.2", 1)]);
        rows.extend(ladder(&[("0.1", 5)]).into_iter().map(|row| PriceRow {
            service: "wa".to_owned(),
            ..row
        }));
        assert_eq!(rungs(rows, 1).len(), 2);
    }
}
