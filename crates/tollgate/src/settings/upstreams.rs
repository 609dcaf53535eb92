//! `[upstreams.NAME]`: one account at one provider, how to talk to it and what to expect of it.

use super::base_url;
use super::exact;
use super::handler_api::HandlerApi;
use super::own_numbers::OwnPool;
use super::panel::PanelProfile;
use super::secret::{Secret, Shape};
use super::section::Section;
use super::sync::Sync;
use domain::time::Millis;
use domain::usd::Usd;
use rust_decimal::Decimal;
use std::time::Duration;

/// Most that a later word on an SMM order returns without a person, where nothing is said.
const CORRECTION_MAX: Usd = Usd(10_000_000);

/// `[upstreams.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upstream {
    /// Never shown to customers.
    pub name: String,
    /// The language it speaks.
    pub protocol: Protocol,
    /// Full address of its API.
    pub url: String,
    /// Our key there.
    pub key: Secret,
    /// Way to it, where it is not the direct one; may carry credentials.
    pub proxy: Option<Secret>,
    /// How a `handler_api` upstream is spoken to.
    pub handler_api: HandlerApi,
    /// What a pool of own numbers sells.
    pub own: OwnPool,
    /// Dollars for one unit of the account's currency; above zero.
    pub usd_per_unit: Decimal,
    /// How an SMM panel is spoken to.
    pub panel: PanelProfile,
    /// A whole call, from connecting to the last byte.
    pub timeout: Duration,
    /// Connecting alone.
    pub connect_timeout: Duration,
    /// Reads (lists, statuses) sent to it in a minute at most.
    pub reads_per_minute: u32,
    /// Purchase calls under way there at the same time.
    pub max_concurrent_purchases: u32,
    /// Our balance there at which the operator is warned; zero for never.
    pub float_warn: Usd,
    /// Our balance there below which nothing more is bought; zero for never.
    pub float_stop: Usd,
    /// When to ask for news of an order, by its age.
    pub polling: Polling,
    /// What is done about purchases whose outcome is not known.
    pub doubt: Doubt,
    /// No cancel before this age of an activation.
    pub min_cancel_age: Millis,
    /// Lifetime of an activation where the upstream does not say.
    pub activation_ttl: Millis,
    /// How long a final SMM status must hold before money follows it.
    pub terminal_confirmation: Millis,
    /// Most that a later word on an SMM order returns without a person.
    pub correction_max: Usd,
    /// The smallest step that its balance shows.
    pub balance_step: Usd,
}

/// The language an upstream speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// Numbers: the `handler_api.php` family.
    HandlerApi,
    /// Numbers: SMSPool.
    SmsPool,
    /// Numbers: 5sim, version 1.
    FiveSim,
    /// Numbers: a pool of the operator's own.
    OwnNumbers,
    /// SMM orders: the `/api/v2` panel family.
    PanelV2,
}

impl Protocol {
    /// Every protocol with its word in the file.
    pub const WORDS: [(&str, Self); 5] = [
        ("handler_api", Self::HandlerApi),
        ("smspool", Self::SmsPool),
        ("fivesim", Self::FiveSim),
        ("own_numbers", Self::OwnNumbers),
        ("panel_v2", Self::PanelV2),
    ];

    /// The word in the file.
    pub fn word(self) -> &'static str {
        match self {
            Self::HandlerApi => "handler_api",
            Self::SmsPool => "smspool",
            Self::FiveSim => "fivesim",
            Self::OwnNumbers => "own_numbers",
            Self::PanelV2 => "panel_v2",
        }
    }
}

/// Pauses between two questions about one order: the n-th pause follows the n-th question, the
/// last one repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Polling {
    /// Never empty; never shrinking.
    pub pauses: Vec<Millis>,
}

/// What is done about purchases whose outcome is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// How long after our timeout the upstream may still process a purchase.
    pub late_window: Millis,
    /// How long after booking an order may still be missing from its list.
    pub list_lag: Millis,
    /// Added for clocks that differ.
    pub skew_margin: Millis,
    /// From sending a purchase until the customer is released for want of evidence.
    pub window: Millis,
    /// Open purchases in doubt at which no new one is sent there.
    pub cap: u32,
    /// Whether it lists our own orders (most sellers of numbers, few SMM panels).
    pub lists_orders: bool,
    /// Whether each error it answers with means that nothing was bought.
    pub error_means_refused: bool,
    /// For how long an SMM panel answers an equal order with the one it made; zero where it does not.
    pub duplicate_window: Millis,
}

impl Upstream {
    /// Calls that one purchase may take there: two where a repeat is recognised.
    pub fn calls(&self) -> i64 {
        let profiles = (&self.handler_api, &self.panel);
        calls(self.protocol, profiles, self.doubt.duplicate_window)
    }

    /// Reads the section; `sync` has the polling plan of upstreams that set none of their own.
    pub fn read(name: &str, part: &mut Section<'_>, sync: &Sync) -> Self {
        let protocol = protocol(part);
        let allow_plain_http = part.flag("allow_plain_http", false);
        let (url, key) = match protocol {
            // it is no account anywhere
            Protocol::OwnNumbers => (None, None),
            _ => account(part, allow_plain_http),
        };
        let handler_api = HandlerApi::read(part);
        let sheet = handler_api.dialect.profile().capabilities;
        let timeout_ms = part.number("timeout_ms", 30_000, 1000..=120_000);
        let connect_timeout_ms = part.number("connect_timeout_ms", 5000, 100..=60_000);
        if connect_timeout_ms > timeout_ms {
            part.problem("connect_timeout_ms", "must not be longer than timeout_ms");
        }
        let float_warn = part.parsed("float_warn_usd", Usd::ZERO, exact::dollars);
        let float_stop = part.parsed("float_stop_usd", Usd::ZERO, exact::dollars);
        if float_warn != Usd::ZERO && float_warn < float_stop {
            part.problem("float_warn_usd", "must not be below float_stop_usd");
        }
        let usd_per_unit = part.parsed("usd_per_unit", Decimal::ONE, exact::positive);
        let panel = PanelProfile::read(part, usd_per_unit);
        Self {
            name: name.to_owned(),
            protocol,
            url: url.unwrap_or_default(),
            key: key.unwrap_or_else(|| Secret::new("")),
            proxy: part
                .optional("proxy", base_url::proxy, None)
                .filter(|proxy| !proxy.expose().is_empty()),
            handler_api,
            own: OwnPool::read(part),
            usd_per_unit,
            timeout: Duration::from_millis(timeout_ms.into()),
            connect_timeout: Duration::from_millis(connect_timeout_ms.into()),
            reads_per_minute: part.number("reads_per_minute", 600, 1..=1_000_000),
            max_concurrent_purchases: part.number("max_concurrent_purchases", 500, 1..=100_000),
            float_warn,
            float_stop,
            polling: polling(part, protocol, sync),
            doubt: Doubt::read(part, protocol, timeout_ms, (&handler_api, &panel)),
            panel,
            min_cancel_age: seconds(part.number(
                "min_cancel_age_s",
                whole_seconds(sheet.min_cancel_age),
                0..=86_400,
            )),
            activation_ttl: seconds(part.number(
                "activation_ttl_s",
                whole_seconds(sheet.activation_ttl),
                60..=86_400,
            )),
            terminal_confirmation: seconds(part.number("terminal_confirmation_s", 60, 1..=86_400)),
            correction_max: part.parsed("correction_max_usd", CORRECTION_MAX, exact::dollars),
            balance_step: balance_step(part.number("balance_decimals", 4, 0..=6)),
        }
    }
}

/// Calls that one purchase may take at an upstream of this protocol.
fn calls(
    protocol: Protocol,
    (handler_api, panel): (&HandlerApi, &PanelProfile),
    duplicate_window: Millis,
) -> i64 {
    let repeated = match protocol {
        Protocol::HandlerApi => handler_api.idempotent_purchase,
        Protocol::PanelV2 => panel.request_ids || duplicate_window > Millis(0),
        Protocol::SmsPool | Protocol::FiveSim | Protocol::OwnNumbers => false,
    };
    1 + i64::from(repeated)
}

/// Where the account is and how it is opened.
fn account(part: &mut Section<'_>, allow_plain_http: bool) -> (Option<String>, Option<Secret>) {
    let url = part.required("url", |value| base_url::upstream(value, allow_plain_http));
    let key = part.secret(&Shape {
        key: "key",
        default_file: None,
        least_bytes: 1,
    });
    (url, key)
}

/// The protocol has no default: a wrong guess would send a key to the wrong kind of program.
fn protocol(part: &mut Section<'_>) -> Protocol {
    let words = Protocol::WORDS.iter().map(|(word, _)| *word);
    let word = part.required("protocol", |value| super::section::one_of(value, words));
    let found = Protocol::WORDS
        .iter()
        .find(|(known, _)| Some(*known) == word);
    found.map_or(Protocol::HandlerApi, |(_, protocol)| *protocol)
}

/// What the last decimal of a balance is worth.
fn balance_step(decimals: u32) -> Usd {
    Usd(10_i64.pow(6 - decimals.min(6)))
}

fn polling(part: &mut Section<'_>, protocol: Protocol, sync: &Sync) -> Polling {
    let pauses = match protocol {
        Protocol::HandlerApi | Protocol::SmsPool | Protocol::FiveSim | Protocol::OwnNumbers => {
            vec![sync.activation_poll]
        }
        Protocol::PanelV2 => sync.smm_poll.clone(),
    };
    let own = part.optional_number("poll_interval_ms", 250..=3_600_000);
    Polling {
        pauses: own.map_or(pauses, |pause| vec![Millis(pause.into())]),
    }
}

impl Doubt {
    fn read(
        part: &mut Section<'_>,
        protocol: Protocol,
        timeout_ms: u32,
        profiles: (&HandlerApi, &PanelProfile),
    ) -> Self {
        let lists_orders = match protocol {
            Protocol::HandlerApi => profiles.0.dialect.profile().capabilities.list_active,
            Protocol::SmsPool | Protocol::FiveSim | Protocol::OwnNumbers => true,
            Protocol::PanelV2 => false,
        };
        let late_window = seconds(part.number("late_window_s", 180, 0..=3600));
        let list_lag = seconds(part.number("list_lag_s", 60, 0..=3600));
        let skew_margin = seconds(part.number("skew_margin_s", 30, 0..=600));
        let smm_window = seconds(part.number("smm_in_doubt_s", 900, 1..=86_400));
        let duplicate_window = duplicate_window(part, (timeout_ms, late_window));
        let calls = calls(protocol, profiles, duplicate_window);
        let (window, key) = match protocol {
            Protocol::HandlerApi | Protocol::SmsPool | Protocol::FiveSim | Protocol::OwnNumbers => {
                // the second call of one purchase leaves a timeout later
                let repeat_ms = (calls - 1) * i64::from(timeout_ms);
                let window = late_window.0 + list_lag.0 + skew_margin.0 + repeat_ms;
                (Millis(window), "late_window_s")
            }
            Protocol::PanelV2 => (smm_window, "smm_in_doubt_s"),
        };
        if window <= Millis(calls * i64::from(timeout_ms)) {
            let why = "is too short: a customer would be released while the call may still run \
                       (timeout_ms)";
            part.problem(key, why);
        }
        Self {
            late_window,
            list_lag,
            skew_margin,
            window,
            cap: part.number("in_doubt_cap", 50, 1..=100_000),
            lists_orders: part.flag("lists_orders", lists_orders),
            error_means_refused: part.flag("error_means_refused", false),
            duplicate_window,
        }
    }
}

/// A window that ends before a repeat could be processed would never be used.
fn duplicate_window(part: &mut Section<'_>, (timeout_ms, late): (u32, Millis)) -> Millis {
    let window = seconds(part.number("duplicate_window_s", 0, 0..=3600));
    if window > Millis(0) && window < Millis(i64::from(timeout_ms) + late.0) {
        let why = "is too short: a repeat may be processed timeout_ms and late_window_s after it was \
                   sent, and must be within";
        part.problem("duplicate_window_s", why);
    }
    window
}

fn whole_seconds(span: Millis) -> u32 {
    u32::try_from(span.0 / 1000).unwrap_or(u32::MAX)
}

fn seconds(count: u32) -> Millis {
    Millis::seconds(count.into())
}
