//! `POST /wallet/low-balance`: below which amount the customer wants a mail.

use crate::dashboard::fields::Form;
use crate::dashboard::page::Failed;
use crate::dashboard::session::{Away, Customer};
use crate::door::Door;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::usd::Usd;
use std::sync::Arc;

pub(super) async fn set(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    Ok(match done(&door, &customer, &form).await {
        Ok(notice) => Redirect::to(&format!("/wallet?notice={notice}#low")).into_response(),
        Err(failed) => super::wallet_page(&door, &customer, Some(failed)).await,
    })
}

async fn done(door: &Door, customer: &Customer, form: &Form) -> Result<&'static str, Failed> {
    let threshold = form.fields.filled("threshold").map(Usd::parse).transpose();
    let threshold = threshold.map_err(|_| {
        let why = "The threshold is an amount such as 5.00. Leave it empty for no mail.";
        Failed::field("threshold", why)
    })?;
    let account = customer.account.id;
    door.people.watch_balance(account, threshold).await?;
    Ok(match threshold {
        Some(_) => "balance-watched",
        None => "balance-not-watched",
    })
}
