//! SMM services as they are sold: public ids, the panels behind each, one price.

use super::Sources;
use crate::markup::Markup;
use crate::order_type::OrderType;
use crate::policy::{SmmClass, Strength};
use crate::upstream::PanelService;
use crate::usd::{Rate, Usd};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

/// A panel's service by name of the panel and the panel's own id.
pub type SourceKey = (Arc<str>, Arc<str>);

/// One SMM service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmmService {
    /// Public id.
    pub id: Arc<str>,
    /// Name; hostile text.
    pub name: Arc<str>,
    /// Category; hostile text.
    pub category: Arc<str>,
    /// Order type.
    pub kind: OrderType,
    /// Class for the policy engine.
    pub class: SmmClass,
    /// Price per 1000 units, or of a package, for a customer.
    pub rate: Usd,
    /// Least quantity at any source.
    pub min: u64,
    /// Greatest quantity at any source.
    pub max: u64,
    /// Whether every source offers refills.
    pub refill: bool,
    /// Whether every source offers cancels.
    pub cancel: bool,
    /// Whether some source offers drip-feed.
    pub dripfeed: bool,
    /// Whether it is sold below what it costs, as the operator has it.
    pub below_cost: bool,
    /// Where it is bought, in order of preference; never empty.
    pub sources: Vec<SmmSource>,
}

/// A panel's service behind a public one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmmSource {
    /// Panel.
    pub upstream: Arc<str>,
    /// The panel's service id.
    pub service: Arc<str>,
    /// What 1000 units, or a package, cost the house there.
    pub cost: Rate,
    /// Class by the panel's own words for it.
    pub class: SmmClass,
    /// Least quantity.
    pub min: u64,
    /// Greatest quantity.
    pub max: u64,
    /// Offers refills.
    pub refill: bool,
    /// Offers cancels.
    pub cancel: bool,
    /// Offers drip-feed.
    pub dripfeed: bool,
}

impl SmmSource {
    /// What an order costs the house there; nothing where it would not fit.
    pub fn cost_of(&self, flat: bool, units: u64) -> Option<Usd> {
        match flat {
            true => Some(self.cost.ceil()),
            false => self.cost.charge(units),
        }
    }
}

/// What is done where a price the operator set no longer covers the cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CostAbovePrice {
    /// The price rises to what the markup makes of the cost.
    #[default]
    Raise,
    /// Nothing is bought there until the cost falls.
    Disable,
    /// Sold on, below cost; the operator is told.
    Notify,
}

/// What the operator says of one public service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmmRule {
    /// Name, in place of the panel's.
    pub name: Option<String>,
    /// Category, in place of the panel's.
    pub category: Option<String>,
    /// Panel and the panel's service id, in order of preference; empty for the one it stands for.
    pub sources: Vec<(String, String)>,
    /// Price per 1000 units or of a package, in place of cost and markup.
    pub rate: Option<Usd>,
    /// Not sold.
    pub disabled: bool,
}

/// What the operator says of the SMM side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmmRules {
    /// Rules by public id.
    pub services: BTreeMap<String, SmmRule>,
    /// What is done where a set price no longer covers the cost.
    pub on_cost_above_price: CostAbovePrice,
}

impl SmmRules {
    /// Whether an id is set for sources that do not have this number at this panel.
    fn keeps(&self, id: &str, upstream: &str) -> bool {
        let rule = self.services.get(id);
        rule.is_some_and(|rule| !rule.sources.is_empty() && !rule.names(upstream, id))
    }

    fn owner(&self) -> HashMap<(&str, &str), &str> {
        let mut owner = HashMap::new();
        for (id, rule) in &self.services {
            for (upstream, service) in &rule.sources {
                owner.insert((upstream.as_str(), service.as_str()), id.as_str());
            }
        }
        owner
    }
}

/// Public ids of panels' services. A number that was given stays with its service for good.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SmmIds {
    given: HashMap<(String, String), String>,
    taken: HashSet<String>,
}

/// Numbers of services whose own number is taken start here.
const FIRST_FREE: u64 = 1_000_001;

impl SmmIds {
    /// Ids that were given: public id, panel, the panel's service id.
    pub fn new(rows: impl IntoIterator<Item = (String, String, String)>) -> Self {
        let mut ids = Self::default();
        for (id, upstream, service) in rows {
            ids.give(id, upstream, service);
        }
        ids
    }

    fn give(&mut self, id: String, upstream: String, service: String) {
        self.taken.insert(id.clone());
        if !upstream.is_empty() {
            self.given.insert((upstream, service), id);
        }
    }

    fn of(&self, upstream: &str, service: &str) -> Option<&str> {
        let key = (upstream.to_owned(), service.to_owned());
        self.given.get(&key).map(String::as_str)
    }

    /// Numbers the services of a panel that have no id yet: with the panel's own number where it is
    /// free, else with the next free one. Gives the new rows. Ids that the operator made up in the
    /// settings are taken for good, by no panel.
    pub fn give_missing(
        &mut self,
        upstream: &str,
        listed: &[PanelService],
        rules: &SmmRules,
    ) -> Vec<(String, String, String)> {
        let made_up = rules.services.iter().filter(|(id, rule)| {
            !rule.sources.is_empty() && !rule.sources.iter().any(|(_, service)| service == *id)
        });
        let made_up = made_up.map(|(id, _)| (id.clone(), String::new(), String::new()));
        let mut fresh: Vec<_> = made_up.filter(|row| !self.taken.contains(&row.0)).collect();
        self.taken.extend(fresh.iter().map(|row| row.0.clone()));
        let numbers = self.taken.iter().filter_map(|id| id.parse::<u64>().ok());
        let mut next = numbers
            .max()
            .map_or(FIRST_FREE, |id| FIRST_FREE.max(id + 1));
        for PanelService { id, .. } in listed {
            if self.of(upstream, id).is_some() {
                continue;
            }
            let own = is_number(id) && !self.taken.contains(id) && !rules.keeps(id, upstream);
            let number = if own { id.clone() } else { next.to_string() };
            next += u64::from(!own);
            fresh.push((number.clone(), upstream.to_owned(), id.clone()));
            self.give(number, upstream.to_owned(), id.clone());
        }
        fresh
    }
}

impl SmmRule {
    fn names(&self, upstream: &str, service: &str) -> bool {
        let mut sources = self.sources.iter();
        sources.any(|(panel, id)| panel == upstream && id == service)
    }
}

/// A number as clients of panels read one: below the numbers that are given here.
fn is_number(id: &str) -> bool {
    let number = id.parse::<u64>().ok();
    number.is_some_and(|number| (1..FIRST_FREE).contains(&number) && number.to_string() == id)
}

/// Something about an SMM service that the operator should know.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SmmNote {
    /// Public id.
    pub service: Arc<str>,
    /// Panel and the panel's service id, where it is about one of several.
    pub source: Option<SourceKey>,
    /// What.
    pub trouble: SmmTrouble,
}

/// What may be wrong with an SMM service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SmmTrouble {
    /// The panel no longer lists it.
    Gone,
    /// Its order type is not one we know.
    UnknownType,
    /// Its order type differs from that of the source before it.
    OtherType,
    /// It costs more than the price allows; nothing is bought there.
    CostAbovePrice,
    /// The price that was set did not cover the cost; it was raised.
    PriceRaised,
    /// The price that was set does not cover the cost; it is sold all the same.
    SoldBelowCost,
    /// There is no price above zero for it.
    NoPrice,
    /// Its id is used for other sources in the settings.
    IdInUse,
}

impl SmmTrouble {
    /// Stable word for logs and lists.
    pub fn slug(self) -> &'static str {
        match self {
            Self::Gone => "gone",
            Self::UnknownType => "unknown_type",
            Self::OtherType => "other_type",
            Self::CostAbovePrice => "cost_above_price",
            Self::PriceRaised => "price_raised",
            Self::SoldBelowCost => "sold_below_cost",
            Self::NoPrice => "no_price",
            Self::IdInUse => "id_in_use",
        }
    }
}

/// A source's key and what its panel lists under it.
type Offered<'k, 'a> = ((&'k str, &'k str), &'a PanelService);

type Listed<'a> = HashMap<(&'a str, &'a str), &'a PanelService>;

/// All services on sale, in the panels' order, and what the operator should know of them.
pub(super) fn services(sources: &Sources<'_>) -> (Vec<SmmService>, Vec<SmmNote>) {
    let mut listed = Listed::new();
    let mut order = Vec::new();
    for (upstream, services) in sources.panels {
        for service in services.iter() {
            let key = (upstream.as_str(), service.id.as_str());
            if listed.insert(key, service).is_none() {
                order.push(key);
            }
        }
    }
    let owner = sources.smm.owner();
    let mut shop = Shop {
        sources,
        listed,
        notes: Vec::new(),
    };
    let mut sold = Vec::new();
    let mut seen: HashSet<&str> = HashSet::new();
    for key in order {
        let Some(id) = owner
            .get(&key)
            .copied()
            .or_else(|| sources.smm_ids.of(key.0, key.1))
        else {
            continue;
        };
        let rule = sources.smm.services.get(id);
        if rule.is_some_and(|rule| !rule.sources.is_empty() && !rule.names(key.0, key.1)) {
            shop.note(id, Some(key), SmmTrouble::IdInUse);
        } else if seen.insert(id) {
            sold.extend(shop.service(id, rule, key));
        }
    }
    if sources.panels_read {
        shop.note_gone(&seen);
    }
    (sold, shop.notes)
}

struct Shop<'a> {
    sources: &'a Sources<'a>,
    listed: Listed<'a>,
    notes: Vec<SmmNote>,
}

impl<'a> Shop<'a> {
    fn note(&mut self, id: &str, source: Option<(&str, &str)>, trouble: SmmTrouble) {
        self.notes.push(SmmNote {
            service: Arc::from(id),
            source: source.map(|(upstream, service)| (Arc::from(upstream), Arc::from(service))),
            trouble,
        });
    }

    /// Services that were numbered or set and that no panel lists any more.
    fn note_gone(&mut self, seen: &HashSet<&str>) {
        let (ids, rules) = (self.sources.smm_ids, self.sources.smm);
        let owner = rules.owner();
        for ((upstream, service), id) in &ids.given {
            let key = (upstream.as_str(), service.as_str());
            let is_panel = self
                .sources
                .panels
                .iter()
                .any(|(panel, _)| panel == upstream);
            if is_panel && !self.listed.contains_key(&key) && !owner.contains_key(&key) {
                self.note(id, Some(key), SmmTrouble::Gone);
            }
        }
        for (id, rule) in &rules.services {
            let numbered = || ids.given.values().any(|known| known == id);
            let unknown = !rule.sources.is_empty() || !numbered();
            if !rule.disabled && !seen.contains(id.as_str()) && unknown {
                self.note(id, None, SmmTrouble::Gone);
            }
        }
        self.notes.sort();
    }

    fn service(
        &mut self,
        id: &str,
        rule: Option<&SmmRule>,
        only: (&str, &str),
    ) -> Option<SmmService> {
        let none = SmmRule::default();
        let rule = rule.unwrap_or(&none);
        if rule.disabled {
            return None;
        }
        let named = rule
            .sources
            .iter()
            .map(|(up, id)| (up.as_str(), id.as_str()));
        let mut keys: Vec<(&str, &str)> = named.collect();
        if keys.is_empty() {
            keys.push(only);
        }
        let (kind, listed) = self.of_one_type(id, &keys)?;
        let first = listed.first()?.1;
        let name = rule.name.as_deref().unwrap_or(&first.name);
        let category = rule.category.as_deref().unwrap_or(&first.category);
        let markup = self.sources.markups.for_offer("smm", [id, name], "", None);
        let (rate, below_cost) = self.price(id, rule, markup, first.rate)?;
        let named = self.sources.rules.smm_class(name, category, kind.title());
        let mut bought = Vec::new();
        for ((upstream, service), offer) in listed {
            if !below_cost && !markup.covers(offer.rate, rate) {
                self.note(id, Some((upstream, service)), SmmTrouble::CostAbovePrice);
                continue;
            }
            let class = match named.strength() {
                Strength::HardDeny => named,
                _ => self
                    .sources
                    .rules
                    .smm_class(&offer.name, &offer.category, kind.title()),
            };
            bought.push(source(upstream, offer, class));
        }
        Some(SmmService {
            id: Arc::from(id),
            name: Arc::from(name),
            category: Arc::from(category),
            kind,
            class: bought.first()?.class,
            rate,
            min: bought.iter().map(|source| source.min).min()?,
            max: bought.iter().map(|source| source.max).max()?,
            refill: bought.iter().all(|source| source.refill),
            cancel: bought.iter().all(|source| source.cancel),
            dripfeed: bought.iter().any(|source| source.dripfeed),
            below_cost: below_cost || markup.below_cost,
            sources: bought,
        })
    }

    /// The sources that are listed, as far as they are of the first one's type.
    fn of_one_type<'k>(
        &mut self,
        id: &str,
        keys: &[(&'k str, &'k str)],
    ) -> Option<(OrderType, Vec<Offered<'k, 'a>>)> {
        let mut found: Option<OrderType> = None;
        let mut listed = Vec::new();
        for key in keys {
            let Some(offer) = self.listed.get(key).copied() else {
                if self.sources.panels.iter().any(|(panel, _)| panel == key.0) {
                    self.note(id, Some(*key), SmmTrouble::Gone);
                }
                continue;
            };
            match (offer.kind.and_then(OrderType::parse), found) {
                (None, _) => self.note(id, Some(*key), SmmTrouble::UnknownType),
                (Some(kind), Some(first)) if kind != first => {
                    self.note(id, Some(*key), SmmTrouble::OtherType);
                }
                (Some(kind), _) => {
                    found = Some(kind);
                    listed.push((*key, offer));
                }
            }
        }
        Some((found?, listed))
    }

    /// The price, and whether it is below cost because the operator would rather be told.
    fn price(
        &mut self,
        id: &str,
        rule: &SmmRule,
        markup: Markup,
        cost: Rate,
    ) -> Option<(Usd, bool)> {
        let marked_up = markup.rate(cost);
        let (rate, below_cost) = match rule.rate {
            None => (marked_up, false),
            Some(set) if markup.covers(cost, set) => (Some(set), false),
            Some(set) => match self.sources.smm.on_cost_above_price {
                CostAbovePrice::Raise => {
                    self.note(id, None, SmmTrouble::PriceRaised);
                    (marked_up, false)
                }
                CostAbovePrice::Disable => (Some(set), false),
                CostAbovePrice::Notify => {
                    self.note(id, None, SmmTrouble::SoldBelowCost);
                    (Some(set), true)
                }
            },
        };
        match rate.filter(|rate| *rate > Usd::ZERO) {
            Some(rate) => Some((rate, below_cost)),
            None => {
                self.note(id, None, SmmTrouble::NoPrice);
                None
            }
        }
    }
}

fn source(upstream: &str, offer: &PanelService, class: SmmClass) -> SmmSource {
    SmmSource {
        upstream: Arc::from(upstream),
        service: Arc::from(offer.id.as_str()),
        cost: offer.rate,
        class,
        min: offer.min.max(1),
        max: offer.max,
        refill: offer.refill,
        cancel: offer.cancel,
        dripfeed: offer.dripfeed,
    }
}

#[cfg(test)]
mod tests;
