//! `/console`: how the business runs, what waits for somebody, and what is wrong.

use super::{Operator, Routes};
use crate::dashboard::page::Failed;
use crate::door::Door;
use app::Closed;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use domain::books::DAY_MS;
use domain::desk::{Deed, OrdersOf, ReportBy, ReportLine};
use domain::time::Timestamp;
use domain::usd::Usd;
use minijinja::{Value, context};
use std::sync::Arc;

/// Days looked back at.
const DAYS: i64 = 7;
/// Orders of a queue that are counted.
const COUNTED: u32 = 1_000;

pub(super) fn routes() -> Routes {
    Routes::default().see("/console", Deed::SeeOverview, get(show))
}

async fn show(State(door): State<Arc<Door>>, operator: Operator) -> Response {
    let page = operator.page("Overview", "overview");
    page.showing("console/overview.html", values(&door, &operator).await)
}

async fn values(door: &Door, operator: &Operator) -> Result<Value, Failed> {
    let rows = door.desk.rows();
    door.engine.in_force().await?;
    let now = door.engine.now();
    let today = now.0.div_euclid(DAY_MS);
    let span = (Timestamp((today - DAYS + 1) * DAY_MS), now);
    let money = operator.may(Deed::SeeReports);
    let days = match money {
        true => rows.report(ReportBy::Day, span, 100).await?,
        false => Vec::new(),
    };
    let of_today = days.iter().find(|line| line.key == today.to_string());
    let of_today = of_today.cloned().unwrap_or_default();
    let begun = rows
        .orders_begun(Timestamp(today * DAY_MS), Timestamp(now.0 + 1))
        .await?;
    let work = door.engine.open_work().await?;
    let asked = rows.money_requests(None, true, COUNTED).await?;
    Ok(context! {
        begun,
        money,
        today => line(&of_today),
        days => days.iter().map(line).collect::<Vec<_>>(),
        in_doubt => in_state(door, "in_doubt").await?,
        in_review => in_state(door, "review").await?,
        tickets => work.tickets,
        requests => asked.len(),
        upstreams => upstreams(door),
        alarms => alarms(door),
    })
}

async fn in_state(door: &Door, state: &str) -> Result<usize, Failed> {
    let wanted = OrdersOf {
        state: Some(state.to_owned()),
        limit: COUNTED,
        ..OrdersOf::default()
    };
    Ok(door.desk.rows().orders_like(&wanted).await?.len())
}

/// A line of a report, ready for a page.
pub(super) fn line(line: &ReportLine) -> Value {
    let success = (line.orders > 0).then(|| line.paid * 100 / line.orders);
    context! {
        key => &line.key,
        day => line.key.parse::<i64>().ok().map(|day| day * DAY_MS),
        orders => line.orders,
        paid => line.paid,
        success,
        revenue => line.revenue.0,
        cost => line.cost.0,
        refunds => line.refunds.0,
        margin => line.margin().0,
    }
}

fn upstreams(door: &Door) -> Vec<Value> {
    let rows = door.engine.upstream_health().into_iter().map(|health| {
        let balance: Option<(Usd, Timestamp)> = health.balance;
        context! {
            name => &health.upstream,
            state => health.closed.as_ref().map_or("open", Closed::word),
            balance => balance.map(|(usd, _)| usd.0),
            read_at => balance.map(|(_, at)| at.0),
            low => health.float_is_low,
            under_way => health.under_way,
            in_doubt => health.in_doubt,
        }
    });
    rows.collect()
}

/// What somebody has to look at now, the worst first.
fn alarms(door: &Door) -> Vec<String> {
    let mut alarms = Vec::new();
    alarms.extend(door.not_ready().map(str::to_owned));
    if let Some(found) = door.audit.last_verified() {
        let bad = found
            .bad()
            .map(|bad| format!("The audit log was changed: line {}: {}.", bad.id, bad.why));
        alarms.extend(bad);
        let unbelievable = found.unbelievable.iter();
        alarms.extend(unbelievable.map(|why| format!("A checkpoint is not believed: {why}.")));
    }
    let broken = door.engine.last_violations();
    alarms.extend(
        broken
            .iter()
            .map(|found| format!("The books are wrong ({}): {}.", found.rule, found.detail)),
    );
    for health in door.engine.upstream_health() {
        if health.float_is_low {
            alarms.push(format!("The balance at {} is low.", health.upstream));
        }
        if let Some(closed) = &health.closed {
            alarms.push(format!(
                "Nothing is bought at {}: {}.",
                health.upstream, closed
            ));
        }
    }
    alarms
}
