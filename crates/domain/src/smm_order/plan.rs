//! The spans an SMM order lives by.

use super::SmmOrder;
use crate::time::{Millis, Timestamp};
use crate::usd::Usd;

/// Spans an SMM order lives by; from the settings of its upstream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmmPlan {
    /// How long one purchase call may stay open before its order counts as abandoned.
    pub lease: Millis,
    /// How long an unknown purchase may still show up.
    pub in_doubt_window: Millis,
    /// A final state counts once it was seen twice, this far apart.
    pub confirmation: Millis,
    /// How long a final state without the units it needs is asked for them, before the charge or a
    /// person decides.
    pub remains_patience: Millis,
    /// Pauses between status reads, the n-th for the n-th age step; the last one stays.
    pub poll: Vec<Millis>,
    /// Pause between tries of a background step.
    pub retry: Millis,
    /// How long a final order is still watched for corrections.
    pub watch: Millis,
    /// How long after its end a completed order may be refilled; nothing for always.
    pub refill_window: Option<Millis>,
    /// Most that one correction returns without a person.
    pub correction_max: Usd,
}

impl SmmPlan {
    /// [`Self::remains_patience`] where nothing else is said: a day.
    pub const REMAINS_PATIENCE: Millis = Millis::minutes(24 * 60);

    /// Pause before the next status read of an order of this age: each pause of the plan is used
    /// ten times before the next, longer one.
    pub fn poll_pause(&self, age: Millis) -> Millis {
        let mut from = 0;
        for pause in &self.poll {
            from += pause.0 * 10;
            if age.0 < from {
                return *pause;
            }
        }
        self.poll.last().copied().unwrap_or(self.retry)
    }

    /// The plan of a process that has watched since then. A final word counts as seen since that moment
    /// at the earliest, since the machine's clock may have jumped before; what is only missing has been
    /// waited for all the same.
    pub fn confirming(&self, order: &SmmOrder, watching_since: Timestamp) -> Self {
        let unwatched = order.candidate.map(|seen| watching_since - seen.since);
        let unwatched = unwatched.unwrap_or(Millis(0)).max(Millis(0));
        Self {
            confirmation: Millis(self.confirmation.0 + unwatched.0),
            ..self.clone()
        }
    }

    /// Pause before the next try of a failed step.
    pub fn pause(&self, tries: i64) -> Millis {
        Millis(self.retry.0 << tries.clamp(0, 5))
    }
}
