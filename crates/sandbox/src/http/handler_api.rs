//! `/{account}/stubs/handler_api.php`: handler_api in the dialect of the account.

use super::activation_view::{View, decimal, print_sold, print_sold_v2};
use super::{Excuses, error_500, purchase};
use crate::accounts::{AccountIndex, Dialect, RepeatedCancel, accounts};
use crate::activation::{Activation, Denied, Wish};
use crate::catalogue::{Offer, ServiceIndex, Shelf};
use crate::faults::Manner;
use crate::number_sale::Wished;
use crate::sandbox::Sandbox;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use domain::usd::Usd;
use std::sync::Arc;
use wire::handler_api::{
    ActiveList, BadRequest, Balance, Call, Countries, Country, History, NumberOrder, NumbersStatus,
    Page, PriceFilter, PriceRow, PriceShape, Prices, Request, Service, Services, SetStatus,
    SetStatusReply, json_problem,
};

/// Most rows of a history page.
const HISTORY_MAX: u64 = 100;

/// One account's desk: who asks and where.
#[derive(Clone, Copy)]
struct Desk<'a> {
    sandbox: &'a Sandbox,
    account: AccountIndex,
}

/// Answers one call to the account with this index. Parameters stand in the query string, even
/// with POST; a form body is read where there is no query.
pub(super) async fn answer(
    State(sandbox): State<Arc<Sandbox>>,
    account: AccountIndex,
    RawQuery(query): RawQuery,
    body: String,
) -> Response {
    let desk = Desk {
        sandbox: &sandbox,
        account,
    };
    let say = desk.dialect().say();
    match Call::parse(
        query
            .as_deref()
            .filter(|query| !query.is_empty())
            .unwrap_or(&body),
    ) {
        Err(bad) => say(bad.word().to_owned()),
        Ok(call) if call.key != accounts()[account].key => say("BAD_KEY".to_owned()),
        Ok(call) => desk.serve(call.request).await,
    }
}

impl Desk<'_> {
    async fn serve(self, request: Request) -> Response {
        match request {
            Request::Number(order) => self.sell(&order, print_sold).await,
            Request::NumberV2(order) => {
                let account = &accounts()[self.account];
                let told = self.dialect().tells_cancel_time();
                let cancel_after_s = told.then_some(account.min_cancel_age_s);
                self.sell(&order, |sold| print_sold_v2(sold, cancel_after_s))
                    .await
            }
            Request::SetStatus(id, status) => self.set_status(&id, status),
            read if self.sandbox.faults().next_read_fails() => {
                tracing::debug!(
                    action = read.action(),
                    "read fails by the rate that was set"
                );
                error_500()
            }
            read => self.dialect().say()(self.read(read)),
        }
    }

    fn dialect(self) -> Dialect {
        accounts()[self.account].dialect
    }

    async fn sell(self, order: &NumberOrder, print: impl Fn(&Activation) -> String) -> Response {
        let mut order = order.clone();
        order
            .order_id
            .take_if(|_| !self.dialect().recognises_repeats());
        let say = self.dialect().say();
        let quote = match self.sandbox.quote(self.account, &order) {
            Ok(quote) => quote,
            Err(not_sold) => return say(not_sold.word()),
        };
        let manner = match self.sandbox.is_repeat(&quote) {
            true => Manner::Plain,
            false => self.sandbox.manner(quote.service),
        };
        let excuses = Excuses {
            no_stock: say("NO_NUMBERS".to_owned()),
            refused: say("WRONG_MAX_PRICE:1000".to_owned()),
        };
        let book = || match self.sandbox.book_number(&quote) {
            Ok(activation) => say(print(&activation)),
            Err(not_sold) => say(not_sold.word()),
        };
        purchase(manner, excuses, book).await
    }

    fn set_status(self, id: &str, status: SetStatus) -> Response {
        let (wish, reply) = match status {
            SetStatus::Ready => (Wish::Ready, SetStatusReply::Ready),
            SetStatus::Retry => (Wish::Retry, SetStatusReply::Retry),
            SetStatus::Finish => (Wish::Finish, SetStatusReply::Finished),
            SetStatus::Cancel => (Wish::Cancel, SetStatusReply::Cancelled),
        };
        let wished = id
            .parse()
            .map(|id| self.sandbox.wish(self.account, id, wish));
        let word = match wished.unwrap_or(Wished::Unknown) {
            Wished::Granted => reply.print(),
            Wished::Unknown => BadRequest::Id.word(),
            Wished::Storage => "ERROR_SQL",
            Wished::Denied(Denied::WrongStage) => BadRequest::Status.word(),
            Wished::Denied(Denied::TooEarly) => {
                let lock_s = accounts()[self.account].min_cancel_age_s;
                return self.dialect().too_early(lock_s);
            }
            Wished::Denied(Denied::CancelledBefore) => self.repeated_cancel(),
        };
        self.dialect().say()(word.to_owned())
    }

    fn repeated_cancel(self) -> &'static str {
        match accounts()[self.account].repeated_cancel {
            RepeatedCancel::Cancel => SetStatusReply::Cancelled.print(),
            RepeatedCancel::NoActivation => "NO_ACTIVATION",
            RepeatedCancel::Already => "ALREADY_CANCELED",
            RepeatedCancel::AccessAlready => "ACCESS_CANCEL_ALREADY",
        }
    }

    fn read(self, request: Request) -> String {
        match request {
            Request::Balance => self.balance(),
            Request::Countries => self.countries(),
            Request::Services { country } => self.services(country.as_deref()),
            Request::NumbersStatus { country, .. } => self.numbers_status(country),
            Request::Prices(filter) | Request::PricesExtended(filter) => {
                self.prices(&filter, PriceShape::Single)
            }
            Request::PricesV2(filter) => self.prices(&filter, PriceShape::Ladder),
            Request::PricesV3(filter) => self.prices(&filter, PriceShape::PerProvider),
            Request::Status(id) => self.status(&id),
            Request::StatusV2(id) => self.status_v2(&id),
            Request::Active(page) => self.active(&page),
            Request::History { start, end, page } => self.history(start, end, &page),
            Request::Number(_) | Request::NumberV2(_) | Request::SetStatus(..) => {
                BadRequest::Action.word().to_owned()
            }
        }
    }

    fn shelf(&self) -> &Shelf {
        self.sandbox.shelf(self.account)
    }

    fn balance(self) -> String {
        let balance = self
            .sandbox
            .books(|books, _| books.state.balance(self.account));
        Balance(decimal(balance)).print()
    }

    fn countries(self) -> String {
        let rows = self.shelf().countries.iter().map(|listed| Country {
            id: listed.id.to_string(),
            name: listed.name.to_owned(),
            visible: true,
        });
        self.dialect().countries(&Countries(rows.collect()))
    }

    fn services(self, country: Option<&str>) -> String {
        let shelf = self.shelf();
        let country = match country.map(|id| shelf.country(id).ok_or(id)) {
            Some(Err(_)) => return json_problem("BAD_COUNTRY"),
            Some(Ok(country)) => Some(country),
            None => None,
        };
        let sold = |service: ServiceIndex| {
            country.is_none_or(|country| !shelf.offers(country, service).is_empty())
        };
        let listed = shelf.services.iter().filter(|listed| sold(listed.service));
        let rows = listed.map(|listed| Service {
            code: listed.id.clone(),
            name: listed.service.name().to_owned(),
        });
        self.dialect().services(&Services(rows.collect()))
    }

    /// Stock of each service, in one country or in all.
    fn numbers_status(self, country: Option<String>) -> String {
        let shelf = self.shelf();
        let countries = shelf.countries.iter();
        let countries: Vec<_> = countries
            .filter(|listed| {
                country
                    .as_ref()
                    .is_none_or(|id| *id == listed.id.to_string())
            })
            .collect();
        let stock = |service: ServiceIndex| -> u64 {
            let offers = countries
                .iter()
                .flat_map(|country| shelf.offers(country, service));
            offers.map(|offer| u64::from(offer.stock)).sum()
        };
        let services = shelf.services.iter();
        let rows = services.map(|listed| (listed.id.clone(), stock(listed.service)));
        NumbersStatus {
            rows: rows.collect(),
            skipped: 0,
        }
        .print()
    }

    fn prices(self, filter: &PriceFilter, shape: PriceShape) -> String {
        let shelf = self.shelf();
        let wanted = |id: &str, filter: &Option<String>| filter.as_ref().is_none_or(|f| f == id);
        let mut prices = Prices::default();
        for country in &shelf.countries {
            let id = country.id.to_string();
            if !wanted(&id, &filter.country) {
                continue;
            }
            for listed in shelf
                .services
                .iter()
                .filter(|s| wanted(&s.id, &filter.service))
            {
                let rows = price_rows(&shelf.offers(country, listed.service), shape);
                prices
                    .rows
                    .extend(rows.into_iter().map(|(pool, cost, count)| PriceRow {
                        country: id.clone(),
                        service: listed.id.clone(),
                        pool,
                        cost: decimal(cost),
                        count,
                        physical_count: None,
                    }));
            }
        }
        prices.print(shape)
    }

    /// Runs `print` over an activation of this account, or answers that there is none.
    fn with_activation(
        self,
        id: &str,
        print: impl FnOnce(&Activation, View<'_>) -> String,
    ) -> String {
        self.sandbox.books(|books, now| {
            let found = id
                .parse()
                .ok()
                .and_then(|id| books.state.activation(self.account, id));
            let view = View {
                now,
                seed: books.state.seed,
                shelf: self.shelf(),
            };
            found.map_or_else(
                || BadRequest::Id.word().to_owned(),
                |activation| print(activation, view),
            )
        })
    }

    fn status(self, id: &str) -> String {
        self.with_activation(id, |activation, view| view.status(activation).print())
    }

    fn status_v2(self, id: &str) -> String {
        self.with_activation(id, |activation, view| view.status_v2(activation).print())
    }

    fn active(self, page: &Page) -> String {
        let offset = usize::try_from(page.offset.unwrap_or(0)).unwrap_or(usize::MAX);
        let limit = usize::try_from(page.limit.unwrap_or(u64::MAX)).unwrap_or(usize::MAX);
        // copied under the lock, printed outside of it: the list may be long
        let (active, now, seed): (Vec<Activation>, _, _) = self.sandbox.books(|books, now| {
            let shown = books.state.active(self.account).skip(offset).take(limit);
            (shown.cloned().collect(), now, books.state.seed)
        });
        let view = View {
            now,
            seed,
            shelf: self.shelf(),
        };
        let rows: Vec<_> = active
            .iter()
            .map(|activation| view.active(activation))
            .collect();
        if rows.is_empty() && self.dialect().has_a_word_for_empty() {
            return json_problem("NO_ACTIVATIONS");
        }
        self.dialect().active(&ActiveList { rows, skipped: 0 })
    }

    fn history(self, start: Option<u64>, end: Option<u64>, page: &Page) -> String {
        let sold_within = |activation: &&Activation| {
            let second = u64::try_from(activation.sold_at.div_euclid(1000)).unwrap_or(0);
            start.is_none_or(|start| start <= second) && end.is_none_or(|end| second <= end)
        };
        let offset = usize::try_from(page.offset.unwrap_or(0)).unwrap_or(usize::MAX);
        let limit = page.limit.unwrap_or(HISTORY_MAX).min(HISTORY_MAX);
        let rows = self.sandbox.books(|books, now| {
            let view = View {
                now,
                seed: books.state.seed,
                shelf: self.shelf(),
            };
            let own = books.state.activations().iter().rev();
            own.filter(|activation| activation.account == self.account)
                .filter(sold_within)
                .skip(offset)
                .take(usize::try_from(limit).unwrap_or(0))
                .map(|activation| view.history(activation))
                .collect()
        });
        self.dialect().history(&History { rows, skipped: 0 })
    }
}

/// Pool, cost and stock of each row: all pools together where the list knows no pools. A server
/// without pools shows itself as the only one.
fn price_rows(offers: &[Offer], shape: PriceShape) -> Vec<(Option<String>, Usd, u64)> {
    if shape == PriceShape::Single {
        let count = offers.iter().map(|offer| u64::from(offer.stock)).sum();
        let least = offers.iter().map(|offer| offer.cost).min();
        return least.map(|cost| (None, cost, count)).into_iter().collect();
    }
    let row = |offer: &Offer| {
        (
            Some(offer.pool.unwrap_or(1).to_string()),
            offer.cost,
            offer.stock.into(),
        )
    };
    offers.iter().map(row).collect()
}
