//! The HTTP surface: every route on this page, and the ways in which a purchase is answered.

mod activation_view;
mod btcpay;
mod carrier;
mod control;
mod dialect;
mod fivesim;
mod handler_api;
mod listener;
mod nowpayments;
mod order_view;
mod panel;
mod payments;
mod smspool;
mod stripe;
#[cfg(test)]
mod tests;

pub(crate) use listener::{Listening, listen};

use crate::accounts::{Protocol, accounts};
use crate::carrier::CARRIER_PATH;
use crate::faults::Manner;
use crate::sandbox::Sandbox;
use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get, post};
use std::sync::Arc;

/// All routes. A response that carries [`HangUp`] is one that must never be sent: the listener of
/// this crate closes the connection instead.
pub fn router(sandbox: Arc<Sandbox>) -> Router {
    let mut router = Router::new()
        .route("/_sandbox/orders", get(control::orders))
        .route(
            "/_sandbox/faults",
            get(control::show_faults).post(control::set_faults),
        )
        .route("/_sandbox/balance", post(control::set_balance))
        .route(
            "/_sandbox/payments",
            get(payments::show).post(payments::control),
        )
        .route("/_sandbox/payments/calls", post(payments::set_mishaps))
        .route(CARRIER_PATH, post(carrier::messages))
        .merge(stripe::routes())
        .merge(btcpay::routes())
        .merge(nowpayments::routes());
    for (index, account) in accounts().iter().enumerate() {
        router = match account.protocol {
            Protocol::HandlerApi => router.route(
                account.path,
                any(async move |state, query, body| {
                    handler_api::answer(state, index, query, body).await
                }),
            ),
            Protocol::SmsPool => router.route(
                &format!("{}/{{*call}}", account.path),
                any(async move |state, path, query, headers, body| {
                    smspool::answer(state, index, path, query, headers, body).await
                }),
            ),
            Protocol::FiveSim => router.route(
                &format!("{}/{{*call}}", account.path),
                get(async move |state, call, query, headers| {
                    fivesim::answer(state, index, call, query, headers).await
                }),
            ),
            Protocol::PanelV2 => router.route(account.path, any(panel::answer)),
        };
    }
    router.with_state(sandbox)
}

/// Marks a response in whose place the connection is closed without a byte.
#[derive(Clone, Copy, Debug)]
pub struct HangUp;

/// What goes out in the place of a purchase that goes wrong.
struct Excuses {
    /// Answer for "nothing in stock".
    no_stock: Response,
    /// A definite refusal.
    refused: Response,
}

/// Carries out a purchase in the given manner. `book` books once and returns the answer.
async fn purchase(manner: Manner, excuses: Excuses, book: impl Fn() -> Response) -> Response {
    match manner {
        Manner::Plain => book(),
        Manner::LostBefore => hang_up(),
        Manner::Error500Before => error_500(),
        Manner::Garbage => page(),
        Manner::Refused => excuses.refused,
        Manner::NoNumbers => excuses.no_stock,
        Manner::DoubleBooking => {
            let answer = book();
            book();
            answer
        }
        Manner::LostAfter => {
            book();
            hang_up()
        }
        Manner::Error500After => {
            book();
            error_500()
        }
        Manner::Slow(delay) => {
            let answer = book();
            tokio::time::sleep(delay).await;
            answer
        }
    }
}

/// Status 200 with a type that says nothing, as such servers do.
fn text(body: String) -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=UTF-8")], body).into_response()
}

fn json(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn hang_up() -> Response {
    let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
    response.extensions_mut().insert(HangUp);
    response
}

fn error_500() -> Response {
    let body = "<html><head><title>500 Internal Server Error</title></head></html>";
    (StatusCode::INTERNAL_SERVER_ERROR, text(body.to_owned())).into_response()
}

fn page() -> Response {
    let body = "<!DOCTYPE html><html><head><title>Just a moment</title></head>\
                <body>Checking your browser before you go on.</body></html>";
    text(body.to_owned())
}
