//! The accounts at providers, for the command line: how each is doing, and a trial of one.

use super::drafts;
use super::{Office, rfc3339};
use crate::settings::{Problem, Protocol, Settings, Upstream};
use app::{
    AdminError, Closed, Drafted, Engine, Stock, Surroundings, TrialStep, UpstreamDraft,
    UpstreamHealth, UpstreamSheet,
};
use domain::markup::Markups;
use domain::outcomes::Figures;
use domain::upstream::Pending;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::time::Duration;
use upstream::Dialect;
use url::Url;

/// A name that is not looked up, or an address that does not answer, within this is out of reach.
const REACH: Duration = Duration::from_secs(5);

/// What can be asked about the accounts at providers.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// How every upstream is doing.
    List,
    /// What a trial of one comes to.
    Test {
        /// Its name.
        name: String,
    },
    /// Nothing more is bought at one, or it is bought from again.
    Pause {
        /// Its name.
        name: String,
        /// Whether to stop.
        paused: bool,
        /// Why.
        reason: String,
    },
}

/// Answers it.
pub(super) async fn answer(office: &Office, question: Question) -> Result<Value, AdminError> {
    let (stock, engine) = (&office.stock, &office.engine);
    match question {
        Question::List => list(stock, engine).await,
        Question::Test { name } => test(stock, &name).await,
        Question::Pause {
            name,
            paused,
            reason,
        } => pause(engine, (&name, paused), &reason).await,
    }
}

/// All upstreams of an installation, without anything secret.
pub fn sheets(settings: &Settings) -> Vec<UpstreamSheet> {
    let sheets = settings.upstreams.iter().map(|one| sheet(settings, one));
    sheets.collect()
}

fn sheet(settings: &Settings, one: &Upstream) -> UpstreamSheet {
    let url = Url::parse(&one.url).ok();
    let place = url.and_then(|url| {
        let host = url.host_str()?.trim_matches(['[', ']']).to_owned();
        Some((host, url.port_or_known_default()?))
    });
    let behind = settings.servers.iter().filter(|server| {
        let mut routes = server.routes.iter();
        routes.any(|route| route.upstream == one.name)
    });
    let own = format!("upstreams.{}.", one.name);
    let entries = settings.describe().iter().filter_map(|entry| {
        let key = entry.key.strip_prefix(&own)?;
        let origin = entry.origin.to_string();
        Some((key.to_owned(), entry.value.clone(), origin))
    });
    UpstreamSheet {
        name: one.name.clone(),
        protocol: one.protocol.word(),
        servers: behind.map(|server| server.name.clone()).collect(),
        place,
        settings: entries.collect(),
    }
}

/// The network of this machine, and the language of its settings file.
pub struct Network {
    /// Whether a draft may stand in a private network: in a demo its practice providers do.
    pub near: bool,
}

impl Surroundings for Network {
    fn reach<'a>(&'a self, host: &'a str, port: u16) -> Pending<'a, Result<String, String>> {
        Box::pin(reach(host, port))
    }

    fn languages(&self) -> (Vec<&'static str>, Vec<&'static str>) {
        let protocols = Protocol::WORDS.into_iter();
        let drafted = protocols.filter(|(_, protocol)| *protocol != Protocol::OwnNumbers);
        let dialects = Dialect::WORDS.into_iter();
        (
            drafted.map(|(word, _)| word).collect(),
            dialects.map(|(word, _)| word).collect(),
        )
    }

    fn draft<'a>(&'a self, draft: &'a UpstreamDraft) -> Pending<'a, Result<Drafted, Vec<String>>> {
        Box::pin(drafts::draft(draft, self.near))
    }

    fn markups(&self, file: &str) -> Result<Markups, Vec<String>> {
        let told = |problems: Vec<Problem>| problems.iter().map(ToString::to_string).collect();
        Settings::markup_of(file).map_err(told)
    }

    fn markup_text(&self, markups: &Markups) -> String {
        Settings::markup_text(markups)
    }
}

/// Every upstream with its servers and its health.
async fn list(stock: &Stock, engine: &Engine) -> Result<Value, AdminError> {
    // the state of each says whether it is paused
    engine.in_force().await?;
    let health = engine.upstream_health();
    let rows: Vec<Value> = stock
        .sheets()
        .iter()
        .map(|one| {
            let health = health.iter().find(|health| health.upstream == one.name);
            row(one, health, &engine.measured_at(&one.name))
        })
        .collect();
    Ok(json!({ "upstreams": rows }))
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

fn row(known: &UpstreamSheet, health: Option<&UpstreamHealth>, figures: &Figures) -> Value {
    let state = match health {
        None => "not used".to_owned(),
        Some(health) => health.closed.as_ref().map_or("open".to_owned(), state_of),
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

fn state_of(closed: &Closed) -> String {
    match closed.until() {
        Some(until) => format!("{closed} until {}", rfc3339(until.0)),
        None => closed.to_string(),
    }
}

/// Tries an upstream out, step by step. Nothing is bought.
async fn test(stock: &Stock, name: &str) -> Result<Value, AdminError> {
    let trial = stock.try_out(name).await?;
    let steps: Vec<Value> = trial.steps.iter().map(step).collect();
    Ok(json!({
        "ok": trial.is_ok(),
        "upstream": trial.upstream,
        "protocol": trial.protocol,
        "steps": steps,
    }))
}

fn step(step: &TrialStep) -> Value {
    let (name, ms) = (step.name, step.took.0);
    match &step.outcome {
        Ok(found) => json!({ "step": name, "ok": true, "ms": ms, "found": found }),
        Err((wrong, advice)) => {
            json!({ "step": name, "ok": false, "ms": ms, "wrong": wrong, "advice": advice })
        }
    }
}

/// Nothing more is bought at an upstream, or it is bought from again.
async fn pause(
    engine: &Engine,
    (name, paused): (&str, bool),
    why: &str,
) -> Result<Value, AdminError> {
    match paused {
        true => engine.pause_upstream(name, why).await?,
        false => engine.resume_upstream(name, why).await?,
    }
    Ok(json!({ "upstream": name, "paused": paused }))
}

/// What a host is found at: one address or more.
pub(super) async fn looked_up(host: &str, port: u16) -> Result<Vec<SocketAddr>, String> {
    let looked_up = tokio::time::timeout(REACH, tokio::net::lookup_host((host, port))).await;
    let addresses = looked_up
        .map_err(|_| format!("the name {host} was not looked up in time"))?
        .map_err(|error| format!("the name {host} cannot be looked up: {error}"))?;
    let addresses: Vec<_> = addresses.collect();
    match addresses.is_empty() {
        true => Err(format!("the name {host} has no address")),
        false => Ok(addresses),
    }
}

async fn reach(host: &str, port: u16) -> Result<String, String> {
    let address = looked_up(host, port).await?[0];
    let connecting = tokio::net::TcpStream::connect(address);
    tokio::time::timeout(REACH, connecting)
        .await
        .map_err(|_| format!("{address} does not answer"))?
        .map_err(|error| format!("no connection to {address}: {error}"))?;
    Ok(address.to_string())
}
