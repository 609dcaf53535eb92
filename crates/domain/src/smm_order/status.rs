//! What becomes of an order as its panel speaks of it: display, observations, money.

use super::{Observation, SmmOrder, SmmPlan, SmmState, review};
use crate::change::{Reason, Write};
use crate::mutant::lacks_rule;
use crate::order::Failure;
use crate::settlement::{self, Verdict};
use crate::time::{Millis, Timestamp};
use crate::upstream::{PanelStatus, Progress};
use crate::usd::Usd;

/// Times in a row that a panel may not know the id it gave before a person looks.
const UNKNOWN_MAX: i64 = 10;

/// After so long what is undone and no longer known at its panel counts as lost.
const FORGOTTEN_AFTER: Millis = Millis::minutes(24 * 60);

impl SmmOrder {
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
        let (candidate, charged) = (self.candidate, self.charge);
        let whole = self.whole(status);
        let status = &self.with_its_charge(whole);
        let failed_before = self.answers_again();
        let shows_more = self.take_over(status);
        if self.charge != charged && settlement::charge_decides(&self, status) {
            // what was kept decides what goes back, so it has to be seen twice as well
            self.candidate = None;
        }
        let verdict = settlement::judge(&self, status, plan, now);
        let mut writes = Vec::new();
        if shows_more || self.rests_on(status, verdict, plan, now) {
            writes.push(self.observe(status, now));
        }
        let undo = self.state == SmmState::Undo;
        if self.resolved_at.is_some() && !undo {
            writes.extend(self.book_correction(charged));
        }
        match (verdict, self.resolved_at) {
            (Verdict::Final { shown, refund }, Some(_)) if undo => {
                writes.extend(self.undo_ended(shown, refund, plan, now));
                return writes;
            }
            (Verdict::Final { shown, refund }, Some(resolved_at)) => {
                let outcome = (shown, refund);
                writes.extend(self.correct(outcome, resolved_at, plan, (ticket, now)));
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
            && writes.is_empty()
            && !failed_before
            && self.candidate == candidate
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

    /// A final word that was told with its charge before keeps it where the panel leaves it out. What
    /// was charged while the order ran says nothing of what is kept at its end.
    fn with_its_charge(&mut self, mut status: PanelStatus) -> PanelStatus {
        let word = status.progress.filter(|word| word.is_final());
        let open = self.resolved_at.is_none();
        if let Some(word) = word.filter(|_| open && status.charge.is_none()) {
            let same = (word, status.remains);
            let again = self
                .candidate
                .is_some_and(|seen| (seen.progress, seen.remains) == same);
            self.charge = self.charge.filter(|_| again);
            status.charge = self.charge;
        }
        status
    }

    /// The panel knows the id again. Gives whether it did not before.
    fn answers_again(&mut self) -> bool {
        std::mem::take(&mut self.tries) > 0
    }

    /// Takes over what may be shown. Gives whether any of it is new.
    fn take_over(&mut self, status: &PanelStatus) -> bool {
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
        before != (self.progress, self.remains, self.start_count, self.charge)
    }

    /// Whether money may rest on this word although it shows nothing new: then it has to be on
    /// record. A word that is only repeated need not be.
    fn rests_on(
        &self,
        status: &PanelStatus,
        verdict: Verdict,
        plan: &SmmPlan,
        now: Timestamp,
    ) -> bool {
        if !status.progress.is_none_or(Progress::is_final) {
            return false;
        }
        let is_new = match verdict {
            Verdict::Final { .. } => true,
            Verdict::Wait(candidate) => candidate.is_some() && candidate != self.candidate,
            Verdict::Review => false,
        };
        match self.state {
            SmmState::Resolved if lacks_rule(55) => false,
            SmmState::Resolved => {
                let outcome = settlement::outcome(self, status, plan, now);
                let other = outcome.is_some_and(|(_, refund)| refund != self.returned);
                is_new && other
            }
            SmmState::Review => is_new || self.observations == 0,
            _ => self.resolved_at.is_none(),
        }
    }

    pub(super) fn observe(&mut self, status: &PanelStatus, now: Timestamp) -> Write {
        self.observations += 1;
        Write::Observe(Observation {
            order: self.id,
            seq: self.observations,
            raw_status: status.raw_status.chars().take(64).collect(),
            progress: status.progress,
            remains: status.remains,
            start_count: status.start_count,
            charge: status.charge,
            at: now,
        })
    }

    pub(super) fn finish(
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

    /// The panel does not know the id it once gave: never a cancel; review after several times in a
    /// row. What is undone has nobody to wait for it: after a day the house bears what it cost.
    pub fn unknown_upstream(mut self, plan: &SmmPlan, ticket: i64, now: Timestamp) -> Vec<Write> {
        let undone_at = self.resolved_at.filter(|_| self.state == SmmState::Undo);
        if undone_at.is_some_and(|at| at + FORGOTTEN_AFTER <= now) {
            return self.undo_ended(Progress::Partial, Usd::ZERO, plan, now);
        }
        self.tries += 1;
        if lacks_rule(30) && self.resolved_at.is_none() {
            let release = self.resolve(Usd::ZERO, Reason::ClosedUpstream, now);
            self.state = SmmState::Resolved;
            return vec![release, self.save()];
        }
        let mut ticketed = None;
        if self.tries >= UNKNOWN_MAX && self.resolved_at.is_none() {
            ticketed = self.review("no longer knows the id that it gave", ticket, now);
        }
        self.due_at = self
            .next_look(plan, now)
            .map(|look| look.min(now + plan.pause(self.tries)));
        [self.save()].into_iter().chain(ticketed).collect()
    }

    /// No usable answer, or none about this order. It is asked for again after a part of its usual
    /// pause: where a third of all answers is lost, it is still heard of within two of them.
    pub fn unheard(mut self, plan: &SmmPlan, now: Timestamp) -> Vec<Write> {
        let Some(usual) = self.next_look(plan, now) else {
            // the watch is over
            self.due_at = None;
            return vec![self.save()];
        };
        let (usual, retry) = ((usual - now).0, plan.retry.0);
        let pause = (usual / 4).max(retry.min(usual));
        vec![Write::PostponeSmmOrder {
            order: self.id,
            due_at: now + Millis(pause),
        }]
    }
}
