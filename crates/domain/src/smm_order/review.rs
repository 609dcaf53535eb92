//! An order that only a person, or a panel that changes its mind, can settle.

use super::{SmmOrder, SmmState};
use crate::change::Write;
use crate::mutant::lacks_rule;
use crate::ticket::Ticket;
use crate::time::Timestamp;
use crate::upstream::PanelStatus;

impl SmmOrder {
    /// A person has to look; a ticket is opened once.
    pub(super) fn review(&mut self, why: &str, ticket: i64, now: Timestamp) -> Option<Write> {
        let entered = self.state != SmmState::Review;
        self.state = SmmState::Review;
        let ticket = Ticket::order_in_review(ticket, self, why, now);
        (entered && !lacks_rule(46)).then(|| Write::OpenTicket(Box::new(ticket)))
    }
}

/// What a panel said that cannot be, for the operator.
pub(super) fn contradiction(status: &PanelStatus) -> String {
    let word: String = status.raw_status.chars().take(64).collect();
    let remains = status.remains.map(|count| count.to_string());
    let remains = remains.unwrap_or_else(|| "not told".into());
    let charge = status.charge.map(|charge| charge.to_string());
    let charge = charge.unwrap_or_else(|| "not told".into());
    format!("contradicts itself: status {word:?}, remains {remains}, charge {charge}")
}
