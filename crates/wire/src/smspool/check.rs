//! Reply to `sms/check`.

use super::failure::open;
use super::text::{message, plain};
use crate::amount::cut;
use crate::answer::Answer;
use crate::handler_api::Failure;
use crate::json::{Id, print};
use serde::Serialize;

/// Longest unknown state carried on, in characters.
const STATE_MAX: usize = 64;

/// State of an order: a number in `sms/check`, a word in lists. Only 1, 3 and 6 are documented by
/// the vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderState {
    /// 1.
    Pending,
    /// 2.
    Expired,
    /// 3.
    Completed,
    /// 4: another message was asked for.
    Resend,
    /// 5.
    Cancelled,
    /// 6.
    Refunded,
    /// 7.
    Processing,
    /// 8.
    Activating,
    /// Anything else, as sent.
    Other(String),
}

/// Every known state with its number and its word.
static STATES: [(&str, &str, OrderState); 8] = [
    ("1", "pending", OrderState::Pending),
    ("2", "expired", OrderState::Expired),
    ("3", "completed", OrderState::Completed),
    ("4", "resend", OrderState::Resend),
    ("5", "cancelled", OrderState::Cancelled),
    ("6", "refunded", OrderState::Refunded),
    ("7", "processing", OrderState::Processing),
    ("8", "activating", OrderState::Activating),
];

impl OrderState {
    pub(super) fn read(text: &str) -> Self {
        let text = text.trim();
        let known = STATES
            .iter()
            .find(|(code, word, _)| *code == text || word.eq_ignore_ascii_case(text));
        known.map_or_else(
            || Self::Other(cut(text, STATE_MAX)),
            |(_, _, state)| state.clone(),
        )
    }

    /// The number of `sms/check`.
    pub(super) fn code(&self) -> &str {
        self.spelled(|row| row.0)
    }

    /// The word of lists.
    pub(super) fn word(&self) -> &str {
        self.spelled(|row| row.1)
    }

    fn spelled(&self, which: fn(&'static (&str, &str, Self)) -> &'static str) -> &str {
        match self {
            Self::Other(text) => text,
            _ => STATES.iter().find(|row| row.2 == *self).map_or("", which),
        }
    }
}

/// What `sms/check` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// State.
    pub state: OrderState,
    /// The code; never a placeholder.
    pub sms: Option<String>,
    /// The whole text; never a placeholder.
    pub full_sms: Option<String>,
    /// Words for people, without tags.
    pub message: Option<String>,
    /// How often another message was asked for.
    pub resends: Option<u64>,
    /// When the order expires, unix seconds.
    pub expiration_s: Option<u64>,
    /// Seconds until then.
    pub time_left_s: Option<u64>,
}

impl Check {
    /// Reads a reply; the state is there.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let object = open(answer)?.object().unwrap_or_default();
        let Some(state) = object.filled("status") else {
            return Err(Failure::Unreadable("not the state of an order".to_owned()));
        };
        let received = |name: &str| object.text(&[name]).and_then(|text| message(&text));
        Ok(Self {
            state: OrderState::read(&state),
            sms: received("sms"),
            full_sms: received("full_sms"),
            message: object.filled("message").map(|text| plain(&text)),
            resends: object.count("resend"),
            expiration_s: object.count("expiration"),
            time_left_s: object.count("time_left"),
        })
    }

    /// Prints a reply.
    pub fn print(&self) -> String {
        #[derive(Serialize)]
        struct Printed<'a> {
            status: Id<'a>,
            #[serde(skip_serializing_if = "Option::is_none")]
            message: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            sms: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            full_sms: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            resend: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            expiration: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            time_left: Option<u64>,
        }
        print(&Printed {
            status: Id(self.state.code()),
            message: self.message.as_deref(),
            sms: self.sms.as_deref(),
            full_sms: self.full_sms.as_deref(),
            resend: self.resends,
            expiration: self.expiration_s,
            time_left: self.time_left_s,
        })
    }
}
