//! `/smm/cancel`, `/smm/refill`: what the page of an SMM order can ask for.

use crate::dashboard::fields::Form;
use crate::dashboard::once;
use crate::dashboard::page::{Failed, Page};
use crate::dashboard::session::{Away, Customer};
use crate::door::Door;
use app::Refusal;
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
        answer.outcome.map_err(Failed::from)?;
        Ok(order)
    };
    Ok(answer(&customer, asked.await, "cancel-asked"))
}

pub(super) async fn refill(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    let caller = Caller::signed_in(customer.account.clone());
    let asked = async {
        let (order, key) = wanted(&form, "/smm/refill")?;
        let answer = door.engine.refill(&caller, order, Some(key)).await;
        answer.outcome.map_err(Failed::from)?;
        Ok(order)
    };
    Ok(answer(&customer, asked.await, "refill-asked"))
}

/// The order that a form names, and the key that makes it count once.
fn wanted(form: &Form, path: &str) -> Result<(OrderId, app::KeyedRequest), Failed> {
    let order = OrderId::parse(form.fields.text("order"));
    let order = order.ok_or_else(|| Failed::from(Refusal::OrderNotFound))?;
    Ok((order, once::request(path, &form.fields)?))
}

fn answer(customer: &Customer, asked: Result<OrderId, Failed>, notice: &str) -> Response {
    match asked {
        Ok(order) => Redirect::to(&format!("/orders/{order}?notice={notice}")).into_response(),
        Err(failed) => {
            let page = Page::new(&customer.visitor, "Not done").under("orders");
            page.failed(&failed)
        }
    }
}
