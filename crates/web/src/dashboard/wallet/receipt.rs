//! `/wallet/top-up/{id}/receipt`: what a customer paid, or with `?refund=N` what went back of it, as a
//! page to print and as PDF.

use super::pdf::{self, Sheet};
use crate::dashboard::page::{self, Page};
use crate::dashboard::session::Customer;
use crate::dashboard::view;
use crate::door::Door;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use domain::ports::StoreError;
use domain::top_up::{Reversal, ReversalCause, TopUp, TopUpState, reference};
use domain::usd::Usd;
use minijinja::context;
use serde::Deserialize;
use std::sync::Arc;

/// Which receipt of a top-up.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(in crate::dashboard) struct Which {
    refund: Option<i64>,
}

pub(in crate::dashboard) async fn show(
    State(door): State<Arc<Door>>,
    customer: Customer,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Response {
    let page = Page::new(&customer.visitor, "Receipt").under("wallet");
    match sheet(&door, &customer, &id, which.refund).await {
        Ok(Some(sheet)) => {
            let refund = which.refund;
            let Sheet { title, lines } = sheet;
            page.show("receipt.html", context! { id, refund, title, lines })
        }
        Ok(None) => page::not_found(&customer.visitor),
        Err(error) => page.failed(&error.into()),
    }
}

pub(in crate::dashboard) async fn pdf(
    State(door): State<Arc<Door>>,
    customer: Customer,
    Path(id): Path<String>,
    Query(which): Query<Which>,
) -> Response {
    match sheet(&door, &customer, &id, which.refund).await {
        Ok(Some(sheet)) => view::file("receipt.pdf", "application/pdf", pdf::file(&sheet)),
        Ok(None) => page::not_found(&customer.visitor),
        Err(error) => Page::new(&customer.visitor, "Receipt").failed(&error.into()),
    }
}

/// Movements that a payer got money by.
pub(super) fn is_refund(reversal: &Reversal) -> bool {
    use ReversalCause as C;
    matches!(
        reversal.cause,
        C::Refund | C::OwnRefund | C::OwedRefund | C::Void
    )
}

/// What the payer got by a movement.
pub(super) fn got_back(reversal: &Reversal) -> Usd {
    Usd(reversal.parts.amount.0 + reversal.parts.fee.0)
}

/// The receipt, where there is one: of a payment that was credited, or of money that went back.
async fn sheet(
    door: &Door,
    customer: &Customer,
    id: &str,
    refund: Option<i64>,
) -> Result<Option<Sheet>, StoreError> {
    let Ok(id) = id.parse() else {
        return Ok(None);
    };
    let row = door.top_ups.own(customer.account.id, id).await?;
    let Some(row) = row.filter(|row| row.state == TopUpState::Credited) else {
        return Ok(None);
    };
    let Some(number) = refund else {
        return Ok(Some(of_payment(door, customer, &row)));
    };
    let moved = door.top_ups.reversals(id).await?;
    let mut moved = moved.into_iter();
    let found = moved.find(|(one, _)| one.seq == number && is_refund(one));
    Ok(found.map(|(reversal, at)| {
        let title = format!("Refund receipt {}-{number}", reference(id));
        let pairs = [
            ("Date", view::rfc3339(at)),
            ("Refund of", format!("top-up {}", reference(id))),
            ("Returned", dollars(got_back(&reversal))),
        ];
        laid_out(door, customer, title, &pairs)
    }))
}

fn of_payment(door: &Door, customer: &Customer, row: &TopUp) -> Sheet {
    let at = row.credited_at.unwrap_or(row.created_at);
    let mut pairs = vec![
        ("Date", view::rfc3339(at)),
        ("Way to pay", row.processor.label().to_owned()),
        ("Added to the wallet", dollars(row.credited)),
    ];
    if row.fee > Usd::ZERO {
        pairs.push(("Fee for this way to pay", dollars(row.fee)));
    }
    pairs.push(("Paid", dollars(Usd(row.credited.0 + row.fee.0))));
    if row.bonus > Usd::ZERO {
        pairs.push(("Bonus added for free", dollars(row.bonus)));
    }
    if let Some(payment) = &row.payment_ref {
        pairs.push(("Payment reference", payment.clone()));
    }
    if !row.live {
        pairs.push(("Test mode", "no real money was paid".to_owned()));
    }
    laid_out(
        door,
        customer,
        format!("Receipt {}", reference(row.id)),
        &pairs,
    )
}

fn dollars(amount: Usd) -> String {
    format!("{} USD", view::usd(amount.0))
}

/// Who sold, who paid, and the pairs.
fn laid_out(door: &Door, customer: &Customer, title: String, pairs: &[(&str, String)]) -> Sheet {
    let alone = |text: &str| (text.to_owned(), String::new());
    let seller = door.top_ups.seller().lines().map(alone);
    let mut lines: Vec<(String, String)> = seller.collect();
    lines.push(alone(""));
    lines.push(("Customer".to_owned(), customer.account.email.clone()));
    let pairs = pairs.iter();
    lines.extend(pairs.map(|(name, value)| ((*name).to_owned(), value.clone())));
    Sheet { title, lines }
}
