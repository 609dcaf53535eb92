//! What the practice payment processors share: telling shops of payments, pages to pay on, calls
//! that go wrong, and what a test may set.

use super::{error_500, hang_up, json};
use crate::payments::{Mishap, Shown, Told, Wanted};
use crate::sandbox::Sandbox;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use domain::time::Timestamp;
use domain::top_up::{Processor, Sum};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::time::Duration;

/// Pauses before an event that was not taken is delivered again.
const AGAIN_S: [u64; 7] = [1, 2, 4, 8, 15, 30, 60];

/// How events are delivered.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Delivered {
    /// How often; 0 leaves it to whoever asked.
    times: usize,
    /// Not before so many milliseconds.
    after_ms: u64,
    /// Signed with this instead of the right secret.
    secret: Option<String>,
    /// Signed for so many seconds from now.
    skew_s: i64,
    /// Last event first.
    backwards: bool,
}

impl Default for Delivered {
    fn default() -> Self {
        Self {
            times: 1,
            after_ms: 0,
            secret: None,
            skew_s: 0,
            backwards: false,
        }
    }
}

/// What `POST /_sandbox/payments` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    processor: String,
    act: Wanted,
    #[serde(default)]
    deliver: Delivered,
}

/// An event that was made, as a test reads it.
#[derive(Serialize)]
struct Made {
    body: String,
    header: String,
    signature: String,
    /// Statuses of its deliveries; 0 where nobody answered.
    answers: Vec<u16>,
}

/// `GET /_sandbox/payments`: every session, invoice and payment.
pub(super) async fn show(State(sandbox): State<Arc<Sandbox>>) -> Response {
    let shown: Vec<Shown> = {
        let (payments, _) = sandbox.payments();
        let stripe = payments.stripe.shown().chain(payments.btcpay.shown());
        stripe.chain(payments.nowpayments.shown()).collect()
    };
    printed(&serde_json::json!({ "payments": shown }))
}

/// `POST /_sandbox/payments`: does something to a payment and tells the shop of it.
pub(super) async fn control(State(sandbox): State<Arc<Sandbox>>, body: Bytes) -> Response {
    let order: Order = match serde_json::from_slice(&body) {
        Ok(order) => order,
        Err(error) => return refuse(&error.to_string()),
    };
    let Some(processor) = Processor::from_slug(&order.processor) else {
        return refuse("unknown processor; known are stripe, btcpay, nowpayments");
    };
    let Some(mut told) = act(&sandbox, processor, &order.act) else {
        return refuse("that cannot be done to this payment");
    };
    if order.deliver.backwards {
        told.reverse();
    }
    let events = deliver_all(&sandbox, told, &order.deliver).await;
    printed(&serde_json::json!({ "events": events }))
}

/// `POST /_sandbox/payments/calls`: what becomes of the next calls to any processor, in turn.
pub(super) async fn set_mishaps(State(sandbox): State<Arc<Sandbox>>, body: Bytes) -> Response {
    match serde_json::from_slice::<Vec<Mishap>>(&body) {
        Ok(mishaps) => {
            sandbox.payments().0.mishaps = mishaps.into();
            printed(&serde_json::json!({}))
        }
        Err(error) => refuse(&error.to_string()),
    }
}

fn printed(value: &serde_json::Value) -> Response {
    json(StatusCode::OK, value.to_string())
}

fn refuse(why: &str) -> Response {
    let body = serde_json::json!({ "error": why });
    json(StatusCode::BAD_REQUEST, body.to_string())
}

/// Answers a call to a processor, unless it is the turn of one that goes wrong.
pub(super) async fn call(sandbox: &Sandbox, work: impl Future<Output = Response>) -> Response {
    let mishap = sandbox.payments().0.mishaps.pop_front();
    match mishap.unwrap_or(Mishap::None) {
        Mishap::None => work.await,
        Mishap::LostBefore => hang_up(),
        Mishap::Error500Before => error_500(),
        Mishap::LostAfter => {
            work.await;
            hang_up()
        }
        Mishap::Error500After => {
            work.await;
            error_500()
        }
        Mishap::SlowMs(delay) => {
            let answer = work.await;
            tokio::time::sleep(Duration::from_millis(delay)).await;
            answer
        }
    }
}

/// Text of a header; empty where it is not there.
pub(super) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

/// Scheme and host by which a caller reached us.
pub(super) fn base_of(headers: &HeaderMap) -> String {
    format!("http://{}", header_text(headers, header::HOST.as_str()))
}

/// Whether a shop asks for an amount of a currency.
pub(super) fn is_sum(amount: &str, currency: &str) -> bool {
    let word = currency.len() == 3 && currency.bytes().all(|byte| byte.is_ascii_alphabetic());
    word && Sum::read(amount, currency).is_some()
}

/// A page to pay on, with a button for each action.
pub(super) fn pay_page(amount: &str, buttons: &[(&str, &str)]) -> Response {
    let buttons = buttons.iter().map(|(action, label)| {
        format!("<p><button name=\"do\" value=\"{action}\">{label}</button></p>")
    });
    Html(format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Practice payment</title></head><body><h1>Practice payment</h1>\
         <p>No real money moves here. {amount} are asked.</p>\
         <form method=\"post\">{}</form></body></html>",
        buttons.collect::<String>()
    ))
    .into_response()
}

/// The page of a payment that is over.
pub(super) fn page_over() -> Response {
    let text = "<!DOCTYPE html><title>Practice payment</title><p>This payment is over.";
    (StatusCode::NOT_FOUND, Html(text)).into_response()
}

/// What a button of a page asks for.
pub(super) fn pressed<'a>(form: &'a str, allowed: &[(&'a str, &str)]) -> &'a str {
    let named = form.split('&').find_map(|pair| pair.strip_prefix("do="));
    let named = named.filter(|name| allowed.iter().any(|(action, _)| action == name));
    named.unwrap_or("pay")
}

/// Somebody pays on a page; the browser goes back to the shop.
pub(super) async fn pay(
    sandbox: &Arc<Sandbox>,
    processor: Processor,
    id: &str,
    action: &str,
) -> Response {
    let Some(told) = act(sandbox, processor, &Wanted::on_page(id, action)) else {
        return page_over();
    };
    let back = told.first().map(|one| one.return_url.clone());
    deliver_all(sandbox, told, &Delivered::default()).await;
    Redirect::to(&back.unwrap_or_default()).into_response()
}

fn act(sandbox: &Sandbox, processor: Processor, wanted: &Wanted) -> Option<Vec<Told>> {
    let (mut payments, now) = sandbox.payments();
    match processor {
        Processor::Stripe => payments.stripe.act(wanted, now).map(|told| vec![told]),
        Processor::BtcPay => payments.btcpay.act(wanted, now),
        Processor::NowPayments => payments.nowpayments.act(wanted),
        Processor::Manual => None,
    }
}

/// Tells the shop of a refund that it asked for itself.
pub(super) async fn tell(sandbox: &Arc<Sandbox>, told: Told) {
    deliver_all(sandbox, vec![told], &Delivered::default()).await;
}

async fn deliver_all(sandbox: &Arc<Sandbox>, told: Vec<Told>, how: &Delivered) -> Vec<Made> {
    let mut events = Vec::new();
    for one in told {
        let (body, header, signature) = signed(sandbox, &one, how, 0);
        let mut made = Made {
            body,
            header,
            signature,
            answers: Vec::new(),
        };
        if how.after_ms > 0 {
            deliver_later(sandbox, one, how.clone());
        } else {
            made.answers = deliver(sandbox, &one, how).await;
        }
        events.push(made);
    }
    events
}

fn deliver_later(sandbox: &Arc<Sandbox>, told: Told, how: Delivered) {
    let of_task = Arc::clone(sandbox);
    sandbox.deliveries.spawn(async move {
        tokio::time::sleep(Duration::from_millis(how.after_ms)).await;
        deliver(&of_task, &told, &how).await;
    });
}

/// Delivers an event as often as it is wanted. One that was not taken comes again later, as it does
/// from real processors, unless it was made to be refused.
async fn deliver(sandbox: &Arc<Sandbox>, told: &Told, how: &Delivered) -> Vec<u16> {
    let mut answers = Vec::new();
    for delivery in 0..how.times {
        answers.push(deliver_once(sandbox, told, how, delivery).await);
    }
    let untaken = answers.iter().all(|status| status / 100 != 2);
    if how.times > 0 && untaken && how.secret.is_none() && how.skew_s == 0 {
        let (of_task, told, how) = (Arc::clone(sandbox), told.clone(), how.clone());
        sandbox.deliveries.spawn(async move {
            for (number, pause) in AGAIN_S.into_iter().enumerate() {
                tokio::time::sleep(Duration::from_secs(pause)).await;
                let delivery = how.times + number;
                if deliver_once(&of_task, &told, &how, delivery).await / 100 == 2 {
                    return;
                }
            }
            tracing::warn!("a practice event could not be delivered");
        });
    }
    answers
}

async fn deliver_once(sandbox: &Sandbox, told: &Told, how: &Delivered, delivery: usize) -> u16 {
    let (body, header, signature) = signed(sandbox, told, how, delivery);
    let headers = [
        ("Content-Type", "application/json"),
        (header.as_str(), signature.as_str()),
    ];
    let sent = crate::post::post(&told.hook_url, &headers, &body).await;
    sent.unwrap_or(0)
}

fn signed(
    sandbox: &Sandbox,
    told: &Told,
    how: &Delivered,
    delivery: usize,
) -> (String, String, String) {
    let body = told.body(delivery);
    let at = sandbox.payments().1.saturating_add(how.skew_s);
    let secret = how.secret.as_deref().unwrap_or(told.secret());
    let (header, signature) = told.signature(secret, &body, Timestamp(at.saturating_mul(1000)));
    let header = header.to_owned();
    (body, header, signature)
}
