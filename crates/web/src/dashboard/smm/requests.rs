//! `/smm/cancel`, `/smm/refill`: what the page of an SMM order can ask for.

use crate::dashboard::fields::Form;
use crate::dashboard::once;
use crate::dashboard::page::{Failed, Page};
use crate::dashboard::session::{Away, Customer};
use crate::door::Door;
use app::{Answer, Refusal};
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use domain::access::Caller;
use domain::ids::OrderId;
use std::sync::Arc;

pub(super) async fn cancel(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    let caller = Caller::signed_in(customer.account.clone());
    let asked = async {
        let (order, key) = wanted(&form, "/smm/cancel")?;
        let answer = door.engine.cancel_order(&caller, order, Some(key)).await;
        Ok((order, cancel_notice(&answer)?))
    };
    Ok(answer(&customer, asked.await))
}

pub(super) async fn refill(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    let caller = Caller::signed_in(customer.account.clone());
    let asked = async {
        let (order, key) = wanted(&form, "/smm/refill")?;
        let answer = door.engine.refill(&caller, order, Some(key)).await;
        Ok((order, refill_notice(&answer)?))
    };
    Ok(answer(&customer, asked.await))
}

/// What is said of a cancel. One that was asked for before, or comes after the order's end, is no
/// failure of its reader: the order's page shows what became of it.
fn cancel_notice(answer: &Answer<()>) -> Result<&'static str, Failed> {
    match &answer.outcome {
        Ok(()) if answer.replayed => Ok("cancel-asked-before"),
        Ok(()) => Ok("cancel-asked"),
        Err(Refusal::IdempotencyInProgress) => Ok("cancel-asked-before"),
        Err(Refusal::OrderFinal) => Ok("order-over"),
        Err(refusal) => Err(refusal.clone().into()),
    }
}

/// What is said of a refill; the same holds for one that is open or was done within the day.
fn refill_notice<T>(answer: &Answer<T>) -> Result<&'static str, Failed> {
    match &answer.outcome {
        Ok(_) if answer.replayed => Ok("refill-asked-before"),
        Ok(_) => Ok("refill-asked"),
        Err(Refusal::IdempotencyInProgress | Refusal::RefillOpen) => Ok("refill-asked-before"),
        Err(Refusal::RefillNotDue(Some(_))) => Ok("refilled-before"),
        Err(refusal) => Err(refusal.clone().into()),
    }
}

/// The order that a form names, and the key that makes it count once.
fn wanted(form: &Form, path: &str) -> Result<(OrderId, app::KeyedRequest), Failed> {
    let order = OrderId::parse(form.fields.text("order"));
    let order = order.ok_or_else(|| Failed::from(Refusal::OrderNotFound))?;
    Ok((order, once::request(path, &form.fields)?))
}

fn answer(customer: &Customer, asked: Result<(OrderId, &str), Failed>) -> Response {
    match asked {
        Ok((order, notice)) => {
            Redirect::to(&format!("/orders/{order}?notice={notice}")).into_response()
        }
        Err(failed) => {
            let page = Page::new(&customer.visitor, "Not done").under("orders");
            page.failed(&failed)
        }
    }
}
