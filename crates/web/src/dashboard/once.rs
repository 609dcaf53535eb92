//! Forms that buy carry a key made with their page: sent twice, they buy once.

use super::fields::{Fields, TOKEN};
use super::page::Failed;
use app::{KeyedRequest, OnceKey, Refusal};
use sha2::{Digest, Sha256};

/// The hidden field with the key.
const FIELD: &str = "once";

/// A fresh key.
pub(crate) fn key() -> Result<String, Refusal> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| Refusal::StorageUnavailable)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The key that a form carries.
pub(crate) fn read(fields: &Fields) -> Result<OnceKey, Failed> {
    let why = "This form is incomplete. Reload the page and send it again.";
    OnceKey::read(fields.text(FIELD)).ok_or_else(|| Failed::field("", why))
}

/// The keyed request that a form stands for.
pub(crate) fn request(path: &str, fields: &Fields) -> Result<KeyedRequest, Failed> {
    let key = read(fields)?;
    let mut digest = Sha256::new();
    for (name, value) in fields.pairs().filter(|(name, _)| *name != TOKEN) {
        digest.update(name.len().to_be_bytes());
        digest.update(name);
        digest.update(value.len().to_be_bytes());
        digest.update(value);
    }
    Ok(KeyedRequest {
        endpoint: path.to_owned(),
        key: key.as_str().to_owned(),
        fingerprint: digest.finalize().into(),
        keeps_refusal: false,
    })
}
