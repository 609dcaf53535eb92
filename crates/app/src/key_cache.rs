//! API keys in memory, so that a poll costs no look-up of its key. Every change to a key or an
//! account that passes through this process drops its entry at once.

use domain::access::Caller;
use domain::ids::AccountId;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

/// Keys kept at most; beyond that the cache starts over.
const ROOM: usize = 100_000;

/// Callers by the public part of their key.
#[derive(Debug, Default)]
pub(crate) struct KeyCache(RwLock<HashMap<String, Arc<Caller>>>);

impl KeyCache {
    pub fn get(&self, public_id: &str) -> Option<Arc<Caller>> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(public_id)
            .cloned()
    }

    pub fn put(&self, caller: Arc<Caller>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= ROOM {
            known.clear();
        }
        known.insert(caller.key.public_id.clone(), caller);
    }

    pub fn forget_account(&self, account: AccountId) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.retain(|_, caller| caller.account.id != account);
    }
}
