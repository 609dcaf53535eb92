//! What the engine needs from outside: a store, a clock, a place to run tasks. Trait objects, so
//! that the engine is compiled once and a simulation can stand in for all of them.

mod catalogue;
mod machine;
mod pages;
mod panels;
mod policy;

pub use catalogue::{CatalogueArchive, ChangesOf, NotedChange};
pub use machine::{Clock, Tasks};
pub use pages::{Movement, OpenHold, OrderMoney, PageRows, Spent, StoredMessage};
pub use panels::AtPanels;
pub use policy::PolicyRows;

use crate::access::{Account, ApiKey, Caller, KeyClaim};
use crate::activation::Activation;
use crate::api_log::{CallLine, CallsOf, KeyUse};
use crate::attempt::Attempt;
use crate::audit_log::{Checkpoint, Hash, Line, LinesOf, Verified, Witness};
use crate::balance::{Position, Suspects};
use crate::books::HouseLeg;
use crate::change::{Change, CommitError, Reason};
use crate::desk::{
    AccountNote, Announcement, BookTotal, EventsOf, InForce, JournalEvent, MoneyRequest, OrderLine,
    OrdersOf, ReportBy, ReportLine,
};
use crate::ids::{AccountId, KeyId, OrderId, PersonId};
use crate::ledger::Wallet;
use crate::orphan::Orphan;
use crate::own_number::{Allocation, InboundSms, OwnNumber};
use crate::people::{LowBalance, Mail, MailToken, Person, Session};
use crate::redeem::RedeemCode;
use crate::smm_order::SmmOrder;
use crate::smm_request::SmmRequest;
use crate::ticket::{Ticket, TicketKind};
use crate::time::{Millis, Timestamp};
use crate::top_up::{
    Clearing, Dispute, Processor, ProcessorMovement, Proof, Proposal, Reconciliation, Refund,
    Reversal, TopUp, TopUpEvent, TopUpsOf,
};
use crate::upstream::Pending;
use crate::usd::Usd;

/// The store could not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreError(pub String);

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StoreError {}

/// An activation that ended, why, and when.
pub type EndedActivation = (Activation, Reason, Timestamp);

/// A read on its way.
pub type Read<'a, T> = Pending<'a, Result<T, StoreError>>;

/// Which page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Rows at most, 1 to 100.
    pub limit: u32,
    /// Only orders with a smaller id than this (newest first).
    pub before: Option<OrderId>,
    /// Only orders created at or after this.
    pub since: Option<Timestamp>,
    /// Only orders in one of these states (row words); empty means all.
    pub states: Vec<&'static str>,
    /// Only SMM orders showing one of these public words; empty means all.
    pub progress: Vec<&'static str>,
}

/// A violated invariant, named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Number in the money-safety page, such as `I-04`.
    pub rule: &'static str,
    /// What is wrong, with ids and amounts.
    pub detail: String,
}

/// Result of re-deriving the books from the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// Accounts looked at.
    pub accounts: u64,
    /// Journal entries (events, not legs) looked at.
    pub entries: u64,
    /// Holds not resolved yet.
    pub open_holds: u64,
    /// What is wrong; empty when all is well.
    pub violations: Vec<Violation>,
}

/// What is remembered. `commit` is the only way to write.
pub trait Store: Send + Sync {
    /// Writes all of a change or none; answers after it is durable.
    fn commit(&self, change: Change) -> Pending<'_, Result<(), CommitError>>;

    /// A fresh order id; ids may be skipped.
    fn next_order_id(&self) -> OrderId;
    /// A fresh id for any other row (accounts, keys, credits, orphans); ids may be skipped.
    fn next_row_id(&self) -> i64;

    /// What people decided that every purchase has to know: pauses and measures against accounts.
    fn in_force(&self) -> Read<'_, InForce> {
        Box::pin(std::future::ready(Ok(InForce::default())))
    }

    /// Rises when keys, accounts or what is in force may have changed through another process: what was read of
    /// them before is to be read again.
    fn access_version(&self) -> u64 {
        0
    }

    /// The key with this public part and its account.
    fn caller<'a>(&'a self, public_id: &'a str) -> Read<'a, Option<Caller>>;
    /// One account.
    fn account(&self, id: AccountId) -> Read<'_, Option<Account>>;
    /// All accounts, by id.
    fn accounts(&self) -> Read<'_, Vec<Account>>;
    /// All keys of an account, by id.
    fn keys(&self, account: AccountId) -> Read<'_, Vec<ApiKey>>;
    /// One key.
    fn key(&self, id: KeyId) -> Read<'_, Option<ApiKey>>;
    /// A customer's money.
    fn wallet(&self, account: AccountId) -> Read<'_, Option<Wallet>>;
    /// An idempotency key that has not expired at `now`.
    fn claim<'a>(
        &'a self,
        account: AccountId,
        endpoint: &'a str,
        key: &'a str,
        now: Timestamp,
    ) -> Read<'a, Option<KeyClaim>>;

    /// One activation, whoever's it is.
    fn activation(&self, id: OrderId) -> Read<'_, Option<Activation>>;
    /// A page of an account's activations that their client may know of, newest first.
    fn activations<'a>(&'a self, account: AccountId, page: &'a Page) -> Read<'a, Vec<Activation>>;
    /// Activations whose background step is due, the longest due first.
    fn activations_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<Activation>>;

    /// Upstreams at which background steps of activations or orphans are due, by name.
    fn upstreams_due(&self, now: Timestamp) -> Read<'_, Vec<String>>;
    /// Due activations of one upstream, claimed for this node: no other one is given them for a
    /// while, unless this one writes them before. Where one process has the store, it is alone.
    fn claim_activations<'a>(
        &'a self,
        upstream: &'a str,
        now: Timestamp,
        limit: u32,
    ) -> Read<'a, Vec<Activation>>;
    /// Activations linked at an upstream that may still receive something: active, cancel asked,
    /// or received and not over.
    fn activations_live<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<Activation>>;
    /// In-doubt activations at an upstream, oldest first.
    fn activations_in_doubt<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<Activation>>;
    /// The latest activations that ended (received or cancelled after a number was shown), newest
    /// first: what success rates are measured from.
    fn activations_ended(&self, limit: u32) -> Read<'_, Vec<EndedActivation>>;

    /// One SMM order, whoever's it is.
    fn smm_order(&self, id: OrderId) -> Read<'_, Option<SmmOrder>>;
    /// A page of an account's SMM orders that their client may know of, newest first.
    fn smm_orders<'a>(&'a self, account: AccountId, page: &'a Page) -> Read<'a, Vec<SmmOrder>>;
    /// SMM orders whose background step is due, the longest due first.
    fn smm_orders_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<SmmOrder>>;
    /// The same at some panels, claimed for this node: no other one is given them for a while, unless
    /// this one writes them before. Where one process has the store, it is alone.
    fn claim_smm_orders<'a>(
        &'a self,
        at: &'a AtPanels,
        now: Timestamp,
        limit: u32,
    ) -> Read<'a, Vec<SmmOrder>>;
    /// In-doubt SMM orders at an upstream, oldest first.
    fn smm_orders_in_doubt<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<SmmOrder>>;

    /// One request for an SMM order.
    fn smm_request(&self, id: i64) -> Read<'_, Option<SmmRequest>>;
    /// All requests for an SMM order, newest first.
    fn smm_requests(&self, order: OrderId) -> Read<'_, Vec<SmmRequest>>;
    /// Requests whose background step is due, the longest due first.
    fn smm_requests_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<SmmRequest>>;
    /// The same at some panels, claimed as SMM orders are.
    fn claim_smm_requests<'a>(
        &'a self,
        at: &'a AtPanels,
        now: Timestamp,
        limit: u32,
    ) -> Read<'a, Vec<SmmRequest>>;

    /// Public ids of panels' services: id, panel, the panel's service id.
    fn smm_service_ids(&self) -> Read<'_, Vec<(String, String, String)>>;

    /// All attempts of an order, first one first.
    fn attempts(&self, order: OrderId) -> Read<'_, Vec<Attempt>>;
    /// Of these upstream ids, the ones that are linked to an order or an orphan.
    fn linked<'a>(&'a self, upstream: &'a str, ids: &'a [String]) -> Read<'a, Vec<String>>;
    /// The order that an upstream id is linked to, if it is linked to one.
    fn linked_order<'a>(&'a self, upstream: &'a str, id: &'a str) -> Read<'a, Option<OrderId>>;
    /// When the oldest purchase call to an upstream left, if there was one.
    fn first_attempt_at<'a>(&'a self, upstream: &'a str) -> Read<'a, Option<Timestamp>>;
    /// When an upstream was asked for a list, after something was bought there, on which everything
    /// belonged to an order or an orphan; the last such moment that was noted.
    fn list_known_at<'a>(&'a self, upstream: &'a str) -> Read<'a, Option<Timestamp>>;
    /// Orphans whose background step is due.
    fn orphans_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<Orphan>>;

    /// The same at one upstream, claimed as activations are.
    fn claim_orphans<'a>(
        &'a self,
        upstream: &'a str,
        now: Timestamp,
        limit: u32,
    ) -> Read<'a, Vec<Orphan>>;

    /// Whether it is this node's turn to do what one of all nodes does now and then, this long after
    /// the last one did.
    fn take_turn<'a>(&'a self, name: &'a str, pause: Millis) -> Read<'a, bool> {
        let _alone = (name, pause);
        Box::pin(std::future::ready(Ok(true)))
    }

    /// What the books say of our money at an upstream, in one snapshot.
    fn position<'a>(&'a self, upstream: &'a str) -> Read<'a, Position>;
    /// What may stand behind a difference that arose after `since`.
    fn suspects<'a>(&'a self, upstream: &'a str, since: Timestamp) -> Read<'a, Suspects>;
    /// When a balance there was last read before `at`, if that reading left no difference.
    fn settled_before<'a>(
        &'a self,
        upstream: &'a str,
        at: Timestamp,
    ) -> Read<'a, Option<Timestamp>>;
    /// Every event that moved money at an upstream from `from` until before `until`, each with its
    /// legs, in order.
    fn house_events(&self, from: Timestamp, until: Timestamp) -> Read<'_, Vec<Vec<HouseLeg>>>;
    /// Tickets, newest first; only the open ones, or the newest of all.
    fn tickets(&self, open_only: bool, limit: u32) -> Read<'_, Vec<Ticket>>;
    /// All open tickets of a kind, newest first.
    fn open_tickets(&self, kind: TicketKind) -> Read<'_, Vec<Ticket>>;

    /// Re-derives every balance and invariant from the journal; online, on a snapshot.
    fn audit(&self, now: Timestamp) -> Read<'_, Audit>;
    /// Whether money requests can be taken: false after a storage error until a clean reopen.
    fn healthy(&self) -> bool;
}

/// What is remembered of people who sign in. Written through [`Store::commit`] as all else.
pub trait PeopleRows: Send + Sync {
    /// One person.
    fn person(&self, id: PersonId) -> Read<'_, Option<Person>>;
    /// The customer, or the member of staff, with this e-mail.
    fn person_by_email<'a>(&'a self, email: &'a str, staff: bool) -> Read<'a, Option<Person>>;
    /// The person who signs in for an account.
    fn person_of(&self, account: AccountId) -> Read<'_, Option<Person>>;
    /// All members of staff, by id.
    fn staff(&self) -> Read<'_, Vec<Person>>;
    /// The session with this hash of its token, and whose it is.
    fn session<'a>(&'a self, hash: &'a [u8; 32]) -> Read<'a, Option<(Session, Person)>>;
    /// All sessions of a person, the last used first.
    fn sessions(&self, person: PersonId) -> Read<'_, Vec<Session>>;
    /// The token with this hash.
    fn mail_token<'a>(&'a self, hash: &'a [u8; 32]) -> Read<'a, Option<MailToken>>;
    /// Recovery codes that are left: number and hash in PHC form.
    fn recovery_codes(&self, person: PersonId) -> Read<'_, Vec<(i64, String)>>;
    /// Mails to send now, the longest due first.
    fn mails_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<Mail>>;
    /// The newest mails, newest first.
    fn mails(&self, limit: u32) -> Read<'_, Vec<Mail>>;
    /// How an account's balance is watched, if it is.
    fn low_balance(&self, account: AccountId) -> Read<'_, Option<LowBalance>>;
    /// Watched balances that are on the other side of their threshold than when last seen, and what
    /// is available.
    fn balances_crossed(&self, limit: u32) -> Read<'_, Vec<(LowBalance, Usd)>>;
}

/// What is remembered of the operator's own numbers; written through [`Store::commit`].
pub trait PoolRows: Send + Sync {
    /// All numbers of an upstream's pool, retired ones included, by number.
    fn own_numbers<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<OwnNumber>>;
    /// One allocation of an upstream's pool.
    fn allocation<'a>(&'a self, upstream: &'a str, id: i64) -> Read<'a, Option<Allocation>>;
    /// The allocation that a purchase made.
    fn allocation_of<'a>(
        &'a self,
        upstream: &'a str,
        reference: &'a str,
    ) -> Read<'a, Option<Allocation>>;
    /// Allocations that live, oldest first.
    fn allocations_open<'a>(&'a self, upstream: &'a str) -> Read<'a, Vec<Allocation>>;
    /// The latest messages that were nobody's, newest first.
    fn unmatched_sms(&self, limit: u32) -> Read<'_, Vec<InboundSms>>;
}

/// What is remembered of redeem codes; written through [`Store::commit`].
pub trait RedeemRows: Send + Sync {
    /// The code with this hash.
    fn redeem_code<'a>(&'a self, hash: &'a [u8; 32]) -> Read<'a, Option<RedeemCode>>;
    /// The newest codes, newest first.
    fn redeem_codes(&self, limit: u32) -> Read<'_, Vec<RedeemCode>>;
    /// The newest codes that an account redeemed, newest first.
    fn redeemed_by(&self, account: AccountId, limit: u32) -> Read<'_, Vec<RedeemCode>>;
}

/// What is remembered of who did what; written through [`Store::commit`].
pub trait AuditRows: Send + Sync {
    /// Lines, newest first.
    fn audit_lines<'a>(&'a self, wanted: &'a LinesOf) -> Read<'a, Vec<Line>>;
    /// How many lines there are, and the root of the tree over them as it is stored.
    fn audit_head(&self) -> Read<'_, (u64, Hash)>;
    /// Hashes of lines: from after this many, so many at most.
    fn audit_hashes(&self, after: u64, limit: u32) -> Read<'_, Vec<Hash>>;
    /// The newest checkpoint.
    fn audit_checkpoint(&self) -> Read<'_, Option<Checkpoint>>;
    /// Looks at every line and chain, and compares them with the checkpoints here and with what was
    /// kept outside.
    fn verify_audit_log(&self, kept: Vec<Witness>) -> Read<'_, Verified>;
}

/// Whose an account is among staff.
pub trait OwnAccounts: Send + Sync {
    /// Whether a member of staff has this account as a customer, under the same e-mail.
    fn is_own(&self, staff: PersonId, account: AccountId) -> Read<'_, bool>;
}

/// What only the console asks for, over all accounts; written through [`Store::commit`].
pub trait DeskRows: OwnAccounts {
    /// Tickets about an order, open or not, newest first.
    fn tickets_of(&self, order: OrderId) -> Read<'_, Vec<Ticket>>;
    /// Accounts with this id, part of an e-mail, public part of a key, or order; all of them where
    /// nothing is named. Newest first.
    fn accounts_like<'a>(&'a self, text: &'a str, limit: u32) -> Read<'a, Vec<(Account, Wallet)>>;
    /// Orders of either kind, newest first.
    fn orders_like<'a>(&'a self, wanted: &'a OrdersOf) -> Read<'a, Vec<OrderLine>>;
    /// What the journal tells of orders from `from` until before `until`, the best revenue first, or
    /// by day.
    fn report(
        &self,
        by: ReportBy,
        span: (Timestamp, Timestamp),
        limit: u32,
    ) -> Read<'_, Vec<ReportLine>>;
    /// Orders of both kinds that were begun from `from` until before `until`.
    fn orders_begun(&self, from: Timestamp, until: Timestamp) -> Read<'_, u64>;
    /// Events of the journal, newest first.
    fn events<'a>(&'a self, wanted: &'a EventsOf) -> Read<'a, Vec<JournalEvent>>;
    /// What stands in every book, from all legs ever written.
    fn book_totals(&self) -> Read<'_, Vec<BookTotal>>;
    /// One request for money.
    fn money_request(&self, id: i64) -> Read<'_, Option<MoneyRequest>>;
    /// The request that a form made.
    fn money_request_once<'a>(&'a self, once: &'a str) -> Read<'a, Option<MoneyRequest>>;
    /// Requests for money, newest first.
    fn money_requests(
        &self,
        account: Option<AccountId>,
        open_only: bool,
        limit: u32,
    ) -> Read<'_, Vec<MoneyRequest>>;
    /// Notes about an account, newest first.
    fn account_notes(&self, account: AccountId, limit: u32) -> Read<'_, Vec<AccountNote>>;
    /// Announcements, newest first; those that show at a time, or all.
    fn announcements(&self, at: Option<Timestamp>, limit: u32) -> Read<'_, Vec<Announcement>>;
}

/// What is remembered of top-ups; written through [`Store::commit`].
pub trait TopUpRows: OwnAccounts {
    /// One top-up.
    fn top_up(&self, id: i64) -> Read<'_, Option<TopUp>>;
    /// The top-up that a processor calls so: its session or invoice.
    fn top_up_opened<'a>(
        &'a self,
        processor: Processor,
        processor_ref: &'a str,
    ) -> Read<'a, Option<TopUp>>;
    /// The top-up whose payment a processor calls so.
    fn top_up_paid<'a>(
        &'a self,
        processor: Processor,
        payment_ref: &'a str,
    ) -> Read<'a, Option<TopUp>>;
    /// An account's newest top-ups, newest first.
    fn top_ups_of(&self, account: AccountId, limit: u32) -> Read<'_, Vec<TopUp>>;
    /// The newest top-ups that fit, newest first.
    fn top_ups<'a>(&'a self, wanted: &'a TopUpsOf) -> Read<'a, Vec<TopUp>>;
    /// Top-ups to look at now at their processors, the longest due first.
    fn top_ups_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<TopUp>>;
    /// Top-ups at a processor that were credited from `from` until before `until`, oldest first.
    fn top_ups_credited(
        &self,
        processor: Processor,
        from: Timestamp,
        until: Timestamp,
    ) -> Read<'_, Vec<TopUp>>;
    /// The event that a processor calls so.
    fn top_up_event<'a>(
        &'a self,
        processor: Processor,
        event_id: &'a str,
    ) -> Read<'a, Option<TopUpEvent>>;
    /// Events to try again now, the longest due first.
    fn top_up_events_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<TopUpEvent>>;
    /// The event in this row.
    fn top_up_event_row(&self, id: i64) -> Read<'_, Option<TopUpEvent>>;
    /// Events about a top-up, newest first.
    fn top_up_events_of(&self, top_up: i64, limit: u32) -> Read<'_, Vec<TopUpEvent>>;
    /// Events that are not settled or fit nothing, newest first.
    fn top_up_events_odd(&self, limit: u32) -> Read<'_, Vec<TopUpEvent>>;
    /// Parked events that name a top-up or its payment, oldest first.
    fn top_up_events_parked<'a>(&'a self, row: &'a TopUp, limit: u32) -> Read<'a, Vec<TopUpEvent>>;
    /// Disputes of a top-up.
    fn disputes(&self, top_up: i64) -> Read<'_, Vec<Dispute>>;
    /// Top-ups whose money can be spent from now on, the longest due first.
    fn top_ups_to_clear(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<TopUp>>;
    /// When the next of an account's money can be spent.
    fn next_clearing(&self, account: AccountId) -> Read<'_, Option<Timestamp>>;
    /// What of a top-up's money is in its wallet and cannot be spent yet.
    fn uncleared(&self, top_up: i64) -> Read<'_, Usd>;
    /// What moved of a top-up since it was credited, and when; the first first.
    fn reversals(&self, top_up: i64) -> Read<'_, Vec<(Reversal, Timestamp)>>;
    /// What a first person wants to credit to a top-up.
    fn proposal(&self, top_up: i64) -> Read<'_, Option<Proposal>>;
    /// What a customer showed of a transfer.
    fn proof(&self, top_up: i64) -> Read<'_, Option<Proof>>;
    /// The same without the file itself.
    fn proof_line(&self, top_up: i64) -> Read<'_, Option<Proof>>;
    /// Days that were compared with processors' lists, the newest first.
    fn reconciliations(&self, limit: u32) -> Read<'_, Vec<Reconciliation>>;
    /// What is booked of a processor's list and moved from `from` until before `until`.
    fn movements(
        &self,
        processor: Processor,
        from: Timestamp,
        until: Timestamp,
    ) -> Read<'_, Vec<ProcessorMovement>>;
    /// Payouts of all processors that are booked, the newest first.
    fn payouts(&self, limit: u32) -> Read<'_, Vec<ProcessorMovement>>;
    /// What stands between us and each processor that ever took a payment or moved money, from all of them.
    /// Bank transfers need no processor.
    fn clearings(&self) -> Read<'_, Vec<Clearing>>;
    /// Refunds of a top-up, the first first.
    fn refunds(&self, top_up: i64) -> Read<'_, Vec<Refund>>;
    /// Refunds of which their processors are to be told now, the longest due first.
    fn refunds_due(&self, now: Timestamp, limit: u32) -> Read<'_, Vec<Refund>>;
}

/// What is remembered of API requests; written through [`Store::commit`].
pub trait ApiLogRows: Send + Sync {
    /// Lines of an account, the last used first; filters look through its newest twenty thousand.
    fn api_calls<'a>(&'a self, account: AccountId, wanted: &'a CallsOf) -> Read<'a, Vec<CallLine>>;
    /// How much an account's keys are used.
    fn key_uses(&self, account: AccountId) -> Read<'_, Vec<KeyUse>>;
    /// Whether there is a line whose last request was before this.
    fn has_api_calls_before(&self, at: Timestamp) -> Read<'_, bool>;
}
