//! Telling answers from failures: the one door every body of this protocol comes through.

use super::words::{Class, class_of};
use crate::amount::cut;
use crate::answer::Answer;
use crate::json::{Node, Object, print};
use domain::upstream::Refusal;
use serde::Serialize;

/// Longest error text carried on, in characters.
const TEXT_MAX: usize = 500;

/// Why an answer is not the reply that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The panel's application said so: its text, and the HTTP status, which says little.
    Error {
        /// The text as sent; cut.
        text: String,
        /// HTTP status.
        status: u16,
    },
    /// A status after which nothing is certain (5xx, 408, 3xx).
    Unsettled(u16),
    /// A page for people.
    Html,
    /// Empty, malformed, or of another shape.
    Unreadable(String),
}

impl Failure {
    /// The listed class of what the panel said about a call that sent nothing of a customer's;
    /// nothing where it is no more than a failed call.
    pub fn class(&self) -> Option<Class> {
        match self {
            Self::Error { text, status } => class_of(text).or_else(|| by_status(*status)),
            Self::Html => Some(Class::Refused(Refusal::Throttled)),
            Self::Unsettled(_) | Self::Unreadable(_) => None,
        }
    }

    pub(super) fn shape(what: &str) -> Self {
        Self::Unreadable(format!("not {what}"))
    }
}

/// What a 4xx status says where the text beside it says nothing.
pub(super) fn by_status(status: u16) -> Option<Class> {
    Some(Class::Refused(match status {
        401 => Refusal::UpstreamAuth,
        403 => Refusal::AccountBlocked,
        404 => Refusal::OurFault,
        429 => Refusal::Throttled,
        _ => return None,
    }))
}

/// Separates documents from failures: status, HTML, emptiness, `{"error":…}`.
pub fn open(answer: Answer<'_>) -> Result<Node<'_>, Failure> {
    if answer.is_unsettled() {
        return Err(Failure::Unsettled(answer.status));
    }
    if answer.is_html() {
        return Err(Failure::Html);
    }
    let text = answer.text();
    let node = match answer.is_json() {
        true => Node::read(text).ok_or_else(|| Failure::shape("well-formed JSON"))?,
        false if text.is_empty() => return Err(Failure::Unreadable("empty body".to_owned())),
        false if answer.is_success() => return Err(Failure::shape("JSON")),
        false => return Err(error(text, answer.status)),
    };
    match node.object().as_ref().and_then(error_text) {
        Some(text) => Err(error(&text, answer.status)),
        None if answer.is_success() => Ok(node),
        None => Err(error("", answer.status)),
    }
}

fn error(text: &str, status: u16) -> Failure {
    Failure::Error {
        text: cut(text.trim(), TEXT_MAX),
        status,
    }
}

/// Text of `error` where it is there and says something: a string, or an object or array in which
/// some panels wrap it.
pub(super) fn error_text(object: &Object<'_>) -> Option<String> {
    let node = object.get("error")?;
    let text = match (node.text(), node.object()) {
        (Some(text), _) => text,
        (None, Some(inner)) => inner.text(&["message", "text"]).unwrap_or_default(),
        (None, None) => node.items()?.first()?.text().unwrap_or_default(),
    };
    (text != "false" && !text.is_empty() || node.object().is_some()).then_some(text)
}

/// `{"error":"text"}`; goes with status 200.
pub fn print_error(text: &str) -> String {
    print(&ErrorBody { error: text })
}

/// An error object, alone or in the place of a value.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct ErrorBody<'a> {
    pub(super) error: &'a str,
}
