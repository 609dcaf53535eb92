//! The id that one request is known by: in its answer, in the log, in a caller's question.

use axum::http::{HeaderMap, HeaderValue};
use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The header that carries it, both ways.
pub(crate) const HEADER: &str = "x-request-id";

const LENGTH_MAX: usize = 64;

/// The caller's own id where it is a plain one, else a fresh one.
pub(crate) fn of(headers: &HeaderMap) -> HeaderValue {
    let own = headers.get(HEADER).filter(|own| is_plain(own.as_bytes()));
    own.cloned().unwrap_or_else(fresh)
}

fn is_plain(id: &[u8]) -> bool {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=LENGTH_MAX).contains(&id.len()) && id.iter().all(plain)
}

/// 32 hexadecimal digits: a counter under two hashes keyed anew at every start. Unlike any other
/// and not to be guessed, which is all that an id in a log needs.
fn fresh() -> HeaderValue {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    static HASHERS: OnceLock<[RandomState; 2]> = OnceLock::new();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let [first, second] = HASHERS.get_or_init(Default::default);
    let id = format!(
        "{:016x}{:016x}",
        first.hash_one(count),
        second.hash_one(count)
    );
    HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_own(own: &str) -> String {
        let mut headers = HeaderMap::new();
        headers.insert(HEADER, HeaderValue::from_bytes(own.as_bytes()).unwrap());
        of(&headers).to_str().unwrap().to_owned()
    }

    #[test]
    fn plain_ids_are_echoed_and_others_replaced() {
        assert_eq!(of_own("order-1_a.B"), "order-1_a.B");
        for odd in ["", "a b", "<script>", "é", &"a".repeat(65)] {
            let given = of_own(odd);
            assert!(given.len() == 32 && given != odd, "{odd:?} became {given}");
        }
        assert_ne!(fresh(), fresh());
    }
}
