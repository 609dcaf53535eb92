//! Reply to `getActiveActivations`.

use super::failure::{Body, Failure, open};
use super::status::message;
use super::words::Class;
use crate::amount::{cut, id};
use crate::answer::Answer;
use crate::json::{Exact, Id, Node, Object, print};
use rust_decimal::Decimal;
use serde::Serialize;

/// Longest text field carried on, in characters.
const FIELD_MAX: usize = 128;

/// State of an activation in the list. The wire knows numbers and words for it and no document
/// lists them all; what is not understood stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ActiveState {
    /// 4: waits for its first message.
    Waiting,
    /// 2: has a message.
    Received,
    /// 3: another message was asked for and has not come.
    RetryAsked,
    /// Anything else, as sent.
    Other(String),
}

impl ActiveState {
    fn read(text: &str) -> Self {
        match text.trim() {
            "4" | "STATUS_WAIT_CODE" => Self::Waiting,
            "2" | "STATUS_OK" => Self::Received,
            "3" | "STATUS_WAIT_RETRY" => Self::RetryAsked,
            other => Self::Other(cut(other, FIELD_MAX)),
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Waiting => "4",
            Self::Received => "2",
            Self::RetryAsked => "3",
            Self::Other(text) => text,
        }
    }
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Active {
    /// Activation id.
    pub id: String,
    /// Service code.
    pub service: String,
    /// The number as sent. Not yet checked.
    pub phone: String,
    /// What it cost, in the account's currency.
    pub cost: Option<Decimal>,
    /// State.
    pub state: ActiveState,
    /// Codes, oldest first.
    pub codes: Vec<String>,
    /// Text of the newest message.
    pub text: Option<String>,
    /// When it was sold, `YYYY-MM-DD HH:MM:SS` without a zone.
    pub time: Option<String>,
    /// Country id.
    pub country: Option<String>,
    /// Country name.
    pub country_name: Option<String>,
    /// Whether a second message may be asked for.
    pub another_sms: bool,
    /// ISO numeric code of the currency.
    pub currency: Option<u32>,
}

/// How the list is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActiveShape {
    /// `{"status":"success","activeActivations":[…]}`: classic; codes are a list.
    Wrapped,
    /// `{"status":"success","data":[…],"activeActivations":{"rows":[…]}}`: Hero; the newest code as
    /// one string.
    Data,
    /// `[…]`: Grizzly; codes are a list.
    Bare,
}

/// The list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActiveList {
    /// Rows that could be read.
    pub rows: Vec<Active>,
    /// Rows that could not: the list is then no proof that something is not on it.
    pub skipped: usize,
}

impl ActiveList {
    /// Reads a reply: wrapped (classic), under `data`, under `rows`, or a top-level array; every
    /// spelling of "none" is an empty list.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let node = match open(answer) {
            Ok(Body::Json(node)) => node,
            Ok(Body::Word(_)) => return Err(Failure::shape("a list of activations")),
            Err(Failure::Refused(refused)) if refused.class == Class::Empty => {
                return Ok(Self::default());
            }
            Err(failure) => return Err(failure),
        };
        let items = rows(node).ok_or_else(|| Failure::shape("a list of activations"))?;
        let rows: Vec<Active> = items.iter().filter_map(|item| read(*item)).collect();
        Ok(Self {
            skipped: items.len() - rows.len(),
            rows,
        })
    }

    /// Prints the reply in the shape asked for.
    pub fn print(&self, shape: ActiveShape) -> String {
        let codes = match shape {
            ActiveShape::Wrapped | ActiveShape::Bare => Codes::list,
            ActiveShape::Data => Codes::newest,
        };
        let printed: Vec<_> = self
            .rows
            .iter()
            .map(|row| Printed::of(row, codes))
            .collect();
        match shape {
            ActiveShape::Wrapped => print(&Wrapped {
                status: "success",
                rows: printed,
            }),
            ActiveShape::Data => print(&Data {
                status: "success",
                data: &printed,
                rows: Rows { rows: &printed },
            }),
            ActiveShape::Bare => print(&printed),
        }
    }
}

/// The array of rows, wherever it is; at most two wrappers deep.
fn rows(node: Node<'_>) -> Option<Vec<Node<'_>>> {
    const WRAPPERS: [&str; 3] = ["activeActivations", "data", "rows"];
    let mut node = node;
    for depth in 0..=2 {
        if let Some(items) = node.items() {
            return Some(items);
        }
        let object = node.object()?;
        match WRAPPERS.iter().find_map(|name| object.get(name)) {
            Some(inner) => node = inner,
            // `{"activeActivations": {"0": {…}}}`: an array that PHP printed as an object
            None if depth > 0 && object.0.iter().all(|(name, _)| name.parse::<u64>().is_ok()) => {
                return Some(object.0.into_iter().map(|(_, row)| row).collect());
            }
            None => return None,
        }
    }
    None
}

fn read(node: Node<'_>) -> Option<Active> {
    let object = node.object()?;
    let field = |name: &str| object.filled(name).map(|text| cut(text.trim(), FIELD_MAX));
    Some(Active {
        id: object.id(&["activationId", "id"])?,
        service: id(&object.text(&["serviceCode", "service"])?)?,
        phone: field("phoneNumber").or_else(|| field("phone"))?,
        cost: object.amount("activationCost"),
        state: ActiveState::read(&object.text(&["activationStatus"]).unwrap_or_default()),
        codes: messages(&object, "smsCode"),
        text: messages(&object, "smsText").pop(),
        time: field("activationTime"),
        country: field("countryCode"),
        country_name: field("countryName"),
        another_sms: object.flag("canGetAnotherSms"),
        currency: object
            .count("currency")
            .and_then(|code| u32::try_from(code).ok()),
    })
}

/// Texts of a member that is an array, one text, or nothing.
fn messages(object: &Object<'_>, name: &str) -> Vec<String> {
    let Some(node) = object.get(name) else {
        return vec![];
    };
    let nodes = node.items().unwrap_or_else(|| vec![node]);
    let texts = nodes.into_iter().filter_map(|node| node.text());
    texts.filter_map(|text| message(&text)).collect()
}

#[derive(Serialize)]
struct Wrapped<'a> {
    status: &'a str,
    #[serde(rename = "activeActivations")]
    rows: Vec<Printed<'a>>,
}

#[derive(Serialize)]
struct Data<'a> {
    status: &'a str,
    data: &'a [Printed<'a>],
    #[serde(rename = "activeActivations")]
    rows: Rows<'a>,
}

#[derive(Serialize)]
struct Rows<'a> {
    rows: &'a [Printed<'a>],
}

/// Codes as clients of a dialect insist on them.
#[derive(Serialize)]
#[serde(untagged)]
enum Codes<'a> {
    List(&'a [String]),
    Newest(&'a str),
}

impl<'a> Codes<'a> {
    fn list(codes: &'a [String]) -> Option<Self> {
        (!codes.is_empty()).then_some(Self::List(codes))
    }

    fn newest(codes: &'a [String]) -> Option<Self> {
        codes.last().map(|code| Self::Newest(code))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Printed<'a> {
    activation_id: Id<'a>,
    service_code: &'a str,
    phone_number: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation_cost: Option<Exact>,
    activation_status: &'a str,
    sms_code: Option<Codes<'a>>,
    sms_text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    activation_time: Option<&'a str>,
    discount: &'a str,
    repeated: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    country_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    country_name: Option<&'a str>,
    can_get_another_sms: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<u32>,
}

impl<'a> Printed<'a> {
    fn of(row: &'a Active, codes: fn(&'a [String]) -> Option<Codes<'a>>) -> Self {
        Self {
            activation_id: Id(&row.id),
            service_code: &row.service,
            phone_number: &row.phone,
            activation_cost: row.cost.map(Exact),
            activation_status: row.state.text(),
            sms_code: codes(&row.codes),
            sms_text: row.text.as_deref(),
            activation_time: row.time.as_deref(),
            discount: "0",
            repeated: "0",
            country_code: row.country.as_deref(),
            country_name: row.country_name.as_deref(),
            can_get_another_sms: if row.another_sms { "1" } else { "0" },
            currency: row.currency,
        }
    }
}
