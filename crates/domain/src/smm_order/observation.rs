//! What a panel said of an order.

use crate::ids::OrderId;
use crate::time::Timestamp;
use crate::upstream::Progress;
use crate::usd::Usd;

/// A final state seen once, waiting to be seen again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Completed, Partial or Canceled.
    pub progress: Progress,
    /// Undelivered units as claimed.
    pub remains: Option<i64>,
    /// Since when the panel has been saying the same.
    pub since: Timestamp,
}

/// What a panel said of an order at one moment. Appended, never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// Order.
    pub order: OrderId,
    /// 1 for the first.
    pub seq: i64,
    /// The word as sent.
    pub raw_status: String,
    /// What it means; nothing for a word that is not known.
    pub progress: Option<Progress>,
    /// Undelivered units as claimed.
    pub remains: Option<i64>,
    /// Count at the start.
    pub start_count: Option<i64>,
    /// What the panel says it charged.
    pub charge: Option<Usd>,
    /// When.
    pub at: Timestamp,
}
