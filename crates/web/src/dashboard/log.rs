//! `/log`: what the account's programs asked in the last thirty days, and what came of it.

use super::page::{Failed, Page};
use super::session::{Customer, Visitor};
use crate::api_v1::Service;
use crate::door::Door;
use app::API_LOG_KEPT;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use domain::access::ApiKey;
use domain::api_log::{CallLine, CallsOf};
use domain::books::DAY_MS;
use domain::ids::{AccountId, KeyId, OrderId};
use domain::time::Timestamp;
use minijinja::{Value, context};
use std::sync::Arc;

/// Lines on one page.
const ROWS: u32 = 50;

/// Lines on the page of an order.
const OF_ORDER: u32 = 20;

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new().route("/log", get(show))
}

async fn show(State(door): State<Arc<Door>>, customer: Customer) -> Response {
    let page = Page::new(&customer.visitor, "API log").under("log");
    match values(&door, &customer).await {
        Ok(values) => page.show("log.html", values),
        Err(failed) => page.failed(&failed),
    }
}

async fn values(door: &Door, customer: &Customer) -> Result<Value, Failed> {
    let (visitor, account) = (&customer.visitor, customer.account.id);
    let keys = door.engine.store().keys(account).await?;
    let wanted = wanted(visitor)?;
    let mut lines = door.log.lines(account, &wanted).await?;
    let more = lines.len() > ROWS as usize;
    lines.truncate(ROWS as usize);
    let last = lines.last().filter(|_| more);
    let actions = [&Service::OTP, &Service::SMM];
    let mut actions: Vec<&str> = actions
        .into_iter()
        .flat_map(Service::action_names)
        .collect();
    actions.sort_unstable();
    actions.dedup();
    Ok(context! {
        lines => lines.iter().map(|line| row(line, &keys)).collect::<Vec<_>>(),
        next => last.map(|line| format!("{}-{}", line.last_at.0, line.id)),
        services => [Service::OTP.name(), Service::SMM.name()],
        actions,
        service => visitor.asked("service"),
        action => visitor.asked("action"),
        result => visitor.asked("result"),
        key => visitor.asked("key"),
        order => visitor.asked("order"),
        filtered => wanted != CallsOf { limit: ROWS + 1, before: wanted.before, ..CallsOf::default() },
        keys => keys.iter().map(|key| context! {
            id => key.id.to_string(),
            name => &key.name,
        }).collect::<Vec<_>>(),
        kept_days => API_LOG_KEPT.0 / DAY_MS,
    })
}

/// The lines that an address asks for.
fn wanted(visitor: &Visitor) -> Result<CallsOf, Failed> {
    let filled = |name| Some(visitor.asked(name)).filter(|text| !text.is_empty());
    let order = filled("order").map(|id| {
        let why = "The id of an order is a whole number.";
        OrderId::parse(id.trim()).ok_or_else(|| Failed::field("order", why))
    });
    let before = visitor.asked("before");
    let before = before.split_once('-').and_then(|(at, id)| {
        let at = at.parse().ok().map(Timestamp)?;
        Some((at, id.parse().ok()?))
    });
    Ok(CallsOf {
        limit: ROWS + 1,
        before,
        service: filled("service"),
        action: filled("action"),
        failed: match visitor.asked("result").as_str() {
            "failed" => Some(true),
            "done" => Some(false),
            _ => None,
        },
        key: filled("key").and_then(|id| id.parse().ok()).map(KeyId),
        order: order.transpose()?,
    })
}

fn row(line: &CallLine, keys: &[ApiKey]) -> Value {
    let key = keys.iter().find(|key| key.id == line.key);
    context! {
        at => line.last_at.0,
        since => (line.count > 1).then_some(line.first_at.0),
        count => line.count,
        method => &line.method,
        service => &line.service,
        action => &line.action,
        status => line.status,
        error => &line.error,
        order => line.order.map(|order| order.0),
        key => key.map(|key| &key.name),
        took => took(line.duration_us),
        request_id => &line.request_id,
    }
}

/// A duration as people read it.
fn took(us: u64) -> String {
    match us {
        0..=9_999 => format!("{}.{} ms", us / 1_000, us % 1_000 / 100),
        10_000..=9_999_999 => format!("{} ms", us / 1_000),
        _ => format!("{} s", us / 1_000_000),
    }
}

/// The requests that touched an order, as its page shows them.
pub(super) async fn of_order(
    door: &Door,
    account: AccountId,
    order: OrderId,
) -> Result<Vec<Value>, Failed> {
    let wanted = CallsOf {
        limit: OF_ORDER,
        order: Some(order),
        ..CallsOf::default()
    };
    let keys = door.engine.store().keys(account).await?;
    let lines = door.log.lines(account, &wanted).await?;
    Ok(lines.iter().map(|line| row(line, &keys)).collect())
}

#[cfg(test)]
mod tests {
    use super::took;

    #[test]
    fn durations_have_the_digits_that_count() {
        assert_eq!(took(340), "0.3 ms");
        assert_eq!(took(9_999), "9.9 ms");
        assert_eq!(took(25_400), "25 ms");
        assert_eq!(took(25_000_000), "25 s");
    }
}
