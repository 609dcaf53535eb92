//! What processors kept and paid out, by their own lists, into the books of the house: each line once.

use super::TopUps;
use crate::accounts::AdminError;
use domain::books::DAY_MS;
use domain::change::{CommitError, Write};
use domain::ports::StoreError;
use domain::time::Timestamp;
use domain::top_up::{
    Clearing, MoneyLine, MovementKind, PaymentProcessor, Processor, ProcessorError,
    ProcessorMovement, Reconciliation, TopUpWrite, movements,
};

/// Movements booked in one change.
const AT_ONCE: usize = 200;

impl TopUps {
    /// What stands between us and each processor that is configured or ever moved money.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn clearings(&self) -> Result<Vec<Clearing>, StoreError> {
        let mut all = self.rows.clearings().await?;
        for kind in self.processors().map(PaymentProcessor::kind) {
            if all.iter().all(|one| one.processor != kind) {
                all.push(Clearing::of(kind));
            }
        }
        Ok(all)
    }

    /// Books what moved at a processor on a compared day and is not booked yet, and notes the day's sums.
    pub(super) async fn book_moved(
        &self,
        processor: &dyn PaymentProcessor,
        compared: &mut Reconciliation,
    ) -> Result<(), AdminError> {
        let (kind, from) = (processor.kind(), compared.day);
        let span = (from, Timestamp(from.0 + DAY_MS));
        let lines = match processor.moved_between(span.0, span.1).await {
            Ok(lines) => lines,
            Err(ProcessorError::NotOffered) => return Ok(()),
            Err(error) => {
                compared.failure = Some(error.to_string());
                self.note_booked(kind, span, compared).await?;
                return Ok(());
            }
        };
        let booked = self.rows.movements(kind, span.0, span.1).await?;
        let moved = movements(kind, &lines, &booked);
        let mut is_done = true;
        for some in moved.new.chunks(AT_ONCE) {
            is_done &= self.is_booked(some).await?;
        }
        compared.unexplained.extend(moved.unexplained);
        if !is_done {
            let refused = self.book_singly(kind, &lines, span).await?;
            compared.unexplained.extend(refused);
        }
        self.note_booked(kind, span, compared).await
    }

    /// The sums of a day as they are booked.
    async fn note_booked(
        &self,
        kind: Processor,
        span: (Timestamp, Timestamp),
        compared: &mut Reconciliation,
    ) -> Result<(), AdminError> {
        let booked = self.rows.movements(kind, span.0, span.1).await?;
        let sum = |wanted| {
            let parts = booked.iter().filter(move |one| one.kind == wanted);
            parts.map(|one| one.amount).sum()
        };
        compared.fees = sum(MovementKind::Fee);
        compared.paid_out = sum(MovementKind::Payout);
        Ok(())
    }

    /// Books some; whether all of them were not booked before.
    async fn is_booked(&self, some: &[ProcessorMovement]) -> Result<bool, AdminError> {
        let book = |one: &ProcessorMovement| {
            let id = self.engine.store().next_row_id();
            let row = ProcessorMovement { id, ..one.clone() };
            Write::TopUp(TopUpWrite::Move(Box::new(row)))
        };
        let writes = some.iter().map(book).collect();
        match self.engine.commit("book_movements", writes).await {
            Ok(()) => Ok(true),
            Err(CommitError::Refused(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Somebody else booked some of them meanwhile, or at another time than the list tells now: the rest one
    /// by one. Gives those that stand elsewhere.
    async fn book_singly(
        &self,
        kind: Processor,
        lines: &[MoneyLine],
        span: (Timestamp, Timestamp),
    ) -> Result<Vec<String>, AdminError> {
        let booked = self.rows.movements(kind, span.0, span.1).await?;
        let mut refused = Vec::new();
        for one in movements(kind, lines, &booked).new {
            if !self.is_booked(std::slice::from_ref(&one)).await? {
                let (part, reference) = (one.kind.slug(), one.reference);
                refused.push(format!(
                    "the {part} of {reference:.60} was booked at another time than it is told of now"
                ));
            }
        }
        Ok(refused)
    }
}
