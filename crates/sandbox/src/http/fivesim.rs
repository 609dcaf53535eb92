//! `/john/v1/…`: 5sim, version 1. Errors are plain text, most of them under status 400; a stock-out
//! comes under status 200.

use super::activation_view::decimal;
use super::{Excuses, error_500, json, purchase};
use crate::accounts::{AccountIndex, accounts};
use crate::activation::{Activation, Denied, Ending, LIFETIME_MS, Stage, Wish};
use crate::catalogue::{COUNTRIES, Misbehaviour, Offer, Shelf};
use crate::clock::rfc3339;
use crate::number_sale::{NotSold, Wished};
use crate::sandbox::Sandbox;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_decimal::Decimal;
use std::sync::Arc;
use wire::fivesim::{
    Countries, Country, Message, Order, OrderCall, OrderList, OrderStatus, Page, PriceFilter,
    PriceOrder, PriceRow, Product, Products, Profile, Purchase, Rates, Request, Slug, Text,
    print_prices,
};
use wire::handler_api::NumberOrder;

/// The operator whose numbers are sold.
const OPERATOR: &str = "virtual4";
/// An operator that is listed at half the price and has nothing to sell.
const EMPTY_OPERATOR: &str = "virtual21";
/// Most rows on a page of orders, whatever is asked for.
const PAGE_MAX: u64 = 1000;
/// Rows on a page where nothing is asked for.
const PAGE_DEFAULT: u64 = 15;
/// An order is in preparation up to this age, in milliseconds.
const PREPARING_MS: i64 = 1_000;
/// Standing of every account: the best there is.
const RATING: i64 = 96;

/// One account's desk: who asks and where.
#[derive(Clone, Copy)]
struct Desk<'a> {
    sandbox: &'a Sandbox,
    account: AccountIndex,
}

/// Answers one call to the account with this index.
pub(super) async fn answer(
    State(sandbox): State<Arc<Sandbox>>,
    account: AccountIndex,
    Path(call): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let desk = Desk {
        sandbox: &sandbox,
        account,
    };
    let key = headers.get(header::AUTHORIZATION);
    let expected = format!("Bearer {}", accounts()[account].key);
    let known = key.is_some_and(|key| key.as_bytes() == expected.as_bytes());
    match Request::parse(&call, query.as_deref().unwrap_or_default()) {
        Err(bad) => {
            let (status, words) = bad.answer();
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
            (status, words).into_response()
        }
        Ok(request) if request.is_private() && !known => StatusCode::UNAUTHORIZED.into_response(),
        Ok(request) => desk.serve(request).await,
    }
}

/// A plain text under the status that goes with it.
fn say(text: Text) -> Response {
    let status = match text {
        Text::NoFreePhones => StatusCode::OK,
        Text::OrderNotFound => StatusCode::NOT_FOUND,
        Text::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    };
    (status, text.as_str()).into_response()
}

fn not_sold(why: NotSold) -> Response {
    say(match why {
        NotSold::Service => Text::NoProduct,
        NotSold::Country => Text::BadCountry,
        NotSold::Stock | NotSold::Cap(_) => Text::NoFreePhones,
        NotSold::Funds => Text::NotEnoughBalance,
        // ids of the caller are unknown to this protocol, so none is ever taken
        NotSold::Taken | NotSold::Storage => Text::Internal,
    })
}

impl Desk<'_> {
    async fn serve(self, request: Request) -> Response {
        match request {
            Request::Buy(wanted) => self.sell(&wanted).await,
            Request::Order(OrderCall::Finish, id) => self.close(id, Wish::Finish),
            Request::Order(OrderCall::Cancel | OrderCall::Ban, id) => self.close(id, Wish::Cancel),
            read if self.sandbox.faults().next_read_fails() => {
                tracing::debug!(path = read.path(), "read fails by the rate that was set");
                error_500()
            }
            Request::Profile => json(StatusCode::OK, self.profile()),
            Request::Countries => json(StatusCode::OK, self.countries()),
            Request::Products { country, operator } => self.products(&country, &operator),
            Request::Prices(filter) => json(StatusCode::OK, self.prices(&filter)),
            Request::Orders(page) => json(StatusCode::OK, self.orders(page)),
            Request::Order(OrderCall::Check, id) => self.check(id),
        }
    }

    fn shelf(&self) -> &Shelf {
        self.sandbox.shelf(self.account)
    }

    /// A cap counts only where the operator is left open; a named one sells at its own price.
    async fn sell(self, wanted: &Purchase) -> Response {
        let open = match wanted.operator.as_str() {
            "any" => true,
            OPERATOR => false,
            EMPTY_OPERATOR => return say(Text::NoFreePhones),
            _ => return say(Text::BadOperator),
        };
        let order = NumberOrder {
            service: wanted.product.to_string(),
            country: Some(wanted.country.to_string()),
            max_price: wanted.max_price.filter(|_| open),
            ..NumberOrder::default()
        };
        let quote = match self.sandbox.quote(self.account, &order) {
            Ok(quote) => quote,
            Err(why) => return not_sold(why),
        };
        let excuses = Excuses {
            no_stock: say(Text::NoFreePhones),
            refused: say(Text::NoFreePhones),
        };
        let book = || match self.sandbox.book_number(&quote) {
            Ok(activation) => json(StatusCode::OK, self.sold(&activation)),
            Err(why) => not_sold(why),
        };
        purchase(self.sandbox.manner(quote.service), excuses, book).await
    }

    fn sold(self, activation: &Activation) -> String {
        let (now, seed) = self.sandbox.books(|books, now| (now, books.state.seed));
        self.order(activation, now, seed).print()
    }

    fn check(self, id: u64) -> Response {
        let found = self.sandbox.books(|books, now| {
            let activation = books.state.activation(self.account, id)?;
            Some(self.order(activation, now, books.state.seed))
        });
        found.map_or_else(
            || say(Text::OrderNotFound),
            |order| json(StatusCode::OK, order.print()),
        )
    }

    fn close(self, id: u64, wish: Wish) -> Response {
        match self.sandbox.wish(self.account, id, wish) {
            Wished::Granted => self.check(id),
            Wished::Unknown => say(Text::OrderNotFound),
            Wished::Storage => say(Text::Internal),
            Wished::Denied(Denied::TooEarly) => say(Text::WaitTime),
            Wished::Denied(Denied::CancelledBefore) => say(Text::OrderExpired),
            Wished::Denied(Denied::WrongStage) => say(match wish {
                Wish::Cancel => Text::OrderHasSms,
                _ => Text::OrderNoSms,
            }),
        }
    }

    fn order(self, activation: &Activation, now: i64, seed: u64) -> Order {
        let shelf = self.shelf();
        let messages = activation.messages(now);
        Order {
            id: activation.id,
            phone: format!("+{}", activation.phone),
            operator: OPERATOR.to_owned(),
            product: shelf.service_id(activation.service).to_owned(),
            price: Some(decimal(activation.cost)),
            status: status(activation, now),
            expires: Some(rfc3339(activation.sold_at + LIFETIME_MS)),
            sms: (0..messages)
                .map(|position| message(activation, seed, position))
                .collect(),
            created_at: Some(rfc3339(activation.sold_at)),
            country: shelf.country_code(activation.country_id).to_owned(),
        }
    }

    fn orders(self, page: Page) -> String {
        let count = |rows: u64| usize::try_from(rows).unwrap_or(usize::MAX);
        let limit = count(page.limit.unwrap_or(PAGE_DEFAULT).min(PAGE_MAX));
        let offset = count(page.offset.unwrap_or(0));
        // copied under the lock, printed outside of it: the list may be long
        let (shown, total, now, seed) = self.sandbox.books(|books, now| {
            let own = books.state.activations().iter().rev();
            let own = own.filter(|activation| activation.account == self.account);
            let total = own.clone().count() as u64;
            let shown: Vec<Activation> = own.skip(offset).take(limit).cloned().collect();
            (shown, total, now, books.state.seed)
        });
        let rows = shown.iter().map(|one| self.order(one, now, seed));
        OrderList {
            rows: rows.collect(),
            skipped: 0,
            total: Some(total),
        }
        .print()
    }

    fn profile(self) -> String {
        let balance = self
            .sandbox
            .books(|books, _| books.state.balance(self.account));
        Profile {
            id: self.account as u64,
            balance: decimal(balance),
            rating: Some(Decimal::from(RATING)),
            frozen_balance: Some(Decimal::ZERO),
        }
        .print()
    }

    fn countries(self) -> String {
        let operators: Vec<Slug> = [EMPTY_OPERATOR, OPERATOR]
            .into_iter()
            .filter_map(Slug::parse)
            .collect();
        let rows = self.shelf().countries.iter().filter_map(|listed| {
            Some(Country {
                slug: Slug::parse(&listed.code)?,
                name: listed.name.to_owned(),
                iso: None,
                prefix: Some(format!("+{}", COUNTRIES[listed.country].calling_code)),
                operators: operators.clone(),
            })
        });
        Countries {
            rows: rows.collect(),
            skipped: 0,
        }
        .print()
    }

    fn products(self, country: &Slug, operator: &Slug) -> Response {
        let sells = matches!(operator.as_str(), "any" | OPERATOR | EMPTY_OPERATOR);
        if self.shelf().country(country.as_str()).is_none() {
            return say(Text::BadCountry);
        }
        if !sells {
            return say(Text::BadOperator);
        }
        let filter = PriceFilter {
            country: Some(country.clone()),
            product: None,
        };
        let named = match operator.as_str() {
            EMPTY_OPERATOR => EMPTY_OPERATOR,
            _ => OPERATOR,
        };
        let rows = self.price_rows(&filter).into_iter();
        let rows = rows.filter(|row| row.operator.as_str() == named);
        let products = rows.map(|row| Product {
            slug: row.product,
            count: row.count,
            price: row.cost,
        });
        let products = Products {
            rows: products.collect(),
            skipped: 0,
        };
        json(StatusCode::OK, products.print())
    }

    fn prices(self, filter: &PriceFilter) -> String {
        let mut rows = self.price_rows(filter);
        let order = match filter {
            PriceFilter {
                country: None,
                product: Some(_),
            } => PriceOrder::Product,
            _ => PriceOrder::Country,
        };
        if order == PriceOrder::Product {
            rows.sort_by(|a, b| (&a.product, &a.country).cmp(&(&b.product, &b.country)));
        }
        print_prices(&rows, order)
    }

    fn price_rows(self, filter: &PriceFilter) -> Vec<PriceRow> {
        let shelf = self.shelf();
        let wanted = |code: &str, filter: &Option<Slug>| {
            filter.as_ref().is_none_or(|slug| slug.as_str() == code)
        };
        let mut rows = Vec::new();
        let countries = shelf.countries.iter();
        for country in countries.filter(|listed| wanted(&listed.code, &filter.country)) {
            let services = shelf.services.iter();
            for service in services.filter(|listed| wanted(&listed.id, &filter.product)) {
                let offers = shelf.offers(country, service.service);
                let slugs = Slug::parse(&country.code).zip(Slug::parse(&service.id));
                if let (Some(offer), Some(slugs)) = (offers.first(), slugs) {
                    rows.extend(cells(&slugs, offer));
                }
            }
        }
        rows
    }
}

/// What each operator shows for one country and product.
fn cells((country, product): &(Slug, Slug), offer: &Offer) -> impl Iterator<Item = PriceRow> {
    let cost = decimal(offer.cost);
    let delivered = Decimal::from(72 + offer.stock % 28);
    let empty = Rates {
        day: Some(Decimal::ZERO),
        week: Some(Decimal::ZERO),
        ..Rates::default()
    };
    let full = Rates {
        shown: Some(delivered),
        week: Some(delivered),
        ..Rates::default()
    };
    let half = cost / Decimal::TWO;
    let operators = [
        (EMPTY_OPERATOR, half, 0, empty),
        (OPERATOR, cost, u64::from(offer.stock), full),
    ];
    let (country, product) = (country.clone(), product.clone());
    operators
        .into_iter()
        .filter_map(move |(operator, cost, count, rates)| {
            Some(PriceRow {
                country: country.clone(),
                product: product.clone(),
                operator: Slug::parse(operator)?,
                cost,
                count,
                rates,
            })
        })
}

/// `RECEIVED` long before anything was received: the word means that the number is ready.
fn status(activation: &Activation, now: i64) -> OrderStatus {
    match activation.stage(now) {
        Stage::Waiting if now - activation.sold_at < PREPARING_MS => OrderStatus::Pending,
        Stage::Waiting | Stage::Got(_) | Stage::Retry(_) => OrderStatus::Received,
        Stage::Ended(Ending::Finished) => OrderStatus::Finished,
        Stage::Ended(Ending::Cancelled) => OrderStatus::Canceled,
        Stage::Ended(Ending::Expired) => OrderStatus::Timeout,
    }
}

/// A bank's text comes without a code beside it.
fn message(activation: &Activation, seed: u64, position: usize) -> Message {
    let code = match activation.service.behaviour() {
        Some(Misbehaviour::BankText) => String::new(),
        _ => activation.code(seed, position),
    };
    let came_at = activation.message_time(position).unwrap_or_default();
    Message {
        code,
        text: activation.text(seed, position),
        sender: activation.service.name().to_owned(),
        created_at: rfc3339(came_at),
    }
}
