//! Replies to `getBalance`, `getNumber` and `getNumberV2`.

use super::failure::{Body, Failure, open};
use crate::amount::{amount, cut, id};
use crate::answer::Answer;
use crate::json::{Exact, Id, Object, print};
use rust_decimal::Decimal;
use serde::Serialize;

/// Longest phone number or time carried on, in characters.
const FIELD_MAX: usize = 64;
/// Decimals always written in a balance: some clients read a whole number as 0.
const BALANCE_DECIMALS: u32 = 4;

/// `ACCESS_BALANCE:12.4500`, in the account's currency.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance(pub Decimal);

impl Balance {
    /// Reads a reply: the word, a bare number, or an object with `amount` or `balance`.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let value = match open(answer)? {
            Body::Word(text) => argument(text, "ACCESS_BALANCE")
                .or(Some(text))
                .and_then(amount),
            Body::Json(node) => node.object().and_then(|object| {
                let named = object.amount("amount");
                named.or_else(|| object.amount("balance"))
            }),
        };
        value.map(Self).ok_or_else(|| Failure::shape("a balance"))
    }

    /// The currency that a reply says it is in; most say none.
    pub fn currency(answer: Answer<'_>) -> Option<String> {
        let Ok(Body::Json(node)) = open(answer) else {
            return None;
        };
        let said = node.object()?.filled("currency")?;
        Some(said.trim().parse().map_or(said, currency_word))
    }

    /// Prints a reply, always with at least four decimals.
    pub fn print(self) -> String {
        let mut value = self.0.normalize();
        value.rescale(value.scale().max(BALANCE_DECIMALS));
        format!("ACCESS_BALANCE:{value}")
    }
}

/// The letters of a currency's number in ISO 4217, for those that accounts are kept in; the digits
/// of any other.
pub fn currency_word(number: u32) -> String {
    let word = match number {
        156 => "CNY",
        356 => "INR",
        360 => "IDR",
        398 => "KZT",
        643 => "RUB",
        704 => "VND",
        826 => "GBP",
        840 => "USD",
        949 => "TRY",
        978 => "EUR",
        980 => "UAH",
        986 => "BRL",
        _ => return format!("{number:03}"),
    };
    word.to_owned()
}

/// `ACCESS_NUMBER:635468024:79584123456`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberSold {
    /// Activation id.
    pub id: String,
    /// The number as sent: usually digits without a plus. Not yet checked.
    pub phone: String,
}

impl NumberSold {
    /// Reads a reply. Both parts are there and not empty; whether they are usable is for the
    /// caller to check.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let Body::Word(text) = open(answer)? else {
            return Err(Failure::shape("a number"));
        };
        let parts = argument(text, "ACCESS_NUMBER").and_then(|rest| rest.split_once(':'));
        let sold = parts.and_then(|(sold_id, phone)| {
            Some(Self {
                id: id(sold_id)?,
                phone: phone_text(phone)?,
            })
        });
        sold.ok_or_else(|| Failure::shape("a number"))
    }

    /// Prints a reply.
    pub fn print(&self) -> String {
        format!("ACCESS_NUMBER:{}:{}", self.id, self.phone)
    }
}

/// The object `getNumberV2` answers. Times are `YYYY-MM-DD HH:MM:SS` without a zone and stay text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberV2 {
    /// Activation id.
    pub id: String,
    /// The number as sent. Not yet checked.
    pub phone: String,
    /// What it cost, in the account's currency.
    pub cost: Option<Decimal>,
    /// ISO numeric code of the currency.
    pub currency: Option<u32>,
    /// Country id.
    pub country: Option<String>,
    /// Whether a second message may be asked for.
    pub another_sms: bool,
    /// When it was sold.
    pub time: Option<String>,
    /// Mobile operator.
    pub operator: Option<String>,
    /// End of its life (`activationEnd`, `activationEndTime`).
    pub end: Option<String>,
    /// Earliest cancel (`activationCancel`).
    pub cancel_from: Option<String>,
}

impl NumberV2 {
    /// Reads a reply; the classic word of `getNumber` is accepted too.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        match open(answer)? {
            Body::Word(_) => {
                let NumberSold { id, phone } = NumberSold::parse(answer)?;
                Ok(Self {
                    id,
                    phone,
                    ..Self::default()
                })
            }
            Body::Json(node) => {
                let read = node.object().and_then(|object| Self::read(&object));
                read.ok_or_else(|| Failure::shape("a number"))
            }
        }
    }

    fn read(object: &Object<'_>) -> Option<Self> {
        let field = |name: &str| object.filled(name).map(|text| cut(text.trim(), FIELD_MAX));
        Some(Self {
            id: object.id(&["activationId"])?,
            phone: phone_text(&object.text(&["phoneNumber"])?)?,
            cost: object.amount("activationCost"),
            currency: object
                .count("currency")
                .and_then(|code| u32::try_from(code).ok()),
            country: field("countryCode"),
            another_sms: object.flag("canGetAnotherSms"),
            time: field("activationTime"),
            operator: field("activationOperator"),
            end: field("activationEnd").or_else(|| field("activationEndTime")),
            cancel_from: field("activationCancel"),
        })
    }

    /// Prints a reply with the types clients insist on: strings for number, country and the
    /// second-message flag, an integer currency, an exact cost.
    pub fn print(&self) -> String {
        print(&Printed {
            id: Id(&self.id),
            phone: &self.phone,
            cost: self.cost.map(Exact),
            currency: self.currency,
            country: self.country.as_deref(),
            another_sms: if self.another_sms { "1" } else { "0" },
            time: self.time.as_deref(),
            operator: self.operator.as_deref(),
            end: self.end.as_deref(),
            cancel_from: self.cancel_from.as_deref(),
        })
    }
}

#[derive(Serialize)]
struct Printed<'a> {
    #[serde(rename = "activationId")]
    id: Id<'a>,
    #[serde(rename = "phoneNumber")]
    phone: &'a str,
    #[serde(rename = "activationCost", skip_serializing_if = "Option::is_none")]
    cost: Option<Exact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<u32>,
    #[serde(rename = "countryCode", skip_serializing_if = "Option::is_none")]
    country: Option<&'a str>,
    #[serde(rename = "canGetAnotherSms")]
    another_sms: &'a str,
    #[serde(rename = "activationTime", skip_serializing_if = "Option::is_none")]
    time: Option<&'a str>,
    #[serde(rename = "activationOperator", skip_serializing_if = "Option::is_none")]
    operator: Option<&'a str>,
    #[serde(rename = "activationEnd", skip_serializing_if = "Option::is_none")]
    end: Option<&'a str>,
    #[serde(rename = "activationCancel", skip_serializing_if = "Option::is_none")]
    cancel_from: Option<&'a str>,
}

/// What stands behind the first colon, where the word before it is the one wanted.
pub(super) fn argument<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (head, rest) = text.split_once(':')?;
    (head.trim() == word).then(|| rest.trim())
}

fn phone_text(text: &str) -> Option<String> {
    Some(cut(text.trim(), FIELD_MAX)).filter(|phone| !phone.is_empty())
}
