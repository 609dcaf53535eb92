//! The demo's settings: ordinary settings, read by the ordinary reader, with the waiting cut short.

use super::reader::{Origin, Problem};
use super::{Protocol, Secret, Settings};
use domain::policy::{OtpClass, Rules, SmmClass, Strength};
use std::net::SocketAddr;
use std::path::Path;
use toml::{Table, Value};

/// How the keys of practice accounts begin. `serve` refuses to work with such a key.
pub const KEY_PREFIX: &str = "sandbox-";
/// What the practice processors take for keys and sign with.
pub const PAYMENT_SECRETS: [&str; 6] = [
    sandbox::STRIPE_KEY,
    sandbox::STRIPE_WEBHOOK_SECRET,
    sandbox::BTCPAY_KEY,
    sandbox::BTCPAY_WEBHOOK_SECRET,
    sandbox::NOWPAYMENTS_KEY,
    sandbox::NOWPAYMENTS_IPN_SECRET,
];

/// The pool of own numbers, and the public server it stands behind.
pub const POOL: &str = "luke";

/// The public servers in the order customers see.
const SERVERS: [&str; 8] = [
    "romeo", "juliet", "peter", "paul", "andrew", "mark", "luke", "john",
];

/// One account at a practice provider.
#[derive(Clone, Copy, Debug)]
pub struct DemoAccount<'a> {
    /// Name of the upstream.
    pub name: &'a str,
    /// The public server it stands behind; without meaning for an SMM panel.
    pub server: &'a str,
    /// Typed route; 0 on a server without types.
    pub provider_type: u32,
    /// What it speaks.
    pub protocol: Protocol,
    /// Path of its address, with the slash in front.
    pub path: &'a str,
    /// Our key there.
    pub key: &'a str,
    /// Its dialect, where it speaks `handler_api`.
    pub dialect: &'a str,
    /// Whether its offers are split into pools.
    pub pools: bool,
    /// No cancel before this age of an activation, in seconds.
    pub min_cancel_age_s: u32,
}

/// Where the demo runs.
#[derive(Clone, Debug)]
pub struct DemoPlace<'a> {
    /// Address to answer at.
    pub listen: SocketAddr,
    /// Directory of the store and everything else.
    pub data_dir: &'a Path,
    /// Address of the practice providers, without a slash at the end.
    pub sandbox_url: &'a str,
    /// The demo's own pepper; at least 32 bytes.
    pub pepper: &'a Secret,
}

/// The demo's settings. Problems come back only for a place or an account that no settings file
/// could name either.
pub fn settings(
    place: &DemoPlace<'_>,
    accounts: &[DemoAccount<'_>],
) -> Result<Settings, Vec<Problem>> {
    let data_dir = std::path::absolute(place.data_dir).unwrap_or_else(|_| place.data_dir.into());
    let panel = accounts
        .iter()
        .find(|account| account.protocol == Protocol::PanelV2);
    let upstreams = accounts
        .iter()
        .map(|account| (account.name, upstream(place, account)))
        .chain([(POOL, pool())]);
    let file = Table::from_iter(
        [
            (
                "listen",
                table([("address", place.listen.to_string().into())]),
            ),
            ("store", store(&data_dir)),
            ("otp", table([("order", SERVERS.to_vec().into())])),
            (
                "servers",
                table(SERVERS.map(|name| (name, server(name, accounts)))),
            ),
            ("upstreams", table(upstreams)),
            (
                "smm",
                table([("upstream", panel.map_or("", |panel| panel.name).into())]),
            ),
            ("catalogue", table([("aliases", aliases())])),
            ("markup", table([("percent", "20".into())])),
            ("hooks", table([("twilio", carrier())])),
            ("policy", policy()),
            ("keys", table([("pepper", place.pepper.expose().into())])),
            ("payments", payments(place)),
            ("audit", table([("checkpoint_s", 60.into())])),
            (
                "sync",
                table([
                    ("activation_poll_ms", 1000.into()),
                    ("balance_s", 5.into()),
                    ("reconcile_s", 180.into()),
                    ("smm_poll_s", vec![1].into()),
                ]),
            ),
        ]
        .map(|(key, section)| (key.to_owned(), section)),
    );
    Settings::from_table(file, &|_| None, &data_dir, Origin::Demo)
}

fn store(data_dir: &Path) -> Value {
    let directory = data_dir.to_string_lossy();
    table([
        ("url", format!("sqlite:{directory}").into()),
        ("data_dir", directory.as_ref().into()),
    ])
}

/// A server with the accounts behind it; without any it is switched off.
fn server(name: &str, accounts: &[DemoAccount<'_>]) -> Value {
    let numbers = accounts
        .iter()
        .filter(|account| account.protocol != Protocol::PanelV2);
    let behind: Vec<&DemoAccount<'_>> = numbers.filter(|account| account.server == name).collect();
    let route = |provider_type: u32, upstream: &str| {
        table([
            ("provider_type", provider_type.into()),
            ("upstream", upstream.into()),
        ])
    };
    let accounts = behind.iter();
    let mut routes: Vec<Value> = accounts
        .map(|account| route(account.provider_type, account.name))
        .collect();
    if name == POOL {
        routes.push(route(0, POOL));
    }
    let min_cancel_age_s = behind.iter().map(|account| account.min_cancel_age_s).max();
    table([
        ("enabled", (!routes.is_empty()).into()),
        ("label", capitalised(name).into()),
        ("min_cancel_age_s", min_cancel_age_s.unwrap_or(120).into()),
        ("routes", Value::Array(routes)),
    ])
}

/// What production waits minutes for, the demo shows in seconds: its practice providers book a
/// purchase when it arrives or never, and list it at once.
fn upstream(place: &DemoPlace<'_>, account: &DemoAccount<'_>) -> Value {
    table([
        ("protocol", account.protocol.word().into()),
        (
            "url",
            format!("{}{}", place.sandbox_url, account.path).into(),
        ),
        ("allow_plain_http", true.into()),
        ("key", account.key.into()),
        ("dialect", account.dialect.into()),
        ("pools", account.pools.into()),
        ("min_cancel_age_s", account.min_cancel_age_s.into()),
        (
            "reads_per_minute",
            reads_per_minute(account.protocol).into(),
        ),
        ("late_window_s", 50.into()),
        ("list_lag_s", 0.into()),
        ("skew_margin_s", 10.into()),
        ("smm_in_doubt_s", 60.into()),
        ("lists_orders", true.into()),
        ("terminal_confirmation_s", 2.into()),
    ])
}

/// A 5sim account is asked for the prices of each country apart, at the pace of its reads.
fn reads_per_minute(protocol: Protocol) -> u32 {
    match protocol {
        Protocol::FiveSim => 12_000,
        _ => 600,
    }
}

/// A pool of own numbers. They rest as shortly as can be, and are rented for the same again: a
/// newcomer who tries one thing often must not run out of them.
fn pool() -> Value {
    let services = sandbox::pool_services();
    let names = services.iter();
    let names = names.map(|one| (one.code.as_str(), one.name.into()));
    let costs: Vec<(String, Value)> = services
        .iter()
        .map(|one| (format!("*/{}", one.code), one.cost.short().into()))
        .collect();
    let costs = costs
        .iter()
        .map(|(rule, cost)| (rule.as_str(), cost.clone()));
    table([
        ("protocol", Protocol::OwnNumbers.word().into()),
        ("own_services", table(names)),
        ("own_costs_usd", table(costs)),
        ("cooling_off_s", 60.into()),
        ("sell_again", true.into()),
        ("lists_orders", true.into()),
        ("late_window_s", 50.into()),
        ("list_lag_s", 0.into()),
        ("skew_margin_s", 10.into()),
        ("terminal_confirmation_s", 2.into()),
    ])
}

/// The carrier that brings the pool's messages.
fn carrier() -> Value {
    table([("auth_token", sandbox::CARRIER_TOKEN.into())])
}

/// One practice provider has words for its services and no names.
fn aliases() -> Value {
    let named = sandbox::products().into_iter();
    let named: Vec<(String, Value)> = named.map(|(word, name)| (word, name.into())).collect();
    table([(
        "services",
        table(
            named
                .iter()
                .map(|(word, name)| (word.as_str(), name.clone())),
        ),
    )])
}

/// Classes of what the compiled-in list does not know, as an operator would give them. The services
/// that misbehave have none.
fn classes() -> Value {
    let rules = Rules::default();
    let mut named: Vec<String> = Vec::new();
    let sold = sandbox::products().into_iter();
    for (word, name) in sold.filter(|(_, name)| !name.starts_with("Sandbox:")) {
        let spellings = [name.to_owned(), capitalised(&word)].into_iter();
        named.extend(spellings.filter(|name| rules.otp_class(name, "") == OtpClass::Unclassified));
    }
    let class = OtpClass::GamingForumsStreaming.slug();
    table(named.iter().map(|name| (name.as_str(), class.into())))
}

/// Every way to pay, at practice processors.
fn payments(place: &DemoPlace<'_>) -> Value {
    let practice = |address: &str, path: &str, more: &[(&'static str, &str)]| {
        let url = format!("{}{path}", place.sandbox_url);
        let fixed = [
            (address.to_owned(), url.into()),
            ("allow_plain_http".to_owned(), true.into()),
            ("live".to_owned(), false.into()),
        ];
        let more = more.iter();
        let more = more.map(|(key, value)| ((*key).to_owned(), Value::from(*value)));
        Value::Table(fixed.into_iter().chain(more).collect())
    };
    let card = [
        ("key", sandbox::STRIPE_KEY),
        ("webhook_secret", sandbox::STRIPE_WEBHOOK_SECRET),
    ];
    let btcpay = [
        ("key", sandbox::BTCPAY_KEY),
        ("store", sandbox::BTCPAY_STORE),
        ("webhook_secret", sandbox::BTCPAY_WEBHOOK_SECRET),
    ];
    let nowpayments = [
        ("key", sandbox::NOWPAYMENTS_KEY),
        ("ipn_secret", sandbox::NOWPAYMENTS_IPN_SECRET),
    ];
    let instructions = "The demo has no bank account: nothing has to be paid. An operator approves \
                        announced transfers.";
    table([
        ("stripe", practice("api", sandbox::STRIPE_PATH, &card)),
        ("btcpay", practice("url", sandbox::BTCPAY_PATH, &btcpay)),
        (
            "nowpayments",
            practice("api", sandbox::NOWPAYMENTS_PATH, &nowpayments),
        ),
        ("bank", table([("instructions", instructions.into())])),
    ])
}

fn policy() -> Value {
    let confirmation = table([
        ("by", "the demo".into()),
        ("at", "2026-01-01".into()),
        (
            "statement",
            "practice providers only: nothing is delivered to anybody".into(),
        ),
    ]);
    // the SMM side of the demo sells all but what is denied for good
    let denied = SmmClass::ALL
        .into_iter()
        .filter(|class| class.strength() == Strength::DefaultDeny);
    let lifted: Vec<&str> = denied.map(SmmClass::slug).collect();
    table([
        ("sell_unclassified", true.into()),
        ("classify", classes()),
        ("smm_confirmation", confirmation),
        ("lifted", lifted.into()),
    ])
}

fn capitalised(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{}{rest}", first.to_ascii_uppercase())
}

fn table<'a>(rows: impl IntoIterator<Item = (&'a str, Value)>) -> Value {
    Value::Table(
        rows.into_iter()
            .map(|(key, value)| (key.to_owned(), value))
            .collect(),
    )
}
