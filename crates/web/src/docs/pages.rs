//! The documentation laid out for reading: the pages in the frame of the dashboard, and the same as
//! Markdown.

mod changelog;
mod view;

pub(crate) use changelog::changelog;

use minijinja::{Value, context};

use super::clients::CLIENTS;
use super::endpoints::Group;
use super::{errors, origin};
use crate::dashboard::{Page, Visitor, templates};
use axum::response::Response;
use std::sync::{Mutex, PoisonError};

/// The documentation's templates by name.
pub(crate) const TEMPLATES: &[(&str, &str)] = &[
    (
        "docs/page.html",
        include_str!("../../templates/docs/page.html"),
    ),
    (
        "docs/guide.html",
        include_str!("../../templates/docs/guide.html"),
    ),
    (
        "docs/endpoint.html",
        include_str!("../../templates/docs/endpoint.html"),
    ),
    (
        "docs/errors.html",
        include_str!("../../templates/docs/errors.html"),
    ),
    (
        "docs/changelog.html",
        include_str!("../../templates/docs/changelog.html"),
    ),
    (
        "docs/reference.md",
        include_str!("../../templates/docs/reference.md"),
    ),
    (
        "docs/llms.txt",
        include_str!("../../templates/docs/llms.txt"),
    ),
    (
        "docs/macros.html",
        include_str!("../../templates/docs/macros.html"),
    ),
];

/// The reference as a page. `base_url` is the origin under which the reader reached the gateway: the
/// examples carry it, so that they work as they stand.
pub(crate) fn page(visitor: &Visitor, base_url: &str) -> Response {
    Page::new(visitor, "API documentation")
        .under("docs")
        .show("docs/page.html", ready(base_url))
}

/// The values for the origin that was asked for last: nearly all readers come by the same one.
static LAST: Mutex<Option<(String, Value)>> = Mutex::new(None);

fn ready(base_url: &str) -> Value {
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    match &*last {
        Some((known, values)) if known == base_url => values.clone(),
        _ => {
            let values = values(base_url);
            *last = Some((base_url.to_owned(), values.clone()));
            values
        }
    }
}

/// The reference as Markdown.
pub fn reference(base_url: &str) -> String {
    text("docs/reference.md", base_url)
}

/// The way to the documentation for language models.
pub fn llms(base_url: &str) -> String {
    text("docs/llms.txt", base_url)
}

/// The guide for consumers as Markdown.
pub const GUIDE: &str = include_str!("../../../../docs/api.md");

/// The templates and their data are compiled in and rendered by tests: nothing means a broken
/// build, which the log says.
fn text(template: &str, base_url: &str) -> String {
    let rendered = templates::render(template, values(base_url));
    if let Err(error) = &rendered {
        let error = error as &dyn std::error::Error;
        tracing::error!(template, error, "cannot render the docs");
    }
    rendered.unwrap_or_default()
}

/// The table of endpoints and all that belongs to it, as templates take it.
pub(super) fn values(base_url: &str) -> Value {
    let base_url = origin(base_url);
    let clients: Vec<_> = CLIENTS
        .iter()
        .map(|client| {
            context! {
                language => client.language,
                file => client.file,
                command => client.command,
                code => client.source(base_url),
            }
        })
        .collect();
    context! {
        base_url,
        version => env!("CARGO_PKG_VERSION"),
        groups => vec![
            view::group(Group::Otp, base_url),
            view::group(Group::Smm, base_url),
            view::group(Group::Service, base_url),
        ],
        statuses => view::statuses(),
        common_codes => errors::EVERYWHERE.to_vec(),
        write_codes => errors::WRITES.to_vec(),
        clients,
    }
}
