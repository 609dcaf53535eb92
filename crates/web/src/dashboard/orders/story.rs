//! What happened to an order and when, in the customer's words, and where its money went.

use crate::dashboard::numbers::{country_name, flag};
use crate::dashboard::page::Failed;
use crate::dashboard::{log, once, view};
use crate::door::Door;
use domain::activation::{Activation, PublicStatus};
use domain::ids::OrderId;
use domain::ports::OrderMoney;
use domain::smm_order::SmmOrder;
use domain::smm_request::{self, RequestKind, RequestState, SmmRequest};
use domain::time::Timestamp;
use minijinja::{Value, context};

/// What a panel said that is shown.
const SEEN: u32 = 30;

/// One line of a story.
struct Event {
    at: Timestamp,
    text: String,
}

fn lines(mut events: Vec<Event>) -> Vec<Value> {
    events.sort_by_key(|event| event.at);
    events
        .iter()
        .map(|event| context! { at => event.at.0, text => &event.text })
        .collect()
}

fn event(at: Timestamp, text: impl Into<String>) -> Event {
    Event {
        at,
        text: text.into(),
    }
}

/// Money moves as the customer sees them: set aside, taken, given back.
fn moves(money: Option<&OrderMoney>) -> Vec<Value> {
    let Some(money) = money else {
        return Vec::new();
    };
    let mut moves =
        vec![context! { at => money.held_at.0, text => "Set aside", amount => money.held.0 }];
    if let Some((posted, released, _, at)) = &money.resolution {
        if posted.0 > 0 {
            moves.push(context! { at => at.0, text => "Paid", amount => posted.0 });
        }
        if released.0 > 0 {
            moves.push(context! { at => at.0, text => "Given back", amount => released.0 });
        }
    }
    for (amount, at) in &money.adjustments {
        moves.push(context! { at => at.0, text => "Given back later", amount => amount.0 });
    }
    moves
}

/// How an order ended, in words.
fn ending(reason: &str) -> &'static str {
    match reason {
        "delivered" => "Delivered",
        "cancelled" => "Cancelled on your request",
        "expired" => "Ended without a code",
        "closed_upstream" => "Ended early by the provider",
        "withheld" => "Closed: the message that came may not be sold; you were not charged",
        _ => "Nothing was bought",
    }
}

/// What was asked for and where that stands, in words.
fn asking(request: &SmmRequest) -> &'static str {
    use RequestState as S;
    match (request.kind, request.state) {
        (RequestKind::Cancel, S::Refused) => "Cancel asked for: it was not granted",
        (RequestKind::Cancel, S::Done) => "Cancel asked for: granted",
        (RequestKind::Cancel, _) => "Cancel asked for",
        (RequestKind::Refill, S::Refused) => "Refill asked for: it was not granted",
        (RequestKind::Refill, S::Done) => "Refill asked for: delivered",
        (RequestKind::Refill, S::InProgress) => "Refill asked for: being delivered",
        (RequestKind::Refill, _) => "Refill asked for",
    }
}

async fn money_of(door: &Door, order: OrderId) -> Result<Option<OrderMoney>, Failed> {
    Ok(door.pages.order_money(order).await?)
}

/// Values of a number's page.
pub(super) async fn of_number(door: &Door, order: &Activation) -> Result<Value, Failed> {
    let money = money_of(door, order.id).await?;
    let status = order.public_status();
    let received = status == PublicStatus::Received;
    let messages = if received {
        door.pages.messages(order.id).await?
    } else {
        Vec::new()
    };
    let mut events = vec![event(order.created_at, "Ordered")];
    let shown = order.disclosed_at.and(order.phone.as_ref());
    if let (Some(at), Some(phone)) = (order.disclosed_at, shown) {
        events.push(event(at, format!("Number {phone} assigned")));
    }
    events.extend(
        messages
            .iter()
            .map(|(_, at)| event(*at, "Message received")),
    );
    if let Some((_, _, reason, at)) = money.as_ref().and_then(|money| money.resolution.clone())
        && !received
    {
        events.push(event(at, ending(&reason)));
    }
    let codes: Vec<Value> = messages
        .iter()
        .map(|(sms, at)| {
            let gone = sms.is_forgotten();
            context! { code => &sms.code, text => &sms.text, at => at.0, gone }
        })
        .collect();
    Ok(context! {
        id => order.id.0,
        service => &order.wanted.service_name,
        server => &order.wanted.server,
        flag => flag(&order.wanted.country_key),
        country => country_name(&order.wanted.country_key),
        phone => shown.map(ToString::to_string),
        status => view::status(status),
        waiting => status == PublicStatus::Waiting,
        open => order.state.is_open(),
        expires_at => order.expires_at.map(view::rfc3339),
        cancel_from => order.cancel_allowed_at.map(view::rfc3339),
        price => order.price.0,
        codes,
        events => lines(events),
        moves => moves(money.as_ref()),
        lines => log::of_order(door, order.account, order.id).await?,
    })
}

/// Values of an SMM order's page.
pub(super) async fn of_smm(door: &Door, order: &SmmOrder) -> Result<Value, Failed> {
    let money = money_of(door, order.id).await?;
    let mut events = vec![event(order.created_at, "Ordered")];
    let mut left = None;
    let mut seen = door.pages.observations(order.id, SEEN).await?;
    seen.reverse();
    for one in seen {
        // the panel's own words stay with the operator
        let units = i64::try_from(order.quantity).unwrap_or(i64::MAX);
        let remains = one.remains.filter(|remains| (0..=units).contains(remains));
        if remains.is_some() && remains != left {
            left = remains;
            let text = format!("{} of {units} left to deliver", remains.unwrap_or(0));
            events.push(event(one.at, text));
        }
    }
    let asked = door.engine.store().smm_requests(order.id).await?;
    let granted =
        |one: &SmmRequest| one.kind == RequestKind::Cancel && one.state == RequestState::Done;
    let was_granted = asked.iter().any(granted);
    if let Some((_, _, reason, at)) = money.as_ref().and_then(|money| money.resolution.clone()) {
        let text = match reason.as_str() {
            // the panel ended it because it was asked to
            "closed_upstream" if was_granted => ending("cancelled").to_owned(),
            "delivered" => format!("Final: {}", order.public_progress().word()),
            other => ending(other).to_owned(),
        };
        events.push(event(at, text));
    }
    let delivered = order.quantity.saturating_sub(order.remains);
    events.extend(asked.iter().map(|one| event(one.created_at, asking(one))));
    let now = door.engine.now();
    let window = door.engine.refill_window(order);
    let refillable = smm_request::may_refill(order, &asked, window, now).is_ok();
    let cancels = |one: &SmmRequest| one.kind == RequestKind::Cancel && one.state.is_open();
    let cancellable = smm_request::may_cancel(order).is_ok() && !asked.iter().any(cancels);
    let offers = |kind| door.engine.offers(order, kind).unwrap_or(false);
    Ok(context! {
        id => order.id.0,
        service => &order.service_name,
        service_id => &order.service_id,
        link => &order.link,
        quantity => order.quantity,
        remains => order.remains,
        delivered,
        start_count => order.start_count,
        status => order.public_progress().word(),
        open => order.resolved_at.is_none(),
        price => order.price.0,
        returned => order.returned.0,
        can_cancel => offers(RequestKind::Cancel) && cancellable,
        can_refill => offers(RequestKind::Refill) && refillable,
        once => once::key().map_err(Failed::from)?,
        events => lines(events),
        moves => moves(money.as_ref()),
        lines => log::of_order(door, order.account, order.id).await?,
    })
}
