//! Signing in and out, and setting a forgotten password.

use super::fields::Form;
use super::link;
use super::page::{Failed, Page};
use super::session::{Customer, Visitor, with_cookie};
use crate::door::Door;
use app::people::{SignIn, Ticket};
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use minijinja::context;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/sign-in", get(show).post(sign_in))
        .route("/sign-in/code", get(Redirect::to("/sign-in")).post(code))
        .route("/sign-out", axum::routing::post(sign_out))
        .route("/forgot", get(forgot).post(ask_reset))
        .route("/reset", get(reset).post(set_password))
}

async fn show(State(door): State<Arc<Door>>, visitor: Visitor) -> Response {
    let next = visitor.asked("next");
    sign_in_page(&door, &visitor, ("", &next), None)
}

fn sign_in_page(
    door: &Door,
    visitor: &Visitor,
    (address, next): (&str, &str),
    failed: Option<Failed>,
) -> Response {
    let values = context! {
        address,
        next => link::own(next),
        sign_up => door.people.takes_sign_ups(),
    };
    Page::new(visitor, "Sign in")
        .with_failure(failed)
        .show("sign_in.html", values)
}

async fn sign_in(State(door): State<Arc<Door>>, form: Form) -> Response {
    let (visitor, fields) = (&form.visitor, &form.fields);
    let (email, next) = (fields.text("email"), fields.text("next"));
    let secret = (email, fields.text("password"));
    match door.people.sign_in(secret, false, &visitor.place).await {
        Ok(SignIn::Done(token)) => enter(&token, next),
        Ok(SignIn::CodeNeeded(ticket)) => code_page(visitor, &ticket, next, None),
        Err(error) => sign_in_page(&door, visitor, (email, next), Some(error.into())),
    }
}

fn enter(token: &str, next: &str) -> Response {
    with_cookie(token, Redirect::to(link::own(next)).into_response())
}

fn code_page(visitor: &Visitor, ticket: &Ticket, next: &str, failed: Option<Failed>) -> Response {
    let values = context! { ticket => &ticket.0, next => link::own(next) };
    Page::new(visitor, "Two-step sign-in")
        .with_failure(failed)
        .show("sign_in_code.html", values)
}

async fn code(State(door): State<Arc<Door>>, form: Form) -> Response {
    let (visitor, fields) = (&form.visitor, &form.fields);
    let ticket = Ticket(fields.text("ticket").to_owned());
    let next = fields.text("next");
    let code = fields.text("code");
    let entered = door.people.sign_in_with_code(&ticket, code, &visitor.place);
    match entered.await {
        Ok(token) => enter(&token, next),
        Err(app::people::PeopleError::BadLink) => {
            let why = "That took too long. Sign in again.";
            let failed = Failed::field("", why);
            sign_in_page(&door, visitor, ("", next), Some(failed))
        }
        Err(error) => code_page(visitor, &ticket, next, Some(error.into())),
    }
}

async fn sign_out(State(door): State<Arc<Door>>, form: Form) -> Response {
    let away = Redirect::to("/sign-in?notice=signed-out").into_response();
    let Ok(customer) = Customer::of(form.visitor.clone()) else {
        return with_cookie("", away);
    };
    match door.people.sign_out(&customer.signed).await {
        Ok(()) => with_cookie("", away),
        Err(error) => Page::new(&form.visitor, "Sign out").failed(&error.into()),
    }
}

async fn forgot(visitor: Visitor) -> Response {
    forgot_page(&visitor, "", None)
}

fn forgot_page(visitor: &Visitor, address: &str, failed: Option<Failed>) -> Response {
    Page::new(visitor, "Forgotten password")
        .with_failure(failed)
        .show("forgot.html", context! { address })
}

async fn ask_reset(State(door): State<Arc<Door>>, form: Form) -> Response {
    let email = form.fields.text("email");
    let address = &form.visitor.place.address;
    match door.people.ask_reset(email, address).await {
        Ok(()) => Redirect::to("/sign-in?notice=link-sent").into_response(),
        Err(error) => forgot_page(&form.visitor, email, Some(error.into())),
    }
}

async fn reset(visitor: Visitor) -> Response {
    reset_page(&visitor, &visitor.asked("token"), None)
}

fn reset_page(visitor: &Visitor, token: &str, failed: Option<Failed>) -> Response {
    Page::new(visitor, "New password")
        .with_failure(failed)
        .show("reset.html", context! { token })
}

async fn set_password(State(door): State<Arc<Door>>, form: Form) -> Response {
    let (token, password) = (form.fields.text("token"), form.fields.text("password"));
    let set = door.people.reset_password(token, password, false);
    match set.await {
        Ok(()) => {
            let there = Redirect::to("/sign-in?notice=password-set").into_response();
            with_cookie("", there)
        }
        Err(error) => reset_page(&form.visitor, token, Some(error.into())),
    }
}
