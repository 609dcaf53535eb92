//! `[payments]`: who takes customers' money, and on what terms.

use super::base_url;
use super::exact::{self, Percent};
use super::secret::{Secret, Shape};
use super::section::{Section, text};
use app::OnFraudWarning;
use domain::time::Millis;
use domain::top_up::{BonusRule, OddAmounts, Processor, Terms};
use domain::usd::Usd;
use toml::Value;

/// Where Stripe and NOWPayments answer.
const STRIPE: &str = "https://api.stripe.com/";
const NOWPAYMENTS: &str = "https://api.nowpayments.io/v1";

/// Greatest sum of a day by tier, where nothing else is said; a contract says what tier 3 may.
const DAILY: [Option<Usd>; 4] = [
    Some(Usd(20_000_000)),
    Some(Usd(200_000_000)),
    Some(Usd(5_000_000_000)),
    None,
];
/// For how many hours money from cards cannot be spent, by tier: payers can take it back.
const CARD_HOLD_HOURS: [i64; 4] = [24, 12, 2, 0];
/// From here on a bank transfer or a refund needs two people.
const SECOND_PERSON_FROM: Usd = Usd(1_000_000_000);
/// Longest such hold.
const HOLD_HOURS_MAX: i64 = 30 * 24;

/// Longest instructions, in bytes.
const INSTRUCTIONS_MAX: usize = 2000;

/// `[payments]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payments {
    /// How long an offer to pay is good for.
    pub lifetime: Millis,
    /// What a bank's early warning does.
    pub on_fraud_warning: OnFraudWarning,
    /// From this amount on two people have to approve a bank transfer or a refund.
    pub second_person_from: Option<Usd>,
    /// Who sells, in lines as they stand on receipts.
    pub seller: String,
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
        let words = [
            ("freeze", OnFraudWarning::Freeze),
            ("flag", OnFraudWarning::Flag),
            ("refund", OnFraudWarning::Refund),
        ];
        let usual = OnFraudWarning::default();
        let on_fraud_warning = part.choice("on_fraud_warning", usual, &words);
        let usual = Bound(Some(SECOND_PERSON_FROM));
        let Bound(second_person_from) = part.parsed("second_person_from_usd", usual, bound);
        let seller = part.optional("seller", instructions, None);
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
            on_fraud_warning,
            second_person_from,
            seller: seller.unwrap_or_default(),
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
    let daily = by_tier(part, "daily_usd", DAILY.map(Bound), bound);
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
        daily: daily.map(|Bound(sum)| sum),
        hold: [Millis(0); 4],
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

/// One value for each tier.
fn by_tier<T: Clone + std::fmt::Display>(
    part: &mut Section<'_>,
    key: &'static str,
    defaults: [T; 4],
    read: impl Fn(&Value) -> Result<T, String>,
) -> [T; 4] {
    let given = part.list(key, defaults.to_vec(), read);
    <[T; 4]>::try_from(given).unwrap_or_else(|_| {
        if !part.has_problem(key) {
            let why = "must have four values: for the tiers 0, 1, 2 and 3";
            part.problem(key, why);
        }
        defaults
    })
}

/// A sum, or that there is no bound.
#[derive(Clone, Copy)]
struct Bound(Option<Usd>);

impl std::fmt::Display for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(sum) => sum.fmt(f),
            None => f.write_str("none"),
        }
    }
}

fn bound(value: &Value) -> Result<Bound, String> {
    match value.as_str() {
        Some("none") => Ok(Bound(None)),
        _ => cents(value).map(Some).map(Bound),
    }
}

fn hours(value: &Value) -> Result<i64, String> {
    let given = value.as_integer();
    let given = given.filter(|hours| (0..=HOLD_HOURS_MAX).contains(hours));
    given.ok_or_else(|| format!("must be whole hours from 0 to {HOLD_HOURS_MAX}"))
}

/// The terms of one way to pay: how long its money is held, and what is asked beside the amount.
fn with_fee(part: &mut Section<'_>, general: &Terms, hold_hours: [i64; 4]) -> Terms {
    let none = Percent { hundredths: 0 };
    let hold = by_tier(part, "hold_hours", hold_hours, hours);
    Terms {
        hold: hold.map(|hours| Millis::minutes(hours * 60)),
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
    let terms = with_fee(part, general, CARD_HOLD_HOURS);
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
    let terms = with_fee(part, general, [0; 4]);
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
    let terms = with_fee(part, general, [0; 4]);
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

/// Ways in test mode, whose money is none; and webhooks, which are believed by whoever knows a secret:
/// without one nobody is.
pub fn warnings(payments: &Payments) -> Vec<(String, &'static str)> {
    let play = payments.ways.iter().filter(|way| !way.live);
    let play = play.map(|way| {
        let key = format!("payments.{}.live", way.processor.slug());
        (key, "is false: play money is credited as balance")
    });
    let deaf = payments.ways.iter();
    let deaf =
        deaf.filter(|way| way.processor != Processor::Manual && way.webhook_secrets.is_empty());
    let deaf = deaf.map(|way| {
        let name = match way.processor {
            Processor::NowPayments => "ipn_secret",
            _ => "webhook_secret",
        };
        let key = format!("payments.{}.{name}", way.processor.slug());
        let why = "is not set: its webhook is not there, and payments are only found by asking";
        (key, why)
    });
    play.chain(deaf).collect()
}
