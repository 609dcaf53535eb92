//! `/wallet`: what can be spent, what is on hold and for what, and what the money went to.

mod low_balance;
mod one_top_up;
mod pdf;
mod receipt;
mod statement;
mod top_up;

use super::page::{Failed, Page};
use super::session::Customer;
use crate::door::Door;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use domain::books::DAY_MS;
use domain::ids::AccountId;
use domain::ports::Spent;
use domain::time::Timestamp;
use domain::usd::Usd;
use minijinja::{Value, context};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Orders on hold that are listed.
const HOLDS: u32 = 100;

/// Days of spending shown.
const DAYS: i64 = 30;

/// Colours of the chart: one for each of the services most spent on, the last for all others.
const COLOURS: usize = 5;

pub(super) fn routes() -> Router<Arc<Door>> {
    Router::new()
        .route("/wallet", get(show))
        .route("/wallet/statement.csv", get(statement::csv))
        .route("/wallet/low-balance", post(low_balance::set))
        .route("/wallet/top-up/{id}/open", post(one_top_up::open))
        .route("/wallet/top-up", get(top_up::show).post(top_up::begin))
        .route("/wallet/top-up/{id}", get(one_top_up::show))
        .route("/wallet/top-up/{id}/receipt", get(receipt::show))
        .route("/wallet/top-up/{id}/receipt.pdf", get(receipt::pdf))
        .route("/wallet/top-up/{id}/withdraw", post(one_top_up::withdraw))
        .route("/wallet/redeem", post(top_up::redeem))
}

async fn show(State(door): State<Arc<Door>>, customer: Customer) -> Response {
    wallet_page(&door, &customer, None).await
}

async fn wallet_page(door: &Door, customer: &Customer, failed: Option<Failed>) -> Response {
    let page = Page::new(&customer.visitor, "Wallet").under("wallet");
    match values(door, customer).await {
        Ok(values) => page.with_failure(failed).show("wallet.html", values),
        Err(failed) => page.failed(&failed),
    }
}

async fn values(door: &Door, customer: &Customer) -> Result<Value, Failed> {
    let account = customer.account.id;
    let wallet = door.engine.store().wallet(account).await?;
    let wallet = wallet.unwrap_or_default();
    let holds = door.pages.open_holds(account, HOLDS).await?;
    let holds: Vec<Value> = holds
        .iter()
        .map(|hold| {
            context! {
                order => hold.order.0,
                service => &hold.service,
                amount => hold.amount.0,
                at => hold.at.0,
                shown => hold.shown,
            }
        })
        .collect();
    let clears_at = match wallet.uncleared {
        Usd::ZERO => None,
        _ => door.top_ups.next_clearing(account).await?,
    };
    let statement = statement::page(door, customer).await?;
    let spending = spending(door, account).await?;
    let watched = door.people.low_balance(account).await?;
    Ok(context! {
        mails => door.people.sends_mail(),
        threshold => watched.map(|watched| watched.threshold.short()),
        available => wallet.available.0,
        held => wallet.held.0,
        due => wallet.receivable.0,
        uncleared => wallet.uncleared.0,
        clears_at => clears_at.map(|at| at.0),
        holds,
        ..context! { ..statement, ..spending }
    })
}

/// Spending of the last days: a bar for each day, a row for each service.
async fn spending(door: &Door, account: AccountId) -> Result<Value, Failed> {
    let today = door.engine.now().0.div_euclid(DAY_MS);
    let first = today - DAYS + 1;
    let spent = door.pages.spent(account, (first, today)).await?;
    let mut by_day: BTreeMap<i64, i64> = BTreeMap::new();
    let mut by_service: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
    for Spent {
        day,
        service,
        orders,
        amount,
    } in &spent
    {
        *by_day.entry(*day).or_default() += amount.0;
        let sum = by_service.entry(service).or_default();
        *sum = (sum.0 + orders, sum.1 + amount.0);
    }
    let most = by_day.values().copied().max().unwrap_or(0).max(1);
    let mut services: Vec<_> = by_service.into_iter().collect();
    services.sort_by_key(|(_, (_, amount))| std::cmp::Reverse(*amount));
    let colours: BTreeMap<&str, usize> = services
        .iter()
        .enumerate()
        .map(|(rank, (service, _))| (*service, (rank + 1).min(COLOURS)))
        .collect();
    let days: Vec<Value> = (0..DAYS)
        .map(|place| {
            let day = first + place;
            let amount = by_day.get(&day).copied().unwrap_or(0);
            let of_day = spent.iter().filter(|one| one.day == day);
            let parts = parts(of_day, &colours, most);
            context! { place, day => date(day), amount, parts }
        })
        .collect();
    let services: Vec<Value> = services
        .iter()
        .map(|(service, (orders, amount))| {
            context! { service => *service, colour => colours[service], orders, amount }
        })
        .collect();
    let total: i64 = by_day.values().sum();
    Ok(context! { days, services, most, spent => total })
}

/// The parts of a day's bar from the ground up, one for each colour; heights in thousandths of the
/// highest bar.
fn parts<'a>(
    of_day: impl Iterator<Item = &'a Spent>,
    colours: &BTreeMap<&str, usize>,
    most: i64,
) -> Vec<Value> {
    let mut amounts = [0_i64; COLOURS];
    for one in of_day {
        let colour = colours.get(one.service.as_str()).copied();
        amounts[colour.unwrap_or(COLOURS) - 1] += one.amount.0.max(0);
    }
    let mut below = 0;
    let mut parts = Vec::new();
    for (place, amount) in amounts.into_iter().enumerate() {
        let height = amount.saturating_mul(1_000) / most;
        if amount > 0 {
            below += height;
            parts.push(context! { colour => place + 1, top => 1_000 - below, height });
        }
    }
    parts
}

/// A day as people write it.
fn date(day: i64) -> String {
    super::view::rfc3339(Timestamp(day * DAY_MS))
        .chars()
        .take(10)
        .collect()
}
