//! Card payments to practise with: sessions as Stripe keeps them, and the balance that they make.

use super::{Letter, Shown, Told, Wanted, hook_of, make_room};
use domain::top_up::Processor;
use std::collections::HashSet;
use wire::stripe::{BalanceTransaction, CreateSession, Event, Object, Session};

/// Where the practice processor is, below the sandbox's address.
pub const STRIPE_PATH: &str = "/stripe";
/// The key that it takes.
pub const STRIPE_KEY: &str = "sk_test_practice";
/// What it signs its events with. Practice payments move practice money only.
pub const STRIPE_WEBHOOK_SECRET: &str = "whsec_practice_0123456789abcdef";

/// What is paid out.
const CURRENCY: &str = "usd";

/// What a payment by card costs: 2.9 % and 30 cents.
const FEE_PER_MILLE: i64 = 29;
const FEE_CENTS: i64 = 30;
/// What a dispute costs, in cents.
const DISPUTE_FEE_CENTS: i64 = 1_500;

/// For how long a key is known, in seconds.
const KEY_LASTS_S: i64 = 24 * 60 * 60;

/// A refund, and the answer that its key gets again.
#[derive(Clone, Debug)]
pub(crate) struct Returned {
    key: String,
    at: i64,
    answer: String,
}

/// A session and what stands beside it.
#[derive(Clone, Debug)]
pub(crate) struct Sold {
    /// As Stripe shows it.
    pub(crate) session: Session,
    /// The key under which it was asked for.
    pub(crate) idempotency_key: String,
    /// Where the browser goes afterwards.
    pub(crate) return_url: String,
    /// Cents given back so far.
    pub(crate) refunded: i64,
    /// The refunds.
    pub(crate) refunds: Vec<Returned>,
}

/// What Stripe keeps of a payment, in cents.
fn cost(cents: i64) -> i64 {
    FEE_CENTS + cents / 1000 * FEE_PER_MILLE + cents % 1000 * FEE_PER_MILLE / 1000
}

/// Whether a key that came then is the same call now.
fn is_known(key: &str, (known, at): (&str, i64), now: i64) -> bool {
    !key.is_empty() && key == known && now < at + KEY_LASTS_S
}

impl Sold {
    /// What a refund with this key was answered.
    pub(crate) fn answered(&self, key: &str, now: i64) -> Option<&str> {
        let same = |one: &&Returned| is_known(key, (&one.key, one.at), now);
        self.refunds
            .iter()
            .find(same)
            .map(|one| one.answer.as_str())
    }

    /// Notes a refund and its answer.
    pub(crate) fn returned(&mut self, key: &str, now: i64, answer: &str) {
        self.refunds.push(Returned {
            key: key.to_owned(),
            at: now,
            answer: answer.to_owned(),
        });
    }

    /// What an event of this kind is about, once that has happened.
    fn told(&mut self, kind: &str, cents: Option<i64>) -> Object {
        let session = &mut self.session;
        let total = session.amount_total.unwrap_or_default();
        let (payment_intent, currency) = (format!("pi_{}", session.id), session.currency.clone());
        match kind {
            "charge.refunded" => {
                self.refunded = total.min(self.refunded + cents.unwrap_or(total));
                Object::Charge {
                    payment_intent,
                    amount_refunded: self.refunded,
                    currency,
                }
            }
            "charge.dispute.funds_withdrawn" | "charge.dispute.funds_reinstated" => {
                Object::Dispute {
                    id: format!("dp_{}", session.id),
                    payment_intent,
                    amount: total,
                    currency,
                }
            }
            "radar.early_fraud_warning.created" => Object::FraudWarning {
                id: format!("issfr_{}", session.id),
                payment_intent,
            },
            _ => {
                let expired = kind == "checkout.session.expired";
                session.status = if expired { "expired" } else { "complete" }.into();
                session.payment_intent = (!expired).then_some(payment_intent);
                session.url = None;
                Object::Session(Box::new(session.clone()))
            }
        }
    }
}

/// All sessions.
#[derive(Debug, Default)]
pub(crate) struct Till {
    sold: Vec<Sold>,
    opened: u64,
    events: u64,
    /// What moved, the oldest first.
    moved: Vec<BalanceTransaction>,
    /// Movements so far.
    movements: u64,
    /// What can be paid out, in cents.
    balance: i64,
    /// Keys of calls that are not answered yet.
    at_work: HashSet<String>,
}

impl Till {
    /// Begins a call under a key; whether no other one is at work under it.
    pub(crate) fn begins(&mut self, key: &str) -> bool {
        self.at_work.insert(key.to_owned())
    }

    /// The call under this key is answered.
    pub(crate) fn ends(&mut self, key: &str) {
        self.at_work.remove(key);
    }

    /// A session for an order: the same one for the same key.
    pub(crate) fn open(
        &mut self,
        order: CreateSession,
        key: &str,
        (base, now): (&str, i64),
    ) -> Session {
        let same = |one: &&Sold| is_known(key, (&one.idempotency_key, one.session.created), now);
        if let Some(known) = self.sold.iter().find(same) {
            return known.session.clone();
        }
        self.opened += 1;
        let id = format!("cs_test_{now}_{}", self.opened);
        let session = Session {
            url: Some(format!("{base}{STRIPE_PATH}/pay/{id}")),
            id,
            status: "open".into(),
            payment_status: "unpaid".into(),
            amount_total: Some(order.minor),
            currency: order.currency,
            payment_intent: None,
            client_reference_id: Some(order.reference.clone()),
            topup_id: Some(order.reference),
            live: Some(false),
            created: now,
            expires_at: order.expires_at.0.div_euclid(1000),
        };
        make_room(&mut self.sold);
        self.sold.push(Sold {
            session: session.clone(),
            idempotency_key: key.to_owned(),
            return_url: order.return_url,
            refunded: 0,
            refunds: Vec::new(),
        });
        session
    }

    /// A session by its id, or by its payment, as it stands at this second.
    pub(crate) fn find(&mut self, id: &str, now: i64) -> Option<&mut Sold> {
        let sold = self.sold.iter_mut().find(|one| {
            one.session.id == id || one.session.payment_intent.as_deref() == Some(id)
        })?;
        let session = &mut sold.session;
        if session.status == "open" && (1..=now).contains(&session.expires_at) {
            session.status = "expired".into();
            session.url = None;
        }
        Some(sold)
    }

    /// All of it, for tests.
    pub(crate) fn shown(&self) -> impl Iterator<Item = Shown> {
        self.sold.iter().map(|one| Shown {
            processor: Processor::Stripe.slug(),
            id: one.session.id.clone(),
            reference: one.session.client_reference_id.clone(),
            status: format!("{}, {}", one.session.status, one.session.payment_status),
            pay_url: one.session.url.clone(),
            refunded_cents: one.refunded,
            refunds: one.refunds.len(),
        })
    }

    /// The newest sessions made in this span, newest first.
    pub(crate) fn between(&self, from: i64, until: i64) -> Vec<Session> {
        let sold = self.sold.iter().rev().map(|one| &one.session);
        sold.filter(|one| (from..until).contains(&one.created))
            .cloned()
            .collect()
    }

    /// The newest movements of this span, newest first.
    pub(crate) fn moved(&self, from: i64, until: i64) -> Vec<BalanceTransaction> {
        let moved = self.moved.iter().rev();
        moved
            .filter(|one| (from..until).contains(&one.created))
            .cloned()
            .collect()
    }

    /// Sends so much to the bank; nothing where there is not as much.
    pub(crate) fn pay_out(
        &mut self,
        (cents, currency): (i64, &str),
        now: i64,
    ) -> Option<BalanceTransaction> {
        let is_covered = currency == CURRENCY && (1..=self.balance).contains(&cents);
        let source = format!("po_{now}_{}", self.movements + 1);
        is_covered.then(|| self.moves(("payout", source), (-cents, 0), currency, now))
    }

    /// One movement more; the category tells a dispute from other adjustments.
    fn moves(
        &mut self,
        (word, source): (&str, String),
        (amount, fee): (i64, i64),
        currency: &str,
        now: i64,
    ) -> BalanceTransaction {
        self.movements += 1;
        let kind = match word {
            "dispute" | "dispute_reversal" => "adjustment",
            other => other,
        };
        let one = BalanceTransaction {
            id: format!("txn_{now}_{}", self.movements),
            kind: kind.to_owned(),
            category: Some(word.to_owned()),
            amount,
            fee,
            currency: currency.to_owned(),
            source: Some(source),
            created: now,
        };
        if currency == CURRENCY {
            let net = amount.saturating_sub(fee);
            self.balance = self.balance.saturating_add(net);
        }
        make_room(&mut self.moved);
        self.moved.push(one.clone());
        one
    }

    /// What an event about a session moves.
    fn moves_by(&mut self, kind: &str, sold: &Sold, returned: i64, now: i64) {
        let session = &sold.session;
        let total = session.amount_total.unwrap_or_default();
        let is_paid = session.payment_status == "paid";
        let (word, amounts) = match kind {
            _ if !is_paid => return,
            "checkout.session.completed" | "checkout.session.async_payment_succeeded" => {
                ("charge", (total, cost(total)))
            }
            "charge.refunded" => ("refund", (-returned, 0)),
            "charge.dispute.funds_withdrawn" => {
                ("dispute", (total.saturating_neg(), DISPUTE_FEE_CENTS))
            }
            "charge.dispute.funds_reinstated" => ("dispute_reversal", (total, 0)),
            _ => return,
        };
        if amounts != (0, 0) {
            let source = match word {
                "charge" => format!("ch_pi_{}", session.id),
                "refund" => format!("re_pi_{}_{}", session.id, sold.refunds.len()),
                _ => format!("dp_{}", session.id),
            };
            self.moves((word, source), amounts, &session.currency, now);
        }
    }

    /// Does something to a session; gives the event that tells of it. Nothing where it cannot be.
    pub(crate) fn act(&mut self, wanted: &Wanted, now: i64) -> Option<Told> {
        let (action, cents) = (wanted.action.as_str(), wanted.cents);
        let sold = self.find(&wanted.id, now)?;
        if let Some(amount) = wanted.amount {
            sold.session.amount_total = Some(amount);
        }
        if let Some(currency) = &wanted.currency {
            sold.session.currency.clone_from(currency);
        }
        sold.session.live = wanted.live.or(sold.session.live);
        let open = sold.session.status == "open";
        let paid = sold.session.payment_status == "paid";
        let waits = open || (!paid && sold.session.status == "complete");
        let session = &mut sold.session;
        let kind = match action {
            "pay" if waits => {
                session.payment_status = "paid".into();
                match open {
                    true => "checkout.session.completed",
                    false => "checkout.session.async_payment_succeeded",
                }
            }
            "delay" if open => "checkout.session.completed",
            "fail" if waits => "checkout.session.async_payment_failed",
            "expire" if open => "checkout.session.expired",
            "refund" if paid => "charge.refunded",
            "dispute" if paid => "charge.dispute.funds_withdrawn",
            "win" if paid => "charge.dispute.funds_reinstated",
            "warn" if paid => "radar.early_fraud_warning.created",
            _ => return None,
        };
        let before = sold.refunded;
        let object = sold.told(kind, cents);
        let after = sold.clone();
        let return_url = sold.return_url.clone();
        let live = sold.session.live.unwrap_or_default();
        self.moves_by(kind, &after, after.refunded - before, now);
        self.events += 1;
        let event = Event {
            id: format!("evt_{now}_{}", self.events),
            kind: kind.to_owned(),
            live,
            created: now,
            object,
        };
        Some(Told {
            processor: Processor::Stripe,
            letter: Letter::Fixed(event.body()),
            hook_url: hook_of(&return_url, Processor::Stripe),
            return_url,
        })
    }
}
