//! Renting numbers from upstreams that speak `handler_api`.

pub(crate) mod classify;
mod listing;
mod settings;

#[cfg(test)]
mod tests;

pub use settings::{HandlerApiSettings, PurchaseAction, StatusAction};

use crate::civil;
use crate::money::Exchange;
use crate::sms;
use crate::transport::{
    ANSWER_MAX, BadUpstream, Connection, Fetched, LIST_MAX, Lost, Payload, Transport, retried,
};
use classify::{listed_number, may_pass, number_status, read_failure, sold, unknown_or_refused};
use domain::upstream::{
    CancelReply, Capabilities, ListedNumber, Number, NumberListing, NumberRequest, NumberStatus,
    NumberUpstream, Pending, Purchase, ReadFailure, Refusal, Reply,
};
use domain::usd::Usd;
use wire::handler_api::{
    ActiveList, Balance, Call, Failure, NumberOrder, NumberV2, Page, Request, SetStatus,
    SetStatusReply, Status, StatusV2Reply, words::Class,
};

/// An account at one upstream.
pub struct HandlerApi {
    settings: HandlerApiSettings,
    exchange: Exchange,
    transport: Transport,
}

impl HandlerApi {
    /// Builds the adapter. The process must have installed its TLS provider before.
    pub fn new(settings: HandlerApiSettings) -> Result<Self, BadUpstream> {
        let exchange = Exchange::new(settings.usd_per_unit)
            .ok_or_else(|| BadUpstream::Exchange(settings.name.clone()))?;
        let transport = Transport::new(&Connection {
            name: &settings.name,
            url: &settings.url,
            key: &settings.key,
            bearer: false,
            proxy_url: settings.proxy_url.as_deref(),
            timeout_ms: settings.timeout_ms,
            connect_timeout_ms: settings.connect_timeout_ms,
        })?;
        Ok(Self {
            settings,
            exchange,
            transport,
        })
    }

    fn query(&self, request: Request) -> String {
        Call {
            key: self.settings.key.clone(),
            request,
        }
        .query()
    }

    async fn once(&self, request: Request) -> Result<Fetched, Lost> {
        self.transport
            .once(Payload::Query(&self.query(request)))
            .await
    }

    /// One read, parsed.
    async fn read<T>(
        &self,
        request: Request,
        max: usize,
        parse: impl Fn(&Fetched) -> Result<T, Failure>,
    ) -> Result<T, ReadFailure> {
        let action = request.action();
        let query = self.query(request);
        let fetched = self.transport.read(Payload::Query(&query), max).await;
        let fetched = fetched.map_err(|lost| match lost {
            Lost::NotSent(_) => ReadFailure::Refused(Refusal::Unreachable),
            Lost::Unknown(text) => ReadFailure::Fault(text),
        })?;
        parse(&fetched).map_err(|failure| {
            let failure = read_failure(&failure, |text| self.transport.clean(text));
            tracing::warn!(upstream = %self.settings.name, action, "read failed: {failure}");
            failure
        })
    }

    /// As [`Self::read`], repeated after failures that may pass.
    async fn reread<T>(
        &self,
        request: Request,
        max: usize,
        parse: impl Fn(&Fetched) -> Result<T, Failure>,
    ) -> Result<T, ReadFailure> {
        retried(may_pass, || self.read(request.clone(), max, &parse)).await
    }

    async fn buy_now(&self, request: &NumberRequest) -> Reply<Purchase<Number>> {
        let Some(order) = self.order(request) else {
            let raw = "not sent: the cap is below any price there".to_owned();
            return Reply {
                outcome: Purchase::Refused(Refusal::PriceMoved),
                raw,
            };
        };
        let request = match self.settings.purchase {
            PurchaseAction::GetNumber => Request::Number(order),
            PurchaseAction::GetNumberV2 => Request::NumberV2(order),
        };
        let fetched = match self.once(request).await {
            Ok(fetched) => fetched,
            Err(Lost::NotSent(raw)) => {
                return Reply {
                    outcome: Purchase::Refused(Refusal::Unreachable),
                    raw,
                };
            }
            Err(Lost::Unknown(raw)) => {
                return Reply {
                    outcome: Purchase::Unknown,
                    raw,
                };
            }
        };
        let outcome = match NumberV2::parse(fetched.answer()) {
            Ok(number) => sold(&number, self.exchange),
            Err(failure) => unknown_or_refused(&failure),
        };
        Reply {
            outcome,
            raw: self.transport.clean(&fetched.body),
        }
    }

    /// The order on the wire; nothing where the cap leaves no price at all.
    fn order(&self, request: &NumberRequest) -> Option<NumberOrder> {
        let max_price = match self.settings.capabilities.max_price {
            true => Some(self.exchange.cap(request.max_cost)?),
            false => None,
        };
        Some(NumberOrder {
            service: request.service.clone(),
            country: Some(request.country.clone()),
            max_price,
            provider_ids: request.pool.clone(),
            ..NumberOrder::default()
        })
    }

    async fn status_now(&self, id: &str) -> Result<NumberStatus, ReadFailure> {
        let id = id.to_owned();
        let parsed = match self.settings.status {
            StatusAction::GetStatus => {
                let parse = |f: &Fetched| Status::parse(f.answer()).map(StatusV2Reply::Word);
                self.read(Request::Status(id), ANSWER_MAX, |f| closed_or(parse(f)))
                    .await?
            }
            StatusAction::GetStatusV2 => {
                let parse = |f: &Fetched| StatusV2Reply::parse(f.answer());
                self.read(Request::StatusV2(id), ANSWER_MAX, |f| closed_or(parse(f)))
                    .await?
            }
        };
        Ok(parsed.map_or(NumberStatus::Closed, number_status))
    }

    async fn active_now(&self) -> Result<Vec<ListedNumber>, ReadFailure> {
        if !self.settings.capabilities.list_active {
            return Err(ReadFailure::NotOffered);
        }
        let request = Request::Active(Page::default());
        let list = self
            .read(request, LIST_MAX, |f| ActiveList::parse(f.answer()))
            .await?;
        if list.skipped > 0 {
            // whoever reads this list may conclude that an order does not exist
            let text = format!("{} rows of the active list are unreadable", list.skipped);
            tracing::warn!(upstream = %self.settings.name, "{text}");
            return Err(ReadFailure::Fault(text));
        }
        Ok(list
            .rows
            .iter()
            .map(|row| listed_number(row, self.exchange))
            .collect())
    }

    async fn cancel_now(&self, id: &str) -> Reply<CancelReply> {
        if !self.settings.capabilities.cancel {
            let raw = "not sent: cancel is not offered there".to_owned();
            return Reply {
                outcome: CancelReply::BadTransition,
                raw,
            };
        }
        match self
            .once(Request::SetStatus(id.to_owned(), SetStatus::Cancel))
            .await
        {
            Err(lost) => Reply {
                outcome: CancelReply::Unknown,
                raw: lost.text().to_owned(),
            },
            Ok(fetched) => {
                let answer = SetStatusReply::parse(fetched.answer());
                let outcome =
                    classify::cancelled(answer, self.settings.capabilities.min_cancel_age);
                Reply {
                    outcome,
                    raw: self.transport.clean(&fetched.body),
                }
            }
        }
    }

    async fn finish_now(&self, id: &str) -> Result<(), ReadFailure> {
        let request = Request::SetStatus(id.to_owned(), SetStatus::Finish);
        let finished = |fetched: &Fetched| match SetStatusReply::parse(fetched.answer()) {
            Ok(_) => Ok(()),
            Err(failure) if failure.on_read() == Class::Closed => Ok(()),
            Err(failure) => Err(failure),
        };
        self.read(request, ANSWER_MAX, finished).await
    }

    async fn balance_now(&self) -> Result<Usd, ReadFailure> {
        let read = |fetched: &Fetched| Balance::parse(fetched.answer());
        let Balance(amount) = self.reread(Request::Balance, ANSWER_MAX, read).await?;
        let too_large = || ReadFailure::Fault("the balance is out of range".to_owned());
        self.exchange.balance(amount).ok_or_else(too_large)
    }
}

/// A word that says "closed before" is an answer to a status call, not a failure.
fn closed_or(parsed: Result<StatusV2Reply, Failure>) -> Result<Option<StatusV2Reply>, Failure> {
    match parsed {
        Err(failure) if failure.on_read() == Class::Closed => Ok(None),
        other => other.map(Some),
    }
}

impl NumberUpstream for HandlerApi {
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

    fn balance(&self) -> Pending<'_, Result<Usd, ReadFailure>> {
        Box::pin(self.balance_now())
    }

    fn listing(&self) -> Pending<'_, Result<NumberListing, ReadFailure>> {
        Box::pin(self.listing_now())
    }
}
