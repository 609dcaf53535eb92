//! We return money to a payer: out of the wallet first, and only what is there, then at the processor
//! under a key of its own. A process that dies in between leaves the second half to whoever comes
//! next.

use super::back::as_write;
use super::{TopUps, withdrawn};
use crate::accounts::AdminError;
use domain::change::{CommitError, Refused, Write};
use domain::ticket::TicketKind;
use domain::top_up::{
    ProcessorError, Refund, RefundState, ReversalCause, TopUp, TopUpState, TopUpWrite,
};
use domain::usd::Usd;

fn invalid<T>(why: &str) -> Result<T, AdminError> {
    Err(AdminError::Invalid(why.to_owned()))
}

impl TopUps {
    /// Returns money of a credited top-up to its payer.
    pub async fn refund(&self, id: i64, amount: Usd, reason: &str) -> Result<TopUp, AdminError> {
        let row = self.known(id).await?;
        self.not_own(&row).await?;
        if row.state != TopUpState::Credited {
            return invalid("only a credited top-up can be refunded");
        }
        let reason = super::approve::text("reason", reason)?;
        let (next, writes, refund) = self.decided(&row, amount, reason).await?;
        match self.engine.commit("refund_top_up", writes).await {
            Ok(()) => {}
            Err(CommitError::Refused(Refused::InsufficientFunds)) => {
                return invalid("the wallet has less available by now: look at it again");
            }
            Err(CommitError::Refused(_)) => {
                return invalid("the top-up moved meanwhile: look at it again");
            }
            Err(error) => return Err(error.into()),
        }
        tracing::warn!(
            top_up = id,
            micros = amount.0,
            "refunded: {}",
            refund.reason
        );
        match self.tell(refund).await {
            Ok(()) => Ok(next),
            Err(why) => Err(AdminError::Invalid(why)),
        }
    }

    /// What is to be written, where the top-up and the wallet have as much.
    async fn decided(
        &self,
        row: &TopUp,
        amount: Usd,
        reason: String,
    ) -> Result<(TopUp, Vec<Write>, Refund), AdminError> {
        let disputes = self.rows.disputes(row.id).await?;
        let so_far = row.refunded.0 + withdrawn(&disputes).0;
        let left = row.credited.0 + row.fee.0 - so_far;
        if amount <= Usd::ZERO || amount.0 > left || amount.0 % 10_000 != 0 {
            let left = Usd(left.max(0)).short();
            return invalid(&format!("the amount must be whole cents, at most {left}"));
        }
        let refunded = TopUp {
            refunded: Usd(row.refunded.0 + amount.0),
            ..row.clone()
        };
        let refund = Refund {
            reason,
            ..Refund::new(row.id, row.reversals + 1, amount, self.engine.now())
        };
        let cause = (ReversalCause::OwnRefund, refund.key.as_str());
        let Some(reversed) = refunded.reverse(Usd(so_far + amount.0), cause) else {
            return invalid("all of it is gone already");
        };
        let wallet = self.engine.store().wallet(row.account).await?;
        let there = wallet.unwrap_or_default().available.0 + self.rows.uncleared(row.id).await?.0;
        let out = reversed.1.parts.of_customer();
        if there < out.0 {
            let (there, out) = (Usd(there).short(), out.short());
            return invalid(&format!(
                "the wallet has {there} available, {out} would go back"
            ));
        }
        let next = reversed.0.clone();
        let known = Write::TopUp(TopUpWrite::Refund(Box::new(refund.clone())));
        Ok((next, vec![as_write(reversed), known], refund))
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
