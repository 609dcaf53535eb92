//! The rule that turns cost into price: percent plus a fixed part; the most specific rule wins.

use crate::access::Account;
use crate::ids::AccountId;
use crate::usd::{Rate, Usd};

/// What is added to a cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Markup {
    /// Percent in millionths: 20 % is 200,000. Below zero only where `below_cost` says so, and
    /// never under -1,000,000.
    pub parts_per_million: i64,
    /// Added after the percent, per purchase (per 1000 units for SMM).
    pub fixed: Usd,
    /// Least difference between price and cost, per purchase (per 1000 units for SMM).
    pub min_margin: Usd,
    /// Prices are rounded up to a multiple of this; zero means to the micro-dollar.
    pub round_to: Usd,
    /// Whether a price may be below its cost.
    pub below_cost: bool,
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
    /// Tier of the account, 0 to 3. SMM services have one price for all accounts.
    pub tier: Option<u8>,
    /// The account.
    pub account: Option<AccountId>,
    /// What it adds.
    pub markup: Markup,
}

/// Whose prices are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Payer {
    /// Tier, 0 to 3.
    pub tier: u8,
    /// The account; nothing for one that has no rule of its own.
    pub account: Option<AccountId>,
}

impl Payer {
    /// Whoever has a tier and no rule of their own.
    pub fn of_tier(tier: u8) -> Self {
        Self {
            tier,
            account: None,
        }
    }
}

/// The rules in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Markups {
    /// Where no rule matches.
    pub general: Markup,
    /// Special rules.
    pub rules: Vec<Rule>,
}

/// The rules that can hold on one route for one payer: what is left to look at is the service.
#[derive(Clone, Debug)]
pub struct Pricing<'a> {
    /// Markup of the most specific rule for every service, and its weight.
    every: (u8, Markup),
    /// Rules for single services, the least specific first; later ones win.
    single: Vec<(&'a str, &'a Rule)>,
}

impl Rule {
    fn covers(&self, server: &str, country: &str, payer: Option<Payer>) -> bool {
        let tier = payer.map(|payer| payer.tier);
        let account = payer.and_then(|payer| payer.account);
        self.server.as_deref().is_none_or(|wanted| wanted == server)
            && self
                .country
                .as_deref()
                .is_none_or(|wanted| wanted == country)
            && (self.tier.is_none() || self.tier == tier)
            && (self.account.is_none() || self.account == account)
    }

    /// An account counts more than a service, a service more than a country, a country more than a
    /// server, a server more than a tier.
    fn weight(&self) -> u8 {
        16 * u8::from(self.account.is_some())
            + 8 * u8::from(self.service.is_some())
            + 4 * u8::from(self.country.is_some())
            + 2 * u8::from(self.server.is_some())
            + u8::from(self.tier.is_some())
    }
}

impl Markups {
    /// Whose prices an account has: its own where a rule names it, else those of its tier.
    pub fn payer(&self, account: &Account) -> Payer {
        let own = self.of_account(account.id).next();
        Payer {
            tier: account.tier,
            account: own.map(|_| account.id),
        }
    }

    /// The rules that name an account.
    pub fn of_account(&self, account: AccountId) -> impl Iterator<Item = &Rule> {
        let names = move |rule: &&Rule| rule.account == Some(account);
        self.rules.iter().filter(names)
    }

    /// The rules that hold on a route. SMM services have no payer: one price is everybody's.
    pub fn pricing(&self, server: &str, country: &str, payer: Option<Payer>) -> Pricing<'_> {
        let mut pricing = Pricing {
            every: (0, self.general),
            single: Vec::new(),
        };
        for rule in self
            .rules
            .iter()
            .filter(|rule| rule.covers(server, country, payer))
        {
            match &rule.service {
                Some(service) => pricing.single.push((service, rule)),
                None if rule.weight() >= pricing.every.0 => {
                    pricing.every = (rule.weight(), rule.markup);
                }
                None => {}
            }
        }
        pricing.single.sort_by_key(|(_, rule)| rule.weight());
        pricing
    }

    /// The markup for an offer; of equally specific rules the last one wins.
    pub fn for_offer(
        &self,
        server: &str,
        service: [&str; 2],
        country: &str,
        payer: Option<Payer>,
    ) -> Markup {
        self.pricing(server, country, payer).markup(service)
    }
}

impl Pricing<'_> {
    /// The markup for a service, given by its id and name.
    pub fn markup(&self, service: [&str; 2]) -> Markup {
        let named = self.single.iter().rev().find(|(wanted, _)| {
            let mut known = service.iter();
            known.any(|known| known.eq_ignore_ascii_case(wanted))
        });
        let (weight, of_every) = self.every;
        // a rule of the account for everything counts more than one for a service
        let named = named.filter(|(_, rule)| rule.weight() >= weight);
        named.map_or(of_every, |(_, rule)| rule.markup)
    }
}

impl Markup {
    /// Price of one purchase that costs `cost`, rounded up; nothing where it would be below cost
    /// and may not be.
    pub fn price(self, cost: Usd) -> Option<Usd> {
        let price = self.add(cost.0, (self.fixed.0, self.min_margin.0))?;
        self.round(price)
    }

    /// Customer rate per 1000 units, rounded up.
    pub fn rate(self, cost: Rate) -> Option<Usd> {
        let fixed = self.fixed.0.checked_mul(1000)?;
        let least = self.min_margin.0.checked_mul(1000)?;
        let nanos = self.add(cost.0, (fixed, least))?;
        self.round(Rate(nanos).ceil().0)
    }

    /// Whether a rate per 1000 units leaves the least margin over its cost.
    pub fn covers(self, cost: Rate, rate: Usd) -> bool {
        let least = i128::from(cost.0) + i128::from(self.min_margin.0) * 1000;
        self.below_cost || i128::from(rate.0) * 1000 >= least
    }

    fn add(self, cost: i64, (fixed, least): (i64, i64)) -> Option<i64> {
        let scaled = i128::from(cost) * i128::from(1_000_000 + self.parts_per_million);
        let rounded_up = (scaled + 999_999) / 1_000_000;
        let with_fixed = rounded_up + i128::from(fixed);
        let price = if self.below_cost {
            with_fixed
        } else {
            with_fixed.max(i128::from(cost) + i128::from(least))
        };
        i64::try_from(price).ok().filter(|price| *price >= 0)
    }

    fn round(self, micros: i64) -> Option<Usd> {
        let step = self.round_to.0.max(1);
        let over = micros % step;
        if over == 0 {
            return Some(Usd(micros));
        }
        micros.checked_add(step - over).map(Usd)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn payer(tier: u8) -> Option<Payer> {
        Some(Payer::of_tier(tier))
    }

    const TWENTY: Markup = Markup {
        parts_per_million: 200_000,
        fixed: Usd::ZERO,
        min_margin: Usd::ZERO,
        round_to: Usd::ZERO,
        below_cost: false,
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
            markup: Markup {
                parts_per_million: percent * 10_000,
                ..Markup::default()
            },
            ..Rule::default()
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
                .for_offer(server, [service, "Telegram"], "pakistan", payer(3))
                .parts_per_million
                / 10_000
        };
        assert_eq!(percent("paul", "wa"), 20);
        assert_eq!(percent("peter", "wa"), 35);
        assert_eq!(percent("peter", "tg"), 5);
    }

    #[test]
    fn margins_hold_and_prices_are_rounded_up_to_a_step() {
        let markup = Markup {
            min_margin: Usd(20_000),
            round_to: Usd(10_000),
            ..TWENTY
        };
        // 0.04 × 1.2 = 0.048, but at least 0.06; 0.15 × 1.2 = 0.18 as it is; 0.151 goes up
        assert_eq!(markup.price(Usd(40_000)), Some(Usd(60_000)));
        assert_eq!(markup.price(Usd(150_000)), Some(Usd(180_000)));
        assert_eq!(markup.price(Usd(151_000)), Some(Usd(190_000)));
        assert_eq!(markup.rate(Rate(900_000_000)), Some(Usd(1_080_000)));
        assert_eq!(markup.price(Usd(i64::MAX)), None);
    }

    #[test]
    fn a_price_is_below_cost_only_where_a_rule_says_so() {
        let gift = Markup {
            parts_per_million: -500_000,
            below_cost: true,
            ..Markup::default()
        };
        assert_eq!(gift.price(Usd(100)), Some(Usd(50)));
        let honest = Markup {
            below_cost: false,
            ..gift
        };
        assert_eq!(honest.price(Usd(100)), Some(Usd(100)));
    }

    #[test]
    fn a_tier_counts_least_and_never_for_others() {
        let rule = |server: Option<&str>, tier: Option<u8>, percent: i64| Rule {
            server: server.map(Into::into),
            tier,
            markup: Markup {
                parts_per_million: percent * 10_000,
                ..Markup::default()
            },
            ..Rule::default()
        };
        let markups = Markups {
            general: TWENTY,
            rules: vec![
                rule(None, Some(3), 10),
                rule(Some("paul"), None, 15),
                rule(Some("paul"), Some(3), 12),
            ],
        };
        let percent = |server, tier| {
            let markup = markups.for_offer(server, ["tg", "Telegram"], "pakistan", tier);
            markup.parts_per_million / 10_000
        };
        assert_eq!(percent("peter", payer(0)), 20);
        assert_eq!(percent("peter", payer(3)), 10);
        assert_eq!(percent("paul", payer(0)), 15);
        assert_eq!(percent("paul", payer(3)), 12);
        assert_eq!(percent("peter", None), 20);
    }

    fn account(id: i64) -> Account {
        Account {
            id: AccountId(id),
            email: "ana@example.com".into(),
            tier: 2,
            api_access: true,
            suspended: false,
            created_at: Timestamp(0),
        }
    }

    #[test]
    fn an_account_counts_most_and_never_for_others() {
        let rule = |account: Option<i64>, service: Option<&str>, percent: i64| Rule {
            account: account.map(AccountId),
            service: service.map(Into::into),
            markup: Markup {
                parts_per_million: percent * 10_000,
                ..Markup::default()
            },
            ..Rule::default()
        };
        let of_country = Rule {
            country: Some("pakistan".into()),
            server: Some("peter".into()),
            tier: Some(2),
            ..rule(None, Some("tg"), 15)
        };
        let markups = Markups {
            general: TWENTY,
            rules: vec![
                rule(Some(7), None, 5),
                of_country,
                rule(Some(8), None, 8),
                rule(Some(8), Some("tg"), 3),
            ],
        };
        let percent = |id, service| {
            let payer = Some(markups.payer(&account(id)));
            let markup = markups.for_offer("peter", [service, ""], "pakistan", payer);
            markup.parts_per_million / 10_000
        };
        assert_eq!((percent(7, "tg"), percent(7, "wa")), (5, 5));
        assert_eq!((percent(8, "tg"), percent(8, "wa")), (3, 8));
        assert_eq!((percent(9, "tg"), percent(9, "wa")), (15, 20));
        let everybody = markups.for_offer("peter", ["tg", ""], "pakistan", None);
        assert_eq!(everybody, TWENTY, "SMM knows neither tier nor account");
        // who has no rule is told apart from nobody of the tier
        assert_eq!(markups.payer(&account(9)), Payer::of_tier(2));
        assert_ne!(markups.payer(&account(7)), markups.payer(&account(8)));
    }
}
