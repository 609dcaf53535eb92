//! What a panel took for an order, in the books of the house.

use super::SmmOrder;
use crate::change::Write;
use crate::ledger::Entry;
use crate::usd::Usd;

impl SmmOrder {
    /// The quoted cost of the part that was posted.
    pub(super) fn quoted_share(&self, posted: Usd) -> Usd {
        let share = i128::from(self.cost_quote.0) * i128::from(posted.0);
        let part = share / i128::from(self.price.0.max(1));
        Usd(i64::try_from(part).unwrap_or(self.cost_quote.0))
    }

    /// What the panel takes or gives back once the cost is booked: the difference, by itself.
    pub(super) fn book_correction(&self, charged: Option<Usd>) -> Option<Write> {
        let (before, after) = (charged?.0, self.charge?.0);
        let difference = Usd(after - before);
        let seq = self.observations;
        let entry = Entry::upstream_cost(self.id, seq, &self.upstream, Usd::ZERO, difference);
        (!entry.postings.is_empty()).then_some(Write::Book(entry))
    }

    pub(super) fn book(&self, posted: Usd, taken: Usd) -> Option<Write> {
        let entry = if posted > Usd::ZERO {
            let quoted = self.quoted_share(posted);
            Entry::upstream_cost(self.id, 0, &self.upstream, quoted, taken)
        } else {
            Entry::upstream_loss(self.id, 0, &self.upstream, taken)
        };
        (!entry.postings.is_empty()).then_some(Write::Book(entry))
    }
}
