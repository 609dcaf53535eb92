//! `/wallet/top-up`: every way to put money into the wallet that is configured. Each way is a
//! section of the page with a form of its own.

use crate::dashboard::fields::{Fields, Form};
use crate::dashboard::once;
use crate::dashboard::page::{Failed, Page};
use crate::dashboard::session::{Away, Customer};
use crate::dashboard::upload::{self, Bounds, Upload};
use crate::dashboard::view::percent;
use crate::dashboard::wallet::one_top_up;
use crate::door::Door;
use app::{NotRedeemed, Offer, Refusal, Way};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::top_up::{BadProof, PROOF_MAX, Processor, Terms, TopUp};
use minijinja::{Value, context};
use std::sync::Arc;

/// The file that shows a declared transfer.
const PROOF: Bounds = Bounds {
    file: "proof",
    file_max: PROOF_MAX,
    text_max: 64 * 1024,
    too_large: BadProof::TooLarge.sentence(),
};

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
async fn again(door: &Door, customer: &Customer, fields: &Fields, failed: Failed) -> Response {
    let page = Page::new(&customer.visitor, "Top up").under("wallet");
    match values(door, customer, fields).await {
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
        fee_percent => (*fee_parts_per_million > 0).then(|| percent(*fee_parts_per_million)),
        fee_fixed => fee_fixed.0,
        hold_hours => offer.terms.hold(tier).0 / 3_600_000,
        bonuses => bonuses.collect::<Vec<Value>>(),
    })
}

/// `POST /wallet/top-up`: begins a top-up. The place to pay is a link on its page, so that a reload
/// opens no second one.
pub(in crate::dashboard) async fn begin(
    State(door): State<Arc<Door>>,
    customer: Customer,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let sent = upload::sent(&customer.visitor, &parts.headers, body, &PROOF).await;
    let Upload { fields, file } = match sent {
        Ok(upload) => upload,
        Err(failed) => return Page::new(&customer.visitor, "Not done").failed(&failed),
    };
    match begun(&door, &customer, &fields, file).await {
        Ok(row) => Redirect::to(&format!("/wallet/top-up/{}", row.id)).into_response(),
        Err(failed) => again(&door, &customer, &fields, failed).await,
    }
}

async fn begun(
    door: &Door,
    customer: &Customer,
    fields: &Fields,
    file: Result<Option<Vec<u8>>, Failed>,
) -> Result<TopUp, Failed> {
    let file = file?;
    let way = Way {
        method: fields.text("method"),
        amount: fields.text("amount"),
        currency: fields.text("currency"),
        note: fields.text("note"),
        proof: file.as_deref(),
    };
    let once = once::request("/wallet/top-up", fields)?;
    let begun = door.top_ups.begin(&customer.account, way, once).await;
    begun.map_err(|why| one_top_up::failed(&why))
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
        Err(why) => again(&door, &customer, &form.fields, failed(why)).await,
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
