//! One upstream purchase call for an order.

use crate::ids::OrderId;
use crate::time::Timestamp;

/// What became of a purchase call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptState {
    /// Durable before the call leaves; the answer is not known here yet.
    Calling,
    /// Definite success, linked.
    Done,
    /// Definite failure.
    Refused,
    /// The answer is unknown.
    InDoubt,
    /// It was in doubt; evidence linked it.
    Linked,
    /// It was in doubt; the upstream's list, taken after the window, does not hold it.
    Absent,
    /// It was in doubt and released without proof either way: it may still show up.
    LatePossible,
}

impl AttemptState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Calling,
        Self::Done,
        Self::Refused,
        Self::InDoubt,
        Self::Linked,
        Self::Absent,
        Self::LatePossible,
    ];

    /// Stable word for rows.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Calling => "calling",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::InDoubt => "in_doubt",
            Self::Linked => "linked",
            Self::Absent => "absent",
            Self::LatePossible => "late_possible",
        }
    }

    /// Reads a row's word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.slug() == slug)
    }
}

/// A purchase call: written with the hold before it leaves, closed when its outcome is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Order it is for.
    pub order: OrderId,
    /// 1 for the first route tried, 2 for the next …
    pub seq: i64,
    /// Upstream asked.
    pub upstream: String,
    /// State.
    pub state: AttemptState,
    /// When the call was about to leave.
    pub sent_at: Timestamp,
    /// When the outcome was settled.
    pub ended_at: Option<Timestamp>,
    /// Class of the answer or grade of the evidence: `no_stock`, `listed`, `window_ended` …
    pub evidence: Option<String>,
    /// What the upstream said, cut, secrets removed. For the operator only.
    pub raw: Option<String>,
    /// SHA-256 of what was asked for, without keys and without our own reference: equal for equal
    /// purchases. Nothing in rows of before.
    pub request_digest: Option<[u8; 32]>,
}

impl Attempt {
    /// An attempt that is about to call.
    pub fn calling(order: OrderId, seq: i64, upstream: &str, sent_at: Timestamp) -> Self {
        Self {
            order,
            seq,
            upstream: upstream.to_owned(),
            state: AttemptState::Calling,
            sent_at,
            ended_at: None,
            evidence: None,
            raw: None,
            request_digest: None,
        }
    }
}

/// How one attempt's row changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptEnd {
    /// Order and number of the attempt.
    pub order: OrderId,
    /// See `order`.
    pub seq: i64,
    /// New state.
    pub state: AttemptState,
    /// Evidence or class.
    pub evidence: String,
    /// What the upstream said, if it said anything.
    pub raw: Option<String>,
}
