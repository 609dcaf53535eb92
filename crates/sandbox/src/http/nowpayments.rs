//! NOWPayments to practise with: invoices, payments, a page to pay on.

use super::json;
use super::payments::{base_of, call, header_text, is_sum, page_over, pay, pay_page, pressed};
use crate::payments::nowpayments::{Invoice, NOWPAYMENTS_KEY, NOWPAYMENTS_PATH};
use crate::sandbox::Sandbox;
use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{get, post};
use domain::top_up::{Processor, Sum};
use std::sync::Arc;
use wire::nowpayments::{KEY_HEADER, read_create};

/// What a page offers.
const BUTTONS: [(&str, &str); 3] = [
    ("pay", "Pay"),
    ("over", "Pay a fifth too much"),
    ("partial", "Pay half"),
];

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    let path = |end: &str| format!("{NOWPAYMENTS_PATH}{end}");
    Router::new()
        .route(&path("/invoice"), post(create))
        .route(&path("/payment/{id}"), get(read))
        .route_layer(from_fn(with_key))
        .route(&path("/pay/{id}"), get(page).post(press))
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    let error = serde_json::json!({
        "status": false,
        "statusCode": status.as_u16(),
        "code": code,
        "message": message,
    });
    json(status, error.to_string())
}

/// Lets those in who have our key.
async fn with_key(request: Request, next: Next) -> Response {
    if header_text(request.headers(), KEY_HEADER) != NOWPAYMENTS_KEY {
        return refuse(StatusCode::FORBIDDEN, "INVALID_API_KEY", "Invalid api key");
    }
    next.run(request).await
}

async fn create(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, body: String) -> Response {
    let read = read_create(&body).filter(|order| is_sum(&order.0, &order.1));
    let Some((price_amount, price_currency, order, hook_url, return_url)) = read else {
        let message = "price_amount and price_currency are required";
        return refuse(
            StatusCode::BAD_REQUEST,
            "BAD_CREATE_INVOICE_REQUEST",
            message,
        );
    };
    let wanted = Invoice {
        id: String::new(),
        price_amount,
        price_currency,
        order,
        hook_url,
        return_url,
        pay_url: String::new(),
    };
    let opened = async {
        let (mut payments, _) = sandbox.payments();
        let invoice = payments.nowpayments.open(wanted, &base_of(&headers));
        let answer = serde_json::json!({
            "id": invoice.id,
            "order_id": invoice.order,
            "price_amount": invoice.price_amount,
            "price_currency": invoice.price_currency,
            "invoice_url": invoice.pay_url,
        });
        json(StatusCode::OK, answer.to_string())
    };
    call(&sandbox, opened).await
}

async fn read(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<String>) -> Response {
    let found = async {
        let (payments, _) = sandbox.payments();
        let payment = payments.nowpayments.payment(&id);
        let missing = || {
            refuse(
                StatusCode::NOT_FOUND,
                "PAYMENT_NOT_FOUND",
                "Payment not found",
            )
        };
        payment.map_or_else(missing, |payment| json(StatusCode::OK, payment.body()))
    };
    call(&sandbox, found).await
}

/// The page to pay on: as often as somebody likes, since each visit may make a payment.
async fn page(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<String>) -> Response {
    let (payments, _) = sandbox.payments();
    let invoice = payments.nowpayments.invoice(&id);
    invoice.map_or_else(page_over, |invoice| {
        let sum = Sum::read(&invoice.price_amount, &invoice.price_currency);
        let asked = sum.map_or_else(String::new, |sum| sum.to_string());
        pay_page(&asked, &BUTTONS)
    })
}

async fn press(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    form: String,
) -> Response {
    let action = pressed(&form, &BUTTONS);
    pay(&sandbox, Processor::NowPayments, &id, action).await
}
