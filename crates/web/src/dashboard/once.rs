//! Forms that buy carry a key made with their page: sent twice, they buy once.

use super::fields::{Fields, TOKEN};
use super::page::Failed;
use app::{KeyedRequest, Refusal};
use axum::http::StatusCode;
use sha2::{Digest, Sha256};

/// The hidden field with the key.
const FIELD: &str = "once";

/// A fresh key.
pub(crate) fn key() -> Result<String, Refusal> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| Refusal::StorageUnavailable)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The keyed request that a form stands for.
pub(crate) fn request(path: &str, fields: &Fields) -> Result<KeyedRequest, Failed> {
    let key = fields.text(FIELD);
    let shaped = key.len() == 32 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !shaped {
        let why = "This form is incomplete. Reload the page and send it again.";
        return Err(Failed::new(StatusCode::UNPROCESSABLE_ENTITY, why));
    }
    let mut digest = Sha256::new();
    for (name, value) in fields.pairs().filter(|(name, _)| *name != TOKEN) {
        digest.update(name.len().to_be_bytes());
        digest.update(name);
        digest.update(value.len().to_be_bytes());
        digest.update(value);
    }
    Ok(KeyedRequest {
        endpoint: path.to_owned(),
        key: key.to_owned(),
        fingerprint: digest.finalize().into(),
    })
}
