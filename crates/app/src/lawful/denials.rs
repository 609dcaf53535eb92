//! Denied sales: counted in memory until they are written down, and the latest kept to look at.

use domain::policy::Decision;
use domain::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Denials that are remembered.
const KEPT: usize = 500;

/// A sale that was denied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denied {
    /// When.
    pub at: Timestamp,
    /// Class of what was asked for.
    pub class: &'static str,
    /// The rule that decided.
    pub rule: &'static str,
    /// What was asked for; hostile text.
    pub service: String,
    /// Tier of who asked.
    pub tier: u8,
}

#[derive(Debug, Default)]
struct Seen {
    /// How often each class was denied since it was last written down.
    counted: BTreeMap<&'static str, u64>,
    latest: VecDeque<Denied>,
}

/// What this process denied.
#[derive(Debug, Default)]
pub(crate) struct Denials(Mutex<Seen>);

impl Denials {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A sale of a service to this tier was denied.
    pub(crate) fn note(&self, decision: &Decision, (service, tier): (&str, u8), at: Timestamp) {
        let denied = Denied {
            at,
            class: decision.class,
            rule: decision.rule_id,
            service: service.to_owned(),
            tier,
        };
        let mut seen = self.seen();
        *seen.counted.entry(decision.class).or_default() += 1;
        if seen.latest.len() == KEPT {
            seen.latest.pop_back();
        }
        seen.latest.push_front(denied);
    }

    /// The latest, newest first.
    pub(crate) fn latest(&self) -> Vec<Denied> {
        self.seen().latest.iter().cloned().collect()
    }

    /// Hands the counts over; they begin anew.
    pub(crate) fn take(&self) -> Vec<(String, u64)> {
        let taken = std::mem::take(&mut self.seen().counted).into_iter();
        taken
            .map(|(class, count)| (class.to_owned(), count))
            .collect()
    }
}
