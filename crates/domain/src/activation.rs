//! An OTP order: its states, and one function for each thing that can happen to it.
//!
//! Every function takes the activation as it was read and gives the writes that move it on; the
//! store refuses them if the row has moved since. Nothing else changes an activation.

use crate::attempt::{Attempt, AttemptEnd, AttemptState};
use crate::change::{Reason, Write};
use crate::ids::{AccountId, OrderId};
use crate::ledger::Entry;
use crate::mutant::lacks_rule;
use crate::order::{Failure, Told};
use crate::phone::Phone;
use crate::policy;
use crate::time::{Millis, Timestamp};
use crate::upstream::{Number, NumberRequest, Sms};
use crate::usd::Usd;

mod late;
#[cfg(test)]
pub(crate) mod tests;

/// Where an activation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ActivationState {
    /// The purchase call may be in flight; the price is on hold.
    Calling,
    /// The call may have succeeded; the hold stays until evidence or the end of the window.
    InDoubt,
    /// Bought, but its client was told "failed" or may never see it: being cancelled upstream.
    Undo,
    /// A number waits for its message.
    Active,
    /// Cancel was asked; the upstream decides. No code is disclosed meanwhile.
    CancelRequested,
    /// A code came; the price is posted.
    Received,
    /// Closed without a code; the hold went back.
    Cancelled,
    /// Never bought; the hold went back.
    Failed,
}

impl ActivationState {
    /// All states.
    pub const ALL: [Self; 8] = [
        Self::Calling,
        Self::InDoubt,
        Self::Undo,
        Self::Active,
        Self::CancelRequested,
        Self::Received,
        Self::Cancelled,
        Self::Failed,
    ];

    /// Stable word for rows.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Calling => "calling",
            Self::InDoubt => "in_doubt",
            Self::Undo => "undo",
            Self::Active => "active",
            Self::CancelRequested => "cancel_requested",
            Self::Received => "received",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        }
    }

    /// Reads a row's word.
    pub fn from_slug(slug: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.slug() == slug)
    }

    /// Whether the hold still stands.
    pub fn is_open(self) -> bool {
        !matches!(self, Self::Received | Self::Cancelled | Self::Failed)
    }
}

/// What was ordered: the public ids as the buyer sent them, and what stands behind them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Public server.
    pub server: String,
    /// Typed route, 0 where the server has none.
    pub provider_type: i64,
    /// The route's country id.
    pub country_id: String,
    /// Canonical country key, where known.
    pub country_key: String,
    /// The route's service id.
    pub service_id: String,
    /// Service name.
    pub service_name: String,
    /// Pool, on servers with pools.
    pub pool_id: Option<String>,
}

/// An OTP order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// Id, given out as the order id.
    pub id: OrderId,
    /// Whose it is.
    pub account: AccountId,
    /// Fencing epoch: rises by one with every write; a stale writer changes nothing.
    pub version: i64,
    /// State.
    pub state: ActivationState,
    /// What the client was told.
    pub told: Told,
    /// What was ordered.
    pub wanted: Wanted,
    /// Price, equal to the hold.
    pub price: Usd,
    /// What the route was quoted to cost the house.
    pub cost_quote: Usd,
    /// Class and rule version the policy engine decided with.
    pub policy: (String, i64),
    /// Upstream of the latest attempt.
    pub upstream: String,
    /// Number of the latest attempt.
    pub attempt: i64,
    /// The upstream's id, once linked.
    pub upstream_id: Option<String>,
    /// The number, once linked.
    pub phone: Option<Phone>,
    /// What the upstream says it took.
    pub cost: Option<Usd>,
    /// When the number was shown to the client. Only a code that comes later is the client's.
    pub disclosed_at: Option<Timestamp>,
    /// Newest message; shown only in `Received`.
    pub message: Option<Sms>,
    /// How many messages came.
    pub messages: i64,
    /// Creation.
    pub created_at: Timestamp,
    /// End of the window in which an unknown purchase can still show up.
    pub in_doubt_until: Option<Timestamp>,
    /// End of the activation.
    pub expires_at: Option<Timestamp>,
    /// Earliest cancel.
    pub cancel_allowed_at: Option<Timestamp>,
    /// When background work must look at it next.
    pub due_at: Option<Timestamp>,
    /// Failed tries of the present background step.
    pub tries: i64,
    /// Why it failed, once it did.
    pub failure: Option<Failure>,
    /// When its upstream was seen to have a code although it had confirmed the client's cancel.
    pub late_code_at: Option<Timestamp>,
}

/// Where and at what price a number is bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NumberRoute {
    /// What is ordered there.
    pub wanted: Wanted,
    /// Upstream behind it.
    pub upstream: String,
    /// What it costs the house.
    pub cost: Usd,
    /// What the customer pays.
    pub price: Usd,
    /// Class and rule version the policy engine decided with.
    pub policy: (String, i64),
}

/// Spans an activation lives by; from the settings of its server and upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How long one purchase call may stay open before its order counts as abandoned.
    pub lease: Millis,
    /// How long an unknown purchase may still show up.
    pub in_doubt_window: Millis,
    /// Waiting time before cancel where the upstream does not say.
    pub min_cancel_age: Millis,
    /// Lifetime where the upstream does not say.
    pub lifetime: Millis,
    /// Pause between tries of a background step; grows with the tries.
    pub retry: Millis,
}

impl Plan {
    /// Pause before the next try: doubles up to 32 times the base.
    pub fn pause(&self, tries: i64) -> Millis {
        Millis(self.retry.0 << tries.clamp(0, 5))
    }
}

/// Whether an upstream took so much more than its quote (above 20 %) that the quote is wrong.
pub fn is_far_above(taken: Usd, quote: Usd) -> bool {
    i128::from(taken.0) * 100 > i128::from(quote.0) * 120
}

/// What a client sees of an activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PublicStatus {
    /// Outcome of the purchase unknown.
    Pending,
    /// Number waits.
    Waiting,
    /// Code is there.
    Received,
    /// Closed without a code.
    Cancelled,
}

impl PublicStatus {
    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Waiting => "waiting",
            Self::Received => "received",
            Self::Cancelled => "cancelled",
        }
    }
}

impl Activation {
    /// What the client sees.
    pub fn public_status(&self) -> PublicStatus {
        use ActivationState as S;
        match self.state {
            S::Calling | S::InDoubt | S::Undo => PublicStatus::Pending,
            S::Active | S::CancelRequested => PublicStatus::Waiting,
            S::Received => PublicStatus::Received,
            S::Cancelled | S::Failed => PublicStatus::Cancelled,
        }
    }

    /// Whether the client may ever be told of this order by id: it was given the number or a
    /// promise. An order whose client was told "failed" does not exist for its client.
    pub fn known_to_client(&self) -> bool {
        self.told != Told::Failed
    }

    /// Our own id of the latest attempt. With the time in it, it is unlike that of any other
    /// installation that ever used the same account.
    pub fn purchase_reference(&self) -> String {
        let (order, attempt, at) = (self.id.0, self.attempt, self.created_at.0);
        format!("tollgate-{order}-{attempt}-{at}")
    }

    /// What the latest attempt asks its upstream for.
    pub fn request(&self) -> NumberRequest {
        NumberRequest {
            service: self.wanted.service_id.clone(),
            country: self.wanted.country_id.clone(),
            pool: self.wanted.pool_id.clone(),
            max_cost: self.cost_quote,
            reference: self.purchase_reference(),
        }
    }

    /// First writes of an order: the row, the hold and the attempt, durable before the call.
    pub fn open(mut self, plan: &Plan) -> Vec<Write> {
        let due = self.created_at + plan.lease;
        self.due_at = Some(due);
        let (account, order, amount) = (self.account, self.id, self.price);
        let attempt = Attempt::calling(order, self.attempt, &self.upstream, self.created_at);
        vec![
            Write::Hold {
                account,
                order,
                amount,
            },
            Write::InsertActivation(Box::new(self)),
            Write::BeginAttempt(attempt),
        ]
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
        Write::UpdateActivation(Box::new(self))
    }

    fn resolve(&self, posted: Usd, reason: Reason) -> Write {
        Write::Resolve {
            account: self.account,
            order: self.id,
            held: self.price,
            posted,
            reason,
        }
    }

    fn hold_number(&mut self, number: &Number, plan: &Plan, now: Timestamp) -> Write {
        self.upstream_id = Some(number.id.clone());
        self.phone = Some(number.phone.clone());
        self.cost = number.cost;
        let cancel_after = number.cancel_after.unwrap_or(plan.min_cancel_age);
        self.cancel_allowed_at = Some(now + cancel_after.max(plan.min_cancel_age));
        self.expires_at = Some(now + number.lifetime.unwrap_or(plan.lifetime));
        self.due_at = self.expires_at;
        self.tries = 0;
        Write::Link {
            upstream: self.upstream.clone(),
            upstream_id: number.id.clone(),
            order: Some(self.id),
        }
    }

    /// The upstream sold a number and the client still waits for the answer.
    pub fn bought(
        mut self,
        number: &Number,
        plan: &Plan,
        now: Timestamp,
        raw: String,
    ) -> Vec<Write> {
        let link = self.hold_number(number, plan, now);
        let end = self.end_attempt(AttemptState::Done, "answer", Some(raw));
        self.state = ActivationState::Active;
        self.told = Told::Done;
        self.disclosed_at = Some(now);
        vec![link, end, self.save()]
    }

    /// The upstream sold a number that must not be shown: the client is gone, or the number
    /// belongs to somebody else's live activation. It is linked, and cancelled there.
    pub fn bought_unseen(
        mut self,
        number: &Number,
        plan: &Plan,
        now: Timestamp,
        evidence: (AttemptState, &str),
    ) -> Vec<Write> {
        let link = self.hold_number(number, plan, now);
        let end = self.end_attempt(evidence.0, evidence.1, None);
        self.state = ActivationState::Undo;
        self.due_at = Some(now);
        vec![link, end, self.save()]
    }

    /// The upstream definitely sold nothing.
    pub fn refused(mut self, failure: Failure, class: &str, raw: String) -> Vec<Write> {
        let end = self.end_attempt(AttemptState::Refused, class, Some(raw));
        let release = self.resolve(Usd::ZERO, Reason::NotBought);
        self.state = ActivationState::Failed;
        self.told = Told::Done;
        self.failure = Some(failure);
        self.due_at = None;
        vec![release, end, self.save()]
    }

    /// One route definitely sold nothing; the next one is tried, on the same hold made to fit its
    /// price.
    pub fn next_route(
        mut self,
        class: &str,
        raw: String,
        next: &NumberRoute,
        plan: &Plan,
        now: Timestamp,
    ) -> Vec<Write> {
        let end = self.end_attempt(AttemptState::Refused, class, Some(raw));
        let held = self.price;
        self.attempt += 1;
        self.upstream.clone_from(&next.upstream);
        if !lacks_rule(40) {
            self.price = next.price;
        }
        self.cost_quote = next.cost;
        self.wanted = next.wanted.clone();
        self.policy = next.policy.clone();
        self.due_at = Some(now + plan.lease);
        let rehold = Write::Rehold {
            account: self.account,
            order: self.id,
            seq: self.attempt,
            from: held,
            to: self.price,
        };
        let begin = Attempt::calling(self.id, self.attempt, &self.upstream, now);
        let rehold = (self.price != held && !lacks_rule(39)).then_some(rehold);
        let rest = [end, Write::BeginAttempt(begin), self.save()];
        rehold.into_iter().chain(rest).collect()
    }

    /// Nobody knows what the upstream did. The hold stays.
    pub fn in_doubt(
        mut self,
        sent_at: Timestamp,
        plan: &Plan,
        now: Timestamp,
        why: &str,
    ) -> Vec<Write> {
        let end = self.end_attempt(AttemptState::InDoubt, why, None);
        self.state = ActivationState::InDoubt;
        self.in_doubt_until = Some(sent_at + plan.in_doubt_window);
        self.due_at = Some(now);
        self.tries = 0;
        vec![end, self.save()]
    }

    /// The client went away in the very moment in which its number was stored: nobody was told,
    /// so nobody is charged, and the number is given back.
    pub fn taken_back(mut self, now: Timestamp) -> Vec<Write> {
        self.state = ActivationState::Undo;
        self.told = Told::Failed;
        self.disclosed_at = None;
        self.due_at = Some(now);
        self.tries = 0;
        vec![self.save()]
    }

    /// Evidence names the activation this purchase made. It becomes the client's only if the
    /// client can still learn of it and nothing has been received on it yet.
    pub fn linked(
        mut self,
        number: &Number,
        clean: bool,
        plan: &Plan,
        now: Timestamp,
    ) -> Vec<Write> {
        let undone = self.told == Told::Failed && !lacks_rule(13);
        let quarantined = !clean && !lacks_rule(6);
        if quarantined || undone {
            let why = if clean { "undo" } else { "quarantine" };
            return self.bought_unseen(number, plan, now, (AttemptState::Linked, why));
        }
        let link = self.hold_number(number, plan, now);
        let end = self.end_attempt(AttemptState::Linked, "listed", None);
        self.state = ActivationState::Active;
        vec![link, end, self.save()]
    }

    /// The window is over and the upstream's list does not hold it.
    pub fn absent(mut self, state: AttemptState) -> Vec<Write> {
        let end = self.end_attempt(state, "window_ended", None);
        let release = self.resolve(Usd::ZERO, Reason::NotBought);
        self.state = ActivationState::Failed;
        self.failure = Some(Failure::ProviderUnavailable);
        self.due_at = None;
        vec![release, end, self.save()]
    }

    /// The number is about to be shown to the client that was promised an answer.
    pub fn disclosed(mut self, now: Timestamp) -> Vec<Write> {
        self.disclosed_at = Some(now);
        self.told = Told::Done;
        vec![self.save()]
    }

    /// A message is there. The one place that decides whom it belongs to: it is the client's only
    /// if the number was shown before the message was first seen, and nobody's if its text is of
    /// what is never sold.
    pub fn message_seen(mut self, sms: Sms, plan: &Plan, now: Timestamp) -> Vec<Write> {
        use ActivationState as S;
        let exempt = lacks_rule(6) || (lacks_rule(1) && self.state == S::CancelRequested);
        if self.disclosed_at.is_none() && self.state != S::Undo && !exempt {
            self.state = S::Undo;
            self.due_at = Some(now);
            return vec![self.save()];
        }
        let withheld = policy::withheld(&sms).is_some();
        match self.state {
            S::Active | S::CancelRequested if withheld => self.lost(Reason::Withheld),
            S::Received if withheld => Vec::new(),
            S::Active | S::CancelRequested => {
                let post = self.resolve(self.price, Reason::Delivered);
                let cost = self.book_cost();
                self.state = S::Received;
                self.due_at = Some(self.expires_at.unwrap_or(now + plan.lifetime));
                let message = self.keep(sms, now);
                vec![post, cost, message, self.save()]
            }
            S::Received if self.message.as_ref() != Some(&sms) => {
                let message = self.keep(sms, now);
                vec![message, self.save()]
            }
            S::Undo if lacks_rule(29) => {
                let post = self.resolve(self.price, Reason::Delivered);
                let cost = self.book_cost();
                self.state = S::Received;
                self.due_at = None;
                let message = self.keep(sms, now);
                vec![post, cost, message, self.save()]
            }
            S::Undo => self.undo_lost(),
            _ => Vec::new(),
        }
    }

    fn keep(&mut self, sms: Sms, now: Timestamp) -> Write {
        self.messages += 1;
        self.message = Some(sms.clone());
        Write::Message {
            order: self.id,
            seq: self.messages,
            sms,
            received_at: now,
        }
    }

    fn book_cost(&self) -> Write {
        let told = self.cost.filter(|_| !lacks_rule(34));
        let taken = told.unwrap_or(self.cost_quote);
        Write::Book(Entry::upstream_cost(
            self.id,
            0,
            &self.upstream,
            self.cost_quote,
            taken,
        ))
    }

    /// The upstream kept the money of an activation that nobody will be charged for.
    pub fn undo_lost(self) -> Vec<Write> {
        self.lost(Reason::Undone)
    }

    /// Nobody is charged, and the house bears what the upstream took.
    fn lost(mut self, reason: Reason) -> Vec<Write> {
        let release = self.resolve(Usd::ZERO, reason);
        let taken = self.cost.unwrap_or(self.cost_quote);
        let loss = Write::Book(Entry::upstream_loss(self.id, 0, &self.upstream, taken));
        self.close();
        vec![release, loss, self.save()]
    }

    fn close(&mut self) {
        self.state = ActivationState::Cancelled;
        self.due_at = None;
        if self.disclosed_at.is_none() {
            self.failure = Some(Failure::ProviderUnavailable);
        }
    }

    /// Cancel is asked, by the client or because the lifetime is over.
    pub fn ask_cancel(mut self, lease_until: Timestamp) -> Vec<Write> {
        self.state = ActivationState::CancelRequested;
        self.tries = 0;
        self.due_at = Some(lease_until);
        vec![self.save()]
    }

    /// The upstream says that it is closed without a code.
    pub fn closed_upstream(mut self, reason: Reason) -> Vec<Write> {
        let release = self.resolve(Usd::ZERO, reason);
        self.close();
        self.look_after(reason);
        vec![release, self.save()]
    }

    /// The upstream refuses to cancel yet. A client's cancel is off; an expiry or an undo waits.
    pub fn cancel_too_early(mut self, left: Millis, now: Timestamp) -> Vec<Write> {
        let again_at = now + left;
        if lacks_rule(32) {
            return self.closed_upstream(Reason::Cancelled);
        }
        if self.state == ActivationState::CancelRequested && !self.is_past(now) {
            self.state = ActivationState::Active;
            self.due_at = self.expires_at;
        } else {
            self.due_at = Some(again_at);
        }
        vec![self.save()]
    }

    /// Somebody takes the next background step: nobody else does before the lease ends.
    pub fn lease(mut self, until: Timestamp) -> Vec<Write> {
        self.due_at = Some(until);
        vec![self.save()]
    }

    /// A background step came to nothing: try again later.
    pub fn try_again(mut self, plan: &Plan, now: Timestamp) -> Vec<Write> {
        self.due_at = Some(now + plan.pause(self.tries));
        self.tries += 1;
        vec![self.save()]
    }

    /// Nothing more to do: its lifetime is over.
    pub fn watched_to_the_end(mut self) -> Vec<Write> {
        self.due_at = None;
        vec![self.save()]
    }
}
