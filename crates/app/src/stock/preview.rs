//! What other markup rules would change, without applying them.

use super::Stock;
use crate::accounts::AdminError;
use domain::catalogue::{Catalogue, Offer, RouteKey};
use domain::ids::AccountId;
use domain::markup::{Markups, Payer};
use domain::usd::Usd;
use std::collections::{HashMap, VecDeque};

/// An offer whose price would change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriceExample {
    /// Server.
    pub server: String,
    /// Typed route, 0 where the server has none.
    pub provider_type: i64,
    /// Country id.
    pub country_id: String,
    /// Service.
    pub service: String,
    /// Its id.
    pub service_id: String,
    /// What it costs us.
    pub cost: Usd,
    /// Price now.
    pub before: Usd,
    /// Price then; nothing where it would not be sold.
    pub after: Option<Usd>,
}

/// What would change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Tier whose prices were compared.
    pub tier: u8,
    /// The account, where it was one's.
    pub account: Option<AccountId>,
    /// Offers looked at.
    pub offers: usize,
    /// Of them dearer.
    pub dearer: usize,
    /// Of them cheaper.
    pub cheaper: usize,
    /// Of them no longer sold.
    pub unsold: usize,
    /// Of them below their cost.
    pub below_cost: usize,
    /// The least that is earned with any offer now.
    pub least_margin_before: Option<Usd>,
    /// The least that would be earned.
    pub least_margin: Option<Usd>,
    /// The first that change.
    pub examples: Vec<PriceExample>,
}

impl Stock {
    /// The rules in force.
    pub fn markups(&self) -> std::sync::Arc<Markups> {
        self.engine.markups.load_full()
    }

    /// The rules in force as the settings file would have them.
    pub fn markup_text(&self) -> String {
        self.around.markup_text(&self.markups())
    }

    /// Whose prices are compared: those of a tier, or of an account, whatever its tier.
    ///
    /// # Errors
    /// There is no such account.
    pub async fn whose(&self, tier: u8, account: Option<AccountId>) -> Result<Payer, AdminError> {
        let Some(id) = account else {
            return Ok(Payer::of_tier(tier));
        };
        let found = self.engine.store().account(id).await?;
        let account = found.ok_or_else(|| AdminError::NotFound(format!("account {id}")))?;
        Ok(Payer {
            tier: account.tier,
            account: Some(id),
        })
    }

    /// Compares prices with those under the rules of a settings file, or of its markup section.
    ///
    /// # Errors
    /// The text has mistakes: each is named, on a line of its own.
    pub async fn preview(
        &self,
        file: &str,
        payer: Payer,
        examples: usize,
    ) -> Result<Comparison, AdminError> {
        let markups = self.around.markups(file);
        let markups = markups.map_err(|wrong| AdminError::Invalid(wrong.join("\n")))?;
        let now = self.engine.catalogue();
        let work = move || compare(&now, &now.repriced(markups), payer, examples);
        self.engine.compute(work).await.ok_or(AdminError::Storage)
    }
}

fn compare(now: &Catalogue, then: &Catalogue, payer: Payer, examples: usize) -> Comparison {
    let mut compared = Comparison {
        tier: payer.tier,
        account: payer.account,
        ..Comparison::default()
    };
    for key in now.countries.iter().flat_map(|country| &country.routes) {
        let (Some(before), Some(after)) = (now.route(key, payer), then.route(key, payer)) else {
            continue;
        };
        // a rule may leave an offer without a price, or give it one: either list may lack some
        let mut prices: HashMap<_, VecDeque<Usd>> = HashMap::new();
        for new in after.offers() {
            prices.entry(what(&new)).or_default().push_back(new.price);
        }
        for old in before.offers() {
            let price = prices.get_mut(&what(&old)).and_then(VecDeque::pop_front);
            compared.add(&old, price);
            if price != Some(old.price) && compared.examples.len() < examples {
                compared.examples.push(example(now, key, &old, price));
            }
        }
    }
    compared
}

impl Comparison {
    fn add(&mut self, old: &Offer<'_>, after: Option<Usd>) {
        self.offers += 1;
        let least = |known: Option<Usd>, price: Usd| {
            let margin = Usd(price.0 - old.cost.0);
            Some(known.map_or(margin, |known| known.min(margin)))
        };
        self.least_margin_before = least(self.least_margin_before, old.price);
        let Some(after) = after else {
            self.unsold += 1;
            return;
        };
        self.least_margin = least(self.least_margin, after);
        self.below_cost += usize::from(after < old.cost);
        self.dearer += usize::from(after > old.price);
        self.cheaper += usize::from(after < old.price);
    }
}

/// What stays of an offer under other rules: upstream, service, pool and cost.
fn what<'a>(offer: &Offer<'a>) -> (&'a str, &'a str, Option<&'a str>, Usd) {
    let pool = offer.pool_id.map(|pool| &**pool);
    (offer.upstream, offer.service_id, pool, offer.cost)
}

fn example(now: &Catalogue, key: &RouteKey, old: &Offer<'_>, after: Option<Usd>) -> PriceExample {
    PriceExample {
        server: now.servers[key.server].name.clone(),
        provider_type: key.provider_type,
        country_id: key.country_id.to_string(),
        service: old.service_name.to_string(),
        service_id: old.service_id.to_string(),
        cost: old.cost,
        before: old.price,
        after,
    }
}
