//! What the operator decides: bank transfers that were found in the account's statement, and
//! top-ups that stand in review.

use super::TopUps;
use super::import::needs_two;
use super::settle::credits;
use crate::accounts::AdminError;
use crate::acting;
use crate::reason::reason;
use domain::change::{CommitError, Refused, Write};
use domain::ports::StoreError;
use domain::top_up::{Processor, Proof, Proposal, TopUp, TopUpState, TopUpWrite};
use domain::usd::Usd;

/// Longest reference of a payment, in characters.
const REFERENCE_MAX: usize = 200;

/// Whose word an approval is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// Somebody looked at the payment.
    Person,
    /// A line of the account's statement, which may be the first word and never the second.
    Statement,
}

/// Who proposes something now.
pub(super) fn proposed_by() -> String {
    acting::by().map_or_else(|| "system".to_owned(), |by| by.actor.to_string())
}

/// The reference of a payment without the white space around it.
fn reference(given: &str) -> Result<String, AdminError> {
    let given = given.trim();
    let fits = (1..=REFERENCE_MAX).contains(&given.chars().count());
    let fits = fits && !given.contains(char::is_control);
    fits.then(|| given.to_owned()).ok_or_else(|| {
        let why = format!("reference: give one line of 1 to {REFERENCE_MAX} characters");
        AdminError::Invalid(why)
    })
}

impl TopUps {
    /// One top-up.
    ///
    /// # Errors
    /// There is none of this number.
    pub async fn one(&self, id: i64) -> Result<TopUp, AdminError> {
        let row = self.rows.top_up(id).await?;
        row.ok_or_else(|| AdminError::NotFound(format!("top-up {id}")))
    }

    /// The file that its customer shows of a transfer. That somebody has it is kept written first.
    ///
    /// # Errors
    /// There is none, or nothing can be written: then it is not shown either.
    pub async fn proof(&self, id: i64) -> Result<Proof, AdminError> {
        let object = format!("file of top-up {id}");
        let found = self.rows.proof(id).await?;
        let proof = found.ok_or_else(|| AdminError::NotFound(object.clone()))?;
        let note = self.engine.note("see_proof", Some(proof.account), object);
        note.await?;
        Ok(proof)
    }

    /// Credits a top-up that waits for an operator, under the bank's or the processor's reference
    /// of the payment: no reference approves two top-ups. Where two people have to want it, the row
    /// of the first is as it was.
    pub async fn approve(
        &self,
        id: i64,
        amount: Option<Usd>,
        payment: &str,
        reason: &str,
    ) -> Result<TopUp, AdminError> {
        self.approve_by(Word::Person, id, amount, (payment, reason))
            .await
    }

    pub(super) async fn approve_by(
        &self,
        word: Word,
        id: i64,
        amount: Option<Usd>,
        (payment, why): (&str, &str),
    ) -> Result<TopUp, AdminError> {
        let row = self.one(id).await?;
        self.not_own(&row).await?;
        let (payment, reason) = (reference(payment)?, reason(why)?.to_owned());
        if !row.waits() {
            return Err(not_waiting(&row));
        }
        let amount = amount.unwrap_or(row.amount);
        let fits = amount > Usd::ZERO && amount.0 % 10_000 == 0;
        if !fits || (row.processor != Processor::Manual && amount != row.amount) {
            return Err(AdminError::Invalid(
                "usd: whole cents above zero; only a bank transfer may differ from what was asked"
                    .to_owned(),
            ));
        }
        let wanted = Proposal {
            top_up: id,
            proposer: proposed_by(),
            amount,
            reference: payment.clone(),
            reason: reason.clone(),
            at: self.engine.now(),
        };
        if needs_two(&row, amount, self.settings.second_person_from)
            && !self.is_second(word, &row, &wanted).await?
        {
            return Ok(row);
        }
        if amount != row.amount {
            tracing::warn!(
                top_up = id,
                "{} was declared, {amount} is confirmed",
                row.amount
            );
        }
        let next = TopUp {
            note: reason,
            bonus: self.bonus(&row, amount),
            ..row.paid(&payment, amount, self.engine.now())
        };
        match self
            .engine
            .commit("approve_top_up", credits(&next, &payment))
            .await
        {
            Ok(()) => Ok(next),
            Err(CommitError::Refused(Refused::Stale)) => Err(AdminError::Invalid(format!(
                "top-up {id} was decided on meanwhile, or the reference {payment:?} has credited \
                 another one"
            ))),
            Err(error) => Err(error.into()),
        }
    }

    /// Nobody decides on money for an account of their own.
    pub(super) async fn not_own(&self, row: &TopUp) -> Result<(), AdminError> {
        acting::not_own(self.rows.as_ref(), acting::staff(), row.account).await
    }

    /// Whether somebody else wants the same already. What a first person wants is kept.
    async fn is_second(
        &self,
        word: Word,
        row: &TopUp,
        wanted: &Proposal,
    ) -> Result<bool, AdminError> {
        let known = self.proposal(row).await?;
        if word == Word::Statement && known.is_some() {
            return Ok(false);
        }
        let other = known.filter(|known| known.proposer != wanted.proposer);
        if let Some(first) = other {
            if (first.amount, &first.reference) == (wanted.amount, &wanted.reference) {
                return Ok(true);
            }
            return Err(AdminError::Invalid(format!(
                "{} wants to credit {} under {:?}: both have to want the same, or reject it",
                first.proposer,
                first.amount.short(),
                first.reference
            )));
        }
        let propose = Write::TopUp(TopUpWrite::Propose(Box::new(wanted.clone())));
        self.engine.commit("propose_top_up", vec![propose]).await?;
        Ok(false)
    }

    /// What a first person wants to credit to a top-up, or to return of it, while that still counts.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn proposal(&self, row: &TopUp) -> Result<Option<Proposal>, StoreError> {
        let known = self.rows.proposal(row.id).await?;
        Ok(known.filter(|wanted| wanted.stands(row)))
    }

    /// Closes a top-up that waits for an operator, without money.
    pub async fn reject(&self, id: i64, why: &str) -> Result<TopUp, AdminError> {
        let row = self.one(id).await?;
        self.not_own(&row).await?;
        let reason = reason(why)?;
        if !row.waits() {
            return Err(not_waiting(&row));
        }
        let next = row.closed(TopUpState::Rejected, reason);
        let update = Write::TopUp(TopUpWrite::Update(Box::new(next.clone())));
        match self.engine.commit("reject_top_up", vec![update]).await {
            Ok(()) => Ok(next),
            Err(CommitError::Refused(_)) => Err(AdminError::Invalid(format!(
                "top-up {id} was decided on meanwhile"
            ))),
            Err(error) => Err(error.into()),
        }
    }
}

fn not_waiting(row: &TopUp) -> AdminError {
    AdminError::Invalid(format!(
        "top-up {} is {}: it does not wait for an operator",
        row.id,
        row.state.slug()
    ))
}
