//! A member of staff looks at a customer's pages: for reading, and without those that show codes or
//! would count as shown to the customer.

use super::page::{Failed, Page};
use super::session::{Visitor, cookie};
use crate::door::Door;
use axum::Router;
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use std::sync::Arc;

/// Whom this browser looks at.
const COOKIE: &str = "__Host-tollgate-look";

/// Pages that open while somebody looks.
const OPEN: [&str; 9] = [
    "/",
    "/orders",
    "/smm",
    "/wallet",
    "/wallet/top-up",
    "/keys",
    "/log",
    "/account",
    "/look/end",
];

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/look", get(begin))
        .route("/look/end", get(end))
}

/// Turns a reader into somebody who looks, where the browser says so and still may.
pub(super) async fn over(
    visitor: &mut Visitor,
    parts: &Parts,
    door: &Door,
) -> Result<(), Box<Response>> {
    let Some(token) = cookie(&parts.headers, COOKIE) else {
        return Ok(());
    };
    let Ok(Some(looking)) = door.people.looking(token).await else {
        return Ok(());
    };
    visitor.looking = Some(looking.by);
    visitor.signed = Some(looking.signed);
    visitor.form_token = String::new();
    let why = if parts.method != Method::GET {
        "You are looking only: nothing can be changed. Stop looking to act for yourself."
    } else if !OPEN.contains(&parts.uri.path()) {
        "This page stays closed while you look: it shows codes or marks them as shown. The console \
         has the order."
    } else {
        return Ok(());
    };
    let failed = Failed::new(StatusCode::FORBIDDEN, why);
    Err(Box::new(Page::new(visitor, "Looking only").failed(&failed)))
}

fn with_cookie(token: &str, mut response: Response) -> Response {
    let end = if token.is_empty() { "0" } else { "1800" };
    let line = format!("{COOKIE}={token}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={end}");
    if let Ok(line) = HeaderValue::from_str(&line) {
        response.headers_mut().append(header::SET_COOKIE, line);
    }
    response
}

/// `GET /look`: by the link that the console gave.
async fn begin(State(door): State<Arc<Door>>, visitor: Visitor) -> Response {
    match door.people.begin_look(&visitor.asked("ticket")) {
        Some(token) => with_cookie(&token, Redirect::to("/").into_response()),
        None => {
            let failed = Failed::new(StatusCode::BAD_REQUEST, "This link is no longer good.");
            Page::new(&visitor, "Not done").failed(&failed)
        }
    }
}

/// `GET /look/end`.
async fn end() -> Response {
    with_cookie("", Redirect::to("/?notice=looking-ended").into_response())
}
