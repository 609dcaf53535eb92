//! Bounds of accounts: what is asked inside the change that opens an order.

use crate::engine::Engine;
use domain::access::Account;
use domain::change::Write;
use domain::ids::AccountId;
use domain::policy::velocity::{Ordered, Velocity};
use domain::policy::{ATTESTATION_VERSION, PaceCheck, PolicyWrite, needs_attestation};
use domain::time::{Millis, Timestamp};
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// Over which cancels are remembered.
const HOUR: Millis = Millis::minutes(60);
/// Cancels remembered of one account; more say nothing new.
const CANCELS_KEPT: usize = 50;

/// Cancels of the last hour by account, as this process saw them: whether an account without other
/// bounds has to be compared with its past at all.
#[derive(Debug, Default)]
pub(crate) struct Cancels(Mutex<HashMap<AccountId, VecDeque<Timestamp>>>);

impl Cancels {
    fn note(&self, account: AccountId, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let of_account = all.entry(account).or_default();
        of_account.push_back(now);
        if of_account.len() > CANCELS_KEPT {
            of_account.pop_front();
        }
        all.retain(|_, times| times.back().is_some_and(|last| now - *last < HOUR));
    }

    fn recent(&self, account: AccountId, now: Timestamp) -> usize {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let times = all.get(&account);
        times.map_or(0, |times| {
            times.iter().filter(|at| now - **at < HOUR).count()
        })
    }
}

impl Engine {
    /// The bounds of a tier.
    pub fn velocity(&self, tier: u8) -> Velocity {
        let tiers = &self.known.now().velocity;
        tiers[usize::from(tier).min(tiers.len() - 1)].clone()
    }

    /// The bounds of an account: those of its tier, and what holds against it.
    pub(crate) fn bounds_of(&self, account: &Account) -> Velocity {
        let measure = self.known.now().in_force.measure(account.id);
        measure.bounds(&self.velocity(account.tier), &self.velocity(0))
    }

    /// What the account's bounds ask of an order; nothing where it has none that could matter.
    pub(crate) fn keep_pace(
        &self,
        account: &Account,
        ordered: impl FnOnce() -> Ordered,
    ) -> Option<Write> {
        let velocity = self.bounds_of(account);
        let cancels_much = || {
            let recent = self.cancels.recent(account.id, self.now());
            velocity
                .suspicious_cancels()
                .is_some_and(|from| recent >= from)
        };
        let attestation = needs_attestation(account.tier).then_some(ATTESTATION_VERSION);
        let matters = velocity.bounds_orders() || attestation.is_some() || cancels_much();
        matters.then(|| {
            Write::Policy(PolicyWrite::KeepPace(Box::new(PaceCheck {
                account: account.id,
                velocity,
                ordered: ordered(),
                attestation,
            })))
        })
    }

    /// A client cancelled a number.
    pub(crate) fn note_cancel(&self, account: AccountId) {
        self.cancels.note(account, self.now());
        self.signals.bought(account);
    }
}
