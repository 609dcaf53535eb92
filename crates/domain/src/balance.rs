//! Our money at an upstream: what it says is there, against what our books say must be there.
//!
//! `prepaid` in the books = the balance the upstream reports + what it took for orders that are not
//! booked yet. A difference counts once two readings in a row show it, so that a refund that is on
//! its way, or an answer that is, never becomes a false alarm.

use crate::change::Write;
use crate::ledger::Entry;
use crate::mutant::lacks_rule;
use crate::ticket::{Ticket, TicketKind};
use crate::time::{Millis, Timestamp};
use crate::usd::Usd;

#[cfg(test)]
mod tests;

/// What a difference between balance and books was booked as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BookedAs {
    /// The first reading: what was there before the books began.
    Opening,
    /// More is there than expected: the operator has paid in.
    Deposit,
    /// Money that had been kept came back.
    Returned,
    /// Less is there after confirmed cancels: the upstream kept their money.
    Kept,
    /// Less by exactly a purchase that was given up without proof: it had been made after all.
    Unlisted,
    /// Less, and nothing of ours explains it.
    Unexplained,
}

impl BookedAs {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Opening,
        Self::Deposit,
        Self::Returned,
        Self::Kept,
        Self::Unlisted,
        Self::Unexplained,
    ];

    /// Stable word for rows.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Deposit => "deposit",
            Self::Returned => "returned",
            Self::Kept => "kept",
            Self::Unlisted => "unlisted",
            Self::Unexplained => "unexplained",
        }
    }

    /// Reads a row's word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.slug() == slug)
    }
}

/// A balance as it was read, with what the books said at that moment. Appended, never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceReading {
    /// Row.
    pub id: i64,
    /// Upstream.
    pub upstream: String,
    /// 1 for the upstream's first; unique with it, so that of two nodes that read one counts.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// What the upstream said.
    pub balance: Usd,
    /// The last event of the journal that `prepaid` counts.
    pub journal_id: i64,
    /// The books, before anything this reading books.
    pub prepaid: Usd,
    /// What may be missing (below zero) or too much (above zero) at least and at most; they are
    /// equal where nothing was in doubt or under way.
    pub least: Usd,
    /// See `least`.
    pub most: Usd,
    /// What of it was booked.
    pub booked: Usd,
    /// As what; nothing where nothing was booked.
    pub booked_as: Option<BookedAs>,
    /// The newest reading so far, this one included, that left no difference.
    pub clean_at: Timestamp,
}

impl BalanceReading {
    /// The part of the difference that no open question explains.
    fn certain(&self) -> Usd {
        certain(self.least, self.most)
    }

    /// What is left of it after the booking.
    pub fn open_difference(&self) -> Usd {
        Usd(self.certain().0 - self.booked.0)
    }
}

fn certain(least: Usd, most: Usd) -> Usd {
    if least > Usd::ZERO {
        least
    } else if most < Usd::ZERO {
        most
    } else {
        Usd::ZERO
    }
}

/// A balance as an upstream reports it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reported {
    /// The amount.
    pub amount: Usd,
    /// The smallest step it shows: one that shows cents says nothing of less than a cent.
    pub step: Usd,
}

/// What the books say of our money at an upstream, in one snapshot.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// The newest reading on record.
    pub last: Option<BalanceReading>,
    /// The last event of the journal that `prepaid` counts.
    pub journal_id: i64,
    /// Sum of the upstream's prepaid account.
    pub prepaid: Usd,
    /// Taken for orders that are linked and not booked yet. What of it came back without our having
    /// seen it is no deposit.
    pub in_flight: Usd,
    /// What may or may not have been taken besides: purchases under way or in doubt, cancels that
    /// are not answered, final words that are not confirmed.
    pub in_doubt: Usd,
    /// Costs of orphans that may have come back and are not booked as returned.
    pub in_orphans: Usd,
}

/// What may stand behind money that is missing, and what may stand behind money that came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Suspects {
    /// Cost of orders that were released with the upstream's word since the last clean reading.
    pub released: Usd,
    /// Costs of purchases that were given up without proof.
    pub given_up: Vec<Usd>,
    /// Open tickets about money this upstream's balance lacks.
    pub kept: Vec<Ticket>,
    /// What SMM orders that are still watched were charged less than quoted: a panel that goes on
    /// with one takes it again.
    pub retakable: Usd,
    /// Whether a difference was booked meanwhile: what is left then says nothing of any purchase.
    pub booked: bool,
}

impl Suspects {
    /// Whether something of ours besides a purchase may have taken just this sum.
    pub fn may_have_taken(&self, sum: Usd) -> bool {
        let others = self.released.0.saturating_add(self.retakable.0);
        let others = !self.given_up.is_empty() || others >= sum.0;
        (others && !lacks_rule(48)) || (self.booked && !lacks_rule(49))
    }
}

/// How far back a purchase that was given up can show in a balance.
pub const LATE: Millis = Millis::minutes(24 * 60);

impl Position {
    /// What the difference is at least and at most, with this balance. Less than the balance shows
    /// is no difference, but for the first reading: what it shows is what the books begin with.
    fn difference(&self, balance: Reported) -> (Usd, Usd) {
        let base = balance.amount.0 - self.prepaid.0;
        let least = base - self.in_orphans.0;
        let most = base + self.in_flight.0 + self.in_doubt.0;
        if self.last.is_none() {
            return (Usd(least), Usd(most));
        }
        let step = balance.step.0;
        (
            Usd(if least < step { least.min(0) } else { least }),
            Usd(if most > -step { most.max(0) } else { most }),
        )
    }

    /// What of this balance can be booked: all of it at the first reading, then what two readings
    /// in a row both show. Zero where there is nothing to book.
    pub fn to_book(&self, balance: Reported) -> Usd {
        let (least, most) = self.difference(balance);
        let Some(last) = &self.last else {
            return least;
        };
        if lacks_rule(36) {
            return Usd::ZERO;
        }
        let now = certain(least, most);
        if lacks_rule(37) {
            return now;
        }
        let before = last.open_difference();
        if now > Usd::ZERO && before > Usd::ZERO {
            now.min(before)
        } else if now < Usd::ZERO && before < Usd::ZERO {
            now.max(before)
        } else {
            Usd::ZERO
        }
    }

    /// Whether this balance shows that the one purchase in doubt was made: everything that may have
    /// been taken was taken, nothing else is in doubt, and the reading before left no difference.
    pub fn shows_purchase(&self, cost: Usd, balance: Reported) -> bool {
        let settled = |last: &BalanceReading| last.open_difference() == Usd::ZERO;
        let settled = self.last.as_ref().is_some_and(settled);
        let alone = self.in_doubt == cost && self.in_orphans == Usd::ZERO;
        let unexplained = balance.amount.0 - self.prepaid.0 + self.in_flight.0 + cost.0;
        let exact = unexplained.abs() < balance.step.0 || lacks_rule(47);
        settled && alone && exact && cost >= balance.step
    }

    /// Since when differences are looked for.
    pub fn clean_since(&self) -> Timestamp {
        self.last
            .as_ref()
            .map_or(Timestamp(0), |last| last.clean_at)
    }

    /// The writes that put a reading on record, with what it books and the tickets it opens or
    /// closes. `rows` are two fresh row ids: of the reading and of a ticket.
    pub fn read(
        &self,
        upstream: &str,
        balance: Reported,
        suspects: &Suspects,
        rows: (i64, i64),
        now: Timestamp,
    ) -> Vec<Write> {
        let (least, most) = self.difference(balance);
        let booked = self.to_book(balance);
        let booked_as = self.judge(booked, suspects);
        let mut reading = BalanceReading {
            id: rows.0,
            upstream: upstream.to_owned(),
            seq: self.last.as_ref().map_or(1, |last| last.seq + 1),
            at: now,
            balance: balance.amount,
            journal_id: self.journal_id,
            prepaid: self.prepaid,
            least,
            most,
            booked,
            booked_as,
            clean_at: now,
        };
        let settled = self.last.is_none() || reading.open_difference() == Usd::ZERO;
        if !settled {
            reading.clean_at = self.clean_since();
        }
        let mut writes = Vec::new();
        if let Some(booked_as) = booked_as {
            let entry = Entry::balance(reading.id, upstream, booked, booked_as);
            writes.push(Write::Book(entry));
            writes.extend(ticket(&reading, booked_as, suspects, rows.1));
        }
        writes.insert(0, Write::ReadBalance(Box::new(reading)));
        writes
    }

    fn judge(&self, booked: Usd, suspects: &Suspects) -> Option<BookedAs> {
        if booked == Usd::ZERO {
            return None;
        }
        if self.last.is_none() {
            return Some(BookedAs::Opening);
        }
        let missing = Usd(-booked.0);
        Some(if booked > Usd::ZERO {
            match came_back(booked, suspects) {
                Some(_) => BookedAs::Returned,
                None => BookedAs::Deposit,
            }
        } else if suspects.given_up.contains(&missing) {
            BookedAs::Unlisted
        } else if missing <= suspects.released {
            BookedAs::Kept
        } else {
            BookedAs::Unexplained
        })
    }
}

/// The ticket whose money came back: only an equal amount tells a return from a deposit.
fn came_back(booked: Usd, suspects: &Suspects) -> Option<&Ticket> {
    suspects.kept.iter().find(|ticket| ticket.amount == booked)
}

fn ticket(
    reading: &BalanceReading,
    booked_as: BookedAs,
    suspects: &Suspects,
    row: i64,
) -> Option<Write> {
    let upstream = &reading.upstream;
    let amount = Usd(reading.booked.0.abs());
    let (kind, detail) = match booked_as {
        BookedAs::Opening | BookedAs::Deposit => return None,
        BookedAs::Returned => {
            let found = came_back(reading.booked, suspects)?;
            return Some(Write::CloseTicket {
                ticket: found.id,
                note: format!("the balance at {upstream} rose by this amount again"),
            });
        }
        BookedAs::Kept => (
            TicketKind::MoneyKept,
            format!("{upstream} confirmed cancels and did not return {amount} of their money"),
        ),
        BookedAs::Unlisted => (
            TicketKind::UnlistedPurchase,
            format!("{upstream} took {amount} for a purchase that was given up without proof"),
        ),
        BookedAs::Unexplained => (
            TicketKind::Unexplained,
            format!("{upstream} has {amount} less than every order of ours explains"),
        ),
    };
    Some(Write::OpenTicket(Box::new(Ticket {
        id: row,
        kind,
        upstream: upstream.clone(),
        reference: reading.id,
        amount,
        detail,
        opened_at: reading.at,
        closed_at: None,
        note: None,
    })))
}
