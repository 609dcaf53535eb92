//! Ordering from SMM panels.

mod classify;
mod settings;

#[cfg(test)]
mod tests;

pub use settings::{PanelSettings, PanelTransport, RateUnit};

use crate::money::Exchange;
use crate::transport::{
    ANSWER_MAX, BadUpstream, Fetched, LIST_MAX, Lost, Payload, Transport, retried,
};
use classify::{
    Reading, cancelled, may_pass, read_failure, refill_alone, refill_failure, refilled, row_failure,
};
use domain::time::Millis;
use domain::upstream::{
    CancelReply, Capabilities, ListedPanelOrder, PanelRequest, PanelService, PanelStatusRow,
    PanelUpstream, Pending, Purchase, ReadFailure, RefillReply, RefillRow, Refusal, Reply,
};
use domain::usd::Usd;
use std::collections::HashSet;
use std::time::{Duration, Instant};
use wire::panel_v2::{
    Add, Balance, Call, Cancels, Failure, IDS_MAX, Ids, OrderStatus, Orders, PerId, Profile,
    Refill, RefillStatus, RefillStatuses, Request, Services, Statuses, purchase, refill_progress,
};

/// What a panel says of one id.
type Said = (String, Result<OrderStatus, ReadFailure>);

/// An account at one panel.
pub struct Panel {
    settings: PanelSettings,
    exchange: Exchange,
    transport: Transport,
}

impl Panel {
    /// Builds the adapter. The process must have installed its TLS provider before.
    pub fn new(settings: PanelSettings) -> Result<Self, BadUpstream> {
        let (exchange, transport) = settings.account.open(settings.bearer)?;
        Ok(Self {
            settings,
            exchange,
            transport,
        })
    }

    /// The call as the panel takes it, key included.
    fn printed(&self, request: Request) -> String {
        let call = Call {
            key: Some(self.settings.account.key.clone()),
            request,
        };
        match self.settings.transport {
            PanelTransport::Form | PanelTransport::Get => call.form(),
            PanelTransport::Json => call.json(),
        }
    }

    fn payload<'a>(&self, printed: &'a str) -> Payload<'a> {
        match self.settings.transport {
            PanelTransport::Form => Payload::Form(printed),
            PanelTransport::Get => Payload::Query(printed),
            PanelTransport::Json => Payload::Json {
                path: &[],
                body: printed,
            },
        }
    }

    /// What this panel's words mean.
    fn reading(&self) -> Reading<'_> {
        Reading {
            exchange: self.exchange,
            words: &self.settings.status_words,
        }
    }

    async fn once(&self, request: Request) -> Result<Fetched, Lost> {
        let printed = self.printed(request);
        self.transport.once(self.payload(&printed)).await
    }

    /// One read, parsed.
    async fn read<T: Send + 'static>(
        &self,
        request: Request,
        max: usize,
        parse: impl FnOnce(&Fetched) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, ReadFailure> {
        let action = request.action();
        let printed = self.printed(request);
        let read = self
            .transport
            .read(self.payload(&printed), max, parse)
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

    /// Whether a repeat makes no second order: by the id that it carries, or because it meets the
    /// window in which this panel answers an equal order with the one it made, even if it is
    /// processed as late as it can be.
    fn is_repeat_safe(&self, since_first: Duration) -> bool {
        let sheet = &self.settings.capabilities;
        if sheet.idempotency_key {
            return true;
        }
        let spent_ms = i64::try_from(since_first.as_millis()).unwrap_or(i64::MAX / 2);
        let timeout_ms = i64::try_from(self.settings.account.timeout_ms).unwrap_or(i64::MAX / 2);
        sheet.dup_window >= Millis(spent_ms + timeout_ms + sheet.late_window.0)
    }

    async fn place_now(&self, request: &PanelRequest) -> Reply<Purchase<String>> {
        let sent = Instant::now();
        let first = self.place_once(request).await;
        if first.outcome != Purchase::Unknown || !self.is_repeat_safe(sent.elapsed()) {
            return first;
        }
        // whichever of the two arrived, one order was made, and both are answered with its id
        let again = self.place_once(request).await;
        let raw = format!("{}\nsent again: {}", first.raw, again.raw);
        Reply {
            // a refusal of the second says nothing of a first that may still be on its way
            outcome: match again.outcome {
                Purchase::Done(id) => Purchase::Done(id),
                Purchase::Refused(_) | Purchase::Unknown => Purchase::Unknown,
            },
            raw: self.transport.clean(&raw),
        }
    }

    /// One purchase call.
    async fn place_once(&self, request: &PanelRequest) -> Reply<Purchase<String>> {
        let members = request.members.iter();
        let add = Add {
            service: request.service.clone(),
            request_id: (self.settings.capabilities.idempotency_key)
                .then(|| request.reference.clone()),
            members: members
                .map(|(name, value)| ((*name).to_owned(), value.clone()))
                .collect(),
        };
        let fetched = match self.once(Request::Add(add)).await {
            Ok(fetched) => fetched,
            Err(lost) => return lost.into(),
        };
        let sent = request.members.iter().map(|(_, value)| value.as_str());
        let profile = Profile {
            error_means_refused: self.settings.error_means_refused,
            challenge_means_refused: self.settings.challenge_means_refused,
            text_ids: self.settings.text_ids,
        };
        let outcome = purchase(fetched.answer(), sent, profile);
        Reply {
            outcome,
            raw: self.transport.clean(&fetched.body),
        }
    }

    /// What the panel says of each id, in its own words; of a charge in another currency nothing is
    /// known.
    async fn statuses_now(&self, ids: &[String]) -> Result<Vec<PanelStatusRow>, ReadFailure> {
        let rows = match ids {
            [] => return Ok(vec![]),
            _ if ids.len() > self.ids_per_call() => {
                return Err(ReadFailure::Refused(Refusal::OurFault));
            }
            [id] if self.ids_per_call() == 1 => vec![self.status_of(id).await?],
            _ => self.statuses_together(ids).await?,
        };
        let judged = rows.into_iter().map(|(id, row)| {
            let row = row.map(|mut status| {
                let ours = self.settings.account.is_ours(status.currency.as_deref());
                status.charge = status.charge.filter(|_| ours);
                self.reading().status(&status)
            });
            (id, row)
        });
        Ok(judged.collect())
    }

    fn ids_per_call(&self) -> usize {
        self.settings.capabilities.ids_per_call.min(IDS_MAX)
    }

    async fn statuses_together(&self, ids: &[String]) -> Result<Vec<Said>, ReadFailure> {
        let request = Request::Status(Ids::Many(ids.to_vec()));
        let parse = |f: &Fetched| Statuses::parse(f.answer());
        let Statuses(answered) = self.read(request, ANSWER_MAX, parse).await?;
        let rows = self.asked_for(ids, answered).map(|(id, row)| {
            let row = row.map_err(|text| row_failure(&text, |text| self.transport.clean(text)));
            (id, row)
        });
        Ok(rows.collect())
    }

    /// For panels without the plural form: what they say of one id is no failure of the call.
    async fn status_of(&self, id: &str) -> Result<Said, ReadFailure> {
        let request = Request::Status(Ids::One(id.to_owned()));
        let parse = |f: &Fetched| OrderStatus::parse(f.answer());
        match self.read(request, ANSWER_MAX, parse).await {
            Ok(status) => Ok((id.to_owned(), Ok(status))),
            Err(ReadFailure::UnknownOrder) => Ok((id.to_owned(), Err(ReadFailure::UnknownOrder))),
            Err(failure) => Err(failure),
        }
    }

    /// The rows for ids that were asked for; of two answers for one id the first counts.
    fn asked_for<T>(
        &self,
        ids: &[String],
        answered: PerId<T>,
    ) -> impl Iterator<Item = (String, Result<T, String>)> {
        let mut open: HashSet<String> = ids.iter().cloned().collect();
        answered.into_iter().filter(move |(id, _)| {
            let asked = open.remove(id);
            if !asked {
                let upstream = &self.settings.account.name;
                tracing::warn!(%upstream, "ignored an answer for an id that was not asked for");
            }
            asked
        })
    }

    async fn refill_now(&self, id: &str) -> Reply<RefillReply> {
        match self.once(Request::Refill(Ids::One(id.to_owned()))).await {
            Err(lost) => Reply {
                outcome: RefillReply::Unknown,
                raw: lost.text().to_owned(),
            },
            Ok(fetched) => Reply {
                outcome: refilled(Refill::parse(fetched.answer())),
                raw: self.transport.clean(&fetched.body),
            },
        }
    }

    async fn refill_statuses_now(&self, ids: &[String]) -> Result<Vec<RefillRow>, ReadFailure> {
        let answered = match ids {
            [] => return Ok(vec![]),
            _ if ids.len() > self.ids_per_call() => {
                return Err(ReadFailure::Refused(Refusal::OurFault));
            }
            [id] if self.ids_per_call() == 1 => {
                let request = Request::RefillStatus(Ids::One(id.clone()));
                let parse = |f: &Fetched| refill_alone(RefillStatus::parse(f.answer()));
                vec![(id.clone(), self.read(request, ANSWER_MAX, parse).await?)]
            }
            _ => {
                let request = Request::RefillStatus(Ids::Many(ids.to_vec()));
                let parse = |f: &Fetched| RefillStatuses::parse(f.answer());
                self.read(request, ANSWER_MAX, parse).await?.0
            }
        };
        let rows = self.asked_for(ids, answered).filter_map(|(id, row)| {
            let row = match row {
                Ok(word) => Ok(refill_progress(&word)?),
                Err(text) => Err(refill_failure(&text, |text| self.transport.clean(text))),
            };
            Some((id, row))
        });
        Ok(rows.collect())
    }

    async fn orders_now(&self) -> Result<Vec<ListedPanelOrder>, ReadFailure> {
        if !self.settings.lists_orders {
            return Err(ReadFailure::NotOffered);
        }
        let list = self
            .read(Request::Orders, LIST_MAX, |f| Orders::parse(f.answer()))
            .await?;
        if list.skipped > 0 {
            // whoever reads this list may conclude that an order does not exist
            let text = format!("{} rows of the order list are unreadable", list.skipped);
            tracing::warn!(upstream = %self.settings.account.name, "{text}");
            return Err(ReadFailure::Fault(text));
        }
        Ok(list
            .rows
            .into_iter()
            .map(|row| classify::listed(row, self.exchange))
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
        let asked = [id.to_owned()];
        match self.once(Request::Cancel(Ids::Many(asked.to_vec()))).await {
            Err(lost) => Reply {
                outcome: CancelReply::Unknown,
                raw: lost.text().to_owned(),
            },
            Ok(fetched) => {
                let outcome = cancelled(id, Cancels::parse(fetched.answer(), &asked));
                Reply {
                    outcome,
                    raw: self.transport.clean(&fetched.body),
                }
            }
        }
    }

    async fn balance_now(&self) -> Result<Usd, ReadFailure> {
        let read = |fetched: &Fetched| Balance::parse(fetched.answer());
        let Balance { balance, currency } = self.reread(Request::Balance, ANSWER_MAX, read).await?;
        self.settings.account.check_currency(currency.as_deref())?;
        let too_large = || ReadFailure::Fault("the balance is out of range".to_owned());
        self.exchange.balance(balance).ok_or_else(too_large)
    }

    /// A list is taken only in the account's currency, which the balance tells.
    async fn services_now(&self) -> Result<Vec<PanelService>, ReadFailure> {
        if self.settings.account.currency.is_some() {
            let parse = |fetched: &Fetched| Balance::parse(fetched.answer());
            let balance = self.read(Request::Balance, ANSWER_MAX, parse).await;
            self.settings
                .account
                .check_currency(balance.ok().and_then(|told| told.currency).as_deref())?;
        }
        let (exchange, per) = (self.exchange, self.settings.rate_unit.units());
        let parse = move |fetched: &Fetched| {
            let list = Services::parse(fetched.answer())?;
            let rows = list.rows.into_iter();
            let services = rows.filter_map(|row| classify::service(row, exchange, per));
            Ok((services.collect::<Vec<PanelService>>(), list.skipped))
        };
        let (services, skipped) = self.reread(Request::Services, LIST_MAX, parse).await?;
        if skipped > 0 {
            tracing::warn!(
                upstream = %self.settings.account.name, skipped,
                "left unreadable rows out of the service list",
            );
        }
        match services.is_empty() {
            // it would empty the catalogue
            true => Err(ReadFailure::Fault("the service list is empty".to_owned())),
            false => Ok(services),
        }
    }
}

impl PanelUpstream for Panel {
    fn capabilities(&self) -> &Capabilities {
        &self.settings.capabilities
    }

    fn place<'a>(&'a self, request: &'a PanelRequest) -> Pending<'a, Reply<Purchase<String>>> {
        Box::pin(self.place_now(request))
    }

    fn statuses<'a>(
        &'a self,
        ids: &'a [String],
    ) -> Pending<'a, Result<Vec<PanelStatusRow>, ReadFailure>> {
        Box::pin(self.statuses_now(ids))
    }

    fn orders(&self) -> Pending<'_, Result<Vec<ListedPanelOrder>, ReadFailure>> {
        Box::pin(self.orders_now())
    }

    fn cancel<'a>(&'a self, id: &'a str) -> Pending<'a, Reply<CancelReply>> {
        Box::pin(self.cancel_now(id))
    }

    fn refill<'a>(&'a self, id: &'a str) -> Pending<'a, Reply<RefillReply>> {
        Box::pin(self.refill_now(id))
    }

    fn refill_statuses<'a>(
        &'a self,
        ids: &'a [String],
    ) -> Pending<'a, Result<Vec<RefillRow>, ReadFailure>> {
        Box::pin(self.refill_statuses_now(ids))
    }

    fn asked_to_wait(&self) -> Option<Millis> {
        self.transport.asked_to_wait()
    }

    fn balance(&self) -> Pending<'_, Result<Usd, ReadFailure>> {
        Box::pin(self.balance_now())
    }

    fn services(&self) -> Pending<'_, Result<Vec<PanelService>, ReadFailure>> {
        Box::pin(self.services_now())
    }
}
