//! What a purchase call asks for, as a digest that is stored before the call leaves: equal purchases
//! have equal ones, whatever our own reference was, and no key is in it.

use crate::purchase::Order;
use domain::change::Write;
use sha2::{Digest, Sha256};

/// SHA-256 of the parts in their order; each behind its length, so that no two lists are alike.
pub(crate) fn digest(parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().into()
}

/// The same writes, with the digest in the attempt that they begin.
pub(crate) fn with_digest<O: Order>(mut writes: Vec<Write>, route: &O::Route) -> Vec<Write> {
    let digest = O::saved(&writes).map(|order| order.request_digest(route));
    for write in &mut writes {
        if let Write::BeginAttempt(attempt) = write {
            attempt.request_digest = digest;
        }
    }
    writes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_cannot_run_into_one_another() {
        let one = digest(&["order", "1", "link", "a"]);
        assert_eq!(one, digest(&["order", "1", "link", "a"]));
        for other in [
            &["order", "1", "lin", "ka"][..],
            &["order", "1", "link", "a", ""],
            &["order", "1link", "a"],
            &["order", "link", "1", "a"],
        ] {
            assert_ne!(one, digest(other), "{other:?}");
        }
    }
}
