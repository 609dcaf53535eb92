//! One activation as the upstream knows it: when it was made, what it received, what was kept.

use domain::phone::Phone;
use domain::time::{Millis, Timestamp};
use domain::upstream::{NumberStatus, Sms};
use domain::usd::Usd;

/// Why an activation was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// By a purchase call.
    Call,
    /// The second one of one call.
    Double,
    /// By another program on the same account, before us.
    Foreign,
}

/// One activation.
#[derive(Clone, Debug)]
pub struct Rented {
    /// Id.
    pub id: String,
    /// Service code.
    pub service: String,
    /// Country id.
    pub country: String,
    /// Number.
    pub phone: Phone,
    /// What was charged.
    pub cost: Usd,
    /// Whether the upstream tells what it charged.
    pub tells_cost: bool,
    /// Why it was made.
    pub origin: Origin,
    /// The purchase of ours whose call made it.
    pub purchase: Option<usize>,
    /// When the call that made it was sent.
    pub sent_at: Timestamp,
    /// Creation.
    pub created_at: Timestamp,
    /// End of life; it may be later than we think.
    pub expires_at: Timestamp,
    /// When a message arrives, if it is still open then.
    pub messages: Vec<(Timestamp, String)>,
    /// Whether the first message was there from the beginning: it belongs to an earlier renter.
    pub foreign_message: bool,
    /// When the upstream cancels by itself, if nothing has arrived.
    pub gives_up_at: Option<Timestamp>,
    /// When it ended.
    pub closed_at: Option<Timestamp>,
    /// Whether the charge was returned.
    pub refunded: bool,
    /// Whether the upstream keeps the money of a cancel it confirms.
    pub keeps_money: bool,
    /// How long after the end its money comes back, where it comes back (kept money: where that is
    /// given back after all).
    pub returns_after: Option<Millis>,
    /// Whether it tells of messages that came after its end.
    pub hears_late: bool,
    /// Successful status reads that were answered.
    pub status_reads: Vec<Timestamp>,
}

impl Rented {
    /// Lets pass what has happened until now.
    pub fn settle(&mut self, now: Timestamp) {
        if self.closed_at.is_some() {
            return;
        }
        let gives_up = self.gives_up_at.filter(|at| self.message_by(*at).is_none());
        let end = gives_up.map_or(self.expires_at, |at| at.min(self.expires_at));
        if end <= now {
            self.close(end, false);
        }
    }

    /// Ends it; the charge comes back where nothing was received, or where it is forgiven.
    pub fn close(&mut self, at: Timestamp, forgiven: bool) {
        self.closed_at = Some(at);
        self.refunded = (forgiven || self.message_by(at).is_none()) && !self.keeps_money;
    }

    /// The newest message at a moment.
    pub fn message_by(&self, at: Timestamp) -> Option<Sms> {
        let closed = self.closed_at.filter(|_| !self.hears_late);
        let until = closed.map_or(at, |closed| closed.min(at));
        let newest = self.messages.iter().rfind(|(when, _)| *when <= until);
        newest.map(|(_, code)| Sms {
            code: code.clone(),
            text: None,
        })
    }

    /// What its upstream says of it; a vague one says of what has ended only that.
    pub fn status(&self, now: Timestamp, vague: bool) -> NumberStatus {
        let kept = self.closed_at.is_none() || !self.refunded;
        match self.message_by(now).filter(|_| kept) {
            Some(sms) => NumberStatus::Code(sms),
            None if self.closed_at.is_none() => NumberStatus::Waiting,
            None if vague => NumberStatus::ClosedAmbiguous,
            None => NumberStatus::Closed,
        }
    }

    /// Whether it was open at a moment that is not after the last [`Rented::settle`].
    pub fn open_at(&self, at: Timestamp) -> bool {
        self.created_at <= at && self.closed_at.is_none_or(|closed| closed > at)
    }

    /// What is missing from the balance for it at a moment.
    pub fn missing_at(&self, now: Timestamp) -> Usd {
        let returns = self.refunded || (self.keeps_money && self.returns_after.is_some());
        let after = self.returns_after.unwrap_or(Millis(0));
        let is_back = self.closed_at.is_some_and(|at| at + after <= now);
        if returns && is_back {
            Usd::ZERO
        } else {
            self.cost
        }
    }

    /// What the upstream holds of our money for it.
    pub fn kept(&self) -> Usd {
        if self.refunded { Usd::ZERO } else { self.cost }
    }
}
