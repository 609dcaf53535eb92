//! An SMM order: its states, and one function for each thing that can happen to it.

use crate::attempt::{Attempt, AttemptEnd, AttemptState};
use crate::change::{Reason, Write};
use crate::ids::{AccountId, OrderId};
use crate::ledger::Entry;
use crate::mutant::lacks_rule;
use crate::order::{Failure, Told};
use crate::settlement::{self, Verdict};
use crate::time::{Millis, Timestamp};
use crate::upstream::{PanelStatus, Progress};
use crate::usd::Usd;

mod children;
mod correction;
mod observation;
mod plan;
mod review;
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
    /// Failed tries of the present background step.
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
    /// released at once, and what the panel delivers is the house's loss.
    pub fn linked(
        mut self,
        id: &str,
        evidence: &str,
        plan: &SmmPlan,
        now: Timestamp,
    ) -> Vec<Write> {
        let link = self.link(id, plan, now);
        let end = self.end_attempt(AttemptState::Linked, evidence, None);
        if self.told == Told::Failed && !lacks_rule(13) {
            let release = self.resolve(Usd::ZERO, Reason::Undone, now);
            self.state = SmmState::Undo;
            self.due_at = Some(now);
            return vec![link, end, release, self.save()];
        }
        self.state = SmmState::Active;
        vec![link, end, self.save()]
    }

    /// The client went away in the very moment in which its order was stored: nobody was told, so
    /// nobody is charged, and a cancel is asked for.
    pub fn taken_back(mut self, now: Timestamp) -> Vec<Write> {
        let release = self.resolve(Usd::ZERO, Reason::Undone, now);
        self.state = SmmState::Undo;
        self.told = Told::Failed;
        self.due_at = Some(now);
        self.tries = 0;
        vec![release, self.save()]
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

    /// The panel's word on the order. Display follows at once, money only once a final state was
    /// seen twice; after the resolution only the difference in the client's favour is paid. Where a
    /// person has to look, a ticket is opened under the fresh row id.
    pub fn observed(
        mut self,
        status: &PanelStatus,
        plan: &SmmPlan,
        ticket: i64,
        now: Timestamp,
    ) -> Vec<Write> {
        let status = &self.whole(status);
        let charged = self.charge;
        let mut writes = self.record(status, now);
        let changed = !writes.is_empty();
        let undo = self.state == SmmState::Undo;
        if self.charge != charged && settlement::charge_decides(&self, status) {
            // what was kept decides what goes back, so it has to be seen twice as well
            self.candidate = None;
        }
        if self.resolved_at.is_some() && !undo {
            writes.extend(self.book_correction(charged));
        }
        match (
            settlement::judge(&self, status, plan.confirmation, now),
            self.resolved_at,
        ) {
            (Verdict::Final { shown, refund }, Some(_)) if undo => {
                writes.extend(self.undo_ended(shown, refund, plan, now));
                return writes;
            }
            (Verdict::Final { refund, .. }, Some(resolved_at)) => {
                writes.extend(self.correct(refund, resolved_at, plan, (ticket, now)));
            }
            (Verdict::Final { shown, refund }, None) => {
                writes.extend(self.finish(shown, refund, status, now));
            }
            (Verdict::Wait(candidate), _) => self.candidate = candidate,
            (Verdict::Review, None) => {
                let why = review::contradiction(status);
                writes.extend(self.review(&why, ticket, now));
            }
            (Verdict::Review, Some(_)) if undo => {
                writes.extend(self.undo_ended(Progress::Partial, Usd::ZERO, plan, now));
                return writes;
            }
            (Verdict::Review, Some(_)) => {}
        }
        self.due_at = self.next_look(plan, now);
        if let Some(due_at) = self.due_at
            && !changed
            && writes.is_empty()
            && self.candidate.is_none()
        {
            return vec![Write::PostponeSmmOrder {
                order: self.id,
                due_at,
            }];
        }
        // the row first: a worker that lost the race must find that out before its money is judged
        writes.insert(0, self.save());
        writes
    }

    /// Takes over what may be shown and stores the observation if it says anything new.
    fn record(&mut self, status: &PanelStatus, now: Timestamp) -> Vec<Write> {
        let before = (self.progress, self.remains, self.start_count, self.charge);
        if let Some(progress) = status.progress
            && self.resolved_at.is_none()
            && !progress.is_final()
        {
            let forward = self.progress.max(progress);
            self.progress = if lacks_rule(31) { progress } else { forward };
        }
        if let Some(remains) = status.remains
            && self.resolved_at.is_none()
        {
            self.remains = settlement::undelivered(remains, self.quantity);
        }
        if let Some(count) = status.start_count
            && self.start_count == 0
        {
            self.start_count = count;
        }
        self.charge = status.charge.or(self.charge);
        let same = before == (self.progress, self.remains, self.start_count, self.charge);
        let final_word = status.progress.is_none_or(Progress::is_final);
        // in review a final word is repeated at every look; the first one has to be on record
        let first = self.observations == 0;
        let counts = self.resolved_at.is_none() && (self.state != SmmState::Review || first);
        if same && !(final_word && counts) {
            return Vec::new();
        }
        self.observations += 1;
        vec![Write::Observe(Observation {
            order: self.id,
            seq: self.observations,
            raw_status: status.raw_status.chars().take(64).collect(),
            remains: status.remains,
            start_count: status.start_count,
            charge: status.charge,
            at: now,
        })]
    }

    fn finish(
        &mut self,
        shown: Progress,
        refund: Usd,
        status: &PanelStatus,
        now: Timestamp,
    ) -> Vec<Write> {
        let posted = Usd(self.price.0 - refund.0);
        let reason = if posted == Usd::ZERO {
            Reason::ClosedUpstream
        } else {
            Reason::Delivered
        };
        let mut writes = vec![self.resolve(posted, reason, now)];
        self.state = SmmState::Resolved;
        self.progress = shown;
        self.candidate = None;
        if shown == Progress::Completed {
            self.remains = settlement::undelivered(status.remains.unwrap_or(0), self.quantity);
        }
        let taken = status.charge.unwrap_or_else(|| self.quoted_share(posted));
        self.charge = Some(taken);
        writes.extend(self.book(posted, taken));
        writes
    }

    /// The quoted cost of the part that was posted.
    fn quoted_share(&self, posted: Usd) -> Usd {
        let share = i128::from(self.cost_quote.0) * i128::from(posted.0);
        let part = share / i128::from(self.price.0.max(1));
        Usd(i64::try_from(part).unwrap_or(self.cost_quote.0))
    }

    /// What the panel takes or gives back once the cost is booked: the difference, by itself.
    fn book_correction(&self, charged: Option<Usd>) -> Option<Write> {
        let (before, after) = (charged?.0, self.charge?.0);
        let difference = Usd(after - before);
        let seq = self.observations;
        let entry = Entry::upstream_cost(self.id, seq, &self.upstream, Usd::ZERO, difference);
        (!entry.postings.is_empty()).then_some(Write::Book(entry))
    }

    fn book(&self, posted: Usd, taken: Usd) -> Option<Write> {
        let entry = if posted > Usd::ZERO {
            let quoted = self.quoted_share(posted);
            Entry::upstream_cost(self.id, 0, &self.upstream, quoted, taken)
        } else {
            Entry::upstream_loss(self.id, 0, &self.upstream, taken)
        };
        (!entry.postings.is_empty()).then_some(Write::Book(entry))
    }

    /// The panel is done with an order that was undone. It is watched on like any other: what it
    /// still returns belongs in the books.
    fn undo_ended(
        mut self,
        shown: Progress,
        refund: Usd,
        plan: &SmmPlan,
        now: Timestamp,
    ) -> Vec<Write> {
        let kept = Usd(self.price.0 - refund.0);
        let taken = self.charge.unwrap_or_else(|| self.quoted_share(kept));
        let loss = self.book(Usd::ZERO, taken);
        self.charge = Some(taken);
        self.state = SmmState::Failed;
        self.progress = shown;
        self.candidate = None;
        self.failure = Some(Failure::ProviderUnavailable);
        self.due_at = self.next_look(plan, now);
        loss.into_iter().chain([self.save()]).collect()
    }

    /// When to read the status again.
    fn next_look(&self, plan: &SmmPlan, now: Timestamp) -> Option<Timestamp> {
        let candidate = self.candidate.map(|seen| seen.since + plan.confirmation);
        let confirmed_at = candidate.filter(|at| *at > now);
        if let Some(resolved_at) = self.resolved_at
            && self.state != SmmState::Undo
        {
            let end = resolved_at + plan.watch;
            let slowest = plan.poll.last().copied().unwrap_or(plan.retry);
            let next = now + Millis(slowest.0.max((now - resolved_at).0));
            return confirmed_at.or((now < end).then(|| next.min(end)));
        }
        Some(confirmed_at.unwrap_or(now + plan.poll_pause(now - self.created_at)))
    }

    /// The panel does not know the id it once gave: never a cancel; review after several times.
    pub fn unknown_upstream(mut self, plan: &SmmPlan, ticket: i64, now: Timestamp) -> Vec<Write> {
        self.tries += 1;
        if lacks_rule(30) && self.resolved_at.is_none() {
            let release = self.resolve(Usd::ZERO, Reason::ClosedUpstream, now);
            self.state = SmmState::Resolved;
            return vec![release, self.save()];
        }
        let mut ticketed = None;
        if self.tries >= 10 && self.resolved_at.is_none() {
            ticketed = self.review("no longer knows the id that it gave", ticket, now);
        }
        self.due_at = Some(now + plan.pause(self.tries));
        [self.save()].into_iter().chain(ticketed).collect()
    }

    /// A background step came to nothing: try again later.
    pub fn try_again(mut self, plan: &SmmPlan, now: Timestamp) -> Vec<Write> {
        self.due_at = Some(now + plan.pause(self.tries));
        self.tries += 1;
        vec![self.save()]
    }
}
