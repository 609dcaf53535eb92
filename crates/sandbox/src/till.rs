//! Card payments to practise with: sessions as Stripe keeps them, in memory only.

use wire::stripe::{CreateSession, Event, Object, Session};

/// Where the practice processor is, below the sandbox's address.
pub const STRIPE_PATH: &str = "/stripe";
/// The key that it takes.
pub const STRIPE_KEY: &str = "sk_test_practice";
/// What it signs its events with. Practice payments move practice money only.
pub const STRIPE_WEBHOOK_SECRET: &str = "whsec_practice_0123456789abcdef";

/// Sessions kept at most; the oldest go first.
const SESSIONS_MAX: usize = 10_000;

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
}

/// All sessions.
#[derive(Debug, Default)]
pub(crate) struct Till {
    sold: Vec<Sold>,
    opened: u64,
    events: u64,
}

impl Till {
    /// A session for an order: the same one for the same key.
    pub(crate) fn open(
        &mut self,
        order: CreateSession,
        key: &str,
        (base, now): (&str, i64),
    ) -> Session {
        let same = |one: &&Sold| !key.is_empty() && one.idempotency_key == key;
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
        if self.sold.len() == SESSIONS_MAX {
            self.sold.remove(0);
        }
        self.sold.push(Sold {
            session: session.clone(),
            idempotency_key: key.to_owned(),
            return_url: order.return_url,
            refunded: 0,
        });
        session
    }

    /// A session by its id, or by its payment.
    pub(crate) fn find(&mut self, id: &str) -> Option<&mut Sold> {
        self.sold
            .iter_mut()
            .find(|one| one.session.id == id || one.session.payment_intent.as_deref() == Some(id))
    }

    /// The newest sessions made in this span, newest first.
    pub(crate) fn between(&self, from: i64, until: i64) -> Vec<Session> {
        let sold = self.sold.iter().rev().map(|one| &one.session);
        sold.filter(|one| (from..until).contains(&one.created))
            .cloned()
            .collect()
    }

    /// Does something to a session; gives the event that tells of it. Nothing where it cannot be.
    pub(crate) fn act(
        &mut self,
        id: &str,
        action: &str,
        cents: Option<i64>,
        now: i64,
    ) -> Option<Told> {
        let sold = self.find(id)?;
        let open = sold.session.status == "open";
        let paid = sold.session.payment_status == "paid";
        let waits = open || (!paid && sold.session.status == "complete");
        let payment = format!("pi_{}", sold.session.id);
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
        let total = session.amount_total.unwrap_or_default();
        let object = match kind {
            "charge.refunded" => {
                sold.refunded = total.min(sold.refunded + cents.unwrap_or(total));
                Object::Charge {
                    payment_intent: payment,
                    amount_refunded: sold.refunded,
                    currency: session.currency.clone(),
                }
            }
            "charge.dispute.funds_withdrawn" | "charge.dispute.funds_reinstated" => {
                Object::Dispute {
                    id: format!("dp_{}", session.id),
                    payment_intent: payment,
                    amount: total,
                    currency: session.currency.clone(),
                }
            }
            "radar.early_fraud_warning.created" => Object::FraudWarning {
                id: format!("issfr_{}", session.id),
                payment_intent: payment,
            },
            _ => {
                session.status = match action {
                    "expire" => "expired".into(),
                    _ => "complete".into(),
                };
                session.payment_intent = (action != "expire").then_some(payment);
                session.url = None;
                Object::Session(Box::new(session.clone()))
            }
        };
        let return_url = sold.return_url.clone();
        self.events += 1;
        let event = Event {
            id: format!("evt_{now}_{}", self.events),
            kind: kind.to_owned(),
            live: false,
            created: now,
            object,
        };
        Some(Told {
            body: event.body(),
            return_url,
        })
    }
}

/// An event to send, and the page that the browser goes back to: the shop is where that page is.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) body: String,
    pub(crate) return_url: String,
}
