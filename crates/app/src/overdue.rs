//! What should have been settled long ago: told to the operator once, and counted for as long as it
//! lasts.

use crate::engine::Engine;
use crate::watch::InDoubt;
use domain::activation::Activation;
use domain::change::Write;
use domain::orphan::Orphan;
use domain::overdue;
use domain::ticket::{Ticket, TicketKind};
use domain::time::{Millis, Timestamp};

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
        let about = ticket.as_ref().map(|one| (one.kind.slug(), one.reference));
        writes.extend(ticket.map(|one| Write::OpenTicket(Box::new(one))));
        if self.step(name, writes).await
            && let Some(about) = about
        {
            self.watch.tells(about);
        }
    }
}
