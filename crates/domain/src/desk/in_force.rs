//! What people decided and every purchase has to know before it chooses its way: read as one, so that no
//! purchase sees half of it.

use super::Pause;
use crate::ids::AccountId;
use crate::policy::{Measure, RuleChange, Standing};
use std::collections::HashMap;

/// Everything that is in force at a moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InForce {
    /// Upstreams at which nothing is bought, by name.
    pub pauses: Vec<Pause>,
    /// What two persons have loosened of the rules, oldest first.
    pub loosened: Vec<RuleChange>,
    /// The hardest measure against each account that is under any but being written down.
    pub measures: HashMap<AccountId, Measure>,
}

impl InForce {
    /// Whether nothing is bought at an upstream.
    pub fn is_paused(&self, upstream: &str) -> bool {
        self.pauses.iter().any(|pause| pause.upstream == upstream)
    }

    /// What holds against an account.
    pub fn measure(&self, account: AccountId) -> Measure {
        let found = self.measures.get(&account);
        found.copied().unwrap_or(Measure::Log)
    }

    /// Whether an account may buy, as far as measures say.
    pub fn standing(&self, account: AccountId) -> Standing {
        self.measure(account).standing()
    }
}
