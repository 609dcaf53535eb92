//! The statement: every event of the wallet with the balance after it, by page and as a file.

use crate::dashboard::page::{Failed, Page};
use crate::dashboard::session::{Customer, Visitor};
use crate::dashboard::view;
use crate::door::Door;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::ids::AccountId;
use domain::ports::Movement;
use domain::usd::Usd;
use minijinja::{Value, context};
use std::sync::Arc;
use subtle::ConstantTimeEq;

/// Events on one page.
const ROWS: u32 = 50;

/// Events in one file.
const FILE_ROWS: u32 = 10_000;

/// Where a page starts: an event, and what could be spent after it.
#[derive(Clone, Copy)]
struct Start {
    event: i64,
    balance: Usd,
}

impl Start {
    /// As it stands in an address. The balance is sealed: nobody else's link shows a wrong one.
    fn text(self, door: &Door, account: AccountId) -> String {
        let (event, balance) = (self.event, self.balance.0);
        let seal = door.people.statement_seal(account, event, balance);
        format!("{event}.{balance}.{seal}")
    }

    fn read(text: &str, door: &Door, account: AccountId) -> Option<Self> {
        let mut parts = text.split('.');
        let (event, balance) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let seal = door.people.statement_seal(account, event, balance);
        let genuine: bool = seal.as_bytes().ct_eq(parts.next()?.as_bytes()).into();
        (genuine && parts.next().is_none()).then_some(Self {
            event,
            balance: Usd(balance),
        })
    }
}

/// Events with the balance after each, newest first, and where the older ones start.
struct Extract {
    rows: Vec<(Movement, Usd)>,
    next: Option<Start>,
}

async fn extract(
    door: &Door,
    account: AccountId,
    start: Option<Start>,
    limit: u32,
) -> Result<Extract, Failed> {
    let from = start.map(|start| start.event);
    let found = door.pages.statement(account, from, limit).await?;
    let newest = found.first().map_or(Usd::ZERO, |row| row.available_now);
    let mut balance = start.map_or(newest, |start| start.balance);
    let mut rows = Vec::with_capacity(found.len());
    let mut next = None;
    for row in found {
        let before = Usd(balance.0 - row.available.0);
        next = row.previous.map(|event| Start {
            event,
            balance: before,
        });
        rows.push((row, balance));
        balance = before;
    }
    Ok(Extract { rows, next })
}

/// The start that an address names; none for the newest events.
fn start_of(
    door: &Door,
    visitor: &Visitor,
    account: AccountId,
) -> Result<(String, Option<Start>), Failed> {
    let text = visitor.asked("from");
    if text.is_empty() {
        return Ok((text, None));
    }
    let why = "This address of the statement is not whole. Start from the wallet again.";
    let start = Start::read(&text, door, account);
    let start = start.ok_or_else(|| Failed::new(StatusCode::NOT_FOUND, why))?;
    Ok((text, Some(start)))
}

/// The statement's part of the wallet page.
pub(super) async fn page(door: &Door, customer: &Customer) -> Result<Value, Failed> {
    let account = customer.account.id;
    let (from, start) = start_of(door, &customer.visitor, account)?;
    let extract = extract(door, account, start, ROWS).await?;
    let rows: Vec<Value> = extract
        .rows
        .iter()
        .map(|(row, balance)| {
            context! {
                at => row.at.0,
                what => what(row),
                order => row.order.as_ref().map(|(order, _)| order.0),
                service => row.order.as_ref().map(|(_, service)| service),
                available => row.available.0,
                held => row.held.0,
                balance => balance.0,
            }
        })
        .collect();
    let next = extract.next.map(|start| start.text(door, account));
    Ok(context! { rows, next, from, file_rows => FILE_ROWS })
}

/// An event in the customer's words.
fn what(row: &Movement) -> &'static str {
    match row.kind.as_str() {
        "hold" => "Set aside",
        "hold_change" => "Amount set aside changed",
        "resolution" if row.available.0 == 0 => "Paid",
        "resolution" if row.available.0 == -row.held.0 => "Given back",
        "resolution" => "Paid in part, the rest given back",
        "adjustment" => "Given back later",
        "credit" => "Top-up",
        "redeem" => "Redeem code",
        "top_up" => "Top-up",
        "top_up_bonus" => "Bonus on a top-up",
        "top_up_cleared" => "Top-up can be spent",
        "top_up_reversal" if row.available.0 > 0 => "Returned top-up given back",
        "top_up_reversal" => "Top-up returned",
        _ => "Correction",
    }
}

/// `GET /wallet/statement.csv`: the same as a file.
pub(super) async fn csv(State(door): State<Arc<Door>>, customer: Customer) -> Response {
    match file(&door, &customer).await {
        Ok(text) => view::file("statement.csv", view::CSV, text),
        Err(failed) => {
            let page = Page::new(&customer.visitor, "Wallet").under("wallet");
            page.failed(&failed)
        }
    }
}

async fn file(door: &Door, customer: &Customer) -> Result<String, Failed> {
    let account = customer.account.id;
    let (_, start) = start_of(door, &customer.visitor, account)?;
    let extract = extract(door, account, start, FILE_ROWS).await?;
    let mut text =
        String::from("time,event,order,service,available_change,held_change,available_after\r\n");
    for (row, balance) in &extract.rows {
        let order = row.order.as_ref();
        let cells = [
            view::rfc3339(row.at),
            view::csv_cell(what(row)),
            order
                .map(|(order, _)| order.to_string())
                .unwrap_or_default(),
            view::csv_cell(order.map_or("", |(_, service)| service)),
            row.available.to_string(),
            row.held.to_string(),
            balance.to_string(),
        ];
        text.push_str(&cells.join(","));
        text.push_str("\r\n");
    }
    Ok(text)
}
