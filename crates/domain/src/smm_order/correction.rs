//! What a panel says of an order that was paid out already.

use super::{SmmOrder, SmmPlan, SmmState};
use crate::change::Write;
use crate::mutant::lacks_rule;
use crate::ticket::Ticket;
use crate::time::{Millis, Timestamp};
use crate::upstream::Progress;
use crate::usd::Usd;

impl SmmOrder {
    /// A later word that gives the client more than it got: the difference, never a claw-back.
    pub(super) fn correct(
        &mut self,
        (shown, refund): (Progress, Usd),
        resolved_at: Timestamp,
        plan: &SmmPlan,
        (ticket, now): (i64, Timestamp),
    ) -> Vec<Write> {
        self.candidate = None;
        if refund < self.returned {
            return self.reversed(shown, ticket, now).into_iter().collect();
        }
        let last_correction = Millis(plan.watch.0 + 2 * plan.confirmation.0);
        if refund == self.returned || now - resolved_at > last_correction {
            return Vec::new();
        }
        let difference = Usd(refund.0 - self.returned.0);
        if difference > plan.correction_max && !lacks_rule(44) {
            let ticket = Ticket::large_adjustment(ticket, self, difference, now);
            return vec![Write::OpenTicket(Box::new(ticket))];
        }
        let amount = if lacks_rule(21) { refund } else { difference };
        let observation = Some(self.observations);
        vec![self.give_back(amount, refund, observation)]
    }

    /// The panel takes back that it did not deliver: the client keeps what it got, the operator
    /// hears of it. Fewer units left than it said before is no such thing, nor is an order that was
    /// undone, and whose end the panel tells again: what went back was our decision.
    fn reversed(&self, shown: Progress, ticket: i64, now: Timestamp) -> Option<Write> {
        let taken_back = shown == Progress::Completed || self.progress == Progress::Canceled;
        let told_again = self.state == SmmState::Failed && self.progress == shown;
        let ticket = Ticket::outcome_reversed(ticket, self, shown, now);
        (taken_back && !told_again && !lacks_rule(51)).then(|| Write::OpenTicket(Box::new(ticket)))
    }

    fn give_back(&mut self, amount: Usd, returned: Usd, observation: Option<i64>) -> Write {
        self.adjustments += 1;
        self.returned = returned;
        Write::Adjust {
            account: self.account,
            order: self.id,
            seq: self.adjustments,
            amount,
            observation,
        }
    }

    /// A person decided that what was withheld goes back: as much of it as is left of the hold.
    pub fn corrected_by_hand(mut self, amount: Usd) -> Vec<Write> {
        let left = Usd(self.price.0 - self.returned.0);
        let amount = amount.min(left);
        if amount <= Usd::ZERO || self.resolved_at.is_none() {
            return Vec::new();
        }
        let returned = Usd(self.returned.0 + amount.0);
        let adjust = self.give_back(amount, returned, None);
        vec![self.save(), adjust]
    }
}
