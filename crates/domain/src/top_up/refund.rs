//! Refunds that we make ourselves: out of the wallet first, then at the processor, which is told under
//! one key until it has answered, or may have forgotten the key.

use super::TopUp;
use crate::time::{Millis, Timestamp};
use crate::usd::Usd;

/// Between two tries to tell the processor.
const PAUSES: [Millis; 5] = [
    Millis::seconds(30),
    Millis::minutes(2),
    Millis::minutes(10),
    Millis::minutes(60),
    Millis::minutes(6 * 60),
];

/// For how long a second call under the same key is the same call. Stripe may forget a key after 24
/// hours; the rest is for clocks that differ.
const KEY_LASTS: Millis = Millis::minutes(20 * 60);

/// How far a refund is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefundState {
    /// The processor has not said yes or no.
    Open,
    /// The processor returns it.
    Sent,
    /// The processor will not: a person has to return it.
    ByHand,
}

impl RefundState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Open, Self::Sent, Self::ByHand];

    /// Stable word.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Sent => "sent",
            Self::ByHand => "by_hand",
        }
    }

    /// Reads a word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.slug() == slug)
    }
}

/// What a processor is told to call a refund.
pub fn refund_key(top_up: i64, seq: i64) -> String {
    format!("refund-{top_up}-{seq}")
}

/// What the first of two people calls the refund that would come next, and whether they would have its
/// customer owe what the wallet lacks: the second has to want the same.
pub fn next_refund(row: &TopUp, may_owe: bool) -> String {
    let key = refund_key(row.id, row.reversals + 1);
    if may_owe { format!("{key}, owed") } else { key }
}

/// Money that left a wallet for its payer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The top-up.
    pub top_up: i64,
    /// Number of the movement that took it out of the wallet.
    pub seq: i64,
    /// What the payer gets.
    pub amount: Usd,
    /// What makes a second call to the processor the same call.
    pub key: String,
    /// Why.
    pub reason: String,
    /// How far it is.
    pub state: RefundState,
    /// When it was decided.
    pub asked_at: Timestamp,
    /// Next try.
    pub due_at: Option<Timestamp>,
    /// Tries so far.
    pub tries: i64,
}

impl Refund {
    /// A refund that was just decided: whoever decided it tells the processor, and if they cannot,
    /// somebody else does a while later.
    pub fn new(top_up: i64, seq: i64, amount: Usd, now: Timestamp) -> Self {
        Self {
            top_up,
            seq,
            amount,
            key: refund_key(top_up, seq),
            reason: String::new(),
            state: RefundState::Open,
            asked_at: now,
            due_at: Some(now + PAUSES[0]),
            tries: 0,
        }
    }

    /// Whether its key may be forgotten: telling it once more could return the money twice.
    pub fn may_be_forgotten(&self, now: Timestamp) -> bool {
        now >= self.asked_at + KEY_LASTS
    }

    /// The refund after the processor was told.
    pub fn told(&self, state: RefundState, now: Timestamp) -> Self {
        let place = usize::try_from(self.tries).unwrap_or(usize::MAX);
        let pause = PAUSES[place.min(PAUSES.len() - 1)];
        let next = (now + pause).min(self.asked_at + KEY_LASTS);
        Self {
            state,
            due_at: (state == RefundState::Open).then_some(next),
            tries: self.tries + 1,
            ..self.clone()
        }
    }
}
