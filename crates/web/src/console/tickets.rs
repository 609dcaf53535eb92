//! `/console/tickets`: what a person has to look at.

use super::{Operator, OperatorsForm, Routes};
use crate::dashboard::page::Failed;
use crate::door::Door;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::desk::Deed;
use domain::ticket::{Ticket, TicketKind};
use minijinja::{Value, context};
use std::sync::Arc;

/// Tickets shown.
const ROWS: u32 = 200;

pub(super) fn routes() -> Routes {
    Routes::default()
        .see("/console/tickets", Deed::SeeTickets, get(show))
        .act(
            "/console/tickets/{id}/close",
            Deed::CloseTickets,
            post(close),
        )
        .act("/console/tickets/{id}/pay", Deed::PayTickets, post(pay))
}

async fn show(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    page(&door, &operator, None).await
}

async fn page(door: &Door, operator: &Operator, failed: Option<Failed>) -> Response {
    let page = operator.page("Tickets", "tickets").with_failure(failed);
    page.showing("console/tickets.html", values(door, operator).await)
}

async fn values(door: &Door, operator: &Operator) -> Result<Value, Failed> {
    let all = operator.visitor.asked("show") == "all";
    let tickets = door.engine.store().tickets(!all, ROWS).await?;
    Ok(context! { tickets => tickets.iter().map(ticket_view).collect::<Vec<_>>(), all })
}

/// A ticket, ready for a page.
pub(super) fn ticket_view(ticket: &Ticket) -> Value {
    context! {
        id => ticket.id,
        kind => ticket.kind.slug().replace('_', " "),
        upstream => &ticket.upstream,
        order => ticket.kind.is_of_order().then_some(ticket.reference),
        amount => ticket.amount.0,
        detail => &ticket.detail,
        opened_at => ticket.opened_at.0,
        closed_at => ticket.closed_at.map(|at| at.0),
        note => &ticket.note,
        is_open => ticket.closed_at.is_none(),
        withholds => ticket.kind == TicketKind::LargeAdjustment,
    }
}

async fn close(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = form.telling_why(|reason| door.engine.close_ticket(id, reason));
    outcome(&door, &form, done.await).await
}

async fn pay(State(door): State<Arc<Door>>, Path(id): Path<i64>, form: OperatorsForm) -> Response {
    let done = form.telling_why(|reason| door.desk.pay_ticket(id, reason));
    outcome(&door, &form, done.await).await
}

async fn outcome(door: &Door, form: &OperatorsForm, done: Result<(), Failed>) -> Response {
    match done {
        Ok(()) => Redirect::to("/console/tickets?notice=ticket-closed").into_response(),
        Err(failed) => page(door, &form.operator, Some(failed)).await,
    }
}
