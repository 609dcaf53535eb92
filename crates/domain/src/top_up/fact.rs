//! What a processor says: of a payment, and in an event.

use super::CURRENCY;
use crate::usd::Usd;

/// Micro-dollars in a cent.
pub(super) const MICROS_IN_CENT: i64 = 10_000;

/// Currencies without smaller units, and those with thousandths.
const WHOLE: [&str; 16] = [
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "UGX", "VND", "VUV",
    "XAF", "XOF", "XPF",
];
const THOUSANDTHS: [&str; 5] = ["BHD", "JOD", "KWD", "OMR", "TND"];

/// An amount of some currency, in its smallest units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    /// Smallest units.
    pub minor: i64,
    /// ISO code as the processor wrote it.
    pub currency: String,
}

impl Sum {
    /// Decimals of a currency, in any case; two where the table has no other word.
    pub fn decimals(currency: &str) -> usize {
        let named = |list: &[&str]| list.iter().any(|one| one.eq_ignore_ascii_case(currency));
        match currency {
            _ if named(&WHOLE) => 0,
            _ if named(&THOUSANDTHS) => 3,
            _ => 2,
        }
    }

    /// An amount written as a plain decimal: `25`, `25.00`. What has parts of the smallest unit is
    /// rounded down, so that it never looks like more than it is.
    pub fn read(text: &str, currency: &str) -> Option<Self> {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = |half: &str| half.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || whole.len() > 12 || !digits(whole) || !digits(part) {
            return None;
        }
        let decimals = Self::decimals(currency);
        let kept: String = part.chars().chain("000".chars()).take(decimals).collect();
        Some(Self {
            minor: format!("{whole}{kept}").parse().ok()?,
            currency: currency.to_owned(),
        })
    }

    /// The same in micro-dollars; nothing where it is no amount of dollars.
    pub fn usd(&self) -> Option<Usd> {
        let dollars = self.currency.eq_ignore_ascii_case(CURRENCY) && self.minor >= 0;
        let micros = self.minor.checked_mul(MICROS_IN_CENT);
        micros.filter(|_| dollars).map(Usd)
    }
}

impl std::fmt::Display for Sum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let decimals = Self::decimals(&self.currency);
        let currency: String = self.currency.chars().take(8).collect();
        let currency = currency.to_ascii_uppercase();
        if decimals == 0 {
            return write!(f, "{} {currency}", self.minor);
        }
        let unit = 10_u64.pow(u32::try_from(decimals).unwrap_or(0));
        let (sign, minor) = (
            if self.minor < 0 { "-" } else { "" },
            self.minor.unsigned_abs(),
        );
        write!(
            f,
            "{sign}{}.{:0decimals$} {currency}",
            minor / unit,
            minor % unit
        )
    }
}

/// How a payment stands at its processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stand {
    /// Nobody has paid yet.
    Open,
    /// On its way: not to be relied on.
    Pending,
    /// Paid for good.
    Paid,
    /// Paid for good, and more than was asked.
    PaidOver,
    /// Less than was asked arrived, for good, and no more is waited for.
    PaidPart,
    /// The offer ended unpaid.
    Expired,
    /// The payment failed.
    Failed,
    /// Void, whatever it was before.
    Void,
    /// The processor gave all of it back.
    Refunded,
    /// Something that an operator has to look at; what.
    Odd(String),
    /// A word that nobody told us of: it changes nothing, and an operator is told.
    Unknown(String),
}

/// A payment as its processor tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fact {
    /// Our reference, as the payment carries it.
    pub reference: Option<String>,
    /// It carries our reference in several places that do not agree.
    pub contradicts: bool,
    /// The processor's id of the session or invoice.
    pub processor_ref: Option<String>,
    /// The processor's id of the payment.
    pub payment_ref: Option<String>,
    /// Real money, where it says.
    pub live: Option<bool>,
    /// What was paid, or has to be.
    pub sum: Option<Sum>,
    /// What arrived, where the processor tells it apart from what was asked.
    pub received: Option<Sum>,
    /// How it stands.
    pub stand: Stand,
}

/// What an event brings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// How a payment stands.
    Payment(Fact),
    /// Something about a payment changed: only the processor itself says what.
    Look,
    /// So much went back to the payer, all in all.
    Refunded(Sum),
    /// A dispute took so much from us.
    Withdrawn {
        /// The processor's id of it.
        dispute: String,
        /// How much.
        sum: Sum,
    },
    /// A dispute was won.
    Reinstated {
        /// The processor's id of it.
        dispute: String,
    },
    /// A payer's bank says the payment was not theirs.
    FraudWarning,
    /// A dispute was opened and moved no money.
    DisputeOpened,
    /// Nothing that we use.
    Unused,
}

/// A signed event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The processor's id of the event, the same at every delivery.
    pub event_id: String,
    /// The processor's word for what happened.
    pub kind: String,
    /// Our reference, where the event carries it.
    pub reference: Option<String>,
    /// The processor's id of the session or invoice, where the event carries it.
    pub processor_ref: Option<String>,
    /// The processor's id of the payment, where the event carries it.
    pub payment_ref: Option<String>,
    /// Real money, where it says.
    pub live: Option<bool>,
    /// What happened.
    pub news: News,
}
