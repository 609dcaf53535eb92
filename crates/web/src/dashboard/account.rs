//! `/account`: password, two-step sign-in, sessions.

use super::fields::Form;
use super::page::{Failed, Page};
use super::session::{Away, Customer, Visitor, with_cookie};
use super::{agent, link, view};
use crate::door::Door;
use app::AdminError;
use app::people::{PeopleError, Signed};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::policy::{ATTESTATION, ATTESTATION_VERSION, Measure};
use minijinja::{Value, context};
use qrcode::QrCode;
use qrcode::render::svg;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/account", get(show))
        .route("/account/password", post(change_password))
        .route("/account/purpose", post(state_purpose))
        .route("/account/export", post(export))
        .route("/account/totp/begin", post(begin_totp))
        .route("/account/totp/confirm", post(confirm_totp))
        .route("/account/totp/end", post(end_totp))
        .route("/account/sessions/end", post(end_session))
        .route("/account/sessions/end-all", post(end_all))
        .route("/confirm-password", get(prove_page).post(prove))
}

async fn show(State(door): State<Arc<Door>>, customer: Customer) -> Response {
    account_page(&door, &customer.visitor, &customer.signed, Vec::new(), None).await
}

/// Everything that is kept of the account, as a file, for who has shown their password a moment ago.
async fn export(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    if door.people.proved(&customer.signed).is_err() {
        return Ok(to_proof("/account"));
    }
    let sources = crate::Sources {
        engine: &door.engine,
        lawful: &door.lawful,
        people: &door.people,
        top_ups: &door.top_ups,
        redeem: &door.redeem,
        log: &door.log,
        pages: door.pages.as_ref(),
    };
    match crate::account_export(&sources, customer.account.id).await {
        Ok(found) => {
            let text = format!("{found:#}\n");
            Ok(view::file("account.json", "application/json", text))
        }
        Err(error) => {
            let failed = Some(Failed::from(error));
            Ok(account_page(&door, &form.visitor, &customer.signed, Vec::new(), failed).await)
        }
    }
}

/// `codes` are fresh recovery codes, shown this once.
async fn account_page(
    door: &Door,
    visitor: &Visitor,
    signed: &Signed,
    codes: Vec<String>,
    failed: Option<Failed>,
) -> Response {
    let page = Page::new(visitor, "Account").under("account");
    match values(door, signed, codes).await {
        Ok(values) => page.with_failure(failed).show("account.html", values),
        Err(failed) => page.failed(&failed),
    }
}

async fn values(door: &Door, signed: &Signed, codes: Vec<String>) -> Result<Value, Failed> {
    let sessions = door.people.sessions(signed).await?;
    let sessions: Vec<Value> = sessions
        .iter()
        .map(|session| {
            context! {
                id => session.id,
                address => &session.address,
                agent => agent::in_words(&session.agent),
                full_agent => &session.agent,
                seen_at => session.seen_at.0,
                created_at => session.created_at.0,
                here => session.id == signed.session.id,
            }
        })
        .collect();
    let enrolment = door.people.enrolment(signed)?;
    let account = signed.account.as_ref();
    let attested = match account {
        Some(account) => door.lawful.attestations(account.id).await?,
        None => Vec::new(),
    };
    let current = attested
        .first()
        .filter(|newest| newest.version >= ATTESTATION_VERSION);
    let measure = match account {
        Some(account) => door.engine.in_force().await?.measure(account.id),
        None => Measure::Log,
    };
    let held = account.is_some_and(|account| account.suspended) || measure > Measure::Log;
    Ok(context! {
        held,
        statement => ATTESTATION,
        purpose => attested.first().map(|newest| &newest.purpose),
        attested_at => current.map(|current| current.at.0),
        asks_purpose => account.is_some_and(|account| account.tier < 3),
        verified => signed.person.verified_at.is_some(),
        tier => signed.account.as_ref().map(|account| account.tier),
        since => signed.person.created_at.0,
        second_factor => signed.person.has_second_factor(),
        enrolment => enrolment.map(|begun| context! {
            qr => qr(&begun.otpauth_url),
            secret => begun.secret,
        }),
        codes,
        sessions,
    })
}

/// A QR code as a picture inside the page.
pub(crate) fn qr(text: &str) -> Option<Value> {
    let code = QrCode::new(text.as_bytes()).ok()?;
    let picture = code
        .render::<svg::Color<'_>>()
        .min_dimensions(200, 200)
        .build();
    let start = picture.find("<svg")?;
    Some(Value::from_safe_string(picture[start..].to_owned()))
}

/// What a form of this page came to: back to it with a notice, to the password first, or the page
/// again with what was wrong.
async fn outcome(
    door: &Door,
    form: &Form,
    signed: &Signed,
    result: Result<&str, PeopleError>,
) -> Response {
    match result {
        Ok(notice) => Redirect::to(&format!("/account?notice={notice}")).into_response(),
        Err(PeopleError::ProofNeeded) => to_proof("/account"),
        Err(error) => {
            account_page(door, &form.visitor, signed, Vec::new(), Some(error.into())).await
        }
    }
}

/// To the page that asks for the password again, and back afterwards.
pub(super) fn to_proof(back: &str) -> Response {
    let there = format!("/confirm-password?next={}", link::encoded(back));
    Redirect::to(&there).into_response()
}

async fn change_password(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let signed = Customer::of(form.visitor.clone())?.signed;
    let (old, new) = (
        form.fields.text("old_password"),
        form.fields.text("password"),
    );
    let done = door.people.change_password(&signed, old, new).await;
    Ok(outcome(&door, &form, &signed, done.map(|()| "password-changed")).await)
}

async fn state_purpose(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    let signed = customer.signed;
    let Some(account) = &signed.account else {
        return Ok(to_proof("/account"));
    };
    let stated = if form.fields.text("agreed") == "yes" {
        let purpose = form.fields.text("purpose");
        door.lawful.attest(account.id, purpose).await
    } else {
        Err(AdminError::Invalid(
            "Tick the box below the statement to agree to it.".to_owned(),
        ))
    };
    Ok(match stated {
        Ok(()) => Redirect::to("/account?notice=purpose-stated").into_response(),
        Err(error) => {
            let failed = Some(Failed::from(error));
            account_page(&door, &form.visitor, &signed, Vec::new(), failed).await
        }
    })
}

async fn begin_totp(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let signed = Customer::of(form.visitor.clone())?.signed;
    match door.people.begin_totp(&signed).await {
        Ok(_) => Ok(Redirect::to("/account#second-factor").into_response()),
        Err(error) => Ok(outcome(&door, &form, &signed, Err(error)).await),
    }
}

async fn confirm_totp(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let signed = Customer::of(form.visitor.clone())?.signed;
    match door
        .people
        .confirm_totp(&signed, form.fields.text("code"))
        .await
    {
        Ok(codes) => {
            let mut signed = signed;
            if let Some(totp) = &mut signed.person.totp {
                totp.confirmed = true;
            }
            Ok(account_page(&door, &form.visitor, &signed, codes, None).await)
        }
        Err(error) => Ok(outcome(&door, &form, &signed, Err(error)).await),
    }
}

async fn end_totp(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let signed = Customer::of(form.visitor.clone())?.signed;
    let done = door
        .people
        .end_totp(&signed, form.fields.text("code"))
        .await;
    Ok(outcome(&door, &form, &signed, done.map(|()| "totp-off")).await)
}

async fn end_session(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let signed = Customer::of(form.visitor.clone())?.signed;
    let id = form.fields.number("id").unwrap_or(0);
    let done = door.people.end_session(&signed, id).await;
    Ok(outcome(&door, &form, &signed, done.map(|()| "session-ended")).await)
}

async fn end_all(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let signed = Customer::of(form.visitor.clone())?.signed;
    let also_this = form.fields.ticked("also_this");
    let done = door.people.sign_out_everywhere(&signed, also_this).await;
    if also_this && done.is_ok() {
        let away = Redirect::to("/sign-in?notice=signed-out").into_response();
        return Ok(with_cookie("", away));
    }
    Ok(outcome(
        &door,
        &form,
        &signed,
        done.map(|()| "signed-out-everywhere"),
    )
    .await)
}

async fn prove_page(customer: Customer) -> Response {
    let next = customer.visitor.asked("next");
    show_proof(&customer.visitor, &next, None)
}

fn show_proof(visitor: &Visitor, next: &str, failed: Option<Failed>) -> Response {
    let values = context! { next => link::own(next) };
    Page::new(visitor, "Confirm your password")
        .with_failure(failed)
        .show("prove.html", values)
}

async fn prove(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let signed = Customer::of(form.visitor.clone())?.signed;
    let next = form.fields.text("next");
    match door
        .people
        .prove(&signed, form.fields.text("password"))
        .await
    {
        Ok(()) => Ok(Redirect::to(link::own(next)).into_response()),
        Err(error) => Ok(show_proof(&form.visitor, next, Some(error.into()))),
    }
}
