//! Telnyx's webhook for messages that come in: the event and its signature. Source: Telnyx's
//! "Receiving webhooks" and "Webhook signing" pages.

use crate::inbound::{BadSignature, Inbound, SIGNATURE_MAX, Webhook};
use crate::json::{Node, Object};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::time::{Millis, Timestamp};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde_json::json;

#[cfg(test)]
mod tests;

/// Header with the signature.
pub const SIGNATURE_HEADER: &str = "telnyx-signature-ed25519";
/// Header with the second at which it was made, in unix time.
pub const TIMESTAMP_HEADER: &str = "telnyx-timestamp";

/// How far a signature's time may lie from ours, either way.
const TOLERANCE: Millis = Millis::seconds(300);
/// Bytes of a public key.
const KEY_BYTES: usize = 32;
/// Bytes of a signature.
const SIGNATURE_BYTES: usize = 64;
/// The event that brings a message.
const RECEIVED: &str = "message.received";

/// Whose signatures are believed: the account's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey([u8; KEY_BYTES]);

impl PublicKey {
    /// Reads the key as the portal shows it, in base64. A key of nothing but zeros is none.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.trim()).ok()?;
        let key: [u8; KEY_BYTES] = bytes.try_into().ok()?;
        (key != [0; KEY_BYTES]).then_some(Self(key))
    }
}

/// Whether the raw body was signed with the account's key, within five minutes of `now`. Gives the
/// second at which it was signed, by the carrier's clock.
pub fn verify(
    key: &PublicKey,
    (timestamp, signature): (&str, &str),
    body: &[u8],
    now: Timestamp,
) -> Result<Timestamp, BadSignature> {
    if signature.len() > SIGNATURE_MAX {
        return Err(BadSignature::Unreadable);
    }
    let signature = STANDARD.decode(signature).ok();
    let signature = signature.filter(|bytes| bytes.len() == SIGNATURE_BYTES);
    let signed_at = seconds(timestamp);
    let (Some(signature), Some(signed_at)) = (signature, signed_at) else {
        return Err(BadSignature::Unreadable);
    };
    if (now - signed_at).0.abs() > TOLERANCE.0 {
        return Err(BadSignature::OutOfTime);
    }
    UnparsedPublicKey::new(&ED25519, &key.0)
        .verify(&signed_text(timestamp, body), &signature)
        .map_err(|_| BadSignature::Wrong)?;
    Ok(signed_at)
}

fn seconds(text: &str) -> Option<Timestamp> {
    let digits = (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds: i64 = text.parse().ok().filter(|_| digits)?;
    Some(Timestamp(Millis::seconds(seconds).0))
}

fn signed_text(timestamp: &str, body: &[u8]) -> Vec<u8> {
    [timestamp.as_bytes(), b"|", body].concat()
}

/// A key that signs: what the sandbox's carrier has.
pub struct SigningKey(Ed25519KeyPair);

impl SigningKey {
    /// The key of a seed.
    pub fn from_seed(seed: &[u8; 32]) -> Option<Self> {
        Ed25519KeyPair::from_seed_unchecked(seed).ok().map(Self)
    }

    /// Its public half, in base64.
    pub fn public(&self) -> String {
        STANDARD.encode(self.0.public_key())
    }

    /// The signature of a body at a second, in base64.
    pub fn sign(&self, timestamp: &str, body: &[u8]) -> String {
        STANDARD.encode(self.0.sign(&signed_text(timestamp, body)))
    }
}

/// Reads an event.
pub fn parse(body: &[u8]) -> Webhook {
    let data = std::str::from_utf8(body).ok().and_then(Node::read);
    let data = data.and_then(Node::object);
    let Some(data) = data.and_then(|root| root.get("data")?.object()) else {
        return Webhook::Malformed;
    };
    match data.filled("event_type") {
        None => Webhook::Malformed,
        Some(kind) if kind != RECEIVED => Webhook::Other,
        Some(_) => message(&data).map_or(Webhook::Malformed, Webhook::Message),
    }
}

fn message(data: &Object<'_>) -> Option<Inbound> {
    let payload = data.get("payload")?.object()?;
    let number = |node: Node<'_>| node.object()?.filled("phone_number");
    let mut recipients = payload.get("to")?.values().into_iter();
    let received_at = payload.filled("received_at");
    Some(Inbound {
        message_id: payload.filled("id")?,
        event_id: data.filled("id"),
        from: number(payload.get("from")?)?,
        to: recipients.find_map(number)?,
        text: payload.get("text").and_then(Node::text).unwrap_or_default(),
        received_at: received_at.and_then(|text| instant(&text)),
    })
}

fn instant(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp(at.as_millisecond()))
}

/// The event that tells of a message.
pub fn event(message: &Inbound) -> String {
    let at = message.received_at.unwrap_or_default();
    let at = jiff::Timestamp::from_millisecond(at.0).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    let at = at.to_string();
    let event = json!({
        "data": {
            "record_type": "event",
            "id": message.event_id,
            "event_type": RECEIVED,
            "occurred_at": at,
            "payload": {
                "record_type": "message",
                "direction": "inbound",
                "id": message.message_id,
                "type": "SMS",
                "from": { "phone_number": message.from },
                "to": [{ "phone_number": message.to, "status": "delivered" }],
                "cc": [],
                "text": message.text,
                "media": [],
                "parts": 1,
                "received_at": at,
            },
        },
        "meta": { "attempt": 1 },
    });
    format!("{event:#}")
}
