//! A day's credits of ours against a processor's own list.

use super::processor::Processor;
use crate::time::Timestamp;
use crate::usd::Usd;

/// What came of comparing a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reconciliation {
    /// Whose list.
    pub processor: Processor,
    /// The day's first millisecond, UTC.
    pub day: Timestamp,
    /// Payments that the processor lists for the day and the four days before it.
    pub listed: i64,
    /// Top-ups that we credited on the day.
    pub credited: i64,
    /// Their sum.
    pub amount: Usd,
    /// Fees that the processor kept on the day, as they are booked.
    pub fees: Usd,
    /// What it sent to our bank on the day, as it is booked.
    pub paid_out: Usd,
    /// What only one side knows, or both know differently; empty when all is well.
    pub unexplained: Vec<String>,
    /// Why it could not be compared.
    pub failure: Option<String>,
    /// When it was compared.
    pub at: Timestamp,
}
