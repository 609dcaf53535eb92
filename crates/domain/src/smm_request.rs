//! What a client asks for after an SMM order was placed: a cancel, a refill. Each is a row of its
//! own and only a request: the panel decides, and money follows the order's status alone.

use crate::change::Write;
use crate::ids::{AccountId, OrderId};
use crate::smm_order::{SmmOrder, SmmState};
use crate::time::{Millis, Timestamp};
use crate::upstream::{Progress, RefillProgress};
use crate::usd::Usd;

/// Between two refills of one order, by the custom of the trade.
const REFILL_PAUSE: Millis = Millis::minutes(24 * 60);

/// Tries without an answer after which a request counts as refused.
const TRIES_MAX: i64 = 20;

/// A request that the panel took is followed for this long.
const FOLLOWED: Millis = Millis::minutes(30 * 24 * 60);

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestKind {
    /// No further delivery.
    Cancel,
    /// What dropped off is delivered again.
    Refill,
}

impl RequestKind {
    /// Stable word for rows.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Cancel => "cancel",
            Self::Refill => "refill",
        }
    }

    /// Reads a row's word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        [Self::Cancel, Self::Refill]
            .into_iter()
            .find(|kind| kind.slug() == slug)
    }
}

/// Where a request stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestState {
    /// Stored, not sent.
    Asked,
    /// The call may be in flight, or its answer was lost.
    Sent,
    /// The panel took it; what comes of it shows later.
    Taken,
    /// A refill is being delivered.
    InProgress,
    /// It came to what was asked for.
    Done,
    /// It did not.
    Refused,
}

impl RequestState {
    /// All states.
    pub const ALL: [Self; 6] = [
        Self::Asked,
        Self::Sent,
        Self::Taken,
        Self::InProgress,
        Self::Done,
        Self::Refused,
    ];

    /// Stable word for rows.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Asked => "asked",
            Self::Sent => "sent",
            Self::Taken => "taken",
            Self::InProgress => "in_progress",
            Self::Done => "done",
            Self::Refused => "refused",
        }
    }

    /// Reads a row's word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.slug() == slug)
    }

    /// Whether something may still come of it.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Done | Self::Refused)
    }

    /// The word a client sees of a refill.
    pub fn refill_word(self) -> &'static str {
        match self {
            Self::Asked | Self::Sent | Self::Taken => "Pending",
            Self::InProgress => "In progress",
            Self::Done => "Completed",
            Self::Refused => "Rejected",
        }
    }
}

/// A request for an order at a panel: a client's, or the cancel of what is undone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmmRequest {
    /// Row; a refill's is given out as the refill id.
    pub id: i64,
    /// The order.
    pub order: OrderId,
    /// Whose it is.
    pub account: AccountId,
    /// Fencing epoch.
    pub version: i64,
    /// What is asked for.
    pub kind: RequestKind,
    /// Where it stands.
    pub state: RequestState,
    /// Upstream that has the order.
    pub upstream: String,
    /// The panel's order id.
    pub upstream_order: String,
    /// The panel's refill id, once it took one.
    pub upstream_id: Option<String>,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When background work must look at it next.
    pub due_at: Option<Timestamp>,
    /// Failed tries of the present step.
    pub tries: i64,
}

/// Why an order can not be cancelled or refilled now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotNow {
    /// Its purchase is not settled yet.
    OrderPending,
    /// It is final.
    OrderFinal,
    /// Not for an order that ended like this.
    NotOffered,
    /// Too early; for this long, where that is known.
    NotDue(Option<Millis>),
    /// One is open already.
    Open,
}

/// Whether a cancel of this order may be asked for.
pub fn may_cancel(order: &SmmOrder) -> Result<(), NotNow> {
    match order.state {
        SmmState::Calling | SmmState::InDoubt | SmmState::Undo => Err(NotNow::OrderPending),
        SmmState::Resolved | SmmState::Failed => Err(NotNow::OrderFinal),
        SmmState::Active | SmmState::Review => Ok(()),
    }
}

/// Whether a refill of this order may be asked for, after the requests that were made before. Only
/// what was delivered whole is refilled, once at a time, once a day, and within the `window` after
/// its end that the panel guarantees.
pub fn may_refill(
    order: &SmmOrder,
    earlier: &[SmmRequest],
    window: Option<Millis>,
    now: Timestamp,
) -> Result<(), NotNow> {
    match order.state {
        SmmState::Calling | SmmState::InDoubt | SmmState::Undo => return Err(NotNow::OrderPending),
        SmmState::Active | SmmState::Review => return Err(NotNow::NotDue(None)),
        SmmState::Failed => return Err(NotNow::NotOffered),
        SmmState::Resolved => {}
    }
    if order.progress != Progress::Completed || order.returned > Usd::ZERO {
        return Err(NotNow::NotOffered);
    }
    let ends = order.resolved_at.zip(window).map(|(at, span)| at + span);
    if ends.is_some_and(|ends| ends <= now) {
        return Err(NotNow::NotOffered);
    }
    let refills = || earlier.iter().filter(|one| one.kind == RequestKind::Refill);
    if refills().any(|one| one.state.is_open()) {
        return Err(NotNow::Open);
    }
    let last = refills()
        .filter(|one| one.state == RequestState::Done)
        .map(|one| one.created_at + REFILL_PAUSE)
        .max();
    match last.filter(|due| *due > now) {
        Some(due) => Err(NotNow::NotDue(Some(due - now))),
        None => Ok(()),
    }
}

impl SmmRequest {
    /// A request for an order that a panel has; nothing for one that no panel is known to have.
    pub fn of(order: &SmmOrder, kind: RequestKind, id: i64, now: Timestamp) -> Option<Self> {
        Some(Self {
            id,
            order: order.id,
            account: order.account,
            version: 0,
            kind,
            state: RequestState::Asked,
            upstream: order.upstream.clone(),
            upstream_order: order.upstream_id.clone()?,
            upstream_id: None,
            created_at: now,
            due_at: Some(now),
            tries: 0,
        })
    }

    /// A call is about to leave: nobody else sends it before this moment is over.
    pub fn sending(mut self, until: Timestamp) -> Self {
        self.state = RequestState::Sent;
        self.due_at = Some(until);
        self
    }

    /// The row as it stands once that write is stored.
    pub fn stored(mut self) -> Self {
        self.version += 1;
        self
    }

    /// The panel took it, a refill under an id of its own.
    pub fn taken(mut self, upstream_id: Option<String>, next: Timestamp) -> Write {
        self.state = RequestState::Taken;
        self.upstream_id = upstream_id;
        self.tries = 0;
        self.due_at = Some(next);
        self.save()
    }

    /// The panel will not do it.
    pub fn refused(self) -> Write {
        self.ended(RequestState::Refused)
    }

    fn ended(mut self, state: RequestState) -> Write {
        self.state = state;
        self.due_at = None;
        self.save()
    }

    /// No answer to go by: again after a pause, refused after many.
    pub fn try_again(self, pause: Millis, now: Timestamp) -> Write {
        if self.tries + 1 >= TRIES_MAX {
            return self.refused();
        }
        self.keep_trying(pause, now)
    }

    /// The same of a cancel that the house itself needs: it is asked for until the panel answers.
    pub fn keep_trying(mut self, pause: Millis, now: Timestamp) -> Write {
        self.tries += 1;
        self.due_at = Some(now + Millis(pause.0 << self.tries.clamp(0, 6)));
        self.save()
    }

    /// Nothing was heard of it, and nothing is wrong with it: looked at again later.
    pub fn wait_until(mut self, next: Timestamp) -> Write {
        self.due_at = Some(next);
        self.save()
    }

    /// The order's own state answers a cancel that was taken: it came true if the order ended
    /// short, and came to nothing if it was delivered whole. One that is undone was resolved for its
    /// client before the panel was done with it.
    pub fn follow_order(mut self, order: &SmmOrder, next: Timestamp, now: Timestamp) -> Write {
        let resolved = order.resolved_at.is_some() && order.state != SmmState::Undo;
        let ended = resolved || order.state == SmmState::Failed;
        match order.public_progress() {
            Progress::Canceled | Progress::Partial if ended => self.ended(RequestState::Done),
            _ if ended || now - self.created_at > FOLLOWED => self.refused(),
            _ => {
                self.due_at = Some(next);
                self.save()
            }
        }
    }

    /// The panel's word on a refill.
    pub fn refill_seen(
        mut self,
        progress: RefillProgress,
        next: Timestamp,
        now: Timestamp,
    ) -> Write {
        self.tries = 0;
        self.due_at = Some(next);
        match progress {
            RefillProgress::Completed => self.ended(RequestState::Done),
            RefillProgress::Rejected => self.refused(),
            _ if now - self.created_at > FOLLOWED => self.refused(),
            RefillProgress::InProgress => {
                self.state = RequestState::InProgress;
                self.save()
            }
            RefillProgress::Pending => self.save(),
        }
    }

    fn save(self) -> Write {
        Write::UpdateSmmRequest(Box::new(self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::smm_order::tests::order;

    const NOW: Timestamp = Timestamp(1_000_000_000);

    fn completed() -> SmmOrder {
        SmmOrder {
            state: SmmState::Resolved,
            progress: Progress::Completed,
            resolved_at: Some(NOW),
            ..order()
        }
    }

    fn refill(state: RequestState, age: Millis) -> SmmRequest {
        let asked = SmmRequest::of(&completed(), RequestKind::Refill, 5, NOW - age).unwrap();
        SmmRequest { state, ..asked }
    }

    #[test]
    fn words_survive_their_rows() {
        for state in RequestState::ALL {
            assert_eq!(RequestState::from_slug(state.slug()), Some(state));
        }
        for kind in [RequestKind::Cancel, RequestKind::Refill] {
            assert_eq!(RequestKind::from_slug(kind.slug()), Some(kind));
        }
    }

    #[test]
    fn only_a_running_order_is_cancelled() {
        use SmmState as S;
        for (state, verdict) in [
            (S::Calling, Err(NotNow::OrderPending)),
            (S::InDoubt, Err(NotNow::OrderPending)),
            (S::Undo, Err(NotNow::OrderPending)),
            (S::Active, Ok(())),
            (S::Review, Ok(())),
            (S::Resolved, Err(NotNow::OrderFinal)),
            (S::Failed, Err(NotNow::OrderFinal)),
        ] {
            assert_eq!(may_cancel(&SmmOrder { state, ..order() }), verdict);
        }
    }

    #[test]
    fn only_what_was_delivered_whole_is_refilled() {
        assert_eq!(may_refill(&completed(), &[], None, NOW), Ok(()));
        assert_eq!(
            may_refill(&order(), &[], None, NOW),
            Err(NotNow::NotDue(None))
        );
        let day = Some(Millis::minutes(24 * 60));
        let at = |resolved_at: Timestamp| SmmOrder {
            resolved_at: Some(resolved_at),
            ..completed()
        };
        let last_moment = at(Timestamp(NOW.0 - 24 * 3_600_000 + 1));
        assert_eq!(may_refill(&last_moment, &[], day, NOW), Ok(()));
        let over = at(Timestamp(NOW.0 - 24 * 3_600_000));
        let refused = may_refill(&over, &[], day, NOW);
        assert_eq!(refused, Err(NotNow::NotOffered));
        assert_eq!(may_refill(&over, &[], None, NOW), Ok(()));
        let partly = SmmOrder {
            progress: Progress::Partial,
            ..completed()
        };
        assert_eq!(may_refill(&partly, &[], None, NOW), Err(NotNow::NotOffered));
        let corrected = SmmOrder {
            returned: Usd(1),
            ..completed()
        };
        assert_eq!(
            may_refill(&corrected, &[], None, NOW),
            Err(NotNow::NotOffered)
        );
    }

    #[test]
    fn one_refill_at_a_time_and_one_a_day() {
        use RequestState as S;
        let hour = Millis::minutes(60);
        for open in [S::Asked, S::Sent, S::Taken, S::InProgress] {
            let before = [refill(open, hour)];
            assert_eq!(
                may_refill(&completed(), &before, None, NOW),
                Err(NotNow::Open)
            );
        }
        let done = |age| [refill(S::Done, age)];
        let left = NotNow::NotDue(Some(Millis::minutes(23 * 60)));
        assert_eq!(may_refill(&completed(), &done(hour), None, NOW), Err(left));
        let day = Millis::minutes(24 * 60);
        assert_eq!(may_refill(&completed(), &done(day), None, NOW), Ok(()));
        let refused = [refill(S::Refused, hour)];
        assert_eq!(may_refill(&completed(), &refused, None, NOW), Ok(()));
    }

    #[test]
    fn a_cancel_came_true_only_if_the_order_ended_short() {
        let state = |order: &SmmOrder| {
            let asked = SmmRequest::of(order, RequestKind::Cancel, 5, NOW).unwrap();
            let Write::UpdateSmmRequest(row) = asked.follow_order(order, NOW, NOW) else {
                panic!("a row");
            };
            (row.state, row.due_at)
        };
        use RequestState as S;
        assert_eq!(state(&order()), (S::Asked, Some(NOW)));
        assert_eq!(state(&completed()), (S::Refused, None));
        let undone = SmmOrder {
            state: SmmState::Undo,
            resolved_at: Some(NOW),
            ..order()
        };
        assert_eq!(state(&undone), (S::Asked, Some(NOW)));
        for short in [Progress::Canceled, Progress::Partial] {
            let order = SmmOrder {
                progress: short,
                ..completed()
            };
            assert_eq!(state(&order), (S::Done, None));
        }
    }

    #[test]
    fn an_answer_that_never_comes_is_not_waited_for_for_ever() {
        let mut row = refill(RequestState::Sent, Millis(0));
        for _ in 0..TRIES_MAX {
            let Write::UpdateSmmRequest(next) = row.try_again(Millis(1000), NOW) else {
                panic!("a row");
            };
            row = *next;
        }
        assert_eq!(row.state, RequestState::Refused);
    }

    #[test]
    fn a_cancel_of_the_houses_own_is_asked_for_until_it_is_answered() {
        let mut row = refill(RequestState::Sent, Millis(0));
        for _ in 0..2 * TRIES_MAX {
            let Write::UpdateSmmRequest(next) = row.keep_trying(Millis(1000), NOW) else {
                panic!("a row");
            };
            row = *next;
        }
        assert_eq!(row.state, RequestState::Sent);
        // the pause grows, and stays bounded
        assert_eq!(row.due_at, Some(NOW + Millis(64_000)));
    }
}
