//! Our credits against the processors' own lists: what only one side knows is unexplained. What a processor
//! kept and paid out on the day is booked with it.

use super::TopUps;
use crate::accounts::AdminError;
use domain::books::DAY_MS;
use domain::change::Write;
use domain::ports::StoreError;
use domain::ticket::{Ticket, TicketKind};
use domain::time::{Millis, Timestamp};
use domain::top_up::{
    Fact, PaymentProcessor, Processor, ProcessorError, Reconciliation, Stand, TopUp, TopUpState,
    TopUpWrite,
};
use domain::usd::Usd;

/// A payment is credited at most this long after its place to pay was opened.
const SLOW: Millis = Millis::minutes(4 * 24 * 60);

/// A day is compared once it is so long over: what was paid in its last minute is credited by then.
const SETTLED: Millis = Millis::minutes(60);
/// A processor that could not be compared with is asked again this much later.
const AGAIN: Millis = Millis::minutes(60);
/// Days kept in view: those of a week for every processor.
const KNOWN: u32 = 100;
/// Days looked back for one that nobody compared: the program may have stood still.
const BACK: i64 = 7;

/// How the days in view stand with one processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ComparedDays {
    /// Whose lists.
    pub processor: Processor,
    /// Days on which something is unexplained and whose ticket nobody has closed.
    pub unexplained: usize,
    /// Days of the last week that could not be compared when that was last tried.
    pub failed: usize,
}

impl TopUps {
    /// How the days in view stand, for each configured processor.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn compared_days(&self) -> Result<Vec<ComparedDays>, StoreError> {
        let known = self.rows.reconciliations(KNOWN).await?;
        let open = self
            .engine
            .store()
            .open_tickets(TicketKind::TopUpUnexplained);
        let open = open.await?;
        let waits = |day: &Reconciliation| {
            let is_its = |ticket: &Ticket| ticket.reference == number(day);
            !day.unexplained.is_empty() && open.iter().any(is_its)
        };
        let week = Timestamp(self.engine.now().0 - (BACK + 1) * DAY_MS);
        let is_tried_again = |day: &Reconciliation| day.failure.is_some() && day.day > week;
        let stand = |processor: &dyn PaymentProcessor| {
            let kind = processor.kind();
            let days = known.iter().filter(move |day| day.processor == kind);
            ComparedDays {
                processor: kind,
                unexplained: days.clone().filter(|day| waits(day)).count(),
                failed: days.filter(|day| is_tried_again(day)).count(),
            }
        };
        Ok(self.processors().map(stand).collect())
    }

    /// Compares every processor's list with our credits of the day that holds `at`, and keeps what came of
    /// it; what is unexplained opens a ticket.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn reconcile(&self, at: Timestamp) -> Result<Vec<Reconciliation>, AdminError> {
        let day = Timestamp(at.0 - at.0.rem_euclid(DAY_MS));
        let mut all = Vec::new();
        for processor in self.processors() {
            all.push(self.reconcile_with(processor, day).await?);
        }
        Ok(all)
    }

    async fn reconcile_with(
        &self,
        processor: &dyn PaymentProcessor,
        day: Timestamp,
    ) -> Result<Reconciliation, AdminError> {
        let mut compared = self.compare(processor, day).await?;
        self.book_moved(processor, &mut compared).await?;
        let keep = TopUpWrite::Reconciled(Box::new(compared.clone()));
        let told = (!compared.unexplained.is_empty()).then(|| self.unexplained(&compared));
        let writes = [Write::TopUp(keep)].into_iter().chain(told).collect();
        self.engine.commit("reconcile_top_ups", writes).await?;
        Ok(compared)
    }

    /// Compares the days of the last week that are over with each processor whose list nobody has compared
    /// them with; one that failed is asked again after an hour. Gives what came of it.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn reconcile_due(&self) -> Result<Vec<Reconciliation>, AdminError> {
        let now = self.engine.now();
        let over = Timestamp(now.0 - SETTLED.0);
        let today = over.0 - over.0.rem_euclid(DAY_MS);
        let known = self.rows.reconciliations(KNOWN).await?;
        let is_due = |kind: Processor, day: Timestamp| {
            let same = |one: &&Reconciliation| (one.processor, one.day) == (kind, day);
            let last = known.iter().find(same);
            last.is_none_or(|last| last.failure.is_some() && last.at + AGAIN <= now)
        };
        let days = (1..=BACK).rev();
        let days = days.map(|back| Timestamp(today - back * DAY_MS));
        let pairs = days.flat_map(|day| self.processors().map(move |one| (one, day)));
        let due: Vec<_> = pairs
            .filter(|(one, day)| is_due(one.kind(), *day))
            .collect();
        if due.is_empty() || !self.engine.has_turn("compare top-ups", AGAIN).await {
            return Ok(Vec::new());
        }
        let mut all = Vec::new();
        for (processor, day) in due {
            all.push(self.reconcile_with(processor, day).await?);
        }
        Ok(all)
    }

    /// The ticket of a day that is not explained: one for each, however often it is compared. It says what is
    /// unexplained by now; one that a person closed comes again where that is something else.
    fn unexplained(&self, compared: &Reconciliation) -> Write {
        let what = (number(compared), compared.amount);
        let why = compared.unexplained.join("; ");
        self.open_ticket(TicketKind::TopUpUnexplained, compared.processor, what, &why)
    }

    async fn compare(
        &self,
        processor: &dyn PaymentProcessor,
        day: Timestamp,
    ) -> Result<Reconciliation, StoreError> {
        let kind = processor.kind();
        let (from, until) = (day, Timestamp(day.0 + DAY_MS));
        let ours = self.rows.top_ups_credited(kind, from, until).await?;
        let count = |rows: usize| i64::try_from(rows).unwrap_or(i64::MAX);
        let mut outcome = Reconciliation {
            processor: kind,
            day,
            listed: 0,
            credited: count(ours.len()),
            amount: ours.iter().map(|row| row.credited).sum(),
            fees: Usd::ZERO,
            paid_out: Usd::ZERO,
            unexplained: Vec::new(),
            failure: None,
            at: self.engine.now(),
        };
        match processor.paid_between(from - SLOW, until).await {
            Ok(facts) => {
                outcome.listed = count(facts.len());
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
            // what waits for a person has a ticket of its own
            (same && row.state == TopUpState::Credited) || row.state == TopUpState::Review
        });
        Ok((!credited).then(|| format!("payment {payment} for tu_{id} is not credited")))
    }
}

/// What the ticket of a processor's day is called.
fn number(compared: &Reconciliation) -> i64 {
    let day = compared.day.0.div_euclid(DAY_MS);
    let mut all = Processor::ALL.iter();
    let place = all.position(|one| *one == compared.processor);
    day * 10 + i64::try_from(place.unwrap_or(0)).unwrap_or(0)
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
