//! `[payments]`: who takes customers' money, and on what terms.

use super::base_url;
use super::exact::{self, Percent};
use super::secret::{Secret, Shape};
use super::section::{Section, text};
use domain::time::Millis;
use domain::top_up::{BonusRule, OddAmounts, Processor, Terms};
use domain::usd::Usd;
use toml::Value;

/// Where Stripe and NOWPayments answer.
const STRIPE: &str = "https://api.stripe.com/";
const NOWPAYMENTS: &str = "https://api.nowpayments.io/v1";

/// Greatest sum of a day by tier, where nothing else is said.
const DAILY: [&str; 4] = ["100", "500", "2000", "10000"];

/// Longest instructions, in bytes.
const INSTRUCTIONS_MAX: usize = 2000;

/// `[payments]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payments {
    /// How long an offer to pay is good for.
    pub lifetime: Millis,
    /// A bank's early warning suspends the account.
    pub freeze_on_fraud_warning: bool,
    /// What becomes of payments of another amount than was asked.
    pub odd_amounts: OddAmounts,
    /// The ways to pay that are switched on.
    pub ways: Vec<PaymentWay>,
}

/// A way to pay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PaymentWay {
    /// By whom.
    pub processor: Processor,
    /// Where the API is.
    pub url: String,
    /// Our key there.
    pub key: Secret,
    /// Secrets of its webhooks: the present one, and during a rotation the other. Without one no
    /// webhook is believed.
    pub webhook_secrets: Vec<Secret>,
    /// Real money.
    pub live: bool,
    /// The store at a BTCPay Server.
    pub store: String,
    /// What customers read.
    pub instructions: String,
    /// On what terms.
    pub terms: Terms,
}

impl Payments {
    /// Reads the section.
    pub fn read(part: &mut Section<'_>) -> Self {
        let minutes = part.number("expires_minutes", 60, 30..=1440);
        let words = [("freeze", true), ("flag", false)];
        let freeze_on_fraud_warning = part.choice("on_fraud_warning", true, &words);
        let odd_amounts = OddAmounts {
            credit_surplus: part.choice("surplus", false, &[("tell", false), ("credit", true)]),
            credit_part: part.choice("partial", false, &[("review", false), ("credit", true)]),
        };
        let general = general(part);
        let ways = [
            part.section("stripe", |part| stripe(part, &general)),
            part.section("btcpay", |part| btcpay(part, &general)),
            part.section("nowpayments", |part| nowpayments(part, &general)),
            part.section("bank", |part| bank(part, &general)),
        ];
        Self {
            lifetime: Millis::minutes(minutes.into()),
            freeze_on_fraud_warning,
            odd_amounts,
            ways: ways.into_iter().flatten().collect(),
        }
    }
}

fn general(part: &mut Section<'_>) -> Terms {
    let min = part.parsed("min_usd", Usd(5_000_000), cents);
    let max = part.parsed("max_usd", Usd(500_000_000), cents);
    if min > max {
        part.problem("min_usd", "must not be above max_usd");
    }
    let defaults = DAILY.map(|text| Usd::parse(text).unwrap_or_default());
    let daily = part.list("daily_usd", defaults.to_vec(), cents);
    let daily = <[Usd; 4]>::try_from(daily).unwrap_or_else(|_| {
        if !part.has_problem("daily_usd") {
            part.problem(
                "daily_usd",
                "must have four sums: for the tiers 0, 1, 2 and 3",
            );
        }
        defaults
    });
    let bonuses = part.rows("bonus", |row| {
        let from = row.required("from_usd", cents).unwrap_or_default();
        let percent = row.required("percent", exact::percent);
        BonusRule {
            from,
            parts_per_million: percent.map_or(0, millionths),
        }
    });
    Terms {
        min,
        max,
        daily,
        fee_parts_per_million: 0,
        fee_fixed: Usd::ZERO,
        bonuses,
    }
}

fn millionths(percent: Percent) -> i64 {
    i64::from(percent.hundredths) * 100
}

/// Whole cents: no processor takes less.
fn cents(value: &Value) -> Result<Usd, String> {
    let amount = exact::dollars(value)?;
    match amount.0 % 10_000 {
        0 => Ok(amount),
        _ => Err("must be whole cents in quotes, like \"12.50\"".to_owned()),
    }
}

fn with_fee(part: &mut Section<'_>, general: &Terms) -> Terms {
    let none = Percent { hundredths: 0 };
    Terms {
        fee_parts_per_million: millionths(part.parsed("fee_percent", none, exact::percent)),
        fee_fixed: part.parsed("fee_usd", Usd::ZERO, cents),
        ..general.clone()
    }
}

fn key(part: &mut Section<'_>) -> Option<Secret> {
    part.optional_secret(&Shape {
        key: "key",
        default_file: None,
        least_bytes: 1,
    })
}

fn secrets(part: &mut Section<'_>, keys: [&'static str; 2]) -> Vec<Secret> {
    let read = keys.map(|key| {
        part.filled_secret(&Shape {
            key,
            default_file: None,
            least_bytes: 1,
        })
    });
    read.into_iter().flatten().collect()
}

fn url(part: &mut Section<'_>, name: &'static str, default: Option<&str>) -> Option<String> {
    let allow_plain_http = part.flag("allow_plain_http", false);
    let shown = default.map(str::to_owned);
    let given = part.optional(
        name,
        |value| base_url::upstream(value, allow_plain_http),
        shown.as_ref(),
    );
    given.or(shown)
}

/// A section in which something is set has to have its key.
fn switched_on(part: &Section<'_>, key: &Option<Secret>, others: &[bool]) -> bool {
    if key.is_none() && others.contains(&true) && !part.has_problem("key") {
        part.problem("key", "is missing: without it this way to pay is off");
    }
    key.is_some()
}

fn stripe(part: &mut Section<'_>, general: &Terms) -> Option<PaymentWay> {
    let url = url(part, "api", Some(STRIPE)).unwrap_or_default();
    let key = key(part);
    let webhook_secrets = secrets(part, ["webhook_secret", "webhook_secret_before"]);
    let given = key.as_ref().map_or("", Secret::expose);
    let is_test = ["sk_test_", "rk_test_"]
        .iter()
        .any(|mode| given.starts_with(mode));
    let is_live = ["sk_live_", "rk_live_"]
        .iter()
        .any(|mode| given.starts_with(mode));
    let live = part.flag("live", !is_test);
    if (live && is_test) || (!live && is_live) {
        part.problem("live", "contradicts the key, which is of the other mode");
    }
    let terms = with_fee(part, general);
    let on = switched_on(part, &key, &[!webhook_secrets.is_empty()]);
    on.then(|| PaymentWay {
        processor: Processor::Stripe,
        url,
        key: key.unwrap_or_else(|| Secret::new("")),
        webhook_secrets,
        live,
        store: String::new(),
        instructions: String::new(),
        terms,
    })
}

fn btcpay(part: &mut Section<'_>, general: &Terms) -> Option<PaymentWay> {
    let url = url(part, "url", None);
    let store = part.optional("store", word, None);
    let key = key(part);
    let webhook_secrets = secrets(part, ["webhook_secret", "webhook_secret_before"]);
    let live = part.flag("live", true);
    let terms = with_fee(part, general);
    let others = [url.is_some(), store.is_some(), !webhook_secrets.is_empty()];
    if !switched_on(part, &key, &others) {
        return None;
    }
    for (name, given) in [("url", url.is_some()), ("store", store.is_some())] {
        if !given && !part.has_problem(name) {
            part.problem(name, "is missing");
        }
    }
    Some(PaymentWay {
        processor: Processor::BtcPay,
        url: url.unwrap_or_default(),
        key: key?,
        webhook_secrets,
        live,
        store: store.unwrap_or_default(),
        instructions: String::new(),
        terms,
    })
}

fn nowpayments(part: &mut Section<'_>, general: &Terms) -> Option<PaymentWay> {
    let url = url(part, "api", Some(NOWPAYMENTS)).unwrap_or_default();
    let key = key(part);
    let webhook_secrets = secrets(part, ["ipn_secret", "ipn_secret_before"]);
    let live = part.flag("live", true);
    let terms = with_fee(part, general);
    let on = switched_on(part, &key, &[!webhook_secrets.is_empty()]);
    on.then(|| PaymentWay {
        processor: Processor::NowPayments,
        url,
        key: key.unwrap_or_else(|| Secret::new("")),
        webhook_secrets,
        live,
        store: String::new(),
        instructions: String::new(),
        terms,
    })
}

fn bank(part: &mut Section<'_>, general: &Terms) -> Option<PaymentWay> {
    let instructions = part.optional("instructions", instructions, None)?;
    Some(PaymentWay {
        processor: Processor::Manual,
        url: String::new(),
        key: Secret::new(""),
        webhook_secrets: Vec::new(),
        live: true,
        store: String::new(),
        instructions,
        terms: general.clone(),
    })
}

fn word(value: &Value) -> Result<String, String> {
    let given = text(value)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    if (1..=64).contains(&given.len()) && given.bytes().all(plain) {
        Ok(given.to_owned())
    } else {
        Err("must be the store's id: 1 to 64 letters and digits".to_owned())
    }
}

fn instructions(value: &Value) -> Result<String, String> {
    let given = text(value)?.trim();
    match given.len() {
        1..=INSTRUCTIONS_MAX => Ok(given.to_owned()),
        _ => Err(format!("must be text of 1 to {INSTRUCTIONS_MAX} bytes")),
    }
}

/// Webhooks are believed by whoever knows a secret: without one nobody is.
pub fn warnings(payments: &Payments) -> Vec<(String, &'static str)> {
    let ways = payments.ways.iter();
    let deaf =
        ways.filter(|way| way.processor != Processor::Manual && way.webhook_secrets.is_empty());
    deaf.map(|way| {
        let name = match way.processor {
            Processor::NowPayments => "ipn_secret",
            _ => "webhook_secret",
        };
        let key = format!("payments.{}.{name}", way.processor.slug());
        let why = "is not set: its webhook is not there, and payments are only found by asking";
        (key, why)
    })
    .collect()
}
