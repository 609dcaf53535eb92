//! Replies to `request/balance`, `sms/cancel` and `sms/resend`.

use super::failure::{open, open_as};
use super::text::plain;
use crate::answer::Answer;
use crate::handler_api::{Class, Failure};
use crate::json::{Exact, print};
use rust_decimal::Decimal;
use serde::Serialize;

/// What the account holds, in dollars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Balance(pub Decimal);

impl Balance {
    /// Reads a reply.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let object = open(answer)?.object().unwrap_or_default();
        let balance = object.amount("balance").map(Self);
        balance.ok_or_else(|| Failure::Unreadable("not a balance".to_owned()))
    }

    /// Prints a reply, with two decimals at least.
    pub fn print(self) -> String {
        #[derive(Serialize)]
        struct Printed {
            balance: String,
        }
        let mut value = self.0.normalize();
        value.rescale(value.scale().max(2));
        print(&Printed {
            balance: value.to_string(),
        })
    }
}

/// An order was cancelled and its cost given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancelled {
    /// Words for people, without tags.
    pub message: String,
}

impl Cancelled {
    /// Reads a reply. A refusal under status 200 that is not listed means that the order is not in
    /// a state to be cancelled.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let unlisted = |answer: Answer<'_>| answer.is_success().then_some(Class::BadTransition);
        let object = open_as(answer, unlisted)?.object().unwrap_or_default();
        if !object.flag("success") {
            return Err(Failure::Unreadable("not an answer to a cancel".to_owned()));
        }
        Ok(Self {
            message: plain(&object.filled("message").unwrap_or_default()),
        })
    }

    /// Prints a reply.
    pub fn print(&self) -> String {
        #[derive(Serialize)]
        struct Printed<'a> {
            success: u8,
            message: &'a str,
        }
        print(&Printed {
            success: 1,
            message: &self.message,
        })
    }
}

/// Another message was asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Resent {
    /// Code of the order under which it will come; nothing where the old one goes on.
    pub order_id: Option<String>,
    /// What that cost, in dollars.
    pub charge: Option<Decimal>,
    /// How often it was asked for.
    pub resends: Option<u64>,
    /// Words for people, without tags.
    pub message: String,
}

impl Resent {
    /// Reads a reply in its newer or its older form. A refusal that is not listed means that it is
    /// not to be had.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let object = open_as(answer, |_| Some(Class::NotAvailable))?.object();
        let object = object.filter(|object| object.flag("success"));
        let Some(object) = object else {
            return Err(Failure::Unreadable("not an answer to a resend".to_owned()));
        };
        Ok(Self {
            order_id: object.id(&["order_id"]),
            charge: object.amount("charge"),
            resends: object.count("resend"),
            message: plain(&object.filled("message").unwrap_or_default()),
        })
    }

    /// Prints a reply: the newer form where there is a new order, otherwise the older one.
    pub fn print(&self) -> String {
        #[derive(Serialize)]
        struct Printed<'a> {
            success: u8,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            order_id: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            charge: Option<Exact>,
            #[serde(skip_serializing_if = "Option::is_none")]
            resend: Option<u64>,
        }
        print(&Printed {
            success: 1,
            message: &self.message,
            order_id: self.order_id.as_deref(),
            charge: self.charge.map(Exact),
            resend: self.resends,
        })
    }
}
