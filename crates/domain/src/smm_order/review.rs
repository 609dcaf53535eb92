//! An order that only a person, or a panel that changes its mind, can settle.

use super::{SmmOrder, SmmState};
use crate::change::Write;
use crate::mutant::lacks_rule;
use crate::ticket::Ticket;
use crate::time::Timestamp;
use crate::upstream::{PanelStatus, Progress};
use crate::usd::Usd;

impl SmmOrder {
    /// A person has to look; a ticket is opened once.
    pub(super) fn review(&mut self, why: &str, ticket: i64, now: Timestamp) -> Option<Write> {
        let entered = self.state != SmmState::Review;
        self.state = SmmState::Review;
        let ticket = Ticket::order_in_review(ticket, self, why, now);
        (entered && !lacks_rule(46)).then(|| Write::OpenTicket(Box::new(ticket)))
    }

    /// A person found out how much of an order in review was left undelivered: what was delivered is
    /// paid, the rest goes back. Nothing where it is in review no longer, or could not be so.
    pub fn settled_by_hand(mut self, undelivered: u64, now: Timestamp) -> Vec<Write> {
        let open = self.state == SmmState::Review && self.resolved_at.is_none();
        if !open || self.quantity == 0 || !(0..=self.quantity).contains(&undelivered) {
            return Vec::new();
        }
        let shown = match undelivered {
            0 => Progress::Completed,
            all if all == self.quantity => Progress::Canceled,
            _ => Progress::Partial,
        };
        let share = i128::from(self.price.0) * i128::from(undelivered);
        let refund = share / i128::from(self.quantity);
        let refund = Usd(i64::try_from(refund).unwrap_or(self.price.0));
        self.remains = undelivered;
        let found = PanelStatus {
            progress: Some(shown),
            raw_status: "settled by hand".into(),
            remains: i64::try_from(undelivered).ok(),
            start_count: None,
            charge: self.charge,
            children: Vec::new(),
            child_ids: Vec::new(),
        };
        let observed = self.observe(&found, now);
        let mut writes = self.finish(shown, refund, &found, now);
        writes.insert(0, observed);
        writes.insert(0, self.save());
        writes
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
