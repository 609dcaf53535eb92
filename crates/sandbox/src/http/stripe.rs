//! A card processor to practise with: Checkout Sessions, refunds, a page to pay on, signed events.
//! Events go to `/hooks/stripe` of whoever the browser returns to.

use super::json;
use crate::sandbox::Sandbox;
use crate::till::{STRIPE_KEY, STRIPE_PATH, STRIPE_WEBHOOK_SECRET, Told};
use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::time::Timestamp;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use wire::stripe::{self, CreateSession, Refund};

/// How long an event may take to be delivered before the browser goes on.
const DELIVERY: Duration = Duration::from_secs(10);

pub(super) fn routes() -> Router<Arc<Sandbox>> {
    let path = |end: &str| format!("{STRIPE_PATH}{end}");
    Router::new()
        .route(&path("/v1/checkout/sessions"), get(sessions).post(create))
        .route(&path("/v1/checkout/sessions/{id}"), get(read))
        .route(&path("/v1/checkout/sessions/{id}/expire"), post(expire))
        .route(&path("/v1/refunds"), post(refund))
        .route(&path("/pay/{id}"), get(page).post(pay))
}

fn refuse(status: StatusCode, code: &str, message: &str) -> Response {
    let error = stripe::error("invalid_request_error", code, message, None);
    json(status, error.to_string())
}

fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default()
}

/// The refusal of a request without our key.
fn unknown(headers: &HeaderMap) -> Option<Response> {
    let given = header_text(headers, "authorization");
    let known = given == format!("Bearer {STRIPE_KEY}");
    let refusal = || {
        refuse(
            StatusCode::UNAUTHORIZED,
            "api_key_invalid",
            "Invalid API key.",
        )
    };
    (!known).then(refusal)
}

fn missing() -> Response {
    refuse(
        StatusCode::NOT_FOUND,
        "resource_missing",
        "No such checkout.session.",
    )
}

async fn create(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, form: String) -> Response {
    if let Some(refusal) = unknown(&headers) {
        return refusal;
    }
    let Some(order) = CreateSession::parse(&form) else {
        let message = "Missing or unusable parameters.";
        return refuse(StatusCode::BAD_REQUEST, "parameter_missing", message);
    };
    let base = format!("http://{}", header_text(&headers, header::HOST.as_str()));
    let key = header_text(&headers, stripe::IDEMPOTENCY_HEADER);
    let (mut till, now) = sandbox.till();
    let session = till.open(order, key, (&base, now));
    json(StatusCode::OK, session.json().to_string())
}

async fn read(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = unknown(&headers) {
        return refusal;
    }
    let found = sandbox.till().0.find(&id).map(|sold| sold.session.json());
    found.map_or_else(missing, |session| json(StatusCode::OK, session.to_string()))
}

async fn sessions(
    State(sandbox): State<Arc<Sandbox>>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    if let Some(refusal) = unknown(&headers) {
        return refusal;
    }
    let query = query.unwrap_or_default();
    let pairs: Vec<(String, String)> = wire::stripe::pairs(&query);
    let text = |name: &str| {
        pairs
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    };
    let number = |name: &str, default| text(name).and_then(|t| t.parse().ok()).unwrap_or(default);
    let (from, until) = (number("created[gte]", 0), number("created[lt]", i64::MAX));
    let limit = usize::try_from(number("limit", 10))
        .unwrap_or(10)
        .clamp(1, 100);
    let mut all = sandbox.till().0.between(from, until);
    if let Some(after) = text("starting_after") {
        let place = all.iter().position(|one| one.id == *after);
        all.drain(..place.map_or(0, |place| place + 1));
    }
    let has_more = all.len() > limit;
    all.truncate(limit);
    json(StatusCode::OK, stripe::sessions(&all, has_more).to_string())
}

async fn expire(
    State(sandbox): State<Arc<Sandbox>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = unknown(&headers) {
        return refusal;
    }
    match act(&sandbox, &id, "expire", None).await {
        Some(_) => read(State(sandbox), Path(id), headers).await,
        None => missing(),
    }
}

async fn refund(State(sandbox): State<Arc<Sandbox>>, headers: HeaderMap, form: String) -> Response {
    if let Some(refusal) = unknown(&headers) {
        return refusal;
    }
    let Some(refund) = Refund::parse(&form) else {
        let message = "Missing or unusable parameters.";
        return refuse(StatusCode::BAD_REQUEST, "parameter_missing", message);
    };
    let done = act(
        &sandbox,
        &refund.payment_intent,
        "refund",
        Some(refund.minor),
    )
    .await;
    match done {
        Some(_) => {
            let answer = serde_json::json!({
                "id": format!("re_{}", refund.payment_intent),
                "object": "refund",
                "amount": refund.minor,
                "payment_intent": refund.payment_intent,
                "status": "succeeded",
            });
            json(StatusCode::OK, answer.to_string())
        }
        None => missing(),
    }
}

/// The page to pay on.
async fn page(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<String>) -> Response {
    let found = sandbox.till().0.find(&id).map(|sold| sold.session.clone());
    let Some(session) = found.filter(|session| session.status == "open") else {
        let gone = Html("<!DOCTYPE html><title>Practice payment</title><p>This payment is over.");
        return (StatusCode::NOT_FOUND, gone).into_response();
    };
    let cents = session.amount_total.unwrap_or_default();
    Html(format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <title>Practice payment</title></head><body><h1>Practice payment</h1>\
         <p>No real money moves here. {}.{:02} USD are asked.</p>\
         <form method=\"post\"><button>Pay by card</button></form></body></html>",
        cents / 100,
        cents % 100
    ))
    .into_response()
}

async fn pay(State(sandbox): State<Arc<Sandbox>>, Path(id): Path<String>) -> Response {
    match act(&sandbox, &id, "pay", None).await {
        Some(told) => Redirect::to(&told.return_url).into_response(),
        None => missing(),
    }
}

/// What `POST /_sandbox/stripe` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    session: String,
    #[serde(rename = "do")]
    action: String,
    cents: Option<i64>,
}

/// `POST /_sandbox/stripe`: pays, delays, fails, expires, refunds, disputes, wins, warns.
pub(super) async fn control(State(sandbox): State<Arc<Sandbox>>, body: String) -> Response {
    let wanted: Wanted = match serde_json::from_str(&body) {
        Ok(wanted) => wanted,
        Err(error) => return refuse(StatusCode::BAD_REQUEST, "bad", &error.to_string()),
    };
    match act(&sandbox, &wanted.session, &wanted.action, wanted.cents).await {
        Some(told) => json(StatusCode::OK, told.body),
        None => refuse(
            StatusCode::BAD_REQUEST,
            "bad",
            "That cannot be done to this session.",
        ),
    }
}

async fn act(sandbox: &Sandbox, id: &str, action: &str, cents: Option<i64>) -> Option<Told> {
    let (told, now) = {
        let (mut till, now) = sandbox.till();
        (till.act(id, action, cents, now)?, now)
    };
    let delivered = tokio::time::timeout(DELIVERY, deliver(&told, now)).await;
    if !matches!(delivered, Ok(Ok(()))) {
        tracing::warn!("a practice event could not be delivered");
    }
    Some(told)
}

/// Sends an event once, over plain HTTP: practice stays on this machine.
async fn deliver(told: &Told, now: i64) -> std::io::Result<()> {
    let host = told
        .return_url
        .strip_prefix("http://")
        .and_then(|rest| rest.split('/').next());
    let host = host.ok_or_else(|| std::io::Error::other("no plain http address to return to"))?;
    let at = Timestamp(now.saturating_mul(1000));
    let signature = stripe::sign(STRIPE_WEBHOOK_SECRET, told.body.as_bytes(), at);
    let request = format!(
        "POST /hooks/stripe HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         Stripe-Signature: {signature}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
        told.body.len(),
        told.body
    );
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    match answer.starts_with(b"HTTP/1.1 200") {
        true => Ok(()),
        false => Err(std::io::Error::other("the event was not taken")),
    }
}
