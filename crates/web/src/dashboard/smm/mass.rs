//! Many orders at once, a line for each: all are checked before the first is placed.

use super::order::available;
use crate::dashboard::fields::{Fields, Form};
use crate::dashboard::once;
use crate::dashboard::page::{Failed, Page};
use crate::dashboard::session::{Away, Customer};
use crate::door::Door;
use app::{KeyedRequest, LineProblem, OrderLine, PlaceOrder, Purchased, Refusal};
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::access::Caller;
use domain::ids::OrderId;
use domain::time::{Millis, Timestamp};
use domain::usd::Usd;
use futures_util::stream::{self, StreamExt};
use minijinja::{Value, context};
use std::sync::Arc;

/// Orders placed side by side.
const AT_ONCE: usize = 4;

/// No order is begun after so long: what is left is offered to go on with.
const BEGIN_WITHIN: Millis = Millis::seconds(20);

/// What became of a line.
enum Sent {
    Placed(OrderId, Usd),
    /// Whether it was bought is not known yet.
    Pending(OrderId),
    /// The same form was sent before, and this line of it is being placed.
    Running,
    Refused(String),
    NotBegun,
}

pub(super) async fn show(customer: Customer) -> Response {
    let page = Page::new(&customer.visitor, "Mass order").under("smm");
    page.show("smm_mass.html", nothing_yet(""))
}

fn nothing_yet(text: &str) -> Value {
    context! { text, checked => Vec::<Value>::new(), sent => Vec::<Value>::new(), ready => false }
}

/// Checks the lines, or orders them at the total that was shown.
pub(super) async fn send(State(door): State<Arc<Door>>, form: Form) -> Result<Response, Away> {
    let customer = Customer::of(form.visitor.clone())?;
    let page = Page::new(&customer.visitor, "Mass order").under("smm");
    let text = form.fields.text("lines");
    Ok(match answered(&door, &customer, &form.fields).await {
        Ok((values, failed)) => page.with_failure(failed).show("smm_mass.html", values),
        Err(failed) => page
            .with_failure(Some(failed))
            .show("smm_mass.html", nothing_yet(text)),
    })
}

async fn answered(
    door: &Door,
    customer: &Customer,
    fields: &Fields,
) -> Result<(Value, Option<Failed>), Failed> {
    let caller = Caller::signed_in(customer.account.clone());
    let text = fields.text("lines");
    let lines = door.engine.check_lines(&caller, text).map_err(|many| {
        let why = format!(
            "These are {} lines; at most {} are taken at once. Nothing was ordered.",
            many.found, many.most
        );
        Failed::field("lines", &why)
    })?;
    if lines.is_empty() {
        return Err(Failed::field("lines", "Write an order on each line."));
    }
    let total = total(&lines);
    let agreed = fields
        .filled("total")
        .and_then(|total| Usd::parse(total).ok());
    let failed = match agreed {
        None => None,
        Some(agreed) if total.is_some_and(|total| total <= agreed) => {
            let sent = place_all(door, &caller, fields, &lines).await?;
            return Ok((results(fields, &lines, &sent), None));
        }
        Some(_) => Some(Failed::new(
            StatusCode::CONFLICT,
            "Lines or prices have changed since you looked. Nothing was ordered now; look again.",
        )),
    };
    let available = available(door, customer).await?;
    let values = context! {
        text,
        checked => lines.iter().map(checked_row).collect::<Vec<_>>(),
        wrong => lines.iter().filter(|line| line.quote.is_err()).count(),
        total => total.map(|total| total.0),
        exact => total.map(|total| total.to_string()),
        available,
        ready => total.is_some_and(|total| total.0 <= available),
        once => once::key()?,
        sent => Vec::<Value>::new(),
    };
    Ok((values, failed))
}

/// What all lines come to; nothing if one of them cannot be ordered.
fn total(lines: &[OrderLine]) -> Option<Usd> {
    lines.iter().try_fold(Usd::ZERO, |sum, line| {
        let price = line.quote.as_ref().ok()?.price;
        sum.0.checked_add(price.0).map(Usd)
    })
}

fn checked_row(line: &OrderLine) -> Value {
    let quote = line.quote.as_ref();
    context! {
        number => line.number,
        text => &line.text,
        units => quote.ok().map(|quote| quote.units),
        price => quote.ok().map(|quote| quote.price.0),
        problem => quote.err().map(problem),
    }
}

/// Why a line cannot be ordered, by the names that the forms have.
fn problem(problem: &LineProblem) -> String {
    match problem {
        LineProblem::Refused(refusal) => super::members::not(refusal.clone()).why,
        other => other.sentence(),
    }
}

/// Each line is an order of its own, under a key made of the form's key and its number: the same
/// form sent again places nothing twice and goes on where it stopped.
async fn place_all(
    door: &Door,
    caller: &Caller,
    fields: &Fields,
    lines: &[OrderLine],
) -> Result<Vec<Sent>, Failed> {
    let key = once::request("/smm/mass", fields)?;
    let began = door.engine.now();
    let orders: Vec<(PlaceOrder, KeyedRequest)> = lines
        .iter()
        .map(|line| {
            let order = PlaceOrder {
                max_price: line.quote.as_ref().ok().map(|quote| quote.price),
                ..line.request.clone()
            };
            let number = line.number;
            let key = KeyedRequest {
                key: format!("{}-{number}", key.key),
                ..key.clone()
            };
            (order, key)
        })
        .collect();
    let placing = orders
        .into_iter()
        .map(|order| place(door, caller, began, order));
    Ok(stream::iter(placing).buffered(AT_ONCE).collect().await)
}

async fn place(
    door: &Door,
    caller: &Caller,
    began: Timestamp,
    (order, key): (PlaceOrder, KeyedRequest),
) -> Sent {
    if door.engine.now() > began + BEGIN_WITHIN {
        return Sent::NotBegun;
    }
    let placing = Box::pin(door.engine.place_order(caller, &order, Some(key)));
    match placing.await.outcome {
        Ok(Purchased::Done(order)) => Sent::Placed(order.id, order.price),
        Ok(Purchased::Pending(order)) => Sent::Pending(order),
        Err(Refusal::IdempotencyInProgress) => Sent::Running,
        Err(refusal) => Sent::Refused(super::members::not(refusal).why),
    }
}

fn results(fields: &Fields, lines: &[OrderLine], sent: &[Sent]) -> Value {
    let both = || lines.iter().zip(sent);
    let rows: Vec<Value> = both().map(|(line, sent)| sent_row(line, sent)).collect();
    let refused: Vec<&str> = both()
        .filter(|(_, sent)| matches!(sent, Sent::Refused(_)))
        .map(|(line, _)| line.text.as_str())
        .collect();
    let placed = sent.iter().filter(|one| matches!(one, Sent::Placed(..)));
    let spent: i64 = sent
        .iter()
        .map(|one| match one {
            Sent::Placed(_, price) => price.0,
            _ => 0,
        })
        .sum();
    context! {
        text => refused.join("\n"),
        lines => fields.text("lines"),
        once => fields.text("once"),
        exact => fields.text("total"),
        checked => Vec::<Value>::new(),
        sent => rows,
        placed => placed.count(),
        spent,
        running => sent.iter().filter(|one| matches!(one, Sent::Running)).count(),
        left => sent.iter().filter(|one| matches!(one, Sent::NotBegun)).count(),
        ready => false,
    }
}

fn sent_row(line: &OrderLine, sent: &Sent) -> Value {
    let (order, said) = match sent {
        Sent::Placed(order, _) => (Some(order.0), "Ordered".to_owned()),
        Sent::Pending(order) => {
            let said = "Being settled; nothing is charged if it failed".to_owned();
            (Some(order.0), said)
        }
        Sent::Running => (None, "Still being placed".to_owned()),
        Sent::Refused(why) => (None, format!("Not ordered. {why}")),
        Sent::NotBegun => (None, "Not begun yet".to_owned()),
    };
    let price = match sent {
        Sent::Placed(_, price) => Some(price.0),
        _ => None,
    };
    context! { number => line.number, text => &line.text, order, said, price }
}
