//! `/console/announcements`: what all customers are told on their pages.

use super::{Operator, OperatorsForm, Routes};
use crate::dashboard::page::Failed;
use crate::door::Door;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::desk::Deed;
use minijinja::{Value, context};
use std::sync::Arc;

/// Announcements listed.
const ROWS: u32 = 50;

/// The longest that an announcement with an end shows: a year.
const HOURS_MAX: u32 = 8_760;

pub(super) fn routes() -> Routes {
    Routes::default()
        .see("/console/announcements", Deed::SeeAnnouncements, get(show))
        .act("/console/announcements", Deed::Announce, post(announce))
        .act("/console/announcements/{id}/end", Deed::Announce, post(end))
}

async fn show(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    page(&door, &operator, None).await
}

async fn page(door: &Door, operator: &Operator, failed: Option<Failed>) -> Response {
    let page = operator
        .page("Announcements", "announcements")
        .with_failure(failed);
    page.showing("console/announcements.html", values(door).await)
}

async fn values(door: &Door) -> Result<Value, Failed> {
    let now = door.engine.now();
    let rows = door.desk.rows().announcements(None, ROWS).await?;
    let rows: Vec<Value> = rows
        .iter()
        .map(|one| {
            context! {
                id => one.id,
                text => &one.text,
                by => one.by.0,
                from => one.from.0,
                until => one.until.map(|at| at.0),
                shows => one.until.is_none_or(|until| until > now),
            }
        })
        .collect();
    Ok(context! { announcements => rows })
}

async fn announce(State(door): State<Arc<Door>>, form: OperatorsForm) -> Response {
    let done = async {
        let hours = match form.fields.filled("hours") {
            None => None,
            Some(text) => Some(
                text.parse()
                    .ok()
                    .filter(|hours| (1..=HOURS_MAX).contains(hours))
                    .ok_or_else(|| Failed::field("hours", "Give 1 to 8760 hours, or nothing."))?,
            ),
        };
        let who = form.operator.signed.person.id;
        let deed = door.desk.announce(who, form.fields.text("text"), hours);
        Ok::<_, Failed>(form.operator.acting("", deed).await?)
    };
    outcome(&door, &form, "announced", done.await).await
}

async fn end(State(door): State<Arc<Door>>, Path(id): Path<i64>, form: OperatorsForm) -> Response {
    let done = form
        .operator
        .acting("", door.desk.end_announcement(id))
        .await;
    outcome(
        &door,
        &form,
        "announcement-ended",
        done.map_err(Failed::from),
    )
    .await
}

async fn outcome(
    door: &Door,
    form: &OperatorsForm,
    notice: &str,
    done: Result<(), Failed>,
) -> Response {
    match done {
        Ok(()) => Redirect::to(&format!("/console/announcements?notice={notice}")).into_response(),
        Err(failed) => page(door, &form.operator, Some(failed)).await,
    }
}
