//! Who takes the money, and what is asked of them.

use super::fact::{Fact, Notice};
use super::movement::MoneyLine;
use super::{CURRENCY, TopUp};
use crate::ledger::Book;
use crate::time::{Millis, Timestamp};
use crate::upstream::Pending;
use crate::usd::Usd;

/// Who takes the money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Processor {
    /// Stripe Checkout.
    Stripe,
    /// A BTCPay Server.
    BtcPay,
    /// NOWPayments.
    NowPayments,
    /// A bank transfer that an operator finds in the account's statement.
    Manual,
}

impl Processor {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Stripe, Self::BtcPay, Self::NowPayments, Self::Manual];

    /// Stable word.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Stripe => "stripe",
            Self::BtcPay => "btcpay",
            Self::NowPayments => "nowpayments",
            Self::Manual => "manual",
        }
    }

    /// Reads a word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.slug() == slug)
    }

    /// What customers read.
    pub fn label(self) -> &'static str {
        match self {
            Self::Stripe => "Card",
            Self::BtcPay => "Bitcoin",
            Self::NowPayments => "Other coins",
            Self::Manual => "Bank transfer",
        }
    }

    /// How long an offer has to be good for at least when the processor hears of it. Stripe takes half an
    /// hour or more; a minute is for the way there.
    pub fn shortest_offer(self) -> Millis {
        match self {
            Self::Stripe => Millis::minutes(31),
            _ => Millis(1),
        }
    }

    /// Money that the processor owes the house, or an operator has to find.
    pub fn clearing(self) -> Book {
        match self {
            Self::Manual => Book::ManualClearing,
            other => Book::ProcessorClearing(other),
        }
    }
}

/// A place to pay that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// Our reference.
    pub reference: String,
    /// What has to be paid, in whole cents of [`CURRENCY`].
    pub charge: Usd,
    /// When the top-up was begun.
    pub created_at: Timestamp,
    /// When the offer ends.
    pub expires_at: Timestamp,
    /// Our page to which the browser comes back.
    pub return_url: String,
    /// Where the processor tells us of the payment.
    pub hook_url: String,
}

impl Checkout {
    /// The charge in cents.
    pub fn cents(&self) -> i64 {
        self.charge.0 / super::fact::MICROS_IN_CENT
    }

    /// The charge with two decimals.
    pub fn decimal(&self) -> String {
        let cents = self.cents();
        format!("{}.{:02}", cents / 100, cents % 100)
    }

    /// Its currency.
    pub fn currency(&self) -> &'static str {
        CURRENCY
    }
}

/// A place to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The processor's id of it.
    pub processor_ref: String,
    /// Where the browser goes.
    pub pay_url: String,
}

/// Why a processor gave no answer that helps. The texts are for the operator and hold no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProcessorError {
    /// No answer, or none that says anything: ask again.
    Unreachable(String),
    /// A definite no.
    Refused(String),
    /// It offers no such thing.
    NotOffered,
}

impl std::fmt::Display for ProcessorError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable(why) => write!(f, "no usable answer: {why}"),
            Self::Refused(why) => write!(f, "refused: {why}"),
            Self::NotOffered => f.write_str("the processor offers no such thing"),
        }
    }
}

/// An answer on its way.
pub type Asked<'a, T> = Pending<'a, Result<T, ProcessorError>>;

/// A payment processor.
pub trait PaymentProcessor: Send + Sync {
    /// Which one.
    fn kind(&self) -> Processor;
    /// Whether real money is paid.
    fn is_live(&self) -> bool;
    /// Whether its webhooks are believed at all: only where a secret is known.
    fn takes_webhooks(&self) -> bool;
    /// The header that carries a webhook's signature.
    fn signature_header(&self) -> &'static str;
    /// Whether the raw body of a webhook was signed by the processor.
    fn believes(&self, signature: &str, body: &[u8], now: Timestamp) -> bool;
    /// What a signed webhook says; nothing where it cannot be read.
    fn notice(&self, body: &[u8]) -> Option<Notice>;
    /// Opens a place to pay. Asked again with the same reference it opens no second one where the
    /// processor can tell.
    fn open<'a>(&'a self, checkout: &'a Checkout) -> Asked<'a, Opened>;
    /// What the processor says of a top-up now, by the ids in its row; nothing where it does not
    /// know it or no id is known yet.
    fn read<'a>(&'a self, row: &'a TopUp) -> Asked<'a, Option<Fact>>;
    /// Returns money to the payer; `key` makes a second call the same call.
    fn refund<'a>(&'a self, row: &'a TopUp, amount: Usd, key: &'a str) -> Asked<'a, ()>;
    /// All payments to us that were begun in this span and came through.
    fn paid_between(&self, from: Timestamp, until: Timestamp) -> Asked<'_, Vec<Fact>>;
    /// All that moved from `from` until before `until` of the money it took for us, by its own list.
    fn moved_between(&self, from: Timestamp, until: Timestamp) -> Asked<'_, Vec<MoneyLine>>;
}
