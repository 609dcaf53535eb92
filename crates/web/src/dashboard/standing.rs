//! `/account/standing`: what holds against the account and why, in plain words, with the two things its
//! holder can do: show the second factor, and say something against it.

use super::fields::Form;
use super::page::{Failed, Page};
use super::session::{Away, Customer, Visitor};
use crate::door::Door;
use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::access::Account;
use domain::policy::{AccountCase, Measure};
use minijinja::{Value, context};
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/account/standing", get(show))
        .route("/account/standing/challenge", post(challenge))
        .route("/account/standing/{id}/appeal", post(appeal))
}

async fn show(State(door): State<Arc<Door>>, customer: Customer) -> Response {
    let second_factor = customer.signed.person.has_second_factor();
    let about = (&customer.account, second_factor);
    page(&door, &customer.visitor, about, None).await
}

async fn page(
    door: &Door,
    visitor: &Visitor,
    (account, second_factor): (&Account, bool),
    failed: Option<Failed>,
) -> Response {
    let page = Page::new(visitor, "Standing").under("account");
    match values(door, account, second_factor).await {
        Ok(values) => page.with_failure(failed).show("standing.html", values),
        Err(failed) => page.failed(&failed),
    }
}

async fn values(door: &Door, account: &Account, second_factor: bool) -> Result<Value, Failed> {
    let cases = door.lawful.account_cases(Some(account.id), false).await?;
    let holding: Vec<&AccountCase> = cases
        .iter()
        .filter(|case| case.is_in_force() && case.measure > Measure::Log)
        .collect();
    let asks = holding
        .iter()
        .any(|case| case.measure == Measure::Challenge);
    Ok(context! {
        suspended => account.suspended,
        asks,
        second_factor,
        cases => holding.into_iter().map(case_view).collect::<Vec<_>>(),
    })
}

fn case_view(case: &AccountCase) -> Value {
    context! {
        id => case.id,
        why => case.signal.explained(),
        means => case.measure.explained(),
        since => case.opened_at.0,
        appeal => case.appeal.as_ref().map(|appeal| &appeal.text),
        appealed_at => case.appeal.as_ref().map(|appeal| appeal.at.0),
    }
}

async fn challenge(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let Customer {
        signed, account, ..
    } = Customer::of(form.visitor.clone())?;
    let met = async {
        let code = form.fields.text("code");
        door.people.show_second_factor(&signed, code).await?;
        door.lawful.challenge_met(account.id).await?;
        Ok::<_, Failed>("challenge-met")
    };
    let second_factor = signed.person.has_second_factor();
    Ok(outcome(&door, &form, (&account, second_factor), met.await).await)
}

async fn appeal(
    State(door): State<Arc<Door>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Away> {
    let Customer {
        signed, account, ..
    } = Customer::of(form.visitor.clone())?;
    // what is no number names no case either
    let id = id.parse().unwrap_or(0);
    let appealed = door
        .lawful
        .appeal(account.id, id, form.fields.text("appeal"));
    let done = appealed.await.map(|()| "appealed").map_err(Failed::from);
    let second_factor = signed.person.has_second_factor();
    Ok(outcome(&door, &form, (&account, second_factor), done).await)
}

async fn outcome(
    door: &Door,
    form: &Form,
    about: (&Account, bool),
    done: Result<&'static str, Failed>,
) -> Response {
    match done {
        Ok(notice) => Redirect::to(&format!("/account/standing?notice={notice}")).into_response(),
        Err(failed) => page(door, &form.visitor, about, Some(failed)).await,
    }
}
