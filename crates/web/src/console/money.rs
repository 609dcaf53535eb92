//! `/console/money`: credits and debits by hand, and those that wait for a second person.

use super::{Operator, OperatorsForm, Routes};
use crate::dashboard::page::Failed;
use crate::door::Door;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::desk::{Deed, MoneyRequest};
use minijinja::{Value, context};
use std::sync::Arc;

/// Requests shown.
const ROWS: u32 = 100;

pub(super) fn routes() -> Routes {
    Routes::default()
        .see("/console/money", Deed::SeeLedger, get(show))
        .act(
            "/console/money/{id}/decide",
            Deed::DecideMoney,
            post(decide),
        )
}

async fn show(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    page(&door, &operator, None).await
}

async fn page(door: &Door, operator: &Operator, failed: Option<Failed>) -> Response {
    let page = operator
        .page("Credits and debits", "money")
        .with_failure(failed);
    page.showing("console/money.html", values(door, operator).await)
}

async fn values(door: &Door, operator: &Operator) -> Result<Value, Failed> {
    let rows = door.desk.rows();
    let open = rows.money_requests(None, true, ROWS).await?;
    let all = rows.money_requests(None, false, ROWS).await?;
    let view = |all: &[MoneyRequest]| -> Vec<Value> {
        all.iter().map(|one| request_view(one, operator)).collect()
    };
    Ok(context! { open => view(&open), all => view(&all), cap => door.desk.cap().0 })
}

/// A request, ready for a page.
pub(super) fn request_view(request: &MoneyRequest, operator: &Operator) -> Value {
    let mine = operator.signed.person.id;
    context! {
        id => request.id,
        account => request.account.0,
        amount => request.amount.0,
        reason => &request.reason,
        asked_by => request.asked_by.0,
        asked_at => request.asked_at.0,
        state => request.state.slug(),
        decided_by => request.decided_by.map(|person| person.0),
        decided_at => request.decided_at.map(|at| at.0),
        is_mine_to_decide => operator.may(Deed::DecideMoney) && request.is_for(mine),
    }
}

async fn decide(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = async {
        let grant = match form.fields.text("decision") {
            "grant" => true,
            "refuse" => false,
            _ => return Err(Failed::field("decision", "Grant it or refuse it.")),
        };
        let who = form.operator.signed.person.id;
        form.because(door.desk.decide(who, id, grant)).await?;
        Ok("decided")
    };
    match done.await {
        Ok(notice) => Redirect::to(&format!("/console/money?notice={notice}")).into_response(),
        Err(failed) => page(&door, &form.operator, Some(failed)).await,
    }
}
