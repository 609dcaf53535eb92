//! `/console/top-ups/{id}`: one top-up with all that is known of it.

use super::{event_view, row_view};
use crate::console::{Operator, OperatorsForm};
use crate::dashboard::page::Failed;
use crate::dashboard::view;
use crate::door::Door;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, header};
use axum::response::Response;
use domain::time::Timestamp;
use domain::top_up::{
    Dispute, Processor, Proposal, Refund, Reversal, TopUp, TopUpState, reference,
};
use minijinja::{Value, context};
use std::sync::Arc;

/// Of a customer's file: should a browser ever show it, it may do nothing and is nobody's.
const PROOF_POLICY: &str = "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'; \
    form-action 'none'";

/// Events shown.
const EVENTS: u32 = 50;

pub(super) async fn show(
    State(door): State<Arc<Door>>,
    operator: Operator,
    Path(id): Path<i64>,
) -> Response {
    page(&door, &operator, id, None).await
}

pub(super) async fn page(
    door: &Door,
    operator: &Operator,
    id: i64,
    failed: Option<Failed>,
) -> Response {
    let page = operator.page("Top-up", "top-ups");
    match (values(door, id).await, failed) {
        // what was wrong with the form comes before that there is no such top-up
        (Err(_), Some(failed)) => page.failed(&failed),
        (values, failed) => page
            .with_failure(failed)
            .showing("console/top_up.html", values),
    }
}

/// `POST …/proof`: the file that came with a declared transfer. It is a stranger's, so a browser keeps it
/// and never shows it; each look leaves a line in the audit log.
pub(super) async fn proof(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    match form.because(door.top_ups.proof(id)).await {
        Ok(proof) => {
            let name = format!("{}-proof.{}", reference(id), proof.kind.slug());
            let mut response = view::file(&name, proof.kind.media_type(), proof.bytes);
            let policy = HeaderValue::from_static(PROOF_POLICY);
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_SECURITY_POLICY, policy);
            response
        }
        Err(failed) => page(&door, &form.operator, id, Some(failed)).await,
    }
}

async fn values(door: &Door, id: i64) -> Result<Value, Failed> {
    let row = door.top_ups.one(id).await?;
    let rows = door.top_ups.rows();
    let account = door.engine.store().account(row.account).await?;
    let wallet = door.engine.store().wallet(row.account).await?;
    let wallet = wallet.unwrap_or_default();
    let left = door.top_ups.left(&row).await?;
    let events = rows.top_up_events_of(id, EVENTS).await?;
    let reversals = rows.reversals(id).await?;
    let refunds = rows.refunds(id).await?;
    let disputes = rows.disputes(id).await?;
    let proposal = door.top_ups.proposal(&row).await?;
    let proof = rows.proof_line(id).await?;
    Ok(context! {
        one => row_view(&row),
        facts => facts(&row),
        customer => account.as_ref().map(|account| account.email.clone()),
        suspended => account.is_some_and(|account| account.suspended),
        available => wallet.available.0,
        uncleared => wallet.uncleared.0,
        due => wallet.receivable.0,
        waits => row.waits(),
        is_manual => row.processor == Processor::Manual,
        refundable => (row.state == TopUpState::Credited).then_some(left.0),
        seen => row.reversals,
        second_from => door.top_ups.second_person_from().map(|from| from.0),
        proposal => proposal.as_ref().map(proposal_view),
        proof => proof.as_ref().map(view::proof),
        events => events.iter().map(|event| event_view(event, true)).collect::<Vec<_>>(),
        reversals => reversals.iter().map(reversal_view).collect::<Vec<_>>(),
        refunds => refunds.iter().map(refund_view).collect::<Vec<_>>(),
        disputes => disputes.iter().map(dispute_view).collect::<Vec<_>>(),
    })
}

fn facts(row: &TopUp) -> Value {
    context! {
        fee => row.fee.0,
        bonus => row.bonus.0,
        charge => row.charge().0,
        credited => row.credited.0,
        refunded => row.refunded.0,
        processor_ref => &row.processor_ref,
        payment_ref => &row.payment_ref,
        credited_at => row.credited_at.map(|at| at.0),
        clears_at => row.clears_at.map(|at| at.0),
        expires_at => row.expires_at.0,
        due_at => row.due_at.map(|at| at.0),
        tries => row.tries,
    }
}

fn proposal_view(wanted: &Proposal) -> Value {
    context! {
        by => &wanted.proposer,
        amount => wanted.amount.0,
        typed => wanted.amount.short(),
        reference => &wanted.reference,
        reason => &wanted.reason,
        at => wanted.at.0,
    }
}

fn reversal_view((one, at): &(Reversal, Timestamp)) -> Value {
    context! {
        seq => one.seq,
        cause => one.cause.slug(),
        reference => &one.reference,
        amount => one.parts.amount.0,
        fee => one.parts.fee.0,
        bonus => one.parts.bonus.0,
        at => at.0,
    }
}

fn refund_view(refund: &Refund) -> Value {
    context! {
        seq => refund.seq,
        amount => refund.amount.0,
        reason => &refund.reason,
        state => refund.state.slug(),
        at => refund.asked_at.0,
        tries => refund.tries,
    }
}

fn dispute_view(dispute: &Dispute) -> Value {
    context! {
        id => &dispute.id,
        withdrawn => dispute.withdrawn.0,
        posted => dispute.posted.0,
        reinstated => dispute.reinstated,
    }
}
