//! NOWPayments: invoices, payments, notifications and their signatures. Source: NOWPayments' API
//! documentation ("Create invoice", "Get payment status", "Instant payment notifications").

mod canonical;
#[cfg(test)]
mod tests;

pub use canonical::canonical;

use crate::amount;
use crate::inbound::BadSignature;
use crate::json::{self, Node, Object};
use crate::mac;
use domain::top_up::{Checkout, Fact, News, Notice, Stand, Sum};
use ring::hmac::HMAC_SHA512;
use serde::Serialize;
use serde_json::value::RawValue;

/// Header with the signature.
pub const SIGNATURE_HEADER: &str = "x-nowpayments-sig";
/// Header with our key.
pub const KEY_HEADER: &str = "x-api-key";

/// Whether a notification was signed with one of these secrets. The signature is over the body's
/// canonical form, in which every number stands as it came.
pub fn verify(secrets: &[&str], header: &str, body: &[u8]) -> Result<(), BadSignature> {
    let digest = mac::digest(HMAC_SHA512, header)?;
    let text = std::str::from_utf8(body).ok().and_then(canonical);
    let text = text.ok_or(BadSignature::Unreadable)?;
    mac::verify(HMAC_SHA512, secrets, &[text.as_bytes()], &[digest])
}

/// The header for a body that is signed with this secret; nothing where it is no JSON.
pub fn sign(secret: &str, body: &str) -> Option<String> {
    Some(mac::sign(
        HMAC_SHA512,
        secret,
        &[canonical(body)?.as_bytes()],
    ))
}

/// A decimal as a JSON number, digit for digit.
fn number(text: &str) -> Option<Box<RawValue>> {
    RawValue::from_string(text.to_owned()).ok()
}

#[derive(Serialize)]
struct Create<'a> {
    price_amount: Option<Box<RawValue>>,
    price_currency: String,
    order_id: &'a str,
    order_description: &'static str,
    ipn_callback_url: &'a str,
    success_url: &'a str,
    cancel_url: &'a str,
}

/// The invoice that is asked for.
pub fn create(checkout: &Checkout) -> String {
    json::print(&Create {
        price_amount: number(&checkout.decimal()),
        price_currency: checkout.currency().to_ascii_lowercase(),
        order_id: &checkout.reference,
        order_description: "Wallet top-up",
        ipn_callback_url: &checkout.hook_url,
        success_url: &checkout.return_url,
        cancel_url: &checkout.return_url,
    })
}

/// An order for an invoice, as a server reads it: amount, currency, our reference, where it is told
/// of payments, return page.
pub fn read_create(body: &str) -> Option<(String, String, String, String, String)> {
    let order = Node::read(body)?.object()?;
    let text = |name| order.text(&[name]);
    Some((
        text("price_amount")?,
        text("price_currency")?,
        text("order_id")?,
        text("ipn_callback_url").unwrap_or_default(),
        text("success_url").unwrap_or_default(),
    ))
}

/// An invoice: its id and where the browser pays.
pub fn invoice(body: &str) -> Option<(String, String)> {
    let object = Node::read(body)?.object()?;
    Some((object.id(&["id"])?, object.filled("invoice_url")?))
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fee {
    currency: &'static str,
    deposit_fee: Option<Box<RawValue>>,
    withdrawal_fee: u8,
    service_fee: u8,
}

#[derive(Serialize)]
struct Printed<'a> {
    payment_id: json::Id<'a>,
    invoice_id: Option<json::Id<'a>>,
    payment_status: &'a str,
    pay_address: &'static str,
    price_amount: Option<Box<RawValue>>,
    price_currency: &'a str,
    pay_amount: Option<Box<RawValue>>,
    actually_paid: Option<Box<RawValue>>,
    pay_currency: &'static str,
    order_id: Option<&'a str>,
    order_description: &'static str,
    fee: Fee,
}

/// A payment, as far as it is used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// Id.
    pub id: String,
    /// The invoice it is for, where it says.
    pub invoice: Option<String>,
    /// Word for how it stands.
    pub status: String,
    /// What was asked, as a decimal.
    pub price_amount: String,
    /// Its currency.
    pub price_currency: String,
    /// Our reference.
    pub order: Option<String>,
    /// Coins that were asked for it, as a decimal; empty where it does not say.
    pub pay_amount: String,
    /// Coins that came, likewise.
    pub actually_paid: String,
}

impl Payment {
    /// Reads an answer, or a notification.
    pub fn parse(body: &str) -> Option<Self> {
        Self::of(&Node::read(body)?.object()?)
    }

    fn of(object: &Object<'_>) -> Option<Self> {
        Some(Self {
            id: object.id(&["payment_id"])?,
            invoice: object.id(&["invoice_id"]),
            status: object.filled("payment_status")?,
            price_amount: object.text(&["price_amount"]).unwrap_or_default(),
            price_currency: object.text(&["price_currency"]).unwrap_or_default(),
            order: object.filled("order_id"),
            pay_amount: object.text(&["pay_amount"]).unwrap_or_default(),
            actually_paid: object.text(&["actually_paid"]).unwrap_or_default(),
        })
    }

    /// The share of the price that came, rounded down to its smallest unit.
    fn received(&self) -> Option<Sum> {
        let decimal = |text: &str| amount::amount(text);
        let (asked, came) = (decimal(&self.pay_amount)?, decimal(&self.actually_paid)?);
        let product = decimal(&self.price_amount)?.checked_mul(came)?;
        let share = product.checked_div(asked)?;
        Sum::read(&share.normalize().to_string(), &self.price_currency)
    }

    /// A notification of it, or an answer: with the nested member and small numbers that real ones
    /// have.
    pub fn body(&self) -> String {
        json::print(&Printed {
            payment_id: json::Id(&self.id),
            invoice_id: self.invoice.as_deref().map(json::Id),
            payment_status: &self.status,
            pay_address: "addr1",
            price_amount: number(&self.price_amount),
            price_currency: &self.price_currency,
            pay_amount: number(&self.pay_amount),
            actually_paid: number(&self.actually_paid),
            pay_currency: "btc",
            order_id: self.order.as_deref(),
            order_description: "Wallet top-up",
            fee: Fee {
                currency: "btc",
                deposit_fee: number("0.00001"),
                withdrawal_fee: 0,
                service_fee: 0,
            },
        })
    }

    /// What it says of a top-up. A payment that nobody has begun to pay binds nothing: its customer
    /// may choose another coin, which makes another payment.
    pub fn fact(&self) -> Fact {
        let stand = match self.status.as_str() {
            "waiting" | "confirming" | "confirmed" | "sending" => Stand::Pending,
            "finished" => Stand::Paid,
            "failed" => Stand::Failed,
            "expired" => Stand::Expired,
            "refunded" => Stand::Refunded,
            "partially_paid" => Stand::PaidPart,
            other => Stand::Unknown(format!("payment {other:.40}")),
        };
        let begun = self.status != "waiting";
        Fact {
            reference: self.order.clone(),
            contradicts: false,
            processor_ref: self.invoice.clone(),
            payment_ref: begun.then(|| self.id.clone()),
            live: None,
            sum: Sum::read(&self.price_amount, &self.price_currency),
            received: self.received(),
            stand,
        }
    }
}

/// The same document with its members turned by so many places: how a sender orders them means
/// nothing. Nothing where it is no object.
pub fn turned(body: &str, places: usize) -> Option<String> {
    let Object(mut members) = Node::read(body)?.object()?;
    let places = places % members.len().max(1);
    members.rotate_left(places);
    let printed = members.iter();
    let printed = printed.map(|(name, node)| format!("{}:{}", json::print(name), node.raw()));
    Some(format!("{{{}}}", printed.collect::<Vec<_>>().join(",")))
}

/// What a notification is read as; nothing where it is none.
pub fn notice(body: &[u8]) -> Option<Notice> {
    let payment = Payment::parse(std::str::from_utf8(body).ok()?)?;
    let news = News::Payment(payment.fact());
    Some(Notice {
        event_id: format!("{}:{}", payment.id, payment.status),
        kind: payment.status,
        reference: payment.order,
        processor_ref: payment.invoice,
        payment_ref: Some(payment.id),
        live: None,
        news,
    })
}
