//! Who may ask: accounts, API keys, and the claims on idempotency keys.

use crate::ids::{AccountId, KeyId, OrderId};
use crate::time::Timestamp;

/// A consumer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Id.
    pub id: AccountId,
    /// E-mail, lower case.
    pub email: String,
    /// Trust tier, 0 to 3.
    pub tier: u8,
    /// Whether the API may be used.
    pub api_access: bool,
    /// Whether the account is suspended: nothing can be bought, open orders settle.
    pub suspended: bool,
    /// Creation.
    pub created_at: Timestamp,
}

/// What a key may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// Everything under `/otp`.
    Otp,
    /// Everything under `/smm`.
    Smm,
    /// Reads only, everywhere.
    Read,
}

impl Scope {
    /// All scopes.
    pub const ALL: [Self; 3] = [Self::Otp, Self::Smm, Self::Read];

    /// Stable word.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Otp => "otp",
            Self::Smm => "smm",
            Self::Read => "read",
        }
    }

    /// Reads a word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.slug() == slug)
    }
}

/// An API key as it is kept: never the secret itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// Row.
    pub id: KeyId,
    /// Whose.
    pub account: AccountId,
    /// The public part printed inside the key, unique.
    pub public_id: String,
    /// Keyed hash of the whole key.
    pub mac: [u8; 32],
    /// Name given by its owner.
    pub name: String,
    /// Last four characters, to recognise it by.
    pub last4: String,
    /// What it may do; empty means everything.
    pub scopes: Vec<Scope>,
    /// Requests per minute and action; nothing means the general limit.
    pub rate_limit: Option<u32>,
    /// Addresses (plain or CIDR) it may be used from; empty means everywhere.
    pub allowed_addresses: Vec<String>,
    /// Creation.
    pub created_at: Timestamp,
    /// End of validity.
    pub expires_at: Option<Timestamp>,
    /// Switched off for now.
    pub disabled: bool,
    /// Revoked for good.
    pub revoked: bool,
}

impl ApiKey {
    /// Whether the key may be used for a service (`Otp` or `Smm`), for a read or a write.
    pub fn permits(&self, service: Scope, write: bool) -> bool {
        let named = self.scopes.iter().filter(|scope| **scope != Scope::Read);
        let services: Vec<_> = named.collect();
        let read_only = self.scopes.contains(&Scope::Read) && services.is_empty();
        if read_only {
            !write
        } else {
            services.is_empty() || services.contains(&&service)
        }
    }
}

/// A key with the account behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The key.
    pub key: ApiKey,
    /// The account.
    pub account: Account,
}

impl Caller {
    /// An account's owner at the dashboard: no key stands behind what they do.
    pub fn signed_in(account: Account) -> Self {
        let key = ApiKey {
            id: KeyId(0),
            account: account.id,
            public_id: String::new(),
            mac: [0; 32],
            name: String::new(),
            last4: String::new(),
            scopes: Vec::new(),
            rate_limit: None,
            allowed_addresses: Vec::new(),
            created_at: account.created_at,
            expires_at: None,
            disabled: false,
            revoked: false,
        };
        Self { key, account }
    }
}

/// What is kept under an idempotency key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptAnswer {
    /// The answer follows from this order.
    Order(OrderId),
    /// The answer follows from this request for an order.
    Request(i64),
    /// A refusal before anything was done: available balance below the price.
    InsufficientFunds,
}

/// An idempotency key in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyClaim {
    /// Whose.
    pub account: AccountId,
    /// Path and action.
    pub endpoint: String,
    /// The caller's key.
    pub key: String,
    /// Digest of method, path, action and canonical body.
    pub fingerprint: [u8; 32],
    /// What was answered.
    pub answer: KeptAnswer,
    /// When the key is free again.
    pub expires_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(scopes: &[Scope]) -> ApiKey {
        ApiKey {
            id: KeyId(1),
            account: AccountId(1),
            public_id: "p".into(),
            mac: [0; 32],
            name: String::new(),
            last4: String::new(),
            scopes: scopes.to_vec(),
            rate_limit: None,
            allowed_addresses: Vec::new(),
            created_at: Timestamp(0),
            expires_at: None,
            disabled: false,
            revoked: false,
        }
    }

    #[test]
    fn scopes_narrow_and_never_widen() {
        assert!(key(&[]).permits(Scope::Otp, true));
        assert!(key(&[Scope::Otp]).permits(Scope::Otp, true));
        assert!(!key(&[Scope::Otp]).permits(Scope::Smm, false));
        assert!(key(&[Scope::Read]).permits(Scope::Smm, false));
        assert!(!key(&[Scope::Read]).permits(Scope::Otp, true));
        assert!(key(&[Scope::Read, Scope::Otp]).permits(Scope::Otp, true));
    }
}
