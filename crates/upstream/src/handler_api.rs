//! Renting numbers from upstreams that speak `handler_api`.

mod active;
pub(crate) mod classify;
mod dialect;
mod listing;
mod settings;

#[cfg(test)]
mod tests;

pub use dialect::{Dialect, PriceList, Profile, PurchaseAction, StatusAction};
pub use settings::HandlerApiSettings;

use crate::civil;
use crate::money::Exchange;
use crate::sms;
use crate::transport::{ANSWER_MAX, BadUpstream, Fetched, Lost, Payload, Transport, retried};
use classify::{may_pass, number_status, read_failure, sold, unknown_or_refused};
use domain::time::Millis;
use domain::upstream::{
    CancelReply, Capabilities, ListedNumber, Number, NumberListing, NumberRequest, NumberStatus,
    NumberUpstream, Pending, Purchase, ReadFailure, Refusal, Reply,
};
use domain::usd::Usd;
use std::sync::{Mutex, PoisonError};
use wire::handler_api::{
    Balance, Call, Failure, NumberOrder, NumberV2, Request, SetStatus, SetStatusReply, Status,
    StatusV2Reply, currency_word, words::Class,
};

/// Header in which some providers tell the price of the number just sold.
const PRICE_HEADER: &str = "x-price";
/// Header in which some providers tell the text of the message a status is about.
const TEXT_HEADER: &str = "x-text";

/// An account at one upstream.
pub struct HandlerApi {
    settings: HandlerApiSettings,
    exchange: Exchange,
    transport: Transport,
    /// The currency the account was last said to be in.
    currency: Mutex<Option<String>>,
}

impl HandlerApi {
    /// Builds the adapter. The process must have installed its TLS provider before.
    pub fn new(settings: HandlerApiSettings) -> Result<Self, BadUpstream> {
        let (exchange, transport) = settings.account.open(false)?;
        Ok(Self {
            settings,
            exchange,
            transport,
            currency: Mutex::default(),
        })
    }

    fn query(&self, request: Request) -> String {
        let asks_for_text = matches!(request, Request::Status(_)) && self.settings.text_in_header;
        let call = Call {
            key: self.settings.account.key.clone(),
            request,
        };
        match asks_for_text {
            true => call.query() + "&text=1",
            false => call.query(),
        }
    }

    async fn once(&self, request: Request) -> Result<Fetched, Lost> {
        self.transport
            .once(Payload::Query(&self.query(request)))
            .await
    }

    /// One read, parsed.
    async fn read<T: Send + 'static>(
        &self,
        request: Request,
        max: usize,
        parse: impl FnOnce(&Fetched) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, ReadFailure> {
        let action = request.action();
        let query = self.query(request);
        let read = self
            .transport
            .read(Payload::Query(&query), max, parse)
            .await?;
        read.map_err(|failure| {
            let failure = read_failure(&failure, |text| self.transport.clean(text));
            tracing::warn!(upstream = %self.settings.account.name, action, "read failed: {failure}");
            failure
        })
    }

    /// As [`Self::read`], repeated after failures that may pass.
    async fn reread<T: Send + 'static>(
        &self,
        request: Request,
        max: usize,
        parse: impl Fn(&Fetched) -> Result<T, Failure> + Clone + Send + 'static,
    ) -> Result<T, ReadFailure> {
        retried(may_pass, || self.read(request.clone(), max, parse.clone())).await
    }

    async fn buy_now(&self, request: &NumberRequest) -> Reply<Purchase<Number>> {
        if self.in_our_currency(None).is_err() {
            return Reply {
                outcome: Purchase::Refused(Refusal::WrongCurrency),
                raw: "not sent: the account there is in another currency".to_owned(),
            };
        }
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
        let first = self.buy_once(request.clone()).await;
        if first.outcome != Purchase::Unknown || !self.settings.capabilities.idempotency_key {
            return first;
        }
        // the same id again: whichever of the two arrived, one number was sold
        let again = self.buy_once(request).await;
        let raw = format!("{}\nsent again with its id: {}", first.raw, again.raw);
        Reply {
            // a refusal of the second says nothing of a first that may still be on its way
            outcome: match again.outcome {
                Purchase::Done(number) => Purchase::Done(number),
                Purchase::Refused(_) | Purchase::Unknown => Purchase::Unknown,
            },
            raw: self.transport.clean(&raw),
        }
    }

    /// One purchase call.
    async fn buy_once(&self, request: Request) -> Reply<Purchase<Number>> {
        let fetched = match self.once(request).await {
            Ok(fetched) => fetched,
            Err(lost) => return lost.into(),
        };
        let outcome = match NumberV2::parse(fetched.answer()) {
            Ok(mut number) => {
                // the header beside it is the same price, in the same currency
                let beside = || wire::amount::amount(fetched.header(PRICE_HEADER)?);
                let ours = self.is_in_ours(number.currency);
                number.cost = ours.then(|| number.cost.or_else(beside)).flatten();
                sold(&number, self.exchange)
            }
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
            order_id: (self.settings.capabilities.idempotency_key)
                .then(|| request.reference.clone()),
            ..NumberOrder::default()
        })
    }

    async fn status_now(&self, id: &str) -> Result<NumberStatus, ReadFailure> {
        let id = id.to_owned();
        let (request, parse): (_, fn(&Fetched) -> _) = match self.settings.status {
            StatusAction::GetStatus => (Request::Status(id), |f| {
                closed_or(Status::parse(f.answer()).map(StatusV2Reply::Word))
            }),
            StatusAction::GetStatusV2 => (Request::StatusV2(id), |f| {
                closed_or(StatusV2Reply::parse(f.answer()))
            }),
        };
        let parse = move |f: &Fetched| {
            let text = f.header(TEXT_HEADER).map(str::to_owned);
            parse(f).map(|status| (status, text))
        };
        let (status, text) = self.read(request, ANSWER_MAX, parse).await?;
        let status = status.map_or(NumberStatus::Closed, number_status);
        Ok(match (status, text) {
            (NumberStatus::Code(sms), Some(text)) => {
                let whole = sms::message(&sms.code, &text);
                NumberStatus::Code(whole.unwrap_or(sms))
            }
            (status, _) => status,
        })
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
        let read = |fetched: &Fetched| {
            let Balance(amount) = Balance::parse(fetched.answer())?;
            Ok((amount, Balance::currency(fetched.answer())))
        };
        let (amount, currency) = self.reread(Request::Balance, ANSWER_MAX, read).await?;
        self.in_our_currency(currency)?;
        let too_large = || ReadFailure::Fault("the balance is out of range".to_owned());
        self.exchange.balance(amount).ok_or_else(too_large)
    }
}

/// What currency the account is in.
impl HandlerApi {
    /// Notes the currency an answer was in, where it said one. The last word holds: one that says
    /// nothing leaves an account that was in another currency there.
    fn in_our_currency(&self, said: Option<String>) -> Result<(), ReadFailure> {
        let mut last = self.currency.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_some() {
            *last = said;
        }
        self.settings.account.check_currency(last.as_deref())
    }

    /// Whether a cost in this currency is one in ours. One that is not blocks the account.
    fn is_in_ours(&self, currency: Option<u32>) -> bool {
        self.in_our_currency(currency.map(currency_word)).is_ok()
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
