//! Events: what Stripe tells us without being asked.

use super::session::{Session, reference};
use crate::json::{self, Node};
use domain::top_up::{News, Notice, Stand, Sum};
use serde_json::{Value, json};

/// What a type of event is about.
#[derive(Clone, Copy)]
pub(super) enum About {
    /// A session, as it stands or as the type itself says.
    Session,
    FailedSession,
    ExpiredSession,
    Refund,
    Dispute,
    Withdrawal,
    Reinstatement,
    FraudWarning,
}

/// The types that mean something to us.
pub(super) const USED: [(&str, About); 9] = [
    ("checkout.session.completed", About::Session),
    ("checkout.session.async_payment_succeeded", About::Session),
    (
        "checkout.session.async_payment_failed",
        About::FailedSession,
    ),
    ("checkout.session.expired", About::ExpiredSession),
    ("charge.refunded", About::Refund),
    ("charge.dispute.created", About::Dispute),
    ("charge.dispute.funds_withdrawn", About::Withdrawal),
    ("charge.dispute.funds_reinstated", About::Reinstatement),
    ("radar.early_fraud_warning.created", About::FraudWarning),
];

/// An event of another type, whatever it carries.
fn unused(event_id: String, kind: String) -> Option<Notice> {
    Some(Notice {
        event_id,
        kind,
        reference: None,
        processor_ref: None,
        payment_ref: None,
        live: None,
        news: News::Unused,
    })
}

/// What an event is read as; nothing where it is no event.
pub fn notice(body: &[u8]) -> Option<Notice> {
    let event = std::str::from_utf8(body)
        .ok()
        .and_then(Node::read)?
        .object()?;
    let kind = event.filled("type")?;
    let Some((_, about)) = USED.into_iter().find(|(used, _)| *used == kind) else {
        return unused(event.filled("id")?, kind);
    };
    let object = event.get("data")?.object()?.get("object")?.object()?;
    let live = event.text(&["livemode"]).and_then(|text| text.parse().ok());
    let metadata = object.get("metadata").and_then(Node::object);
    let mut notice = Notice {
        event_id: event.filled("id")?,
        kind,
        reference: metadata.and_then(|metadata| metadata.filled("topup_id")),
        processor_ref: None,
        payment_ref: reference(&object, "payment_intent"),
        live,
        news: News::Unused,
    };
    let sum = |name: &str| {
        Some(Sum {
            minor: object.whole(name)?,
            currency: object.filled("currency")?,
        })
    };
    notice.news = match about {
        About::Session | About::FailedSession | About::ExpiredSession => {
            let mut fact = Session::of(&object)?.fact();
            fact.live = fact.live.or(live);
            match about {
                About::FailedSession => fact.stand = Stand::Failed,
                About::ExpiredSession => fact.stand = Stand::Expired,
                _ => {}
            }
            notice.reference = fact.reference.clone();
            notice.processor_ref = fact.processor_ref.clone();
            News::Payment(fact)
        }
        About::Refund => News::Refunded(sum("amount_refunded")?),
        About::Withdrawal => News::Withdrawn {
            dispute: object.filled("id")?,
            sum: sum("amount")?,
        },
        About::Reinstatement => News::Reinstated {
            dispute: object.filled("id")?,
        },
        About::Dispute => News::DisputeOpened,
        About::FraudWarning => News::FraudWarning,
    };
    Some(notice)
}

/// What an event is about, for printing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Object {
    /// A session.
    Session(Box<Session>),
    /// A charge with what was returned of it.
    Charge {
        /// The payment.
        payment_intent: String,
        /// Smallest units returned so far.
        amount_refunded: i64,
        /// Currency.
        currency: String,
    },
    /// A dispute.
    Dispute {
        /// Id.
        id: String,
        /// The payment.
        payment_intent: String,
        /// Smallest units.
        amount: i64,
        /// Currency.
        currency: String,
    },
    /// A bank's early warning.
    FraudWarning {
        /// Id.
        id: String,
        /// The payment.
        payment_intent: String,
    },
}

/// An event for printing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Id.
    pub id: String,
    /// Type.
    pub kind: String,
    /// Real money.
    pub live: bool,
    /// Unix seconds.
    pub created: i64,
    /// What it is about.
    pub object: Object,
}

impl Event {
    /// As Stripe sends it.
    pub fn body(&self) -> String {
        let event = json!({
            "id": self.id,
            "object": "event",
            "type": self.kind,
            "livemode": self.live,
            "created": self.created,
            "data": { "object": self.object.json() },
        });
        json::print(&event)
    }
}

impl Object {
    fn json(&self) -> Value {
        match self {
            Self::Session(session) => session.json(),
            Self::Charge {
                payment_intent,
                amount_refunded,
                currency,
            } => json!({
                "id": format!("ch_{payment_intent}"),
                "object": "charge",
                "amount_refunded": amount_refunded,
                "currency": currency,
                "payment_intent": payment_intent,
                "metadata": {},
            }),
            Self::Dispute {
                id,
                payment_intent,
                amount,
                currency,
            } => json!({
                "id": id,
                "object": "dispute",
                "amount": amount,
                "currency": currency,
                "payment_intent": payment_intent,
                "metadata": {},
            }),
            Self::FraudWarning { id, payment_intent } => json!({
                "id": id,
                "object": "radar.early_fraud_warning",
                "payment_intent": payment_intent,
            }),
        }
    }
}
