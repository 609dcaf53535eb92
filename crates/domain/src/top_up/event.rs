//! The inbox: every signed event of a processor as it came, and what became of it.

use super::processor::Processor;
use crate::time::{Millis, Timestamp};

/// Between two tries to settle an event.
const PAUSES: [Millis; 5] = [
    Millis::seconds(10),
    Millis::seconds(60),
    Millis::minutes(5),
    Millis::minutes(30),
    Millis::minutes(3 * 60),
];

/// After this long an event that fits nothing is left to the operator.
const GIVEN_UP: Millis = Millis::minutes(4 * 24 * 60);

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventState {
    /// Kept, not settled yet.
    Seen,
    /// It is about something we do not know of yet.
    Parked,
    /// Its news is in the books, or was before.
    Done,
    /// Nothing for us.
    Ignored,
    /// It does not fit: an operator has to look.
    Review,
}

impl EventState {
    /// All states.
    pub const ALL: [Self; 5] = [
        Self::Seen,
        Self::Parked,
        Self::Done,
        Self::Ignored,
        Self::Review,
    ];

    /// Stable word.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Parked => "parked",
            Self::Done => "done",
            Self::Ignored => "ignored",
            Self::Review => "review",
        }
    }

    /// Reads a word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.slug() == slug)
    }

    /// Whether an operator may have it tried once more: it came to nothing.
    pub fn came_to_nothing(self) -> bool {
        matches!(self, Self::Ignored | Self::Review)
    }

    /// Whether it is tried again.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Seen | Self::Parked)
    }
}

/// An event of a processor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopUpEvent {
    /// Row.
    pub id: i64,
    /// Who sent it.
    pub processor: Processor,
    /// The processor's id of it.
    pub event_id: String,
    /// The processor's word for what happened. Hostile text.
    pub kind: String,
    /// The row it is about, once that is known.
    pub top_up: Option<i64>,
    /// The payment it names.
    pub payment_ref: Option<String>,
    /// The body as it was signed.
    pub raw: Vec<u8>,
    /// What became of it.
    pub state: EventState,
    /// Why, for the operator.
    pub verdict: String,
    /// First delivery.
    pub received_at: Timestamp,
    /// Next try.
    pub due_at: Option<Timestamp>,
    /// Tries so far.
    pub tries: i64,
}

impl TopUpEvent {
    /// The event as if it had just come once more.
    pub fn reopened(&self, now: Timestamp) -> Self {
        Self {
            state: EventState::Seen,
            received_at: now,
            due_at: Some(now),
            tries: 0,
            ..self.clone()
        }
    }

    /// The event once it is settled.
    pub fn settled(&self, state: EventState, verdict: &str) -> Self {
        Self {
            state,
            verdict: verdict.to_owned(),
            due_at: None,
            ..self.clone()
        }
    }

    /// The event after a try that did not settle it.
    pub fn waits(&self, state: EventState, verdict: &str, now: Timestamp) -> Self {
        if now > self.received_at + GIVEN_UP {
            return self.settled(EventState::Review, verdict);
        }
        let place = usize::try_from(self.tries).unwrap_or(usize::MAX);
        Self {
            state,
            verdict: verdict.to_owned(),
            due_at: Some(now + PAUSES[place.min(PAUSES.len() - 1)]),
            tries: self.tries + 1,
            ..self.clone()
        }
    }
}
