//! What the policy engine remembers: who has said what the service is used for, and whom nobody may
//! use it on.

use super::abuse::{AbuseCase, Held, LegalHold};
use super::ladder::AccountCase;
use super::loosening::RuleChange;
use super::velocity::{Ordered, Velocity};
use crate::ids::{AccountId, OrderId};
use crate::time::Timestamp;

/// Version of the statement an account holder agrees to. A new one asks everybody anew.
pub const ATTESTATION_VERSION: u32 = 1;

/// What an account holder agrees to.
pub const ATTESTATION: &str = "I use numbers and orders only for accounts, applications and pages \
    that are mine or that I am authorised to test or promote, and for nothing that is unlawful where \
    I or the people concerned are.";

/// Tiers that must have stated their purpose: the lowest buys nothing that needs one, and the highest
/// has a contract.
pub fn needs_attestation(tier: u8) -> bool {
    matches!(tier, 1 | 2)
}

/// An account holder has said what the service is used for, and agreed to [`ATTESTATION`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attestation {
    /// Row.
    pub id: i64,
    /// Whose.
    pub account: AccountId,
    /// [`ATTESTATION_VERSION`] at the time.
    pub version: u32,
    /// What it is used for, in the holder's words.
    pub purpose: String,
    /// When.
    pub at: Timestamp,
}

/// What is not to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockedKind {
    /// A phone number, as its digits.
    Number,
    /// The target of SMM orders, spelt as duplicates are compared.
    Target,
}

impl BlockedKind {
    /// Stable word for rows and the command line.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Target => "target",
        }
    }

    /// Reads a row's word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        [Self::Number, Self::Target]
            .into_iter()
            .find(|kind| kind.slug() == slug)
    }
}

/// Somebody does not want a number or a target to be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocked {
    /// Row.
    pub id: i64,
    /// What it is.
    pub kind: BlockedKind,
    /// Which.
    pub value: String,
    /// Who asked for it, and why.
    pub why: String,
    /// Since when.
    pub at: Timestamp,
}

/// A write of the policy engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyWrite {
    /// Nothing is written; the rest of the change stands only if the account keeps its pace. Guards:
    /// [`keeps_pace`](super::velocity::keeps_pace), and an attestation where one is needed.
    KeepPace(Box<PaceCheck>),
    /// Nothing is written; the rest of the change stands only if fewer keys than this work.
    RoomForKey {
        /// Whose.
        account: AccountId,
        /// Keys at most.
        most: u32,
    },
    /// An attestation. Guard: the account is there.
    Attest(Box<Attestation>),
    /// From now on it is not to be used. One that is blocked already stays as it is.
    Block(Box<Blocked>),
    /// It may be used again. Guard: it is blocked.
    Unblock {
        /// What it is.
        kind: BlockedKind,
        /// Which.
        value: String,
        /// When.
        at: Timestamp,
    },
    /// Somebody reported something.
    OpenCase(Box<AbuseCase>),
    /// A case is closed, and the holds that keep its evidence end. Guard: it is open.
    CloseCase {
        /// Row.
        case: i64,
        /// What came of it.
        note: String,
    },
    /// A signal raises a case against an account. One of the same signal that is open is raised again:
    /// [`AccountCase::raised_again`].
    RaiseCase(Box<AccountCase>),
    /// A case against an account moves on. Guard: the stored version is the one it was read with.
    MoveCase(Box<AccountCase>),
    /// Somebody wants rules loosened. Guard: nobody has asked for the same without an answer.
    AskLoosening(Box<RuleChange>),
    /// It is granted, refused or ended. Guard: it was asked for, or in force where it is ended.
    DecideLoosening(Box<RuleChange>),
    /// A person lets an account go on: its open cases hold nothing any longer, no closure is proposed, and
    /// they stay open. Guard: no two persons have closed the account.
    EaseCases(AccountId),
    /// From now on no retention touches it. Each hold stands by itself beside others on the same; the same
    /// one again stays as it is.
    Hold(Box<LegalHold>),
    /// What operators hold it for is over; holds of reports stay. Guard: an operator holds it.
    Release(Held),
    /// Sales were denied: how many more, by class.
    CountDenials(Vec<(String, u64)>),
    /// From now on these orders have their numbers' hashes instead of their numbers, and not what their
    /// upstreams wrote; but for those under legal hold.
    ForgetNumbers(Vec<(OrderId, String)>),
    /// Of what ended before this nobody needs any longer: what upstreams wrote about purchases, mails, sessions,
    /// senders of messages to own numbers, and how to reach who reported what is closed. Of answers and mails
    /// so many at once; legal holds keep theirs.
    ForgetBefore(Timestamp),
    /// An account's holder wants to be forgotten: purposes, sessions and mails of theirs go. Guard: there is
    /// no [`NotYet`](super::NotYet).
    ForgetAccount(AccountId),
}

/// What is asked of an account before an order is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaceCheck {
    /// Whose order.
    pub account: AccountId,
    /// Its bounds.
    pub velocity: Velocity,
    /// What is ordered.
    pub ordered: Ordered,
    /// Version of the attestation that must be on file.
    pub attestation: Option<u32>,
}
