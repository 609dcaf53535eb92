//! An activation at an upstream that belongs to no order: found in its list, cancelled there.

use crate::change::Write;
use crate::ledger::{Book, Cause, Entry, Posting};
use crate::mutant::lacks_rule;
use crate::ticket::Ticket;
use crate::time::{Millis, Timestamp};
use crate::usd::Usd;

/// Where an orphan stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrphanState {
    /// To be cancelled upstream.
    Open,
    /// May be older than any purchase of ours, and somebody else's: only the operator may cancel.
    Foreign,
    /// Cancelled, the money is back.
    Returned,
    /// The upstream kept the money.
    Lost,
}

impl OrphanState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Open, Self::Foreign, Self::Returned, Self::Lost];

    /// Stable word for rows.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Foreign => "foreign",
            Self::Returned => "returned",
            Self::Lost => "lost",
        }
    }

    /// Reads a row's word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.slug() == slug)
    }
}

/// An activation nobody ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Orphan {
    /// Row.
    pub id: i64,
    /// Fencing epoch.
    pub version: i64,
    /// Upstream.
    pub upstream: String,
    /// Its id there.
    pub upstream_id: String,
    /// State.
    pub state: OrphanState,
    /// What it cost.
    pub cost: Usd,
    /// When it was first seen.
    pub found_at: Timestamp,
    /// When background work must look at it next.
    pub due_at: Option<Timestamp>,
    /// Failed tries so far.
    pub tries: i64,
    /// Whether its upstream has taken or refused the cancel: all that is left is to see how it ends.
    pub cancel_answered: bool,
}

impl Orphan {
    /// First writes: the row, the link to nobody, and the cost in the orphan account; or, for one
    /// that may be somebody else's, a ticket under this fresh row id.
    pub fn found(self, ticket: i64) -> Vec<Write> {
        let link = Write::Link {
            upstream: self.upstream.clone(),
            upstream_id: self.upstream_id.clone(),
            order: None,
        };
        let mut writes = vec![link];
        if self.state == OrphanState::Foreign {
            let ticket = Ticket::foreign_number(ticket, &self);
            writes.push(Write::OpenTicket(Box::new(ticket)));
        } else if !lacks_rule(33) {
            writes.push(Write::Book(Entry::orphan_found(
                self.id,
                &self.upstream,
                self.cost,
            )));
        }
        writes.push(Write::InsertOrphan(Box::new(self)));
        writes
    }

    /// The upstream cancelled it and returned the money.
    pub fn returned(mut self) -> Vec<Write> {
        let entry = Entry::orphan_returned(self.id, &self.upstream, self.cost);
        self.state = OrphanState::Returned;
        self.due_at = None;
        vec![Write::Book(entry), Write::UpdateOrphan(Box::new(self))]
    }

    /// The upstream kept the money.
    pub fn lost(mut self) -> Vec<Write> {
        let entry = Entry::orphan_lost(self.id, &self.upstream, self.cost);
        self.state = OrphanState::Lost;
        self.due_at = None;
        vec![Write::Book(entry), Write::UpdateOrphan(Box::new(self))]
    }

    /// The upstream kept `kept` of the money, and returned the rest.
    pub fn settled(mut self, kept: Usd) -> Vec<Write> {
        let leg = |book, amount| Posting { book, amount };
        let legs = [
            leg(Book::Orphan(self.upstream.clone()), -self.cost),
            leg(Book::WriteOff, kept),
            leg(
                Book::Prepaid(self.upstream.clone()),
                Usd(self.cost.0 - kept.0),
            ),
        ];
        let entry = Entry {
            cause: Cause::OrphanEnd(self.id),
            postings: legs
                .into_iter()
                .filter(|leg| leg.amount != Usd::ZERO)
                .collect(),
        };
        self.state = if kept == Usd::ZERO {
            OrphanState::Returned
        } else {
            OrphanState::Lost
        };
        self.due_at = None;
        vec![Write::Book(entry), Write::UpdateOrphan(Box::new(self))]
    }

    /// Somebody takes the next step: nobody else does before the lease ends. Gives the row as it is
    /// then.
    pub fn lease(mut self, until: Timestamp) -> (Write, Self) {
        self.due_at = Some(until);
        let write = Write::UpdateOrphan(Box::new(self.clone()));
        self.version += 1;
        (write, self)
    }

    /// Look again later.
    pub fn try_again(mut self, pause: Millis, now: Timestamp) -> Vec<Write> {
        self.tries += 1;
        self.due_at = Some(now + pause);
        vec![Write::UpdateOrphan(Box::new(self))]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ticket::TicketKind;

    fn found(state: OrphanState) -> Vec<Write> {
        let orphan = Orphan {
            id: 5,
            version: 0,
            upstream: "peter1".into(),
            upstream_id: "u9".into(),
            state,
            cost: Usd(30_000),
            found_at: Timestamp(1_000),
            due_at: None,
            tries: 0,
            cancel_answered: false,
        };
        orphan.found(77)
    }

    #[test]
    fn what_may_be_somebody_elses_opens_a_ticket_and_moves_no_money() {
        let writes = found(OrphanState::Foreign);
        assert!(!writes.iter().any(|write| matches!(write, Write::Book(_))));
        let ticket = writes.iter().find_map(|write| match write {
            Write::OpenTicket(ticket) => Some(ticket),
            _ => None,
        });
        let ticket = ticket.unwrap();
        assert_eq!((ticket.id, ticket.reference), (77, 5));
        assert_eq!(ticket.kind, TicketKind::ForeignNumber);
        assert!(ticket.detail.contains("u9"), "{}", ticket.detail);
    }

    #[test]
    fn what_is_ours_is_booked_and_needs_nobody() {
        let writes = found(OrphanState::Open);
        assert!(writes.iter().any(|write| matches!(write, Write::Book(_))));
        assert!(
            !writes
                .iter()
                .any(|write| matches!(write, Write::OpenTicket(_)))
        );
    }
}
