//! We return money to a payer: out of the wallet first, then at the processor under a key of its own.
//! What the wallet lacks is returned only where whoever asks says that it is to be owed. A process that
//! dies in between leaves the second half to whoever comes next.

use super::approve::proposed_by;
use super::back::as_write;
use super::{TopUps, withdrawn};
use crate::accounts::AdminError;
use crate::reason::reason;
use domain::change::{CommitError, Refused, Write};
use domain::ports::StoreError;
use domain::ticket::TicketKind;
use domain::top_up::{
    ProcessorError, Proposal, Refund, RefundState, Reversal, ReversalCause, TopUp, TopUpState,
    TopUpWrite, next_refund,
};
use domain::usd::Usd;

/// The movement and what the processor is to be told, in one change.
pub(super) fn as_writes((row, reversal, refund): &Planned) -> Vec<Write> {
    let known = Write::TopUp(TopUpWrite::Refund(Box::new(refund.clone())));
    vec![as_write((row.clone(), reversal.clone())), known]
}

fn conflict<T>(why: &str) -> Result<T, AdminError> {
    Err(AdminError::Conflict(why.to_owned()))
}

fn moved<T>() -> Result<T, AdminError> {
    conflict("the top-up moved meanwhile: look at it again")
}

fn invalid<T>(why: &str) -> Result<T, AdminError> {
    Err(AdminError::Invalid(why.to_owned()))
}

/// What is to be returned of a top-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefundOrder<'a> {
    /// What the payer gets.
    pub amount: Usd,
    /// Why.
    pub reason: &'a str,
    /// What the wallet lacks of it is owed; else only what is there is returned.
    pub may_owe: bool,
    /// Movements that whoever asks has seen on the page: a form sent twice returns nothing twice.
    pub seen: Option<i64>,
}

/// A refund that was decided on: the row afterwards, what moves, and what the processor is told.
pub(super) type Planned = (TopUp, Reversal, Refund);

impl TopUps {
    /// Returns money of a credited top-up to its payer; nothing where a second person has to want the
    /// same first, and what this one wants is kept.
    ///
    /// # Errors
    /// It is not credited, less is left of it or in the wallet, it is of an account of their own, it
    /// moved meanwhile, or its processor did not say yes: the sentence says which.
    pub async fn refund(
        &self,
        id: i64,
        order: RefundOrder<'_>,
    ) -> Result<Option<TopUp>, AdminError> {
        let row = self.one(id).await?;
        self.not_own(&row).await?;
        if row.state != TopUpState::Credited {
            return conflict("only a credited top-up can be refunded");
        }
        let reason = reason(order.reason)?.to_owned();
        if order.seen.is_some_and(|seen| seen != row.reversals) {
            return moved();
        }
        let (next, writes, refund) = self.decided(&row, order, reason).await?;
        if self.waits_for_second(&row, order, &refund.reason).await? {
            return Ok(None);
        }
        match self.engine.commit("refund_top_up", writes).await {
            Ok(()) => {}
            Err(CommitError::Refused(Refused::InsufficientFunds)) => {
                return conflict("the wallet has less available by now: look at it again");
            }
            Err(CommitError::Refused(_)) => {
                return moved();
            }
            Err(error) => return Err(error.into()),
        }
        tracing::warn!(
            top_up = id,
            micros = order.amount.0,
            "refunded: {}",
            refund.reason
        );
        match self.tell(refund).await {
            Ok(()) => Ok(Some(next)),
            Err(why) => Err(AdminError::Invalid(why)),
        }
    }

    /// What is to be written, where the top-up and the wallet have as much.
    async fn decided(
        &self,
        row: &TopUp,
        order: RefundOrder<'_>,
        reason: String,
    ) -> Result<(TopUp, Vec<Write>, Refund), AdminError> {
        let left = self.left(row).await?;
        let amount = order.amount;
        if amount <= Usd::ZERO || amount > left || amount.0 % 10_000 != 0 {
            let left = left.short();
            return invalid(&format!("the amount must be whole cents, at most {left}"));
        }
        let cause = match order.may_owe {
            true => ReversalCause::OwedRefund,
            false => ReversalCause::OwnRefund,
        };
        let Some(planned) = self.planned(row, (amount, left), cause, reason) else {
            return conflict("all of it is gone already");
        };
        let wallet = self.engine.store().wallet(row.account).await?;
        let there = wallet.unwrap_or_default().available.0 + self.rows.uncleared(row.id).await?.0;
        let out = planned.1.parts.of_customer();
        if there < out.0 && !order.may_owe {
            let (there, out) = (Usd(there).short(), out.short());
            return conflict(&format!(
                "the wallet has {there} available, {out} would go back"
            ));
        }
        Ok((planned.0.clone(), as_writes(&planned), planned.2))
    }

    /// What the payer may get back yet.
    pub async fn left(&self, row: &TopUp) -> Result<Usd, StoreError> {
        let disputes = self.rows.disputes(row.id).await?;
        let so_far = row.refunded.0 + withdrawn(&disputes).0;
        Ok(Usd((row.credited.0 + row.fee.0 - so_far).max(0)))
    }

    /// A refund of so much where so much is left; nothing where all of it is gone already.
    pub(super) fn planned(
        &self,
        row: &TopUp,
        (amount, left): (Usd, Usd),
        cause: ReversalCause,
        reason: String,
    ) -> Option<Planned> {
        let refunded = TopUp {
            refunded: Usd(row.refunded.0 + amount.0),
            ..row.clone()
        };
        let refund = Refund {
            reason,
            ..Refund::new(row.id, row.reversals + 1, amount, self.engine.now())
        };
        let total = Usd(row.credited.0 + row.fee.0 - left.0 + amount.0);
        let (next, reversal) = refunded.reverse(total, (cause, refund.key.as_str()))?;
        Some((next, reversal, refund))
    }

    /// Whether somebody else has to want the same first. What this one wants is kept; what was wanted
    /// before the top-up last moved counts for nothing.
    async fn waits_for_second(
        &self,
        row: &TopUp,
        order: RefundOrder<'_>,
        reason: &str,
    ) -> Result<bool, AdminError> {
        let from = self.settings.second_person_from;
        // a large sum is no smaller in parts
        let all = Usd(row.refunded.0 + order.amount.0);
        if from.is_none_or(|from| all < from) {
            return Ok(false);
        }
        let wanted = Proposal {
            top_up: row.id,
            proposer: proposed_by(),
            amount: order.amount,
            reference: next_refund(row, order.may_owe),
            reason: reason.to_owned(),
            at: self.engine.now(),
        };
        let known = self.proposal(row).await?;
        let is_same = |known: &Proposal| {
            let same = (known.amount, &known.reference) == (wanted.amount, &wanted.reference);
            same && known.proposer != wanted.proposer
        };
        if known.as_ref().is_some_and(is_same) {
            return Ok(false);
        }
        let propose = Write::TopUp(TopUpWrite::Propose(Box::new(wanted)));
        self.engine.commit("propose_refund", vec![propose]).await?;
        Ok(true)
    }

    /// Tells the processor of a refund. What it does not answer is asked again under the same key, as
    /// long as that is the same call; what it refuses is left to a person. The sentence says which,
    /// where it was not done.
    pub(super) async fn tell(&self, refund: Refund) -> Result<(), String> {
        let row = match self.rows.top_up(refund.top_up).await {
            Ok(Some(row)) => row,
            _ => return Err("the top-up cannot be read just now".to_owned()),
        };
        let (state, why) = self.ask_for(&row, &refund).await;
        let told = refund.told(state, self.engine.now());
        let mut writes = vec![Write::TopUp(TopUpWrite::Refund(Box::new(told)))];
        if let (RefundState::ByHand, Some(why)) = (state, &why) {
            let reference = self.engine.store().next_row_id();
            writes.push(self.ticket(TicketKind::TopUpReturned, &row, reference, why));
        }
        self.engine.step("tell_refund", writes).await;
        why.map_or(Ok(()), Err)
    }

    /// How far a refund is now, and the sentence about it where it is not done.
    async fn ask_for(&self, row: &TopUp, refund: &Refund) -> (RefundState, Option<String>) {
        let taken = format!("{} was taken from the wallet", refund.amount.short());
        let before = self.engine.predates_restoration(refund.asked_at);
        if before || refund.may_be_forgotten(self.engine.now()) {
            let why = format!(
                "{taken}; nobody knows whether it was returned: look there first, and return it by \
                 hand if it was not"
            );
            return (RefundState::ByHand, Some(why));
        }
        let answer = match self.processor(row.processor) {
            Some(processor) => processor.refund(row, refund.amount, &refund.key).await,
            None => Err(ProcessorError::NotOffered),
        };
        match answer {
            Ok(()) => (RefundState::Sent, None),
            Err(error @ ProcessorError::Unreachable(_)) => {
                let why = format!(
                    "{taken}; the processor does not answer ({error}) and is told again by itself"
                );
                (RefundState::Open, Some(why))
            }
            // an earlier call whose answer was lost may have done it all the same
            Err(error) => {
                let why = format!(
                    "{taken}, but the processor does not return it: {error}. Look there first, and \
                     return it by hand if it was not returned"
                );
                (RefundState::ByHand, Some(why))
            }
        }
    }
}
