//! A BTCPay Server to practise with: Greenfield invoices, their ways to pay, a page to pay on.

use super::json;
use super::payments::{base_of, call, header_text, is_sum, page_over, pay, pay_page, pressed};
use crate::payments::btcpay::{BTCPAY_KEY, BTCPAY_PATH, BTCPAY_STORE, Order};
use crate::sandbox::Sandbox;
use axum::Router;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::get;
use domain::top_up::Processor;
use std::collections::HashMap;
use std::sync::Arc;
use wire::btcpay::{Invoice, read_create};
use wire::stripe::pairs;

/// What a page offers.
const BUTTONS: [(&str, &str); 3] = [
    ("pay", "Pay"),
    ("over", "Pay a fifth too much"),
    ("partial", "Pay half"),
];
/// How long an offer is good for where nothing else is asked, in seconds.
const LIFETIME_S: i64 = 3_600;

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    let invoices = format!("{BTCPAY_PATH}/api/v1/stores/{{store}}/invoices");
    Router::new()
        .route(&invoices, get(list).post(create))
        .route(&format!("{invoices}/{{id}}"), get(read))
        .route(&format!("{invoices}/{{id}}/payment-methods"), get(ways))
        .route_layer(from_fn(with_key))
        .route(&format!("{BTCPAY_PATH}/i/{{id}}"), get(page).post(press))
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    let error = serde_json::json!({ "code": code, "message": message });
    json(status, error.to_string())
}

fn missing() -> Response {
    let message = "The invoice was not found";
    refuse(StatusCode::NOT_FOUND, "invoice-not-found", message)
}

/// Lets those in who have our key and ask for our store.
async fn with_key(
    Path(place): Path<HashMap<String, String>>,
    request: Request,
    next: Next,
) -> Response {
    if header_text(request.headers(), "authorization") != format!("token {BTCPAY_KEY}") {
        let message = "Authentication is required for accessing this endpoint";
        return refuse(StatusCode::UNAUTHORIZED, "unauthenticated", message);
    }
    if place.get("store").map(String::as_str) != Some(BTCPAY_STORE) {
        let message = "The store was not found";
        return refuse(StatusCode::NOT_FOUND, "store-not-found", message);
    }
    next.run(request).await
}

async fn create(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, body: String) -> Response {
    let usable = |order: &(String, String, _, _)| is_sum(&order.0, &order.1);
    let read = read_create(&body).filter(usable);
    let Some((amount, currency, reference, return_url)) = read else {
        let message = "The amount or currency is missing";
        return refuse(StatusCode::UNPROCESSABLE_ENTITY, "validation", message);
    };
    let order = Order {
        amount,
        currency,
        reference,
        return_url: return_url.unwrap_or_default(),
        lifetime_s: minutes(&body).map_or(LIFETIME_S, |minutes| minutes * 60),
    };
    let opened = async {
        let (mut payments, now) = sandbox.payments();
        let invoice = payments.btcpay.open(order, (&base_of(&headers), now));
        json(StatusCode::OK, invoice.json().to_string())
    };
    call(&sandbox, opened).await
}

fn minutes(body: &str) -> Option<i64> {
    let order: serde_json::Value = serde_json::from_str(body).ok()?;
    order["checkout"]["expirationMinutes"].as_i64()
}

async fn read(
    State(sandbox): State<Arc<Sandbox>>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let found = async {
        let (mut payments, now) = sandbox.payments();
        let bill = payments.btcpay.find(&id, now);
        let invoice = bill.map(|bill| bill.invoice.json().to_string());
        invoice.map_or_else(missing, |invoice| json(StatusCode::OK, invoice))
    };
    call(&sandbox, found).await
}

async fn ways(
    State(sandbox): State<Arc<Sandbox>>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let (mut payments, now) = sandbox.payments();
    let ways = payments.btcpay.find(&id, now).map(|bill| bill.ways());
    ways.map_or_else(missing, |ways| json(StatusCode::OK, ways.to_string()))
}

async fn list(State(sandbox): State<Arc<Sandbox>>, RawQuery(query): RawQuery) -> Response {
    let pairs = pairs(&query.unwrap_or_default());
    let text = |name: &str| {
        let found = pairs.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    };
    let number = |name: &str, default| text(name).and_then(|t| t.parse().ok()).unwrap_or(default);
    let span = (number("startDate", 0), number("endDate", i64::MAX));
    let (skip, take) = (number("skip", 0), number("take", 50));
    let place = |count: i64| usize::try_from(count).unwrap_or(0);
    let all = {
        let (payments, _) = sandbox.payments();
        payments.btcpay.between(span.0, span.1, text("status"))
    };
    let page = all.iter().skip(place(skip)).take(place(take));
    let page: Vec<serde_json::Value> = page.map(Invoice::json).collect();
    json(StatusCode::OK, serde_json::Value::Array(page).to_string())
}

/// The page to pay on.
async fn page(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<String>) -> Response {
    let (mut payments, now) = sandbox.payments();
    let open = payments.btcpay.find(&id, now);
    let open = open.filter(|bill| bill.invoice.status == "New");
    open.map_or_else(page_over, |bill| {
        let (amount, currency) = (&bill.invoice.amount, &bill.invoice.currency);
        pay_page(&format!("{amount} {currency}"), &BUTTONS)
    })
}

async fn press(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    form: String,
) -> Response {
    pay(&sandbox, Processor::BtcPay, &id, pressed(&form, &BUTTONS)).await
}
