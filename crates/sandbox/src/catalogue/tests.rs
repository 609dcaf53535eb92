use super::countries::{PAKISTAN, UNITED_STATES};
use super::panel_services::{PANEL_SERVICES, panel_service};
use super::*;
use crate::accounts::{PANEL, account_named, accounts};
use domain::usd::{Rate, Usd};
use std::collections::BTreeSet;

/// One destination per class that a gateway has to refuse.
const DENIED: [&str; 10] = [
    "First Harbor Bank",
    "National Tax Portal",
    "Unity Health Insurance",
    "Northline Mobile Carrier",
    "Junior Club for Kids",
    "HomeGuard Alarm",
    "Gmail",
    "Craigslist",
    "Tinder",
    "Any other",
];

fn shelf(name: &str) -> Shelf {
    Shelf::of(account_named(name).unwrap())
}

fn number_shelves() -> Vec<(&'static str, Shelf)> {
    accounts()[..PANEL]
        .iter()
        .map(|account| (account.name, shelf(account.name)))
        .collect()
}

/// What a customer pays at 20 % on top, rounded up to the micro-dollar.
fn with_markup(cost: Usd) -> String {
    Usd((cost.0 * 120 + 99) / 100).short()
}

fn cheapest(shelf: &Shelf, country: &str, service: &str) -> Usd {
    let country = shelf.country(country).unwrap();
    let service = shelf.service(service).unwrap();
    shelf.offers(country, service.service)[0].cost
}

#[test]
fn the_published_examples_come_out_exactly() {
    let peter = shelf("peter1");
    assert_eq!(peter.country("61").unwrap().name, "Pakistan");
    assert_eq!(peter.service("306343").unwrap().service.name(), "Discord");
    assert_eq!(cheapest(&peter, "61", "306343"), Usd(33_333));
    assert_eq!(with_markup(cheapest(&peter, "61", "306343")), "0.04");
    let paul = shelf("paul");
    assert_eq!(paul.country("6").unwrap().name, "Pakistan");
    assert_eq!(paul.service("tg").unwrap().service.name(), "Telegram");
    assert_eq!(with_markup(cheapest(&paul, "6", "tg")), "0.18");
    let romeo = shelf("romeo");
    assert_eq!(romeo.country("13").unwrap().name, "USA");
    assert_eq!(romeo.country("188").unwrap().name, "USA (virtual)");
    assert_eq!(romeo.country("188").unwrap().country, UNITED_STATES);
}

#[test]
fn it_is_of_believable_size_over_all_servers() {
    let (mut countries, mut services, mut offers) = (BTreeSet::new(), BTreeSet::new(), 0);
    for (_, shelf) in number_shelves() {
        assert!(shelf.countries.len() >= 40 && shelf.services.len() >= 140);
        countries.extend(shelf.countries.iter().map(|listed| listed.country));
        services.extend(shelf.services.iter().map(|listed| listed.service.0));
        for country in &shelf.countries {
            let listed = shelf.services.iter();
            offers += listed
                .map(|s| shelf.offers(country, s.service).len())
                .sum::<usize>();
        }
    }
    assert!(countries.len() >= 60, "{} countries", countries.len());
    assert!(services.len() >= 150, "{} services", services.len());
    assert!(offers > 20_000, "{offers} offers");
}

#[test]
fn pakistan_and_the_united_states_are_sold_by_at_least_three_servers() {
    for country in [PAKISTAN, UNITED_STATES] {
        let sold_by: BTreeSet<_> = number_shelves()
            .into_iter()
            .filter(|(_, shelf)| {
                shelf
                    .countries
                    .iter()
                    .any(|listed| listed.country == country)
            })
            .map(|(name, _)| accounts()[account_named(name).unwrap()].server)
            .collect();
        assert!(sold_by.len() >= 3, "{sold_by:?}");
    }
}

#[test]
fn every_server_has_ids_of_its_own_without_repeats() {
    let mut pakistan_ids = BTreeSet::new();
    for (name, shelf) in number_shelves() {
        let countries: BTreeSet<_> = shelf.countries.iter().map(|listed| listed.id).collect();
        let services: BTreeSet<_> = shelf.services.iter().map(|listed| &listed.id).collect();
        assert_eq!(countries.len(), shelf.countries.len(), "{name}");
        assert_eq!(services.len(), shelf.services.len(), "{name}");
        let pakistan = shelf
            .countries
            .iter()
            .find(|listed| listed.country == PAKISTAN);
        pakistan_ids.insert(pakistan.unwrap().id);
    }
    assert!(pakistan_ids.len() >= 7, "{pakistan_ids:?}");
    let peter = shelf("peter1");
    assert!(
        peter
            .services
            .iter()
            .all(|listed| listed.id.parse::<u32>().is_ok())
    );
}

#[test]
fn servers_overlap_at_different_costs() {
    let telegram = ServiceIndex::named("Telegram").unwrap();
    let costs: BTreeSet<_> = number_shelves()
        .iter()
        .map(|(_, shelf)| {
            let usa = shelf
                .countries
                .iter()
                .find(|listed| listed.country == UNITED_STATES);
            shelf.offers(usa.unwrap(), telegram)[0].cost
        })
        .collect();
    assert!(costs.len() >= 7, "{costs:?}");
}

#[test]
fn pools_and_ladders_split_a_route_and_others_have_one_price() {
    for (name, shelf) in number_shelves() {
        let pakistan = shelf
            .countries
            .iter()
            .find(|listed| listed.country == PAKISTAN)
            .unwrap();
        let offers = shelf.offers(pakistan, ServiceIndex::named("Telegram").unwrap());
        let pools: Vec<_> = offers.iter().map(|offer| offer.pool).collect();
        match name {
            "andrew" | "mark" | "peter2" => assert_eq!(pools, [Some(1), Some(3), Some(7)]),
            _ => assert_eq!(pools, [None], "{name}"),
        }
        assert!(offers.is_sorted_by_key(|offer| offer.cost), "{name}");
    }
}

#[test]
fn misbehaving_services_are_sold_everywhere_for_a_cent() {
    for (name, shelf) in number_shelves() {
        for odd in misbehaving_services() {
            let numeric_id = odd.numeric_id.to_string();
            let id = if name.starts_with("peter") || name == "andrew" {
                numeric_id.as_str()
            } else if name == "john" && odd.behaviour == Misbehaviour::BankText {
                "sbharbor"
            } else {
                odd.code
            };
            let listed = shelf.service(id).unwrap();
            assert!(listed.service.name().starts_with("Sandbox: "));
            assert_eq!(listed.service.behaviour(), Some(odd.behaviour));
            for country in &shelf.countries {
                let offers = shelf.offers(country, listed.service);
                assert!(!offers.is_empty() && offers.iter().all(|offer| offer.cost == Usd(10_000)));
            }
        }
    }
}

#[test]
fn names_are_unique_and_something_is_there_for_every_kind_of_refusal() {
    let names: BTreeSet<_> = ServiceIndex::all().map(ServiceIndex::name).collect();
    assert_eq!(names.len(), ServiceIndex::all().count());
    for denied in DENIED {
        assert!(names.contains(denied), "{denied}");
    }
}

#[test]
fn every_country_is_one_the_gateway_knows() {
    for (_, shelf) in number_shelves() {
        for listed in &shelf.countries {
            assert!(
                domain::countries::find(listed.name).is_some(),
                "{}",
                listed.name
            );
        }
    }
}

#[test]
fn the_panel_sells_many_types_and_the_published_example() {
    assert!(PANEL_SERVICES.len() >= 40);
    assert!(PANEL_SERVICES.is_sorted_by_key(|service| service.id));
    let kinds: BTreeSet<_> = PANEL_SERVICES
        .iter()
        .map(|service| service.kind.title())
        .collect();
    assert_eq!(
        kinds.len(),
        wire::panel_v2::OrderType::all().count(),
        "{kinds:?}"
    );
    let platforms: BTreeSet<_> = PANEL_SERVICES
        .iter()
        .map(|service| service.category)
        .collect();
    assert!(platforms.len() >= 10);
    let first = panel_service("1").unwrap();
    assert_eq!(
        (first.name, first.category, first.kind.title()),
        ("Followers", "Instagram", "Default")
    );
    assert_eq!(
        (first.min, first.max, first.rate),
        (50, 10_000, Usd(900_000))
    );
    assert_eq!(with_markup(first.rate), "1.08");
    assert_eq!(
        Rate::per_1000(first.rate).unwrap().charge(500),
        Some(Usd(450_000))
    );
    assert!(PANEL_SERVICES.iter().any(|service| service.dripfeed));
    assert!(panel_service("2000").is_none() && panel_service("x").is_none());
}

#[test]
fn nothing_depends_on_chance() {
    let (once, again) = (shelf("mark"), shelf("mark"));
    for country in &once.countries {
        for listed in &once.services {
            let other = again.country(&country.id.to_string()).unwrap();
            assert_eq!(
                once.offers(country, listed.service),
                again.offers(other, listed.service)
            );
        }
    }
}

#[test]
fn the_demo_may_sell_most_of_it_and_must_refuse_the_rest() {
    use domain::policy::{Rules, SmmRequest, Verdict, decide_smm, sellable_otp};
    let rules = Rules::demo();
    let sellable =
        |service: ServiceIndex| sellable_otp(&rules, rules.otp_class(service.name(), ""), 3);
    assert!(
        ServiceIndex::all()
            .filter(|service| sellable(*service))
            .count()
            >= 150
    );
    assert!(
        ServiceIndex::all()
            .filter(|service| !sellable(*service))
            .count()
            >= 20
    );
    for odd in misbehaving_services() {
        assert!(
            sellable(ServiceIndex::named(odd.name).unwrap()),
            "{}",
            odd.name
        );
    }
    for denied in DENIED {
        assert!(!sellable(ServiceIndex::named(denied).unwrap()), "{denied}");
    }
    let allowed = |service: &&panel_services::PanelService| {
        let kind = service.kind.title();
        let class = rules.smm_class(service.name, service.category, kind);
        decide_smm(
            &rules,
            &SmmRequest {
                class,
                standing: domain::policy::Standing::Good,
            },
        )
        .verdict
            == Verdict::Allow
    };
    assert!(PANEL_SERVICES.iter().filter(allowed).count() >= 40);
    let refused: Vec<_> = PANEL_SERVICES
        .iter()
        .filter(|service| !allowed(service))
        .collect();
    assert!(
        refused.len() >= 8 && refused.iter().all(|service| service.id >= 100),
        "{refused:?}"
    );
}
