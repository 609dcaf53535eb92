//! What must hold of a top-up: one credit, equal to what its row says, and reversals that add up.

use domain::time::Timestamp;
use domain::top_up::{Processor, TopUpState};
use domain::usd::Usd;

use crate::audit::Findings;
use crate::order_audit::check_due;

/// A top-up with what stands beside it.
pub(crate) struct TopUpFacts {
    pub(crate) id: i64,
    pub(crate) processor: Processor,
    pub(crate) state: TopUpState,
    pub(crate) amount: Usd,
    pub(crate) bonus: Usd,
    pub(crate) credited: Usd,
    pub(crate) payment: Option<String>,
    /// Amount, fee and bonus that went back, by the row.
    pub(crate) reversed: [Usd; 3],
    pub(crate) reversals: u64,
    pub(crate) due_at: Option<Timestamp>,
    /// What was put into the wallet, and for which payment.
    pub(crate) credit: Option<(Usd, String)>,
    pub(crate) bonus_credit: Option<Usd>,
    pub(crate) reversal_rows: u64,
    /// The same as `reversed`, summed over the movements.
    pub(crate) reversal_sums: [Usd; 3],
}

impl TopUpFacts {
    /// The row against what moved for it.
    pub(crate) fn check(&self, now: Timestamp, findings: &mut Findings) {
        let Self { id, state, .. } = self;
        let is_credited = *state == TopUpState::Credited;
        let credit = self.credit.as_ref();
        // of a transfer an operator confirms another amount; of coins a part may be credited
        let may_be_less = matches!(self.processor, Processor::Manual | Processor::NowPayments);
        let whole = match credit {
            Some((amount, payment)) => {
                is_credited
                    && *amount == self.credited
                    && self.payment.as_ref() == Some(payment)
                    && (may_be_less || *amount >= self.amount)
            }
            None => !is_credited && self.credited == Usd::ZERO,
        };
        findings.require(whole, "I-26", || {
            let slug = state.slug();
            format!(
                "top-up {id} is {slug} with {} credited, entries: {credit:?}",
                self.credited
            )
        });
        let promised = if is_credited { self.bonus } else { Usd::ZERO };
        let bonus = self.bonus_credit.unwrap_or_default();
        findings.require(bonus == promised, "I-26", || {
            format!("top-up {id}: a bonus of {bonus} was added, {promised} was promised")
        });
        let adds_up = self.reversed == self.reversal_sums && self.reversals == self.reversal_rows;
        findings.require(adds_up, "I-27", || {
            let (told, sums) = (self.reversed, self.reversal_sums);
            format!("top-up {id}: {told:?} went back by its row, {sums:?} by its movements")
        });
        if state.is_open() && self.processor != Processor::Manual {
            check_due(self.due_at, now, || format!("top-up {id}"), findings);
        }
    }
}
