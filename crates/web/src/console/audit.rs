//! `/console/audit`: who did what, and whether the log is as it was written.

use super::{Operator, OperatorsForm, Routes};
use crate::dashboard::fields::day;
use crate::dashboard::page::Failed;
use crate::door::Door;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::audit_log::{Line, LinesOf};
use domain::desk::Deed;
use domain::ids::AccountId;
use minijinja::{Value, context};
use std::sync::Arc;

/// Lines on one page.
const ROWS: u32 = 50;

pub(super) fn routes() -> Routes {
    Routes::default()
        .see("/console/audit", Deed::SeeAudit, get(show))
        .act("/console/audit/verify", Deed::VerifyAudit, post(verify))
        .act(
            "/console/audit/checkpoint",
            Deed::VerifyAudit,
            post(checkpoint),
        )
}

async fn show(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    page(&door, &operator, None).await
}

async fn page(door: &Door, operator: &Operator, failed: Option<Failed>) -> Response {
    let page = operator.page("Audit log", "audit").with_failure(failed);
    page.showing("console/audit.html", values(door, operator).await)
}

async fn values(door: &Door, operator: &Operator) -> Result<Value, Failed> {
    let query = |name: &str| Some(operator.visitor.asked(name)).filter(|text| !text.is_empty());
    let (actor, action, since) = (query("actor"), query("action"), query("since"));
    let account: Option<i64> = query("account").and_then(|text| text.parse().ok());
    let wanted = LinesOf {
        account: account.map(AccountId),
        actor: actor.clone(),
        action: action.clone(),
        since: day("since", since.as_deref().unwrap_or_default())?,
        until: None,
        before: query("before").and_then(|text| text.parse().ok()),
        limit: ROWS + 1,
    };
    let mut lines = door.audit.lines(&wanted).await?;
    let more = lines.len() > ROWS as usize;
    lines.truncate(ROWS as usize);
    let next = lines.last().filter(|_| more).map(|last| last.id);
    let newest = door.audit.newest_checkpoint().await?;
    let total = door.audit.size().await?;
    let state = door.audit.last_verified().map(|found| {
        context! {
            ok => found.is_ok(),
            at => found.at.0,
            lines => found.verified.lines,
            of => total,
            checkpoints => found.verified.checkpoints,
            bad => found.bad().map(|bad| context! { id => bad.id, why => &bad.why }),
            unbelievable => &found.unbelievable,
        }
    });
    Ok(context! {
        lines => lines.iter().map(line_view).collect::<Vec<_>>(),
        actor => actor.unwrap_or_default(),
        action => action.unwrap_or_default(),
        since => since.unwrap_or_default(),
        account,
        next,
        state,
        checkpoint => newest.map(|one| context! { size => one.size, at => one.at.0 }),
    })
}

/// A line, ready for a page.
pub(super) fn line_view(line: &Line) -> Value {
    let note = &line.note;
    context! {
        id => line.id,
        at => line.at.0,
        account => note.account.map(|account| account.0),
        actor => &note.actor,
        action => note.action.replace('_', " "),
        object => &note.object,
        reason => &note.reason,
        details => &note.details,
    }
}

async fn verify(State(door): State<Arc<Door>>, form: OperatorsForm) -> Response {
    match door.audit.verify(None).await {
        Ok(_) => Redirect::to("/console/audit?notice=verified-log").into_response(),
        Err(error) => page(&door, &form.operator, Some(error.into())).await,
    }
}

async fn checkpoint(State(door): State<Arc<Door>>, form: OperatorsForm) -> Response {
    match form.operator.acting("", door.audit.checkpoint()).await {
        Ok(_) => Redirect::to("/console/audit?notice=checkpoint").into_response(),
        Err(error) => page(&door, &form.operator, Some(error.into())).await,
    }
}
