//! `/hooks`: what carriers tell us. A hook answers only where the operator has configured whose
//! signatures it believes; everything is verified on the raw bytes before it is read.

pub(crate) mod payments;
pub(crate) mod telnyx;
pub(crate) mod twilio;

use crate::address;
use crate::api_v1::body;
use crate::api_v1::problem::Problem;
use crate::door::Door;
use app::limits::Bucket;
use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::own_number::{Carrier, InboundSms};
use domain::phone::Phone;
use domain::time::Timestamp;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use wire::inbound::{BadSignature, Inbound};
use wire::telnyx::PublicKey;

/// Longest id of a message or event, in bytes.
const ID_MAX: usize = 128;
/// Longest sender kept, in characters.
const SENDER_MAX: usize = 64;

/// Whose signatures hooks believe. Without any key of a carrier its hook is not there.
#[derive(Clone, Default)]
pub struct Hooks {
    origin: String,
    twilio_tokens: Vec<String>,
    twilio_keys: Vec<(String, String)>,
    telnyx: Vec<PublicKey>,
    refused: Arc<AtomicU64>,
}

impl Hooks {
    /// Believes Twilio accounts with one of these tokens, and keys given by id and secret. Blank
    /// ones are left out: anybody could sign with them.
    pub fn with_twilio(mut self, tokens: &[&str], keys: &[(&str, &str)]) -> Self {
        let filled = |text: &&&str| !text.trim().is_empty();
        let tokens = tokens.iter().filter(filled);
        self.twilio_tokens
            .extend(tokens.map(|text| (*text).to_owned()));
        let keys = keys
            .iter()
            .filter(|(id, secret)| filled(&id) && filled(&secret));
        let owned = keys.map(|(id, secret)| ((*id).to_owned(), (*secret).to_owned()));
        self.twilio_keys.extend(owned);
        self
    }

    /// Carriers were told to come to this address (without a slash at the end): what they sign
    /// covers it, and what a request says of its host anybody may say.
    pub fn told(mut self, origin: &str) -> Self {
        origin.clone_into(&mut self.origin);
        self
    }

    /// Believes Telnyx accounts with one of these public keys; what is none is left out.
    pub fn with_telnyx(mut self, keys: &[&str]) -> Self {
        self.telnyx
            .extend(keys.iter().filter_map(|text| PublicKey::parse(text)));
        self
    }

    /// Whether there is a Twilio hook.
    pub fn takes_twilio(&self) -> bool {
        !self.twilio_tokens.is_empty() || !self.twilio_keys.is_empty()
    }

    /// Whether there is a Telnyx hook.
    pub fn takes_telnyx(&self) -> bool {
        !self.telnyx.is_empty()
    }
}

impl fmt::Debug for Hooks {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks")
            .field("twilio", &self.takes_twilio())
            .field("telnyx", &self.takes_telnyx())
            .finish_non_exhaustive()
    }
}

/// The raw body of a POST, bounded.
async fn raw(parts: &Parts, body: Body) -> Result<Bytes, Problem> {
    if parts.method != Method::POST {
        return Err(Problem::method_not_allowed("POST"));
    }
    body::check_length(&parts.headers)?;
    body::check_media_type(&parts.headers)?;
    body::collect(body).await
}

/// A header that is there once, as text.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}

/// The answer to a signature that is not believed: it says nothing, and is counted.
async fn refuse(door: &Door, parts: &Parts, carrier: Carrier, why: BadSignature) -> Response {
    let refused = &door.settings.hooks.refused;
    let count = refused.fetch_add(1, Ordering::Relaxed) + 1;
    let caller = address::of_caller(parts, &door.settings.trusted_proxies);
    let limit = door.settings.failed_auth_per_minute.get();
    let now = door.engine.now();
    let failures = door
        .limits
        .admit(Bucket::address(caller, "hooks"), limit, now.0)
        .await;
    if !failures.admitted {
        return Problem::rate_limited(failures.reset_s).into_response();
    }
    tracing::warn!(
        carrier = carrier.slug(),
        refused = count,
        "a webhook's signature is not believed: {why}"
    );
    match why {
        BadSignature::Unreadable => StatusCode::BAD_REQUEST.into_response(),
        BadSignature::OutOfTime | BadSignature::Wrong => StatusCode::FORBIDDEN.into_response(),
    }
}

/// A signed message is kept before it is acknowledged.
async fn keep(
    door: &Door,
    carrier: Carrier,
    message: Inbound,
    received_at: Timestamp,
) -> Result<(), StatusCode> {
    let ids = message.event_id.iter().chain([&message.message_id]);
    if ids.into_iter().any(|id| id.len() > ID_MAX) {
        return Err(StatusCode::BAD_REQUEST);
    }
    let to = Phone::parse(&message.to).filter(|_| message.to.starts_with('+'));
    let sms = InboundSms {
        carrier,
        message_id: message.message_id,
        event_id: message.event_id,
        from: message.from.chars().take(SENDER_MAX).collect(),
        to: to.map_or_else(
            || message.to.chars().take(SENDER_MAX).collect(),
            |phone| phone.digits().to_owned(),
        ),
        text: message.text,
        received_at,
    };
    // the commit has logged why
    let kept = door.engine.receive_sms(sms).await;
    kept.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)
}
