//! The `Idempotency-Key` header and the digest that tells requests under one key apart.

use super::members::Members;
use super::problem::Problem;
use app::KeyedRequest;
use axum::http::{HeaderMap, Method};
use sha2::{Digest, Sha256};

const HEADER: &str = "idempotency-key";
const LENGTH_MAX: usize = 255;

/// The key of a write, if it came with one.
pub(crate) fn read(
    headers: &HeaderMap,
    method: &Method,
    endpoint: String,
    members: &Members,
) -> Result<Option<KeyedRequest>, Problem> {
    let mut given = headers.get_all(HEADER).iter();
    let key = match (given.next(), given.next()) {
        (None, _) => return Ok(None),
        (Some(only), None) => only.to_str().ok().and_then(unquoted),
        (Some(_), Some(_)) => None,
    };
    let key = key.ok_or_else(|| {
        let sentence = "The Idempotency-Key header must hold 1 to 255 visible ASCII characters.";
        Problem::bad("invalid_idempotency_key", sentence)
    })?;
    let fingerprint = fingerprint(method, &endpoint, members);
    Ok(Some(KeyedRequest {
        endpoint,
        key,
        fingerprint,
        keeps_refusal: true,
    }))
}

/// The key in its bare form, or out of the quotes of a structured string.
fn unquoted(text: &str) -> Option<String> {
    let key = match text.strip_prefix('"') {
        Some(rest) => unescaped(rest.strip_suffix('"')?)?,
        None => text.to_owned(),
    };
    let visible = key.bytes().all(|byte| byte.is_ascii_graphic());
    ((1..=LENGTH_MAX).contains(&key.len()) && visible).then_some(key)
}

/// In quotes a backslash stands before a quote or another backslash, and nowhere else.
fn unescaped(quoted: &str) -> Option<String> {
    let mut key = String::with_capacity(quoted.len());
    let mut letters = quoted.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => key.push(letters.next().filter(|next| ['"', '\\'].contains(next))?),
            '"' => return None,
            plain => key.push(plain),
        }
    }
    Some(key)
}

/// Digest of method, path, action and every member in its one spelling: JSON and a form that say
/// the same are the same request.
fn fingerprint(method: &Method, endpoint: &str, members: &Members) -> [u8; 32] {
    let mut digest = Sha256::new();
    let mut part = |text: &str| {
        // lengths first, so that no two lists of parts run together
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text.as_bytes());
    };
    part(method.as_str());
    part(endpoint);
    for (name, value) in members.canonical() {
        part(name);
        part(&value);
    }
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::super::{json, query};
    use super::*;

    #[test]
    fn keys_are_taken_bare_and_quoted() {
        let key = |text: &str| unquoted(text);
        assert_eq!(key("order-1").as_deref(), Some("order-1"));
        assert_eq!(key("\"order-1\"").as_deref(), Some("order-1"));
        assert_eq!(key("\"a\\\"b\\\\\"").as_deref(), Some("a\"b\\"));
        assert!(key(&"a".repeat(255)).is_some());
        let long = "a".repeat(256);
        for bad in [
            "", "\"\"", "\"", "a b", "\"a", "\"a\"b\"", "\"a\\n\"", &long,
        ] {
            assert_eq!(key(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn digests_follow_the_meaning() {
        let of = |members: &Members| fingerprint(&Method::POST, "/x?action=y", members);
        let json = |text: &str| of(&json::object(text.as_bytes()).unwrap());
        let one = json(r#"{"order_id":42,"a":"b"}"#);
        assert_eq!(one, json(r#"{ "a": "b", "order_id": "42" }"#));
        assert_eq!(one, of(&query::read(b"a=b&order_id=42").members));
        assert_ne!(one, json(r#"{"order_id":43,"a":"b"}"#));
        assert_ne!(one, json(r#"{"order_id":42}"#));
        assert_ne!(json(r#"{"a":"bc"}"#), json(r#"{"ab":"c"}"#));
        let members = json::object(br#"{"order_id":42}"#).unwrap();
        assert_ne!(
            fingerprint(&Method::POST, "/x?action=y", &members),
            fingerprint(&Method::POST, "/x?action=z", &members)
        );
    }
}
