//! What the policy engine asks of an account inside the change that opens an order.

use domain::activation::ActivationState;
use domain::change::{Reason, Refused};
use domain::ids::{AccountId, OrderId};
use domain::link;
use domain::policy::velocity::{
    Ordered, Past, PastNumber, PastSmm, keeps_pace, smm_since, target_since,
};
use domain::policy::{PaceCheck, PolicyWrite};
use domain::smm_order::SmmState;
use domain::time::Timestamp;
use domain::usd::Usd;

use super::Stop;
use super::rows::Rows;

/// SMM orders looked back at.
const SMM_MAX: usize = 5000;

impl Rows {
    /// The guard of a policy write. Attestations and lists are not kept here.
    pub(super) fn policy(&self, write: &PolicyWrite, at: Timestamp) -> Result<(), Stop> {
        match write {
            PolicyWrite::KeepPace(pace) if pace.attestation.is_none() => self.keep_pace(pace, at),
            // it keeps no cases, so none holds anything
            PolicyWrite::EaseCases(_) => Ok(()),
            other => {
                let what = format!("the store in memory does not keep {other:?}");
                Err(Stop::Wrong(what))
            }
        }
    }

    fn keep_pace(&self, pace: &PaceCheck, at: Timestamp) -> Result<(), Stop> {
        let past = self.past(pace, at);
        keeps_pace(&pace.velocity, &pace.ordered, &past, at)
            .map_err(|exceeded| Stop::Refused(Refused::TooFast(exceeded)))
    }

    fn past(&self, pace: &PaceCheck, at: Timestamp) -> Past {
        let look_back = usize::try_from(pace.velocity.look_back()).unwrap_or(usize::MAX);
        let numbers = self.numbers_of(pace.account);
        let target = match &pace.ordered {
            Ordered::Smm { target, .. } => self.ordered_for(target, target_since(at)),
            _ => Vec::new(),
        };
        Past {
            open_activations: self.open_activations(pace.account),
            numbers: numbers.take(look_back).collect(),
            smm: self.smm_of(pace.account, smm_since(at)),
            target,
        }
    }

    fn open_activations(&self, account: AccountId) -> u32 {
        use ActivationState as S;
        let open = self.activations.values().filter(|row| {
            let over = matches!(row.state, S::Received | S::Cancelled | S::Failed);
            row.account == account && !over
        });
        u32::try_from(open.count()).unwrap_or(u32::MAX)
    }

    fn numbers_of(&self, account: AccountId) -> impl Iterator<Item = PastNumber> {
        let newest_first = self.activations.values().rev();
        let of_account = newest_first.filter(move |row| row.account == account);
        of_account.map(|row| {
            let resolution = self.holds.get(&row.id).and_then(|hold| hold.resolution);
            let cancelled = resolution.filter(|(_, _, why, _)| *why == Reason::Cancelled);
            PastNumber {
                at: row.created_at,
                service: row.wanted.service_name.clone(),
                country: row.wanted.country_key.clone(),
                failed: row.state == ActivationState::Failed,
                cancelled_at: cancelled.map(|(.., at)| at),
                spent: self.spent_on(row.id),
            }
        })
    }

    fn smm_of(&self, account: AccountId, since: Timestamp) -> Vec<PastSmm> {
        let newest_first = self.smm_orders.values().rev();
        let lately = newest_first.filter(|row| row.account == account && row.created_at > since);
        let past = lately.map(|row| PastSmm {
            at: row.created_at,
            failed: row.state == SmmState::Failed,
            spent: self.spent_on(row.id),
        });
        past.take(SMM_MAX).collect()
    }

    /// When orders for a target were made, the newest first.
    fn ordered_for(&self, target: &str, since: Timestamp) -> Vec<Timestamp> {
        let same = self.smm_orders.values().filter(|row| {
            let counts = row.state != SmmState::Failed && row.created_at > since;
            counts && link::target(&row.link) == target
        });
        let mut times: Vec<Timestamp> = same.map(|row| row.created_at).collect();
        times.sort_unstable_by(|a, b| b.cmp(a));
        times
    }

    /// What an order took of the wallet, as far as it is known.
    fn spent_on(&self, order: OrderId) -> Usd {
        self.holds.get(&order).map_or(Usd::ZERO, |hold| {
            let taken = hold.resolution.map_or(hold.amount(), |(posted, ..)| posted);
            Usd(taken.0 - hold.adjusted().0)
        })
    }
}
