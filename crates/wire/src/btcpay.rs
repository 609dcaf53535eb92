//! BTCPay Server: Greenfield invoices, webhooks and their signatures. Source: BTCPay's Greenfield
//! API reference ("Invoices", "Webhooks").

#[cfg(test)]
mod tests;

use crate::inbound::BadSignature;
use crate::json::{self, Node, Object};
use crate::mac;
use domain::top_up::{Checkout, Fact, News, Notice, Stand, Sum};
use ring::hmac::HMAC_SHA256;
use rust_decimal::Decimal;
use serde_json::{Value, json};

/// Header with the signature.
pub const SIGNATURE_HEADER: &str = "btcpay-sig";

/// How long a payment on an invoice that ended is still watched for, in minutes.
const MONITORING_MIN: i64 = 1440;

/// Whether the raw body was signed with one of these secrets.
pub fn verify(secrets: &[&str], header: &str, body: &[u8]) -> Result<(), BadSignature> {
    let hex = header.strip_prefix("sha256=");
    let digest = mac::digest(HMAC_SHA256, hex.ok_or(BadSignature::Unreadable)?)?;
    mac::verify(HMAC_SHA256, secrets, &[body], &[digest])
}

/// The header for a body that is signed with this secret.
pub fn sign(secret: &str, body: &[u8]) -> String {
    format!("sha256={}", mac::sign(HMAC_SHA256, secret, &[body]))
}

/// The invoice that is asked for; `minutes` until the offer ends.
pub fn create(checkout: &Checkout, minutes: i64) -> String {
    let order = json!({
        "amount": checkout.decimal(),
        "currency": checkout.currency(),
        "metadata": { "orderId": checkout.reference },
        "checkout": {
            "expirationMinutes": minutes,
            "monitoringMinutes": MONITORING_MIN,
            "speedPolicy": "MediumSpeed",
            "paymentTolerance": 0,
            "redirectURL": checkout.return_url,
            "redirectAutomatically": true,
        },
    });
    json::print(&order)
}

/// An order for an invoice, as a server reads it: amount, currency, our reference, return page.
pub fn read_create(body: &str) -> Option<(String, String, Option<String>, Option<String>)> {
    let order = Node::read(body)?.object()?;
    let metadata = order.get("metadata").and_then(Node::object);
    let checkout = order.get("checkout").and_then(Node::object);
    Some((
        order.filled("amount")?,
        order.filled("currency")?,
        metadata.and_then(|metadata| metadata.filled("orderId")),
        checkout.and_then(|checkout| checkout.filled("redirectURL")),
    ))
}

/// An invoice, as far as it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invoice {
    /// Id.
    pub id: String,
    /// Store.
    pub store: String,
    /// Amount as a decimal.
    pub amount: String,
    /// Currency.
    pub currency: String,
    /// Our reference.
    pub order: Option<String>,
    /// Where the browser pays.
    pub checkout_link: Option<String>,
    /// `New`, `Processing`, `Settled`, `Expired`, `Invalid`.
    pub status: String,
    /// `None`, `PaidLate`, `PaidPartial`, `PaidOver`, `Marked`, `Invalid`.
    pub additional: String,
    /// Begin, in unix seconds.
    pub created: i64,
}

impl Invoice {
    /// Reads an answer.
    pub fn parse(body: &str) -> Option<Self> {
        Self::of(&Node::read(body)?.object()?)
    }

    fn of(object: &Object<'_>) -> Option<Self> {
        let metadata = object.get("metadata").and_then(Node::object);
        Some(Self {
            id: object.filled("id")?,
            store: object.text(&["storeId"]).unwrap_or_default(),
            amount: object.text(&["amount"]).unwrap_or_default(),
            currency: object.text(&["currency"]).unwrap_or_default(),
            order: metadata.and_then(|metadata| metadata.filled("orderId")),
            checkout_link: object.filled("checkoutLink"),
            status: object.text(&["status"]).unwrap_or_default(),
            additional: object.text(&["additionalStatus"]).unwrap_or_default(),
            created: object.whole("createdTime").unwrap_or_default(),
        })
    }

    /// As the server prints it.
    pub fn json(&self) -> Value {
        json!({
            "id": self.id,
            "storeId": self.store,
            "amount": self.amount,
            "currency": self.currency,
            "type": "Standard",
            "checkoutLink": self.checkout_link,
            "createdTime": self.created,
            "status": self.status,
            "additionalStatus": self.additional,
            "metadata": { "orderId": self.order },
        })
    }

    /// What it says of a top-up. A pair of words that nobody told us of is for an operator.
    pub fn fact(&self, store: &str) -> Fact {
        let stand = match (self.status.as_str(), self.additional.as_str()) {
            _ if self.store != store => Stand::Odd(format!("invoice of store {:.64}", self.store)),
            ("New", _) => Stand::Open,
            ("Processing", _) => Stand::Pending,
            ("Settled", "None") => Stand::Paid,
            ("Settled", "PaidOver") => Stand::PaidOver,
            ("Expired", "None") => Stand::Expired,
            ("Invalid", _) => Stand::Void,
            (status, more) => Stand::Odd(format!("invoice {status:.40}, {more:.40}")),
        };
        Fact {
            reference: self.order.clone(),
            contradicts: false,
            processor_ref: Some(self.id.clone()),
            payment_ref: Some(self.id.clone()),
            live: None,
            sum: Sum::read(&self.amount, &self.currency),
            received: None,
            stand,
        }
    }

    /// Whether another amount than was asked came in, so that how much has to be asked for.
    pub fn is_odd_amount(&self) -> bool {
        ["PaidOver", "PaidPartial", "PaidLate"].contains(&self.additional.as_str())
    }
}

/// What came in on an invoice by all its ways to pay, in the invoice's currency: rounded down to its
/// smallest unit. Nothing where a way does not say.
pub fn received(body: &str, currency: &str) -> Option<Sum> {
    let mut total = Some(Decimal::ZERO);
    let node = Node::read(body).filter(|node| node.is_array())?;
    node.each(|way| {
        let paid = way.object().and_then(|way| {
            let paid = way.amount("paymentMethodPaid")?;
            paid.checked_mul(way.amount("rate")?)
        });
        total = total
            .zip(paid)
            .and_then(|(sum, paid)| sum.checked_add(paid));
    });
    Sum::read(&total?.normalize().to_string(), currency)
}

/// Ways to pay of an invoice as the server prints them, with what was paid in coins of eight
/// decimals at this rate.
pub fn payment_methods(paid: &str, rate: &str) -> Value {
    json!([{
        "paymentMethodId": "BTC-CHAIN",
        "currency": "BTC",
        "destination": "bcrt1qpractice",
        "rate": rate,
        "paymentMethodPaid": paid,
        "totalPaid": paid,
        "activated": true,
        "payments": [],
    }])
}

/// A list of invoices.
pub fn list(body: &str) -> Option<Vec<Invoice>> {
    let mut found = Vec::new();
    let node = Node::read(body).filter(|node| node.is_array())?;
    node.each(|one| found.extend(one.object().and_then(|one| Invoice::of(&one))));
    Some(found)
}

/// What a webhook is read as; nothing where it is none. It carries no amount, so whatever it says
/// of an invoice only means that the invoice has to be read.
pub fn notice(body: &[u8]) -> Option<Notice> {
    let event = std::str::from_utf8(body)
        .ok()
        .and_then(Node::read)?
        .object()?;
    let kind = event.filled("type")?;
    let used = [
        "InvoiceReceivedPayment",
        "InvoiceProcessing",
        "InvoicePaymentSettled",
        "InvoiceSettled",
        "InvoiceExpired",
        "InvoiceInvalid",
    ];
    let invoice = event.filled("invoiceId");
    let news = match &invoice {
        Some(_) if used.contains(&kind.as_str()) => News::Look,
        _ => News::Unused,
    };
    Some(Notice {
        event_id: event
            .filled("originalDeliveryId")
            .or_else(|| event.filled("deliveryId"))?,
        kind,
        reference: None,
        processor_ref: invoice.clone(),
        payment_ref: invoice,
        live: None,
        news,
    })
}

/// A webhook for printing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// This delivery.
    pub id: String,
    /// The first delivery of the same news.
    pub original: String,
    /// Type.
    pub kind: String,
    /// Unix seconds.
    pub at: i64,
    /// Store.
    pub store: String,
    /// Invoice.
    pub invoice: String,
}

impl Delivery {
    /// As the server sends it.
    pub fn body(&self) -> String {
        json::print(&json!({
            "deliveryId": self.id,
            "webhookId": "w1",
            "originalDeliveryId": self.original,
            "isRedelivery": self.id != self.original,
            "type": self.kind,
            "timestamp": self.at,
            "storeId": self.store,
            "invoiceId": self.invoice,
            "manuallyMarked": false,
            "overPaid": false,
        }))
    }
}
