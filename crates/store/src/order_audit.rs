//! What must hold for orders of either kind and the rows beside them: rules over rows, no SQL.

use domain::activation::ActivationState;
use domain::attempt::AttemptState;
use domain::ids::{AccountId, OrderId};
use domain::smm_order::SmmState;
use domain::time::{Millis, Timestamp};
use domain::usd::Usd;

use crate::audit::Findings;

/// A step that is overdue by more than this has no owner.
const PATIENCE: Millis = Millis::minutes(15);

/// What the money of an order must look like in a state.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Money {
    Held,
    Released,
    Posted,
    Resolved,
}

/// Where an order of either kind stands.
#[derive(Clone, Copy)]
pub(crate) enum State {
    Otp(ActivationState),
    Smm(SmmState),
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Otp(state) => state.slug(),
            Self::Smm(state) => state.slug(),
        }
    }

    fn money(self) -> Money {
        use ActivationState as A;
        use SmmState as S;
        match self {
            Self::Otp(A::Received) => Money::Posted,
            Self::Otp(A::Cancelled | A::Failed) | Self::Smm(S::Undo | S::Failed) => Money::Released,
            Self::Smm(S::Resolved) => Money::Resolved,
            Self::Otp(A::Calling | A::InDoubt | A::Undo | A::Active | A::CancelRequested)
            | Self::Smm(S::Calling | S::InDoubt | S::Active | S::Review) => Money::Held,
        }
    }

    fn is_linked(self) -> bool {
        use ActivationState as A;
        use SmmState as S;
        matches!(
            self,
            Self::Otp(A::Undo | A::Active | A::CancelRequested | A::Received)
                | Self::Smm(S::Undo | S::Active | S::Resolved | S::Review)
        )
    }

    /// Whether the order still moves: somebody must look at it again.
    fn is_open(self) -> bool {
        match self {
            Self::Otp(state) => state.is_open(),
            Self::Smm(state) => !matches!(state, SmmState::Resolved | SmmState::Failed),
        }
    }

    /// Whether the latest purchase call may have ended so. A failed SMM order that has an upstream
    /// id was undone.
    fn follows(self, attempt: AttemptState, has_upstream_id: bool) -> bool {
        use ActivationState as A;
        use AttemptState as T;
        use SmmState as S;
        match self {
            Self::Otp(A::Calling) | Self::Smm(S::Calling) => attempt == T::Calling,
            Self::Otp(A::InDoubt) | Self::Smm(S::InDoubt) => attempt == T::InDoubt,
            Self::Otp(A::Failed) | Self::Smm(S::Failed) if !has_upstream_id => {
                matches!(attempt, T::Refused | T::Absent | T::LatePossible)
            }
            Self::Otp(_) | Self::Smm(_) => matches!(attempt, T::Done | T::Linked),
        }
    }
}

/// An order of either kind with the rows that must stand beside it.
pub(crate) struct OrderFacts {
    pub(crate) id: OrderId,
    pub(crate) account: AccountId,
    pub(crate) price: Usd,
    pub(crate) state: State,
    pub(crate) due_at: Option<Timestamp>,
    pub(crate) upstream_id: Option<String>,
    /// The order the link names.
    pub(crate) linked_to: Option<OrderId>,
    /// Customer and amount of the hold.
    pub(crate) hold: Option<(AccountId, Usd)>,
    /// Posted and released, once resolved.
    pub(crate) resolution: Option<(Usd, Usd)>,
    /// Number of the latest purchase call, as the order says.
    pub(crate) attempt: i64,
    /// Number and word of the newest row of a purchase call.
    pub(crate) latest_attempt: Option<(i64, String)>,
}

impl OrderFacts {
    /// The order against its hold, its resolution, its link, its purchase call and its clock.
    pub(crate) fn check(&self, now: Timestamp, findings: &mut Findings) {
        let (id, word) = (self.id, self.state.word());
        let held = self.hold == Some((self.account, self.price));
        findings.require(held, "I-12", || {
            let hold = self
                .hold
                .map(|(account, amount)| format!("{amount} of account {account}"));
            format!(
                "order {id} of account {} for {}: hold is {}",
                self.account,
                self.price,
                hold.unwrap_or_else(|| "missing".into())
            )
        });
        findings.require(self.money_fits(), "I-15", || {
            let posted = self.resolution.map(|(posted, _)| posted.to_string());
            format!(
                "order {id} is {word}, posted {}",
                posted.unwrap_or_else(|| "nothing yet".into())
            )
        });
        let linked = self.upstream_id.is_some() && self.linked_to.is_some();
        findings.require(linked || !self.state.is_linked(), "I-15", || {
            format!("order {id} is {word} and not linked")
        });
        let own = self.linked_to.is_none_or(|order| order == id);
        findings.require(own, "I-14", || {
            format!(
                "the upstream id of order {id} is linked to order {:?}",
                self.linked_to
            )
        });
        self.check_attempt(findings);
        if self.state.is_open() {
            let what = || format!("order {id} ({word})");
            check_due(self.due_at, now, what, findings);
        }
    }

    fn money_fits(&self) -> bool {
        match (self.state.money(), self.resolution) {
            (Money::Held, resolution) => resolution.is_none(),
            (Money::Released, resolution) => {
                resolution.is_some_and(|(posted, _)| posted == Usd::ZERO)
            }
            (Money::Posted, Some((posted, _))) => posted > Usd::ZERO || self.price == Usd::ZERO,
            (Money::Resolved, resolution) => resolution.is_some(),
            (Money::Posted, None) => false,
        }
    }

    /// Words that no rule knows are named where all purchase calls are read.
    fn check_attempt(&self, findings: &mut Findings) {
        let (id, word) = (self.id, self.state.word());
        let Some((seq, attempt)) = &self.latest_attempt else {
            findings.add("I-12", format!("order {id} is {word} without an attempt"));
            return;
        };
        findings.require(*seq == self.attempt, "I-12", || {
            let expected = self.attempt;
            format!("order {id}: its latest attempt is {seq}, not {expected}")
        });
        let follows = AttemptState::from_slug(attempt)
            .is_none_or(|attempt| self.state.follows(attempt, self.upstream_id.is_some()));
        findings.require(follows, "I-15", || {
            format!("order {id} is {word}, its attempt {seq} is {attempt}")
        });
    }
}

/// What an activation says of its messages and its cost, and the rows that must agree.
pub(crate) struct OtpFacts {
    pub(crate) messages: u64,
    pub(crate) message_rows: u64,
    pub(crate) cost_is_booked: bool,
}

impl OtpFacts {
    /// A code is charged for only if it is there, and its cost is in the books.
    pub(crate) fn check(&self, order: &OrderFacts, findings: &mut Findings) {
        let (id, word) = (order.id, order.state.word());
        let (told, rows) = (self.messages, self.message_rows);
        findings.require(told == rows, "I-16", || {
            format!("order {id} is {word} and counts {told} messages, {rows} are stored")
        });
        if !matches!(order.state, State::Otp(ActivationState::Received)) {
            return;
        }
        findings.require(rows > 0, "I-16", || {
            format!("order {id} is {word} for {} without a message", order.price)
        });
        findings.require(self.cost_is_booked, "I-18", || {
            format!("order {id} is {word} and its upstream cost was never booked")
        });
    }
}

/// A step in the background has an owner: it is due some time, and not long ago.
pub(crate) fn check_due(
    due_at: Option<Timestamp>,
    now: Timestamp,
    what: impl Fn() -> String,
    findings: &mut Findings,
) {
    findings.require(due_at.is_some(), "I-20", || {
        format!("{} is never due", what())
    });
    let late = due_at.map(|due_at| now - due_at);
    findings.require(late.is_none_or(|late| late <= PATIENCE), "I-20", || {
        format!(
            "{} is overdue by {} s",
            what(),
            late.map_or(0, Millis::ceil_seconds)
        )
    });
}
