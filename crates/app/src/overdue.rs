//! What should have been settled long ago: told to the operator once, and counted for as long as it
//! lasts.

use crate::engine::Engine;
use crate::watch::InDoubt;
use domain::activation::Activation;
use domain::change::Write;
use domain::orphan::Orphan;
use domain::overdue;
use domain::smm_order::{SmmOrder, SmmState};
use domain::ticket::{Ticket, TicketKind};
use domain::time::{Millis, Timestamp};

/// A silence that was not heard again within this is over.
const SILENCE_LASTS: Millis = Millis::minutes(30);

impl Engine {
    /// Notes which purchases are in doubt at an upstream, by the ends of their windows.
    pub(crate) fn note_doubt(&self, upstream: &str, ends: impl Iterator<Item = Option<Timestamp>>) {
        let now = self.now();
        let mut seen = InDoubt::default();
        for end in ends {
            let late = end.is_some_and(|end| overdue::of_doubt(end) < now);
            seen.count += 1;
            seen.overdue += usize::from(late);
        }
        let before = self.watch.set_in_doubt(upstream, seen);
        if seen.overdue > before.overdue {
            tracing::error!(
                upstream,
                overdue = seen.overdue,
                "{} purchases at {upstream} are in doubt long after their window: its list is not to \
                 be had",
                seen.overdue
            );
        }
    }

    /// A step of an activation came to nothing and is tried again. One that is past its deadline
    /// gets a ticket.
    pub(crate) async fn put_off(&self, name: &'static str, activation: Activation) {
        let plan = self.plan(&activation.wanted.server, &activation.upstream);
        let (now, kind) = (self.now(), TicketKind::OverdueOrder);
        let deadline = overdue::of_activation(&activation, &plan);
        let late = deadline.is_some_and(|deadline| deadline < now);
        let ticket = |id| Ticket::overdue_order(id, &activation, now);
        let ticket = self.first_ticket(late, kind, activation.id.0, ticket);
        let writes = activation.clone().try_again(&plan, now);
        self.step_with(name, writes, ticket).await;
    }

    /// The same of an orphan.
    pub(crate) async fn put_off_orphan(&self, name: &'static str, orphan: Orphan, pause: Millis) {
        let (now, kind) = (self.now(), TicketKind::OverdueOrphan);
        let late = overdue::of_orphan(&orphan) < now;
        let ticket = |id| Ticket::overdue_orphan(id, &orphan, now);
        let ticket = self.first_ticket(late, kind, orphan.id, ticket);
        let writes = orphan.clone().try_again(pause, now);
        self.step_with(name, writes, ticket).await;
    }

    /// A step of an SMM order in doubt came to nothing. Its window has to pass while this process
    /// watches, so it is late only after that.
    pub(crate) async fn put_off_smm(&self, name: &'static str, order: SmmOrder) {
        let (now, plan) = (self.now(), self.smm_plan(&order.upstream));
        let watched = overdue::of_doubt(self.watching_since() + plan.in_doubt_window);
        let deadline = overdue::of_smm_order(&order);
        let late = deadline.is_some_and(|deadline| deadline.max(watched) < now);
        let ticket = self.overdue_smm_order(&order, "was perhaps placed", late);
        let writes = order.try_again(&plan, now);
        self.step_with(name, writes, ticket).await;
    }

    /// A panel said nothing of an SMM order that can be gone by, or does not know it.
    pub(crate) async fn order_unheard(&self, order: SmmOrder, is_unknown: bool, now: Timestamp) {
        let since = self.silent_since(&order, now);
        let waits = matches!(order.state, SmmState::Active | SmmState::Undo);
        let late = overdue::of_silence(since) < now && waits;
        let ticket = self.overdue_smm_order(&order, "is under way", late);
        let plan = self.smm_plan(&order.upstream);
        let (name, writes) = match is_unknown {
            true => {
                let review = self.outside.store.next_row_id();
                let writes = order.unknown_upstream(&plan, review, now);
                ("smm_unknown_upstream", writes)
            }
            false => ("smm_status_missing", order.unheard(&plan, now)),
        };
        self.step_with(name, writes, ticket).await;
    }

    /// Since when a panel has been silent about an order, as far as this process asked.
    pub(crate) fn silent_since(&self, order: &SmmOrder, now: Timestamp) -> Timestamp {
        let pause = self
            .smm_plan(&order.upstream)
            .poll_pause(now - order.created_at);
        // where this process has not asked for longer, others have, and were answered perhaps
        let lasts = Millis(2 * pause.0).max(SILENCE_LASTS);
        self.watch.silent_since(order.id, now, lasts)
    }

    /// The ticket of an SMM order that is late in this way.
    pub(crate) fn overdue_smm_order(
        &self,
        order: &SmmOrder,
        what: &str,
        late: bool,
    ) -> Option<Ticket> {
        let ticket = |id| Ticket::overdue_smm_order(id, order, what, self.now());
        self.first_ticket(late, TicketKind::OverdueOrder, order.id.0, ticket)
    }

    /// The ticket, where this process has not opened it before. The store keeps one of each.
    fn first_ticket(
        &self,
        late: bool,
        kind: TicketKind,
        reference: i64,
        ticket: impl FnOnce(i64) -> Ticket,
    ) -> Option<Ticket> {
        let wanted = late && !self.watch.is_told((kind.slug(), reference));
        wanted.then(|| ticket(self.outside.store.next_row_id()))
    }

    async fn step_with(&self, name: &'static str, mut writes: Vec<Write>, ticket: Option<Ticket>) {
        writes.extend(ticket.map(|one| Write::OpenTicket(Box::new(one))));
        self.step(name, writes).await;
    }
}
