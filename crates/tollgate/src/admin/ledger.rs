//! The house's books and the tickets, for the command line.

use super::rfc3339;
use app::{AdminError, Engine};
use domain::books::{DAY_MS, DayOfBooks, by_day};
use domain::ticket::Ticket;
use domain::time::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What can be asked of the house's books.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// The house's books by upstream and day.
    Books {
        /// First day, `YYYY-MM-DD`; today where none is named.
        from: Option<String>,
        /// Last day.
        to: Option<String>,
        /// Only this upstream.
        upstream: Option<String>,
    },
    /// Tickets.
    Tickets {
        /// Also closed ones.
        all: bool,
    },
    /// Closes a ticket.
    Close {
        /// Ticket.
        id: i64,
        /// What was found.
        note: String,
    },
    /// Returns what a ticket withholds from a customer, and closes it.
    Pay {
        /// Ticket.
        id: i64,
        /// Why.
        note: String,
    },
}

/// Answers with one JSON object.
pub(super) async fn answer(engine: &Engine, question: Question) -> Result<Value, AdminError> {
    match question {
        Question::Books { from, to, upstream } => {
            books(engine, (from, to), upstream.as_deref()).await
        }
        Question::Tickets { all } => tickets(engine, all).await,
        Question::Close { id, note } => {
            engine.close_ticket(id, &note).await?;
            Ok(json!({ "ticket": id, "closed": true }))
        }
        Question::Pay { id, note } => {
            let (order, amount) = engine.pay_ticket(id, &note).await?;
            let returned = amount.to_string();
            let order = order.to_string();
            Ok(json!({ "ticket": id, "closed": true, "order_id": order, "returned": returned }))
        }
    }
}

/// Tickets shown at most.
const TICKETS: u32 = 1_000;

/// Longest span of one question, in days.
const DAYS: i64 = 366;

/// What each upstream took and gave back on each day, and what is open there now.
async fn books(
    engine: &Engine,
    (from, to): (Option<String>, Option<String>),
    upstream: Option<&str>,
) -> Result<Value, AdminError> {
    let today = engine.now().0.div_euclid(DAY_MS);
    let from = from.map_or(Ok(today), |text| day(&text))?;
    let to = to.map_or(Ok(from), |text| day(&text))?;
    if to < from || to - from >= DAYS {
        return Err(AdminError::Invalid(format!(
            "--from, --to: give at most {DAYS} days, the first one first"
        )));
    }
    let names: Vec<String> = {
        let known = engine.number_upstreams().chain(engine.panels());
        let wanted = known.filter(|name| upstream.is_none_or(|wanted| wanted == *name));
        wanted.map(str::to_owned).collect()
    };
    let span = (Timestamp(from * DAY_MS), Timestamp((to + 1) * DAY_MS));
    let events = engine.store().house_events(span.0, span.1).await?;
    let mut rows = Vec::new();
    let mut explained = true;
    for ((day, name), sums) in by_day(&events) {
        if upstream.is_none_or(|wanted| wanted == name) {
            explained &= sums.unexplained().0 == 0;
            rows.push(day_view(day, &name, &sums));
        }
    }
    if let (Some(wanted), true, true) = (upstream, names.is_empty(), rows.is_empty()) {
        return Err(AdminError::NotFound(format!("upstream {wanted}")));
    }
    let mut open = Vec::new();
    for name in names {
        open.push(open_view(engine, &name).await?);
    }
    let tickets = engine.store().tickets(true, TICKETS).await?;
    let about = |ticket: &&Ticket| upstream.is_none_or(|wanted| wanted == ticket.upstream);
    Ok(json!({
        "ok": explained,
        "days": rows,
        "now": open,
        "open_tickets": tickets.iter().filter(about).count(),
        "currency": "USD",
    }))
}

fn day_view(day: i64, upstream: &str, sums: &DayOfBooks) -> Value {
    let midnight = rfc3339(day * DAY_MS);
    json!({
        "day": midnight.split('T').next(),
        "upstream": upstream,
        "paid_in": sums.paid_in.to_string(),
        "spent": sums.spent.to_string(),
        "returned": sums.returned.to_string(),
        "cost": sums.cost.to_string(),
        "variance": sums.variance.to_string(),
        "orphan": sums.orphan.to_string(),
        "written_off": sums.written_off.to_string(),
        "unexplained": sums.unexplained().to_string(),
    })
}

async fn open_view(engine: &Engine, upstream: &str) -> Result<Value, AdminError> {
    let position = engine.store().position(upstream).await?;
    let last = position.last.as_ref();
    Ok(json!({
        "upstream": upstream,
        "prepaid": position.prepaid.to_string(),
        "in_flight": position.in_flight.to_string(),
        "in_doubt": position.in_doubt.to_string(),
        "orphans": position.in_orphans.to_string(),
        "balance": last.map(|reading| reading.balance.to_string()),
        "read_at": last.map(|reading| rfc3339(reading.at.0)),
        "open_difference": last.map(|reading| reading.open_difference().to_string()),
    }))
}

/// Tickets, newest first.
async fn tickets(engine: &Engine, all: bool) -> Result<Value, AdminError> {
    let tickets = engine.store().tickets(!all, TICKETS).await?;
    let rows: Vec<Value> = tickets.iter().map(ticket_view).collect();
    Ok(json!({ "tickets": rows }))
}

fn ticket_view(ticket: &Ticket) -> Value {
    json!({
        "ticket": ticket.id,
        "kind": ticket.kind.slug(),
        "upstream": ticket.upstream,
        "amount": ticket.amount.to_string(),
        "detail": ticket.detail,
        "opened_at": rfc3339(ticket.opened_at.0),
        "closed_at": ticket.closed_at.map(|at| rfc3339(at.0)),
        "note": ticket.note,
    })
}

/// Days since 1970-01-01 of a date.
fn day(text: &str) -> Result<i64, AdminError> {
    let date: Date = text
        .parse()
        .map_err(|_| AdminError::Invalid(format!("{text}: give a day such as 2026-03-31")))?;
    let midnight = date.to_zoned(jiff::tz::TimeZone::UTC);
    let midnight = midnight.map_err(|_| AdminError::Invalid(format!("{text}: no such day")))?;
    Ok(midnight.timestamp().as_millisecond().div_euclid(DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_read_as_utc_and_nothing_else() {
        assert_eq!(day("1970-01-02").unwrap(), 1);
        assert_eq!(day("2026-03-31").unwrap(), 20_543);
        for wrong in ["", "2026-02-30", "31.3.2026", "2026-03-31T00:00:00Z[UTC]x"] {
            assert!(day(wrong).is_err(), "{wrong}");
        }
    }
}
