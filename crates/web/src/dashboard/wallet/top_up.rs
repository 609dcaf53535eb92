//! `/wallet/top-up`: every way to put money into the wallet that is configured. Each way is a
//! section of the page with a form of its own.

use crate::dashboard::fields::{Fields, Form};
use crate::dashboard::once;
use crate::dashboard::page::{Failed, Page};
use crate::dashboard::session::{Away, Customer};
use crate::dashboard::wallet::one_top_up;
use crate::door::Door;
use app::{NotRedeemed, Offer, Refusal, Way};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::top_up::{Processor, Terms};
use minijinja::{Value, context};
use std::sync::Arc;

/// Redeemed codes shown.
const REDEEMED: u32 = 20;

pub(in crate::dashboard) async fn show(
    State(door): State<Arc<Door>>,
    customer: Customer,
) -> Response {
    let page = Page::new(&customer.visitor, "Top up").under("wallet");
    match values(&door, &customer, &Fields::default()).await {
        Ok(values) => page.show("top_up.html", values),
        Err(failed) => page.failed(&failed),
    }
}

/// The page again with what was wrong, and what was typed still in its form.
async fn again(door: &Door, customer: &Customer, form: &Form, failed: Failed) -> Response {
    let page = Page::new(&customer.visitor, "Top up").under("wallet");
    match values(door, customer, &form.fields).await {
        Ok(values) => page.with_failure(Some(failed)).show("top_up.html", values),
        Err(failed) => page.failed(&failed),
    }
}

async fn values(door: &Door, customer: &Customer, typed: &Fields) -> Result<Value, Failed> {
    let account = customer.account.id;
    let wallet = door.engine.store().wallet(account).await?;
    let redeemed = door.redeem.redeemed_by(account, REDEEMED).await?;
    let redeemed: Vec<Value> = redeemed
        .iter()
        .map(|code| {
            context! {
                amount => code.amount.0,
                at => code.redeemed.map(|(_, at)| at.0),
            }
        })
        .collect();
    let wallet = wallet.unwrap_or_default();
    let tier = customer.account.tier;
    let offers = door.top_ups.offers().iter();
    let ways: Result<Vec<Value>, Refusal> = offers.map(|offer| way(offer, tier, typed)).collect();
    let ways = ways?;
    let top_ups = door.top_ups.of(account).await?;
    let top_ups: Vec<Value> = top_ups.iter().map(one_top_up::view).collect();
    Ok(context! {
        available => wallet.available.0,
        due => wallet.receivable.0,
        redeemed,
        ways,
        top_ups,
    })
}

/// A way to pay with its terms for an account of this tier, and the key of its form.
fn way(offer: &Offer, tier: u8, fields: &Fields) -> Result<Value, Refusal> {
    let Terms {
        min,
        max,
        fee_parts_per_million,
        fee_fixed,
        bonuses,
        ..
    } = &offer.terms;
    let bonuses = bonuses.iter().map(|rule| {
        context! { from => rule.from.0, percent => percent(rule.parts_per_million) }
    });
    let typed = fields.text("method") == offer.processor.slug();
    let text = |name| if typed { fields.text(name) } else { "" };
    Ok(context! {
        once => once::key()?,
        typed,
        amount => text("amount"),
        note => text("note"),
        method => offer.processor.slug(),
        label => offer.processor.label(),
        is_manual => offer.processor == Processor::Manual,
        instructions => &offer.instructions,
        min => min.0,
        max => max.0,
        fee_percent => percent(*fee_parts_per_million),
        fee_fixed => fee_fixed.0,
        hold_hours => offer.terms.hold(tier).0 / 3_600_000,
        bonuses => bonuses.collect::<Vec<Value>>(),
    })
}

/// Parts of a million as people write them; nothing for none.
fn percent(parts_per_million: i64) -> String {
    match (parts_per_million / 10_000, parts_per_million % 10_000 / 100) {
        (0, 0) => String::new(),
        (whole, 0) => whole.to_string(),
        (whole, part) => format!("{whole}.{part:02}"),
    }
}

/// `POST /wallet/top-up`: begins a top-up. The place to pay is a link on its page, so that a reload
/// opens no second one.
pub(in crate::dashboard) async fn begin(
    State(door): State<Arc<Door>>,
    form: Form,
) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    let way = Way {
        method: form.fields.text("method"),
        amount: form.fields.text("amount"),
        currency: form.fields.text("currency"),
        note: form.fields.text("note"),
    };
    let once = match once::request("/wallet/top-up", &form.fields) {
        Ok(once) => once,
        Err(failed) => return Ok(again(&door, &customer, &form, failed).await),
    };
    let begun = door.top_ups.begin(&customer.account, way, once).await;
    Ok(match begun {
        Ok(row) => Redirect::to(&format!("/wallet/top-up/{}", row.id)).into_response(),
        Err(why) => again(&door, &customer, &form, one_top_up::failed(&why)).await,
    })
}

/// `POST /wallet/redeem`: turns a code into money.
pub(in crate::dashboard) async fn redeem(
    State(door): State<Arc<Door>>,
    form: Form,
) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    let address = &customer.visitor.place.address;
    let code = form.fields.text("code");
    let outcome = door.redeem.redeem(customer.account.id, code, address).await;
    Ok(match outcome {
        Ok(redeemed) => {
            let notice = if redeemed.before {
                "redeemed-before"
            } else {
                "redeemed"
            };
            Redirect::to(&format!("/wallet/top-up?notice={notice}")).into_response()
        }
        Err(why) => again(&door, &customer, &form, failed(why)).await,
    })
}

fn failed(why: NotRedeemed) -> Failed {
    let status = match why {
        NotRedeemed::Unusable => StatusCode::BAD_REQUEST,
        NotRedeemed::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        NotRedeemed::Suspended => StatusCode::FORBIDDEN,
        NotRedeemed::Storage => StatusCode::SERVICE_UNAVAILABLE,
    };
    Failed {
        field: "code",
        ..Failed::new(status, &why.to_string())
    }
}
