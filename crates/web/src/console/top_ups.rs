//! `/console/top-ups`: what customers paid in, what waits for a person, and events of processors that fit
//! nothing.

mod deeds;
mod import;
mod one;
mod processors;

use super::{Operator, Routes};
use crate::dashboard::page::Failed;
use crate::door::Door;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use domain::desk::Deed;
use domain::ids::AccountId;
use domain::top_up::{
    Processor, Reconciliation, TopUp, TopUpEvent, TopUpState, TopUpsOf, reference,
};
use minijinja::{Value, context};
use std::sync::Arc;

/// Top-ups on one page, and events that fit nothing.
const ROWS: u32 = 100;

/// Events of a list that show what the processor sent, which may be long. Those of a top-up show it at its
/// page.
const BODIES: usize = 20;

/// Lines of comparisons shown: a processor and a day each.
const DAYS: u32 = 30;

pub(super) fn routes() -> Routes {
    Routes::default()
        .see("/console/top-ups", Deed::SeeTopUps, get(show))
        .see(
            "/console/top-ups/import",
            Deed::DecideTopUps,
            get(import::show),
        )
        .act(
            "/console/top-ups/import",
            Deed::DecideTopUps,
            post(import::preview),
        )
        .act(
            "/console/top-ups/import/take",
            Deed::DecideTopUps,
            post(import::take),
        )
        .see(
            "/console/top-ups/processors",
            Deed::SeeLedger,
            get(processors::show),
        )
        .see("/console/top-ups/{id}", Deed::SeeTopUps, get(one::show))
        .act(
            "/console/top-ups/{id}/proof",
            Deed::ReadProofs,
            post(one::proof),
        )
        .act(
            "/console/top-ups/{id}/approve",
            Deed::DecideTopUps,
            post(deeds::approve),
        )
        .act(
            "/console/top-ups/{id}/reject",
            Deed::DecideTopUps,
            post(deeds::reject),
        )
        .act(
            "/console/top-ups/{id}/refund",
            Deed::DecideTopUps,
            post(deeds::refund),
        )
        .act(
            "/console/top-up-events/{id}/replay",
            Deed::DecideTopUps,
            post(deeds::replay),
        )
}

async fn show(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    page(&door, &operator, None).await
}

async fn page(door: &Door, operator: &Operator, failed: Option<Failed>) -> Response {
    let page = operator.page("Top-ups", "top-ups").with_failure(failed);
    page.showing("console/top_ups.html", values(door, operator).await)
}

/// What the address asks for.
fn wanted(operator: &Operator) -> Result<TopUpsOf, Failed> {
    let asked = |name| Some(operator.visitor.asked(name)).filter(|text| !text.is_empty());
    let number = |name: &'static str| match asked(name) {
        None => Ok(None),
        Some(text) => match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(Failed::field(name, "Give a whole number.")),
        },
    };
    Ok(TopUpsOf {
        waiting: asked("show").is_none_or(|show| show != "all"),
        account: number("account")?.map(AccountId),
        processor: asked("processor").and_then(|slug| Processor::from_slug(&slug)),
        state: asked("state").and_then(|slug| TopUpState::from_slug(&slug)),
        before: number("before")?,
        limit: ROWS,
    })
}

async fn values(door: &Door, operator: &Operator) -> Result<Value, Failed> {
    let wanted = wanted(operator)?;
    let rows = door.top_ups.rows();
    let found = rows.top_ups(&wanted).await?;
    let full = u32::try_from(found.len()).is_ok_and(|found| found == ROWS);
    let next = found.last().filter(|_| full).map(|row| row.id);
    let odd = rows.top_up_events_odd(ROWS).await?;
    let compared = rows.reconciliations(DAYS).await?;
    Ok(context! {
        top_ups => found.iter().map(row_view).collect::<Vec<_>>(),
        odd => odd_view(&odd),
        compared => compared.iter().map(day_view).collect::<Vec<_>>(),
        all => !wanted.waiting,
        account => wanted.account.map(|account| account.0),
        processor => wanted.processor.map_or("", Processor::slug),
        state => wanted.state.map_or("", TopUpState::slug),
        processors => Processor::ALL.map(Processor::slug),
        states => TopUpState::ALL.map(TopUpState::slug),
        next,
    })
}

/// A top-up in a list.
fn row_view(row: &TopUp) -> Value {
    context! {
        id => row.id,
        reference => reference(row.id),
        account => row.account.0,
        processor => row.processor.slug(),
        state => row.state.slug(),
        amount => row.amount.0,
        returned => row.reversed.of_customer().0,
        note => &row.note,
        is_test => !row.live,
        at => row.created_at.0,
    }
}

/// What came of comparing a day with a processor's list.
fn day_view(one: &Reconciliation) -> Value {
    context! {
        processor => one.processor.slug(),
        day => one.day.0,
        listed => one.listed,
        credited => one.credited,
        amount => one.amount.0,
        fees => one.fees.0,
        paid_out => one.paid_out.0,
        unexplained => &one.unexplained,
        failure => &one.failure,
        at => one.at.0,
    }
}

/// Events in a list.
fn odd_view(events: &[TopUpEvent]) -> Vec<Value> {
    let mut bodies = 0;
    let view = |event: &TopUpEvent| {
        bodies += usize::from(event.top_up.is_none());
        event_view(event, event.top_up.is_none() && bodies <= BODIES)
    };
    events.iter().map(view).collect()
}

/// An event of a processor, with what that sent or without.
fn event_view(event: &TopUpEvent, with_body: bool) -> Value {
    context! {
        id => event.id,
        processor => event.processor.slug(),
        event_id => &event.event_id,
        kind => &event.kind,
        top_up => event.top_up,
        state => event.state.slug(),
        verdict => &event.verdict,
        at => event.received_at.0,
        tries => event.tries,
        raw => with_body.then(|| String::from_utf8_lossy(&event.raw)),
        can_replay => event.state.came_to_nothing(),
    }
}
