//! `/console/top-ups/processors`: what stands between the house and each processor, and what that sent to the
//! bank. Its sums are made of all top-ups, so they are a page of their own.

use crate::console::Operator;
use crate::dashboard::page::Failed;
use crate::door::Door;
use axum::extract::State;
use axum::response::Response;
use domain::top_up::{Clearing, ProcessorMovement};
use minijinja::{Value, context};
use std::sync::Arc;

/// Payouts shown.
const PAYOUTS: u32 = 100;

pub(super) async fn show(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    let page = operator.page("Processors", "top-ups");
    page.showing("console/processors.html", values(&door).await)
}

async fn values(door: &Door) -> Result<Value, Failed> {
    let clearings = door.top_ups.clearings().await?;
    let payouts = door.top_ups.rows().payouts(PAYOUTS).await?;
    Ok(context! {
        clearings => clearings.iter().map(clearing_view).collect::<Vec<_>>(),
        payouts => payouts.iter().map(payout_view).collect::<Vec<_>>(),
    })
}

fn clearing_view(one: &Clearing) -> Value {
    context! {
        processor => one.processor.slug(),
        credited => one.credited.0,
        returned => one.returned.0,
        fees => one.fees.0,
        paid_out => one.paid_out.0,
        open => one.open().0,
    }
}

fn payout_view(one: &ProcessorMovement) -> Value {
    context! {
        processor => one.processor.slug(),
        reference => &one.reference,
        word => &one.word,
        amount => one.amount.0,
        at => one.moved_at.0,
    }
}
