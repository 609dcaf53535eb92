//! A carrier to practise with: the numbers of a pool that a gateway's operator owns, what is written
//! to them, and the signed webhook that brings it.

use crate::accounts::{AccountIndex, account_named};
use crate::activation::Activation;
use crate::catalogue::{COUNTRIES, CountryIndex, Misbehaviour, Shelf};
use crate::numbers::free_number;
use crate::post::post;
use domain::usd::Usd;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::io;
use std::sync::LazyLock;
use wire::inbound::Inbound;
use wire::twilio::{self, Algorithm, SIGNATURE_HEADER};

/// Where the practice carrier takes messages, below the sandbox's address.
pub const CARRIER_PATH: &str = "/carrier/messages";
/// What it signs its webhooks with. Practice messages carry practice codes only.
pub const CARRIER_TOKEN: &str = "sandbox-carrier-0123456789abcdef";

/// The carrier's name of its only customer.
const CUSTOMER: &str = "AC00000000000000000000000000000000";
/// Who writes to the pool's numbers.
const SENDER: &str = "74663";
/// Countries in which the pool has numbers, and how many in each.
const POOL_COUNTRIES: usize = 8;
const POOL_NUMBERS: u64 = 200;
/// From which the numbers and their codes follow.
const SEED: u64 = 0x70_6F_6F_6C;

/// What a number of the pool is rented for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolService {
    /// Code.
    pub code: String,
    /// Name.
    pub name: &'static str,
    /// What a rent costs the pool's owner.
    pub cost: Usd,
}

/// A number of the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolNumber {
    /// With the plus.
    pub phone: String,
    /// English name of its country.
    pub country: &'static str,
}

/// Somebody's message to a number of the pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Letter {
    /// The carrier's id of it: a message that comes twice counts once.
    pub id: String,
    /// Number, with the plus.
    pub to: String,
    /// Text.
    pub text: String,
    /// The webhook that is told.
    pub url: String,
}

impl Letter {
    /// Gives it to the practice carrier at this address (without a slash at the end), which tells
    /// the webhook before it answers. An error means that it was not taken there.
    pub async fn send(&self, sandbox: &str) -> io::Result<()> {
        let body = serde_json::to_string(self).map_err(io::Error::other)?;
        let headers = [("Content-Type", "application/json")];
        taken(post(&format!("{sandbox}{CARRIER_PATH}"), &headers, &body).await?)
    }

    /// Tells the webhook, as Twilio would.
    pub(crate) async fn deliver(self) -> io::Result<()> {
        let message = Inbound {
            message_id: self.id,
            event_id: None,
            from: SENDER.to_owned(),
            to: self.to,
            text: self.text,
            received_at: None,
        };
        let form = twilio::form(&message, CUSTOMER);
        let key = (CARRIER_TOKEN, Algorithm::Sha1);
        let signature = twilio::sign(key, &self.url, form.as_bytes());
        let headers = [
            ("Content-Type", "application/x-www-form-urlencoded"),
            (SIGNATURE_HEADER, signature.as_str()),
        ];
        taken(post(&self.url, &headers, &form).await?)
    }
}

fn taken(status: u16) -> io::Result<()> {
    match status {
        200 => Ok(()),
        _ => Err(io::Error::other(format!("answered {status}"))),
    }
}

/// What the pool is rented for.
pub fn pool_services() -> Vec<PoolService> {
    let shelf = &*POOL;
    let sold = shelf.services.iter().map(|one| PoolService {
        code: one.id.clone(),
        name: one.service.name(),
        cost: shelf.usual_cost(one.service),
    });
    sold.collect()
}

/// What goes wrong with a rent for the service with this code. What is not in the messages is for
/// whoever rents the numbers out to play.
pub fn pool_misbehaviour(code: &str) -> Option<Misbehaviour> {
    POOL.service(code)?.service.behaviour()
}

/// Every number of the pool.
pub fn pool_numbers() -> Vec<PoolNumber> {
    let rows = NUMBERS.iter().map(|&(country, number)| PoolNumber {
        phone: format!("+{number}"),
        country: COUNTRIES[country].name,
    });
    rows.collect()
}

/// What is written to a number that is rented for a service, and how many milliseconds after the
/// rent began. `rent` tells rents apart: it decides the codes.
pub fn letters(rent: i64, service: &str) -> Vec<(i64, String)> {
    let Some(listed) = POOL.service(service) else {
        return Vec::new();
    };
    let rented = Activation {
        id: rent.unsigned_abs(),
        account: pool(),
        country_id: 0,
        service: listed.service,
        pool: None,
        phone: 0,
        cost: Usd::ZERO,
        sold_at: 0,
        retries: None,
        ended: None,
    };
    let times = (0..).map_while(|position| rented.message_time(position));
    let letters = times.enumerate();
    letters
        .map(|(position, age_ms)| (age_ms, rented.text(SEED, position)))
        .collect()
}

/// Whether a number belongs to the pool: it is sold by nobody else.
pub(crate) fn is_of_pool(number: u64) -> bool {
    static KNOWN: LazyLock<HashSet<u64>> =
        LazyLock::new(|| NUMBERS.iter().map(|(_, number)| *number).collect());
    KNOWN.contains(&number)
}

static NUMBERS: LazyLock<Vec<(CountryIndex, u64)>> = LazyLock::new(|| {
    let mut countries: Vec<CountryIndex> = POOL.countries.iter().map(|one| one.country).collect();
    // the two that every server sells come first in the table
    countries.sort_unstable();
    countries.truncate(POOL_COUNTRIES);
    let mut numbers = Vec::new();
    let mut known = HashSet::new();
    for country in countries {
        for at in 0..POOL_NUMBERS {
            let parts = [SEED, country as u64 * POOL_NUMBERS + at];
            let free = free_number(&COUNTRIES[country], parts, |number| known.contains(&number));
            known.extend(free);
            numbers.extend(free.map(|number| (country, number)));
        }
    }
    numbers
});

/// The goods of the account whose codes and countries the pool has.
static POOL: LazyLock<Shelf> = LazyLock::new(|| Shelf::of(pool()));

fn pool() -> AccountIndex {
    account_named("luke").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::own_number::NewNumber;

    #[test]
    fn the_pool_has_numbers_of_its_countries_unlike_any_other() {
        let numbers = pool_numbers();
        let distinct: HashSet<_> = numbers.iter().map(|one| one.phone.clone()).collect();
        assert_eq!(distinct.len(), numbers.len());
        for country in ["Pakistan", "United States"] {
            let of = numbers.iter().filter(|one| one.country == country);
            assert_eq!(of.count(), 200, "{country}");
        }
        for one in &numbers {
            assert!(
                NewNumber::read("luke", &one.phone, one.country).is_ok(),
                "{one:?}"
            );
            assert!(is_of_pool(one.phone[1..].parse().unwrap()));
        }
    }

    #[test]
    fn a_rent_gets_the_messages_of_its_service() {
        let normal = letters(17, "tg");
        assert_eq!(normal.len(), 1);
        assert_eq!(normal[0].0, 4_000);
        assert!(normal[0].1.starts_with("Your Telegram code is "));
        assert_eq!(letters(17, "tg"), normal);
        assert_ne!(letters(18, "tg"), normal);
        let ages = |code| {
            letters(17, code)
                .iter()
                .map(|one| one.0)
                .collect::<Vec<_>>()
        };
        assert_eq!(ages("sbsecond"), [4_000, 12_000]);
        assert_eq!(ages("sbnever"), [0; 0]);
        assert_eq!(ages("sbcancelled"), [0; 0]);
        assert_eq!(letters(17, "nothing of ours"), []);
    }

    #[test]
    fn the_pool_is_rented_for_every_service_those_that_misbehave_included() {
        let services = pool_services();
        let odd = services
            .iter()
            .filter(|one| one.name.starts_with("Sandbox:"));
        let played: Vec<_> = odd.map(|one| pool_misbehaviour(&one.code)).collect();
        let all = crate::misbehaving_services().iter();
        let all: Vec<_> = all.map(|one| Some(one.behaviour)).collect();
        assert_eq!(played, all);
        assert_eq!(pool_misbehaviour("tg"), None);
        assert!(services.iter().all(|one| one.cost > Usd::ZERO));
        assert!(services.len() > 80);
    }
}
