//! `/console/orders/{id}`: what was bought, what its upstreams said, what became of its money, and
//! what may be done about it.

use crate::console::ledger::event_view;
use crate::console::tickets::ticket_view;
use crate::console::{Operator, OperatorsForm};
use crate::dashboard::page::Failed;
use crate::dashboard::view;
use crate::door::Door;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use domain::activation::Activation;
use domain::attempt::Attempt;
use domain::desk::{Deed, EventsOf};
use domain::ids::OrderId;
use domain::ports::OrderMoney;
use domain::smm_order::{Observation, SmmOrder, SmmState};
use minijinja::{Value, context};
use std::sync::Arc;

/// Observations of a panel, and events of the journal.
const ROWS: u32 = 50;

/// `GET /console/orders/{id}`.
pub(super) async fn show(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    operator: Operator,
) -> Response {
    page(&door, &operator, OrderId(id), (None, None)).await
}

async fn page(
    door: &Door,
    operator: &Operator,
    id: OrderId,
    (messages, failed): (Option<Vec<Value>>, Option<Failed>),
) -> Response {
    let title = format!("Order {id}");
    let page = operator.page(&title, "orders").with_failure(failed);
    let values = values(door, operator, id).await;
    let values = values.map(|values| context! { messages, ..values });
    page.showing("console/order.html", values)
}

async fn values(door: &Door, operator: &Operator, id: OrderId) -> Result<Value, Failed> {
    let store = door.engine.store();
    let number = store.activation(id).await?;
    let smm = match &number {
        Some(_) => None,
        None => store.smm_order(id).await?,
    };
    let facts = match (&number, &smm) {
        (Some(order), _) => number_facts(order),
        (None, Some(order)) => smm_facts(order),
        (None, None) => {
            return Err(Failed::new(
                StatusCode::NOT_FOUND,
                "There is no such order.",
            ));
        }
    };
    let attempts = store.attempts(id).await?;
    let observations = door.pages.observations(id, ROWS).await?;
    let money = door.pages.order_money(id).await?;
    let tickets = door.desk.rows().tickets_of(id).await?;
    let in_review = smm
        .as_ref()
        .is_some_and(|order| order.state == SmmState::Review);
    let books = operator.may(Deed::SeeLedger);
    Ok(context! {
        id => id.0,
        facts,
        quantity => smm.as_ref().map(|order| order.quantity),
        has_messages => number.as_ref().is_some_and(|order| order.messages > 0),
        attempts => attempts.iter().map(attempt_view).collect::<Vec<_>>(),
        observations => observations.iter().map(observation_view).collect::<Vec<_>>(),
        money => money.as_ref().map(money_view),
        tickets => tickets.iter().map(ticket_view).collect::<Vec<_>>(),
        may_settle => in_review && operator.may(Deed::PayTickets),
        may_read => operator.may(Deed::ReadMessages),
        events => if books { events(door, id).await? } else { Vec::new() },
    })
}

fn number_facts(order: &Activation) -> Vec<(&'static str, String)> {
    let wanted = &order.wanted;
    let mut facts = vec![
        ("Account", order.account.to_string()),
        ("Service", wanted.service_name.clone()),
        (
            "Server",
            format!("{} {}", wanted.server, wanted.provider_type),
        ),
        (
            "Country",
            format!("{} ({})", wanted.country_key, wanted.country_id),
        ),
        ("State", order.state.slug().to_owned()),
        ("Told the client", order.told.slug().to_owned()),
        ("Price", order.price.to_string()),
        ("Cost quoted", order.cost_quote.to_string()),
        (
            "Policy class",
            format!("{} (rules {})", order.policy.0, order.policy.1),
        ),
        ("Upstream", order.upstream.clone()),
        ("Messages", order.messages.to_string()),
        ("Tries", order.tries.to_string()),
    ];
    facts.extend(order.cost.map(|cost| ("Cost taken", cost.to_string())));
    facts.extend(order.upstream_id.clone().map(|id| ("Id there", id)));
    facts.extend(
        order
            .phone
            .as_ref()
            .map(|phone| ("Number", phone.to_string())),
    );
    facts.extend(
        order
            .failure
            .map(|failure| ("Failure", failure.slug().to_owned())),
    );
    let late = order.late_code_at.map(view::rfc3339);
    facts.extend(late.map(|at| ("Code after its cancel, unseen", at)));
    facts
}

fn smm_facts(order: &SmmOrder) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("Account", order.account.to_string()),
        (
            "Service",
            format!("{} ({})", order.service_name, order.service_id),
        ),
        ("Link", order.link.clone()),
        ("Quantity", order.quantity.to_string()),
        ("Remains", order.remains.to_string()),
        ("Progress", order.progress.word().to_owned()),
        ("State", order.state.slug().to_owned()),
        ("Told the client", order.told.slug().to_owned()),
        ("Price", order.price.to_string()),
        ("Cost quoted", order.cost_quote.to_string()),
        ("Given back later", order.returned.to_string()),
        (
            "Policy class",
            format!("{} (rules {})", order.policy.0, order.policy.1),
        ),
        (
            "Panel",
            format!("{}, service {}", order.upstream, order.upstream_service),
        ),
        ("Tries", order.tries.to_string()),
    ];
    facts.extend(
        order
            .charge
            .map(|charge| ("Charged there", charge.to_string())),
    );
    facts.extend(order.upstream_id.clone().map(|id| ("Id there", id)));
    facts.extend(
        order
            .failure
            .map(|failure| ("Failure", failure.slug().to_owned())),
    );
    facts
}

/// What an upstream answered to a purchase. The adapters keep no credential in it; a code that might
/// stand in it is nobody's to read here, so long runs of digits are covered.
fn attempt_view(attempt: &Attempt) -> Value {
    context! {
        seq => attempt.seq,
        upstream => &attempt.upstream,
        state => attempt.state.slug(),
        sent_at => attempt.sent_at.0,
        ended_at => attempt.ended_at.map(|at| at.0),
        evidence => &attempt.evidence,
        raw => attempt.raw.as_deref().map(stripped),
    }
}

/// An upstream's own words without anything that could be a key: long runs of letters and digits keep
/// their first four.
fn stripped(raw: &str) -> String {
    const LONGEST: usize = 24;
    let mut out = String::with_capacity(raw.len());
    let mut run = String::new();
    for letter in raw.chars().chain(['\n']) {
        if letter.is_ascii_alphanumeric() || letter == '_' || letter == '-' {
            run.push(letter);
            continue;
        }
        match run.len() >= LONGEST {
            true => out.push_str(&format!("{}\u{2026}", &run[..4])),
            false => out.push_str(&run),
        }
        run.clear();
        out.push(letter);
    }
    out.pop();
    out
}

fn observation_view(seen: &Observation) -> Value {
    context! {
        at => seen.at.0,
        status => &seen.raw_status,
        remains => seen.remains,
        start_count => seen.start_count,
        charge => seen.charge.map(|charge| charge.0),
    }
}

fn money_view(money: &OrderMoney) -> Value {
    let resolution = money.resolution.as_ref();
    context! {
        held => money.held.0,
        held_at => money.held_at.0,
        resolution => resolution.map(|(posted, released, reason, at)| context! {
            posted => posted.0,
            released => released.0,
            reason,
            at => at.0,
        }),
        adjustments => money.adjustments.iter().map(|(amount, at)| context! {
            amount => amount.0,
            at => at.0,
        }).collect::<Vec<_>>(),
    }
}

async fn events(door: &Door, id: OrderId) -> Result<Vec<Value>, Failed> {
    let wanted = EventsOf {
        reference: Some(id.0),
        limit: ROWS,
        ..EventsOf::default()
    };
    let events = door.desk.rows().events(&wanted).await?;
    let of_orders = |kind: &str| {
        let kinds = [
            "hold",
            "hold_change",
            "resolution",
            "adjustment",
            "upstream_cost",
        ];
        kinds.contains(&kind)
    };
    let mine = events.iter().filter(|event| of_orders(&event.kind));
    Ok(mine.map(event_view).collect())
}

/// `POST …/messages`: what was received, for a reason that is kept.
pub(super) async fn read_messages(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let order = OrderId(id);
    let read = async {
        form.reason()?;
        let found = door.engine.store().activation(order).await?;
        let missing = || Failed::new(StatusCode::NOT_FOUND, "There is no such order.");
        let owner = found.ok_or_else(missing)?.account;
        let object = format!("messages of order {id}");
        form.because(door.audit.note("read_messages", Some(owner), object))
            .await?;
        let messages = door.pages.messages(order).await?;
        let view = messages.iter().map(|(sms, at)| {
            context! { code => &sms.code, text => &sms.text, gone => sms.is_forgotten(), at => at.0 }
        });
        Ok(view.collect::<Vec<_>>())
    };
    let shown = match read.await {
        Ok(messages) => (Some(messages), None),
        Err(failed) => (None, Some(failed)),
    };
    page(&door, &form.operator, order, shown).await
}

/// `POST …/settle`: an order in review.
pub(super) async fn settle(
    State(door): State<Arc<Door>>,
    Path(id): Path<i64>,
    form: OperatorsForm,
) -> Response {
    let done = async {
        let reason = form.reason()?;
        let undelivered = form.fields.number("undelivered");
        let undelivered = undelivered.ok_or_else(|| {
            Failed::field(
                "undelivered",
                "Give a whole number: what was left undelivered.",
            )
        })?;
        let deed = door.desk.settle_review(OrderId(id), undelivered, reason);
        form.because(deed).await
    };
    match done.await {
        Ok(()) => Redirect::to(&format!("/console/orders/{id}?notice=settled")).into_response(),
        Err(failed) => page(&door, &form.operator, OrderId(id), (None, Some(failed))).await,
    }
}

#[cfg(test)]
mod tests {
    use super::stripped;

    #[test]
    fn what_could_be_a_key_is_cut_and_the_rest_stays() {
        let raw = r#"{"error":"NO_NUMBERS","key":"0123456789abcdef0123456789abcdef"}"#;
        let shown = stripped(raw);
        assert!(
            shown.contains("NO_NUMBERS") && !shown.contains("456789"),
            "{shown}"
        );
        assert_eq!(
            stripped("ACCESS_NUMBER:123:79990001122"),
            "ACCESS_NUMBER:123:79990001122"
        );
        assert_eq!(stripped(""), "");
    }
}
