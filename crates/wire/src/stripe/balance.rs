//! Balance transactions: every movement of the money that Stripe holds for an account. Source: Stripe's API
//! reference ("Balance transactions", "Payouts") and "Balance transaction types".

use super::session::reference;
use crate::json::{Node, Object};
use domain::time::Timestamp;
use domain::top_up::{LineKind, MoneyLine, Sum};
use serde_json::{Value, json};

/// Types whose amount a top-up tells of: what was paid, and what was returned.
const PAYMENTS: [&str; 4] = ["charge", "payment", "refund", "payment_refund"];
/// Types of money to the bank, or from there.
const PAYOUTS: [&str; 5] = [
    "payout",
    "payout_cancel",
    "payout_failure",
    "topup",
    "topup_reversal",
];
/// Types of fees that stand by themselves.
const FEES: [&str; 3] = ["stripe_fee", "stripe_fx_fee", "tax_fee"];
/// What an adjustment is for where a dispute took money or gave it back.
const DISPUTES: [&str; 2] = ["dispute", "dispute_reversal"];

/// A balance transaction, as far as it is used. Amounts are smallest units of the currency.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BalanceTransaction {
    /// Id.
    pub id: String,
    /// What it is: `charge`, `refund`, `adjustment`, `payout` and many more.
    pub kind: String,
    /// What it counts as in reports; tells disputes from other adjustments.
    pub category: Option<String>,
    /// What it added to the balance, before the fee; below zero what left.
    pub amount: i64,
    /// What Stripe kept of it.
    pub fee: i64,
    /// Currency of the balance, in lower case.
    pub currency: String,
    /// The charge, refund, dispute or payout it comes from.
    pub source: Option<String>,
    /// Unix seconds.
    pub created: i64,
}

impl BalanceTransaction {
    /// Reads an object; nothing where a member that money depends on is missing.
    fn of(object: &Object<'_>) -> Option<Self> {
        Some(Self {
            id: object.filled("id")?,
            kind: object.filled("type")?,
            category: object.filled("reporting_category"),
            amount: object.whole("amount")?,
            fee: object.whole("fee")?,
            currency: object.filled("currency")?,
            source: reference(object, "source"),
            created: object.whole("created")?,
        })
    }

    /// As Stripe prints it.
    pub fn json(&self) -> Value {
        json!({
            "id": self.id,
            "object": "balance_transaction",
            "amount": self.amount,
            "created": self.created,
            "currency": self.currency,
            "fee": self.fee,
            "net": self.amount.saturating_sub(self.fee),
            "reporting_category": self.category,
            "source": self.source,
            "status": "available",
            "type": self.kind,
        })
    }

    /// What it says of the money that Stripe owes us; nothing where its time cannot be.
    pub fn line(&self) -> Option<MoneyLine> {
        let is = |list: &[&str]| list.contains(&self.kind.as_str());
        let category = self.category.as_deref().unwrap_or_default();
        let kind = match self.kind.as_str() {
            _ if is(&PAYMENTS) => LineKind::Payment,
            "adjustment" if DISPUTES.contains(&category) => LineKind::Payment,
            _ if is(&PAYOUTS) => LineKind::Payout,
            _ if is(&FEES) => LineKind::Fee,
            _ => LineKind::Other,
        };
        Some(MoneyLine {
            reference: self.id.clone(),
            word: self.kind.clone(),
            kind,
            gross: Sum {
                minor: self.amount,
                currency: self.currency.clone(),
            },
            fee_minor: self.fee,
            at: Timestamp(self.created.checked_mul(1000)?),
        })
    }
}

/// A page of the list, and whether more follow; nothing where one of it cannot be read.
pub fn balance_list(body: &str) -> Option<(Vec<BalanceTransaction>, bool)> {
    let object = Node::read(body)?.object()?;
    let mut found = Vec::new();
    object
        .get("data")?
        .each(|node| found.push(node.object().and_then(|one| BalanceTransaction::of(&one))));
    let all: Option<Vec<_>> = found.into_iter().collect();
    Some((all?, object.flag("has_more")))
}

/// A page of the list as Stripe prints it.
pub fn balance_transactions(page: &[BalanceTransaction], has_more: bool) -> Value {
    let data: Vec<Value> = page.iter().map(BalanceTransaction::json).collect();
    let url = "/v1/balance_transactions";
    json!({ "object": "list", "data": data, "has_more": has_more, "url": url })
}

/// A payout that is asked for: smallest units and currency.
pub fn payout(form: &str) -> Option<(i64, String)> {
    let pairs = super::pairs(form);
    let text = |name: &str| {
        let found = pairs.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    };
    let minor = text("amount")?.parse().ok().filter(|minor| *minor > 0)?;
    Some((minor, text("currency")?))
}
