//! Everything one decision changes. The store writes all of it or none.

use crate::access::{Account, ApiKey, KeyClaim};
use crate::activation::Activation;
use crate::api_log::LogWrite;
use crate::attempt::{Attempt, AttemptEnd};
use crate::audit_log::AuditWrite;
use crate::balance::BalanceReading;
use crate::desk::DeskWrite;
use crate::ids::{AccountId, KeyId, OrderId};
use crate::ledger::Entry;
use crate::orphan::Orphan;
use crate::own_number::PoolWrite;
use crate::people::PeopleWrite;
use crate::policy::PolicyWrite;
use crate::policy::velocity::Exceeded;
use crate::redeem::{CodeSource, RedeemWrite};
use crate::smm_order::{Observation, SmmOrder};
use crate::smm_request::SmmRequest;
use crate::ticket::Ticket;
use crate::time::Timestamp;
use crate::top_up::TopUpWrite;
use crate::upstream::Sms;
use crate::usd::Usd;

/// Why a hold was resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Delivered, wholly or in part.
    Delivered,
    /// Nothing was bought.
    NotBought,
    /// Cancelled on the client's request.
    Cancelled,
    /// The lifetime ended without a code.
    Expired,
    /// The upstream closed it by itself.
    ClosedUpstream,
    /// Bought after the client had been told "failed", and undone.
    Undone,
    /// The message that came is none that may be sold.
    Withheld,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 7] = [
        Self::Delivered,
        Self::NotBought,
        Self::Cancelled,
        Self::Expired,
        Self::ClosedUpstream,
        Self::Undone,
        Self::Withheld,
    ];

    /// Reads a row's word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.slug() == slug)
    }

    /// Stable word for rows.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::NotBought => "not_bought",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::ClosedUpstream => "closed_upstream",
            Self::Undone => "undone",
            Self::Withheld => "withheld",
        }
    }
}

/// One thing to write. Guards are named with each; a guard that fails refuses the whole change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// A new activation.
    InsertActivation(Box<Activation>),
    /// An activation moves on. Guard: the stored version is the one it was read with.
    UpdateActivation(Box<Activation>),
    /// A new SMM order. Guard: no open order for the same service and link.
    InsertSmmOrder(Box<SmmOrder>),
    /// An SMM order moves on. Guard: as for activations.
    UpdateSmmOrder(Box<SmmOrder>),
    /// An SMM order is looked at again later; nothing else changes, so no guard.
    PostponeSmmOrder {
        /// Order.
        order: OrderId,
        /// When.
        due_at: Timestamp,
    },
    /// A client asks for a cancel or a refill. Guard: none of the kind is open for the order.
    InsertSmmRequest(Box<SmmRequest>),
    /// A client's request moves on. Guard: the stored version.
    UpdateSmmRequest(Box<SmmRequest>),
    /// A panel's service gets its public id, or, without panel, an id is kept from being given.
    /// Guards: neither has one.
    NumberSmmService {
        /// Public id.
        id: String,
        /// Panel; empty where there is none.
        upstream: String,
        /// The panel's service id; empty where there is none.
        service: String,
    },
    /// A purchase call is about to leave.
    BeginAttempt(Attempt),
    /// A purchase call's outcome.
    EndAttempt(AttemptEnd),
    /// An upstream id belongs to an order, or to nobody. Guard: it is not linked yet.
    Link {
        /// Upstream.
        upstream: String,
        /// Its id.
        upstream_id: String,
        /// The order, or nothing for an orphan.
        order: Option<OrderId>,
    },
    /// A message of an activation.
    Message {
        /// Activation.
        order: OrderId,
        /// 1 for the first.
        seq: i64,
        /// The message.
        sms: Sms,
        /// When it was first seen.
        received_at: Timestamp,
    },
    /// What a panel said of an SMM order.
    Observe(Observation),
    /// Money is set aside. Guard: available >= amount.
    Hold {
        /// Customer.
        account: AccountId,
        /// Order.
        order: OrderId,
        /// Amount.
        amount: Usd,
    },
    /// A hold is made to fit the price of the route that is tried next. Guards: not resolved yet,
    /// available >= what is added.
    Rehold {
        /// Customer.
        account: AccountId,
        /// Order.
        order: OrderId,
        /// Number of the attempt it is for.
        seq: i64,
        /// The hold so far.
        from: Usd,
        /// The hold from now on.
        to: Usd,
    },
    /// The one outcome of a hold: `posted` is taken, the rest goes back. Guard: not resolved yet.
    Resolve {
        /// Customer.
        account: AccountId,
        /// Order.
        order: OrderId,
        /// The hold.
        held: Usd,
        /// 0..=held.
        posted: Usd,
        /// Why.
        reason: Reason,
    },
    /// More is returned after the resolution. Guard: the sum stays within the hold.
    Adjust {
        /// Customer.
        account: AccountId,
        /// Order.
        order: OrderId,
        /// 1 for the first.
        seq: i64,
        /// What goes back now.
        amount: Usd,
        /// Number of the observation it rests on; nothing where a person decided.
        observation: Option<i64>,
    },
    /// An entry of the house's own books.
    Book(Entry),
    /// The operator puts money into a wallet.
    Credit {
        /// Customer.
        account: AccountId,
        /// Row.
        row: i64,
        /// Amount, above zero.
        amount: Usd,
        /// Why, in the operator's words.
        note: String,
    },
    /// The operator takes money out of a wallet. Guard: available >= amount.
    Debit {
        /// Customer.
        account: AccountId,
        /// Row.
        row: i64,
        /// Amount, above zero.
        amount: Usd,
        /// Why, in the operator's words.
        note: String,
    },
    /// A redeem code is turned into money. Guard: it is there as named here, not redeemed, not
    /// disabled and not expired.
    Redeem {
        /// Customer.
        account: AccountId,
        /// The code's row.
        code: i64,
        /// What it is worth.
        amount: Usd,
        /// Where its money comes from.
        source: CodeSource,
    },
    /// About a top-up: see [`TopUpWrite`].
    TopUp(TopUpWrite),
    /// Lines of the log of API requests: see [`LogWrite`].
    ApiLog(LogWrite),
    /// A redeem code is made or switched off: see [`RedeemWrite`].
    RedeemCode(RedeemWrite),
    /// An idempotency key is taken. Guard: it is free (or its row has expired).
    Claim(KeyClaim),
    /// An orphan is found.
    InsertOrphan(Box<Orphan>),
    /// An orphan moves on. Guard: the stored version.
    UpdateOrphan(Box<Orphan>),
    /// All that an upstream listed at this moment belonged to an order or an orphan.
    KnowList {
        /// Upstream that something was bought at before.
        upstream: String,
        /// When its list was asked for.
        asked_at: Timestamp,
    },
    /// An upstream's balance was read. Guard: its number is the next one of that upstream.
    ReadBalance(Box<BalanceReading>),
    /// Something for a person to look at. One of this kind and reference that is there already stays
    /// as it is, unless that says otherwise: see [`Ticket::in_place_of`].
    OpenTicket(Box<Ticket>),
    /// A person has looked. Guard: it is open.
    CloseTicket {
        /// Ticket.
        ticket: i64,
        /// What was found.
        note: String,
    },
    /// A new account with an empty wallet. Guard: the e-mail is free.
    InsertAccount(Box<Account>),
    /// An account's flags change.
    UpdateAccount(Box<Account>),
    /// Somebody who signs in: rows of their own, see [`PeopleWrite`].
    People(PeopleWrite),
    /// A new API key.
    InsertKey(Box<ApiKey>),
    /// What may change of a key: name, scopes, limits, addresses, end. Guard: it is there.
    UpdateKey(Box<ApiKey>),
    /// A key is revoked.
    RevokeKey {
        /// Whose.
        account: AccountId,
        /// Key.
        key: KeyId,
    },
    /// A pool of the operator's own numbers. Guards: see there; what they refuse is `Stale`.
    Pool(PoolWrite),
    /// What the policy engine asks or remembers. Guards: see there.
    Policy(PolicyWrite),
    /// What the console writes of its own: see [`DeskWrite`].
    Desk(DeskWrite),
    /// A line of the audit log, or a checkpoint of it: see [`AuditWrite`].
    Audit(AuditWrite),
}

/// A named list of writes: all or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Shows up in metrics and logs.
    pub name: &'static str,
    /// When it was decided.
    pub at: Timestamp,
    /// What to write, in order.
    pub writes: Vec<Write>,
}

impl Change {
    /// A change of these writes.
    pub fn new(name: &'static str, at: Timestamp, writes: Vec<Write>) -> Self {
        Self { name, at, writes }
    }

    /// Whether any of it is an entry in the books.
    pub fn moves_money(&self) -> bool {
        self.writes.iter().any(|write| {
            matches!(
                write,
                Write::Hold { .. }
                    | Write::Resolve { .. }
                    | Write::Adjust { .. }
                    | Write::Book(_)
                    | Write::Credit { .. }
                    | Write::Debit { .. }
                    | Write::Redeem { .. }
            ) || matches!(write, Write::TopUp(about) if about.moves_money())
        })
    }

    /// This change with one more write.
    pub fn with(mut self, write: Option<Write>) -> Self {
        self.writes.extend(write);
        self
    }
}

/// Why a change was refused. Nothing of it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Available balance below the hold.
    InsufficientFunds,
    /// An earlier top-up was returned and is owed: nothing is set aside before it is paid.
    InDebt,
    /// The idempotency key is taken.
    KeyTaken,
    /// The row has moved since it was read, or the hold is resolved already.
    Stale,
    /// The upstream id is linked already.
    UpstreamIdTaken,
    /// The number is shown to another account while that activation lives.
    NumberTaken,
    /// An order for the same service and link is open.
    DuplicateOpenLink,
    /// A request of this kind is open for the order.
    RequestOpen,
    /// The e-mail belongs to another account.
    EmailTaken,
    /// The account is not there.
    NoSuchAccount,
    /// The account would pass one of its bounds.
    TooFast(Exceeded),
    /// With this top-up the account would pass its bound of a day; what is left of it.
    OverDaily(Usd),
    /// As many files of transfers as are kept of one account are there already.
    TooManyProofs,
    /// The account has not said what it uses the service for.
    NotAttested,
    /// As many keys as the account may have work already.
    TooManyKeys,
    /// The target of an SMM order is not to be used.
    TargetBlocked,
    /// Nobody would be left at the console who may do everything.
    LastOwner,
}

/// Why a commit gave no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommitError {
    /// A guard refused it: nothing was written.
    Refused(Refused),
    /// The storage failed: what was written is not known; re-read before doing anything.
    Storage(String),
}
