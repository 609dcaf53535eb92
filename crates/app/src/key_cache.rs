//! API keys in memory, so that a poll costs no look-up of its key. Every change to a key or an
//! account that passes through this process drops its entry at once.

use domain::access::Caller;
use domain::ids::AccountId;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Keys kept at most; beyond that the cache starts over.
const ROOM: usize = 100_000;

/// Callers by the public part of their key, as long as the store's version of them stays.
#[derive(Debug, Default)]
pub(crate) struct KeyCache(RwLock<Known>);

#[derive(Debug, Default)]
struct Known {
    version: u64,
    callers: HashMap<String, Arc<Caller>>,
}

impl KeyCache {
    /// The caller, if it was read under this version.
    pub fn get(&self, public_id: &str, version: u64) -> Option<Arc<Caller>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let current = known.version == version;
        current.then(|| known.callers.get(public_id).cloned())?
    }

    /// Keeps a caller that was read after the store told this version.
    pub fn put(&self, caller: Arc<Caller>, version: u64) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if version < known.version {
            return;
        }
        if version > known.version || known.callers.len() >= ROOM {
            known.callers.clear();
            known.version = version;
        }
        let public_id = caller.key.public_id.clone();
        known.callers.insert(public_id, caller);
    }

    /// Forgets the keys of an account.
    pub fn forget_account(&self, account: AccountId) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known
            .callers
            .retain(|_, caller| caller.account.id != account);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::access::{Account, ApiKey, Scope};
    use domain::ids::KeyId;
    use domain::time::Timestamp;

    fn caller() -> Arc<Caller> {
        let account = Account {
            id: AccountId(1),
            email: "ana@example.com".into(),
            tier: 3,
            api_access: true,
            suspended: false,
            created_at: Timestamp(0),
        };
        let key = ApiKey {
            id: KeyId(1),
            account: account.id,
            public_id: "public".into(),
            mac: [0; 32],
            name: String::new(),
            last4: String::new(),
            scopes: vec![Scope::Read],
            rate_limit: None,
            allowed_addresses: Vec::new(),
            created_at: Timestamp(0),
            expires_at: None,
            disabled: false,
            revoked: false,
        };
        Arc::new(Caller { key, account })
    }

    #[test]
    fn what_was_read_under_another_version_is_read_again() {
        let cache = KeyCache::default();
        cache.put(caller(), 1);
        assert!(cache.get("public", 1).is_some());
        assert!(cache.get("public", 2).is_none());
        // a read that began before the change came to an end after it
        cache.put(caller(), 2);
        cache.put(caller(), 1);
        assert!(cache.get("public", 2).is_some());
        assert!(cache.get("public", 1).is_none());
        cache.forget_account(AccountId(1));
        assert!(cache.get("public", 2).is_none());
    }
}
