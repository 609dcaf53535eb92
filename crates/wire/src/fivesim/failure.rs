//! Telling answers from failures: the one door every body of this protocol comes through.

use super::words::class_of;
use crate::amount::cut;
use crate::answer::Answer;
use crate::handler_api::{Class, Failure, Refused};
use crate::json::Node;

/// Longest text carried on, in characters.
const WORD_MAX: usize = 200;
/// What a bot filter in front of the server says instead of a page.
const BOT_FILTER: &str = "error code: 1010";
/// What a price call answers for a product that is not sold.
pub const PRICES_NONE: &str = "null";

/// The document of an answer that is no failure. Texts are looked for in everything but a JSON
/// document under a status of success, whose messages may say anything.
pub fn open(answer: Answer<'_>) -> Result<Node<'_>, Failure> {
    let text = answer.text();
    let document = answer.is_success() && answer.is_json();
    let listed = if document { None } else { said(answer, text) };
    if answer.is_unsettled() {
        return Err(Failure::Unsettled(answer.status, listed));
    }
    if answer.is_html() || text.eq_ignore_ascii_case(BOT_FILTER) {
        return Err(Failure::Html);
    }
    if let Some(class) = listed {
        return Err(refused(class, text));
    }
    match text {
        "" => Err(Failure::Unreadable("empty body".to_owned())),
        PRICES_NONE => Err(refused(Class::NotSold, text)),
        _ if document => Node::read(text).ok_or_else(|| shape("well-formed JSON")),
        _ => Err(Failure::Unreadable(format!(
            "not a listed text: {}",
            cut(text, WORD_MAX)
        ))),
    }
}

/// An answer of another shape than the one asked for.
pub(super) fn shape(what: &str) -> Failure {
    Failure::Unreadable(format!("not {what}"))
}

/// The class of what is said. Three statuses speak for themselves; of a forbidden call the
/// application must have said something.
fn said(answer: Answer<'_>, text: &str) -> Option<Class> {
    if answer.is_html() {
        return (answer.status == 503).then_some(Class::Throttled);
    }
    match answer.status {
        401 => Some(Class::UpstreamAuth),
        429 | 503 => Some(Class::Throttled),
        status => {
            let forbidden = (status == 403 && !text.is_empty()).then_some(Class::UpstreamAuth);
            class_of(text).or(forbidden)
        }
    }
}

fn refused(class: Class, text: &str) -> Failure {
    Failure::Refused(Refused {
        class,
        word: cut(text, WORD_MAX),
        cancel_age_s: None,
    })
}
