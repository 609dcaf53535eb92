//! The policy engine: what may be sold to whom, as a pure function, decided before money is held.
//!
//! A catalogue import asks [`Rules::otp_class`] and [`Rules::smm_class`] once per service; every
//! order then asks [`decide_otp`] or [`decide_smm`] with the class found. Hard
//! denials are compiled in: nothing in [`Rules`] can lift them.

mod abuse;
mod class;
mod decide;
mod keywords;
mod ladder;
mod loosening;
mod message;
mod otp;
mod record;
mod rules;
mod signals;
mod skeleton;
mod smm;
pub mod velocity;

#[cfg(test)]
mod tests;

pub use abuse::{AbuseCase, Behind, Counters, Harm, Held, LegalHold, NotYet, REPORT_SLACK};
pub use class::{OtpClass, SmmClass, Strength};
pub use decide::{
    Decision, DenyReason, OtpRequest, SmmRequest, Verdict, decide_otp, decide_smm, sellable_otp,
};
pub use ladder::{
    AccountCase, Appeal, CannotDecide, Closure, HUMAN_REVIEW, Measure, Signal, Standing,
};
pub use loosening::{BOUNDS, Loosening, LooseningState, RuleChange};
pub use message::{Withheld, withheld, withheld_text};
pub(crate) use otp::is_sandbox;
pub use otp::{classify_otp, well_known};
pub use record::{
    ATTESTATION, ATTESTATION_VERSION, Attestation, Blocked, BlockedKind, PaceCheck, PolicyWrite,
    needs_attestation,
};
pub use rules::{CannotLift, Rules};
pub use signals::{FAILED_KEYS, RecentNumber, SHARED, Seen, WITHHELD, of_orders};
pub use smm::classify_smm;

/// Version of the compiled-in lists and rules, stored with every decision. Raised whenever the
/// same input could get another answer.
pub const RULE_VERSION: u32 = 4;
