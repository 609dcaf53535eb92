//! Stripe: Checkout Sessions, refunds, balance transactions, events and their signatures. Sources: Stripe's API reference
//! ("Checkout Sessions", "Refunds", "Errors") and "Receive Stripe events in your webhook endpoint".

mod balance;
mod event;
mod session;
#[cfg(test)]
mod tests;

pub use balance::{BalanceTransaction, balance_list, balance_transactions, payout};
pub use event::{Event, Object, notice};
pub use session::{CreateSession, Refund, Session, error, error_text, list, sessions};

use crate::inbound::BadSignature;
use crate::mac;
use domain::time::{Millis, Timestamp};
use ring::hmac::HMAC_SHA256;

/// Header with the signature.
pub const SIGNATURE_HEADER: &str = "stripe-signature";
/// Header by which a creation sent twice is one.
pub const IDEMPOTENCY_HEADER: &str = "idempotency-key";
/// Header that pins the version of the API.
pub const VERSION_HEADER: &str = "stripe-version";
/// The version that the adapter was written against.
pub const VERSION: &str = "2025-03-31.basil";

/// How far a signature's time may lie from ours, either way.
const TOLERANCE: Millis = Millis::seconds(300);
/// Parts of a signature looked at: a rotation makes two or three.
const PARTS_MAX: usize = 16;

/// Whether the raw body was signed with one of these secrets within five minutes of `now`. During
/// a rotation the header carries a signature by each secret.
pub fn verify(
    secrets: &[&str],
    header: &str,
    body: &[u8],
    now: Timestamp,
) -> Result<(), BadSignature> {
    let (second, digests) = read(header)?;
    let signed_at = second.parse().ok().map(Millis::seconds);
    let signed_at = signed_at.ok_or(BadSignature::Unreadable)?;
    if (now - Timestamp(signed_at.0)).0.abs() > TOLERANCE.0 {
        return Err(BadSignature::OutOfTime);
    }
    let parts = [second.as_bytes(), b".", body];
    mac::verify(HMAC_SHA256, secrets, &parts, &digests)
}

/// The second and all signatures of the scheme that we know.
fn read(header: &str) -> Result<(&str, Vec<Vec<u8>>), BadSignature> {
    let unreadable = BadSignature::Unreadable;
    let (mut second, mut digests) = (None, Vec::new());
    for (number, part) in header.split(',').enumerate() {
        if number == PARTS_MAX {
            return Err(unreadable);
        }
        match part.trim().split_once('=').ok_or(unreadable)? {
            ("t", _) if second.is_some() => return Err(unreadable),
            ("t", text) => second = Some(text),
            ("v1", hex) => digests.push(mac::digest(HMAC_SHA256, hex)?),
            _ => {}
        }
    }
    let is_second = |text: &&str| {
        (1..=12).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let second = second.filter(is_second).ok_or(unreadable)?;
    if digests.is_empty() {
        return Err(unreadable);
    }
    Ok((second, digests))
}

/// Names and values of a form or a query.
pub fn pairs(text: &str) -> Vec<(String, String)> {
    form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

/// The header for a body that is signed with this secret at this second.
pub fn sign(secret: &str, body: &[u8], at: Timestamp) -> String {
    let second = at.0.div_euclid(1000).to_string();
    let parts = [second.as_bytes(), b".", body];
    format!("t={second},v1={}", mac::sign(HMAC_SHA256, secret, &parts))
}
