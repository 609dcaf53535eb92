//! Money that goes back: refunds, disputes, and what comes again when a dispute is won.

use super::processor::Processor;
use super::{TopUp, TopUpState};
use crate::usd::{Usd, refund_share};

/// What moved, by where it came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Parts {
    /// Of what was credited.
    pub amount: Usd,
    /// Of the fee that was paid beside it.
    pub fee: Usd,
    /// Of what the house added.
    pub bonus: Usd,
}

impl Parts {
    /// What lies between two states.
    fn less(self, before: Self) -> Self {
        Self {
            amount: Usd(self.amount.0 - before.amount.0),
            fee: Usd(self.fee.0 - before.fee.0),
            bonus: Usd(self.bonus.0 - before.bonus.0),
        }
    }

    /// What the customer's wallet gives.
    pub fn of_customer(self) -> Usd {
        Usd(self.amount.0 + self.bonus.0)
    }

    /// The other way round.
    pub fn reversed(self) -> Self {
        Self::default().less(self)
    }
}

/// Why money moves back or forth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReversalCause {
    /// The processor returned money to the payer.
    Refund,
    /// A dispute took it.
    Dispute,
    /// A dispute was won.
    Reinstated,
    /// The payment turned out to be void.
    Void,
    /// We return what the wallet has of it.
    OwnRefund,
    /// We return it, and what the wallet lacks is owed.
    OwedRefund,
}

impl ReversalCause {
    /// All causes.
    pub const ALL: [Self; 6] = [
        Self::Refund,
        Self::Dispute,
        Self::Reinstated,
        Self::Void,
        Self::OwnRefund,
        Self::OwedRefund,
    ];

    /// Stable word.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Refund => "refund",
            Self::Dispute => "dispute",
            Self::Reinstated => "reinstated",
            Self::Void => "void",
            Self::OwnRefund => "own_refund",
            Self::OwedRefund => "owed_refund",
        }
    }

    /// Reads a word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.slug() == slug)
    }
}

/// One movement. Parts are above zero where money goes back, below where it comes again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reversal {
    /// 1 for the row's first.
    pub seq: i64,
    /// Why.
    pub cause: ReversalCause,
    /// What it names: an event or a dispute. Once for each cause and row.
    pub reference: String,
    /// What moves.
    pub parts: Parts,
}

/// A dispute of a credited payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    /// Whose.
    pub processor: Processor,
    /// The processor's id of it.
    pub id: String,
    /// The row it is about.
    pub top_up: i64,
    /// Rises with every write, from 1.
    pub version: i64,
    /// What it took, in the payer's terms.
    pub withdrawn: Usd,
    /// What was taken from the customer for it.
    pub posted: Usd,
    /// It was won, and the money is back.
    pub reinstated: bool,
}

impl TopUp {
    /// What has to be gone if the payer has got `total` back: in proportion, never more than was
    /// credited.
    fn gone(&self, total: Usd) -> Parts {
        let charge = self.credited.0 + self.fee.0;
        let total = total.0.clamp(0, charge);
        let share = |part: Usd| {
            let (total, charge) = (total.unsigned_abs(), charge.unsigned_abs());
            refund_share(part, total, charge)
        };
        let amount = share(self.credited);
        Parts {
            amount,
            fee: Usd(total - amount.0),
            bonus: share(self.bonus),
        }
    }

    /// The row and the movement once the payer has got back `new_total`, all refunds and disputes
    /// together; nothing where that much is gone already. The only way by which money goes back.
    pub fn reverse(
        &self,
        new_total: Usd,
        (cause, reference): (ReversalCause, &str),
    ) -> Option<(Self, Reversal)> {
        let wanted = self.gone(new_total);
        if self.state != TopUpState::Credited || wanted.amount <= self.reversed.amount {
            return None;
        }
        Some(self.with_gone(wanted, cause, reference))
    }

    /// The row and the movement once a dispute is won and the payer keeps no more than `new_total`:
    /// what was taken for it comes back, unless a refund has sent it to the payer meanwhile.
    pub fn reinstate(&self, new_total: Usd, dispute: &Dispute) -> Option<(Self, Reversal)> {
        let least = self.gone(new_total);
        let back = Usd(self.reversed.amount.0 - dispute.posted.0);
        let wanted = if back > least.amount {
            self.gone_to(back)
        } else {
            least
        };
        if dispute.reinstated || wanted.amount >= self.reversed.amount {
            return None;
        }
        Some(self.with_gone(wanted, ReversalCause::Reinstated, &dispute.id))
    }

    /// Parts in proportion to so much of the credited amount.
    fn gone_to(&self, amount: Usd) -> Parts {
        let share = |part: Usd| {
            refund_share(
                part,
                amount.0.unsigned_abs(),
                self.credited.0.unsigned_abs(),
            )
        };
        Parts {
            amount,
            fee: share(self.fee),
            bonus: share(self.bonus),
        }
    }

    fn with_gone(&self, wanted: Parts, cause: ReversalCause, reference: &str) -> (Self, Reversal) {
        let row = Self {
            reversed: wanted,
            reversals: self.reversals + 1,
            ..self.moved(self.state)
        };
        let reversal = Reversal {
            seq: row.reversals,
            cause,
            reference: reference.to_owned(),
            parts: wanted.less(self.reversed),
        };
        (row, reversal)
    }
}
