//! `POST /hooks/twilio/sms`: a message for one of the operator's numbers at Twilio.

use super::{keep, only, raw, refuse};
use crate::door::Door;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::own_number::Carrier;
use std::sync::Arc;
use wire::inbound::{BadSignature, Webhook};
use wire::twilio::{
    ANSWER, ANSWER_TYPE, Algorithm, Body, SETTINGS_HEADER, SIGNATURE_HEADER, SignatureSettings,
    parse, verify,
};

pub(crate) async fn sms(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = match raw(&parts, body).await {
        Ok(bytes) => bytes,
        Err(problem) => return problem.into_response(),
    };
    let body = body_of(&parts.headers, &bytes);
    if let Err(why) = signed(&door, &parts, body) {
        return refuse(&door, &parts, Carrier::Twilio, why).await;
    }
    let kept = match parse(body) {
        Webhook::Message(message) => {
            let now = door.engine.now();
            keep(&door, Carrier::Twilio, message, now).await
        }
        Webhook::Other => Ok(()),
        Webhook::Malformed => Err(StatusCode::BAD_REQUEST),
    };
    match kept {
        Ok(()) => ([(header::CONTENT_TYPE, ANSWER_TYPE)], ANSWER).into_response(),
        Err(status) => status.into_response(),
    }
}

fn body_of<'a>(headers: &HeaderMap, bytes: &'a [u8]) -> Body<'a> {
    let media_type = only(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    if media_type
        .to_ascii_lowercase()
        .starts_with("application/json")
    {
        Body::Json(bytes)
    } else {
        Body::Form(bytes)
    }
}

fn signed(door: &Door, parts: &Parts, body: Body<'_>) -> Result<(), BadSignature> {
    let unreadable = BadSignature::Unreadable;
    let signature = only(&parts.headers, SIGNATURE_HEADER).ok_or(unreadable)?;
    let target = parts
        .uri
        .path_and_query()
        .map_or("", |target| target.as_str());
    let url = format!("{}{target}", door.settings.hooks.origin);
    let mut outcome = Err(BadSignature::Wrong);
    for key in keys(door, parts)? {
        match verify(key, &url, body, signature) {
            Ok(()) => return Ok(()),
            Err(why) => outcome = Err(why),
        }
    }
    outcome
}

/// The keys that may have signed: during a rotation both tokens are good.
fn keys<'a>(door: &'a Door, parts: &Parts) -> Result<Vec<(&'a str, Algorithm)>, BadSignature> {
    let hooks = &door.settings.hooks;
    if !parts.headers.contains_key(SETTINGS_HEADER) {
        let tokens = hooks.twilio_tokens.iter();
        return Ok(tokens
            .map(|token| (token.as_str(), Algorithm::Sha1))
            .collect());
    }
    let settings = only(&parts.headers, SETTINGS_HEADER).and_then(SignatureSettings::parse);
    let settings = settings.ok_or(BadSignature::Unreadable)?;
    let named = hooks
        .twilio_keys
        .iter()
        .filter(|(id, _)| *id == settings.key);
    Ok(named
        .map(|(_, secret)| (secret.as_str(), settings.algorithm))
        .collect())
}
