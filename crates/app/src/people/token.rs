//! Secrets that a browser or a mail carries: 256 random bits, kept as a hash.

use super::PeopleError;
use sha2::{Digest, Sha256};

/// Characters of a token in hexadecimal.
const LEN: usize = 64;

/// A fresh token as text, and what is kept of it.
pub(super) fn fresh() -> Result<(String, [u8; 32]), PeopleError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| PeopleError::Storage)?;
    let text = super::hex(&bytes);
    let hash = digest(&text);
    Ok((text, hash))
}

/// What is kept of a token that was shown; nothing if it cannot be one.
pub(super) fn hash_of(text: &str) -> Option<[u8; 32]> {
    let shaped = text.len() == LEN && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    shaped.then(|| digest(text))
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}
