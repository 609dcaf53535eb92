//! `/console/cases`: cases against accounts, what holds because of each, and what may be decided.

use super::audit::line_view;
use super::{Operator, OperatorsForm, Routes};
use crate::dashboard::page::Failed;
use crate::door::Door;
use app::CaseDeed;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::audit_log::LinesOf;
use domain::desk::Deed;
use domain::ids::AccountId;
use domain::policy::{AccountCase, Measure};
use minijinja::{Value, context};
use std::collections::HashMap;
use std::sync::Arc;

/// Lines of the audit log beside a case.
const LINES: u32 = 20;

pub(super) fn routes() -> Routes {
    Routes::default()
        .see("/console/cases", Deed::SeeCases, get(list))
        .see("/console/cases/{id}", Deed::SeeCases, get(show))
        .act("/console/cases/open", Deed::DecideCases, post(open))
        .act(
            "/console/cases/{id}/decide",
            Deed::DecideCases,
            post(decide),
        )
}

async fn list(
    State(door): State<Arc<Door>>,
    Query(asked): Query<HashMap<String, String>>,
    operator: Operator,
) -> Response {
    let all = asked.get("show").is_some_and(|show| show == "all");
    list_page(&door, &operator, (all, None)).await
}

async fn list_page(
    door: &Door,
    operator: &Operator,
    (all, failed): (bool, Option<Failed>),
) -> Response {
    let page = operator.page("Cases", "cases").with_failure(failed);
    let found = door.lawful.account_cases(None, !all).await;
    let values = found.map_err(Failed::from).map(|cases| {
        let rows: Vec<Value> = cases.iter().map(|case| case_view(case, operator)).collect();
        context! { cases => rows, all }
    });
    page.showing("console/cases.html", values)
}

async fn show(State(door): State<Arc<Door>>, Path(id): Path<i64>, operator: Operator) -> Response {
    page(&door, &operator, id, None).await
}

async fn page(door: &Door, operator: &Operator, id: i64, failed: Option<Failed>) -> Response {
    let title = format!("Case {id}");
    let page = operator.page(&title, "cases");
    match (values(door, operator, id).await, failed) {
        (Ok(values), failed) => page.with_failure(failed).show("console/case.html", values),
        // what was wrong about the form comes first
        (Err(failed), None) | (Err(_), Some(failed)) => page.failed(&failed),
    }
}

async fn values(door: &Door, operator: &Operator, id: i64) -> Result<Value, Failed> {
    let case = door.lawful.account_case(id).await?;
    let account = door.engine.store().account(case.account).await?;
    let lines = match operator.may(Deed::SeeAudit) {
        true => {
            let wanted = LinesOf {
                account: Some(case.account),
                limit: LINES,
                ..LinesOf::default()
            };
            door.audit.lines(&wanted).await?
        }
        false => Vec::new(),
    };
    let own = door
        .lawful
        .is_own(operator.signed.person.id, case.account)
        .await?;
    let steps: Vec<Value> = Measure::ALL
        .into_iter()
        .filter(|measure| *measure != Measure::Close && *measure != case.measure)
        .map(|measure| context! { slug => measure.slug(), title => measure.title() })
        .collect();
    Ok(context! {
        case => case_view(&case, operator),
        holder => account.as_ref().map(|account| &account.email),
        tier => account.as_ref().map(|account| account.tier),
        suspended => account.as_ref().is_some_and(|account| account.suspended),
        own,
        steps,
        lines => lines.iter().map(line_view).collect::<Vec<_>>(),
    })
}

/// A case, ready for a page.
pub(super) fn case_view(case: &AccountCase, operator: &Operator) -> Value {
    let (appeal, closure) = (case.appeal.as_ref(), case.closure.as_ref());
    let mine = operator.signed.person.id;
    context! {
        id => case.id,
        account => case.account.0,
        signal => case.signal.slug().replace('_', " "),
        evidence => &case.evidence,
        opened_at => case.opened_at.0,
        measure => case.measure.title(),
        is_open => case.closed_at.is_none(),
        waits => case.waits_for_people(),
        due_at => case.due_at.map(|at| at.0),
        appeal => appeal.map(|appeal| &appeal.text),
        appealed_at => appeal.map(|appeal| appeal.at.0),
        closure_by => closure.map(|closure| closure.by.0),
        closure_why => closure.map(|closure| &closure.why),
        closure_at => closure.map(|closure| closure.at.0),
        may_grant => operator.may(Deed::DecideCases) && case.is_closure_for(mine),
        decided_by => case.decided_by.map(|person| person.0),
        note => case.note.as_ref(),
        closed_at => case.closed_at.map(|at| at.0),
    }
}

/// `POST …/open`: staff have seen something.
async fn open(State(door): State<Arc<Door>>, form: OperatorsForm) -> Response {
    let done = async {
        form.reason()?;
        let account = form.fields.whole::<i64>("account")?;
        let account =
            account.ok_or_else(|| Failed::field("account", "Say which account it is about."))?;
        let done = form.telling_why(|why| door.lawful.open_account_case(AccountId(account), why));
        done.await
    };
    match done.await {
        Ok(()) => Redirect::to("/console/cases?notice=case-opened").into_response(),
        Err(failed) => list_page(&door, &form.operator, (false, Some(failed))).await,
    }
}

/// `POST …/{id}/decide`.
async fn decide(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = async {
        form.reason()?;
        let deed = CaseDeed::from_slug(form.fields.text("deed"));
        let deed = deed.ok_or_else(|| Failed::field("deed", "Say what should be done."))?;
        let who = form.operator.signed.person.id;
        let done = form.telling_why(|why| door.lawful.decide_case(who, id, (deed, why)));
        done.await
    };
    match done.await {
        Ok(_) => Redirect::to(&format!("/console/cases/{id}?notice=decided")).into_response(),
        Err(failed) => page(&door, &form.operator, id, Some(failed)).await,
    }
}
