//! `/console/policy`: the rules in force and since when, what they denied lately, and what nobody may
//! use.

use super::audit::line_view;
use super::{Operator, OperatorsForm, Routes};
use crate::dashboard::page::Failed;
use crate::dashboard::policy::class;
use crate::door::Door;
use app::{ClassInForce, Denied, RULES_NOTED};
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::audit_log::LinesOf;
use domain::desk::Deed;
use domain::policy::{
    AbuseCase, BOUNDS, Blocked, BlockedKind, Loosening, LooseningState, RULE_VERSION, RuleChange,
    Strength,
};
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
        .act("/console/policy/loosen", Deed::ChangePolicy, post(loosen))
        .act(
            "/console/policy/loosen/{id}/decide",
            Deed::ChangePolicy,
            post(decide),
        )
}

async fn show(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    page(&door, &operator, None).await
}

async fn page(door: &Door, operator: &Operator, failed: Option<Failed>) -> Response {
    let page = operator.page("Policy", "policy").with_failure(failed);
    page.showing("console/policy.html", values(door, operator).await)
}

async fn values(door: &Door, operator: &Operator) -> Result<Value, Failed> {
    door.engine.in_force().await?;
    let changes = door.lawful.rule_changes().await?;
    let liftable = (door
        .engine
        .otp_classes()
        .into_iter()
        .map(|one| ("otp", one)))
    .chain(
        door.engine
            .smm_classes()
            .into_iter()
            .map(|one| ("smm", one)),
    );
    let liftable = liftable.filter(|(_, one)| one.strength == Strength::DefaultDeny && !one.lifted);
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
        changes => changes.iter().map(|one| change_view(one, operator)).collect::<Vec<_>>(),
        liftable => liftable.map(|(kind, one)| context! {
            subject => format!("{kind}.{}", one.class),
            title => one.class.replace('_', " "),
        }).collect::<Vec<_>>(),
        bounds => BOUNDS.to_vec(),
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

fn change_view(change: &RuleChange, operator: &Operator) -> Value {
    context! {
        id => change.id,
        what => change.what.in_words(),
        reason => &change.reason,
        asked_by => change.asked_by.0,
        asked_at => change.asked_at.0,
        state => change.state.slug(),
        in_force => change.state == LooseningState::Granted,
        asked => change.state == LooseningState::Asked,
        may_grant => change.is_for(operator.signed.person.id),
        decided_by => change.decided_by.map(|person| person.0),
        decided_at => change.decided_at.map(|at| at.0),
    }
}

/// `POST …/loosen`: a class or a bound, for a second person to grant.
async fn loosen(State(door): State<Arc<Door>>, form: OperatorsForm) -> Response {
    let done = async {
        form.reason()?;
        let what = match form.fields.filled("class") {
            Some(class) => Loosening::parse(class, None),
            None => {
                let (tier, bound) = (form.fields.text("tier"), form.fields.text("bound"));
                let subject = format!("tier.{tier}.{bound}");
                Loosening::parse(&subject, form.fields.whole("figure")?)
            }
        };
        let wrong = "Choose a class that is denied by default, or a tier, a bound and its figure.";
        let what = what.ok_or_else(|| Failed::field("figure", wrong))?;
        let who = form.operator.signed.person.id;
        let done = form.telling_why(|why| door.lawful.ask_loosening(who, what, why));
        done.await.map(|()| "second-person")
    };
    outcome(&door, &form.operator, done.await).await
}

/// `POST …/loosen/{id}/decide`.
async fn decide(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = async {
        form.reason()?;
        let state = match form.fields.text("decision") {
            "grant" => LooseningState::Granted,
            "refuse" => LooseningState::Refused,
            "end" => LooseningState::Ended,
            _ => return Err(Failed::field("decision", "Grant, refuse or end it.")),
        };
        let who = form.operator.signed.person.id;
        let done = form.because(door.lawful.decide_loosening(who, id, state));
        done.await.map(|()| "decided")
    };
    outcome(&door, &form.operator, done.await).await
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
