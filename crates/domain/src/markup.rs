//! The rule that turns cost into price: percent plus a fixed part; the most specific rule wins.

use crate::usd::{Rate, Usd};

/// What is added to a cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Markup {
    /// Percent in millionths: 20 % is 200,000. Never negative: a price is never below its cost.
    pub parts_per_million: i64,
    /// Added after the percent, per purchase (per 1000 units for SMM).
    pub fixed: Usd,
}

/// A markup for part of the catalogue. Members left out match everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// Public server (or `smm`).
    pub server: Option<String>,
    /// Service id or canonical service name, lower case.
    pub service: Option<String>,
    /// Canonical country key.
    pub country: Option<String>,
    /// What it adds.
    pub markup: Markup,
}

/// The rules in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Markups {
    /// Where no rule matches.
    pub general: Markup,
    /// Special rules.
    pub rules: Vec<Rule>,
}

impl Rule {
    fn matches(&self, server: &str, service: [&str; 2], country: &str) -> bool {
        self.server.as_deref().is_none_or(|wanted| wanted == server)
            && self
                .country
                .as_deref()
                .is_none_or(|wanted| wanted == country)
            && self.service.as_deref().is_none_or(|wanted| {
                service
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(wanted))
            })
    }

    /// A service counts more than a country, a country more than a server.
    fn weight(&self) -> u8 {
        4 * u8::from(self.service.is_some())
            + 2 * u8::from(self.country.is_some())
            + u8::from(self.server.is_some())
    }
}

impl Markups {
    /// The markup for an offer; of equally specific rules the last one wins.
    pub fn for_offer(&self, server: &str, service: [&str; 2], country: &str) -> Markup {
        let matching = self
            .rules
            .iter()
            .filter(|rule| rule.matches(server, service, country));
        matching
            .max_by_key(|rule| rule.weight())
            .map_or(self.general, |rule| rule.markup)
    }
}

impl Markup {
    /// Price of one purchase that costs `cost`, rounded up to the micro-dollar.
    pub fn price(self, cost: Usd) -> Option<Usd> {
        self.add(cost.0, self.fixed.0).map(Usd)
    }

    /// Customer rate per 1000 units, rounded up to the micro-dollar.
    pub fn rate(self, cost: Rate) -> Option<Usd> {
        let fixed = self.fixed.0.checked_mul(1000)?;
        self.add(cost.0, fixed).map(|nanos| Rate(nanos).ceil())
    }

    fn add(self, cost: i64, fixed: i64) -> Option<i64> {
        let scaled = i128::from(cost) * i128::from(1_000_000 + self.parts_per_million);
        let rounded_up = (scaled + 999_999) / 1_000_000;
        i64::try_from(rounded_up + i128::from(fixed))
            .ok()
            .filter(|price| *price >= cost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWENTY: Markup = Markup {
        parts_per_million: 200_000,
        fixed: Usd::ZERO,
    };

    #[test]
    fn the_references_prices_come_out_of_twenty_percent() {
        assert_eq!(TWENTY.price(Usd(33_333)), Some(Usd(40_000)));
        assert_eq!(TWENTY.price(Usd(150_000)), Some(Usd(180_000)));
        assert_eq!(TWENTY.rate(Rate(900_000_000)), Some(Usd(1_080_000)));
    }

    #[test]
    fn the_most_specific_rule_wins_and_the_last_of_equals() {
        let rule = |server: &str, service: Option<&str>, percent: i64| Rule {
            server: Some(server.into()),
            service: service.map(Into::into),
            country: None,
            markup: Markup {
                parts_per_million: percent * 10_000,
                fixed: Usd::ZERO,
            },
        };
        let markups = Markups {
            general: TWENTY,
            rules: vec![
                rule("peter", None, 30),
                rule("peter", None, 35),
                rule("peter", Some("tg"), 5),
            ],
        };
        let percent = |server, service| {
            markups
                .for_offer(server, [service, "Telegram"], "pakistan")
                .parts_per_million
                / 10_000
        };
        assert_eq!(percent("paul", "wa"), 20);
        assert_eq!(percent("peter", "wa"), 35);
        assert_eq!(percent("peter", "tg"), 5);
    }
}
