//! A key replaced by a new one, once: that it was is a claim that never ends, made in the same
//! commit, so that of equal requests at the same time one makes a key and the others none.

use crate::accounts::{AdminError, IssuedKey, KeyOrder};
use crate::api_key::{Environment, Pepper};
use crate::engine::Engine;
use domain::access::{ApiKey, KeptAnswer, KeyClaim};
use domain::change::Write;
use domain::ids::{AccountId, KeyId};
use domain::ports::StoreError;
use domain::time::{Millis, Timestamp};

/// Under which claims on keys are kept.
const REPLACED: &str = "key replaced";

const OVER: &str = "this key is over: make a new key instead of replacing it";
const TAKEN: &str = "this key was replaced already: its successor was shown then, and only then. \
                     If you did not keep it, make a new key and revoke that one";

impl Engine {
    /// A new key with all that the old one may do; the old one works on for the overlap.
    pub(crate) async fn rotate_key(
        &self,
        (account, id): (AccountId, KeyId),
        overlap: Millis,
        made_by: (Environment, &Pepper),
    ) -> Result<IssuedKey, AdminError> {
        let found = self.store().key(id).await?;
        let old = found.filter(|key| key.account == account);
        let old = old.ok_or_else(|| AdminError::NotFound(format!("key {id}")))?;
        let now = self.now();
        if old.revoked || old.expires_at.is_some_and(|end| end <= now) {
            return Err(AdminError::Conflict(OVER.to_owned()));
        }
        let order = KeyOrder::like(&old);
        let claim = KeyClaim {
            account,
            endpoint: REPLACED.to_owned(),
            key: id.to_string(),
            fingerprint: [0; 32],
            answer: KeptAnswer::Request(id.0),
            expires_at: Timestamp(i64::MAX),
        };
        let also = vec![Write::Claim(claim), ending(old, now + overlap)];
        let issued = self
            .issue_key_with(account, order, made_by, (also, TAKEN))
            .await?;
        self.callers.forget_account(account);
        Ok(issued)
    }

    /// Whether a key is over because another took its place; one that works on is not.
    pub(crate) async fn is_rotated_out(&self, key: &ApiKey) -> Result<bool, StoreError> {
        let now = self.now();
        if key.expires_at.is_none_or(|end| end > now) {
            return Ok(false);
        }
        let id = key.id.to_string();
        let claim = self.store().claim(key.account, REPLACED, &id, now).await?;
        Ok(claim.is_some())
    }
}

/// The old key ends then, if it does not end sooner.
fn ending(old: ApiKey, end: Timestamp) -> Write {
    Write::UpdateKey(Box::new(ApiKey {
        expires_at: Some(old.expires_at.map_or(end, |sooner| sooner.min(end))),
        ..old
    }))
}
