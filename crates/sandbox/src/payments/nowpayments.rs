//! Payments in coins to practise with, as NOWPayments keeps them: an invoice may be paid by several
//! payments, each with a story of its own.

use super::{Letter, Shown, Told, Wanted, cents, coins, dollars, make_room};
use domain::top_up::Processor;
use wire::nowpayments::Payment;

/// Where the practice API is, below the sandbox's address.
pub const NOWPAYMENTS_PATH: &str = "/nowpayments/v1";
/// The key that it takes.
pub const NOWPAYMENTS_KEY: &str = "practice_nowpayments_key";
/// What it signs its notifications with.
pub const NOWPAYMENTS_IPN_SECRET: &str = "practice_nowpayments_secret";

/// Ids of invoices and of payments start above these.
const FIRST_INVOICE: u64 = 4_522_625_000;
const FIRST_PAYMENT: u64 = 5_077_125_000;

/// The words of a payment on its way, in order.
const WAY: [&str; 4] = ["waiting", "confirming", "confirmed", "sending"];

/// An invoice.
#[derive(Clone, Debug)]
pub(crate) struct Invoice {
    /// Id.
    pub(crate) id: String,
    /// What is asked, as a decimal.
    pub(crate) price_amount: String,
    /// Its currency.
    pub(crate) price_currency: String,
    /// The shop's reference.
    pub(crate) order: String,
    /// Whom to tell.
    pub(crate) hook_url: String,
    /// The customer's way back.
    pub(crate) return_url: String,
    /// Where it is paid.
    pub(crate) pay_url: String,
}

/// All invoices and payments.
#[derive(Debug, Default)]
pub(crate) struct Coins {
    invoices: Vec<Invoice>,
    payments: Vec<Payment>,
    opened: u64,
    begun: u64,
}

impl Coins {
    /// A new invoice; the order's id and page are made here.
    pub(crate) fn open(&mut self, order: Invoice, base: &str) -> Invoice {
        self.opened += 1;
        let id = (FIRST_INVOICE + self.opened).to_string();
        let invoice = Invoice {
            pay_url: format!("{base}{NOWPAYMENTS_PATH}/pay/{id}"),
            id,
            ..order
        };
        make_room(&mut self.invoices);
        self.invoices.push(invoice.clone());
        invoice
    }

    /// An invoice.
    pub(crate) fn invoice(&self, id: &str) -> Option<&Invoice> {
        self.invoices.iter().find(|one| one.id == id)
    }

    /// A payment.
    pub(crate) fn payment(&self, id: &str) -> Option<&Payment> {
        self.payments.iter().find(|one| one.id == id)
    }

    /// All of them, for tests: invoices, then payments.
    pub(crate) fn shown(&self) -> impl Iterator<Item = Shown> {
        let shown =
            |id: &str, reference: Option<&String>, status: &str, url: Option<&String>| Shown {
                processor: Processor::NowPayments.slug(),
                id: id.to_owned(),
                reference: reference.cloned(),
                status: status.to_owned(),
                pay_url: url.cloned(),
                refunded_cents: 0,
                refunds: 0,
            };
        let invoices = self.invoices.iter();
        let invoices = invoices
            .map(move |one| shown(&one.id, Some(&one.order), "invoice", Some(&one.pay_url)));
        let payments = self.payments.iter();
        invoices
            .chain(payments.map(move |one| shown(&one.id, one.order.as_ref(), &one.status, None)))
    }

    /// Does something to an invoice's newest payment, or to a payment; gives the notifications that
    /// tell of it, in order. Nothing where it cannot be.
    pub(crate) fn act(&mut self, wanted: &Wanted) -> Option<Vec<Told>> {
        let of_payment = self.payment(&wanted.id).and_then(|one| one.invoice.clone());
        let invoice = of_payment.unwrap_or_else(|| wanted.id.clone());
        let invoice = self.invoice(&invoice)?.clone();
        let place = self.newest(&invoice, &wanted.id);
        let begun = place.map(|place| self.payments[place].status.clone());
        let words = story(wanted, begun.as_deref())?;
        let place = match place {
            Some(place) if wanted.action != "again" => place,
            _ => self.begin(&invoice),
        };
        let payment = &mut self.payments[place];
        if let Some(amount) = wanted.amount {
            payment.price_amount = dollars(amount);
        }
        if let Some(currency) = &wanted.currency {
            payment.price_currency.clone_from(currency);
        }
        let asked = cents(&invoice.price_amount).unwrap_or_default();
        let paid = match wanted.action.as_str() {
            "partial" => Some(asked / 2),
            "over" => Some(asked + asked / 5),
            "pay" | "again" => Some(asked),
            _ => None,
        };
        if let Some(paid) = wanted.cents.or(paid) {
            payment.actually_paid = coins(paid);
        }
        let told = words.into_iter().map(|word| {
            payment.status = word;
            Told {
                processor: Processor::NowPayments,
                letter: Letter::Shuffled(payment.body()),
                hook_url: invoice.hook_url.clone(),
                return_url: invoice.return_url.clone(),
            }
        });
        Some(told.collect())
    }

    /// Place of the payment that is named, or of the invoice's newest.
    fn newest(&self, invoice: &Invoice, named: &str) -> Option<usize> {
        let by_name = self.payments.iter().position(|one| one.id == named);
        let of_invoice = |one: &Payment| one.invoice.as_ref() == Some(&invoice.id);
        by_name.or_else(|| self.payments.iter().rposition(of_invoice))
    }

    fn begin(&mut self, invoice: &Invoice) -> usize {
        self.begun += 1;
        let asked = cents(&invoice.price_amount).unwrap_or_default();
        make_room(&mut self.payments);
        self.payments.push(Payment {
            id: (FIRST_PAYMENT + self.begun).to_string(),
            invoice: Some(invoice.id.clone()),
            status: WAY[0].to_owned(),
            price_amount: invoice.price_amount.clone(),
            price_currency: invoice.price_currency.clone(),
            order: Some(invoice.order.clone()),
            pay_amount: coins(asked),
            actually_paid: "0".to_owned(),
        });
        self.payments.len() - 1
    }
}

/// The words that a payment goes through, given the one that it has.
fn story(wanted: &Wanted, now: Option<&str>) -> Option<Vec<String>> {
    let over = |word| matches!(word, "finished" | "partially_paid" | "failed" | "refunded");
    let is_open = now.is_none_or(|word| !over(word));
    let passed = now.and_then(|word| WAY.iter().position(|known| *known == word));
    let ahead = |end: &str| {
        let rest = WAY.iter().skip(passed.map_or(0, |place| place + 1));
        let words = rest.map(|word| (*word).to_owned());
        words.chain([end.to_owned()]).collect()
    };
    let whole = || WAY.iter().map(|word| (*word).to_owned());
    Some(match wanted.action.as_str() {
        "wait" if now.is_none() => vec![WAY[0].to_owned()],
        "confirm" if is_open => vec![WAY[1].to_owned()],
        "pay" | "over" if is_open => ahead("finished"),
        "partial" if is_open => ahead("partially_paid"),
        "again" => whole().chain(["finished".to_owned()]).collect(),
        // what was paid in part may be paid up later
        "complete" if now == Some("partially_paid") => vec!["finished".to_owned()],
        "fail" if is_open => vec!["failed".to_owned()],
        "expire" if is_open => vec!["expired".to_owned()],
        "refund" if now == Some("finished") => vec!["refunded".to_owned()],
        "set" => vec![wanted.status.clone()?],
        _ => return None,
    })
}
