//! Replies to `status`, of one order and of many.

use super::actions::PerId;
use super::failure::{ErrorBody, Failure, error_text, open};
use crate::amount::cut;
use crate::answer::Answer;
use crate::json::{Id, Keyed, Node, Object, print};
use domain::upstream::{Progress, RefillProgress};
use rust_decimal::Decimal;
use serde::Serialize;

/// Longest status word or error text carried on, in characters.
const WORD_MAX: usize = 200;

/// What a panel says of one order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrderStatus {
    /// What it has charged so far, in the account's currency: a claim.
    pub charge: Option<Decimal>,
    /// Count at the start.
    pub start_count: Option<i64>,
    /// Status word as sent; see [`progress`].
    pub status: String,
    /// Undelivered units as claimed: may be negative or above the quantity.
    pub remains: Option<i64>,
    /// Currency of `charge`.
    pub currency: Option<String>,
    /// Child orders of a drip-feed or subscription parent.
    pub children: Vec<String>,
}

impl OrderStatus {
    /// Reads the reply to a single status.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let object = open(answer)?.object();
        object
            .and_then(|object| read(&object))
            .ok_or_else(|| Failure::shape("a status"))
    }

    /// Prints the reply to a single status: every value a string.
    pub fn print(&self) -> String {
        print(&Printed::of(self))
    }
}

/// Replies to a status of many: by id, in the order they came; an error of one is data.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Statuses(pub PerId<OrderStatus>);

impl Statuses {
    /// Reads a reply: an object by id. Values that are neither a status nor an error are left out.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let node = open(answer)?;
        if node.is_empty_array() {
            return Ok(Self::default());
        }
        let object = node
            .object()
            .ok_or_else(|| Failure::shape("statuses by id"))?;
        let rows = object
            .0
            .into_iter()
            .filter_map(|(id, node)| Some((id, entry(node)?)));
        Ok(Self(rows.collect()))
    }

    /// Prints a reply.
    pub fn print(&self) -> String {
        let rows = self.0.iter().map(|(id, row)| {
            let value = match row {
                Ok(status) => Value::Status(Printed::of(status)),
                Err(text) => Value::Error(ErrorBody { error: text }),
            };
            (id.as_str(), value)
        });
        print(&Keyed(rows.collect()))
    }
}

/// A status, an error object, or an error as a bare string.
fn entry(node: Node<'_>) -> Option<Result<OrderStatus, String>> {
    if let Some(text) = node.string() {
        return Some(Err(cut(&text, WORD_MAX)));
    }
    let object = node.object()?;
    match error_text(&object) {
        Some(text) => Some(Err(cut(&text, WORD_MAX))),
        None => read(&object).map(Ok),
    }
}

fn read(object: &Object<'_>) -> Option<OrderStatus> {
    let children = object
        .get("orders")
        .and_then(Node::items)
        .unwrap_or_default();
    Some(OrderStatus {
        charge: object.amount("charge"),
        start_count: object
            .whole("start_count")
            .or_else(|| object.whole("start_counter")),
        status: cut(object.text(&["status"])?.trim(), WORD_MAX),
        remains: object.whole("remains"),
        currency: object.filled("currency").map(|text| cut(text.trim(), 16)),
        children: children
            .into_iter()
            .filter_map(|node| crate::amount::id(&node.text()?))
            .collect(),
    })
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value<'a> {
    Status(Printed<'a>),
    Error(ErrorBody<'a>),
}

#[derive(Serialize)]
struct Printed<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    charge: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_count: Option<String>,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    remains: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    orders: Vec<Id<'a>>,
}

impl<'a> Printed<'a> {
    fn of(status: &'a OrderStatus) -> Self {
        Self {
            charge: status.charge.map(|charge| charge.to_string()),
            start_count: status.start_count.map(|count| count.to_string()),
            status: &status.status,
            remains: status.remains.map(|remains| remains.to_string()),
            currency: status.currency.as_deref(),
            orders: status.children.iter().map(|id| Id(id)).collect(),
        }
    }
}

/// Progress behind a status word or numeric code. `Fail`, `Error` and unknown words are nothing:
/// the order keeps the state it has.
pub fn progress(word: &str) -> Option<Progress> {
    let folded = word.trim().to_ascii_lowercase().replace(['_', '-'], " ");
    Some(match folded.as_str() {
        "pending" | "0" => Progress::Pending,
        "processing" | "1" => Progress::Processing,
        "in progress" | "inprogress" | "active" | "paused" => Progress::InProgress,
        "completed" | "2" => Progress::Completed,
        "partial" | "3" => Progress::Partial,
        "canceled" | "cancelled" | "refunded" | "refunds" | "4" | "5" => Progress::Canceled,
        _ => return None,
    })
}

/// Progress behind a refill's status word or numeric code. Unknown words are nothing.
pub fn refill_progress(word: &str) -> Option<RefillProgress> {
    let folded = word.trim().to_ascii_lowercase().replace(['_', '-'], " ");
    Some(match folded.as_str() {
        "pending" | "0" => RefillProgress::Pending,
        "in progress" | "inprogress" | "processing" | "1" => RefillProgress::InProgress,
        "completed" | "success" | "2" => RefillProgress::Completed,
        "rejected" | "canceled" | "cancelled" | "3" => RefillProgress::Rejected,
        _ => return None,
    })
}

/// Canonical word of a progress.
pub fn progress_word(progress: Progress) -> &'static str {
    match progress {
        Progress::Pending => "Pending",
        Progress::Processing => "Processing",
        Progress::InProgress => "In progress",
        Progress::Completed => "Completed",
        Progress::Partial => "Partial",
        Progress::Canceled => "Canceled",
    }
}
