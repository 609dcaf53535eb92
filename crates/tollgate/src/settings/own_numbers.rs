//! What `[upstreams.NAME]` says of a pool of the operator's own numbers.

use super::exact;
use super::section::{Section, text};
use domain::countries;
use domain::time::Millis;
use domain::usd::Usd;
use toml::Value;
use upstream::CostRule;

/// What a number costs where nothing is said.
const USUAL_COST: Usd = Usd(100_000);

/// What is sold of a pool, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnPool {
    /// Service code and name.
    pub services: Vec<(String, String)>,
    /// Cost of a rent where no rule fits.
    pub cost: Usd,
    /// Exceptions.
    pub costs: Vec<CostRule>,
    /// How long a number rests after a rent.
    pub cooling_off: Millis,
    /// Whether a number that had a message for a service may be rented for it again.
    pub sell_again: bool,
}

impl OwnPool {
    /// Reads its part of the section.
    pub fn read(part: &mut Section<'_>) -> Self {
        let name = |value: &Value| match text(value)?.trim() {
            "" => Err("must not be empty".to_owned()),
            name => Ok(name.to_owned()),
        };
        let services = part.words("own_services", name);
        for (code, _) in services.iter().filter(|(code, _)| !is_code(code)) {
            let why = format!("\"{code}\" is no code: 1 to 32 of a-z, A-Z, 0-9, - and _");
            part.problem("own_services", why);
        }
        let cost = part.parsed("own_cost_usd", USUAL_COST, cost);
        let given = part.words("own_costs_usd", self::cost);
        let mut costs = Vec::new();
        for (place, cost) in given {
            match rule(&place, cost, &services) {
                Ok(rule) => costs.push(rule),
                Err(why) => part.problem("own_costs_usd", why),
            }
        }
        Self {
            services,
            cost,
            costs,
            cooling_off: Millis::seconds(part.number("cooling_off_s", 900, 60..=2_592_000).into()),
            sell_again: part.flag("sell_again", false),
        }
    }
}

fn is_code(code: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=32).contains(&code.len()) && code.bytes().all(plain)
}

fn cost(value: &Value) -> Result<Usd, String> {
    match exact::dollars(value)? {
        Usd::ZERO => Err("must be above zero".to_owned()),
        cost => Ok(cost),
    }
}

/// `COUNTRY`, `COUNTRY/SERVICE` or `*/SERVICE`.
fn rule(place: &str, cost: Usd, services: &[(String, String)]) -> Result<CostRule, String> {
    let (country, service) = match place.split_once('/') {
        Some((country, service)) => (country, Some(service)),
        None => (place, None),
    };
    let country = match country {
        "*" if service.is_some() => None,
        name => {
            let found = countries::find(name).map(|country| country.iso2.to_owned());
            Some(found.ok_or_else(|| format!("\"{place}\": \"{name}\" is no country"))?)
        }
    };
    let sold = |code: &str| services.iter().any(|(known, _)| known == code);
    if let Some(service) = service.filter(|code| !sold(code)) {
        return Err(format!("\"{place}\": \"{service}\" is not in own_services"));
    }
    Ok(CostRule {
        country,
        service: service.map(str::to_owned),
        cost,
    })
}
