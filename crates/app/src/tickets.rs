//! What a person has to look at: told in the log as it is opened, settled by the operator.

use crate::accounts::AdminError;
use crate::engine::Engine;
use domain::change::{CommitError, Write};
use domain::ids::OrderId;
use domain::smm_order::SmmOrder;
use domain::ticket::{Ticket, TicketKind};
use domain::usd::Usd;

/// Open tickets looked through for one.
const TICKETS: u32 = 10_000;

/// The tickets that these writes open.
pub(crate) fn opened(writes: &[Write]) -> Vec<Ticket> {
    let ticket = |write: &Write| match write {
        Write::OpenTicket(ticket) => Some((**ticket).clone()),
        _ => None,
    };
    writes.iter().filter_map(ticket).collect()
}

/// Tells the operator.
pub(crate) fn tell(tickets: &[Ticket]) {
    for ticket in tickets {
        let Ticket {
            id, kind, upstream, ..
        } = ticket;
        let kind = kind.slug();
        tracing::error!(upstream, ticket = id, kind, "{}", ticket.detail);
    }
}

impl Engine {
    /// Closes a ticket with what the operator found.
    pub async fn close_ticket(&self, ticket: i64, note: &str) -> Result<(), AdminError> {
        let close = vec![closing(ticket, note)?];
        self.settle_ticket("close_ticket", ticket, close).await
    }

    /// Returns to the customer what a ticket withholds, as far as the hold still covers it, and
    /// closes the ticket. Gives the order and what went back, in micro-dollars.
    pub async fn pay_ticket(&self, id: i64, note: &str) -> Result<(OrderId, Usd), AdminError> {
        let close = closing(id, note)?;
        let (ticket, row) = self.withheld(id).await?;
        let order = row.id;
        let left = Usd(row.price.0 - row.returned.0);
        let mut writes = row.corrected_by_hand(ticket.amount);
        if writes.is_empty() {
            return Err(AdminError::Invalid(format!(
                "all of the hold of order {order} went back already: close the ticket"
            )));
        }
        writes.push(close);
        self.settle_ticket("pay_ticket", id, writes).await?;
        Ok((order, ticket.amount.min(left)))
    }

    /// An open ticket that withholds money from a customer, and the order it is about.
    pub(crate) async fn withheld(&self, id: i64) -> Result<(Ticket, SmmOrder), AdminError> {
        let open = self.store().tickets(true, TICKETS).await?;
        let ticket = open.into_iter().find(|ticket| ticket.id == id);
        let ticket = ticket.ok_or_else(|| not_open(id))?;
        if ticket.kind != TicketKind::LargeAdjustment {
            let kind = ticket.kind.slug();
            return Err(AdminError::Invalid(format!(
                "ticket {id} is {kind}: nothing is withheld from a customer there"
            )));
        }
        let order = OrderId(ticket.reference);
        let row = self.store().smm_order(order).await?;
        let row = row.ok_or_else(|| AdminError::NotFound(format!("order {order}")))?;
        Ok((ticket, row))
    }

    async fn settle_ticket(
        &self,
        name: &'static str,
        ticket: i64,
        writes: Vec<Write>,
    ) -> Result<(), AdminError> {
        match self.commit(name, writes).await {
            Ok(()) => Ok(()),
            Err(CommitError::Refused(_)) => Err(not_open(ticket)),
            Err(CommitError::Storage(_)) => Err(AdminError::Storage),
        }
    }
}

fn closing(ticket: i64, note: &str) -> Result<Write, AdminError> {
    if note.trim().is_empty() {
        return Err(AdminError::Invalid("--note: say what was found".into()));
    }
    let note = note.to_owned();
    Ok(Write::CloseTicket { ticket, note })
}

fn not_open(ticket: i64) -> AdminError {
    AdminError::NotFound(format!("open ticket {ticket}"))
}
