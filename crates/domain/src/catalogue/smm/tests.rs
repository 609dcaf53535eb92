use crate::catalogue::{
    Catalogue, CostAbovePrice, SmmIds, SmmRule, SmmRules, SmmService, SmmTrouble, Sources,
};
use crate::markup::{Markup, Markups};
use crate::policy::Rules;
use crate::upstream::PanelService;
use crate::usd::{Rate, Usd};
use std::collections::HashMap;
use std::sync::Arc;

fn listed(id: &str, cost: i64, min: u64, max: u64) -> PanelService {
    PanelService {
        id: id.into(),
        name: format!("Followers {id}"),
        category: "Instagram".into(),
        kind: Some("Default"),
        rate: Rate(cost * 1000),
        min,
        max,
        refill: true,
        cancel: id != "7",
        dripfeed: false,
    }
}

struct World {
    panels: Vec<(String, Arc<Vec<PanelService>>)>,
    ids: SmmIds,
    rules: SmmRules,
}

impl World {
    /// Panel `a` with the services 1 and 2, panel `b` with 1 and 7; all numbered.
    fn new() -> Self {
        let panel =
            |name: &str, services: &[PanelService]| (name.to_owned(), Arc::new(services.to_vec()));
        let mut world = Self {
            panels: vec![
                panel(
                    "a",
                    &[
                        listed("1", 900_000, 50, 10_000),
                        listed("2", 500_000, 10, 100),
                    ],
                ),
                panel(
                    "b",
                    &[listed("1", 700_000, 1, 5), listed("7", 950_000, 20, 20_000)],
                ),
            ],
            ids: SmmIds::default(),
            rules: SmmRules::default(),
        };
        world.number();
        world
    }

    fn number(&mut self) {
        for (name, services) in &self.panels {
            self.ids.give_missing(name, services, &self.rules);
        }
    }

    fn set(mut self, id: &str, rule: SmmRule) -> Self {
        self.rules.services.insert(id.into(), rule);
        self
    }

    fn build(&self) -> Catalogue {
        let twenty = Markup {
            parts_per_million: 200_000,
            ..Markup::default()
        };
        let sources = Sources {
            servers: &[],
            numbers: &HashMap::new(),
            panels: &self.panels,
            panels_read: true,
            smm_ids: &self.ids,
            smm: &self.rules,
            markups: &Arc::new(Markups {
                general: twenty,
                rules: Vec::new(),
            }),
            rules: &Rules::demo(),
        };
        Catalogue::build(&sources, &Catalogue::default())
    }

    fn service(&self, id: &str) -> Option<SmmService> {
        self.build().smm_service(id).cloned()
    }

    fn troubles(&self) -> Vec<(String, SmmTrouble)> {
        let notes = self.build();
        let notes = notes.smm_notes().iter();
        notes
            .map(|note| (note.service.to_string(), note.trouble))
            .collect()
    }
}

fn from(sources: &[(&str, &str)]) -> SmmRule {
    let sources = sources.iter();
    SmmRule {
        sources: sources
            .map(|(panel, id)| ((*panel).to_owned(), (*id).to_owned()))
            .collect(),
        ..SmmRule::default()
    }
}

fn bought_at(service: &SmmService) -> Vec<(&str, &str)> {
    let sources = service.sources.iter();
    sources
        .map(|source| (&*source.upstream, &*source.service))
        .collect()
}

#[test]
fn every_service_of_every_panel_is_sold_under_an_id_that_stays() {
    let mut world = World::new();
    let sold = |world: &World| {
        let catalogue = world.build();
        let ids = catalogue.smm_services().iter();
        ids.map(|service| (service.id.to_string(), bought_at(service)[0].0.to_owned()))
            .collect::<Vec<_>>()
    };
    let of = |id: &str, panel: &str| (id.to_owned(), panel.to_owned());
    let first = [of("1", "a"), of("2", "a"), of("1000001", "b"), of("7", "b")];
    assert_eq!(sold(&world), first);
    assert_eq!(world.service("1").unwrap().rate, Usd(1_080_000));
    // the other order of panels, and a panel that is gone, change no id
    world.panels.reverse();
    world.number();
    let mut both = sold(&world);
    both.sort();
    let mut wanted = first.to_vec();
    wanted.sort();
    assert_eq!(both, wanted);
    world.panels.truncate(1);
    world
        .panels
        .push(("c".into(), Arc::new(vec![listed("1", 1, 1, 9)])));
    world.number();
    assert_eq!(
        sold(&world),
        [of("1000001", "b"), of("7", "b"), of("1000002", "c")]
    );
}

#[test]
fn one_service_from_several_panels_has_merged_limits_and_one_price() {
    let world = World::new().set("1", from(&[("a", "1"), ("b", "7")]));
    let service = world.service("1").unwrap();
    assert_eq!(bought_at(&service), [("a", "1"), ("b", "7")]);
    assert_eq!((service.min, service.max), (20, 20_000));
    assert_eq!(
        (service.rate, &*service.name),
        (Usd(1_080_000), "Followers 1")
    );
    // what one of them does not offer is not promised
    assert!(service.refill && !service.cancel);
    // a source of another service is not sold on its own
    assert_eq!(world.service("7"), None);
    assert_eq!(world.troubles(), []);
}

#[test]
fn a_source_the_price_does_not_cover_is_left_out() {
    let world = World::new().set("2", from(&[("a", "2"), ("b", "7")]));
    let service = world.service("2").unwrap();
    // 0.50 and a fifth is 0.60; the other one costs 0.95
    assert_eq!(bought_at(&service), [("a", "2")]);
    assert_eq!(world.troubles(), [("2".into(), SmmTrouble::CostAbovePrice)]);
}

#[test]
fn a_set_price_that_no_longer_covers_its_cost_follows_the_rule() {
    let set = SmmRule {
        rate: Some(Usd(800_000)),
        ..from(&[("a", "1"), ("a", "2")])
    };
    let mut world = World::new().set("1", set);
    let told = |world: &World| {
        let service = world.service("1").unwrap();
        let at: Vec<String> = bought_at(&service).iter().map(|at| at.1.into()).collect();
        (
            service.rate.0,
            at.join(" "),
            service.below_cost,
            world.troubles()[0].1,
        )
    };
    let raised = (1_080_000, "1 2".into(), false, SmmTrouble::PriceRaised);
    assert_eq!(told(&world), raised);
    world.rules.on_cost_above_price = CostAbovePrice::Disable;
    let cheaper = (800_000, "2".into(), false, SmmTrouble::CostAbovePrice);
    assert_eq!(told(&world), cheaper);
    world.rules.on_cost_above_price = CostAbovePrice::Notify;
    let at_a_loss = (800_000, "1 2".into(), true, SmmTrouble::SoldBelowCost);
    assert_eq!(told(&world), at_a_loss);
}

#[test]
fn with_no_source_left_that_the_price_covers_nothing_is_sold() {
    let set = SmmRule {
        rate: Some(Usd(800_000)),
        ..SmmRule::default()
    };
    let mut world = World::new().set("1", set);
    world.rules.on_cost_above_price = CostAbovePrice::Disable;
    assert_eq!(world.service("1"), None);
    assert_eq!(world.troubles(), [("1".into(), SmmTrouble::CostAbovePrice)]);
}

#[test]
fn what_a_panel_no_longer_lists_is_not_sold_and_is_named() {
    let mut world = World::new().set("1", from(&[("a", "1"), ("b", "7")]));
    world.panels[0].1 = Arc::new(vec![listed("2", 500_000, 10, 100)]);
    assert_eq!(bought_at(&world.service("1").unwrap()), [("b", "7")]);
    assert_eq!(world.troubles(), [("1".into(), SmmTrouble::Gone)]);
    world.panels[1].1 = Arc::new(vec![listed("1", 700_000, 1, 5)]);
    assert_eq!(world.service("1"), None);
    let gone = ("1".into(), SmmTrouble::Gone);
    assert_eq!(world.troubles(), [gone]);
}

#[test]
fn names_are_the_operators_and_classes_the_panels() {
    let named = SmmRule {
        name: Some("Fans".into()),
        category: Some("Photos".into()),
        ..SmmRule::default()
    };
    let world = World::new().set("1", named.clone());
    let (fans, followers) = (
        world.service("1").unwrap(),
        World::new().service("1").unwrap(),
    );
    assert_eq!((&*fans.name, &*fans.category), ("Fans", "Photos"));
    assert_eq!(fans.class, followers.class);
    // a harmless name does not make a forbidden service harmless
    let mut world = World::new().set("1", named);
    let mut reviews = listed("1", 900_000, 1, 10);
    reviews.name = "Google Reviews".into();
    world.panels[0].1 = Arc::new(vec![reviews]);
    assert_eq!(world.service("1").unwrap().class.slug(), "fake_reviews");
}

#[test]
fn an_id_the_operator_made_up_is_never_given_to_a_panels_service() {
    let mut world = World::new().set("55", from(&[("b", "7")]));
    world
        .panels
        .push(("c".into(), Arc::new(vec![listed("55", 100, 1, 9)])));
    world.number();
    assert_eq!(bought_at(&world.service("55").unwrap()), [("b", "7")]);
    assert_eq!(world.service("7"), None);
    world.rules.services.clear();
    assert_eq!(bought_at(&world.service("7").unwrap()), [("b", "7")]);
    assert_eq!(world.service("55"), None);
    let again = world
        .ids
        .give_missing("c", &world.panels[2].1, &world.rules);
    assert_eq!(again, []);
}

#[test]
fn disabled_services_and_other_types_are_not_sold() {
    let disabled = SmmRule {
        disabled: true,
        ..SmmRule::default()
    };
    let mut world = World::new()
        .set("2", disabled)
        .set("1", from(&[("a", "1"), ("b", "7")]));
    let mut package = listed("7", 1_000, 1, 1);
    package.kind = Some("Package");
    world.panels[1].1 = Arc::new(vec![package]);
    assert_eq!(world.service("2"), None);
    assert_eq!(bought_at(&world.service("1").unwrap()), [("a", "1")]);
    let troubles = world.troubles();
    assert!(
        troubles.contains(&("1".into(), SmmTrouble::OtherType)),
        "{troubles:?}"
    );
}
