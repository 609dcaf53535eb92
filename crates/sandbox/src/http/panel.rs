//! `/panel/api/v2`: the SMM panel.

use super::{Excuses, error_500, purchase, text};
use crate::accounts::{PANEL, accounts};
use crate::catalogue::panel_services::PANEL_SERVICES;
use crate::faults::Manner;
use crate::panel_order::{PanelOrder, Snapshot, Word};
use crate::sandbox::Sandbox;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, header};
use axum::response::Response;
use domain::usd::Usd;
use rust_decimal::Decimal;
use std::sync::Arc;
use wire::panel_v2::{
    Add, Added, Balance, Call, Cancels, Ids, OrderRow, OrderStatus, Orders, Refill, RefillStatus,
    RefillStatuses, Refills, Request, ServiceRow, Services, Statuses, UNKNOWN_REFILL,
    print_cancel_single, print_error,
};

/// Most rows of the order list.
const ORDERS_MAX: usize = 100_000;

/// Answers one call: a form, JSON, or a query string where there is no body.
pub(super) async fn answer(
    State(sandbox): State<Arc<Sandbox>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: String,
) -> Response {
    let kind = headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let is_json = kind.is_some_and(|kind| kind.starts_with("application/json"));
    let call = match body.trim().is_empty() {
        true => Call::parse_form(query.as_deref().unwrap_or_default()),
        false if is_json => Call::parse_json(&body),
        false => Call::parse_form(&body),
    };
    match call {
        Err(bad) => text(print_error(bad.text())),
        Ok(call) if call.key.as_deref() != Some(accounts()[PANEL].key) => {
            text(print_error("Invalid API key"))
        }
        Ok(call) => serve(&sandbox, call.request).await,
    }
}

async fn serve(sandbox: &Sandbox, request: Request) -> Response {
    match request {
        Request::Add(add) => place(sandbox, &add).await,
        Request::Cancel(ids) => text(cancel(sandbox, ids)),
        Request::Refill(ids) => text(refill(sandbox, ids)),
        read if sandbox.faults().next_read_fails() => {
            tracing::debug!(
                action = read.action(),
                "read fails by the rate that was set"
            );
            error_500()
        }
        Request::Services => text(services()),
        Request::Status(ids) => text(status(sandbox, ids)),
        Request::RefillStatus(ids) => text(refill_status(sandbox, ids)),
        Request::Balance => text(balance(sandbox)),
        Request::Orders => text(orders(sandbox)),
    }
}

async fn place(sandbox: &Sandbox, add: &Add) -> Response {
    let quote = match sandbox.panel_quote(add) {
        Ok(quote) => quote,
        Err(error) => return text(print_error(&error)),
    };
    let (no_stock, refused) = (
        print_error("Too many requests, try again later"),
        print_error("Link is private"),
    );
    let excuses = Excuses {
        no_stock: text(no_stock),
        refused: text(refused),
    };
    let book = || match sandbox.book_order(&quote) {
        Ok(id) => text(Added(id.to_string()).print()),
        Err(error) => text(print_error(error)),
    };
    let manner = match sandbox.is_ordered(&quote) {
        true => Manner::Plain,
        false => sandbox.panel_manner(&quote),
    };
    purchase(manner, excuses, book).await
}

fn services() -> String {
    let rows = PANEL_SERVICES.iter().map(|service| ServiceRow {
        id: service.id.to_string(),
        name: service.name.to_owned(),
        kind: service.kind.title().to_owned(),
        category: service.category.to_owned(),
        rate: two_decimals(service.rate),
        min: service.min,
        max: service.max,
        refill: service.refill,
        cancel: service.cancel,
        dripfeed: service.dripfeed,
        description: None,
    });
    Services {
        rows: rows.collect(),
        skipped: 0,
    }
    .print()
}

fn status(sandbox: &Sandbox, ids: Ids) -> String {
    let (ids, single) = listed(ids);
    let states = sandbox.order_states(&ids).into_iter().zip(&ids);
    let mut states = states.map(|(state, id)| {
        let snapshot = state?;
        Ok(match sandbox.children(id) {
            Some((children, goes_on)) => parent(snapshot, &children, goes_on),
            None => shown(snapshot),
        })
    });
    if single {
        return match states.next() {
            Some(Ok(status)) => status.print(),
            Some(Err(error)) => print_error(error),
            None => print_error("Incorrect request"),
        };
    }
    let rows = states.map(|state| state.map_err(str::to_owned));
    Statuses(ids.iter().cloned().zip(rows).collect()).print()
}

fn shown(snapshot: Snapshot) -> OrderStatus {
    OrderStatus {
        charge: Some(two_decimals(snapshot.charge)),
        start_count: snapshot
            .start_count
            .and_then(|count| i64::try_from(count).ok()),
        status: snapshot.word.text().to_owned(),
        remains: Some(snapshot.remains),
        currency: Some("USD".to_owned()),
        children: Vec::new(),
    }
}

/// A subscription is told by its children. Before the first one nothing was charged.
fn parent(snapshot: Snapshot, children: &[u64], goes_on: bool) -> OrderStatus {
    let word = match (goes_on, snapshot.word) {
        (true, _) => "Active",
        (false, Word::Canceled | Word::Partial) => Word::Canceled.text(),
        (false, _) => Word::Completed.text(),
    };
    OrderStatus {
        charge: children.is_empty().then(|| two_decimals(Usd::ZERO)),
        status: word.to_owned(),
        children: children.iter().map(u64::to_string).collect(),
        ..OrderStatus::default()
    }
}

fn cancel(sandbox: &Sandbox, ids: Ids) -> String {
    if let Ids::One(id) = &ids {
        return match sandbox.cancel_order(id) {
            Ok(()) => print_cancel_single(id),
            Err(error) => print_error(error),
        };
    }
    let rows = listed(ids).0.into_iter().map(|id| {
        let asked = sandbox.cancel_order(&id).map_err(str::to_owned);
        (id, asked)
    });
    Cancels(rows.collect()).print()
}

fn refill(sandbox: &Sandbox, ids: Ids) -> String {
    if let Ids::One(id) = &ids {
        return match sandbox.refill_order(id) {
            Ok(refill) => Refill(refill.to_string()).print(),
            Err(error) => print_error(error),
        };
    }
    let rows = listed(ids).0.into_iter().map(|id| {
        let asked = sandbox.refill_order(&id);
        (
            id,
            asked
                .map(|refill| refill.to_string())
                .map_err(str::to_owned),
        )
    });
    Refills(rows.collect()).print()
}

fn refill_status(sandbox: &Sandbox, ids: Ids) -> String {
    let word = |id: &str| {
        let word = sandbox.refill_state(id).map(str::to_owned);
        word.ok_or_else(|| UNKNOWN_REFILL.to_owned())
    };
    if let Ids::One(id) = &ids {
        return match word(id) {
            Ok(word) => RefillStatus(word).print(),
            Err(error) => print_error(&error),
        };
    }
    let rows = listed(ids).0.into_iter().map(|id| {
        let word = word(&id);
        (id, word)
    });
    RefillStatuses(rows.collect()).print()
}

fn balance(sandbox: &Sandbox) -> String {
    let balance = sandbox.books(|books, _| books.state.balance(PANEL));
    Balance {
        balance: two_decimals(balance),
        currency: Some("USD".to_owned()),
    }
    .print()
}

/// The account's own orders, newest first: the evidence for an order whose answer was lost.
fn orders(sandbox: &Sandbox) -> String {
    // copied under the lock, printed outside of it: the list may be long
    let (newest, now): (Vec<PanelOrder>, _) = sandbox.books(|books, now| {
        // what a subscription made was not placed by the customer
        let placed = books
            .state
            .orders()
            .iter()
            .filter(|one| one.parent.is_none());
        let newest = placed.rev().take(ORDERS_MAX);
        (newest.cloned().collect(), now)
    });
    let rows = newest.into_iter().map(|order| {
        let snapshot = order.snapshot(now);
        OrderRow {
            id: order.id.to_string(),
            service: order.service.to_string(),
            link: order.link,
            quantity: Some(order.units),
            charge: Some(two_decimals(snapshot.charge)),
            status: snapshot.word.text().to_owned(),
            created_s: Some(order.placed_at.div_euclid(1000)),
        }
    });
    Orders {
        rows: rows.collect(),
        skipped: 0,
    }
    .print()
}

/// The ids, and whether a single one was asked for.
fn listed(ids: Ids) -> (Vec<String>, bool) {
    match ids {
        Ids::One(id) => (vec![id], true),
        Ids::Many(ids) => (ids, false),
    }
}

/// The exact amount with at least two decimals.
fn two_decimals(amount: Usd) -> Decimal {
    let mut value = Decimal::new(amount.0, 6).normalize();
    value.rescale(value.scale().max(2));
    value
}
