//! Checkout Sessions and refunds: the forms that ask for them, and the objects that answer.

use crate::json::{Node, Object};
use domain::time::{Millis, Timestamp};
use domain::top_up::{Checkout, Fact, Processor, Stand, Sum};
use serde_json::{Value, json};

/// What a session is asked for with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateSession {
    /// Our reference.
    pub reference: String,
    /// Smallest units of the currency.
    pub minor: i64,
    /// Currency in lower case.
    pub currency: String,
    /// Our page after the payment, and after a change of mind.
    pub return_url: String,
    /// End of the offer.
    pub expires_at: Timestamp,
}

const LINE: &str = "line_items[0]";

/// Longest offer. Stripe takes a day from when it hears of it: a minute is for the way there.
const LONGEST: Millis = Millis::minutes(1439);

impl CreateSession {
    /// The order for a top-up.
    pub fn of(checkout: &Checkout) -> Self {
        let from = checkout.created_at;
        let shortest = Processor::Stripe.shortest_offer();
        Self {
            reference: checkout.reference.clone(),
            minor: checkout.cents(),
            currency: checkout.currency().to_ascii_lowercase(),
            return_url: checkout.return_url.clone(),
            expires_at: checkout.expires_at.clamp(from + shortest, from + LONGEST),
        }
    }

    /// As a form.
    pub fn form(&self) -> String {
        let (minor, expires) = (self.minor.to_string(), self.expires_at.0.div_euclid(1000));
        let pairs = [
            ("mode".to_owned(), "payment"),
            ("success_url".to_owned(), &self.return_url),
            ("cancel_url".to_owned(), &self.return_url),
            ("client_reference_id".to_owned(), &self.reference),
            (format!("{LINE}[quantity]"), "1"),
            (format!("{LINE}[price_data][currency]"), &self.currency),
            (format!("{LINE}[price_data][unit_amount]"), &minor),
            (
                format!("{LINE}[price_data][product_data][name]"),
                "Wallet top-up",
            ),
            ("metadata[topup_id]".to_owned(), &self.reference),
            (
                "payment_intent_data[metadata][topup_id]".to_owned(),
                &self.reference,
            ),
            ("expires_at".to_owned(), &expires.to_string()),
        ];
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        form.finish()
    }
}

impl CreateSession {
    /// Reads a form; nothing where it asks for no payment.
    pub fn parse(form: &str) -> Option<Self> {
        let pairs = super::pairs(form);
        let text = |name: &str| {
            let found = pairs.iter().find(|(known, _)| known == name);
            found.map(|(_, value)| value.clone())
        };
        let number = |name: &str| text(name)?.parse::<i64>().ok();
        let seconds = number("expires_at").unwrap_or_default();
        Some(Self {
            reference: text("client_reference_id")?,
            minor: number("line_items[0][price_data][unit_amount]").filter(|minor| *minor > 0)?,
            currency: text("line_items[0][price_data][currency]")?,
            return_url: text("success_url")?,
            expires_at: Timestamp(seconds.checked_mul(1000)?),
        })
    }
}

/// A refund that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refund {
    /// The payment.
    pub payment_intent: String,
    /// Smallest units; all that is left where nothing is said.
    pub minor: Option<i64>,
}

impl Refund {
    /// Reads a form.
    pub fn parse(form: &str) -> Option<Self> {
        let (mut payment_intent, mut minor) = (None, None);
        for (name, value) in form_urlencoded::parse(form.as_bytes()) {
            match name.as_ref() {
                "payment_intent" => payment_intent = Some(value.into_owned()),
                "amount" => minor = Some(value.parse().ok()?),
                _ => {}
            }
        }
        Some(Self {
            payment_intent: payment_intent?,
            minor,
        })
    }

    /// As a form.
    pub fn form(&self) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("payment_intent", &self.payment_intent);
        if let Some(minor) = self.minor {
            form.append_pair("amount", &minor.to_string());
        }
        form.finish()
    }
}

/// A Checkout Session, as far as it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Id.
    pub id: String,
    /// Where the browser pays; gone once the session is over.
    pub url: Option<String>,
    /// `open`, `complete`, `expired`.
    pub status: String,
    /// `paid`, `unpaid`, `no_payment_required`.
    pub payment_status: String,
    /// Smallest units.
    pub amount_total: Option<i64>,
    /// Currency in lower case.
    pub currency: String,
    /// The payment, once there is one.
    pub payment_intent: Option<String>,
    /// Our reference.
    pub client_reference_id: Option<String>,
    /// Our reference once more.
    pub topup_id: Option<String>,
    /// Real money.
    pub live: Option<bool>,
    /// Begin, in unix seconds.
    pub created: i64,
    /// End of the offer, in unix seconds.
    pub expires_at: i64,
}

impl Session {
    /// Reads an answer.
    pub fn parse(body: &str) -> Option<Self> {
        Self::of(&Node::read(body)?.object()?)
    }

    pub(super) fn of(object: &Object<'_>) -> Option<Self> {
        let metadata = object.get("metadata").and_then(Node::object);
        let live = object.text(&["livemode"]);
        Some(Self {
            id: object.filled("id")?,
            url: object.filled("url"),
            status: object.text(&["status"]).unwrap_or_default(),
            payment_status: object.text(&["payment_status"]).unwrap_or_default(),
            amount_total: object.whole("amount_total"),
            currency: object.text(&["currency"]).unwrap_or_default(),
            payment_intent: reference(object, "payment_intent"),
            client_reference_id: object.filled("client_reference_id"),
            topup_id: metadata.and_then(|metadata| metadata.filled("topup_id")),
            live: live.and_then(|text| text.parse().ok()),
            created: object.whole("created").unwrap_or_default(),
            expires_at: object.whole("expires_at").unwrap_or_default(),
        })
    }

    /// As Stripe prints it.
    pub fn json(&self) -> Value {
        let metadata = match &self.topup_id {
            Some(id) => json!({ "topup_id": id }),
            None => json!({}),
        };
        json!({
            "id": self.id,
            "object": "checkout.session",
            "amount_total": self.amount_total,
            "client_reference_id": self.client_reference_id,
            "created": self.created,
            "currency": self.currency,
            "expires_at": self.expires_at,
            "livemode": self.live,
            "metadata": metadata,
            "mode": "payment",
            "payment_intent": self.payment_intent,
            "payment_status": self.payment_status,
            "status": self.status,
            "url": self.url,
        })
    }

    /// What it says of a top-up.
    pub fn fact(&self) -> Fact {
        let stand = match (self.payment_status.as_str(), self.status.as_str()) {
            ("paid", _) => Stand::Paid,
            ("unpaid", "complete") => Stand::Pending,
            ("unpaid", "expired") => Stand::Expired,
            ("unpaid", "open") => Stand::Open,
            (payment, status) => Stand::Odd(format!("session {status:.40}, payment {payment:.40}")),
        };
        let (first, second) = (&self.client_reference_id, &self.topup_id);
        Fact {
            reference: first.clone().or_else(|| second.clone()),
            contradicts: first != second,
            processor_ref: Some(self.id.clone()),
            payment_ref: self.payment_intent.clone(),
            live: self.live,
            sum: self.amount_total.map(|minor| Sum {
                minor,
                currency: self.currency.clone(),
            }),
            received: None,
            stand,
        }
    }
}

/// A member that is an id, or the object that has it.
pub(super) fn reference(object: &Object<'_>, name: &str) -> Option<String> {
    let node = object.get(name)?;
    let text = match node.object() {
        Some(expanded) => expanded.filled("id"),
        None => node.string(),
    };
    text.filter(|text| !text.is_empty())
}

/// A page of a list, and whether more follow.
pub fn list(body: &str) -> Option<(Vec<Session>, bool)> {
    let object = Node::read(body)?.object()?;
    let mut found = Vec::new();
    object
        .get("data")?
        .each(|node| found.extend(node.object().and_then(|one| Session::of(&one))));
    Some((found, object.flag("has_more")))
}

/// A page of a list as Stripe prints it.
pub fn sessions(page: &[Session], has_more: bool) -> Value {
    let data: Vec<Value> = page.iter().map(Session::json).collect();
    json!({ "object": "list", "data": data, "has_more": has_more, "url": "/v1/checkout/sessions" })
}

/// An error as Stripe prints it.
pub fn error(kind: &str, code: &str, message: &str, param: Option<&str>) -> Value {
    json!({ "error": { "type": kind, "code": code, "message": message, "param": param } })
}

/// What an error says, for the operator.
pub fn error_text(body: &str) -> Option<String> {
    let error = Node::read(body)?.object()?.get("error")?.object()?;
    let text = |name| error.text(&[name]);
    let words = [text("type"), text("code"), text("param"), text("message")];
    let words: Vec<String> = words.into_iter().flatten().collect();
    Some(crate::amount::cut(&words.join(", "), 300))
}
