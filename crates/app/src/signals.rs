//! What this process noticed of accounts since the last look: who is worth being looked at. The figures
//! themselves come from the store.

use domain::ids::AccountId;
use domain::time::{Millis, Timestamp};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Over which requests with keys that do not work are counted.
const HOUR: Millis = Millis::minutes(60);

/// Accounts that are looked at in one pass; who buys again is noted again.
const LOOKED_AT: usize = 2000;

#[derive(Debug, Default)]
struct Noted {
    bought: HashSet<AccountId>,
    withheld: HashSet<AccountId>,
    failed_keys: HashMap<AccountId, (Timestamp, u32)>,
}

/// Accounts that are worth being looked at.
#[derive(Debug, Default)]
pub(crate) struct Suspects {
    /// They bought, or gave back.
    pub bought: Vec<AccountId>,
    /// A message of theirs was withheld.
    pub withheld: Vec<AccountId>,
    /// Requests with keys of theirs failed so often within the hour.
    pub failed_keys: Vec<(AccountId, u32)>,
}

/// What this process noticed.
#[derive(Debug, Default)]
pub(crate) struct Signals(Mutex<Noted>);

impl Signals {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An account bought a number, or gave one back.
    pub fn bought(&self, account: AccountId) {
        let mut noted = self.noted();
        if noted.bought.len() < LOOKED_AT {
            noted.bought.insert(account);
        }
    }

    /// A message of an account was withheld.
    pub fn withheld(&self, account: AccountId) {
        self.noted().withheld.insert(account);
    }

    /// A request came with a key of an account that does not work.
    pub fn key_failed(&self, account: AccountId, now: Timestamp) {
        let mut noted = self.noted();
        let (since, count) = noted.failed_keys.entry(account).or_insert((now, 0));
        if now - *since >= HOUR {
            (*since, *count) = (now, 0);
        }
        *count += 1;
    }

    /// Hands over who is worth being looked at. Failed keys go on being counted through their hour.
    pub fn take(&self, now: Timestamp) -> Suspects {
        let mut noted = self.noted();
        noted
            .failed_keys
            .retain(|_, (since, _)| now - *since < HOUR);
        let failed = noted.failed_keys.iter();
        let failed_keys = failed
            .map(|(account, (_, count))| (*account, *count))
            .collect();
        Suspects {
            bought: noted.bought.drain().collect(),
            withheld: noted.withheld.drain().collect(),
            failed_keys,
        }
    }
}
