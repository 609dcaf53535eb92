//! An SMM order: its states, and one function for each thing that can happen to it.

use crate::attempt::{Attempt, AttemptEnd, AttemptState};
use crate::change::{Reason, Write};
use crate::ids::{AccountId, OrderId};
use crate::mutant::lacks_rule;
use crate::order::{Failure, Told};
use crate::smm_request::{RequestKind, SmmRequest};
use crate::time::{Millis, Timestamp};
use crate::upstream::Progress;
use crate::usd::Usd;

mod children;
mod correction;
mod costs;
mod observation;
mod plan;
mod review;
mod status;
#[cfg(test)]
pub(crate) mod tests;

pub use observation::{Candidate, Observation};
pub use plan::SmmPlan;

/// Where an SMM order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SmmState {
    /// The purchase call may be in flight; the charge is on hold.
    Calling,
    /// The call may have succeeded; the hold stays until evidence or the end of the window.
    InDoubt,
    /// Placed although its client was told "failed": released to the client, cancelled upstream.
    Undo,
    /// Accepted by the panel, not final.
    Active,
    /// Final and paid out.
    Resolved,
    /// Never placed; the hold went back.
    Failed,
    /// The panel contradicts itself: the hold stays until the operator or the panel settles it.
    Review,
}

impl SmmState {
    /// All states.
    pub const ALL: [Self; 7] = [
        Self::Calling,
        Self::InDoubt,
        Self::Undo,
        Self::Active,
        Self::Resolved,
        Self::Failed,
        Self::Review,
    ];

    /// Stable word for rows.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Calling => "calling",
            Self::InDoubt => "in_doubt",
            Self::Undo => "undo",
            Self::Active => "active",
            Self::Resolved => "resolved",
            Self::Failed => "failed",
            Self::Review => "review",
        }
    }

    /// Reads a row's word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.slug() == slug)
    }
}

impl Progress {
    /// All words, lowest rank first.
    pub const ALL: [Self; 6] = [
        Self::Pending,
        Self::Processing,
        Self::InProgress,
        Self::Completed,
        Self::Partial,
        Self::Canceled,
    ];

    /// The public word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Processing => "Processing",
            Self::InProgress => "In progress",
            Self::Completed => "Completed",
            Self::Partial => "Partial",
            Self::Canceled => "Canceled",
        }
    }

    /// Reads a public word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|progress| progress.word() == word)
    }

    /// Whether the panel calls the order final.
    pub fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Partial | Self::Canceled)
    }
}

/// An SMM order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmmOrder {
    /// Id, given out as the order id.
    pub id: OrderId,
    /// Whose it is.
    pub account: AccountId,
    /// Fencing epoch.
    pub version: i64,
    /// State.
    pub state: SmmState,
    /// What the client was told.
    pub told: Told,
    /// Public service id.
    pub service_id: String,
    /// Service name.
    pub service_name: String,
    /// Target.
    pub link: String,
    /// The members sent to the panel, `name=value` by line.
    pub members: String,
    /// Units billed.
    pub quantity: u64,
    /// Whether the price is flat: refund is all or nothing.
    pub flat: bool,
    /// Charge, equal to the hold.
    pub price: Usd,
    /// What it was quoted to cost the house.
    pub cost_quote: Usd,
    /// Class and rule version the policy engine decided with.
    pub policy: (String, i64),
    /// Upstream of the latest attempt.
    pub upstream: String,
    /// The panel's service id.
    pub upstream_service: String,
    /// Number of the latest attempt.
    pub attempt: i64,
    /// The panel's order id, once linked.
    pub upstream_id: Option<String>,
    /// Public progress; its rank never falls.
    pub progress: Progress,
    /// Undelivered units shown to the client, 0 to `quantity`.
    pub remains: u64,
    /// Count at the start, 0 until known.
    pub start_count: i64,
    /// What the panel last said it charged.
    pub charge: Option<Usd>,
    /// A final state waiting for its confirmation.
    pub candidate: Option<Candidate>,
    /// How many observations were stored.
    pub observations: i64,
    /// What went back to the client so far.
    pub returned: Usd,
    /// How many adjustments followed the resolution.
    pub adjustments: i64,
    /// Creation.
    pub created_at: Timestamp,
    /// End of the window in which an unknown purchase can still show up.
    pub in_doubt_until: Option<Timestamp>,
    /// When it became final.
    pub resolved_at: Option<Timestamp>,
    /// When background work must look at it next.
    pub due_at: Option<Timestamp>,
    /// Failed tries of the present background step; of a linked order, how often in a row its panel
    /// did not know the id.
    pub tries: i64,
    /// Why it failed, once it did.
    pub failure: Option<Failure>,
}

impl SmmOrder {
    /// Our own id of the latest attempt, unlike that of any other installation.
    pub fn purchase_reference(&self) -> String {
        let (order, attempt, at) = (self.id.0, self.attempt, self.created_at.0);
        format!("tollgate-smm-{order}-{attempt}-{at}")
    }

    /// First writes of an order: the row, the hold and the attempt, durable before the call.
    pub fn open(mut self, plan: &SmmPlan) -> Vec<Write> {
        self.due_at = Some(self.created_at + plan.lease);
        let (account, order, amount) = (self.account, self.id, self.price);
        let attempt = Attempt::calling(order, self.attempt, &self.upstream, self.created_at);
        vec![
            Write::Hold {
                account,
                order,
                amount,
            },
            Write::InsertSmmOrder(Box::new(self)),
            Write::BeginAttempt(attempt),
        ]
    }

    /// Whether the client may ever be told of this order by id.
    pub fn known_to_client(&self) -> bool {
        self.told != Told::Failed
    }

    /// The word the client sees.
    pub fn public_progress(&self) -> Progress {
        match self.state {
            SmmState::Calling | SmmState::InDoubt | SmmState::Undo => Progress::Pending,
            SmmState::Failed => Progress::Canceled,
            SmmState::Active | SmmState::Resolved | SmmState::Review => self.progress,
        }
    }

    fn end_attempt(&self, state: AttemptState, evidence: &str, raw: Option<String>) -> Write {
        Write::EndAttempt(AttemptEnd {
            order: self.id,
            seq: self.attempt,
            state,
            evidence: evidence.to_owned(),
            raw,
        })
    }

    fn save(self) -> Write {
        Write::UpdateSmmOrder(Box::new(self))
    }

    fn resolve(&mut self, posted: Usd, reason: Reason, now: Timestamp) -> Write {
        self.returned = Usd(self.price.0 - posted.0);
        self.resolved_at = Some(now);
        Write::Resolve {
            account: self.account,
            order: self.id,
            held: self.price,
            posted,
            reason,
        }
    }

    fn link(&mut self, upstream_id: &str, plan: &SmmPlan, now: Timestamp) -> Write {
        self.upstream_id = Some(upstream_id.to_owned());
        self.tries = 0;
        self.due_at = Some(now + plan.poll_pause(Millis(0)));
        Write::Link {
            upstream: self.upstream.clone(),
            upstream_id: upstream_id.to_owned(),
            order: Some(self.id),
        }
    }

    /// The panel accepted it and the client still waits for the answer.
    pub fn accepted(mut self, id: &str, plan: &SmmPlan, now: Timestamp, raw: String) -> Vec<Write> {
        let link = self.link(id, plan, now);
        let end = self.end_attempt(AttemptState::Done, "answer", Some(raw));
        self.state = SmmState::Active;
        self.told = Told::Done;
        vec![link, end, self.save()]
    }

    /// The panel definitely placed nothing.
    pub fn refused(
        mut self,
        failure: Failure,
        class: &str,
        raw: String,
        now: Timestamp,
    ) -> Vec<Write> {
        let end = self.end_attempt(AttemptState::Refused, class, Some(raw));
        let release = self.resolve(Usd::ZERO, Reason::NotBought, now);
        self.state = SmmState::Failed;
        self.told = Told::Done;
        self.failure = Some(failure);
        self.due_at = None;
        vec![release, end, self.save()]
    }

    /// One panel definitely placed nothing; the next one is tried on the same hold.
    pub fn next_route(
        mut self,
        class: &str,
        raw: String,
        (upstream, cost_quote, service): (&str, Usd, &str),
        plan: &SmmPlan,
        now: Timestamp,
    ) -> Vec<Write> {
        let end = self.end_attempt(AttemptState::Refused, class, Some(raw));
        self.attempt += 1;
        self.upstream = upstream.to_owned();
        self.upstream_service = service.to_owned();
        self.cost_quote = cost_quote;
        self.due_at = Some(now + plan.lease);
        let begin = Attempt::calling(self.id, self.attempt, upstream, now);
        vec![end, Write::BeginAttempt(begin), self.save()]
    }

    /// Nobody knows what the panel did. The hold stays.
    pub fn in_doubt(
        mut self,
        sent_at: Timestamp,
        plan: &SmmPlan,
        now: Timestamp,
        why: &str,
    ) -> Vec<Write> {
        let end = self.end_attempt(AttemptState::InDoubt, why, None);
        self.state = SmmState::InDoubt;
        self.in_doubt_until = Some(sent_at + plan.in_doubt_window);
        self.due_at = Some(now);
        self.tries = 0;
        vec![end, self.save()]
    }

    /// Evidence names the order this purchase made. If its client was told "failed" the client is
    /// released at once, a cancel is asked for under this fresh row id, and what the panel delivers
    /// is the house's loss.
    pub fn linked(
        mut self,
        id: &str,
        evidence: &str,
        plan: &SmmPlan,
        (cancel, now): (i64, Timestamp),
    ) -> Vec<Write> {
        let link = self.link(id, plan, now);
        let end = self.end_attempt(AttemptState::Linked, evidence, None);
        if self.told == Told::Failed && !lacks_rule(13) {
            let release = self.resolve(Usd::ZERO, Reason::Undone, now);
            self.state = SmmState::Undo;
            let cancel = self.cancel_undone(cancel, now);
            let writes = [link, end, release, self.save()].into_iter();
            return writes.chain(cancel).collect();
        }
        self.state = SmmState::Active;
        vec![link, end, self.save()]
    }

    /// The client went away in the very moment in which its order was stored: nobody was told, so
    /// nobody is charged, and a cancel is asked for under this fresh row id.
    pub fn taken_back(mut self, cancel: i64, now: Timestamp) -> Vec<Write> {
        let release = self.resolve(Usd::ZERO, Reason::Undone, now);
        self.state = SmmState::Undo;
        self.told = Told::Failed;
        self.tries = 0;
        let cancel = self.cancel_undone(cancel, now);
        [release, self.save()].into_iter().chain(cancel).collect()
    }

    /// The cancel of what nobody pays for is a row of its own, so that it is asked for until the
    /// panel answers, whoever dies meanwhile.
    fn cancel_undone(&self, row: i64, now: Timestamp) -> Option<Write> {
        let cancel = SmmRequest::of(self, RequestKind::Cancel, row, now);
        cancel.map(|cancel| Write::InsertSmmRequest(Box::new(cancel)))
    }

    /// The window is over without evidence.
    pub fn absent(mut self, state: AttemptState, now: Timestamp) -> Vec<Write> {
        let end = self.end_attempt(state, "window_ended", None);
        let release = self.resolve(Usd::ZERO, Reason::NotBought, now);
        self.state = SmmState::Failed;
        self.failure = Some(Failure::ProviderUnavailable);
        self.due_at = None;
        vec![release, end, self.save()]
    }

    /// A background step came to nothing: again after a pause, at the end of the in-doubt window at
    /// the latest.
    pub fn try_again(mut self, plan: &SmmPlan, now: Timestamp) -> Vec<Write> {
        let next = now + plan.pause(self.tries);
        let window = self
            .in_doubt_until
            .filter(|until| self.state == SmmState::InDoubt && *until > now);
        self.due_at = Some(window.map_or(next, |until| next.min(until)));
        self.tries += 1;
        vec![self.save()]
    }
}
