//! What the console writes of its own: requests that money be moved, notes, announcements.

use crate::ids::{AccountId, PersonId};
use crate::time::Timestamp;
use crate::usd::Usd;

/// How far a request that money be moved has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoneyState {
    /// Waits for a second person.
    Open,
    /// The money has moved.
    Granted,
    /// It will not.
    Refused,
}

impl MoneyState {
    /// Stable word.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Granted => "granted",
            Self::Refused => "refused",
        }
    }

    /// Reads a row's word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        [Self::Open, Self::Granted, Self::Refused]
            .into_iter()
            .find(|state| state.slug() == slug)
    }
}

/// Somebody of the staff wants money put into a wallet, or taken out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoneyRequest {
    /// Row; also of the credit or debit that follows.
    pub id: i64,
    /// Made with the form: sent twice, it is one request.
    pub once: String,
    /// Whose wallet.
    pub account: AccountId,
    /// Above zero into the wallet, below zero out of it.
    pub amount: Usd,
    /// Why.
    pub reason: String,
    /// Who asked.
    pub asked_by: PersonId,
    /// When.
    pub asked_at: Timestamp,
    /// How far it has come.
    pub state: MoneyState,
    /// Who decided; whoever asked, where nobody else had to.
    pub decided_by: Option<PersonId>,
    /// When.
    pub decided_at: Option<Timestamp>,
}

impl MoneyRequest {
    /// Whether somebody may decide on it: a second person.
    pub fn is_for(&self, person: PersonId) -> bool {
        self.state == MoneyState::Open && self.asked_by != person
    }
}

/// Something that staff should know of an account; customers never see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountNote {
    /// Row.
    pub id: i64,
    /// Whose account.
    pub account: AccountId,
    /// Who wrote it.
    pub by: PersonId,
    /// The note.
    pub text: String,
    /// When.
    pub at: Timestamp,
}

/// Something that all customers are told on their pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Row.
    pub id: i64,
    /// What they read: plain text.
    pub text: String,
    /// Who wrote it.
    pub by: PersonId,
    /// Since when it shows.
    pub from: Timestamp,
    /// Until when.
    pub until: Option<Timestamp>,
}

/// The operator wants nothing bought at an upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Upstream.
    pub upstream: String,
    /// Who said so: an [`Actor`](crate::audit_log::Actor) in words.
    pub actor: String,
    /// Why.
    pub why: String,
    /// Since when.
    pub since: Timestamp,
}

/// One thing that the console writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeskWrite {
    /// A request. Guards: none was made with its form; the account is there.
    Ask(Box<MoneyRequest>),
    /// A request is decided on. Guard: it is open.
    Decide(Box<MoneyRequest>),
    /// A note. Guard: the account is there.
    Note(Box<AccountNote>),
    /// An announcement.
    Announce(Box<Announcement>),
    /// An announcement shows no longer. Guard: it shows, or will.
    EndAnnouncement {
        /// Row.
        id: i64,
        /// From when.
        at: Timestamp,
    },
    /// Nothing more is bought at an upstream. Guard: it is not paused.
    Pause(Box<Pause>),
    /// It is bought from again. Guard: it is paused.
    Resume {
        /// Upstream.
        upstream: String,
        /// Why.
        why: String,
    },
}

/// Which kind of order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sold {
    /// An activation.
    Number,
    /// An SMM order.
    Smm,
}

/// An order in a list over all accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrderLine {
    /// Order.
    pub id: i64,
    /// Its kind.
    pub sold: Sold,
    /// Whose.
    pub account: AccountId,
    /// What was bought; hostile text.
    pub service: String,
    /// Number or link; hostile text.
    pub target: String,
    /// Word of its state.
    pub state: String,
    /// Price.
    pub price: Usd,
    /// Upstream of its newest attempt.
    pub upstream: String,
    /// Creation.
    pub at: Timestamp,
}

/// Which orders are asked for; members left out match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OrdersOf {
    /// Only of this account.
    pub account: Option<AccountId>,
    /// Only this id, number, target or id at the upstream.
    pub text: Option<String>,
    /// Only in this state.
    pub state: Option<String>,
    /// Only at this upstream.
    pub upstream: Option<String>,
    /// Only with a smaller id.
    pub before: Option<i64>,
    /// Orders at most, newest first.
    pub limit: u32,
}

/// What a report has a line for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportBy {
    /// A day, UTC.
    Day,
    /// A server; `smm` for SMM orders.
    Server,
    /// A service.
    Service,
    /// An account.
    Account,
    /// An upstream.
    Upstream,
}

impl ReportBy {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Day,
        Self::Server,
        Self::Service,
        Self::Account,
        Self::Upstream,
    ];

    /// Word in addresses.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Server => "server",
            Self::Service => "service",
            Self::Account => "account",
            Self::Upstream => "upstream",
        }
    }

    /// Reads a word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|by| by.slug() == slug)
    }
}

/// One line of a report: what the journal tells of orders in a span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReportLine {
    /// Day (days since 1970-01-01), server, service, account or upstream.
    pub key: String,
    /// Orders that were settled.
    pub orders: u64,
    /// Of them, paid for at least in part.
    pub paid: u64,
    /// What customers paid, after corrections.
    pub revenue: Usd,
    /// What upstreams took, variance to their quotes included.
    pub cost: Usd,
    /// What customers were given back.
    pub refunds: Usd,
}

impl ReportLine {
    /// What stays.
    pub fn margin(&self) -> Usd {
        Usd(self.revenue.0 - self.cost.0)
    }
}

/// A journal event with its legs, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEvent {
    /// Row.
    pub id: i64,
    /// Word of its kind.
    pub kind: String,
    /// What caused it: an order or a row, by kind.
    pub reference: i64,
    /// Number among equal causes.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// The customer it touches.
    pub account: Option<AccountId>,
    /// Book, upstream where it has one, amount.
    pub legs: Vec<(String, Option<String>, Usd)>,
}

/// Which events are asked for; members left out match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventsOf {
    /// Only of this customer.
    pub account: Option<AccountId>,
    /// Only of this kind.
    pub kind: Option<String>,
    /// Only about this order or row.
    pub reference: Option<i64>,
    /// Only at or after this.
    pub since: Option<Timestamp>,
    /// Only before this.
    pub until: Option<Timestamp>,
    /// Only with a smaller row.
    pub before: Option<i64>,
    /// Events at most, newest first.
    pub limit: u32,
}

/// A book of the house with what stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BookTotal {
    /// Word of the book; those of customers are summed up.
    pub book: String,
    /// Upstream, where it has one.
    pub upstream: Option<String>,
    /// Sum of its legs.
    pub total: Usd,
}
