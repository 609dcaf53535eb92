//! Background work for activations: due steps, news from the upstreams' lists, orphans.

use crate::engine::Engine;
use crate::health::count_cancel;
use crate::purchase::Order;
use domain::activation::{Activation, ActivationState};
use domain::change::Reason;
use domain::mutant::lacks_rule;
use domain::orphan::{Orphan, OrphanState};
use domain::outcomes::Ended;
use domain::ports::StoreError;
use domain::time::{Millis, Timestamp};
use domain::upstream::{CancelReply, ListedNumber, NumberStatus, NumberUpstream, ReadFailure};
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use tokio::sync::oneshot;

/// Rows of one upstream that are taken up at once; the rest is due in its next pass.
const BATCH: u32 = 50;

/// For how long rows that were taken up are worked on: they are claimed for longer, so that none is
/// begun here that another node may have by then.
const AT_WORK: Millis = Millis::seconds(20);

/// Status reads in one pass for activations that a list no longer shows, or that no list shows: with
/// a thousand of them whose customers poll once in each pass, less than one read for twenty polls.
const SINGLE_READS: usize = 40;

/// How long one step for an orphan may take: two cancels at once could both be answered, and the
/// later one change what the first was told.
const ORPHAN_LEASE: Millis = Millis::seconds(60);

/// Longest pause between two tries to cancel an orphan.
const ORPHAN_PAUSE_MAX: Millis = Millis::minutes(2);

/// Tries after which an orphan that the upstream no longer knows counts as lost.
const ORPHAN_FORGOTTEN_AFTER: i64 = 12;

impl Engine {
    /// Takes due steps of activations and orphans, and waits for all of them. Gives how many rows
    /// were looked at.
    pub async fn run_due_activations(self: &Arc<Self>) -> usize {
        let mut count = 0;
        for working in self.begin_due_activations().await {
            count += working.await.unwrap_or(0);
        }
        count
    }

    /// Begins the due steps of activations and orphans, those of each upstream in a task of its own:
    /// one that hangs holds up nobody else, and is left alone until its task is done. Each task
    /// says at its end how many rows it looked at.
    pub async fn begin_due_activations(self: &Arc<Self>) -> Vec<oneshot::Receiver<usize>> {
        if self.clock_is_behind() {
            return Vec::new();
        }
        let due = self.store().upstreams_due(self.now()).await;
        let names = due.unwrap_or_else(|error| {
            tracing::error!(%error, "due activations could not be read");
            Vec::new()
        });
        let free = names
            .into_iter()
            .filter_map(|name| AtWork::begin(self, name));
        free.map(|work| {
            let (tell, told) = oneshot::channel();
            self.outside.tasks.spawn(Box::pin(async move {
                let count = work.engine.take_steps(&work.upstream).await;
                drop(work);
                let _ = tell.send(count);
            }));
            told
        })
        .collect()
    }

    async fn take_steps(&self, upstream: &str) -> usize {
        let (since, mut count) = (self.now(), 0);
        let due = self.store().claim_activations(upstream, since, BATCH).await;
        for activation in due.unwrap_or_else(|error| unread(upstream, &error)) {
            if self.now() - since >= AT_WORK {
                return count;
            }
            count += 1;
            self.due_step(activation, since).await;
        }
        let since = self.now();
        let due = self.store().claim_orphans(upstream, since, BATCH).await;
        for orphan in due.unwrap_or_else(|error| unread(upstream, &error)) {
            if self.now() - since >= AT_WORK {
                return count;
            }
            count += 1;
            self.cancel_orphan(orphan).await;
        }
        count
    }

    async fn due_step(&self, activation: Activation, now: Timestamp) {
        use ActivationState as S;
        if let Some(until) = self.unwatched_lifetime(&activation) {
            self.step("lifetime_unwatched", activation.lease(until))
                .await;
            return;
        }
        match activation.state {
            // whoever made the call is gone: its answer will never be stored
            S::Calling => self.doubt_call(activation).await,
            S::InDoubt => self.settle_alone(activation, now).await,
            S::Active if lacks_rule(10) => {
                self.step("closed", activation.closed_upstream(Reason::Expired))
                    .await;
            }
            S::Active | S::CancelRequested => {
                let reason = activation.why_cancelled(now);
                self.claim_and_cancel(activation, reason).await
            }
            S::Undo => self.claim_and_cancel(activation, Reason::Undone).await,
            S::Received => self.finish(activation).await,
            S::Cancelled => self.look_for_late_code(activation).await,
            S::Failed => {
                self.step("ended", activation.watched_to_the_end()).await;
            }
        }
    }

    /// The end of a lifetime that seems to be over although this process has not watched all of it:
    /// the machine's clock may have jumped while nothing ran. Until it was watched, only the
    /// upstream's word ends the activation.
    fn unwatched_lifetime(&self, activation: &Activation) -> Option<Timestamp> {
        use ActivationState as S;
        let lives = matches!(activation.state, S::Active | S::Received);
        let since = self.watching_since();
        let plan = self.plan(&activation.wanted.server, &activation.upstream);
        let until = since + plan.lifetime;
        let unwatched = activation.created_at < since && self.now() < until;
        (lives && unwatched && !lacks_rule(10)).then_some(until)
    }

    /// Takes the row under a lease (its version rises, so that nobody else's step counts) and
    /// then asks the upstream.
    async fn claim_and_cancel(&self, activation: Activation, reason: Reason) {
        let plan = self.plan(&activation.wanted.server, &activation.upstream);
        let lease_until = self.now() + plan.lease;
        let writes = match activation.state {
            ActivationState::Active => activation.ask_cancel(lease_until),
            _ => activation.lease(lease_until),
        };
        let claimed = Activation::saved(&writes);
        if self.step("claim_cancel_step", writes).await
            && let Some(claimed) = claimed
        {
            self.cancel_upstream(claimed, reason).await;
        }
    }

    /// The lifetime of an activation with a code is over: tell the upstream, best effort.
    async fn finish(&self, activation: Activation) {
        if let (Some(upstream), Some(id)) = (
            self.number_upstream(&activation.upstream),
            activation.upstream_id.as_deref(),
        ) && let Err(error) = upstream.finish(id).await
        {
            tracing::debug!(order.id = activation.id.0, %error, "finish was not taken");
        }
        self.step("watched", activation.watched_to_the_end()).await;
    }

    /// Asks one upstream for news of everything that waits there, if its turn has come.
    pub async fn poll_upstream(&self, name: &str) {
        let now = self.now();
        let Some(upstream) = self.number_upstream(name).cloned() else {
            return;
        };
        if self.clock_is_behind() || !self.watch.poll_is_due(name, now) {
            return;
        }
        let waiting = async {
            let in_doubt = self.store().activations_in_doubt(name).await?;
            Ok::<_, StoreError>((self.store().activations_live(name).await?, in_doubt))
        };
        let (live, in_doubt) = match waiting.await {
            Ok(waiting) => waiting,
            Err(error) => {
                tracing::error!(%error, upstream = name, "live activations could not be read");
                return;
            }
        };
        // what is in doubt closes and opens an upstream also while it may not be read
        self.note_doubt(name, in_doubt.iter().map(|one| one.in_doubt_until));
        let pause = self.poll_pause(name, &live, &in_doubt);
        if !self.may_read(name) {
            self.watch.poll_again_at(name, now + Millis(pause.0 / 4));
            return;
        }
        if !self.has_turn(&format!("news of {name}"), pause).await {
            self.watch.poll_again_at(name, now + Millis(pause.0 / 4));
            return;
        }
        self.watch.poll_again_at(name, now + pause);
        if upstream.capabilities().list_active {
            self.poll_list(name, &upstream, live, in_doubt).await;
        } else {
            self.poll_each(name, upstream.as_ref(), live).await;
        }
    }

    /// Whether this node does what one of all nodes does about so often. A store that cannot say does
    /// not keep any from it.
    pub(crate) async fn has_turn(&self, what: &str, pause: Millis) -> bool {
        // clocks and passes are a little apart: a turn is not lost for that
        let pause = Millis(pause.0 * 3 / 4);
        self.store().take_turn(what, pause).await.unwrap_or(true)
    }

    /// Fresh activations are looked at often, old ones less; with nothing waiting, rarely, for
    /// orphans only.
    fn poll_pause(&self, name: &str, live: &[Activation], in_doubt: &[Activation]) -> Millis {
        let now = self.now();
        let base = jittered(self.poll_base(name), name, now).0;
        let waiting = live
            .iter()
            .filter(|one| one.state == ActivationState::Active);
        let youngest = waiting
            .chain(in_doubt)
            .map(|one| (now - one.created_at).0)
            .min();
        Millis(match youngest {
            Some(age) if age < Millis::minutes(2).0 => base,
            Some(age) if age < Millis::minutes(10).0 => base * 2,
            Some(_) => base * 4,
            None => base * 5,
        })
    }

    async fn poll_list(
        &self,
        name: &str,
        upstream: &Arc<dyn NumberUpstream>,
        live: Vec<Activation>,
        in_doubt: Vec<Activation>,
    ) {
        let asked_at = self.now();
        let listed = upstream.active().await;
        self.read_came_to(name, &listed);
        let listed = match listed {
            Ok(listed) => listed,
            Err(_) if lacks_rule(28) => Vec::new(),
            Err(error) => {
                tracing::warn!(upstream = name, %error, "the list of active numbers was not to be had");
                return;
            }
        };
        let by_id: HashMap<&str, &ListedNumber> =
            listed.iter().map(|row| (row.id.as_str(), row)).collect();
        let mut missing = Vec::new();
        for activation in live {
            let row = activation
                .upstream_id
                .as_deref()
                .and_then(|id| by_id.get(id));
            match row {
                Some(row) => self.listed_news(activation, row).await,
                None => missing.push(activation),
            }
        }
        let lag = upstream.capabilities().list_lag;
        let old_enough = missing
            .into_iter()
            .filter(|one| one.state == ActivationState::Active && asked_at - one.created_at > lag);
        self.poll_each(name, upstream.as_ref(), old_enough.collect())
            .await;
        self.settle_by_list(name, in_doubt, &listed, asked_at).await;
    }

    async fn listed_news(&self, activation: Activation, row: &ListedNumber) {
        let may_read = matches!(
            activation.state,
            ActivationState::Active | ActivationState::Received
        ) || lacks_rule(11);
        let Some(sms) = row.sms.clone().filter(|_| may_read && !row.retry_asked) else {
            return;
        };
        if activation.message.as_ref() != Some(&sms) {
            self.message_seen(activation, sms).await;
        }
    }

    /// Asks for one after the other, some in each pass: where more wait than one pass can ask for,
    /// the next one goes on behind the last that was asked for.
    async fn poll_each(
        &self,
        name: &str,
        upstream: &dyn NumberUpstream,
        mut activations: Vec<Activation>,
    ) {
        let last = self.watch.asked_last(name);
        activations.sort_by_key(|one| (Some(one.id) <= last, one.id));
        for activation in activations.into_iter().take(SINGLE_READS) {
            let Some(id) = activation.upstream_id.clone() else {
                continue;
            };
            if activation.state == ActivationState::CancelRequested {
                continue;
            }
            if !self.may_read(&activation.upstream) {
                return;
            }
            self.watch.asks(name, activation.id);
            let status = upstream.status(&id).await;
            self.read_came_to(&activation.upstream, &status);
            match status {
                Ok(NumberStatus::Code(sms)) if activation.message.as_ref() != Some(&sms) => {
                    self.message_seen(activation, sms).await;
                }
                Ok(NumberStatus::Closed | NumberStatus::ClosedAmbiguous)
                    if activation.state == ActivationState::Active =>
                {
                    self.closed_by_upstream(activation).await;
                }
                Ok(_) | Err(ReadFailure::UnknownOrder) => {}
                Err(error) => tracing::debug!(order.id = activation.id.0, %error, "no status"),
            }
        }
    }

    async fn closed_by_upstream(&self, activation: Activation) {
        let writes = activation.closed_upstream(Reason::ClosedUpstream);
        let ended = Activation::saved(&writes);
        if self.step("closed_upstream", writes).await
            && let Some(ended) = ended
        {
            self.measure(&ended, Ended::Silent);
        }
    }

    /// Asks to cancel an orphan. Only the upstream's word ends it: a cost that was called lost and
    /// is returned later would be in no book.
    async fn cancel_orphan(&self, orphan: Orphan) {
        let (taken, orphan) = orphan.lease(self.now() + ORPHAN_LEASE);
        if !self.step("orphan_lease", vec![taken]).await {
            return;
        }
        let pause = Millis((15_000 * (orphan.tries + 1)).min(ORPHAN_PAUSE_MAX.0));
        if orphan.state != OrphanState::Open {
            return;
        }
        if self.panel(&orphan.upstream).is_some() {
            self.settle_panel_orphan(orphan, pause).await;
            return;
        }
        let Some(upstream) = self.number_upstream(&orphan.upstream).cloned() else {
            self.put_off_orphan("orphan_waits", orphan, pause).await;
            return;
        };
        let reply = upstream.cancel(&orphan.upstream_id).await.outcome;
        count_cancel(&orphan.upstream, &reply);
        // what has outlived its time cannot be too young
        let lives = orphan.found_at + upstream.capabilities().activation_ttl - self.now();
        let writes = match reply {
            CancelReply::Cancelled => orphan.returned(),
            CancelReply::TooEarly(left) if lives > Millis(0) => {
                let pause = left.map_or(pause, |left| left.min(lives));
                return self.put_off_orphan("orphan", orphan, pause).await;
            }
            _ => match upstream.status(&orphan.upstream_id).await {
                Ok(NumberStatus::Code(_)) => orphan.lost(),
                Ok(NumberStatus::Closed) => orphan.returned(),
                // a cancel was sent: what was kept all the same shows in the balance
                Ok(NumberStatus::ClosedAmbiguous) if !lacks_rule(60) => orphan.returned(),
                Err(ReadFailure::UnknownOrder) if orphan.tries >= ORPHAN_FORGOTTEN_AFTER => {
                    orphan.lost()
                }
                _ => return self.put_off_orphan("orphan", orphan, pause).await,
            },
        };
        self.step("orphan", writes).await;
    }
}

/// The due steps of one upstream, as long as this process is at them.
struct AtWork {
    engine: Arc<Engine>,
    upstream: String,
}

impl AtWork {
    /// Nothing where this process is at them already.
    fn begin(engine: &Arc<Engine>, upstream: String) -> Option<Self> {
        let engine = Arc::clone(engine);
        let free = engine.watch.begins_work(&upstream);
        free.then_some(Self { engine, upstream })
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.engine.watch.ends_work(&self.upstream);
    }
}

/// Up to a fifth longer, by name and moment, so that upstreams are not all asked at once.
fn jittered(pause: Millis, name: &str, now: Timestamp) -> Millis {
    let mut hasher = DefaultHasher::new();
    (name, now.0).hash(&mut hasher);
    let share = i64::try_from(hasher.finish() % 21).unwrap_or(0);
    Millis(pause.0 + pause.0 * share / 100)
}

/// Steps that are due and could not be read stay due.
fn unread<T>(upstream: &str, error: &StoreError) -> Vec<T> {
    tracing::error!(upstream, %error, "due steps could not be read");
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_lengthens_a_pause_by_at_most_a_fifth_and_differs() {
        let pauses: Vec<i64> = (0..200)
            .map(|ms| jittered(Millis(1000), "romeo", Timestamp(ms)).0)
            .collect();
        assert!(pauses.iter().all(|pause| (1000..=1200).contains(pause)));
        assert!(pauses.iter().any(|pause| *pause != pauses[0]));
    }
}
