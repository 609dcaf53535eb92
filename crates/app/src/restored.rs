//! What may not be concluded after a restore: purchases of the time that was lost are not in the store,
//! but their upstreams have made them and their customers have seen them.

use crate::engine::Engine;
use crate::settle_in_doubt::SKEW;
use domain::activation::Activation;
use domain::attempt::AttemptState;
use domain::change::Write;
use domain::ids::OrderId;
use domain::mutant::lacks_rule;
use domain::smm_order::SmmOrder;
use domain::ticket::Ticket;
use domain::time::Timestamp;
use domain::usd::Usd;
use std::sync::atomic::Ordering;

impl Engine {
    /// Says that the store was brought back from a backup, before anything else is done.
    pub fn note_restoration(&self, at: Option<Timestamp>) {
        let at = at.map_or(i64::MIN, |at| at.0);
        self.restored_at.store(at, Ordering::Release);
    }

    /// Whether something of this time may have gone on in the history that was lost.
    pub(crate) fn predates_restoration(&self, at: Timestamp) -> bool {
        at.0 < self.restored_at.load(Ordering::Acquire)
    }

    /// Whether a number that no order knows may have been shown to a customer whose order was lost:
    /// then it is nobody else's.
    pub(crate) fn may_have_been_shown(&self, made_after: Option<Timestamp>) -> bool {
        let restored_at = self.restored_at.load(Ordering::Acquire);
        restored_at > i64::MIN && made_after.is_none_or(|made| made - SKEW < Timestamp(restored_at))
    }

    /// A purchase whose window is over and that no list holds. Of one that was open when the backup
    /// was made this proves nothing: it may have been made, delivered and ended since.
    pub(crate) fn not_found(&self, activation: Activation, state: AttemptState) -> Vec<Write> {
        if !self.predates_restoration(activation.created_at) {
            return activation.absent(state);
        }
        let (id, cost) = (activation.id, activation.cost_quote);
        let ticket = self.restored_ticket(id, &activation.upstream, cost);
        let mut writes = activation.absent(AttemptState::LatePossible);
        writes.push(ticket);
        writes
    }

    /// The same of an SMM order.
    pub(crate) fn order_not_found(&self, order: SmmOrder, state: AttemptState) -> Vec<Write> {
        let now = self.now();
        if !self.predates_restoration(order.created_at) {
            return order.absent(state, now);
        }
        let ticket = self.restored_ticket(order.id, &order.upstream, order.cost_quote);
        let mut writes = order.absent(AttemptState::LatePossible, now);
        writes.push(ticket);
        writes
    }

    fn restored_ticket(&self, order: OrderId, upstream: &str, cost: Usd) -> Write {
        let id = self.outside.store.next_row_id();
        let ticket = Ticket::restored_purchase(id, order, (upstream, cost), self.now());
        Write::OpenTicket(Box::new(ticket))
    }

    /// A call that was under way when the backup was made is in doubt, and never made again; only the
    /// mutant does that.
    pub(crate) async fn doubt_call(&self, activation: Activation) {
        let again = lacks_rule(25) && self.predates_restoration(activation.created_at);
        if let Some(upstream) = self.number_upstream(&activation.upstream).filter(|_| again) {
            upstream.buy(&activation.request()).await;
        }
        self.doubt(activation, "lease_over").await;
    }
}
