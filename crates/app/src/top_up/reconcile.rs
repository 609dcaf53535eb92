//! Our credits against the processors' own lists: what only one side knows is unexplained.

use super::TopUps;
use domain::ports::StoreError;
use domain::time::{Millis, Timestamp};
use domain::top_up::{Fact, PaymentProcessor, Processor, ProcessorError, Stand, TopUp, TopUpState};
use domain::usd::Usd;

/// A payment is credited at most this long after its place to pay was opened.
const SLOW: Millis = Millis::minutes(4 * 24 * 60);

/// A processor's side and ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciled {
    /// Who.
    pub processor: Processor,
    /// Payments that the processor lists for the span and the four days before it.
    pub theirs: usize,
    /// Top-ups that we credited in the span, and their sum.
    pub ours: (usize, Usd),
    /// What only one side knows, or both know differently; empty when all is well.
    pub unexplained: Vec<String>,
    /// Why it could not be compared.
    pub failure: Option<String>,
}

impl TopUps {
    /// Compares every processor's list with our credits from `from` until before `until`.
    pub async fn reconcile(
        &self,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Reconciled>, StoreError> {
        let mut all = Vec::new();
        for processor in self.processors() {
            all.push(self.compare(processor, from, until).await?);
        }
        Ok(all)
    }

    async fn compare(
        &self,
        processor: &dyn PaymentProcessor,
        from: Timestamp,
        until: Timestamp,
    ) -> Result<Reconciled, StoreError> {
        let kind = processor.kind();
        let ours = self.rows.top_ups_credited(kind, from, until).await?;
        let mut outcome = Reconciled {
            processor: kind,
            theirs: 0,
            ours: (ours.len(), ours.iter().map(|row| row.credited).sum()),
            unexplained: Vec::new(),
            failure: None,
        };
        match processor.paid_between(from - SLOW, until).await {
            Ok(facts) => {
                outcome.theirs = facts.len();
                for fact in &facts {
                    outcome
                        .unexplained
                        .extend(self.unknown_to_us(kind, fact).await?);
                }
            }
            Err(ProcessorError::NotOffered) => {}
            Err(error) => outcome.failure = Some(error.to_string()),
        }
        for row in &ours {
            match unknown_to_them(processor, row).await {
                Ok(unexplained) => outcome.unexplained.extend(unexplained),
                Err(error) => outcome.failure = Some(error.to_string()),
            }
        }
        Ok(outcome)
    }

    /// A payment of theirs that we did not credit. One that names nothing of ours is other business.
    async fn unknown_to_us(
        &self,
        kind: Processor,
        fact: &Fact,
    ) -> Result<Option<String>, StoreError> {
        let named = fact
            .reference
            .as_deref()
            .and_then(domain::top_up::read_reference);
        let (Some(id), Some(payment)) = (named, &fact.payment_ref) else {
            return Ok(None);
        };
        let row = self.rows.top_up(id).await?;
        let credited = row.is_some_and(|row| {
            let same = row.processor == kind && row.payment_ref.as_ref() == Some(payment);
            same && row.state == TopUpState::Credited
        });
        Ok((!credited).then(|| format!("payment {payment} for tu_{id} is not credited")))
    }
}

/// A credit of ours that the processor does not know, or for less money.
async fn unknown_to_them(
    processor: &dyn PaymentProcessor,
    row: &TopUp,
) -> Result<Option<String>, ProcessorError> {
    let found = processor.read(row).await?;
    let paid = |fact: &Fact| {
        let stands = matches!(fact.stand, Stand::Paid | Stand::PaidOver);
        let sum = fact.sum.as_ref().and_then(|sum| sum.usd());
        let whole = sum.is_some_and(|sum| sum >= row.charge());
        let in_part = fact.stand == Stand::PaidPart && row.credited < row.amount;
        // what was taken back since is no reason to doubt the credit
        (stands && whole) || in_part || row.reversed.amount > Usd::ZERO
    };
    let explained = found.as_ref().is_some_and(paid);
    Ok((!explained).then(|| {
        format!(
            "tu_{} was credited, the processor has no such payment",
            row.id
        )
    }))
}
