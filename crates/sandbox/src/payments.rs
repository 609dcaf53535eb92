//! Payment processors to practise with: what they keep, in memory only, and what they tell of it.

pub(crate) mod btcpay;
pub(crate) mod nowpayments;
pub(crate) mod stripe;

use domain::time::Timestamp;
use domain::top_up::Processor;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use wire::btcpay::Delivery;

/// Sessions, invoices and payments kept at most of each kind; the oldest go first.
const KEPT_MAX: usize = 10_000;
/// Coins of eight decimals for a cent: a coin is worth 50,000 dollars here.
const UNITS_PER_CENT: i64 = 20;
/// That price, as a decimal.
const COIN_PRICE: &str = "50000.00";

/// All processors.
#[derive(Debug, Default)]
pub(crate) struct Payments {
    /// Cards.
    pub(crate) stripe: stripe::Till,
    /// A BTCPay Server.
    pub(crate) btcpay: btcpay::Invoices,
    /// NOWPayments.
    pub(crate) nowpayments: nowpayments::Coins,
    /// What becomes of the next calls, in turn.
    pub(crate) mishaps: VecDeque<Mishap>,
}

/// How a call to a processor goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Mishap {
    /// It does not.
    None,
    /// The connection closes, nothing was done.
    LostBefore,
    /// It is done, then the connection closes.
    LostAfter,
    /// Status 500, nothing was done.
    Error500Before,
    /// It is done, then status 500.
    Error500After,
    /// It is done, and answered so many milliseconds later.
    SlowMs(u64),
}

/// What is to be done to a session, an invoice or a payment.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Session, invoice or payment.
    pub(crate) id: String,
    /// What.
    #[serde(rename = "do")]
    pub(crate) action: String,
    /// How much is paid or given back, where it is not all.
    pub(crate) cents: Option<i64>,
    /// From now on that much was asked, in cents.
    pub(crate) amount: Option<i64>,
    /// From now on in this currency.
    pub(crate) currency: Option<String>,
    /// From now on of this mode; cards only.
    pub(crate) live: Option<bool>,
    /// For `set`: the word for how it stands.
    pub(crate) status: Option<String>,
    /// For `set`: the second word of an invoice.
    pub(crate) additional: Option<String>,
}

impl Wanted {
    /// An action of somebody who pays on a page.
    pub(crate) fn on_page(id: &str, action: &str) -> Self {
        Self {
            id: id.to_owned(),
            action: action.to_owned(),
            cents: None,
            amount: None,
            currency: None,
            live: None,
            status: None,
            additional: None,
        }
    }
}

/// The text of an event.
#[derive(Clone, Debug)]
pub(crate) enum Letter {
    /// The same at each delivery.
    Fixed(String),
    /// Says at each delivery which one it is.
    Numbered(Delivery),
    /// Comes with its members in another order each time.
    Shuffled(String),
}

/// An event to send, and the page that the browser goes back to.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    /// Who tells.
    pub(crate) processor: Processor,
    /// What.
    pub(crate) letter: Letter,
    /// Whom.
    pub(crate) hook_url: String,
    /// The customer's way back.
    pub(crate) return_url: String,
}

impl Told {
    /// The body as it is sent for the so-many-th time.
    pub(crate) fn body(&self, delivery: usize) -> String {
        match &self.letter {
            Letter::Fixed(body) => body.clone(),
            Letter::Numbered(first) if delivery == 0 => first.body(),
            Letter::Numbered(first) => {
                let id = format!("{}-{delivery}", first.original);
                Delivery {
                    id,
                    ..first.clone()
                }
                .body()
            }
            Letter::Shuffled(body) => {
                wire::nowpayments::turned(body, delivery + 3).unwrap_or_else(|| body.clone())
            }
        }
    }

    /// Header and value that sign a body.
    pub(crate) fn signature(&self, secret: &str, body: &str, at: Timestamp) -> (&str, String) {
        use wire::{btcpay, nowpayments, stripe};
        match self.processor {
            Processor::BtcPay => (
                btcpay::SIGNATURE_HEADER,
                btcpay::sign(secret, body.as_bytes()),
            ),
            Processor::NowPayments => (
                nowpayments::SIGNATURE_HEADER,
                nowpayments::sign(secret, body).unwrap_or_default(),
            ),
            Processor::Stripe | Processor::Manual => (
                stripe::SIGNATURE_HEADER,
                stripe::sign(secret, body.as_bytes(), at),
            ),
        }
    }

    /// What this processor signs with.
    pub(crate) fn secret(&self) -> &'static str {
        match self.processor {
            Processor::BtcPay => btcpay::BTCPAY_WEBHOOK_SECRET,
            Processor::NowPayments => nowpayments::NOWPAYMENTS_IPN_SECRET,
            Processor::Stripe | Processor::Manual => stripe::STRIPE_WEBHOOK_SECRET,
        }
    }
}

/// One payment as a test reads it.
#[derive(Serialize)]
pub(crate) struct Shown {
    pub(crate) processor: &'static str,
    /// Session, invoice or payment.
    pub(crate) id: String,
    /// The shop's own reference.
    pub(crate) reference: Option<String>,
    pub(crate) status: String,
    pub(crate) pay_url: Option<String>,
    /// Given back so far.
    pub(crate) refunded_cents: i64,
    /// Refunds so far.
    pub(crate) refunds: usize,
}

/// The shop's address for events: where it sends the browser back to, with another path.
fn hook_of(return_url: &str, processor: Processor) -> String {
    let (scheme, rest) = return_url.split_once("://").unwrap_or(("http", return_url));
    let host = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{host}/hooks/{}", processor.slug())
}

/// Cents as a decimal with two places.
fn dollars(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// A decimal of dollars in cents, where it is one.
fn cents(text: &str) -> Option<i64> {
    let sum = domain::top_up::Sum::read(text, domain::top_up::CURRENCY)?;
    Some(sum.minor)
}

/// Coins that are worth so many cents, as a decimal.
fn coins(cents: i64) -> String {
    let units = cents.saturating_mul(UNITS_PER_CENT);
    format!("{}.{:08}", units / 100_000_000, units % 100_000_000)
}

/// Makes room for one more.
fn make_room<T>(kept: &mut Vec<T>) {
    if kept.len() == KEPT_MAX {
        kept.remove(0);
    }
}
