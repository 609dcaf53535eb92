//! Renting numbers from SMSPool.

mod classify;
mod listing;
mod names;
mod settings;

#[cfg(test)]
mod tests;

pub use settings::SmsPoolSettings;

use crate::handler_api::classify::{may_pass, read_failure, unknown_or_refused};
use crate::money::Exchange;
use crate::transport::{
    ANSWER_MAX, BadUpstream, Fetched, LIST_MAX, Lost, Payload, Transport, retried,
};
use domain::time::Millis;
use domain::upstream::{
    CancelReply, Capabilities, ListedNumber, Number, NumberListing, NumberRequest, NumberStatus,
    NumberUpstream, Pending, Purchase, ReadFailure, Refusal, Reply,
};
use domain::usd::Usd;
use names::Names;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use wire::handler_api::Failure;
use wire::smspool::{Balance, Cancelled, Check, NumberBought, NumberOrder, Orders, Request};

/// An account at SMSPool.
pub struct SmsPool {
    settings: SmsPoolSettings,
    exchange: Exchange,
    transport: Transport,
    /// What the list of active orders means by its names; nothing until the first lists were read.
    names: Mutex<Option<Arc<Names>>>,
}

impl SmsPool {
    /// Builds the adapter. The process must have installed its TLS provider before.
    pub fn new(settings: SmsPoolSettings) -> Result<Self, BadUpstream> {
        let (exchange, transport) = settings.account.open(true)?;
        Ok(Self {
            settings,
            exchange,
            transport,
            names: Mutex::new(None),
        })
    }

    fn names(&self) -> MutexGuard<'_, Option<Arc<Names>>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn once(&self, request: &Request) -> Result<Fetched, Lost> {
        let (path, form) = (request.path(), request.form());
        let payload = Payload::Post {
            path: &path,
            form: &form,
        };
        self.transport.once(payload).await
    }

    /// One read, parsed.
    async fn read<T: Send + 'static>(
        &self,
        request: &Request,
        max: usize,
        parse: impl FnOnce(&Fetched) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, ReadFailure> {
        let (path, form) = (request.path(), request.form());
        let payload = match request.is_get() {
            true => Payload::Get {
                path: &path,
                query: &form,
            },
            false => Payload::Post {
                path: &path,
                form: &form,
            },
        };
        let read = self.transport.read(payload, max, parse).await?;
        read.map_err(|failure| {
            let failure = read_failure(&failure, |text| self.transport.clean(text));
            let action = path.join("/");
            tracing::warn!(upstream = %self.settings.account.name, action, "read failed: {failure}");
            failure
        })
    }

    /// As [`Self::read`], repeated after failures that may pass.
    async fn reread<T: Send + 'static>(
        &self,
        request: &Request,
        max: usize,
        parse: impl Fn(&Fetched) -> Result<T, Failure> + Clone + Send + 'static,
    ) -> Result<T, ReadFailure> {
        retried(may_pass, || self.read(request, max, parse.clone())).await
    }

    async fn buy_now(&self, request: &NumberRequest) -> Reply<Purchase<Number>> {
        let Some(max_price) = self.exchange.cap(request.max_cost) else {
            let raw = "not sent: the cap is below any price there".to_owned();
            return Reply {
                outcome: Purchase::Refused(Refusal::PriceMoved),
                raw,
            };
        };
        let order = Request::Buy(NumberOrder {
            service: request.service.clone(),
            country: Some(request.country.clone()),
            pool: request.pool.clone(),
            max_price: Some(max_price),
            best_rate: false,
        });
        let fetched = match self.once(&order).await {
            Ok(fetched) => fetched,
            Err(lost) => return lost.into(),
        };
        let outcome = match NumberBought::parse(fetched.answer()) {
            Ok(bought) => classify::sold(&bought, self.exchange),
            Err(failure) => unknown_or_refused(&failure),
        };
        Reply {
            outcome,
            raw: self.transport.clean(&fetched.body),
        }
    }

    async fn status_now(&self, id: &str) -> Result<NumberStatus, ReadFailure> {
        let request = Request::Check(id.to_owned());
        let parse = |fetched: &Fetched| Check::parse(fetched.answer());
        let check = self.read(&request, ANSWER_MAX, parse).await?;
        Ok(classify::number_status(&check))
    }

    /// The list names services and countries; what is bought goes by ids. Without the names behind
    /// the ids a listed order could not be told from another, and so is no evidence.
    async fn active_now(&self) -> Result<Vec<ListedNumber>, ReadFailure> {
        let parse = |fetched: &Fetched| Orders::parse(fetched.answer());
        let orders = self.read(&Request::Active, LIST_MAX, parse).await?;
        if orders.skipped > 0 {
            // whoever reads this list may conclude that an order does not exist
            let text = format!("{} rows of the active list are unreadable", orders.skipped);
            tracing::warn!(upstream = %self.settings.account.name, "{text}");
            return Err(ReadFailure::Fault(text));
        }
        if orders.rows.is_empty() {
            return Ok(Vec::new());
        }
        let known = self.names().clone();
        let names = match known {
            Some(names) => names,
            None => self.read_names().await?,
        };
        let rows = orders.rows.iter();
        Ok(rows
            .map(|row| classify::listed_number(row, &names, self.exchange))
            .collect())
    }

    async fn cancel_now(&self, id: &str) -> Reply<CancelReply> {
        match self.once(&Request::Cancel(id.to_owned())).await {
            Err(lost) => Reply {
                outcome: CancelReply::Unknown,
                raw: lost.text().to_owned(),
            },
            Ok(fetched) => Reply {
                outcome: classify::cancelled(Cancelled::parse(fetched.answer())),
                raw: self.transport.clean(&fetched.body),
            },
        }
    }

    async fn balance_now(&self) -> Result<Usd, ReadFailure> {
        let parse = |fetched: &Fetched| Balance::parse(fetched.answer());
        let Balance(amount) = self.reread(&Request::Balance, ANSWER_MAX, parse).await?;
        let too_large = || ReadFailure::Fault("the balance is out of range".to_owned());
        self.exchange.balance(amount).ok_or_else(too_large)
    }
}

impl NumberUpstream for SmsPool {
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

    /// An order ends by itself there.
    fn finish<'a>(&'a self, _: &'a str) -> Pending<'a, Result<(), ReadFailure>> {
        Box::pin(async { Err(ReadFailure::NotOffered) })
    }

    fn asked_to_wait(&self) -> Option<Millis> {
        self.transport.asked_to_wait()
    }

    fn balance(&self) -> Pending<'_, Result<Usd, ReadFailure>> {
        Box::pin(self.balance_now())
    }

    fn listing(&self) -> Pending<'_, Result<NumberListing, ReadFailure>> {
        Box::pin(self.listing_now())
    }
}
