//! Signing up, confirming an address, and how strong a password is.

use super::fields::Form;
use super::page::{Failed, Page, part};
use super::session::Visitor;
use crate::door::Door;
use axum::Router;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use minijinja::context;
use std::sync::Arc;

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/sign-up", get(show).post(sign_up))
        .route("/sign-up/strength", post(strength))
        .route("/verify", get(verify).post(confirm))
}

async fn show(State(door): State<Arc<Door>>, visitor: Visitor) -> Response {
    sign_up_page(&door, &visitor, "", None)
}

fn sign_up_page(door: &Door, visitor: &Visitor, address: &str, failed: Option<Failed>) -> Response {
    let values = context! { address, open => door.people.takes_sign_ups(), sent => false };
    Page::new(visitor, "Sign up")
        .with_failure(failed)
        .show("sign_up.html", values)
}

async fn sign_up(State(door): State<Arc<Door>>, form: Form) -> Response {
    let (visitor, fields) = (&form.visitor, &form.fields);
    let (email, password) = (fields.text("email"), fields.text("password"));
    let done = door.people.sign_up(email, password, &visitor.place.address);
    match done.await {
        Ok(()) => {
            let mailbox = door.people.keeps_mails();
            let values = context! { address => email.trim(), open => true, sent => true, mailbox };
            Page::new(visitor, "Check your mail").show("sign_up.html", values)
        }
        Err(error) => sign_up_page(&door, visitor, email, Some(error.into())),
    }
}

/// How good the password in the form is, while it is typed.
async fn strength(form: Form) -> Response {
    let (password, email) = (form.fields.text("password"), form.fields.text("email"));
    let strength = app::people::strength(password, &[email, "tollgate"]);
    let values = context! {
        score => strength.score,
        accepted => strength.accepted,
        advice => strength.advice,
        typed => !password.is_empty(),
    };
    part("strength.html", values)
}

/// Programs that look into mails open links: so the link asks, and the button confirms.
async fn verify(visitor: Visitor) -> Response {
    confirm_page(&visitor, &visitor.asked("token"), None)
}

fn confirm_page(visitor: &Visitor, token: &str, failed: Option<Failed>) -> Response {
    Page::new(visitor, "Confirm your address")
        .with_failure(failed)
        .show("confirm.html", context! { token })
}

async fn confirm(State(door): State<Arc<Door>>, form: Form) -> Response {
    let token = form.fields.text("token");
    let (password, address) = (form.fields.text("password"), &form.visitor.place.address);
    let done = door.people.verify_email(token, password, address);
    match done.await {
        Ok(()) => Redirect::to("/sign-in?notice=verified").into_response(),
        Err(error) => confirm_page(&form.visitor, token, Some(error.into())),
    }
}
