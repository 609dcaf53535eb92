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

/// What is to be done about a line.
enum Step {
    /// Nothing: this is what it is.
    Nothing(Matched),
    /// The whole amount of this top-up has come.
    Credit(TopUp),
    /// Something else has come than was announced; why it goes to review.
    Review(TopUp, String),
    /// The bank took back what was credited to this top-up; what the ticket says.
    Flag(TopUp, String),
}

impl TopUps {
    /// Matches lines one after the other: what the first of them does, the second sees. That somebody
    /// imports them is noted first.
    pub async fn import(&self, lines: &[BankLine]) -> Result<Vec<Matched>, AdminError> {
        let object = format!("statement of {} lines", lines.len());
        self.engine.note("import_statement", None, object).await?;
        let mut all = Vec::with_capacity(lines.len());
        for line in lines {
            let step = self.match_line(line).await?;
            all.push(self.take(step, line).await?);
        }
        Ok(all)
    }

    /// What [`Self::import`] of these lines would do now. Nothing is done.
    ///
    /// # Errors
    /// The store cannot answer.
    pub async fn preview(&self, lines: &[BankLine]) -> Result<Vec<Matched>, AdminError> {
        let mut all: Vec<Matched> = Vec::with_capacity(lines.len());
        // what lines before would have done: to which top-up, by which line
        let mut done: Vec<(i64, &str, &'static str)> = Vec::new();
        for line in lines {
            let matched = match self.match_line(line).await? {
                Step::Nothing(matched) => matched,
                Step::Credit(row) => match done.iter().find(|(id, ..)| *id == row.id) {
                    Some((id, by, _)) if *by == line.id => Matched::Before(*id),
                    Some((id, _, became)) => Matched::Review(*id, already(*id, became)),
                    None => self.foreseen(&row).await?,
                },
                Step::Review(row, why) => {
                    let before = done.iter().find(|(id, ..)| *id == row.id);
                    let why = before.map_or(why, |(id, _, became)| already(*id, became));
                    Matched::Review(row.id, why)
                }
                Step::Flag(row, why) => Matched::Review(row.id, why),
            };
            match &matched {
                Matched::Credited(id) => done.push((*id, &line.id, TopUpState::Credited.slug())),
                Matched::Review(id, _) if done.iter().all(|(known, ..)| known != id) => {
                    done.push((*id, &line.id, TopUpState::Review.slug()));
                }
                _ => {}
            }
            all.push(matched);
        }
        Ok(all)
    }

    /// What crediting a row would come to.
    async fn foreseen(&self, row: &TopUp) -> Result<Matched, AdminError> {
        match self.not_own(row).await {
            Err(AdminError::Forbidden(why)) => {
                return Ok(Matched::Review(row.id, why.to_owned()));
            }
            other => other?,
        }
        let second = needs_two(row, row.amount, self.settings.second_person_from);
        Ok(match second {
            true => Matched::Proposed(row.id),
            false => Matched::Credited(row.id),
        })
    }

    async fn match_line(&self, line: &BankLine) -> Result<Step, AdminError> {
        let paid = self.rows.top_up_paid(Processor::Manual, &line.id).await?;
        if line.is_reversal {
            return self.reversed_line(paid, line).await;
        }
        let Some(sum) = &line.sum else {
            return Ok(Step::Nothing(Matched::Outgoing));
        };
        if let Some(row) = paid {
            return Ok(Step::Nothing(Matched::Before(row.id)));
        }
        let row = match references(&line.text)[..] {
            [id] => self.rows.top_up(id).await?,
            [] => return Ok(unmatched("it names no top-up")),
            _ => return Ok(unmatched("it names several top-ups")),
        };
        let Some(row) = row.filter(|row| row.processor == Processor::Manual) else {
            return Ok(unmatched("it names no announced transfer"));
        };
        Ok(match row.state {
            TopUpState::Pending if sum.usd() == Some(row.amount) => Step::Credit(row),
            TopUpState::Pending => {
                let asked = row.amount;
                let why = format!("line {}: {sum} arrived, {asked} USD was announced", line.id);
                Step::Review(row, why)
            }
            state => Step::Nothing(Matched::Review(row.id, already(row.id, state.slug()))),
        })
    }

    /// The bank takes back what it booked: a person has to take it back from whom it was credited to.
    async fn reversed_line(
        &self,
        paid: Option<TopUp>,
        line: &BankLine,
    ) -> Result<Step, AdminError> {
        let named = match (paid, &references(&line.text)[..]) {
            (Some(row), _) => Some(row),
            (None, [id]) => self.rows.top_up(*id).await?,
            _ => None,
        };
        let ours = |row: &TopUp| row.processor == Processor::Manual;
        let Some(row) = named.filter(ours) else {
            return Ok(unmatched("it takes back another line"));
        };
        let why = format!("line {}: the bank took a transfer back", line.id);
        let kept = row.state == TopUpState::Credited && row.reversed.amount < row.credited;
        Ok(match kept {
            true => Step::Flag(row, why),
            false => Step::Nothing(Matched::Review(row.id, why)),
        })
    }

    async fn take(&self, step: Step, line: &BankLine) -> Result<Matched, AdminError> {
        match step {
            Step::Nothing(matched) => Ok(matched),
            Step::Credit(row) => self.credit_line(&row, line).await,
            Step::Review(row, why) => {
                self.to_review(&row, &why).await?;
                Ok(Matched::Review(row.id, why))
            }
            Step::Flag(row, why) => {
                let ticket = self.ticket(TicketKind::TopUpReturned, &row, row.id, &why);
                self.engine.commit("flag_top_up", vec![ticket]).await?;
                Ok(Matched::Review(row.id, why))
            }
        }
    }

    async fn credit_line(&self, row: &TopUp, line: &BankLine) -> Result<Matched, AdminError> {
        let reason = "imported from the account's statement";
        let said = (line.id.as_str(), reason);
        let approved = self.approve_by(Word::Statement, row.id, None, said).await;
        match approved {
            Ok(row) if row.state == TopUpState::Credited => Ok(Matched::Credited(row.id)),
            Ok(row) => Ok(Matched::Proposed(row.id)),
            // one line that somebody else has to decide on keeps no other from being taken
            Err(AdminError::Invalid(why)) => Ok(Matched::Review(row.id, why)),
            Err(AdminError::Forbidden(why)) => Ok(Matched::Review(row.id, why.to_owned())),
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

fn unmatched(why: &str) -> Step {
    Step::Nothing(Matched::Unmatched(why.to_owned()))
}

fn already(id: i64, state: &str) -> String {
    format!("{} is {state} already", reference(id))
}

/// Whether so much needs a second person.
pub(super) fn needs_two(row: &TopUp, amount: Usd, from: Option<Usd>) -> bool {
    row.processor == Processor::Manual && from.is_some_and(|from| amount >= from)
}
