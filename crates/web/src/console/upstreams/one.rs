//! `/console/upstreams/{name}`: one upstream with what it can do, how it is doing and what the settings
//! say, and what may be done about it.

use super::{figures_view, health_view, listing_of, listings, pause_view};
use crate::console::{Operator, OperatorsForm};
use crate::dashboard::page::Failed;
use crate::door::Door;
use app::{Trial, TrialStep};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::time::Millis;
use domain::upstream::Capabilities;
use domain::usd::Usd;
use minijinja::{Value, context};
use std::sync::Arc;

/// `GET /console/upstreams/{name}`.
pub(super) async fn show(
    State(door): State<Arc<Door>>,
    Path(name): Path<String>,
    operator: Operator,
) -> Response {
    page(&door, &operator, &name, (None, None)).await
}

async fn page(
    door: &Door,
    operator: &Operator,
    name: &str,
    (trial, failed): (Option<Trial>, Option<Failed>),
) -> Response {
    let title = format!("Upstream {name}");
    let page = operator.page(&title, "upstreams");
    let trial = trial.as_ref().map(trial_view);
    let values = values(door, name).await;
    let values = values.map(|values| context! { trial, ..values });
    match (values, failed) {
        // what was wrong with the form comes before that there is no such upstream
        (Err(_), Some(failed)) => page.failed(&failed),
        (values, failed) => page
            .with_failure(failed)
            .showing("console/upstream.html", values),
    }
}

async fn values(door: &Door, name: &str) -> Result<Value, Failed> {
    let sheet = door.stock.sheet(name).ok_or_else(unknown)?;
    let in_force = door.engine.in_force().await?;
    let pauses = &in_force.pauses;
    let pause = pauses.iter().find(|pause| pause.upstream == name);
    let health = door.engine.upstream_health();
    let health = health.iter().find(|health| health.upstream == name);
    let limits = door.engine.limits_of(name);
    let set = |usd: Usd| (usd > Usd::ZERO).then_some(usd.0);
    let settings: Vec<Value> = sheet
        .settings
        .iter()
        .map(|(key, value, origin)| context! { key, value, origin })
        .collect();
    Ok(context! {
        name,
        protocol => sheet.protocol,
        servers => sheet.servers.join(", "),
        settings,
        pause => pause.map(pause_view),
        health => health.map(health_view),
        limits => context! {
            float_warn => set(limits.float_warn),
            float_stop => set(limits.float_stop),
            in_doubt_cap => limits.in_doubt_cap,
            purchases => limits.max_concurrent_purchases,
            reads => limits.reads_per_minute,
        },
        listing => listing_of(&listings(door), name),
        measured_here => figures_view(&door.engine.measured_at(name)),
        can => door.engine.capabilities(name).map(capabilities),
    })
}

fn unknown() -> Failed {
    Failed::new(StatusCode::NOT_FOUND, "There is no such upstream.")
}

/// A line of the capability sheet: what, whether or how long, and what follows from it.
type Capability = (&'static str, String, &'static str);

/// The capability sheet.
fn capabilities(can: &Capabilities) -> Vec<Value> {
    let rows = calls(can).into_iter().chain(spans(can));
    let view = |(what, value, meaning): Capability| context! { what, value, meaning };
    rows.map(view).collect()
}

/// What it can be asked.
fn calls(can: &Capabilities) -> [Capability; 7] {
    let yes = |yes: bool| if yes { "yes" } else { "no" }.to_owned();
    [
        (
            "Recognises a purchase sent twice",
            yes(can.idempotency_key),
            "an unknown answer can be asked for again",
        ),
        (
            "Lists what is active",
            yes(can.list_active),
            "purchases in doubt are found in the list",
        ),
        (
            "Lists the past",
            yes(can.history),
            "what ended meanwhile can be looked up",
        ),
        (
            "Tells our balance",
            yes(can.balance),
            "floats are watched and books compared",
        ),
        (
            "Takes a price cap",
            yes(can.max_price),
            "it never takes more than was quoted",
        ),
        (
            "Cancels",
            yes(can.cancel),
            "customers may give back what brought no code",
        ),
        (
            "Key shared with other programs",
            yes(can.shared_key),
            "must be no: their orders would be taken for ours",
        ),
    ]
}

/// How long it takes or allows.
fn spans(can: &Capabilities) -> [Capability; 6] {
    let page = can.list_page_limit;
    [
        (
            "Answers an equal order with the one it made",
            span(can.dup_window),
            "for so long a repeat buys nothing more",
        ),
        (
            "May be missing from the list",
            span(can.list_lag),
            "so long after it was booked",
        ),
        (
            "Rows on a page of the list",
            page.map_or("all".to_owned(), |rows| rows.to_string()),
            "more pages are asked for",
        ),
        (
            "May still process a purchase",
            span(can.late_window),
            "so long after our timeout",
        ),
        (
            "No cancel before",
            span(can.min_cancel_age),
            "the age of an activation",
        ),
        (
            "Lifetime of an activation",
            span(can.activation_ttl),
            "where it does not say itself",
        ),
    ]
}

fn span(span: Millis) -> String {
    match span.0 {
        0 => "no".to_owned(),
        ms if ms % 60_000 == 0 => format!("{} min", ms / 60_000),
        ms if ms % 1000 == 0 => format!("{} s", ms / 1000),
        ms => format!("{ms} ms"),
    }
}

/// How a trial went, ready for a page.
pub(super) fn trial_view(trial: &Trial) -> Value {
    let step = |step: &TrialStep| {
        let wrong = step.outcome.as_ref().err();
        context! {
            name => step.name,
            ms => step.took.0,
            found => step.outcome.as_ref().ok(),
            wrong => wrong.map(|(wrong, _)| wrong),
            advice => wrong.map(|(_, advice)| advice),
        }
    };
    let steps: Vec<Value> = trial.steps.iter().map(step).collect();
    context! { ok => trial.is_ok(), steps }
}

/// `POST …/test`: asks it for our balance and its lists; nothing is bought.
pub(super) async fn test(
    State(door): State<Arc<Door>>,
    Path(name): Path<String>,
    form: OperatorsForm,
) -> Response {
    let tried = form.operator.acting("", door.stock.try_out(&name)).await;
    let shown = match tried {
        Ok(trial) => (Some(trial), None),
        Err(error) => (None, Some(error.into())),
    };
    page(&door, &form.operator, &name, shown).await
}

/// `POST …/pause`.
pub(super) async fn pause(
    State(door): State<Arc<Door>>,
    Path(name): Path<String>,
    form: OperatorsForm,
) -> Response {
    let done = form.telling_why(|reason| door.engine.pause_upstream(&name, reason));
    let done = done.await.map(|()| "upstream-paused");
    outcome(&door, &form.operator, &name, done).await
}

/// `POST …/resume`.
pub(super) async fn resume(
    State(door): State<Arc<Door>>,
    Path(name): Path<String>,
    form: OperatorsForm,
) -> Response {
    let done = form.telling_why(|reason| door.engine.resume_upstream(&name, reason));
    let done = done.await.map(|()| "upstream-resumed");
    outcome(&door, &form.operator, &name, done).await
}

async fn outcome(
    door: &Door,
    operator: &Operator,
    name: &str,
    done: Result<&'static str, Failed>,
) -> Response {
    match done {
        Ok(notice) => {
            let page = door
                .stock
                .sheet(name)
                .map(|sheet| format!("/{}", sheet.name));
            // one that the settings have no longer has no page
            let page = page.unwrap_or_default();
            let there = format!("/console/upstreams{page}?notice={notice}");
            Redirect::to(&there).into_response()
        }
        Err(failed) => page(door, operator, name, (None, Some(failed))).await,
    }
}
