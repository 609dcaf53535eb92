//! Signing in and out, the link that lets somebody in, and the second factor, without which there is
//! nothing else.

use super::Routes;
use super::page::{failed, outside};
use super::session::{Caller, CallersForm, with_cookie};
use crate::dashboard::link;
use crate::dashboard::page::Failed;
use crate::dashboard::session::{Away, Visitor};
use crate::door::Door;
use app::acting;
use app::people::{PeopleError, SignIn, Signed, Ticket};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use domain::audit_log::{Actor, By};
use minijinja::context;
use std::future::Future;
use std::sync::Arc;

pub(super) fn routes() -> Routes {
    Routes::default()
        .open("GET", "/console/sign-in", get(show))
        .open("POST", "/console/sign-in", post(sign_in))
        .open("POST", "/console/sign-in/code", post(code))
        .open("POST", "/console/sign-out", post(sign_out))
        .open("GET", "/console/join", get(join))
        .open("POST", "/console/join", post(set_password))
        .open("GET", "/console/second-factor", get(second_factor))
        .open("POST", "/console/second-factor", post(begin))
        .open("POST", "/console/second-factor/confirm", post(confirm))
}

/// Coming and going is kept too; who it was, the line itself tells.
async fn kept<W: Future>(work: W) -> W::Output {
    acting(By::new(Actor::System), work).await
}

/// Where a sign-in leads: nowhere but into the console.
fn inside(next: &str) -> &str {
    let own = link::own(next);
    if own == "/console" || own.starts_with("/console/") || own.starts_with("/console?") {
        own
    } else {
        "/console"
    }
}

async fn show(Caller(visitor): Caller) -> Response {
    let next = visitor.asked("next");
    sign_in_page(&visitor, ("", &next), None)
}

fn sign_in_page(
    visitor: &Visitor,
    (address, next): (&str, &str),
    failed: Option<Failed>,
) -> Response {
    let values = context! { address, next => inside(next) };
    outside(visitor, "Sign in", "console/sign_in.html", (values, failed))
}

async fn sign_in(State(door): State<Arc<Door>>, form: CallersForm) -> Response {
    let (visitor, fields) = (&form.visitor, &form.fields);
    let (email, next) = (fields.text("email"), fields.text("next"));
    let secret = (email, fields.text("password"));
    match kept(door.people.sign_in(secret, true, &visitor.place)).await {
        Ok(SignIn::Done(token)) => enter(&token, next),
        Ok(SignIn::CodeNeeded(ticket)) => code_page(visitor, &ticket, next, None),
        Err(error) => sign_in_page(visitor, (email, next), Some(error.into())),
    }
}

fn enter(token: &str, next: &str) -> Response {
    with_cookie(token, Redirect::to(inside(next)).into_response())
}

fn code_page(visitor: &Visitor, ticket: &Ticket, next: &str, failed: Option<Failed>) -> Response {
    let values = context! { ticket => &ticket.0, next => inside(next) };
    let template = "console/sign_in_code.html";
    outside(visitor, "Second factor", template, (values, failed))
}

async fn code(State(door): State<Arc<Door>>, form: CallersForm) -> Response {
    let (visitor, fields) = (&form.visitor, &form.fields);
    let ticket = Ticket(fields.text("ticket").to_owned());
    let (next, code) = (fields.text("next"), fields.text("code"));
    let entered = door.people.sign_in_with_code(&ticket, code, &visitor.place);
    match kept(entered).await {
        Ok(token) => enter(&token, next),
        Err(PeopleError::BadLink) => {
            let failed = Failed::field("", "That took too long. Sign in again.");
            sign_in_page(visitor, ("", next), Some(failed))
        }
        Err(error) => code_page(visitor, &ticket, next, Some(error.into())),
    }
}

async fn sign_out(State(door): State<Arc<Door>>, form: CallersForm) -> Response {
    let away = Redirect::to("/console/sign-in?notice=signed-out").into_response();
    let Some(signed) = &form.visitor.signed else {
        return with_cookie("", away);
    };
    match kept(door.people.sign_out(signed)).await {
        Ok(()) => with_cookie("", away),
        Err(error) => failed(&form.visitor, &error.into()),
    }
}

async fn join(State(door): State<Arc<Door>>, Caller(visitor): Caller) -> Response {
    join_page(&door, &visitor, &visitor.asked("token"), None).await
}

async fn join_page(door: &Door, visitor: &Visitor, token: &str, wrong: Option<Failed>) -> Response {
    match door.people.joining(token).await {
        Ok(email) => {
            let values = context! { token, address => email };
            outside(
                visitor,
                "Set your password",
                "console/join.html",
                (values, wrong),
            )
        }
        Err(error) => failed(visitor, &error.into()),
    }
}

async fn set_password(State(door): State<Arc<Door>>, form: CallersForm) -> Response {
    let (visitor, fields) = (&form.visitor, &form.fields);
    let (token, password) = (fields.text("token"), fields.text("password"));
    if let Err(error) = door.people.joining(token).await {
        return failed(visitor, &error.into());
    }
    match kept(door.people.reset_password(token, password, true)).await {
        Ok(()) => {
            let there = Redirect::to("/console/sign-in?notice=password-set").into_response();
            with_cookie("", there)
        }
        Err(error) => join_page(&door, visitor, token, Some(error.into())).await,
    }
}

/// Whoever is signed in and has no second factor yet; all others are sent on.
fn newcomer(visitor: &Visitor) -> Result<&Signed, Away> {
    match &visitor.signed {
        None => Err(Redirect::to("/console/sign-in").into_response().into()),
        Some(signed) if signed.person.has_second_factor() => {
            Err(Redirect::to("/console").into_response().into())
        }
        Some(signed) => Ok(signed),
    }
}

async fn second_factor(State(door): State<Arc<Door>>, Caller(visitor): Caller) -> Response {
    match newcomer(&visitor) {
        Ok(signed) => enrolment_page(&door, &visitor, signed, None),
        Err(away) => away.into_response(),
    }
}

fn enrolment_page(
    door: &Door,
    visitor: &Visitor,
    signed: &Signed,
    wrong: Option<Failed>,
) -> Response {
    let enrolment = match door.people.enrolment(signed) {
        Ok(enrolment) => enrolment,
        Err(error) => return failed(visitor, &error.into()),
    };
    let (qr, secret) = match &enrolment {
        Some(one) => (crate::dashboard::qr(&one.otpauth_url), Some(&one.secret)),
        None => (None, None),
    };
    let values = context! { qr, secret };
    let template = "console/second_factor.html";
    outside(visitor, "Second factor", template, (values, wrong))
}

async fn begin(State(door): State<Arc<Door>>, form: CallersForm) -> Response {
    let signed = match newcomer(&form.visitor) {
        Ok(signed) => signed,
        Err(away) => return away.into_response(),
    };
    match kept(door.people.begin_totp(signed)).await {
        Ok(_) => Redirect::to("/console/second-factor").into_response(),
        Err(error) => failed(&form.visitor, &error.into()),
    }
}

async fn confirm(State(door): State<Arc<Door>>, form: CallersForm) -> Response {
    let signed = match newcomer(&form.visitor) {
        Ok(signed) => signed,
        Err(away) => return away.into_response(),
    };
    let code = form.fields.text("code");
    match kept(door.people.confirm_totp(signed, code)).await {
        Ok(codes) => {
            let values = context! { codes };
            let template = "console/recovery.html";
            outside(&form.visitor, "Recovery codes", template, (values, None))
        }
        Err(error) => enrolment_page(&door, &form.visitor, signed, Some(error.into())),
    }
}
