//! Idempotency keys: one key and one request have one effect and one answer.

use crate::engine::{Engine, Settings};
use crate::refusal::Refusal;
use domain::access::{Caller, KeptAnswer, KeyClaim};
use domain::ids::{AccountId, OrderId};
use domain::time::Timestamp;

/// A write that came with an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyedRequest {
    /// Path and action.
    pub endpoint: String,
    /// The key, unquoted.
    pub key: String,
    /// Digest of method, path, action and canonical body.
    pub fingerprint: [u8; 32],
    /// Whether "not enough funds" stays under the key and is said again, as the API promises. A form
    /// that is sent again after a top-up is meant to buy.
    pub keeps_refusal: bool,
}

/// What stands under a key for the same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The answer follows from this order.
    Order(OrderId),
    /// The answer follows from this request for an order.
    Request(i64),
    /// The available balance was below the price.
    InsufficientFunds,
}

impl KeyedRequest {
    fn claim(
        &self,
        caller: &Caller,
        answer: KeptAnswer,
        now: Timestamp,
        settings: &Settings,
    ) -> KeyClaim {
        KeyClaim {
            account: caller.account.id,
            endpoint: self.endpoint.clone(),
            key: self.key.clone(),
            fingerprint: self.fingerprint,
            answer,
            expires_at: now + settings.key_lifetime,
        }
    }

    pub(crate) fn claim_for_order(
        &self,
        caller: &Caller,
        order: OrderId,
        now: Timestamp,
        settings: &Settings,
    ) -> KeyClaim {
        self.claim(caller, KeptAnswer::Order(order), now, settings)
    }

    pub(crate) fn claim_for_request(
        &self,
        caller: &Caller,
        request: i64,
        now: Timestamp,
        settings: &Settings,
    ) -> KeyClaim {
        self.claim(caller, KeptAnswer::Request(request), now, settings)
    }

    pub(crate) fn claim_without_funds(
        &self,
        caller: &Caller,
        now: Timestamp,
        settings: &Settings,
    ) -> KeyClaim {
        self.claim(caller, KeptAnswer::InsufficientFunds, now, settings)
    }
}

impl Engine {
    /// The claim of a form that is done once, and the row that came of it; 0 where there is nothing to
    /// show again.
    pub(crate) fn claim_once(&self, account: AccountId, form: &KeyedRequest, row: i64) -> KeyClaim {
        KeyClaim {
            account,
            endpoint: form.endpoint.clone(),
            key: form.key.clone(),
            fingerprint: form.fingerprint,
            answer: KeptAnswer::Request(row),
            expires_at: self.now() + self.settings.key_lifetime,
        }
    }

    /// What stands under the key, or the refusal where it belongs to another request.
    pub(crate) async fn find_claim(
        &self,
        caller: &Caller,
        key: &KeyedRequest,
    ) -> Result<Option<Found>, Refusal> {
        self.claimed(caller.account.id, key).await
    }

    /// The same for an account.
    pub(crate) async fn claimed(
        &self,
        account: AccountId,
        key: &KeyedRequest,
    ) -> Result<Option<Found>, Refusal> {
        let claim = self
            .store()
            .claim(account, &key.endpoint, &key.key, self.now())
            .await?;
        let Some(claim) = claim else { return Ok(None) };
        if claim.fingerprint != key.fingerprint {
            return Err(Refusal::IdempotencyKeyReused);
        }
        Ok(Some(match claim.answer {
            KeptAnswer::Order(order) => Found::Order(order),
            KeptAnswer::Request(request) => Found::Request(request),
            KeptAnswer::InsufficientFunds => Found::InsufficientFunds,
        }))
    }
}
