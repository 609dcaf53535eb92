//! Lines of the bank account's statement meet the transfers that customers announced. A line is
//! matched by the reference in its text and by nothing else; what does not fit whole is for a person.

use super::TopUps;
use super::approve::Word;
use crate::accounts::AdminError;
use domain::change::Write;
use domain::ticket::TicketKind;
use domain::top_up::{BankLine, Processor, TopUp, TopUpState, TopUpWrite, reference, references};
use domain::usd::Usd;

/// What became of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Matched {
    /// Money that went out.
    Outgoing,
    /// This top-up is credited by it.
    Credited(i64),
    /// A second person has to approve this top-up.
    Proposed(i64),
    /// It was matched before.
    Before(i64),
    /// It names this top-up but does not fit it; why.
    Review(i64, String),
    /// It names no transfer that is waited for; why.
    Unmatched(String),
}

impl TopUps {
    /// Matches lines one after the other: what the first of them does, the second sees.
    pub async fn import(&self, lines: &[BankLine]) -> Result<Vec<Matched>, AdminError> {
        let mut all = Vec::with_capacity(lines.len());
        for line in lines {
            all.push(self.match_line(line).await?);
        }
        Ok(all)
    }

    async fn match_line(&self, line: &BankLine) -> Result<Matched, AdminError> {
        let paid = self.rows.top_up_paid(Processor::Manual, &line.id).await?;
        if line.is_reversal {
            return self.reversed_line(paid, line).await;
        }
        let Some(sum) = &line.sum else {
            return Ok(Matched::Outgoing);
        };
        if let Some(row) = paid {
            return Ok(Matched::Before(row.id));
        }
        let unmatched = |why: &str| Ok(Matched::Unmatched(why.to_owned()));
        let row = match references(&line.text)[..] {
            [id] => self.rows.top_up(id).await?,
            [] => return unmatched("it names no top-up"),
            _ => return unmatched("it names several top-ups"),
        };
        let Some(row) = row.filter(|row| row.processor == Processor::Manual) else {
            return unmatched("it names no announced transfer");
        };
        match row.state {
            TopUpState::Pending if sum.usd() == Some(row.amount) => {
                self.credit_line(&row, line).await
            }
            TopUpState::Pending => {
                let asked = row.amount;
                let why = format!("line {}: {sum} arrived, {asked} USD was announced", line.id);
                self.to_review(&row, &why).await?;
                Ok(Matched::Review(row.id, why))
            }
            state => {
                let why = format!("{} is {} already", reference(row.id), state.slug());
                Ok(Matched::Review(row.id, why))
            }
        }
    }

    /// The bank takes back what it booked: a person has to take it back from whom it was credited to.
    async fn reversed_line(
        &self,
        paid: Option<TopUp>,
        line: &BankLine,
    ) -> Result<Matched, AdminError> {
        let named = match (paid, &references(&line.text)[..]) {
            (Some(row), _) => Some(row),
            (None, [id]) => self.rows.top_up(*id).await?,
            _ => None,
        };
        let ours = |row: &TopUp| row.processor == Processor::Manual;
        let Some(row) = named.filter(ours) else {
            return Ok(Matched::Unmatched("it takes back another line".to_owned()));
        };
        let why = format!("line {}: the bank took a transfer back", line.id);
        if row.state == TopUpState::Credited && row.reversed.amount < row.credited {
            let ticket = self.ticket(TicketKind::TopUpReturned, &row, row.id, &why);
            self.engine.commit("flag_top_up", vec![ticket]).await?;
        }
        Ok(Matched::Review(row.id, why))
    }

    async fn credit_line(&self, row: &TopUp, line: &BankLine) -> Result<Matched, AdminError> {
        let reason = "imported from the account's statement";
        let said = (line.id.as_str(), reason);
        let approved = self.approve_by(Word::Statement, row.id, None, said).await;
        match approved {
            Ok(row) if row.state == TopUpState::Credited => Ok(Matched::Credited(row.id)),
            Ok(row) => Ok(Matched::Proposed(row.id)),
            Err(AdminError::Invalid(why)) => Ok(Matched::Review(row.id, why)),
            Err(error) => Err(error),
        }
    }

    async fn to_review(&self, row: &TopUp, why: &str) -> Result<(), AdminError> {
        let next = row.closed(TopUpState::Review, why);
        let update = Write::TopUp(TopUpWrite::Update(Box::new(next)));
        let ticket = self.ticket(TicketKind::TopUpReview, row, row.id, why);
        let committed = self
            .engine
            .commit("review_top_up", vec![update, ticket])
            .await;
        Ok(committed?)
    }
}

/// Whether so much needs a second person.
pub(super) fn needs_two(row: &TopUp, amount: Usd, from: Option<Usd>) -> bool {
    row.processor == Processor::Manual && from.is_some_and(|from| amount >= from)
}
