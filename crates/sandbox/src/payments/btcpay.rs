//! Invoices to practise with, as a BTCPay Server keeps them.

use super::{COIN_PRICE, Letter, Shown, Told, Wanted, cents, coins, dollars, hook_of, make_room};
use domain::top_up::Processor;
use serde_json::Value;
use wire::btcpay::{Delivery, Invoice, payment_methods};

/// Where the practice server is, below the sandbox's address.
pub const BTCPAY_PATH: &str = "/btcpay";
/// The store that it has.
pub const BTCPAY_STORE: &str = "practice";
/// The key that it takes.
pub const BTCPAY_KEY: &str = "practice_btcpay_key";
/// What it signs its webhooks with.
pub const BTCPAY_WEBHOOK_SECRET: &str = "practice_btcpay_secret";

/// An order for an invoice.
pub(crate) struct Order {
    /// Amount as a decimal.
    pub(crate) amount: String,
    /// Currency.
    pub(crate) currency: String,
    /// The shop's reference.
    pub(crate) reference: Option<String>,
    /// The customer's way back.
    pub(crate) return_url: String,
    /// How long the offer is good for, in seconds.
    pub(crate) lifetime_s: i64,
}

/// An invoice and what stands beside it.
#[derive(Clone, Debug)]
pub(crate) struct Bill {
    /// As the server shows it.
    pub(crate) invoice: Invoice,
    /// The customer's way back.
    pub(crate) return_url: String,
    expires_at: i64,
    paid_cents: i64,
}

/// All invoices.
#[derive(Debug, Default)]
pub(crate) struct Invoices {
    bills: Vec<Bill>,
    opened: u64,
    deliveries: u64,
}

impl Bill {
    fn stands(&mut self, status: &str, additional: &str) {
        self.invoice.status = status.to_owned();
        self.invoice.additional = additional.to_owned();
    }

    fn asked_cents(&self) -> i64 {
        cents(&self.invoice.amount).unwrap_or_default()
    }

    /// Its ways to pay with what came in.
    pub(crate) fn ways(&self) -> Value {
        payment_methods(&coins(self.paid_cents), COIN_PRICE)
    }
}

impl Invoices {
    /// A new invoice. Asked for twice there are two: no key makes them one.
    pub(crate) fn open(&mut self, order: Order, (base, now): (&str, i64)) -> Invoice {
        self.opened += 1;
        let id = format!("inv{now}x{}", self.opened);
        let invoice = Invoice {
            store: BTCPAY_STORE.to_owned(),
            amount: order.amount,
            currency: order.currency,
            order: order.reference,
            checkout_link: Some(format!("{base}{BTCPAY_PATH}/i/{id}")),
            status: "New".to_owned(),
            additional: "None".to_owned(),
            created: now,
            id,
        };
        make_room(&mut self.bills);
        self.bills.push(Bill {
            invoice: invoice.clone(),
            return_url: order.return_url,
            expires_at: now + order.lifetime_s,
            paid_cents: 0,
        });
        invoice
    }

    /// An invoice as it stands at this second.
    pub(crate) fn find(&mut self, id: &str, now: i64) -> Option<&mut Bill> {
        let bill = self.bills.iter_mut().find(|one| one.invoice.id == id)?;
        if bill.invoice.status == "New" && now >= bill.expires_at {
            bill.invoice.status = "Expired".to_owned();
        }
        Some(bill)
    }

    /// Invoices of this status made in this span, newest first.
    pub(crate) fn between(&self, from: i64, until: i64, status: Option<&str>) -> Vec<Invoice> {
        let fits = |one: &&Invoice| {
            (from..until).contains(&one.created) && status.is_none_or(|status| one.status == status)
        };
        let invoices = self.bills.iter().rev().map(|bill| &bill.invoice);
        invoices.filter(fits).cloned().collect()
    }

    /// All of them, for tests.
    pub(crate) fn shown(&self) -> impl Iterator<Item = Shown> {
        self.bills.iter().map(|bill| Shown {
            processor: Processor::BtcPay.slug(),
            id: bill.invoice.id.clone(),
            reference: bill.invoice.order.clone(),
            status: format!("{}, {}", bill.invoice.status, bill.invoice.additional),
            pay_url: bill.invoice.checkout_link.clone(),
            refunded_cents: 0,
            refunds: 0,
        })
    }

    /// Does something to an invoice; gives the events that tell of it, in order. Nothing where it
    /// cannot be.
    pub(crate) fn act(&mut self, wanted: &Wanted, now: i64) -> Option<Vec<Told>> {
        let bill = self.find(&wanted.id, now)?;
        if let Some(amount) = wanted.amount {
            bill.invoice.amount = dollars(amount);
        }
        if let Some(currency) = &wanted.currency {
            bill.invoice.currency.clone_from(currency);
        }
        let kinds = done_to(bill, wanted)?;
        let (invoice, return_url) = (bill.invoice.id.clone(), bill.return_url.clone());
        let told = kinds.iter().map(|kind| {
            self.deliveries += 1;
            let id = format!("delivery{now}x{}", self.deliveries);
            Told {
                processor: Processor::BtcPay,
                letter: Letter::Numbered(Delivery {
                    original: id.clone(),
                    id,
                    kind: (*kind).to_owned(),
                    at: now,
                    store: BTCPAY_STORE.to_owned(),
                    invoice: invoice.clone(),
                }),
                hook_url: hook_of(&return_url, Processor::BtcPay),
                return_url: return_url.clone(),
            }
        });
        Some(told.collect())
    }
}

const RECEIVED: &str = "InvoiceReceivedPayment";
const PROCESSING: &str = "InvoiceProcessing";
const CONFIRMED: &str = "InvoicePaymentSettled";
const SETTLED: &str = "InvoiceSettled";
const EXPIRED: &str = "InvoiceExpired";
const INVALID: &str = "InvoiceInvalid";

/// Changes the invoice; gives the types of the events.
fn done_to(bill: &mut Bill, wanted: &Wanted) -> Option<Vec<&'static str>> {
    let asked = bill.asked_cents();
    let status = bill.invoice.status.clone();
    let additional = bill.invoice.additional.clone();
    let pays = |default: i64| wanted.cents.unwrap_or(default);
    Some(match (wanted.action.as_str(), status.as_str()) {
        ("pay" | "over" | "receive", "New") => {
            let (share, word) = match wanted.action.as_str() {
                "over" => (asked + asked / 5, "PaidOver"),
                _ => (asked, "None"),
            };
            bill.paid_cents = pays(share);
            if wanted.action == "receive" {
                bill.stands("Processing", word);
                return Some(vec![RECEIVED, PROCESSING]);
            }
            bill.stands("Settled", word);
            vec![RECEIVED, PROCESSING, CONFIRMED, SETTLED]
        }
        ("pay" | "settle", "Processing") => {
            bill.stands("Settled", &additional);
            vec![CONFIRMED, SETTLED]
        }
        ("partial", "New") => {
            bill.paid_cents = pays(asked / 2);
            bill.stands("New", "PaidPartial");
            vec![RECEIVED]
        }
        ("expire", "New") => {
            bill.stands("Expired", &additional);
            vec![EXPIRED]
        }
        ("late", "Expired") => {
            bill.paid_cents = pays(asked);
            bill.stands("Expired", "PaidLate");
            vec![RECEIVED]
        }
        ("settle", "Expired") if additional == "PaidLate" => {
            bill.stands("Settled", "PaidLate");
            vec![CONFIRMED, SETTLED]
        }
        ("mark", "New" | "Processing" | "Expired") => {
            bill.stands("Settled", "Marked");
            vec![SETTLED]
        }
        // a block that was replaced takes its payments along, settled or not
        ("void", _) => {
            bill.stands("Invalid", "None");
            vec![INVALID]
        }
        ("set", _) => {
            let more = wanted.additional.as_deref().unwrap_or("None");
            bill.stands(wanted.status.as_deref()?, more);
            vec![match bill.invoice.status.as_str() {
                "Settled" => SETTLED,
                "Expired" => EXPIRED,
                "Invalid" => INVALID,
                _ => PROCESSING,
            }]
        }
        _ => return None,
    })
}
