//! `/console/ledger`: the journal with its legs, and the house's books by upstream and day.

use super::{Operator, Routes, upstream_names};
use crate::dashboard::fields::day;
use crate::dashboard::page::Failed;
use crate::dashboard::view;
use crate::door::Door;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use domain::books::{DAY_MS, by_day};
use domain::desk::{Deed, EventsOf, JournalEvent};
use domain::ids::AccountId;
use domain::time::Timestamp;
use minijinja::{Value, context};
use std::sync::Arc;

/// Events on one page.
const ROWS: u32 = 50;
/// Events in a file.
const FILE_ROWS: u32 = 10_000;
/// Days of the books by upstream.
const DAYS: i64 = 14;

pub(super) fn routes() -> Routes {
    Routes::default()
        .see("/console/ledger", Deed::SeeLedger, get(show))
        .see("/console/ledger.csv", Deed::SeeLedger, get(file))
        .see("/console/ledger/upstreams", Deed::SeeLedger, get(upstreams))
}

/// What the page's query asks for.
fn wanted(operator: &Operator, limit: u32) -> Result<EventsOf, Failed> {
    let query = |name: &str| Some(operator.visitor.asked(name)).filter(|text| !text.is_empty());
    let number = |name: &str| query(name).and_then(|text| text.parse::<i64>().ok());
    let date = |name| day(name, &operator.visitor.asked(name));
    let until = date("until")?;
    Ok(EventsOf {
        account: number("account").map(AccountId),
        kind: query("kind"),
        reference: number("reference"),
        since: date("since")?,
        until: until.map(|at| Timestamp(at.0 + DAY_MS)),
        before: number("before"),
        limit,
    })
}

async fn show(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    let page = operator.page("Ledger", "ledger");
    page.showing("console/ledger.html", values(&door, &operator).await)
}

async fn values(door: &Door, operator: &Operator) -> Result<Value, Failed> {
    let wanted = wanted(operator, ROWS + 1)?;
    let mut events = door.desk.rows().events(&wanted).await?;
    let more = events.len() > ROWS as usize;
    events.truncate(ROWS as usize);
    let next = events.last().filter(|_| more).map(|last| last.id);
    let totals = match operator.visitor.asked("totals") == "yes" {
        true => Some(totals(door).await?),
        false => None,
    };
    let query = |name: &str| operator.visitor.asked(name);
    Ok(context! {
        events => events.iter().map(event_view).collect::<Vec<_>>(),
        account => query("account"),
        kind => query("kind"),
        reference => query("reference"),
        since => query("since"),
        until => query("until"),
        next,
        totals,
        file_rows => FILE_ROWS,
    })
}

/// Every book with what stands in it; together they are zero.
async fn totals(door: &Door) -> Result<Value, Failed> {
    let totals = door.desk.rows().book_totals().await?;
    let sum: i64 = totals.iter().map(|one| one.total.0).sum();
    let rows: Vec<Value> = totals
        .iter()
        .map(|one| context! { book => &one.book, upstream => &one.upstream, total => one.total.0 })
        .collect();
    Ok(context! { rows, sum })
}

/// An event of the journal, ready for a page.
pub(super) fn event_view(event: &JournalEvent) -> Value {
    let legs: Vec<Value> = event
        .legs
        .iter()
        .map(|(book, upstream, amount)| {
            context! { book, upstream, amount => amount.0 }
        })
        .collect();
    context! {
        id => event.id,
        at => event.at.0,
        kind => event.kind.replace('_', " "),
        reference => event.reference,
        seq => event.seq,
        account => event.account.map(|account| account.0),
        legs,
    }
}

async fn file(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    let events = async {
        let wanted = wanted(&operator, FILE_ROWS)?;
        Ok::<_, Failed>(door.desk.rows().events(&wanted).await?)
    };
    match events.await {
        Ok(events) => view::file("ledger.csv", view::CSV, csv(&events)),
        Err(failed) => operator.page("Ledger", "ledger").failed(&failed),
    }
}

fn csv(events: &[JournalEvent]) -> String {
    let head = "event,time,kind,reference,sequence,account,book,upstream,amount_usd\r\n";
    let mut text = String::from(head);
    for event in events {
        let account = event.account.map(|account| account.to_string());
        for (book, upstream, amount) in &event.legs {
            let cells = [
                event.id.to_string(),
                view::rfc3339(event.at),
                event.kind.clone(),
                event.reference.to_string(),
                event.seq.to_string(),
                account.clone().unwrap_or_default(),
                book.clone(),
                view::csv_cell(upstream.as_deref().unwrap_or_default()),
                amount.to_string(),
            ];
            text.push_str(&cells.join(","));
            text.push_str("\r\n");
        }
    }
    text
}

async fn upstreams(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    let page = operator.page("Books by upstream", "ledger");
    page.showing("console/upstream_books.html", books(&door).await)
}

async fn books(door: &Door) -> Result<Value, Failed> {
    let today = door.engine.now().0.div_euclid(DAY_MS);
    let span = (
        Timestamp((today - DAYS + 1) * DAY_MS),
        Timestamp((today + 1) * DAY_MS),
    );
    let store = door.engine.store();
    let events = store.house_events(span.0, span.1).await?;
    let days = by_day(&events);
    let explained = days.values().all(|sums| sums.unexplained().0 == 0);
    let rows: Vec<Value> = days
        .iter()
        .rev()
        .map(|((day, upstream), sums)| {
            context! {
                day => day * DAY_MS,
                upstream,
                paid_in => sums.paid_in.0,
                spent => sums.spent.0,
                returned => sums.returned.0,
                cost => sums.cost.0,
                variance => sums.variance.0,
                orphan => sums.orphan.0,
                written_off => sums.written_off.0,
                unexplained => sums.unexplained().0,
            }
        })
        .collect();
    let names = upstream_names(door);
    let mut now = Vec::new();
    for name in names {
        let position = store.position(&name).await?;
        let last = position.last.as_ref();
        now.push(context! {
            upstream => &name,
            prepaid => position.prepaid.0,
            in_flight => position.in_flight.0,
            in_doubt => position.in_doubt.0,
            orphans => position.in_orphans.0,
            balance => last.map(|reading| reading.balance.0),
            read_at => last.map(|reading| reading.at.0),
            difference => last.map(|reading| reading.open_difference().0),
        });
    }
    Ok(context! { days => rows, now, explained, span => DAYS })
}
