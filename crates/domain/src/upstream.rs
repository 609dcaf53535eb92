//! Whom we buy from, as the engine sees it: what can be asked, what can come back, and the
//! honest "unknown" between success and failure.

use crate::phone::Phone;
use crate::time::{Millis, Timestamp};
use crate::usd::{Rate, Usd};
use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// An answer that is still on its way.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why an upstream definitely did not do what was asked. The list is closed on purpose: an answer
/// that fits none of these is [`Purchase::Unknown`] on a purchase and a fault on a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Nothing in stock now.
    NoStock,
    /// Our cap is below the real price.
    PriceMoved,
    /// The service or country is not (or no longer) sold there.
    NotSold,
    /// Our balance there is empty.
    UpstreamFunds,
    /// Our key there is wrong or missing.
    UpstreamAuth,
    /// Our account there is blocked.
    AccountBlocked,
    /// Rate or concurrency limit.
    Throttled,
    /// We built a request the upstream does not understand.
    OurFault,
    /// No byte of the request was written: name, connect or TLS failure, or our breaker is open.
    Unreachable,
    /// The buyer's own value was refused; `member` is the API member at fault where it is known.
    RejectedInput {
        /// `link`, `quantity`, `comments` …, or nothing where the text does not say.
        member: Option<&'static str>,
    },
    /// The upstream already runs an order for this link.
    DuplicateLink,
    /// Our account there is in another currency than the one we count in.
    WrongCurrency,
}

impl Refusal {
    /// Stable word for rows, logs and metrics.
    pub fn slug(&self) -> &'static str {
        match self {
            Self::NoStock => "no_stock",
            Self::PriceMoved => "price_moved",
            Self::NotSold => "not_sold",
            Self::UpstreamFunds => "upstream_funds",
            Self::UpstreamAuth => "upstream_auth",
            Self::AccountBlocked => "account_blocked",
            Self::Throttled => "throttled",
            Self::OurFault => "our_fault",
            Self::Unreachable => "unreachable",
            Self::RejectedInput { .. } => "rejected_input",
            Self::DuplicateLink => "duplicate_link",
            Self::WrongCurrency => "wrong_currency",
        }
    }
}

/// What a purchase call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purchase<T> {
    /// Definite success.
    Done(T),
    /// Definite failure: nothing was bought.
    Refused(Refusal),
    /// Nobody knows. Never repeated, never failed over, settled by evidence or by its window.
    Unknown,
}

/// A purchase answer with the raw text behind it: cut, secrets removed, for the operator only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<T> {
    /// What it means.
    pub outcome: T,
    /// What was said, at most 2 KiB.
    pub raw: String,
}

/// Why a read (status, list, balance, prices) gave nothing usable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadFailure {
    /// The upstream refused in a way we know.
    Refused(Refusal),
    /// The id is not known there.
    UnknownOrder,
    /// The upstream does not offer this call.
    NotOffered,
    /// Timeout, reset, 5xx: the next try may do better.
    Fault(String),
    /// Too large, malformed, of another shape: asked again at once it would say the same.
    Unusable(String),
}

impl fmt::Display for ReadFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(f, "refused: {}", refusal.slug()),
            Self::UnknownOrder => f.write_str("the id is not known there"),
            Self::NotOffered => f.write_str("not offered"),
            Self::Fault(detail) | Self::Unusable(detail) => f.write_str(detail),
        }
    }
}

/// What an adapter can and cannot do: its capability sheet, checked against what the server really
/// does by the conformance suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Recognises a purchase that is sent again by the caller's own id, and sells nothing twice.
    pub idempotency_key: bool,
    /// For how long it answers an equal purchase with the order it already made; 0 where it sells
    /// again at once.
    pub dup_window: Millis,
    /// Lists active activations (or orders) in one call.
    pub list_active: bool,
    /// How long after booking an order may still be missing from that list.
    pub list_lag: Millis,
    /// Most orders whose states are told in one call.
    pub ids_per_call: usize,
    /// Most rows it puts on one page of that list; nothing where it lists all at once.
    pub list_page_limit: Option<u32>,
    /// Lists past activations (or orders).
    pub history: bool,
    /// Tells our balance.
    pub balance: bool,
    /// How long after our timeout the upstream may still process a purchase.
    pub late_window: Millis,
    /// Takes a price cap on a purchase.
    pub max_price: bool,
    /// Offers cancel.
    pub cancel: bool,
    /// No cancel before this age.
    pub min_cancel_age: Millis,
    /// Lifetime of an activation where the upstream does not say.
    pub activation_ttl: Millis,
    /// Whether other programs buy with the same key. Must be false: their orders would be taken for
    /// ours whose answer was lost.
    pub shared_key: bool,
}

impl Capabilities {
    /// What is expected of a seller of numbers that says nothing of itself: active activations are
    /// listed a minute after the sale, a late purchase comes within three, cancel after two, twenty
    /// to live.
    pub const fn numbers() -> Self {
        Self {
            idempotency_key: false,
            dup_window: Millis(0),
            list_active: true,
            list_lag: Millis::seconds(60),
            ids_per_call: 1,
            list_page_limit: None,
            history: false,
            balance: true,
            late_window: Millis::seconds(180),
            max_price: true,
            cancel: true,
            min_cancel_age: Millis::seconds(120),
            activation_ttl: Millis::minutes(20),
            shared_key: false,
        }
    }

    /// What is expected of a panel that says nothing of itself: no list of orders, cancel on
    /// request, a late order comes within a quarter of an hour.
    pub const fn panel() -> Self {
        Self {
            list_active: false,
            list_lag: Millis(0),
            ids_per_call: 100,
            late_window: Millis::minutes(15),
            max_price: false,
            min_cancel_age: Millis(0),
            activation_ttl: Millis(0),
            ..Self::numbers()
        }
    }
}

/// One number to rent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberRequest {
    /// The upstream's own service code.
    pub service: String,
    /// The upstream's own country id.
    pub country: String,
    /// The upstream's own pool (provider) id, on upstreams with pools.
    pub pool: Option<String>,
    /// Never pay more than this.
    pub max_cost: Usd,
    /// Our own id of this purchase, unlike any other ever sent: what a repeat is recognised by.
    pub reference: String,
}

/// A number that was rented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// The upstream's order id.
    pub id: String,
    /// The number, already known to be E.164.
    pub phone: Phone,
    /// What the upstream says it charged.
    pub cost: Option<Usd>,
    /// End of the activation where the upstream says, as a span from now.
    pub lifetime: Option<Millis>,
    /// Earliest cancel where the upstream says, as a span from now.
    pub cancel_after: Option<Millis>,
}

/// A message for an activation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sms {
    /// The code, or the whole text where no code can be told apart.
    pub code: String,
    /// The whole text where the upstream gives it.
    pub text: Option<String>,
}

impl Sms {
    /// What is left of a message once its retention is over: that there was one.
    pub const fn forgotten() -> Self {
        Self {
            code: String::new(),
            text: None,
        }
    }

    /// Whether nothing but that is left. A message that comes is never blank.
    pub fn is_forgotten(&self) -> bool {
        self.code.is_empty() && self.text.is_none()
    }
}

/// What an upstream says of one activation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NumberStatus {
    /// Nothing received yet.
    Waiting,
    /// Another message was asked for and has not come.
    WaitingRetry,
    /// At least one message; this is the newest.
    Code(Sms),
    /// Closed without a code.
    Closed,
    /// Closed; the word does not say with or without a code.
    ClosedAmbiguous,
}

/// One row of an upstream's list of active activations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedNumber {
    /// The upstream's order id.
    pub id: String,
    /// The upstream's service code.
    pub service: String,
    /// The upstream's country id, where listed.
    pub country: Option<String>,
    /// The number.
    pub phone: Option<Phone>,
    /// What it cost.
    pub cost: Option<Usd>,
    /// Age or creation time where the upstream gives one we can trust (unix time).
    pub created_at: Option<Timestamp>,
    /// Newest message, where there is one.
    pub sms: Option<Sms>,
    /// Another message was asked for and has not come: `sms` is the old one.
    pub retry_asked: bool,
}

/// What came of asking an upstream to cancel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CancelReply {
    /// Cancelled, now or before.
    Cancelled,
    /// The lock is still on; the span left, where the upstream says.
    TooEarly(Option<Millis>),
    /// Not allowed in the state the activation is in: read the status and act on it.
    BadTransition,
    /// The id is not known there.
    UnknownOrder,
    /// Nobody knows: ask again later.
    Unknown,
}

/// What came of asking a panel for a refill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefillReply {
    /// Taken, under this id of the panel's.
    Taken(String),
    /// Not for this order, or not now.
    Refused,
    /// Nobody knows, or it is our account that was refused: ask again later.
    Unknown,
}

/// Where a refill stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefillProgress {
    /// Taken, not begun.
    Pending,
    /// Being delivered.
    InProgress,
    /// Done.
    Completed,
    /// Refused after all.
    Rejected,
}

/// Outcome of a batch read of refills for one id.
pub type RefillRow = (String, Result<RefillProgress, ReadFailure>);

/// One thing an upstream sells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberOffer {
    /// The upstream's country id.
    pub country: String,
    /// The upstream's service code.
    pub service: String,
    /// The upstream's pool id, on upstreams with pools.
    pub pool: Option<String>,
    /// What it costs us.
    pub cost: Usd,
    /// Numbers in stock, where known.
    pub available: Option<u32>,
    /// Delivery percentage the upstream states, 0 to 100.
    pub success_rate: Option<u8>,
}

/// Everything an upstream sells, with the names behind its ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NumberListing {
    /// Country id and name.
    pub countries: Vec<(String, String)>,
    /// Service code and name.
    pub services: Vec<(String, String)>,
    /// What is sold.
    pub offers: Vec<NumberOffer>,
}

/// An upstream that rents numbers. Implementations make exactly one request per purchase.
pub trait NumberUpstream: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> &Capabilities;
    /// Rents a number: one request, never repeated.
    fn buy<'a>(&'a self, request: &'a NumberRequest) -> Pending<'a, Reply<Purchase<Number>>>;
    /// State of one activation.
    fn status<'a>(&'a self, id: &'a str) -> Pending<'a, Result<NumberStatus, ReadFailure>>;
    /// All active activations of our account.
    fn active(&self) -> Pending<'_, Result<Vec<ListedNumber>, ReadFailure>>;
    /// Asks to cancel.
    fn cancel<'a>(&'a self, id: &'a str) -> Pending<'a, Reply<CancelReply>>;
    /// Marks an activation as done after its code; best effort.
    fn finish<'a>(&'a self, id: &'a str) -> Pending<'a, Result<(), ReadFailure>>;
    /// Our balance there.
    fn balance(&self) -> Pending<'_, Result<Usd, ReadFailure>>;
    /// Everything on sale.
    fn listing(&self) -> Pending<'_, Result<NumberListing, ReadFailure>>;
    /// What the provider thinks of our account, in whole points of its own scale, as it said with our
    /// balance last; nothing where it does not tell. One that falls too far is served no more.
    fn rating(&self) -> Option<u32> {
        None
    }
    /// How long its latest answer that said "too many requests" asks us to wait, where it says so;
    /// nothing once that was asked for.
    fn asked_to_wait(&self) -> Option<Millis> {
        None
    }
}

/// A service of an SMM panel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelService {
    /// The panel's service id.
    pub id: String,
    /// Name; hostile text.
    pub name: String,
    /// Category; hostile text.
    pub category: String,
    /// Order type, in the canonical title case (`Default`, `Custom Comments` …); nothing where the
    /// type is not known to us.
    pub kind: Option<&'static str>,
    /// What it costs us: per 1000 units, or per package for flat types.
    pub rate: Rate,
    /// Least quantity.
    pub min: u64,
    /// Greatest quantity.
    pub max: u64,
    /// Whether refills, cancels and drip-feed are offered.
    pub refill: bool,
    /// See `refill`.
    pub cancel: bool,
    /// See `refill`.
    pub dripfeed: bool,
}

/// One SMM order to place: the members as the panel takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PanelRequest {
    /// The panel's service id.
    pub service: String,
    /// Member name and value in sending order: `link`, `quantity`, `comments` …
    pub members: Vec<(&'static str, String)>,
    /// Our own id of this purchase, as that of [`NumberRequest::reference`].
    pub reference: String,
}

/// Progress of an SMM order in the panel's words, mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Progress {
    /// Accepted, queued.
    Pending,
    /// Being prepared.
    Processing,
    /// Delivering.
    InProgress,
    /// Done.
    Completed,
    /// Stopped early.
    Partial,
    /// Not delivered further, or refunded.
    Canceled,
}

/// What a panel says of one order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelStatus {
    /// Mapped word; nothing for a word we do not know.
    pub progress: Option<Progress>,
    /// The word as sent.
    pub raw_status: String,
    /// Undelivered units as claimed: may be negative or above the quantity; nothing where missing
    /// or not a whole number.
    pub remains: Option<i64>,
    /// Count at the start, where known.
    pub start_count: Option<i64>,
    /// What the panel says it has charged us so far.
    pub charge: Option<Usd>,
    /// Ids of the orders into which the panel has split this one (drip-feed, subscription).
    pub child_ids: Vec<String>,
    /// Their states, once they were asked for.
    pub children: Vec<PanelStatus>,
}

/// One row of a panel's own order list (a deviation some panels offer).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedPanelOrder {
    /// The panel's order id.
    pub id: String,
    /// The panel's service id.
    pub service: String,
    /// Link as it was sent.
    pub link: String,
    /// Quantity, where listed.
    pub quantity: Option<u64>,
    /// What it cost.
    pub charge: Option<Usd>,
    /// Creation time in unix time, where given.
    pub created_at: Option<Timestamp>,
}

/// Outcome of a batch status read for one id.
pub type PanelStatusRow = (String, Result<PanelStatus, ReadFailure>);

/// An upstream that sells SMM orders. Implementations make exactly one request per purchase.
pub trait PanelUpstream: Send + Sync {
    /// What it can do.
    fn capabilities(&self) -> &Capabilities;
    /// Places an order: one request, repeated only where the panel answers an equal one with the same
    /// order.
    fn place<'a>(&'a self, request: &'a PanelRequest) -> Pending<'a, Reply<Purchase<String>>>;
    /// States of orders in one request, at most [`Capabilities::ids_per_call`] of them, children not
    /// asked for; only rows for ids that were asked for and answered.
    fn statuses<'a>(
        &'a self,
        ids: &'a [String],
    ) -> Pending<'a, Result<Vec<PanelStatusRow>, ReadFailure>>;
    /// Our own orders there, newest first, where the panel lists them.
    fn orders(&self) -> Pending<'_, Result<Vec<ListedPanelOrder>, ReadFailure>>;
    /// Asks to cancel: only a request, the outcome shows as a status.
    fn cancel<'a>(&'a self, id: &'a str) -> Pending<'a, Reply<CancelReply>>;
    /// Asks for a refill of a completed order.
    fn refill<'a>(&'a self, id: &'a str) -> Pending<'a, Reply<RefillReply>>;
    /// States of refills by the panel's refill ids, as many in one request as of orders; only rows that
    /// were asked for, and answered in words we know.
    fn refill_statuses<'a>(
        &'a self,
        ids: &'a [String],
    ) -> Pending<'a, Result<Vec<RefillRow>, ReadFailure>>;
    /// Our balance there.
    fn balance(&self) -> Pending<'_, Result<Usd, ReadFailure>>;
    /// Everything on sale.
    fn services(&self) -> Pending<'_, Result<Vec<PanelService>, ReadFailure>>;
    /// How long its latest answer that said "too many requests" asks us to wait, where it says so;
    /// nothing once that was asked for.
    fn asked_to_wait(&self) -> Option<Millis> {
        None
    }
}
