//! `/mailbox`: in the demo, mails stay here instead of being sent.

use super::page::{Page, not_found};
use super::session::Visitor;
use crate::door::Door;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use minijinja::{Value, context};
use std::sync::Arc;

/// Mails shown.
const NEWEST: u32 = 50;

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new().route("/mailbox", get(show))
}

async fn show(State(door): State<Arc<Door>>, visitor: Visitor) -> Response {
    if !door.people.keeps_mails() {
        return not_found(&visitor);
    }
    let page = Page::new(&visitor, "Mailbox");
    let mails = match door.people.rows().mails(NEWEST).await {
        Ok(mails) => mails,
        Err(error) => return page.failed(&error.into()),
    };
    let mails: Vec<Value> = mails
        .iter()
        .map(|mail| {
            context! {
                to => &mail.to,
                subject => &mail.subject,
                at => mail.created_at.0,
                parts => linked(&mail.text, door.people.base_url()),
            }
        })
        .collect();
    page.show("mailbox.html", context! { mails })
}

/// A text cut at the links into this gateway: each part with the address it leads to, if it does.
fn linked(text: &str, base_url: &str) -> Vec<Value> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(base_url) {
        let (before, from) = rest.split_at(start);
        let end = from.find(char::is_whitespace).unwrap_or(from.len());
        let (link, after) = from.split_at(end);
        parts.push(context! { text => before, link => "" });
        parts.push(context! { text => link, link => &link[base_url.len()..] });
        rest = after;
    }
    parts.push(context! { text => rest, link => "" });
    parts
}
