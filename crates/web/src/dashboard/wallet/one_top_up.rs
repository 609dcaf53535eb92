//! `/wallet/top-up/{id}`: one top-up as its customer sees it, and the page that processors send the
//! browser back to. It shows what is known and moves no money.

use crate::dashboard::fields::Form;
use crate::dashboard::page::{self, Failed, Page};
use crate::dashboard::session::{Away, Customer};
use crate::dashboard::view as shown;
use crate::dashboard::wallet::receipt;
use crate::door::Door;
use app::NotBegun;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::ports::StoreError;
use domain::top_up::{TopUp, TopUpState, reference};
use minijinja::{Value, context};
use std::sync::Arc;

pub(in crate::dashboard) async fn show(
    State(door): State<Arc<Door>>,
    customer: Customer,
    Path(id): Path<String>,
) -> Response {
    one_page(&door, &customer, &id, None).await
}

async fn one_page(door: &Door, customer: &Customer, id: &str, failed: Option<Failed>) -> Response {
    let page = Page::new(&customer.visitor, "Top-up").under("wallet");
    let found = match id.parse() {
        Ok(id) => door.top_ups.own(customer.account.id, id).await,
        Err(_) => Ok(None),
    };
    match found {
        Ok(Some(row)) => {
            let mut offers = door.top_ups.offers().iter();
            let offer = offers.find(|offer| offer.processor == row.processor);
            let instructions = offer.map_or("", |offer| offer.instructions.as_str());
            match beside(door, row.id).await {
                Ok((refunds, proof)) => {
                    let values = context! { one => view(&row), instructions, refunds, proof,
                    can_open => row.can_reopen(door.engine.now()) };
                    page.with_failure(failed).show("one_top_up.html", values)
                }
                Err(error) => page.failed(&error.into()),
            }
        }
        Ok(None) => page::not_found(&customer.visitor),
        Err(error) => page.failed(&error.into()),
    }
}

/// What stands beside a top-up: refunds, and the file that came with it.
async fn beside(door: &Door, id: i64) -> Result<(Vec<Value>, Option<Value>), StoreError> {
    let proof = door.top_ups.rows().proof_line(id).await?;
    Ok((refunds(door, id).await?, proof.as_ref().map(shown::proof)))
}

/// What went back to the payer, each with a receipt of its own.
async fn refunds(door: &Door, id: i64) -> Result<Vec<Value>, StoreError> {
    let moved = door.top_ups.reversals(id).await?;
    let refunds = moved.iter().filter(|(one, _)| receipt::is_refund(one));
    let shown = refunds.map(|(one, at)| {
        context! { number => one.seq, at => at.0, amount => receipt::got_back(one).0 }
    });
    Ok(shown.collect())
}

/// `POST /wallet/top-up/{id}/open`: asks for a place to pay once more.
pub(in crate::dashboard) async fn open(
    State(door): State<Arc<Door>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    let Ok(number) = id.parse() else {
        return Ok(page::not_found(&customer.visitor));
    };
    let opened = door.top_ups.reopen(customer.account.id, number).await;
    Ok(match opened {
        Ok(_) => Redirect::to(&format!("/wallet/top-up/{number}")).into_response(),
        Err(why) => one_page(&door, &customer, &id, Some(failed(&why))).await,
    })
}

/// `POST /wallet/top-up/{id}/withdraw`: takes back a declared bank transfer.
pub(in crate::dashboard) async fn withdraw(
    State(door): State<Arc<Door>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    let Ok(number) = id.parse() else {
        return Ok(page::not_found(&customer.visitor));
    };
    Ok(
        match door.top_ups.withdraw(customer.account.id, number).await {
            Ok(()) => {
                let path = format!("/wallet/top-up/{number}?notice=top-up-withdrawn");
                Redirect::to(&path).into_response()
            }
            Err(why) => one_page(&door, &customer, &id, Some(failed(&why))).await,
        },
    )
}

/// What a page says of a top-up that was not begun, or not withdrawn.
pub(super) fn failed(why: &NotBegun) -> Failed {
    let (status, field) = match why {
        NotBegun::Amount(_) => (StatusCode::BAD_REQUEST, "amount"),
        NotBegun::Field { field, .. } => (StatusCode::BAD_REQUEST, *field),
        NotBegun::TooMany(_) => (StatusCode::TOO_MANY_REQUESTS, ""),
        NotBegun::Suspended => (StatusCode::FORBIDDEN, ""),
        NotBegun::Decided => (StatusCode::CONFLICT, ""),
        NotBegun::Unavailable | NotBegun::Storage => (StatusCode::SERVICE_UNAVAILABLE, ""),
    };
    Failed {
        field,
        ..Failed::new(status, &why.to_string())
    }
}

/// A top-up for a template. Why it stands in review is between the operator and the processor.
pub(super) fn view(row: &TopUp) -> Value {
    let pay_url = row.pay_url.as_deref().filter(|url| {
        let web = url.starts_with("https://") || url.starts_with("http://");
        web && row.state == TopUpState::Created
    });
    let waits = row.is_announced();
    let (word, sentence) = words(row);
    context! {
        id => row.id,
        reference => reference(row.id),
        label => row.processor.label(),
        state => row.state.slug(),
        word,
        sentence,
        amount => row.amount.0,
        fee => row.fee.0,
        charge => row.charge().0,
        bonus => row.bonus.0,
        credited => row.credited.0,
        returned => row.reversed.of_customer().0,
        is_test => !row.live,
        clears_at => row.clears_at.map(|at| at.0),
        hold_hours => row.hold.0 / 3_600_000,
        pay_url,
        lacks_place => row.lacks_place(),
        declared => if waits { row.note.as_str() } else { "" },
        can_withdraw => waits,
        at => row.created_at.0,
        credited_at => row.credited_at.map(|at| at.0),
    }
}

/// Where a top-up stands, in its customer's words.
fn words(row: &TopUp) -> (&'static str, &'static str) {
    match row.state {
        TopUpState::Created if row.lacks_place() => (
            "No page to pay on yet",
            "The payment processor did not answer. Nothing was charged.",
        ),
        TopUpState::Created => ("Waiting for your payment", "Nothing has arrived yet."),
        TopUpState::Pending if row.is_announced() => (
            "Waiting for your transfer",
            "It is credited once it was found on our account.",
        ),
        TopUpState::Pending => ("Payment on its way", "It is credited once it is certain."),
        TopUpState::Credited if row.clears_at.is_some() => (
            "In your wallet",
            "It cannot be spent yet: payments of this kind can be taken back.",
        ),
        TopUpState::Credited => ("In your wallet", "It can be spent."),
        TopUpState::Expired => ("Expired", "Nobody paid in time. Begin a new one."),
        TopUpState::Failed => ("Failed", "The payment failed. Nothing was credited."),
        TopUpState::Review => (
            "Being looked at",
            "Something about this payment does not fit: somebody looks at it.",
        ),
        TopUpState::Rejected => ("Closed", "It was closed without a payment."),
    }
}
