//! Cancelling a number: we only ask, the upstream decides who won.

use crate::engine::Engine;
use crate::health::count_cancel;
use crate::idempotency::KeyedRequest;
use crate::purchase::Order;
use crate::refusal::{Answer, Refusal};
use domain::access::Caller;
use domain::activation::{Activation, ActivationState};
use domain::change::{CommitError, Reason, Write};
use domain::ids::OrderId;
use domain::mutant::lacks_rule;
use domain::outcomes::Ended;
use domain::policy;
use domain::ticket::Ticket;
use domain::time::Millis;
use domain::upstream::{
    CancelReply, NumberStatus, NumberUpstream, ReadFailure, Refusal as Upstream,
};
use domain::usd::Usd;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Pause before a cancel is tried again where the upstream says "too early" but not how long.
const LOCK_UNKNOWN: Millis = Millis::seconds(15);

/// How often a caller that joins a running cancel looks whether it is done.
const JOIN_LOOK: Millis = Millis(50);

/// The longest pause between two such looks.
const JOIN_LOOK_MAX: Millis = Millis(800);

/// How often a request asks, or joins another one's cancel that came to nothing.
const ROUNDS: usize = 3;

/// Background tries after which an activation that the upstream no longer knows is released.
const FORGOTTEN_AFTER: i64 = 4;

impl Engine {
    /// Cancels a waiting activation and gives what went back to the wallet.
    pub async fn cancel(
        self: &Arc<Self>,
        caller: &Caller,
        order: OrderId,
        key: Option<KeyedRequest>,
    ) -> Answer<Usd> {
        let replayed = match &key {
            Some(key) => match self.find_claim(caller, key).await {
                Ok(found) => found.is_some(),
                Err(refusal) => return Answer::first(Err(refusal)),
            },
            None => false,
        };
        let outcome = self.cancel_own(caller, order).await;
        if outcome.is_ok()
            && let (Some(key), false) = (&key, replayed)
        {
            let claim = key.claim_for_order(caller, order, self.now(), &self.settings);
            self.step("claim_cancel", vec![Write::Claim(claim)]).await;
        }
        let replayed = replayed && outcome.is_ok();
        Answer { outcome, replayed }
    }

    async fn cancel_own(self: &Arc<Self>, caller: &Caller, order: OrderId) -> Result<Usd, Refusal> {
        for _ in 0..ROUNDS {
            let activation = self.own_activation(caller, order).await?;
            let joined = match activation.state {
                ActivationState::Active => self.ask_cancel(activation).await?,
                ActivationState::CancelRequested => None,
                _ => return cancel_outcome(&activation),
            };
            let settled = match joined {
                Some(back) => Some(back),
                None => self.join_cancel(order).await?,
            };
            if let Some(back) = settled {
                return Ok(back);
            }
        }
        Err(still_running())
    }

    /// Asks to cancel and gives what went back; nothing where another request was first.
    async fn ask_cancel(self: &Arc<Self>, activation: Activation) -> Result<Option<Usd>, Refusal> {
        let now = self.now();
        let own = activation.cancel_allowed_at.map(|at| at - now);
        let told = self.watch.cancel_lock(activation.id, now);
        if let Some(left) = own.max(told).filter(|left| *left > Millis(0)) {
            return Err(Refusal::CancelTooEarly(left));
        }
        let upstream = self.number_upstream(&activation.upstream);
        if upstream.is_some_and(|upstream| !upstream.capabilities().cancel) {
            return Err(Refusal::CancelNotSupported);
        }
        let plan = self.plan(&activation.wanted.server, &activation.upstream);
        let writes = activation.ask_cancel(now + plan.lease);
        let asked = Activation::saved(&writes);
        match (self.commit("ask_cancel", writes).await, asked) {
            (Ok(()), Some(asked)) => self.wait_for_cancel(asked).await.map(Some),
            (Err(CommitError::Refused(_)), _) => Ok(None),
            _ => Err(Refusal::StorageUnavailable),
        }
    }

    async fn wait_for_cancel(self: &Arc<Self>, asked: Activation) -> Result<Usd, Refusal> {
        let (answer, waiting) = oneshot::channel();
        let (engine, order) = (Arc::clone(self), asked.id);
        self.outside.tasks.spawn(Box::pin(async move {
            let outcome = engine.cancel_upstream(asked, Reason::Cancelled).await;
            let _ = answer.send(outcome);
        }));
        tokio::select! {
            biased;
            outcome = waiting => match outcome {
                Ok(Some(refusal)) => Err(refusal),
                _ => self.settled_cancel(order).await,
            },
            () = self.outside.clock.sleep(self.settings.sync_budget) => Err(still_running()),
        }
    }

    async fn settled_cancel(&self, order: OrderId) -> Result<Usd, Refusal> {
        match self.store().activation(order).await? {
            Some(activation) => cancel_outcome(&activation),
            None => Err(Refusal::OrderNotFound),
        }
    }

    /// Another request runs the cancel: same final answer, or "still running" after the budget.
    /// Nothing where it was refused for a reason that this process has not heard.
    async fn join_cancel(&self, order: OrderId) -> Result<Option<Usd>, Refusal> {
        let give_up_at = self.now() + self.settings.sync_budget;
        let mut pause = JOIN_LOOK;
        loop {
            let activation = self
                .store()
                .activation(order)
                .await?
                .ok_or(Refusal::OrderNotFound)?;
            match activation.state {
                ActivationState::CancelRequested => {}
                ActivationState::Active => {
                    let locked = self.watch.cancel_lock(order, self.now());
                    return locked.map_or(Ok(None), |left| Err(Refusal::CancelTooEarly(left)));
                }
                _ => return cancel_outcome(&activation).map(Some),
            }
            if self.now() >= give_up_at {
                return Err(still_running());
            }
            self.outside.clock.sleep(pause).await;
            pause = Millis(pause.0 * 2).min(JOIN_LOOK_MAX);
        }
    }

    /// Asks the upstream to cancel, for a client, at the end of the lifetime, or to undo; and
    /// stores what it said. Gives the refusal to tell the client, where the cancel is off.
    pub(crate) async fn cancel_upstream(
        &self,
        activation: Activation,
        reason: Reason,
    ) -> Option<Refusal> {
        let known = self.number_upstream(&activation.upstream).cloned();
        let (Some(upstream), Some(id)) = (known, activation.upstream_id.clone()) else {
            self.put_off("cancel_waits", activation).await;
            return None;
        };
        if !upstream.capabilities().cancel {
            self.act_on_status(activation, upstream.as_ref(), &id, reason)
                .await;
            return None;
        }
        if lacks_rule(3) && reason == Reason::Cancelled {
            self.close(activation, reason).await;
            let _ = upstream.cancel(&id).await;
            return None;
        }
        let reply = upstream.cancel(&id).await.outcome;
        count_cancel(&activation.upstream, &reply);
        match reply {
            CancelReply::Cancelled => {
                self.close(activation, reason).await;
                None
            }
            // what has outlived its time cannot be too young: its status says how it ended
            CancelReply::TooEarly(_) if activation.is_past(self.now()) && !lacks_rule(64) => {
                self.act_on_status(activation, upstream.as_ref(), &id, reason)
                    .await;
                None
            }
            CancelReply::TooEarly(left) => {
                let now = self.now();
                let lives = activation.expires_at.map(|end| end - now);
                let left = left.unwrap_or(LOCK_UNKNOWN);
                let left = lives.map_or(left, |lives| left.min(lives));
                // known before the row is active again: whoever joined looks then
                self.watch.lock_cancel(activation.id, now + left, now);
                let writes = activation.cancel_too_early(left, now);
                self.step("cancel_too_early", writes).await;
                Some(Refusal::CancelTooEarly(left))
            }
            CancelReply::BadTransition | CancelReply::UnknownOrder | CancelReply::Unknown => {
                self.act_on_status(activation, upstream.as_ref(), &id, reason)
                    .await;
                None
            }
        }
    }

    async fn close(&self, activation: Activation, reason: Reason) {
        let writes = activation.closed_upstream(reason);
        let ended = Activation::saved(&writes);
        if self.step("closed", writes).await
            && let Some(ended) = ended
        {
            if reason == Reason::Cancelled {
                self.note_cancel(ended.account);
            }
            let how = match reason {
                Reason::Cancelled => Ended::Cancelled,
                _ => Ended::Silent,
            };
            self.measure(&ended, how);
        }
    }

    /// After any answer to a cancel that is not a plain success the status decides.
    async fn act_on_status(
        &self,
        activation: Activation,
        upstream: &dyn NumberUpstream,
        id: &str,
        reason: Reason,
    ) {
        match upstream.status(id).await {
            Ok(NumberStatus::Code(sms)) => self.message_seen(activation, sms).await,
            Ok(NumberStatus::Closed | NumberStatus::ClosedAmbiguous) => {
                self.close(activation, reason).await;
            }
            Err(ReadFailure::UnknownOrder) if activation.tries >= FORGOTTEN_AFTER => {
                tracing::warn!(
                    order.id = activation.id.0,
                    upstream = activation.upstream,
                    "upstream {} no longer knows order {}: released",
                    activation.upstream,
                    activation.id
                );
                self.close(activation, reason).await;
            }
            Err(ReadFailure::Refused(Upstream::UpstreamAuth | Upstream::AccountBlocked)) => {
                tracing::error!(
                    upstream = activation.upstream,
                    "our account is refused there"
                );
                self.put_off("cancel_waits", activation).await;
            }
            _ => self.put_off("cancel_waits", activation).await,
        }
    }

    /// Stores a message that was seen, and measures the route by it.
    pub(crate) async fn message_seen(&self, activation: Activation, sms: domain::upstream::Sms) {
        let plan = self.plan(&activation.wanted.server, &activation.upstream);
        let (first, now) = (activation.messages == 0, self.now());
        let withheld = policy::withheld(&sms);
        let mut writes = activation.clone().message_seen(sms, &plan, now);
        let seen = Activation::saved(&writes);
        let withheld = withheld.filter(|_| writes.iter().any(is_withheld));
        if let Some(what) = withheld {
            let id = self.store().next_row_id();
            let ticket = Ticket::withheld_message(id, &activation, what, now);
            writes.push(Write::OpenTicket(Box::new(ticket)));
        }
        if !self.step("message", writes).await {
            return;
        }
        if withheld.is_some() {
            // looked for before it is stored, it would not be found
            self.signals.withheld(activation.account);
        }
        if let Some(seen) = seen.filter(|seen| first && !seen.state.is_open()) {
            let after = now - seen.created_at;
            self.measure(&seen, Ended::Delivered(Some(after)));
        }
    }
}

/// Whether the hold is released because of what a message says.
fn is_withheld(write: &Write) -> bool {
    let reason = Reason::Withheld;
    matches!(write, Write::Resolve { reason: why, .. } if *why == reason)
}

fn still_running() -> Refusal {
    Refusal::ProviderUnavailable(Some(Millis::seconds(5)))
}

/// The answer that an activation's state gives to a cancel.
fn cancel_outcome(activation: &Activation) -> Result<Usd, Refusal> {
    use ActivationState as S;
    match activation.state {
        S::Cancelled | S::Failed => Ok(activation.price),
        S::Received => Err(Refusal::AlreadyReceived),
        S::Calling | S::InDoubt | S::Undo => Err(Refusal::OrderPending),
        S::Active | S::CancelRequested => Err(still_running()),
    }
}
