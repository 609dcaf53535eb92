//! The accounts at providers, for the command line: how each is doing, and a trial of one.

use super::rfc3339;
use crate::settings::{Settings, Upstream};
use app::{AdminError, Closed, Engine, UpstreamHealth};
use domain::outcomes::Figures;
use domain::time::Timestamp;
use domain::upstream::{ReadFailure, Refusal};
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use url::Url;

/// A name that is not looked up, or an address that does not answer, within this is out of reach.
const REACH: Duration = Duration::from_secs(5);

/// What commands know of an upstream: nothing secret.
#[derive(Clone)]
pub struct Known {
    name: String,
    protocol: &'static str,
    servers: Vec<String>,
    /// Host and port; nothing where it is no provider of somebody else.
    place: Option<(String, u16)>,
}

impl Known {
    /// All upstreams of an installation.
    pub fn all(settings: &Settings) -> Vec<Self> {
        let known = |one: &Upstream| {
            let url = Url::parse(&one.url).ok();
            let place = url.and_then(|url| {
                let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
                Some((host, url.port_or_known_default()?))
            });
            let behind = settings.servers.iter().filter(|server| {
                let mut routes = server.routes.iter();
                routes.any(|route| route.upstream == one.name)
            });
            Self {
                name: one.name.clone(),
                protocol: one.protocol.word(),
                servers: behind.map(|server| server.name.clone()).collect(),
                place,
            }
        };
        settings.upstreams.iter().map(known).collect()
    }
}

/// Every upstream with its servers and its health.
pub(super) fn list(engine: &Engine, known: &[Known]) -> Value {
    let health = engine.upstream_health();
    let rows: Vec<Value> = known
        .iter()
        .map(|one| {
            let health = health.iter().find(|health| health.upstream == one.name);
            row(one, health, &engine.measured_at(&one.name))
        })
        .collect();
    json!({ "upstreams": rows })
}

/// What was measured of a route or an upstream; nothing is said while outcomes are too few.
pub(super) fn measured(figures: &Figures) -> Value {
    json!({
        "samples": figures.samples,
        "success_rate": figures.rate,
        "success_rate_at_least": figures.at_least,
        "cancel_rate": figures.cancelled,
        "delivery_p50_s": figures.p50_s,
        "delivery_p90_s": figures.p90_s,
    })
}

fn row(known: &Known, health: Option<&UpstreamHealth>, figures: &Figures) -> Value {
    let state = match health {
        None => "not used".to_owned(),
        Some(health) => health.closed.as_ref().map_or("open".to_owned(), closed),
    };
    let balance = health.and_then(|health| health.balance);
    json!({
        "name": known.name,
        "protocol": known.protocol,
        "servers": known.servers,
        "state": state,
        "balance_usd": balance.map(|(usd, _)| usd.to_string()),
        "balance_at": balance.map(|(_, at)| rfc3339(at.0)),
        "float_is_low": health.is_some_and(|health| health.float_is_low),
        "under_way": health.map_or(0, |health| health.under_way),
        "in_doubt": health.map_or(0, |health| health.in_doubt),
        "not_sold": health.map_or(0, |health| health.not_sold),
        "measured": measured(figures),
    })
}

fn closed(closed: &Closed) -> String {
    let until = |at: Timestamp| format!("failing; tried again at {}", rfc3339(at.0));
    match closed {
        Closed::Fault(class) if *class == Refusal::WrongCurrency.slug() => {
            "its account is in another currency than the setting currency says".to_owned()
        }
        Closed::Fault(class) => format!("refuses us: {class}"),
        Closed::Breaker(at) => until(*at),
        Closed::Trying => "being tried again".to_owned(),
        Closed::Float(usd) => format!("balance too low: {usd} USD"),
        Closed::InDoubt(count) => format!("{count} purchases in doubt"),
        Closed::Busy(count) => format!("{count} purchases under way"),
    }
}

/// Tries an upstream out, step by step. Nothing is bought.
pub(super) async fn test(
    engine: &Engine,
    known: &[Known],
    name: &str,
) -> Result<Value, AdminError> {
    let one = known.iter().find(|one| one.name == name);
    let one = one.ok_or_else(|| AdminError::NotFound(format!("upstream {name}")))?;
    let mut steps = Vec::new();
    let mut ok = true;
    if let Some((host, port)) = &one.place {
        let since = Instant::now();
        let reached = reach(host, *port).await;
        ok = reached.is_ok();
        let advice = format!("check upstreams.{name}.url, the network and the provider");
        steps.push(step(
            "connect",
            since.elapsed().as_millis(),
            reached,
            &advice,
        ));
    }
    if ok {
        let probed = engine.probe(name).await.ok_or_else(|| {
            AdminError::Invalid(format!(
                "upstream {name} is configured but nothing uses it; name it in a server's routes \
                 or in [smm]"
            ))
        })?;
        for probe in probed {
            ok &= probe.outcome.is_ok();
            let advice = probe
                .outcome
                .as_ref()
                .err()
                .map(|failure| advice(name, failure));
            let took = u128::from(probe.took.0.unsigned_abs());
            let said = probe.outcome.map_err(|failure| failure.to_string());
            steps.push(step(probe.name, took, said, &advice.unwrap_or_default()));
        }
    }
    Ok(json!({ "ok": ok, "upstream": name, "protocol": one.protocol, "steps": steps }))
}

fn step(name: &str, took_ms: u128, outcome: Result<String, String>, advice: &str) -> Value {
    let took_ms = u64::try_from(took_ms).unwrap_or(u64::MAX);
    match outcome {
        Ok(found) => json!({ "step": name, "ok": true, "ms": took_ms, "found": found }),
        Err(wrong) => {
            json!({ "step": name, "ok": false, "ms": took_ms, "wrong": wrong, "advice": advice })
        }
    }
}

async fn reach(host: &str, port: u16) -> Result<String, String> {
    let looked_up = tokio::time::timeout(REACH, tokio::net::lookup_host((host, port))).await;
    let mut addresses = looked_up
        .map_err(|_| format!("the name {host} was not looked up in time"))?
        .map_err(|error| format!("the name {host} cannot be looked up: {error}"))?;
    let address = addresses.next();
    let address = address.ok_or_else(|| format!("the name {host} has no address"))?;
    let connecting = tokio::net::TcpStream::connect(address);
    tokio::time::timeout(REACH, connecting)
        .await
        .map_err(|_| format!("{address} does not answer"))?
        .map_err(|error| format!("no connection to {address}: {error}"))?;
    Ok(address.to_string())
}

/// What to look at, and the setting behind it.
fn advice(name: &str, failure: &ReadFailure) -> String {
    let setting = |key: &str, what: &str| format!("{what}: upstreams.{name}.{key}");
    match failure {
        ReadFailure::Refused(Refusal::UpstreamAuth) => {
            setting("key", "the key is wrong or missing")
        }
        ReadFailure::Refused(Refusal::AccountBlocked) => {
            "the account is blocked there; ask the provider".to_owned()
        }
        ReadFailure::Refused(Refusal::WrongCurrency) => setting(
            "currency",
            "the account is in another currency; set it with usd_per_unit",
        ),
        ReadFailure::Refused(Refusal::UpstreamFunds) => "top up the account there".to_owned(),
        ReadFailure::Refused(Refusal::Throttled) => {
            setting("reads_per_minute", "it is asked too often")
        }
        ReadFailure::Refused(Refusal::Unreachable) => {
            setting("url", "no request could be sent (address, TLS or proxy)")
        }
        ReadFailure::Fault(_) => setting(
            "timeout_ms",
            "it failed, or gave no whole answer in time; try again, then look at the url",
        ),
        _ => setting(
            "protocol",
            "the answer does not fit the protocol; check it and the url",
        ),
    }
}
