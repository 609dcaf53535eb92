//! `/_sandbox/…`: what a test may look at and set. No provider has such a thing.

use super::json;
use crate::accounts::{PANEL, Protocol, account_named, accounts};
use crate::activation::{Activation, Ending, Stage};
use crate::event::Event;
use crate::faults::Faults;
use crate::order_code;
use crate::panel_order::PanelOrder;
use crate::sandbox::Sandbox;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use domain::usd::Usd;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One thing that was sold, as a test reads it; money is a decimal string in dollars.
#[derive(Serialize)]
struct Sold {
    kind: &'static str,
    id: String,
    upstream: &'static str,
    service: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    country: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    quantity: Option<u64>,
    status: &'static str,
    cost: String,
    sold_at_ms: i64,
}

/// `GET /_sandbox/orders`: everything that was ever sold, cancelled or not.
pub(super) async fn orders(State(sandbox): State<Arc<Sandbox>>) -> Response {
    #[derive(Serialize)]
    struct All {
        orders: Vec<Sold>,
    }
    // copied under the lock, printed outside of it: the list may be long
    let (activations, orders, now) = sandbox.books(|books, now| {
        (
            books.state.activations().to_vec(),
            books.state.orders().to_vec(),
            now,
        )
    });
    let numbers = activations
        .iter()
        .map(|one| sold_number(&sandbox, one, now));
    let orders = numbers
        .chain(orders.iter().map(|order| sold_order(order, now)))
        .collect();
    answer(&All { orders })
}

fn sold_number(sandbox: &Sandbox, activation: &Activation, now: i64) -> Sold {
    Sold {
        kind: "otp",
        id: match accounts()[activation.account].protocol {
            Protocol::SmsPool => order_code::encode(activation.id),
            Protocol::HandlerApi | Protocol::FiveSim | Protocol::PanelV2 => {
                activation.id.to_string()
            }
        },
        upstream: accounts()[activation.account].name,
        service: sandbox
            .shelf(activation.account)
            .service_id(activation.service)
            .to_owned(),
        country: Some(
            sandbox
                .shelf(activation.account)
                .country_code(activation.country_id)
                .to_owned(),
        ),
        pool: activation.pool.map(|pool| pool.to_string()),
        phone: Some(format!("+{}", activation.phone)),
        link: None,
        quantity: None,
        status: match activation.stage(now) {
            Stage::Waiting => "waiting",
            Stage::Got(_) => "received",
            Stage::Retry(_) => "waiting_retry",
            Stage::Ended(Ending::Finished) => "finished",
            Stage::Ended(Ending::Cancelled) => "cancelled",
            Stage::Ended(Ending::Expired) => "expired",
        },
        cost: activation.cost.to_string(),
        sold_at_ms: activation.sold_at,
    }
}

fn sold_order(order: &PanelOrder, now: i64) -> Sold {
    Sold {
        kind: "smm",
        id: order.id.to_string(),
        upstream: accounts()[PANEL].name,
        service: order.service.to_string(),
        country: None,
        pool: None,
        phone: None,
        link: Some(order.link.clone()),
        quantity: Some(order.units),
        status: order.snapshot(now).word.text(),
        cost: order.cost.to_string(),
        sold_at_ms: order.placed_at,
    }
}

/// `GET /_sandbox/faults`.
pub(super) async fn show_faults(State(sandbox): State<Arc<Sandbox>>) -> Response {
    json(StatusCode::OK, sandbox.faults().show())
}

/// `POST /_sandbox/faults`: the rates that hold from now on.
pub(super) async fn set_faults(State(sandbox): State<Arc<Sandbox>>, body: Bytes) -> Response {
    match Faults::read(&body) {
        Ok(faults) => {
            *sandbox.faults() = faults;
            json(StatusCode::OK, sandbox.faults().show())
        }
        Err(why) => refuse(StatusCode::BAD_REQUEST, &why),
    }
}

/// What `POST /_sandbox/balance` takes.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewBalance {
    upstream: String,
    balance: String,
}

/// `POST /_sandbox/balance`: sets what an account has left.
pub(super) async fn set_balance(State(sandbox): State<Arc<Sandbox>>, body: Bytes) -> Response {
    let (upstream, account, balance) = match read_balance(&body) {
        Ok(read) => read,
        Err(why) => return refuse(StatusCode::BAD_REQUEST, &why),
    };
    let recorded = sandbox.books(|books, now| {
        let event = Event::BalanceSet {
            at: now,
            account,
            balance_micros: balance,
        };
        books.record(&event)
    });
    match recorded {
        Ok(()) => answer(&serde_json::json!({
            "upstream": upstream,
            "balance": balance.to_string(),
        })),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn read_balance(body: &[u8]) -> Result<(String, usize, Usd), String> {
    let wanted: NewBalance = serde_json::from_slice(body)
        .map_err(|error| format!("expected {{\"upstream\":…,\"balance\":\"…\"}}: {error}"))?;
    let account = account_named(&wanted.upstream).ok_or_else(|| {
        let names: Vec<_> = accounts().iter().map(|account| account.name).collect();
        format!(
            "unknown upstream {:?}; known are {}",
            wanted.upstream,
            names.join(", ")
        )
    })?;
    let balance = Usd::parse(&wanted.balance)
        .map_err(|_| format!("{:?} is no amount such as \"12.50\"", wanted.balance))?;
    Ok((wanted.upstream, account, balance))
}

fn answer(body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(body) => json(StatusCode::OK, body),
        Err(error) => refuse(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

fn refuse(status: StatusCode, why: &str) -> Response {
    json(status, serde_json::json!({ "error": why }).to_string())
}
