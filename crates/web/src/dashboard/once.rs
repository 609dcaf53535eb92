//! Forms that buy carry a key made with their page: sent twice, they buy once.

use super::fields::{Fields, TOKEN};
use super::page::Failed;
use app::{Answer, KeyedRequest, OnceKey, Refusal};
use domain::hex::hex;
use domain::upstream::Pending;
use sha2::{Digest, Sha256};

/// The hidden field with the key.
const FIELD: &str = "once";

/// Purchases of one form that may fail before it is used up.
const TURNS: u32 = 20;

/// A fresh key.
pub(crate) fn key() -> Result<String, Refusal> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|_| Refusal::StorageUnavailable)?;
    Ok(hex(&bytes))
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

/// The same for a form with a button for each of several things: each is bought once.
pub(crate) fn of_button(form: KeyedRequest) -> KeyedRequest {
    let button = hex(&form.fingerprint[..8]);
    KeyedRequest {
        key: format!("{}-{button}", form.key),
        ..form
    }
}

/// Buys under the key of a form. Only what was bought, or may have been, stays under it: a purchase
/// that failed cost nothing, and whoever goes back and sends the same form again means to try again.
/// Each turn has a key of its own, so forms sent at the same moment still buy once.
pub(crate) async fn bought<'a, T>(
    form: KeyedRequest,
    buy: impl Fn(KeyedRequest) -> Pending<'a, Answer<T>>,
) -> Answer<T> {
    let mut answer = buy(form.clone()).await;
    for turn in 2..=TURNS {
        if !answer.replayed || answer.outcome.is_ok() {
            break;
        }
        let key = format!("{}.{turn}", form.key);
        answer = buy(KeyedRequest {
            key,
            ..form.clone()
        })
        .await;
    }
    answer
}
