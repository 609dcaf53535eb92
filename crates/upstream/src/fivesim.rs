//! Renting numbers from upstreams that speak 5sim.

mod classify;
mod listing;
mod settings;

#[cfg(test)]
mod tests;

pub use settings::FiveSimSettings;

use crate::handler_api::classify::{may_pass, read_failure, unknown_or_refused};
use crate::money::Exchange;
use crate::transport::{
    ANSWER_MAX, BadUpstream, Fetched, LIST_MAX, Lost, Payload, Transport, retried,
};
use classify::{cancelled, is_open, lifetime, listed_number, number_status, sold};
use domain::time::{Millis, Timestamp};
use domain::upstream::{
    CancelReply, Capabilities, ListedNumber, Number, NumberListing, NumberRequest, NumberStatus,
    NumberUpstream, Pending, Purchase, ReadFailure, Refusal, Reply,
};
use domain::usd::Usd;
use rust_decimal::prelude::ToPrimitive;
use settings::PAGE_ROWS;
use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};
use wire::fivesim::{self, Order, OrderCall, OrderList, Page, Profile, Request, Slug};
use wire::handler_api::{Class, Failure};

/// Most pages of the list of orders that one look reads.
const PAGES_MAX: u32 = 1000;
/// How much longer than its life an order may stay open on a server that is behind.
const AGE_MARGIN: Millis = Millis::minutes(5);

/// An account at one upstream.
pub struct FiveSim {
    settings: FiveSimSettings,
    exchange: Exchange,
    transport: Transport,
    /// The account's rating as it was read last, in whole points.
    rating: RwLock<Option<u32>>,
}

impl FiveSim {
    /// Builds the adapter. The process must have installed its TLS provider before.
    pub fn new(settings: FiveSimSettings) -> Result<Self, BadUpstream> {
        let (exchange, transport) = settings.account.open(true)?;
        Ok(Self {
            settings,
            exchange,
            transport,
            rating: RwLock::default(),
        })
    }

    async fn once(&self, request: &Request) -> Result<Fetched, Lost> {
        let address = Address::of(request);
        self.transport
            .once(address.payload(&address.segments()))
            .await
    }

    /// One read, parsed.
    async fn read<T: Send + 'static>(
        &self,
        request: Request,
        max: usize,
        parse: impl FnOnce(&Fetched) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, ReadFailure> {
        let address = Address::of(&request);
        let segments = address.segments();
        let read = self
            .transport
            .read(address.payload(&segments), max, parse)
            .await?;
        read.map_err(|failure| {
            let failure = read_failure(&failure, |text| self.transport.clean(text));
            tracing::warn!(
                upstream = %self.settings.account.name, path = address.path, "read failed: {failure}",
            );
            failure
        })
    }

    async fn buy_now(&self, request: &NumberRequest) -> Reply<Purchase<Number>> {
        let wanted = match self.purchase(request) {
            Ok(wanted) => wanted,
            Err((refusal, why)) => {
                return Reply {
                    outcome: Purchase::Refused(refusal),
                    raw: format!("not sent: {why}"),
                };
            }
        };
        let fetched = match self.once(&Request::Buy(wanted.clone())).await {
            Ok(fetched) => fetched,
            Err(lost) => return lost.into(),
        };
        let outcome = match Order::parse(fetched.answer()) {
            Ok(order) => sold(&order, &wanted, self.exchange),
            Err(failure) => unknown_or_refused(&failure),
        };
        self.warn_of_price(&outcome, request.max_cost);
        Reply {
            outcome,
            raw: self.transport.clean(&fetched.body),
        }
    }

    /// The purchase on the wire, or why there can be none.
    fn purchase(
        &self,
        request: &NumberRequest,
    ) -> Result<fivesim::Purchase, (Refusal, &'static str)> {
        let slug = |text: &str| {
            Slug::parse(text).ok_or((
                Refusal::NotSold,
                "the offer's ids are none of this protocol",
            ))
        };
        let cap = self
            .exchange
            .cap(request.max_cost)
            .ok_or((Refusal::PriceMoved, "the cap is below any price there"))?;
        let operator = request.pool.as_deref().map(slug).transpose()?;
        Ok(fivesim::Purchase {
            country: slug(&request.country)?,
            product: slug(&request.service)?,
            max_price: operator.is_none().then_some(cap),
            operator: operator.unwrap_or_else(Slug::any),
        })
    }

    /// A named operator sells at its own price, whatever cap was sent.
    fn warn_of_price(&self, outcome: &Purchase<Number>, max_cost: Usd) {
        let Purchase::Done(number) = outcome else {
            return;
        };
        if let Some(cost) = number.cost.filter(|cost| *cost > max_cost) {
            tracing::warn!(
                upstream = %self.settings.account.name, cost_micros = cost.0, cap_micros = max_cost.0,
                "sold order {} above our cap", number.id,
            );
        }
    }

    async fn status_now(&self, id: &str) -> Result<NumberStatus, ReadFailure> {
        let request = Request::Order(OrderCall::Check, order_id(id)?);
        let parse = |fetched: &Fetched| match Order::parse(fetched.answer()) {
            Err(failure) if failure.on_read() == Class::Closed => Ok(None),
            other => other.map(Some),
        };
        let order = self.read(request, ANSWER_MAX, parse).await?;
        order.map_or(Ok(NumberStatus::Closed), |order| number_status(&order))
    }

    /// The list holds every order there ever was, newest first. It is read until its end, or until
    /// orders that are too old to be open.
    async fn active_now(&self) -> Result<Vec<ListedNumber>, ReadFailure> {
        let mut active = Vec::new();
        let mut seen = HashSet::new();
        let mut ages = Ages::new(self.settings.capabilities.activation_ttl);
        let mut offset = 0;
        for _ in 0..PAGES_MAX {
            let page = self.orders(offset).await?;
            // a sale between two pages moves rows to the next one, never over it
            let fresh = page.rows.iter().filter(|order| seen.insert(order.id));
            let open = fresh.filter(|order| is_open(order));
            active.extend(open.map(|order| listed_number(order, self.exchange)));
            offset += page.rows.len() as u64;
            let all_read = page.total.is_some_and(|total| offset >= total);
            if page.rows.is_empty() || all_read || ages.are_past(&page.rows) {
                return Ok(active);
            }
        }
        Err(ReadFailure::Fault(
            "the list of orders has no end".to_owned(),
        ))
    }

    async fn orders(&self, offset: u64) -> Result<OrderList, ReadFailure> {
        let request = Request::Orders(Page {
            limit: Some(PAGE_ROWS.into()),
            offset: Some(offset),
        });
        let parse = |f: &Fetched| OrderList::parse(f.answer());
        let page = self.read(request, LIST_MAX, parse).await?;
        if page.skipped > 0 {
            // whoever reads this list may conclude that an order does not exist
            let text = format!("{} rows of the list of orders are unreadable", page.skipped);
            tracing::warn!(upstream = %self.settings.account.name, "{text}");
            return Err(ReadFailure::Fault(text));
        }
        Ok(page)
    }

    async fn cancel_now(&self, id: &str) -> Reply<CancelReply> {
        let Ok(id) = order_id(id) else {
            return Reply {
                outcome: CancelReply::UnknownOrder,
                raw: "not sent: the id is none of this protocol".to_owned(),
            };
        };
        match self.once(&Request::Order(OrderCall::Cancel, id)).await {
            Err(lost) => Reply {
                outcome: CancelReply::Unknown,
                raw: lost.text().to_owned(),
            },
            Ok(fetched) => Reply {
                outcome: cancelled(Order::parse(fetched.answer())),
                raw: self.transport.clean(&fetched.body),
            },
        }
    }

    async fn finish_now(&self, id: &str) -> Result<(), ReadFailure> {
        let request = Request::Order(OrderCall::Finish, order_id(id)?);
        let finished = |fetched: &Fetched| match Order::parse(fetched.answer()) {
            Ok(_) => Ok(()),
            Err(failure) if failure.on_read() == Class::Closed => Ok(()),
            Err(failure) => Err(failure),
        };
        self.read(request, ANSWER_MAX, finished).await
    }

    async fn balance_now(&self) -> Result<Usd, ReadFailure> {
        let parse = |f: &Fetched| Profile::parse(f.answer());
        let read = || self.read(Request::Profile, ANSWER_MAX, parse);
        let profile = retried(may_pass, read).await?;
        let rating = profile.rating.and_then(|rating| rating.floor().to_u32());
        *self.rating.write().unwrap_or_else(PoisonError::into_inner) = rating;
        let too_large = || ReadFailure::Fault("the balance is out of range".to_owned());
        self.exchange.balance(profile.balance).ok_or_else(too_large)
    }
}

/// Ids are numbers here; anything else was never given out by this upstream.
fn order_id(id: &str) -> Result<u64, ReadFailure> {
    wire::amount::count(id).ok_or(ReadFailure::UnknownOrder)
}

/// Path and query of a request.
struct Address {
    path: String,
    query: String,
}

impl Address {
    fn of(request: &Request) -> Self {
        let path = request.path();
        let (path, query) = path.split_once('?').unwrap_or((&path, ""));
        Self {
            path: path.to_owned(),
            query: query.to_owned(),
        }
    }

    fn segments(&self) -> Vec<&str> {
        self.path.split('/').collect()
    }

    fn payload<'a>(&'a self, segments: &'a [&'a str]) -> Payload<'a> {
        Payload::Get {
            path: segments,
            query: &self.query,
        }
    }
}

/// Tells when a list that runs back in time has passed everything that can be open. No clock is
/// needed: now is never before the newest order.
struct Ages {
    newest: Option<Timestamp>,
    longest_life: Millis,
}

impl Ages {
    fn new(longest_life: Millis) -> Self {
        Self {
            newest: None,
            longest_life,
        }
    }

    /// Whether the whole page is older than the longest life seen and a margin, counted from the
    /// newest order of all pages. An order without a readable time may be of any age.
    fn are_past(&mut self, page: &[Order]) -> bool {
        let lives = page.iter().filter_map(lifetime);
        self.longest_life = lives.fold(self.longest_life, Millis::max);
        let sold_at = |order: &Order| crate::civil::rfc3339(order.created_at.as_deref()?);
        let times: Option<Vec<Timestamp>> = page.iter().map(sold_at).collect();
        let latest = times
            .as_deref()
            .and_then(|times| times.iter().max().copied());
        self.newest = self.newest.max(latest);
        let (Some(newest), Some(latest)) = (self.newest, latest) else {
            return false;
        };
        newest - latest > Millis(self.longest_life.0.saturating_add(AGE_MARGIN.0))
    }
}

impl NumberUpstream for FiveSim {
    fn capabilities(&self) -> &Capabilities {
        &self.settings.capabilities
    }

    fn buy<'a>(&'a self, request: &'a NumberRequest) -> Pending<'a, Reply<Purchase<Number>>> {
        Box::pin(self.buy_now(request))
    }

    fn status<'a>(&'a self, id: &'a str) -> Pending<'a, Result<NumberStatus, ReadFailure>> {
        Box::pin(self.status_now(id))
    }

    fn active(&self) -> Pending<'_, Result<Vec<ListedNumber>, ReadFailure>> {
        Box::pin(self.active_now())
    }

    fn cancel<'a>(&'a self, id: &'a str) -> Pending<'a, Reply<CancelReply>> {
        Box::pin(self.cancel_now(id))
    }

    fn finish<'a>(&'a self, id: &'a str) -> Pending<'a, Result<(), ReadFailure>> {
        Box::pin(self.finish_now(id))
    }

    fn asked_to_wait(&self) -> Option<Millis> {
        self.transport.asked_to_wait()
    }

    fn balance(&self) -> Pending<'_, Result<Usd, ReadFailure>> {
        Box::pin(self.balance_now())
    }

    fn rating(&self) -> Option<u32> {
        *self.rating.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn listing(&self) -> Pending<'_, Result<NumberListing, ReadFailure>> {
        Box::pin(self.listing_now())
    }
}
