//! `/{account}/…`: SMSPool, with order codes, pools, HTML in its texts, and refusals under status
//! 200 as well as under 4xx.

use super::activation_view::decimal;
use super::order_view::{OrderView, pool_name};
use super::{Excuses, error_500, json, purchase};
use crate::accounts::{AccountIndex, accounts};
use crate::activation::{Activation, Denied, Wish};
use crate::catalogue::{ListedCountry, ListedService, POOLS, ServiceIndex, Shelf};
use crate::number_sale::{NotSold, Wished};
use crate::order_code;
use crate::sandbox::Sandbox;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use domain::countries;
use std::sync::Arc;
use wire::handler_api;
use wire::smspool::{
    BALANCE_ERROR, BadRequest, Balance, Call, Cancelled, Countries, Country, Field, Named,
    NamedList, NumberOrder, OUT_OF_STOCK, Orders, PRICE_NOT_FOUND, Page, Price, PriceCell,
    PriceFilter, PriceList, Request, Resent, print_fields, print_pools, print_refusal,
};

/// Rows of a history page unless the caller says otherwise.
const HISTORY_ROWS: u64 = 100;
/// Pool whose answers to a purchase leave the whole number out.
const POOL_WITHOUT_NUMBER: u16 = 3;

/// One account's desk: who asks and where.
#[derive(Clone, Copy)]
struct Desk<'a> {
    sandbox: &'a Sandbox,
    account: AccountIndex,
}

/// Answers one call to the account with this index: a form, or a query where there is no body.
pub(super) async fn answer(
    State(sandbox): State<Arc<Sandbox>>,
    account: AccountIndex,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: String,
) -> Response {
    let desk = Desk {
        sandbox: &sandbox,
        account,
    };
    let query = query.unwrap_or_default();
    let form = if body.trim().is_empty() {
        &query
    } else {
        &body
    };
    match Call::parse(&path, form) {
        Err(bad) => misunderstood(bad),
        Ok(call) => {
            let key = bearer(&headers).or(call.key.as_deref());
            if call.request.needs_key() && key != Some(accounts()[account].key) {
                return refused_fields(StatusCode::FORBIDDEN, "Invalid API key", "key");
            }
            desk.serve(call.request).await
        }
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ")
}

fn misunderstood(bad: BadRequest) -> Response {
    match bad {
        BadRequest::Path => refused(StatusCode::NOT_FOUND, "No such endpoint", None),
        BadRequest::Missing(field) => {
            refused_fields(StatusCode::BAD_REQUEST, "This field is required.", field)
        }
        BadRequest::Number(field) => refused_fields(
            StatusCode::BAD_REQUEST,
            "This field must be a number.",
            field,
        ),
    }
}

fn refused(status: StatusCode, message: &str, kind: Option<&str>) -> Response {
    json(status, print_refusal(message, kind))
}

fn refused_fields(status: StatusCode, message: &str, param: &str) -> Response {
    let field = Field {
        message,
        param,
        description: message,
    };
    json(status, print_fields(&[field]))
}

fn not_found() -> Response {
    refused(StatusCode::NOT_FOUND, "We could not find this order!", None)
}

impl<'a> Desk<'a> {
    async fn serve(self, request: Request) -> Response {
        match request {
            Request::Buy(order) => self.sell(&order).await,
            Request::Cancel(code) => self.cancel(&code),
            Request::Resend(code) => self.resend(&code),
            read if self.sandbox.faults().next_read_fails() => {
                let action = read.path().join("/");
                tracing::debug!(action, "read fails by the rate that was set");
                error_500()
            }
            read => self.read(read),
        }
    }

    fn read(self, request: Request) -> Response {
        let list = match request {
            Request::Countries => self.countries(),
            Request::Services { country } => self.services(country.as_deref()),
            Request::Pools => pools(),
            Request::Balance => self.balance(),
            Request::Price(filter) => return self.price(&filter),
            Request::Pricing(filter) => self.prices(&filter, false).print(),
            Request::Stock(filter) => self.prices(&filter, true).print(),
            Request::Check(code) => return self.check(&code),
            Request::Active => self.active(),
            Request::History(page) => self.history(&page),
            Request::Buy(_) | Request::Cancel(_) | Request::Resend(_) => {
                return misunderstood(BadRequest::Path);
            }
        };
        json(StatusCode::OK, list)
    }

    fn shelf(self) -> &'a Shelf {
        self.sandbox.shelf(self.account)
    }

    async fn sell(self, order: &NumberOrder) -> Response {
        let quoted = self
            .wanted(order)
            .and_then(|wanted| self.sandbox.quote(self.account, &wanted));
        let quote = match quoted {
            Ok(quote) => quote,
            Err(not_sold) => return excuse(not_sold),
        };
        let manner = self.sandbox.manner(quote.service);
        let excuses = Excuses {
            no_stock: excuse(NotSold::Stock),
            refused: excuse(NotSold::Cap(domain::usd::Usd::ZERO)),
        };
        let book = || match self.sandbox.book_number(&quote) {
            Ok(activation) => self.sold(&activation),
            Err(not_sold) => excuse(not_sold),
        };
        purchase(manner, excuses, book).await
    }

    /// The order in this server's own ids.
    fn wanted(self, order: &NumberOrder) -> Result<handler_api::NumberOrder, NotSold> {
        let service = self.service(&order.service).ok_or(NotSold::Service)?;
        let country = order.country.as_deref().and_then(|text| self.country(text));
        let pool = order.pool.as_deref();
        Ok(handler_api::NumberOrder {
            service: service.id.clone(),
            country: Some(country.ok_or(NotSold::Country)?.id.to_string()),
            max_price: order.max_price,
            provider_ids: pool.map(|text| pool_id(text).unwrap_or(text.to_owned())),
            ..handler_api::NumberOrder::default()
        })
    }

    fn sold(self, activation: &Activation) -> Response {
        let bought = self.view().bought(activation);
        let printed = match activation.pool {
            Some(POOL_WITHOUT_NUMBER) => bought.print_split(),
            _ => bought.print(),
        };
        json(StatusCode::OK, printed)
    }

    /// A service by its id or its name.
    fn service(self, text: &str) -> Option<&'a ListedService> {
        let shelf = self.shelf();
        let named = || shelf.service(shelf.service_id(ServiceIndex::named(text)?));
        shelf.service(text).or_else(named)
    }

    /// A country by its id, its two letters or its name.
    fn country(self, text: &str) -> Option<&'a ListedCountry> {
        let shelf = self.shelf();
        let meant = || {
            let wanted = countries::find(text)?;
            let mut listed = shelf.countries.iter();
            listed.find(|country| countries::find(country.name) == Some(wanted))
        };
        shelf.country(text).or_else(meant)
    }

    fn cancel(self, code: &str) -> Response {
        match self.wish(code, Wish::Cancel) {
            Wished::Granted => {
                let cost = self.with_order(code, |activation, _| activation.cost.short());
                let refund = cost.unwrap_or_default();
                let message =
                    format!("Order <b>{code}</b> was cancelled, refunded {refund} dollars.");
                json(StatusCode::OK, Cancelled { message }.print())
            }
            Wished::Unknown | Wished::Denied(Denied::CancelledBefore) => not_found(),
            Wished::Storage => error_500(),
            Wished::Denied(Denied::TooEarly) => {
                let message = "Your order cannot be cancelled yet, please try again later.";
                refused(StatusCode::BAD_REQUEST, message, None)
            }
            Wished::Denied(Denied::WrongStage) => {
                let message = "This order has received its <b>message</b> already.";
                refused(StatusCode::OK, message, None)
            }
        }
    }

    fn resend(self, code: &str) -> Response {
        match self.wish(code, Wish::Retry) {
            Wished::Granted => {
                let message = "Number has been requested again".to_owned();
                let resent = Resent {
                    message,
                    resends: Some(0),
                    ..Resent::default()
                };
                json(StatusCode::OK, resent.print())
            }
            Wished::Unknown => not_found(),
            Wished::Storage => error_500(),
            Wished::Denied(_) => {
                let message = "Phonenumber could not be requested again, try later again.";
                refused(StatusCode::OK, message, None)
            }
        }
    }

    fn wish(self, code: &str, wish: Wish) -> Wished {
        let id = order_code::decode(code);
        id.map_or(Wished::Unknown, |id| {
            self.sandbox.wish(self.account, id, wish)
        })
    }

    /// The view as of now; the books are not held.
    fn view(self) -> OrderView<'a> {
        let shelf = self.shelf();
        self.sandbox.books(|books, now| OrderView {
            now,
            seed: books.state.seed,
            shelf,
        })
    }

    fn with_order<R>(
        self,
        code: &str,
        tell: impl FnOnce(&Activation, OrderView<'a>) -> R,
    ) -> Option<R> {
        let id = order_code::decode(code)?;
        let view = self.view();
        let found = self
            .sandbox
            .books(|books, _| books.state.activation(self.account, id).cloned());
        found.map(|activation| tell(&activation, view))
    }

    fn check(self, code: &str) -> Response {
        let told = self.with_order(code, |activation, view| view.check(activation).print());
        told.map_or_else(not_found, |body| json(StatusCode::OK, body))
    }

    fn active(self) -> String {
        // copied under the lock, printed outside of it: the list may be long
        let active: Vec<Activation> = self
            .sandbox
            .books(|books, _| books.state.active(self.account).cloned().collect());
        self.print_orders(&active)
    }

    fn history(self, page: &Page) -> String {
        let start = usize::try_from(page.start.unwrap_or(0)).unwrap_or(usize::MAX);
        let length = usize::try_from(page.length.unwrap_or(HISTORY_ROWS)).unwrap_or(usize::MAX);
        let view = self.view();
        let own = |activation: &&Activation| activation.account == self.account;
        let found = |activation: &&Activation| view.matches(activation, page.search.as_deref());
        let rows: Vec<Activation> = self.sandbox.books(|books, _| {
            let newest_first = books.state.activations().iter().rev();
            let shown = newest_first.filter(own).filter(found);
            shown.skip(start).take(length).cloned().collect()
        });
        self.print_orders(&rows)
    }

    fn print_orders(self, activations: &[Activation]) -> String {
        let view = self.view();
        let rows = activations.iter().map(|activation| view.listed(activation));
        Orders {
            rows: rows.collect(),
            skipped: 0,
        }
        .print()
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
            short_name: countries::find(listed.name).map(|country| country.iso2.to_owned()),
            calling_code: Some(listed.plan().calling_code.to_owned()),
            region: None,
        });
        Countries(rows.collect()).print()
    }

    fn services(self, country: Option<&str>) -> String {
        let shelf = self.shelf();
        let country = country.and_then(|text| self.country(text));
        let sold = |listed: &&ListedService| {
            country.is_none_or(|country| !shelf.offers(country, listed.service).is_empty())
        };
        let rows = shelf.services.iter().filter(sold).map(|listed| Named {
            id: listed.id.clone(),
            name: listed.service.name().to_owned(),
        });
        NamedList(rows.collect()).print_services()
    }

    fn price(self, filter: &PriceFilter) -> Response {
        let PriceList { cells } = self.prices(filter, false);
        match cells.iter().filter_map(|cell| cell.price).min() {
            None => excuse(NotSold::Stock),
            Some(price) => {
                let success_rate = None;
                let price = Price {
                    price,
                    success_rate,
                };
                json(StatusCode::OK, price.print())
            }
        }
    }

    fn prices(self, filter: &PriceFilter, with_stock: bool) -> PriceList {
        let shelf = self.shelf();
        let country = filter.country.as_deref().map(|text| self.country(text));
        let service = filter.service.as_deref().map(|text| self.service(text));
        let pool = filter.pool.as_deref();
        let pool = pool.map(|text| pool_id(text).unwrap_or_else(|| text.to_owned()));
        let mut cells = Vec::new();
        let countries = shelf.countries.iter();
        for listed in countries.filter(|one| {
            country.is_none_or(|wanted| wanted.is_some_and(|wanted| wanted.id == one.id))
        }) {
            let services = shelf.services.iter();
            for sold in services.filter(|one| {
                service.is_none_or(|wanted| wanted.is_some_and(|wanted| wanted.id == one.id))
            }) {
                cells.extend(price_cells(shelf, listed, sold, with_stock));
            }
        }
        cells.retain(|cell| {
            let dear = filter.max_price.is_some_and(|cap| cell.price > Some(cap));
            !dear && (pool.is_none() || cell.pool == pool)
        });
        PriceList { cells }
    }
}

fn price_cells(
    shelf: &Shelf,
    country: &ListedCountry,
    service: &ListedService,
    with_stock: bool,
) -> Vec<PriceCell> {
    let offers = shelf.offers(country, service.service);
    if offers.is_empty() {
        return Vec::new();
    }
    let short_name = countries::find(country.name).map(|found| found.iso2.to_owned());
    offers
        .into_iter()
        .map(|offer| PriceCell {
            service: service.id.clone(),
            service_name: Some(service.service.name().to_owned()),
            country: country.id.to_string(),
            country_name: Some(country.name.to_owned()),
            short_name: short_name.clone(),
            pool: offer.pool.map(|pool| pool.to_string()),
            price: Some(decimal(offer.cost)),
            stock: with_stock.then(|| offer.stock.into()),
        })
        .collect()
}

fn pools() -> String {
    let rows = POOLS.iter().map(|(id, _)| Named {
        id: id.to_string(),
        name: pool_name(*id).to_owned(),
    });
    NamedList(rows.collect()).print_pools()
}

/// Id of a pool that is given by its id or its name.
fn pool_id(text: &str) -> Option<String> {
    let meant = |id: &u16| id.to_string() == text || pool_name(*id).eq_ignore_ascii_case(text);
    let found = POOLS.iter().map(|(id, _)| *id).find(|id| meant(id));
    found.map(|id| id.to_string())
}

fn excuse(not_sold: NotSold) -> Response {
    let bad = StatusCode::BAD_REQUEST;
    let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
    match not_sold {
        NotSold::Service => refused_fields(bad, "The service is invalid.", "service"),
        NotSold::Country => refused_fields(bad, "The country is invalid.", "country"),
        NotSold::Stock => {
            let pools: Vec<_> = POOLS
                .iter()
                .map(|(id, _)| (pool_name(*id), OUT_OF_STOCK))
                .collect();
            let message = "This country is currently <b>not available</b> for this service.";
            json(unprocessable, print_pools(message, &pools))
        }
        NotSold::Cap(_) => {
            let message = "No pool sells it at this price.";
            refused(unprocessable, message, Some(PRICE_NOT_FOUND))
        }
        NotSold::Funds => {
            let message = "Insufficient balance, <a href=\"/billing\">deposit</a> first.";
            refused(unprocessable, message, Some(BALANCE_ERROR))
        }
        NotSold::Taken | NotSold::Storage => error_500(),
    }
}
