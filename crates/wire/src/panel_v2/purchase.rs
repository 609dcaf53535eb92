//! Reply to `add`, and the one decision what it means for the money.

use super::failure::{Failure, by_status, open};
use super::words::{Class, class_of, without_sent};
use crate::amount;
use crate::answer::Answer;
use crate::json::{Id, Node, Object, print};
use domain::upstream::{Purchase, Refusal};
use serde::Serialize;

/// Reply to `add`: the panel's order id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added(pub String);

/// What the operator knows about a panel that changes how its answers are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// Every `error` body means that the order was refused, whatever its text.
    pub error_means_refused: bool,
    /// A browser check in the place of an answer means that the call never reached the panel.
    pub challenge_means_refused: bool,
    /// Ids of orders may be words, such as `a1B2c3`.
    pub text_ids: bool,
}

/// What pages hold that check a browser before they let it through, in lower case.
const CHALLENGES: [&str; 6] = [
    "just a moment",
    "checking your browser",
    "checking if the site connection is secure",
    "attention required",
    "cf-challenge",
    "error code: 1010",
];

/// A page for people that checks who is there, under a status such pages come with. It stands in
/// front of the panel; an error page of what is behind does not look like this.
pub fn is_challenge(answer: Answer<'_>) -> bool {
    let page = matches!(answer.status, 200 | 403 | 429 | 503) && answer.is_html();
    let text = answer.text().to_lowercase();
    page && CHALLENGES.iter().any(|sign| text.contains(sign))
}

impl Added {
    /// Reads a reply. The id is a positive integer, as a number or as a string, written plainly; or
    /// a word of at most 64 characters, where the panel has such ids.
    pub fn parse(answer: Answer<'_>, text_ids: bool) -> Result<Self, Failure> {
        let read = |object: Object<'_>| {
            let order = object.get("order")?;
            let number = order.text().filter(|text| is_order_id(text));
            number.or_else(|| order.string().filter(|word| text_ids && is_word_id(word)))
        };
        let order = open(answer)?.object().and_then(read);
        order.map(Self).ok_or_else(|| Failure::shape("an order id"))
    }

    /// Prints a reply.
    pub fn print(&self) -> String {
        #[derive(Serialize)]
        struct Printed<'a> {
            order: Id<'a>,
        }
        print(&Printed { order: Id(&self.0) })
    }
}

/// A positive integer of at most 63 bits without sign, blanks or leading zeros: two spellings of
/// one id would look like two orders.
pub(super) fn is_order_id(text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits && !text.starts_with('0') && text.parse::<i64>().is_ok()
}

/// Printable characters, not all of them digits, and none that separates the ids of a list.
fn is_word_id(text: &str) -> bool {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    !digits && !text.contains(',') && amount::id(text).as_deref() == Some(text)
}

/// What an answer to `add` means. `sent` are the values that went out; they are taken out of the
/// error text before it is matched. Whatever is not a usable id or a listed refusal is unknown.
pub fn purchase<'a>(
    answer: Answer<'_>,
    sent: impl IntoIterator<Item = &'a str>,
    profile: Profile,
) -> Purchase<String> {
    let (text, status) = match Added::parse(answer, profile.text_ids) {
        Ok(Added(order)) => return Purchase::Done(order),
        Err(Failure::Error { text, status }) => (text, status),
        Err(_) if profile.challenge_means_refused && is_challenge(answer) => {
            return Purchase::Refused(Refusal::Throttled);
        }
        Err(_) => return Purchase::Unknown,
    };
    if names_an_order(answer) {
        return Purchase::Unknown;
    }
    let throttled = (status == 429).then_some(Class::Refused(Refusal::Throttled));
    let listed = class_of(&without_sent(&text, sent)).or_else(|| by_status(status));
    match throttled.or(listed) {
        Some(Class::Refused(refusal)) => Purchase::Refused(refusal),
        None if profile.error_means_refused => {
            Purchase::Refused(Refusal::RejectedInput { member: None })
        }
        // an answer to another question than the one that was asked
        Some(Class::UnknownOrder | Class::RefillRefused) | None => Purchase::Unknown,
    }
}

/// An error beside an order id: the panel says both.
fn names_an_order(answer: Answer<'_>) -> bool {
    let object = Node::read(answer.text()).and_then(Node::object);
    object.is_some_and(|object| object.get("order").is_some())
}
