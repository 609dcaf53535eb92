//! What carriers' webhooks have in common: a message, and a signature that is good or bad.

use domain::time::Timestamp;
use std::fmt;

/// Longest signature we look at, in characters: both carriers' are below a hundred.
pub(crate) const SIGNATURE_MAX: usize = 128;

/// A message as a carrier tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inbound {
    /// The carrier's id of the message.
    pub message_id: String,
    /// The carrier's id of this delivery's event, where it has one.
    pub event_id: Option<String>,
    /// Sender: a number, a short code or a name.
    pub from: String,
    /// The number it was sent to.
    pub to: String,
    /// Text; empty where only pictures came.
    pub text: String,
    /// When the carrier had it, by its own clock, where it says.
    pub received_at: Option<Timestamp>,
}

/// What a signed webhook is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Webhook {
    /// A message came in.
    Message(Inbound),
    /// Anything else: acknowledged and ignored.
    Other,
    /// A message without an id, a sender or a recipient.
    Malformed,
}

/// Why a signature is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadSignature {
    /// It is not there, or not in the form signatures have.
    Unreadable,
    /// It was made too long ago, or lies ahead of our clock.
    OutOfTime,
    /// It is not the one of this request.
    Wrong,
}

impl fmt::Display for BadSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreadable => "unreadable",
            Self::OutOfTime => "out of time",
            Self::Wrong => "wrong",
        })
    }
}
