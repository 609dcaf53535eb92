//! `/wallet/top-up`: every way to put money into the wallet that is configured. Each way is a
//! section of the page with a form of its own.

use crate::dashboard::fields::Form;
use crate::dashboard::page::{Failed, Page};
use crate::dashboard::session::{Away, Customer};
use crate::door::Door;
use app::NotRedeemed;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use minijinja::{Value, context};
use std::sync::Arc;

pub(in crate::dashboard) async fn show(
    State(door): State<Arc<Door>>,
    customer: Customer,
) -> Response {
    top_up_page(&door, &customer, None).await
}

async fn top_up_page(door: &Door, customer: &Customer, failed: Option<Failed>) -> Response {
    let page = Page::new(&customer.visitor, "Top up").under("wallet");
    match values(door, customer).await {
        Ok(values) => page.with_failure(failed).show("top_up.html", values),
        Err(failed) => page.failed(&failed),
    }
}

async fn values(door: &Door, customer: &Customer) -> Result<Value, Failed> {
    let account = customer.account.id;
    let wallet = door.engine.store().wallet(account).await?;
    let redeemed = door.redeem.redeemed_by(account).await?;
    let redeemed: Vec<Value> = redeemed
        .iter()
        .map(|code| {
            context! {
                amount => code.amount.0,
                at => code.redeemed.map(|(_, at)| at.0),
            }
        })
        .collect();
    Ok(context! { available => wallet.unwrap_or_default().available.0, redeemed })
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
        Err(why) => top_up_page(&door, &customer, Some(failed(why))).await,
    })
}

fn failed(why: NotRedeemed) -> Failed {
    let status = match why {
        NotRedeemed::Unusable => StatusCode::UNPROCESSABLE_ENTITY,
        NotRedeemed::TooMany(_) => StatusCode::TOO_MANY_REQUESTS,
        NotRedeemed::Suspended => StatusCode::FORBIDDEN,
        NotRedeemed::Storage => StatusCode::SERVICE_UNAVAILABLE,
    };
    Failed {
        field: "code",
        ..Failed::new(status, &why.to_string())
    }
}
