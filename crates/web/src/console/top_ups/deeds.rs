//! What is decided about top-ups: each with a reason.

use super::one;
use crate::console::OperatorsForm;
use crate::dashboard::page::Failed;
use crate::door::Door;
use app::RefundOrder;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use domain::top_up::TopUpState;
use std::sync::Arc;

/// Back to the page with a notice, or the page again with what was wrong.
async fn outcome(
    door: &Door,
    form: &OperatorsForm,
    id: i64,
    done: Result<&'static str, Failed>,
) -> Response {
    match done {
        Ok(notice) => {
            Redirect::to(&format!("/console/top-ups/{id}?notice={notice}")).into_response()
        }
        Err(failed) => one::page(door, &form.operator, id, Some(failed)).await,
    }
}

/// `POST …/approve`: a transfer that arrived, or a payment in review.
pub(super) async fn approve(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = async {
        let (amount, reference) = (form.dollars()?, form.fields.text("reference"));
        let approve = |reason| door.top_ups.approve(id, Some(amount), reference, reason);
        Ok(match form.telling_why(approve).await?.state {
            TopUpState::Credited => "top-up-credited",
            _ => "second-person",
        })
    };
    outcome(&door, &form, id, done.await).await
}

/// `POST …/reject`: closed without money.
pub(super) async fn reject(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = form.telling_why(|reason| door.top_ups.reject(id, reason));
    let done = done.await.map(|_| "top-up-rejected");
    outcome(&door, &form, id, done).await
}

/// `POST …/refund`: money goes back to its payer. The form tells what its page has shown, so that sent
/// twice it returns the money once.
pub(super) async fn refund(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = async {
        let reason = form.reason()?;
        let seen = form.fields.number("seen");
        let order = RefundOrder {
            amount: form.dollars()?,
            reason,
            may_owe: form.fields.ticked("owe"),
            seen: Some(seen.ok_or_else(|| {
                Failed::field(
                    "seen",
                    "This form is incomplete. Reload the page and send it again.",
                )
            })?),
        };
        let refunded = form.because(door.top_ups.refund(id, order)).await?;
        Ok(match refunded {
            Some(_) => "top-up-refunded",
            None => "second-person",
        })
    };
    outcome(&door, &form, id, done.await).await
}

/// `POST …/replay`: an event that came to nothing is tried once more.
pub(super) async fn replay(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    match form.because(Box::pin(door.top_ups.replay(id))).await {
        Ok(_) => Redirect::to("/console/top-ups?notice=event-replayed").into_response(),
        Err(failed) => super::page(&door, &form.operator, Some(failed)).await,
    }
}
