//! Price lists that lie: impossible figures are left out row by row, and a list of any length
//! costs what is kept of it.

use super::gate::{Act, Gate};
use super::party::{PATIENT_MS, Tongue, adapter, panel_adapter};
use domain::upstream::{NumberListing, PanelUpstream, ReadFailure};
use domain::usd::Usd;
use std::fmt::Write as _;
use upstream::Dialect;

/// Figures that no provider means, as they stand on the wire.
const IMPOSSIBLE: [&str; 11] = [
    "1e30",
    "-0.5",
    "\"-1\"",
    "\"NaN\"",
    "\"Infinity\"",
    "1e999",
    "0",
    "null",
    "\"\"",
    "99999999999999999999999999999999999999",
    "\"0,5\"",
];

/// Body of a price list in which service `odd` costs this and service `ok` a dime.
type PriceBody = fn(&str) -> String;

/// Who lists prices how: names of countries and services, then the list.
const LISTS: [(&str, Tongue, PriceBody); 4] = [
    ("romeo", Tongue::HandlerApi(Dialect::Classic), |price| {
        format!(
            "{{\"6\":{{\"odd\":{{\"cost\":{price},\"count\":5}},\"ok\":{{\"cost\":0.1,\"count\":5}}}}}}"
        )
    }),
    ("mark", Tongue::HandlerApi(Dialect::Grizzly), |price| {
        let row = |price: &str| {
            format!("{{\"11\":{{\"count\":5,\"price\":{price},\"provider_id\":11}}}}")
        };
        format!("{{\"6\":{{\"odd\":{},\"ok\":{}}}}}", row(price), row("0.1"))
    }),
    ("john", Tongue::FiveSim, |price| {
        let row = |price: &str| format!("{{\"any1\":{{\"cost\":{price},\"count\":5}}}}");
        format!("{{\"6\":{{\"odd\":{},\"ok\":{}}}}}", row(price), row("0.1"))
    }),
    ("andrew", Tongue::SmsPool, |price| {
        let row = |service: &str, price: &str| {
            format!("{{\"service\":\"{service}\",\"country\":6,\"pool\":3,\"price\":{price}}}")
        };
        format!("[{},{}]", row("odd", price), row("ok", "0.1"))
    }),
];

/// A provider that names one country and two services and answers this as its prices.
fn priced(name: &str, tongue: Tongue, prices: String) -> (Gate, Asking) {
    let gate = Gate::alone(Act::Choose(vec![
        (
            "getCountries",
            "{\"6\":{\"id\":6,\"eng\":\"Pakistan\",\"visible\":1}}".to_owned(),
        ),
        (
            "getServicesList",
            "[{\"code\":\"ok\",\"name\":\"Good\"},{\"code\":\"odd\",\"name\":\"Odd\"}]".to_owned(),
        ),
        (
            "guest/countries",
            "{\"6\":{\"iso\":{\"pk\":1},\"prefix\":{\"+92\":1},\"text_en\":\"Pakistan\",\
             \"text_ru\":\"-\",\"any1\":{\"activation\":1}}}"
                .to_owned(),
        ),
        (
            "country/retrieve_all",
            "[{\"ID\":6,\"name\":\"Pakistan\",\"short_name\":\"PK\",\"cc\":\"92\"}]".to_owned(),
        ),
        (
            "service/retrieve_all",
            "[{\"ID\":\"ok\",\"name\":\"Good\"},{\"ID\":\"odd\",\"name\":\"Odd\"}]".to_owned(),
        ),
        ("", prices),
    ]));
    let upstream = adapter(name, tongue, &gate.url(), "key", PATIENT_MS);
    (gate, Asking(upstream))
}

struct Asking(std::sync::Arc<dyn domain::upstream::NumberUpstream>);

impl Asking {
    async fn listing(&self) -> Result<NumberListing, ReadFailure> {
        self.0.listing().await
    }
}

fn costs(listing: &NumberListing) -> Vec<(&str, Usd)> {
    let offers = listing.offers.iter();
    offers
        .map(|offer| (offer.service.as_str(), offer.cost))
        .collect()
}

#[tokio::test]
async fn an_impossible_price_costs_its_row_and_nothing_else() {
    for (name, tongue, body) in LISTS {
        for price in IMPOSSIBLE {
            let (_gate, asking) = priced(name, tongue, body(price));
            let listing = asking.listing().await;
            let listing = listing.unwrap_or_else(|why| panic!("{name} {price}: {why}"));
            assert_eq!(costs(&listing), [("ok", Usd(100_000))], "{name} {price}");
        }
    }
}

#[tokio::test]
async fn more_decimals_than_money_has_are_rounded_up_and_never_lost() {
    for (name, tongue, body) in LISTS {
        for (price, micros) in [("0.20000000001", 200_001), ("\"5.0e-5\"", 50)] {
            let (_gate, asking) = priced(name, tongue, body(price));
            let listing = asking.listing().await.unwrap();
            let mut costs = costs(&listing);
            costs.sort();
            let expected = [("odd", Usd(micros)), ("ok", Usd(100_000))];
            assert_eq!(costs, expected, "{name} {price}");
        }
    }
}

#[tokio::test]
async fn a_list_without_a_single_possible_price_is_a_failure() {
    for (name, tongue, body) in LISTS {
        let prices = body("-1").replace("0.1", "\"NaN\"");
        let (_gate, asking) = priced(name, tongue, prices);
        let listing = asking.listing().await;
        assert!(
            matches!(
                listing,
                Err(ReadFailure::Fault(_) | ReadFailure::Unusable(_))
            ),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_panels_impossible_rate_costs_its_row_and_nothing_else() {
    let row = |id: u32, rate: &str| {
        format!(
            "{{\"service\":{id},\"name\":\"n\",\"type\":\"Default\",\"category\":\"c\",\
             \"rate\":{rate},\"min\":1,\"max\":9}}"
        )
    };
    for rate in IMPOSSIBLE {
        let body = format!("[{},{}]", row(1, rate), row(2, "0.1"));
        let gate = Gate::alone(Act::ok(&body));
        let panel = panel_adapter(&gate.url(), "key", PATIENT_MS);
        let services = panel.services().await.unwrap();
        // a service for nothing is listed as such: whether it is sold is for the markup rules
        let ids: Vec<&str> = services
            .iter()
            .filter(|service| service.rate.0 > 0)
            .map(|service| service.id.as_str())
            .collect();
        assert_eq!(ids, ["2"], "{rate}");
    }
}

/// So many rows, one behind the other.
fn rows(count: usize, row: impl Fn(usize) -> String) -> String {
    let mut body = String::new();
    for number in 0..count {
        let between = if number == 0 { "" } else { "," };
        let _ = write!(body, "{between}{}", row(number));
    }
    body
}

#[tokio::test]
async fn a_long_list_is_read_whole() {
    const ROWS: usize = 50_000;
    let prices = rows(ROWS, |number| {
        format!("\"s{number}\":{{\"cost\":1,\"count\":1}}")
    });
    let prices = format!("{{\"6\":{{{prices}}}}}");
    let (_gate, asking) = priced("romeo", Tongue::HandlerApi(Dialect::Classic), prices);
    assert_eq!(asking.listing().await.unwrap().offers.len(), ROWS);
    let cell = |number| format!("{{\"service\":{number},\"country\":6,\"pool\":3,\"price\":1}}");
    let cells = format!("[{}]", rows(ROWS, cell));
    let (_gate, asking) = priced("andrew", Tongue::SmsPool, cells);
    assert_eq!(asking.listing().await.unwrap().offers.len(), ROWS);
    let product = |number| format!("\"p{number}\":{{\"any1\":{{\"cost\":1,\"count\":1}}}}");
    let products = format!("{{\"6\":{{{}}}}}", rows(ROWS, product));
    let (_gate, asking) = priced("john", Tongue::FiveSim, products);
    assert_eq!(asking.listing().await.unwrap().offers.len(), ROWS);
}

/// A short document can hold millions of rows that hold nothing.
#[tokio::test]
async fn more_rows_than_anybody_sells_are_refused_before_they_are_kept() {
    let empties = rows(1_000_001, |_| "{}".to_owned());
    let array = format!("[{empties}]");
    for (name, tongue, _) in LISTS {
        let (_gate, asking) = priced(name, tongue, array.clone());
        let listing = asking.listing().await;
        assert!(
            matches!(
                listing,
                Err(ReadFailure::Fault(_) | ReadFailure::Unusable(_))
            ),
            "{name}"
        );
    }
    let gate = Gate::alone(Act::ok(&array));
    let panel = panel_adapter(&gate.url(), "key", PATIENT_MS);
    let services = panel.services().await;
    assert!(matches!(
        services,
        Err(ReadFailure::Fault(_) | ReadFailure::Unusable(_))
    ));
}
