//! `[limits]` and `[purchase]`: how much a caller may ask, and how long a purchase may take.

use super::Secret;
use super::markup::account;
use super::secret::Shape;
use super::section::Section;
use crate::shared_windows;
use domain::ids::AccountId;
use domain::time::Millis;
use std::collections::HashSet;

/// Greatest number of requests per minute that can be set.
const GREATEST_RATE: u32 = 1_000_000;

/// `[limits]`: requests per minute before 429.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Per key and action, where the key has no rate of its own.
    pub requests_per_minute: u32,
    /// Per action for all keys of an account together, and for each that has no rate of its own: an account each.
    pub accounts: Vec<(AccountId, u32)>,
    /// Requests with a missing or wrong key, per client address.
    pub failed_auth_per_minute: u32,
    /// Questions for orders that do not exist, per account.
    pub misses_per_minute: u32,
    /// Redis or Valkey, where all nodes count together.
    pub redis: Option<Secret>,
}

impl Limits {
    /// Reads the section.
    pub fn read(part: &mut Section<'_>) -> Self {
        Self {
            requests_per_minute: part.number("requests_per_minute", 60, 1..=GREATEST_RATE),
            accounts: accounts(part),
            failed_auth_per_minute: part.number("failed_auth_per_minute", 60, 1..=GREATEST_RATE),
            misses_per_minute: part.number("misses_per_minute", 120, 1..=GREATEST_RATE),
            redis: redis(part),
        }
    }
}

/// `[[limits.accounts]]`: each names another account.
fn accounts(part: &mut Section<'_>) -> Vec<(AccountId, u32)> {
    let row = |row: &mut Section<'_>| {
        let account = row.required("account", account);
        let rate = row.optional_number("requests_per_minute", 1..=GREATEST_RATE);
        if rate.is_none() && !row.has_problem("requests_per_minute") {
            row.problem("requests_per_minute", "is missing");
        }
        account.zip(rate)
    };
    let rows = part.rows("accounts", row);
    let mut seen = HashSet::new();
    for (at, (account, _)) in rows.iter().flatten().enumerate() {
        if !seen.insert(account) {
            part.problem(
                &format!("accounts[{at}]"),
                "names an account that one before it names",
            );
        }
    }
    rows.into_iter().flatten().collect()
}

/// The address may carry a password: given like any other secret, never repeated.
fn redis(part: &mut Section<'_>) -> Option<Secret> {
    let shape = Shape {
        key: "redis",
        default_file: None,
        least_bytes: 1,
    };
    let found = part.optional_secret(&shape)?;
    if !shared_windows::is_address(found.expose()) {
        part.problem("redis", shared_windows::NO_ADDRESS.to_owned());
    }
    Some(found)
}

/// `[purchase]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Purchase {
    /// How long a caller waits for a purchase before it is told that the outcome is pending.
    pub sync_budget: Millis,
    /// How long a price that was shown is still sold at after a change.
    pub price_grace: Millis,
}

impl Purchase {
    /// Reads the section.
    pub fn read(part: &mut Section<'_>) -> Self {
        let sync_budget = part.number("sync_budget_ms", 25_000, 1000..=60_000);
        let price_grace = part.number("price_grace_s", 60, 0..=3600);
        Self {
            sync_budget: Millis(sync_budget.into()),
            price_grace: Millis::seconds(price_grace.into()),
        }
    }
}
