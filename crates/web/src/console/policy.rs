//! `/console/policy`: the rules in force and since when, what they denied lately, and what nobody may
//! use.

use super::audit::line_view;
use super::{Operator, OperatorsForm, Routes};
use crate::dashboard::page::Failed;
use crate::dashboard::policy::class;
use crate::door::Door;
use app::{ClassInForce, Denied, RULES_NOTED};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::audit_log::LinesOf;
use domain::desk::Deed;
use domain::policy::{AbuseCase, Blocked, BlockedKind, RULE_VERSION};
use minijinja::{Value, context};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Rows of a list.
const ROWS: usize = 50;
/// Times that the rules changed.
const CHANGES: u32 = 20;

pub(super) fn routes() -> Routes {
    Routes::default()
        .see("/console/policy", Deed::SeePolicy, get(show))
        .act("/console/policy/block", Deed::ChangePolicy, post(block))
        .act("/console/policy/unblock", Deed::ChangePolicy, post(unblock))
}

async fn show(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    page(&door, &operator, None).await
}

async fn page(door: &Door, operator: &Operator, failed: Option<Failed>) -> Response {
    let page = operator.page("Policy", "policy").with_failure(failed);
    page.showing("console/policy.html", values(door).await)
}

async fn values(door: &Door) -> Result<Value, Failed> {
    let counters = door.lawful.counters().await?;
    let cases = door.lawful.cases(true).await?;
    let blocked = door.lawful.blocked().await?;
    let noted = LinesOf {
        action: Some(RULES_NOTED.to_owned()),
        limit: CHANGES,
        ..LinesOf::default()
    };
    let noted = door.audit.lines(&noted).await?;
    let lately = door.engine.denied_lately();
    let classes = |all: Vec<ClassInForce>| all.iter().map(class_view).collect::<Vec<_>>();
    let denials: Vec<Value> = counters
        .denials
        .iter()
        .map(|(class, count)| context! { class, count })
        .collect();
    Ok(context! {
        version => RULE_VERSION,
        otp => classes(door.engine.otp_classes()),
        smm => classes(door.engine.smm_classes()),
        smm_confirmed => door.engine.smm_is_confirmed(),
        noted => noted.iter().map(line_view).collect::<Vec<_>>(),
        rules => by_rule(&lately),
        lately => lately.iter().take(ROWS).map(denied_view).collect::<Vec<_>>(),
        denials,
        cases => cases.iter().take(ROWS).map(case_view).collect::<Vec<_>>(),
        open_cases => cases.len(),
        blocked => blocked.iter().take(ROWS).map(blocked_view).collect::<Vec<_>>(),
        blocked_in_all => blocked.len(),
    })
}

fn class_view(one: &ClassInForce) -> Value {
    let lifted = one.lifted;
    context! { lifted, ..class(one) }
}

/// How often each rule denied something, among what is remembered.
fn by_rule(lately: &[Denied]) -> Vec<Value> {
    let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
    for denied in lately {
        *counted.entry(denied.rule).or_default() += 1;
    }
    let rows = counted.into_iter();
    rows.map(|(rule, count)| context! { rule, count }).collect()
}

fn denied_view(denied: &Denied) -> Value {
    context! {
        at => denied.at.0,
        rule => denied.rule,
        class => denied.class.replace('_', " "),
        service => &denied.service,
        tier => denied.tier,
    }
}

fn case_view(case: &AbuseCase) -> Value {
    context! {
        id => case.id,
        kind => case.kind.slug(),
        subject => &case.subject,
        harm => case.harm.slug().replace('_', " "),
        at => case.opened_at.0,
        order => case.behind.as_ref().map(|behind| behind.order.0),
        account => case.behind.as_ref().map(|behind| behind.account.0),
        suspended => case.suspended,
    }
}

fn blocked_view(one: &Blocked) -> Value {
    context! {
        id => one.id,
        kind => one.kind.slug(),
        value => &one.value,
        why => &one.why,
        at => one.at.0,
    }
}

fn kind(form: &OperatorsForm) -> Result<BlockedKind, Failed> {
    let kind = BlockedKind::from_slug(form.fields.text("kind"));
    kind.ok_or_else(|| Failed::field("kind", "Say whether it is a number or a target."))
}

/// `POST …/block`.
async fn block(State(door): State<Arc<Door>>, form: OperatorsForm) -> Response {
    let done = async {
        let (kind, value) = (kind(&form)?, form.fields.text("value"));
        let done = form.telling_why(|reason| door.lawful.block(kind, value, reason));
        done.await.map(|_| "blocked")
    };
    outcome(&door, &form.operator, done.await).await
}

/// `POST …/unblock`.
async fn unblock(State(door): State<Arc<Door>>, form: OperatorsForm) -> Response {
    let done = async {
        let deed = door.lawful.unblock(kind(&form)?, form.fields.text("value"));
        form.because(deed).await.map(|_| "unblocked")
    };
    outcome(&door, &form.operator, done.await).await
}

async fn outcome(door: &Door, operator: &Operator, done: Result<&'static str, Failed>) -> Response {
    match done {
        Ok(notice) => Redirect::to(&format!("/console/policy?notice={notice}")).into_response(),
        Err(failed) => page(door, operator, Some(failed)).await,
    }
}
