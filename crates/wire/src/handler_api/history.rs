//! Reply to `getHistory`.

use super::failure::{Body, Failure, open};
use super::status::message;
use super::words::Class;
use crate::amount::cut;
use crate::answer::Answer;
use crate::json::{Exact, Node, print};
use rust_decimal::Decimal;
use serde::Serialize;

/// Longest text field carried on, in characters.
const FIELD_MAX: usize = 128;

/// One past activation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryRow {
    /// Activation id.
    pub id: String,
    /// When, as sent; no zone.
    pub date: String,
    /// The number as sent. Not yet checked.
    pub phone: String,
    /// Text of its message, where one came.
    pub sms: Option<String>,
    /// What it cost, in the account's currency.
    pub cost: Option<Decimal>,
    /// State, in the upstream's words.
    pub status: String,
    /// ISO numeric code of the currency.
    pub currency: Option<u32>,
}

/// The list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Rows that could be read.
    pub rows: Vec<HistoryRow>,
    /// Rows that could not.
    pub skipped: usize,
}

impl History {
    /// Reads a reply: an array, bare or under `data`; every spelling of "none" is an empty list.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let node = match open(answer) {
            Ok(Body::Json(node)) => node,
            Ok(Body::Word(_)) => return Err(Failure::shape("a history")),
            Err(Failure::Refused(refused)) if refused.class == Class::Empty => {
                return Ok(Self::default());
            }
            Err(failure) => return Err(failure),
        };
        let wrapped = || node.object()?.get("data")?.items();
        let items = node
            .items()
            .or_else(wrapped)
            .ok_or_else(|| Failure::shape("a history"))?;
        let rows: Vec<HistoryRow> = items.iter().filter_map(|item| read(*item)).collect();
        Ok(Self {
            skipped: items.len() - rows.len(),
            rows,
        })
    }

    /// Prints the array under `data`, as one dialect does.
    pub fn print_data(&self) -> String {
        format!(r#"{{"status":"success","data":{}}}"#, self.print())
    }

    /// Prints the reply.
    pub fn print(&self) -> String {
        #[derive(Serialize)]
        struct Printed<'a> {
            id: &'a str,
            date: &'a str,
            phone: &'a str,
            sms: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            cost: Option<Exact>,
            status: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            currency: Option<u32>,
        }
        let rows = self.rows.iter().map(|row| Printed {
            id: &row.id,
            date: &row.date,
            phone: &row.phone,
            sms: row.sms.as_deref(),
            cost: row.cost.map(Exact),
            status: &row.status,
            currency: row.currency,
        });
        print(&rows.collect::<Vec<_>>())
    }
}

fn read(node: Node<'_>) -> Option<HistoryRow> {
    let object = node.object()?;
    let field = |name: &str| {
        object
            .filled(name)
            .map(|text| cut(text.trim(), FIELD_MAX))
            .unwrap_or_default()
    };
    Some(HistoryRow {
        id: object.id(&["id", "activationId"])?,
        date: field("date"),
        phone: field("phone"),
        sms: object.text(&["sms"]).and_then(|text| message(&text)),
        cost: object.amount("cost"),
        status: field("status"),
        currency: object
            .count("currency")
            .and_then(|code| u32::try_from(code).ok()),
    })
}
