//! Renting out the operator's own numbers: an upstream whose other side is our own store.

#[cfg(test)]
mod tests;

use crate::sms;
use domain::change::{Change, CommitError, Refused, Write};
use domain::countries;
use domain::own_number::{Allocation, AllocationEnd, NumberWanted, PoolWrite};
use domain::ports::{Clock, PoolRows, Store};
use domain::time::{Millis, Timestamp};
use domain::upstream::{
    CancelReply, Capabilities, ListedNumber, Number, NumberListing, NumberOffer, NumberRequest,
    NumberStatus, NumberUpstream, Pending, Purchase, ReadFailure, Refusal, Reply, Sms,
};
use domain::usd::Usd;
use std::collections::BTreeMap;
use std::sync::Arc;

/// What renting a number costs, for a country, a service, both or neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CostRule {
    /// Two upper-case letters of ISO 3166-1; nothing means every country.
    pub country: Option<String>,
    /// Service code; nothing means every service.
    pub service: Option<String>,
    /// What it costs.
    pub cost: Usd,
}

/// What an operator says about a pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnNumbersSettings {
    /// The operator's name for it; stands in logs.
    pub name: String,
    /// What is sold: service code and name.
    pub services: Vec<(String, String)>,
    /// What it costs where no rule fits.
    pub cost: Usd,
    /// Exceptions: country and service before service before country.
    pub costs: Vec<CostRule>,
    /// How long a number rests after a rent.
    pub cooling_off: Millis,
    /// Whether a number that had a message for a service may be rented for it again.
    pub sell_again: bool,
    /// What it can do.
    pub capabilities: Capabilities,
}

impl OwnNumbersSettings {
    /// What a pool can do whatever its operator says: a purchase is one commit of our own, so it is
    /// booked and listed at once or never, and there is no account with a balance.
    pub fn capabilities() -> Capabilities {
        Capabilities {
            idempotency_key: true,
            list_lag: Millis(0),
            late_window: Millis(0),
            balance: false,
            ..Capabilities::numbers()
        }
    }

    fn cost(&self, country: &str, service: &str) -> Usd {
        let fits = |rule: &&CostRule| {
            rule.country.as_deref().is_none_or(|one| one == country)
                && rule.service.as_deref().is_none_or(|one| one == service)
        };
        let weight = |rule: &&CostRule| (rule.service.is_some(), rule.country.is_some());
        let rule = self.costs.iter().filter(fits).max_by_key(weight);
        rule.map_or(self.cost, |rule| rule.cost)
    }

    fn sells(&self, service: &str) -> bool {
        self.services.iter().any(|(code, _)| code == service)
    }
}

/// A pool of the operator's numbers.
pub struct OwnNumbers {
    settings: OwnNumbersSettings,
    store: Arc<dyn Store>,
    rows: Arc<dyn PoolRows>,
    clock: Arc<dyn Clock>,
}

impl OwnNumbers {
    /// A pool over the store that keeps it.
    pub fn new(
        settings: OwnNumbersSettings,
        store: Arc<dyn Store>,
        rows: Arc<dyn PoolRows>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            settings,
            store,
            rows,
            clock,
        }
    }

    async fn write(&self, name: &'static str, write: PoolWrite) -> Result<(), CommitError> {
        let change = Change::new(name, self.clock.now(), vec![Write::Pool(write)]);
        self.store.commit(change).await
    }

    async fn buy_now(&self, request: &NumberRequest) -> Reply<Purchase<Number>> {
        let cost = self.settings.cost(&request.country, &request.service);
        if !self.settings.sells(&request.service) {
            return reply(
                Purchase::Refused(Refusal::NotSold),
                "the service is not sold",
            );
        }
        if cost > request.max_cost {
            return reply(Purchase::Refused(Refusal::PriceMoved), "the cost has risen");
        }
        let wanted = NumberWanted {
            upstream: self.settings.name.clone(),
            reference: request.reference.clone(),
            service: request.service.clone(),
            country: request.country.clone(),
            pool: request.pool.clone(),
            cost,
            ends_at: self.clock.now() + self.settings.capabilities.activation_ttl,
            again: self.settings.sell_again,
        };
        match self
            .write("allocate", PoolWrite::Allocate(Box::new(wanted)))
            .await
        {
            Ok(()) => self.allocated(&request.reference, Purchase::Unknown).await,
            // a purchase that is sent again has its allocation already
            Err(CommitError::Refused(_)) => {
                let none = Purchase::Refused(Refusal::NoStock);
                self.allocated(&request.reference, none).await
            }
            Err(CommitError::Storage(_)) => reply(Purchase::Unknown, "the store failed"),
        }
    }

    /// The number a purchase has got; `otherwise` where it has none.
    async fn allocated(
        &self,
        reference: &str,
        otherwise: Purchase<Number>,
    ) -> Reply<Purchase<Number>> {
        match self
            .rows
            .allocation_of(&self.settings.name, reference)
            .await
        {
            Ok(Some(found)) if found.end.is_none() => Reply {
                raw: format!("allocation {}", found.id),
                outcome: Purchase::Done(Number {
                    id: found.id.to_string(),
                    lifetime: Some(found.wanted.ends_at - self.clock.now()),
                    phone: found.phone,
                    cost: Some(found.wanted.cost),
                    cancel_after: Some(self.settings.capabilities.min_cancel_age),
                }),
            },
            Ok(_) => reply(otherwise, "no allocation"),
            Err(_) => reply(Purchase::Unknown, "the store failed"),
        }
    }

    async fn found(&self, id: &str) -> Result<Allocation, ReadFailure> {
        let id = id.parse().map_err(|_| ReadFailure::UnknownOrder)?;
        let found = self.rows.allocation(&self.settings.name, id).await;
        let found = found.map_err(|error| ReadFailure::Fault(error.0))?;
        found.ok_or(ReadFailure::UnknownOrder)
    }

    async fn status_now(&self, id: &str) -> Result<NumberStatus, ReadFailure> {
        let found = self.found(id).await?;
        Ok(match (newest(&found), found.end) {
            (Some(sms), _) => NumberStatus::Code(sms),
            (None, None) => NumberStatus::Waiting,
            (None, Some(_)) => NumberStatus::Closed,
        })
    }

    async fn active_now(&self) -> Result<Vec<ListedNumber>, ReadFailure> {
        let open = self.rows.allocations_open(&self.settings.name).await;
        let open = open.map_err(|error| ReadFailure::Fault(error.0))?;
        Ok(open.into_iter().map(listed).collect())
    }

    async fn release(&self, id: i64, end: AllocationEnd) -> Result<(), CommitError> {
        let rest_until = self.clock.now() + self.settings.cooling_off;
        let release = PoolWrite::Release {
            allocation: id,
            end,
            rest_until,
        };
        self.write("release", release).await
    }

    async fn cancel_now(&self, id: &str) -> Reply<CancelReply> {
        let found = match self.found(id).await {
            Ok(found) => found,
            Err(ReadFailure::UnknownOrder) => {
                return reply(CancelReply::UnknownOrder, "no such allocation");
            }
            Err(_) => return reply(CancelReply::Unknown, "the store failed"),
        };
        match self.release(found.id, AllocationEnd::Cancelled).await {
            Ok(()) => reply(CancelReply::Cancelled, "released"),
            Err(CommitError::Storage(_)) => reply(CancelReply::Unknown, "the store failed"),
            Err(CommitError::Refused(_)) => match self.status_now(id).await {
                Ok(NumberStatus::Closed) => reply(CancelReply::Cancelled, "was released before"),
                Ok(_) => reply(CancelReply::BadTransition, "has a message"),
                Err(_) => reply(CancelReply::Unknown, "the store failed"),
            },
        }
    }

    async fn finish_now(&self, id: &str) -> Result<(), ReadFailure> {
        let found = self.found(id).await?;
        match self.release(found.id, AllocationEnd::Over).await {
            // it has ended already
            Ok(()) | Err(CommitError::Refused(Refused::Stale)) => Ok(()),
            Err(error) => Err(ReadFailure::Fault(format!("{error:?}"))),
        }
    }

    /// Ends allocations whose order has gone without a word: a whole lifetime after their end no
    /// order can still wait on them.
    async fn sweep(&self, now: Timestamp) {
        let open = self.rows.allocations_open(&self.settings.name).await;
        let patience = self.settings.capabilities.activation_ttl;
        let over = |one: &Allocation| one.wanted.ends_at + patience <= now;
        for one in open.unwrap_or_default().into_iter().filter(over) {
            if self.release(one.id, AllocationEnd::Over).await.is_ok() {
                tracing::warn!(
                    upstream = %self.settings.name, allocation = one.id,
                    "a number was rented longer than any order lives; it was taken back"
                );
            }
        }
    }

    async fn listing_now(&self) -> Result<NumberListing, ReadFailure> {
        let now = self.clock.now();
        self.sweep(now).await;
        let numbers = self.rows.own_numbers(&self.settings.name).await;
        let numbers = numbers.map_err(|error| ReadFailure::Fault(error.0))?;
        let mut stock: BTreeMap<(&str, Option<&str>, &str), u32> = BTreeMap::new();
        for number in &numbers {
            let services = self.settings.services.iter().map(|(code, _)| code);
            for service in services.filter(|code| number.serves(code)) {
                let facts = &number.facts;
                let place = (
                    facts.country.as_str(),
                    facts.pool.as_deref(),
                    service.as_str(),
                );
                *stock.entry(place).or_default() += u32::from(number.is_free_for(service, now));
            }
        }
        if stock.is_empty() {
            let why = "the pool has no numbers; add some with: tollgate number add";
            return Err(ReadFailure::Fault(why.to_owned()));
        }
        Ok(self.listing_of(&stock))
    }

    fn listing_of(&self, stock: &BTreeMap<(&str, Option<&str>, &str), u32>) -> NumberListing {
        let offers = stock
            .iter()
            .map(|((country, pool, service), available)| NumberOffer {
                country: (*country).to_owned(),
                service: (*service).to_owned(),
                pool: pool.map(str::to_owned),
                cost: self.settings.cost(country, service),
                available: Some(*available),
                success_rate: None,
            });
        let mut listed: Vec<&str> = stock.keys().map(|(country, ..)| *country).collect();
        listed.dedup();
        let named = |iso2: &str| {
            let name = countries::by_iso2(iso2).map_or(iso2, |country| country.name);
            (iso2.to_owned(), name.to_owned())
        };
        NumberListing {
            countries: listed.into_iter().map(named).collect(),
            services: self.settings.services.clone(),
            offers: offers.collect(),
        }
    }
}

fn newest(allocation: &Allocation) -> Option<Sms> {
    sms::message("", allocation.newest.as_deref().unwrap_or_default())
}

fn listed(open: Allocation) -> ListedNumber {
    ListedNumber {
        id: open.id.to_string(),
        sms: newest(&open),
        service: open.wanted.service,
        country: Some(open.wanted.country),
        phone: Some(open.phone),
        cost: Some(open.wanted.cost),
        created_at: Some(open.begun_at),
        retry_asked: false,
    }
}

fn reply<T>(outcome: T, raw: &str) -> Reply<T> {
    Reply {
        outcome,
        raw: raw.to_owned(),
    }
}

impl NumberUpstream for OwnNumbers {
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

    /// Nobody keeps our money there.
    fn balance(&self) -> Pending<'_, Result<Usd, ReadFailure>> {
        Box::pin(async { Err(ReadFailure::NotOffered) })
    }

    fn listing(&self) -> Pending<'_, Result<NumberListing, ReadFailure>> {
        Box::pin(self.listing_now())
    }
}
