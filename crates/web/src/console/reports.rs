//! `/console/reports`: what was earned, by day, server, service, account or upstream.

use super::overview::line;
use super::{Operator, Routes};
use crate::dashboard::fields::day;
use crate::dashboard::page::Failed;
use crate::dashboard::view;
use crate::door::Door;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use domain::books::{DAY_MS, by_day};
use domain::desk::{Deed, ReportBy, ReportLine};
use domain::time::Timestamp;
use minijinja::{Value, context};
use std::sync::Arc;

/// Days of a report where none are named.
const DAYS: i64 = 30;
/// Longest span, in days.
const DAYS_MAX: i64 = 366;
/// Lines of a report.
const ROWS: u32 = 1_000;

pub(super) fn routes() -> Routes {
    Routes::default()
        .see("/console/reports", Deed::SeeReports, get(show))
        .see("/console/reports.csv", Deed::SeeReports, get(file))
}

struct Asked {
    by: ReportBy,
    /// Days since 1970-01-01, both counted in.
    from: i64,
    until: i64,
}

impl Asked {
    fn of(door: &Door, operator: &Operator) -> Result<Self, Failed> {
        let today = door.engine.now().0.div_euclid(DAY_MS);
        let date = |name| day(name, &operator.visitor.asked(name));
        let until = date("until")?.map_or(today, |at| at.0.div_euclid(DAY_MS));
        let from = date("since")?.map_or(until - DAYS + 1, |at| at.0.div_euclid(DAY_MS));
        let by = ReportBy::from_slug(&operator.visitor.asked("by")).unwrap_or(ReportBy::Day);
        if until < from || until - from >= DAYS_MAX {
            let why = "Give at most 366 days, the first one first.";
            return Err(Failed::field("since", why));
        }
        Ok(Self { by, from, until })
    }

    fn span(&self) -> (Timestamp, Timestamp) {
        (
            Timestamp(self.from * DAY_MS),
            Timestamp((self.until + 1) * DAY_MS),
        )
    }
}

async fn show(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    let page = operator.page("Reports", "reports");
    page.showing("console/reports.html", values(&door, &operator).await)
}

async fn values(door: &Door, operator: &Operator) -> Result<Value, Failed> {
    let asked = Asked::of(door, operator)?;
    let span = asked.span();
    let lines = door.desk.rows().report(asked.by, span, ROWS).await?;
    let all = lines.iter().fold(ReportLine::default(), |mut all, line| {
        all.orders += line.orders;
        all.paid += line.paid;
        all.revenue.0 += line.revenue.0;
        all.cost.0 += line.cost.0;
        all.refunds.0 += line.refunds.0;
        all
    });
    let events = door.engine.store().house_events(span.0, span.1).await?;
    let unexplained: i64 = by_day(&events)
        .values()
        .map(|day| day.unexplained().0)
        .sum();
    Ok(context! {
        by => asked.by.slug(),
        kinds => ReportBy::ALL.map(ReportBy::slug),
        since => view::date(asked.from * DAY_MS),
        until => view::date(asked.until * DAY_MS),
        lines => lines.iter().map(line).collect::<Vec<_>>(),
        all => line(&all),
        unexplained,
    })
}

async fn file(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    let text = async {
        let asked = Asked::of(&door, &operator)?;
        let lines = door
            .desk
            .rows()
            .report(asked.by, asked.span(), ROWS)
            .await?;
        Ok::<_, Failed>(csv(asked.by, &lines))
    };
    match text.await {
        Ok(text) => view::file("report.csv", view::CSV, text),
        Err(failed) => operator.page("Reports", "reports").failed(&failed),
    }
}

fn csv(by: ReportBy, lines: &[ReportLine]) -> String {
    let by_word = by.slug();
    let mut text = format!("{by_word},orders,paid,revenue_usd,cost_usd,margin_usd,refunds_usd\r\n");
    for line in lines {
        let key = match (by, line.key.parse::<i64>()) {
            (ReportBy::Day, Ok(day)) => view::date(day * DAY_MS),
            _ => line.key.clone(),
        };
        let cells = [
            view::csv_cell(&key),
            line.orders.to_string(),
            line.paid.to_string(),
            line.revenue.to_string(),
            line.cost.to_string(),
            line.margin().to_string(),
            line.refunds.to_string(),
        ];
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    text
}
