//! `POST /hooks/telnyx/sms`: a message for one of the operator's numbers at Telnyx.

use super::{keep, only, raw, refuse};
use crate::door::Door;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use domain::own_number::Carrier;
use domain::time::{Millis, Timestamp};
use std::sync::Arc;
use wire::inbound::{BadSignature, Inbound, Webhook};
use wire::telnyx::{SIGNATURE_HEADER, TIMESTAMP_HEADER, parse, verify};

pub(crate) async fn sms(State(door): State<Arc<Door>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = match raw(&parts, body).await {
        Ok(bytes) => bytes,
        Err(problem) => return problem.into_response(),
    };
    let now = door.engine.now();
    let signed_at = match signed(&door, &parts.headers, &bytes, now) {
        Ok(signed_at) => signed_at,
        Err(why) => return refuse(&door, &parts, Carrier::Telnyx, why).await,
    };
    let kept = match parse(&bytes) {
        Webhook::Message(message) => {
            let received_at = now - age(&message, signed_at);
            keep(&door, Carrier::Telnyx, message, received_at).await
        }
        Webhook::Other => Ok(()),
        Webhook::Malformed => Err(StatusCode::BAD_REQUEST),
    };
    kept.map_or_else(IntoResponse::into_response, |()| {
        StatusCode::OK.into_response()
    })
}

fn signed(
    door: &Door,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Timestamp, BadSignature> {
    let unreadable = BadSignature::Unreadable;
    let timestamp = only(headers, TIMESTAMP_HEADER).ok_or(unreadable)?;
    let signature = only(headers, SIGNATURE_HEADER).ok_or(unreadable)?;
    let mut outcome = Err(BadSignature::Wrong);
    for key in &door.settings.hooks.telnyx {
        match verify(key, (timestamp, signature), body, now) {
            Ok(signed_at) => return Ok(signed_at),
            Err(why) => outcome = Err(why),
        }
    }
    outcome
}

/// How long the carrier had the message before it told us. Both times are of its own clock, so that
/// ours may differ.
fn age(message: &Inbound, signed_at: Timestamp) -> Millis {
    let age = message.received_at.map_or(Millis(0), |at| signed_at - at);
    age.max(Millis(0))
}
