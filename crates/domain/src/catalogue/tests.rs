use super::*;
use crate::markup::Markup;
use crate::upstream::NumberOffer;

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
    let numbers = HashMap::from([("romeo".to_owned(), Arc::new(listing(cost)))]);
    let markups = Markups {
        general: Markup {
            parts_per_million: 200_000,
            fixed: Usd::ZERO,
        },
        rules: Vec::new(),
    };
    let sources = Sources {
        servers: &servers,
        numbers: &numbers,
        panels: &[],
        panels_read: true,
        markups: &markups,
        rules: &Rules::demo(),
        grace: Millis::seconds(60),
    };
    Catalogue::build(&sources, previous, Timestamp(now))
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
    let route = catalogue.route(&key("61")).unwrap();
    let pool = |asked| {
        route
            .offer("ds", asked, Timestamp(0))
            .and_then(|o| o.pool_id.clone())
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
        let route = catalogue.route(&key("13")).unwrap();
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
