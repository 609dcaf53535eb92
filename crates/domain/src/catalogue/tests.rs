use super::*;
use crate::markup::{Markup, Payer};
use crate::time::{Millis, Timestamp};
use crate::upstream::{NumberListing, NumberOffer};
use crate::usd::Usd;

fn listing(cost: i64) -> NumberListing {
    let offer = |country: &str, pool: Option<&str>, cost| NumberOffer {
        country: country.into(),
        service: "ds".into(),
        pool: pool.map(Into::into),
        cost: Usd(cost),
        available: Some(5),
        success_rate: None,
    };
    NumberListing {
        countries: vec![
            ("13".into(), "USA".into()),
            ("188".into(), "USA (virtual)".into()),
            ("61".into(), "Pakistan".into()),
        ],
        services: vec![("ds".into(), "Discord".into())],
        offers: vec![
            offer("13", None, cost),
            offer("188", None, cost),
            offer("61", Some("3"), cost),
            offer("61", Some("7"), cost - 10),
        ],
    }
}

fn build(cost: i64, previous: &Catalogue, now: i64) -> Catalogue {
    let servers = [Server {
        name: "romeo".into(),
        enabled: true,
        routes: vec![ServerRoute {
            provider_type: 0,
            upstream: "romeo".into(),
        }],
    }];
    let (shelf, _) = shelf(&listing(cost), previous.shelves().next(), now);
    let numbers = HashMap::from([("romeo".to_owned(), Arc::new(shelf))]);
    let markups = Arc::new(Markups {
        general: Markup {
            parts_per_million: 200_000,
            ..Markup::default()
        },
        rules: Vec::new(),
    });
    let sources = Sources {
        servers: &servers,
        numbers: &numbers,
        panels: &[],
        panels_read: true,
        smm_ids: &SmmIds::default(),
        smm: &SmmRules::default(),
        markups: &markups,
        rules: &Rules::demo(),
    };
    Catalogue::build(&sources, previous)
}

fn shelf(
    listing: &NumberListing,
    previous: Option<&Arc<Shelf>>,
    now: i64,
) -> (Shelf, Vec<CostChange>) {
    Shelf::take(&Intake {
        upstream: "romeo",
        listing,
        naming: &Naming::default(),
        rules: &Rules::demo(),
        previous: previous.map(|shelf| &**shelf),
        read_at: Timestamp(now),
        grace: Millis::seconds(60),
    })
}

#[test]
fn services_are_found_by_a_part_of_their_name() {
    let catalogue = build(100, &Catalogue::default(), 0);
    let like = |text: &str| catalogue.services_like(text, |_| true);
    assert_eq!(like("SCO"), [Arc::from("Discord")]);
    assert!(like("telegram").is_empty());
    assert!(catalogue.services_like("disc", |_| false).is_empty());
    let key = RouteKey {
        server: 0,
        provider_type: 0,
        country_id: "61".into(),
    };
    let route = catalogue.route(&key, Payer::of_tier(0)).unwrap();
    let costs: Vec<_> = route
        .offers_named("Discord")
        .iter()
        .map(|one| one.cost.0)
        .collect();
    assert_eq!(costs, [90, 100]);
    assert!(route.offers_named("Disc").is_empty());
}

/// Two upstreams behind one route: the first sells Discord at 100 in two pools' stead, the second
/// also sells Telegram, and calls something else by the id of the first one's Viber.
fn two_upstreams(first_stock: Option<u32>) -> Catalogue {
    let offer = |service: &str, cost, available| NumberOffer {
        country: "13".into(),
        service: service.into(),
        pool: None,
        cost: Usd(cost),
        available,
        success_rate: None,
    };
    let one = |upstream: &str, names: [(&str, &str); 3], offers: Vec<NumberOffer>| {
        let listing = NumberListing {
            countries: vec![("13".into(), "USA".into())],
            services: names.map(|(id, name)| (id.into(), name.into())).to_vec(),
            offers,
        };
        let intake = Intake {
            upstream,
            listing: &listing,
            naming: &Naming::default(),
            rules: &Rules::demo(),
            previous: None,
            read_at: Timestamp(0),
            grace: Millis::seconds(60),
        };
        (upstream.to_owned(), Arc::new(Shelf::take(&intake).0))
    };
    let names = [("ds", "Discord"), ("tg", "Telegram"), ("x", "Viber")];
    let others = [("ds", "Discord"), ("tg", "Telegram"), ("x", "Signal")];
    let first = vec![offer("ds", 100, first_stock), offer("x", 100, None)];
    let second = vec![
        offer("ds", 50, None),
        offer("tg", 70, None),
        offer("x", 10, None),
    ];
    let route = |upstream: &str| ServerRoute {
        provider_type: 0,
        upstream: upstream.into(),
    };
    let servers = [Server {
        name: "romeo".into(),
        enabled: true,
        routes: vec![route("first"), route("second")],
    }];
    let sources = Sources {
        servers: &servers,
        numbers: &HashMap::from([one("first", names, first), one("second", others, second)]),
        panels: &[],
        panels_read: true,
        smm_ids: &SmmIds::default(),
        smm: &SmmRules::default(),
        markups: &Arc::default(),
        rules: &Rules::demo(),
    };
    Catalogue::build(&sources, &Catalogue::default())
}

#[test]
fn what_two_upstreams_sell_on_one_route_is_one_offer_at_the_price_of_the_first() {
    let catalogue = two_upstreams(Some(3));
    assert_eq!(
        catalogue.country("unitedstates").unwrap().routes,
        [key("13")]
    );
    let route = catalogue.route(&key("13"), Payer::of_tier(3)).unwrap();
    let mut offers: Vec<_> = route
        .offers()
        .map(|offer| (&**offer.service_name, &**offer.upstream, offer.price.0))
        .collect();
    offers.sort_unstable();
    let expected = [
        ("Discord", "first", 100),
        ("Telegram", "second", 70),
        // the same id means something else there, so it is not the same offer
        ("Viber", "first", 100),
    ];
    assert_eq!(offers[..], expected);
    let offer = route.offer("ds", None, Timestamp(0)).unwrap();
    let ways: Vec<_> = route
        .ways(&offer)
        .iter()
        .map(|way| (way.upstream.to_string(), way.price.0, way.cost.0))
        .collect();
    let way = |name: &str, cost| (name.to_owned(), 100, cost);
    assert_eq!(ways, [way("first", 100), way("second", 50)]);
}

#[test]
fn an_upstream_without_stock_leaves_the_price_to_the_next() {
    let catalogue = two_upstreams(Some(0));
    let route = catalogue.route(&key("13"), Payer::of_tier(3)).unwrap();
    let offer = route.offer("ds", None, Timestamp(0)).unwrap();
    assert_eq!((&**offer.upstream, offer.price), ("second", Usd(50)));
    let ways = route.ways(&offer);
    assert_eq!(&**ways[1].upstream, "first");
    assert!(ways[1].loses_at(ways[1].price));
}

fn key(country: &str) -> RouteKey {
    RouteKey {
        server: 0,
        provider_type: 0,
        country_id: country.into(),
    }
}

#[test]
fn two_ids_of_one_country_are_one_entry() {
    let catalogue = build(100, &Catalogue::default(), 0);
    let usa = catalogue.country("unitedstates").unwrap();
    assert_eq!(&*usa.name, "USA");
    assert_eq!(usa.routes, [key("13"), key("188")]);
}

#[test]
fn without_a_pool_the_cheapest_is_taken() {
    let catalogue = build(100, &Catalogue::default(), 0);
    let route = catalogue.route(&key("61"), Payer::of_tier(3)).unwrap();
    let pool = |asked| {
        route
            .offer("ds", asked, Timestamp(0))
            .and_then(|o| o.pool_id.cloned())
    };
    assert_eq!(pool(None).as_deref(), Some("7"));
    assert_eq!(pool(Some("3")).as_deref(), Some("3"));
    assert!(route.offer("ds", Some("9"), Timestamp(0)).is_none());
}

#[test]
fn a_price_that_was_shown_is_honoured_for_the_grace_period() {
    let cheap = build(100, &Catalogue::default(), 0);
    let dear = build(200, &cheap, 1_000);
    let price = |catalogue: &Catalogue, now| {
        let route = catalogue.route(&key("13"), Payer::of_tier(3)).unwrap();
        route
            .offer("ds", None, Timestamp(now))
            .unwrap()
            .price_at(Timestamp(now))
    };
    assert_eq!(price(&dear, 1_000), Usd(120));
    assert_eq!(price(&dear, 60_999), Usd(120));
    assert_eq!(price(&dear, 61_000), Usd(240));
    let dearer = build(300, &dear, 2_000);
    assert_eq!(price(&dearer, 60_999), Usd(120));
    assert_eq!(price(&build(50, &dearer, 3_000), 3_000), Usd(60));
}

#[test]
fn what_was_never_read_is_unknown_and_not_absent() {
    let servers = vec![Server {
        name: "peter".into(),
        enabled: true,
        routes: vec![ServerRoute {
            provider_type: 1,
            upstream: "peter1".into(),
        }],
    }];
    let empty = Catalogue::empty(servers);
    assert!(!empty.is_read(0, 1) && !empty.is_smm_read());
    assert!(build(100, &Catalogue::default(), 0).is_read(0, 0));
}

#[test]
fn a_refresh_names_what_changed_and_builds_only_one_shelf() {
    let cheap = build(100, &Catalogue::default(), 0);
    let before = cheap.shelves().next().unwrap();
    let (after, changes) = shelf(&listing(200), Some(before), 1);
    assert_eq!(changes.len(), 4);
    let pools: Vec<_> = changes.iter().map(|c| c.pool_id.as_deref()).collect();
    assert!(pools.contains(&Some("7")) && pools.contains(&None));
    assert!(
        changes
            .iter()
            .all(|change| change.to.0 - change.from.0 == 100)
    );
    let (_, none) = shelf(&listing(200), Some(&Arc::new(after)), 2);
    assert_eq!(none, []);
    assert_eq!(cheap.generation, 1);
}

#[test]
fn a_shelf_comes_back_from_its_bytes_and_cut_or_changed_ones_do_not() {
    let (before, _) = shelf(&listing(100), None, 77);
    let bytes = before.encode();
    let (upstream, read_at, listing) = Shelf::decode(&bytes).unwrap();
    assert_eq!((upstream.as_str(), read_at), ("romeo", Timestamp(77)));
    assert_eq!(shelf(&listing, None, 77).0, before);
    for cut in 0..bytes.len() {
        assert_eq!(Shelf::decode(&bytes[..cut]), Err(NotAListing), "{cut}");
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(Shelf::decode(&longer), Err(NotAListing));
}

#[test]
fn a_million_offers_take_far_less_than_two_hundred_megabytes() {
    // the same figures at a hundredth of the size: 8 upstreams, 25 countries, 50 services
    let offer = |country: usize, service: usize| NumberOffer {
        country: country.to_string(),
        service: format!("svc{service}"),
        pool: None,
        cost: Usd(1000),
        available: Some(9),
        success_rate: Some(80),
    };
    let pairs = (0..25).flat_map(|country| (0..50).map(move |service| offer(country, service)));
    let listing = NumberListing {
        countries: (0..25)
            .map(|id| (id.to_string(), format!("Land {id}")))
            .collect(),
        services: (0..50)
            .map(|id| (format!("svc{id}"), format!("Service number {id}")))
            .collect(),
        offers: pairs.collect(),
    };
    let (shelf, _) = shelf(&listing, None, 0);
    assert_eq!(shelf.len(), 1250);
    let of_a_million = shelf.bytes() * 800;
    assert!(of_a_million < 60_000_000, "{of_a_million}");
}
