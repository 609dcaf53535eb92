//! The log of an account's API requests: who asked what, when, and what came of it. Neither secrets
//! nor codes nor texts that callers chose, but for the request id.

use crate::ids::{AccountId, KeyId, OrderId};
use crate::time::Timestamp;

/// What makes two requests equal: they are one line of the log, with their count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CallKind {
    /// Whose.
    pub account: AccountId,
    /// The key it came with.
    pub key: KeyId,
    /// The service that was asked, `otp` or `smm`.
    pub service: &'static str,
    /// Action; empty where it was none that we know.
    pub action: &'static str,
    /// HTTP status of the answer.
    pub status: u16,
    /// Error code of the answer; empty for a success.
    pub error: &'static str,
    /// The order it was about, where it was about one.
    pub order: Option<OrderId>,
    /// Minutes since 1970; 0 where there is an order: equal requests for one order are one line
    /// whenever they come, all others only within a minute.
    pub minute: i64,
}

impl CallKind {
    /// The minute that a request at this time counts in.
    pub fn minute_of(order: Option<OrderId>, at: Timestamp) -> i64 {
        match order {
            Some(_) => 0,
            None => at.0.div_euclid(60_000),
        }
    }
}

/// Equal requests since the last time they were written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calls {
    /// What they have in common.
    pub kind: CallKind,
    /// How many.
    pub count: u64,
    /// When the first of them was answered.
    pub first_at: Timestamp,
    /// When the last of them was answered.
    pub last_at: Timestamp,
    /// HTTP method of the last one.
    pub method: String,
    /// How long the last one took, in microseconds.
    pub duration_us: u64,
    /// Id of the last one.
    pub request_id: String,
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallLine {
    /// Row.
    pub id: i64,
    /// Key.
    pub key: KeyId,
    /// Method of the last request.
    pub method: String,
    /// The service that was asked, `otp` or `smm`; empty in lines of a time that did not keep it.
    pub service: String,
    /// Action; empty where it was none that we know.
    pub action: String,
    /// HTTP status.
    pub status: u16,
    /// Error code; empty for a success.
    pub error: String,
    /// The order it was about.
    pub order: Option<OrderId>,
    /// Requests.
    pub count: u64,
    /// The first.
    pub first_at: Timestamp,
    /// The last.
    pub last_at: Timestamp,
    /// How long the last one took, in microseconds.
    pub duration_us: u64,
    /// Id of the last request.
    pub request_id: String,
}

/// Which lines are asked for; members left out match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallsOf {
    /// Lines at most.
    pub limit: u32,
    /// Only lines before this one: its last time and row.
    pub before: Option<(Timestamp, i64)>,
    /// Service: `otp` or `smm`.
    pub service: Option<String>,
    /// Action.
    pub action: Option<String>,
    /// Only failures, or only successes.
    pub failed: Option<bool>,
    /// Key.
    pub key: Option<KeyId>,
    /// Order.
    pub order: Option<OrderId>,
}

/// How much a key is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUse {
    /// Key.
    pub key: KeyId,
    /// Requests since it was made.
    pub requests: u64,
    /// The last one.
    pub last_at: Timestamp,
}

/// One thing to write in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogWrite {
    /// Requests are added to their lines, and to the uses of their keys.
    Add(Vec<Calls>),
    /// Lines whose last request was before this are forgotten, the oldest first.
    Forget {
        /// Before when.
        before: Timestamp,
        /// Lines at most.
        limit: u32,
    },
}
