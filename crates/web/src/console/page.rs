//! One page of the console: its frame with what its reader may open.

use super::NAVIGATION;
use super::session::Operator;
use crate::dashboard::page::{Failed, Page};
use crate::dashboard::session::Visitor;
use axum::response::Response;
use domain::desk::Deed;
use minijinja::{Value, context};

/// A page for a member of staff.
pub(crate) struct Desk<'a> {
    operator: &'a Operator,
    title: &'a str,
    active: &'a str,
    failed: Option<Failed>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(operator: &'a Operator, title: &'a str, active: &'a str) -> Self {
        Self {
            operator,
            title,
            active,
            failed: None,
        }
    }

    /// The same page again with what was wrong about its form.
    pub(crate) fn with_failure(self, failed: Option<Failed>) -> Self {
        Self { failed, ..self }
    }

    /// The answer: a template of the console with its values, inside the frame.
    pub(crate) fn show(&self, template: &str, values: Value) -> Response {
        let frame = self.frame();
        self.page()
            .with_failure(self.failed.clone())
            .show(template, context! { ..values, ..frame })
    }

    /// A page that shows what was read, or only says why it was not.
    pub(crate) fn showing(&self, template: &str, values: Result<Value, Failed>) -> Response {
        match values {
            Ok(values) => self.show(template, values),
            Err(failed) => self.failed(&failed),
        }
    }

    /// A page that only says why something was not done.
    pub(crate) fn failed(&self, failed: &Failed) -> Response {
        self.page()
            .failed_as("console/error.html", failed, self.frame())
    }

    fn page(&self) -> Page<'a> {
        Page::new(&self.operator.visitor, self.title).under(self.active)
    }

    fn frame(&self) -> Value {
        let open = NAVIGATION
            .iter()
            .filter(|entry| self.operator.may(entry.deed));
        let entries: Vec<Value> = open
            .map(|entry| context! { name => entry.name, path => entry.path, label => entry.label })
            .collect();
        let role = self.operator.role();
        let may: Vec<String> = Deed::ALL
            .into_iter()
            .filter(|deed| deed.is_for(role))
            .map(|deed| format!("{deed:?}"))
            .collect();
        context! { navigation => entries, role => role.slug(), may }
    }
}

/// A page for somebody who is not signed in.
pub(super) fn outside(
    visitor: &Visitor,
    title: &str,
    template: &str,
    (values, failed): (Value, Option<Failed>),
) -> Response {
    let frame = nobody();
    Page::new(visitor, title)
        .with_failure(failed)
        .show(template, context! { ..values, ..frame })
}

/// A page that only says why something was not done.
pub(super) fn failed(visitor: &Visitor, failed: &Failed) -> Response {
    Page::new(visitor, "Not done").failed_as("console/error.html", failed, nobody())
}

fn nobody() -> Value {
    context! { navigation => Vec::<Value>::new(), role => "", may => Vec::<Value>::new() }
}
