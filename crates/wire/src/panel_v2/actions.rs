//! Replies to `refill`, `refill_status`, `cancel` and `balance`.

use super::failure::{ErrorBody, Failure, error_text, open};
use crate::amount::{amount, cut, id};
use crate::answer::Answer;
use crate::json::{Id, Node, Object, print};
use rust_decimal::Decimal;
use serde::Serialize;

/// Longest text carried on, in characters.
const TEXT_MAX: usize = 200;

/// What a panel says of an order id it does not know.
pub const UNKNOWN_ORDER: &str = "Incorrect order ID";
/// What a panel says of a refill id it does not know.
pub const UNKNOWN_REFILL: &str = "Refill not found";

/// Reply to `balance`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// What is left, in the currency below.
    pub balance: Decimal,
    /// Currency; nothing where the panel does not say.
    pub currency: Option<String>,
}

impl Balance {
    /// Reads a reply.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let read = |object: Object<'_>| {
            Some(Self {
                balance: amount(&object.text(&["balance"])?)?,
                currency: object.filled("currency").map(|text| cut(text.trim(), 16)),
            })
        };
        open(answer)?
            .object()
            .and_then(read)
            .ok_or_else(|| Failure::shape("a balance"))
    }

    /// Prints a reply, the balance as a string with the decimals it has.
    pub fn print(&self) -> String {
        #[derive(Serialize)]
        struct Printed<'a> {
            balance: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            currency: Option<&'a str>,
        }
        print(&Printed {
            balance: self.balance.to_string(),
            currency: self.currency.as_deref(),
        })
    }
}

/// Reply to `refill` of one order: the refill's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refill(pub String);

impl Refill {
    /// Reads a reply.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let object = open(answer)?.object().unwrap_or_default();
        if let Some(refused) = refused_at(&object, "refill", answer.status) {
            return Err(refused);
        }
        let refill = object.id(&["refill"]).map(Self);
        refill.ok_or_else(|| Failure::shape("a refill id"))
    }

    /// Prints a reply: the id as a string.
    pub fn print(&self) -> String {
        #[derive(Serialize)]
        struct Printed<'a> {
            refill: &'a str,
        }
        print(&Printed { refill: &self.0 })
    }
}

/// One answer per id, in the order they came: a value, or the error text for that id.
pub type PerId<T> = Vec<(String, Result<T, String>)>;

/// Reply to `refill` of many orders: order id, and refill id or error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refills(pub PerId<String>);

impl Refills {
    /// Reads a reply.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        pairs(answer, "order", "refill", id).map(Self)
    }

    /// Prints a reply: ids as integers.
    pub fn print(&self) -> String {
        #[derive(Serialize)]
        struct Printed<'a> {
            order: Id<'a>,
            refill: Cell<'a, Id<'a>>,
        }
        let rows = self.0.iter().map(|(order, refill)| Printed {
            order: Id(order),
            refill: Cell::of(refill.as_deref().map(Id)),
        });
        print(&rows.collect::<Vec<_>>())
    }
}

/// Reply to `refill_status` of one refill: its status word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefillStatus(pub String);

impl RefillStatus {
    /// Reads a reply.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let status = open(answer)?
            .object()
            .and_then(|object| object.filled("status"));
        let status = status.ok_or_else(|| Failure::shape("a refill's status"))?;
        Ok(Self(cut(status.trim(), TEXT_MAX)))
    }

    /// Prints a reply.
    pub fn print(&self) -> String {
        #[derive(Serialize)]
        struct Printed<'a> {
            status: &'a str,
        }
        print(&Printed { status: &self.0 })
    }
}

/// Reply to `refill_status` of many refills: refill id, and status word or error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RefillStatuses(pub PerId<String>);

impl RefillStatuses {
    /// Reads a reply.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let word = |text: &str| Some(cut(text.trim(), TEXT_MAX)).filter(|word| !word.is_empty());
        pairs(answer, "refill", "status", word).map(Self)
    }

    /// Prints a reply.
    pub fn print(&self) -> String {
        #[derive(Serialize)]
        struct Printed<'a> {
            refill: Id<'a>,
            status: Cell<'a, &'a str>,
        }
        let rows = self.0.iter().map(|(refill, status)| Printed {
            refill: Id(refill),
            status: Cell::of(status.as_deref()),
        });
        print(&rows.collect::<Vec<_>>())
    }
}

/// Reply to `cancel` of many orders: order id, and accepted or error. Accepted means asked for:
/// the outcome shows later as a status, or never.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cancels(pub PerId<()>);

impl Cancels {
    /// Reads a reply to a cancel of these orders. The single forms of lookalikes, which name no
    /// order, are taken only where one order was asked for.
    pub fn parse(answer: Answer<'_>, asked: &[String]) -> Result<Self, Failure> {
        let node = open(answer)?;
        if let Some(object) = node.object() {
            if let Some(refused) = refused_at(&object, "cancel", answer.status) {
                return Err(refused);
            }
            return match (asked, single_accepts(&object)) {
                ([order], true) => Ok(Self(vec![(order.clone(), Ok(()))])),
                _ => Err(Failure::shape("an answer to cancel")),
            };
        }
        let accepted = |text: &str| matches!(text.trim(), "1" | "true").then_some(());
        pairs(answer, "order", "cancel", accepted).map(Self)
    }

    /// Prints a reply.
    pub fn print(&self) -> String {
        #[derive(Serialize)]
        struct Printed<'a> {
            order: Id<'a>,
            cancel: Cell<'a, u8>,
        }
        let rows = self.0.iter().map(|(order, cancel)| Printed {
            order: Id(order),
            cancel: Cell::of(cancel.as_ref().map(|()| 1).map_err(String::as_str)),
        });
        print(&rows.collect::<Vec<_>>())
    }
}

/// `{"order":2,"cancel":1,"status":"success"}`: the answer to `cancel` with `order`, which
/// lookalikes' clients send.
pub fn print_cancel_single(order: &str) -> String {
    #[derive(Serialize)]
    struct Printed<'a> {
        order: Id<'a>,
        cancel: u8,
        status: &'a str,
    }
    print(&Printed {
        order: Id(order),
        cancel: 1,
        status: "success",
    })
}

/// The refusal in an error object that stands in the place of a value.
fn refused_at(object: &Object<'_>, name: &str, status: u16) -> Option<Failure> {
    let text = error_text(&object.get(name)?.object()?)?;
    let text = cut(&text, TEXT_MAX);
    Some(Failure::Error { text, status })
}

fn single_accepts(object: &Object<'_>) -> bool {
    let status = object.text(&["status"]).unwrap_or_default();
    object.flag("cancel")
        || status.eq_ignore_ascii_case("success")
        || object.get("success").is_some()
}

/// A value, or an error object in its place.
#[derive(Serialize)]
#[serde(untagged)]
enum Cell<'a, T> {
    Value(T),
    Error(ErrorBody<'a>),
}

impl<'a, T> Cell<'a, T> {
    fn of<E: AsRef<str> + ?Sized>(result: Result<T, &'a E>) -> Self {
        match result {
            Ok(value) => Self::Value(value),
            Err(text) => Self::Error(ErrorBody {
                error: text.as_ref(),
            }),
        }
    }
}

/// Rows of an id and a value or error. Rows that are neither are left out.
fn pairs<T>(
    answer: Answer<'_>,
    key: &str,
    value: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<PerId<T>, Failure> {
    let items = open(answer)?
        .items()
        .ok_or_else(|| Failure::shape("a list of answers"))?;
    let row = |node: &Node<'_>| {
        let object = node.object()?;
        let node = object.get(value)?;
        let result = match node.object() {
            Some(inner) => Err(cut(&error_text(&inner)?, TEXT_MAX)),
            None => Ok(read(&node.text()?)?),
        };
        Some((object.id(&[key])?, result))
    };
    Ok(items.iter().filter_map(row).collect())
}
