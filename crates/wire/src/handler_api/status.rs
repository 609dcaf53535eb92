//! Replies to `getStatus`, `getStatusV2` and `setStatus`.

use super::failure::{Body, Failure, open};
use super::words::Class;
use crate::amount::cut;
use crate::answer::Answer;
use crate::json::{Object, print};
use serde::Serialize;

/// Longest message text carried on, in characters.
const TEXT_MAX: usize = 2000;

/// What `getStatus` answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// Nothing received yet.
    WaitCode,
    /// Another message was asked for; the code is the old one.
    WaitRetry(Option<String>),
    /// Waits for the user to trigger a resend.
    WaitResend,
    /// A code, or a whole text. Never empty.
    Code(String),
    /// Cancelled, expired or completed: the word does not say which.
    Cancelled,
}

impl Status {
    /// Reads a reply.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        match open(answer) {
            Ok(Body::Word(text)) => Self::read(text).ok_or_else(|| Failure::shape("a status")),
            Ok(Body::Json(_)) => Err(Failure::shape("a status")),
            Err(Failure::Refused(refused)) if refused.class == Class::Waiting => Ok(Self::WaitCode),
            Err(failure) => Err(failure),
        }
    }

    fn read(text: &str) -> Option<Self> {
        let (head, rest) = match text.split_once(':') {
            Some((head, rest)) => (head.trim(), message(rest)),
            None => (text, None),
        };
        Some(match (head, rest) {
            ("STATUS_WAIT_RETRY", old) => Self::WaitRetry(old),
            ("STATUS_WAIT_RESEND", _) => Self::WaitResend,
            ("STATUS_WAIT_CODE" | "STATUS_WAIT_READY" | "STATUS_WAIT_SCREEN", _) => Self::WaitCode,
            ("STATUS_CANCEL", _) => Self::Cancelled,
            ("STATUS_OK" | "STATUS_ACCESS" | "STATUS_ACCESS_SCREEN" | "FULL_SMS", Some(code)) => {
                Self::Code(code)
            }
            // a finished word without its code: nothing was received as long as none is shown
            ("STATUS_OK" | "STATUS_ACCESS" | "STATUS_ACCESS_SCREEN" | "FULL_SMS", None) => {
                Self::WaitCode
            }
            _ => return None,
        })
    }

    /// Prints a reply. Colons inside a code become spaces: clients split on every one of them.
    pub fn print(&self) -> String {
        match self {
            Self::WaitCode => "STATUS_WAIT_CODE".to_owned(),
            Self::WaitRetry(None) => "STATUS_WAIT_RETRY".to_owned(),
            Self::WaitRetry(Some(old)) => format!("STATUS_WAIT_RETRY:{}", plain(old)),
            Self::WaitResend => "STATUS_WAIT_RESEND".to_owned(),
            Self::Code(code) => format!("STATUS_OK:{}", plain(code)),
            Self::Cancelled => "STATUS_CANCEL".to_owned(),
        }
    }
}

fn plain(code: &str) -> String {
    code.replace([':', '\r', '\n'], " ")
}

/// Text that says something: trimmed, not blank, not the word `null`.
pub(super) fn message(text: &str) -> Option<String> {
    let text = text.trim();
    let says_something = !text.is_empty() && !text.eq_ignore_ascii_case("null");
    says_something.then(|| cut(text, TEXT_MAX))
}

/// What `getStatusV2` answers: its object, or one of the bare words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusV2Reply {
    /// The object.
    Object(StatusV2),
    /// A bare word of `getStatus`.
    Word(Status),
}

/// The object of `getStatusV2`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatusV2 {
    /// Kind of verification: 0 message, 1 call of a number, 2 voice.
    pub verification_type: u32,
    /// The message, where one came.
    pub sms: Option<SmsV2>,
    /// The call, where one came.
    pub call: Option<CallV2>,
}

/// A message in [`StatusV2`]; missing texts are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SmsV2 {
    /// When it came, `YYYY-MM-DD HH:MM:SS` without a zone.
    #[serde(rename = "dateTime")]
    pub date_time: String,
    /// The code.
    pub code: String,
    /// The whole text.
    pub text: String,
}

/// A call in [`StatusV2`]; missing texts are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CallV2 {
    /// Who called.
    pub from: String,
    /// What was said.
    pub text: String,
    /// The code.
    pub code: String,
    /// When, `YYYY-MM-DD HH:MM:SS` without a zone.
    #[serde(rename = "dateTime")]
    pub date_time: String,
    /// Where the recording lies.
    pub url: String,
    /// How often it was transcribed.
    #[serde(rename = "parsingCount")]
    pub parsing_count: u32,
}

impl StatusV2Reply {
    /// Reads a reply.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let Ok(Body::Json(node)) = open(answer) else {
            return Status::parse(answer).map(Self::Word);
        };
        let object = node.object().ok_or_else(|| Failure::shape("a status"))?;
        let known = ["verificationType", "sms", "call"];
        if !object
            .0
            .iter()
            .any(|(name, _)| known.contains(&name.as_str()))
        {
            return Err(Failure::shape("a status"));
        }
        Ok(Self::Object(StatusV2::read(&object)))
    }

    /// Prints a reply.
    pub fn print(&self) -> String {
        match self {
            Self::Object(status) => status.print(),
            Self::Word(status) => status.print(),
        }
    }
}

impl StatusV2 {
    fn read(object: &Object<'_>) -> Self {
        let part = |name: &str| object.get(name).and_then(|node| node.object());
        let small = |number: Option<u64>| number.and_then(|n| u32::try_from(n).ok()).unwrap_or(0);
        let text = |part: &Object<'_>, name: &str| {
            part.text(&[name])
                .and_then(|text| message(&text))
                .unwrap_or_default()
        };
        let sms = part("sms").map(|part| SmsV2 {
            date_time: text(&part, "dateTime"),
            code: text(&part, "code"),
            text: text(&part, "text"),
        });
        let call = part("call").map(|part| CallV2 {
            from: text(&part, "from"),
            text: text(&part, "text"),
            code: text(&part, "code"),
            date_time: text(&part, "dateTime"),
            url: text(&part, "url"),
            parsing_count: small(part.count("parsingCount")),
        });
        Self {
            verification_type: small(object.count("verificationType")),
            sms,
            call,
        }
    }

    /// Prints the object, with `null` for what has not come.
    pub fn print(&self) -> String {
        #[derive(Serialize)]
        struct Printed<'a> {
            #[serde(rename = "verificationType")]
            verification_type: u32,
            sms: Option<&'a SmsV2>,
            call: Option<&'a CallV2>,
        }
        print(&Printed {
            verification_type: self.verification_type,
            sms: self.sms.as_ref(),
            call: self.call.as_ref(),
        })
    }
}

/// What `setStatus` answers when it did as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetStatusReply {
    /// `ACCESS_READY`.
    Ready,
    /// `ACCESS_RETRY_GET`.
    Retry,
    /// `ACCESS_ACTIVATION`.
    Finished,
    /// `ACCESS_CANCEL`.
    Cancelled,
}

impl SetStatusReply {
    const ALL: [Self; 4] = [Self::Ready, Self::Retry, Self::Finished, Self::Cancelled];

    /// Reads a reply. `ALREADY_CANCELED` and its kin are failures of class `Closed`.
    pub fn parse(answer: Answer<'_>) -> Result<Self, Failure> {
        let Body::Word(text) = open(answer)? else {
            return Err(Failure::shape("an answer to setStatus"));
        };
        let head = text.split(':').next().unwrap_or(text).trim();
        let found = Self::ALL.into_iter().find(|reply| reply.print() == head);
        found.ok_or_else(|| Failure::shape("an answer to setStatus"))
    }

    /// Prints a reply, exactly as clients compare it.
    pub fn print(self) -> &'static str {
        match self {
            Self::Ready => "ACCESS_READY",
            Self::Retry => "ACCESS_RETRY_GET",
            Self::Finished => "ACCESS_ACTIVATION",
            Self::Cancelled => "ACCESS_CANCEL",
        }
    }
}
