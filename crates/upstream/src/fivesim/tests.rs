//! The contract of the adapter: one request per purchase, and nothing said that is not known.

use super::*;
use crate::test_server::{Act, TestServer, account, install_provider};
use rust_decimal::Decimal;

fn order(status: &str, sms: &str) -> String {
    format!(
        r#"{{"id":11631253,"phone":"+79000381454","operator":"beeline","product":"telegram",
        "price":21,"status":"{status}","expires":"2026-10-13T08:28:38.809469Z","sms":{sms},
        "created_at":"2026-10-13T08:13:38.809469Z","country":"russia"}}"#
    )
}

fn settings(url: &str) -> FiveSimSettings {
    let mut account = account("john", url);
    account.usd_per_unit = Decimal::new(1, 2);
    FiveSimSettings {
        listing_pause_ms: 1,
        ..FiveSimSettings::new(account)
    }
}

fn serving(acts: Vec<Act>) -> (TestServer, FiveSim) {
    let server = TestServer::start(acts);
    let adapter = FiveSim::new(settings(&server.url)).unwrap();
    (server, adapter)
}

fn request() -> NumberRequest {
    NumberRequest {
        service: "telegram".to_owned(),
        country: "russia".to_owned(),
        pool: None,
        max_cost: Usd(250_000),
        reference: "tollgate-7-1-1760000000000".to_owned(),
    }
}

async fn bought(act: Act) -> Purchase<Number> {
    let (server, adapter) = serving(vec![act]);
    let reply = adapter.buy(&request()).await;
    assert_eq!(server.seen().len(), 1, "{:?}", server.seen());
    assert!(!reply.raw.contains("s3cret"), "{}", reply.raw);
    reply.outcome
}

#[tokio::test]
async fn a_purchase_is_one_request_with_a_cap_and_the_key_in_its_head() {
    let (server, adapter) = serving(vec![Act::ok(&order("PENDING", "null"))]);
    let Purchase::Done(number) = adapter.buy(&request()).await.outcome else {
        panic!("not sold")
    };
    assert_eq!(
        (number.id.as_str(), number.phone.digits()),
        ("11631253", "79000381454")
    );
    assert_eq!(number.cost, Some(Usd(210_000)));
    assert_eq!(
        (number.lifetime, number.cancel_after),
        (Some(Millis::minutes(15)), None)
    );
    let seen = server.seen();
    let line = seen[0].lines().next().unwrap();
    assert_eq!(
        line,
        "GET /api/user/buy/activation/russia/any/telegram?maxPrice=25 HTTP/1.1"
    );
    assert!(
        seen[0].contains("authorization: Bearer s3cret"),
        "{}",
        seen[0]
    );
    assert_eq!(seen.len(), 1);
}

#[tokio::test]
async fn a_named_operator_is_asked_without_a_cap_it_would_not_heed() {
    let (server, adapter) = serving(vec![Act::ok(&order("PENDING", "null"))]);
    let pooled = NumberRequest {
        pool: Some("beeline".to_owned()),
        max_cost: Usd(200_000),
        ..request()
    };
    let Purchase::Done(number) = adapter.buy(&pooled).await.outcome else {
        panic!("not sold")
    };
    assert_eq!(
        number.cost,
        Some(Usd(210_000)),
        "the engine learns what was really paid"
    );
    let seen = server.seen();
    assert!(seen[0].starts_with("GET /api/user/buy/activation/russia/beeline/telegram HTTP"));
    assert!(FiveSimSettings::sheet(false).max_price && !FiveSimSettings::sheet(true).max_price);
}

#[tokio::test]
async fn whatever_may_have_been_booked_is_unknown() {
    for act in [
        Act::HangUp,
        Act::Drip,
        Act::Silence,
        Act::Flood(2_000_000),
        Act::BreakOff,
        Act::Redirect,
        Act::Answer(500, "no free phones".to_owned()),
        Act::Answer(503, "no free phones".to_owned()),
        Act::Answer(408, String::new()),
        Act::Answer(403, "error code: 1010".to_owned()),
        Act::Answer(403, "<html>error code: 1010</html>".to_owned()),
        Act::Answer(400, "internal error".to_owned()),
        Act::Answer(400, "something new".to_owned()),
        Act::Answer(400, "order has sms".to_owned()),
        Act::ok(""),
        Act::ok("<!doctype html><html>no free phones</html>"),
        Act::ok("[]"),
        Act::ok(r#"{"id":1,"status":"PENDING"}"#),
        Act::ok(r#"{"phone":"+79000381454","status":"PENDING"}"#),
        Act::ok(r#"{"id":1,"phone":"number 79000381454","status":"PENDING"}"#),
        Act::ok(r#"{"id":1,"phone":"+0079","status":"PENDING"}"#),
        Act::ok(&order("CANCELED", "[]")),
        Act::ok(&order("ODD", "[]")),
        Act::ok(&order("PENDING", "null").replace("telegram", "viber")),
        Act::ok(&order("PENDING", "null").replace("russia", "usa")),
    ] {
        assert_eq!(bought(act.clone()).await, Purchase::Unknown, "{act:?}");
    }
}

#[tokio::test]
async fn what_the_application_refuses_is_refused() {
    for (status, body, refusal) in [
        (200, "no free phones", Refusal::NoStock),
        (400, "no free phones", Refusal::NoStock),
        (400, "not enough user balance", Refusal::UpstreamFunds),
        (400, "not enough rating", Refusal::AccountBlocked),
        (400, "no product", Refusal::NotSold),
        (200, "null", Refusal::NotSold),
        (401, "", Refusal::UpstreamAuth),
        (403, "forbidden", Refusal::UpstreamAuth),
        (429, "", Refusal::Throttled),
    ] {
        let act = Act::Answer(status, body.to_owned());
        assert_eq!(
            bought(act).await,
            Purchase::Refused(refusal),
            "{status} {body}"
        );
    }
}

#[tokio::test]
async fn what_was_not_sent_is_refused() {
    install_provider();
    let adapter = FiveSim::new(settings("http://127.0.0.1:1/x")).unwrap();
    let reply = adapter.buy(&request()).await;
    assert_eq!(reply.outcome, Purchase::Refused(Refusal::Unreachable));
    for (wrong, refusal) in [
        (
            NumberRequest {
                max_cost: Usd(0),
                ..request()
            },
            Refusal::PriceMoved,
        ),
        (
            NumberRequest {
                country: "..".to_owned(),
                ..request()
            },
            Refusal::NotSold,
        ),
        (
            NumberRequest {
                service: "a/b".to_owned(),
                ..request()
            },
            Refusal::NotSold,
        ),
        (
            NumberRequest {
                pool: Some("a?b".to_owned()),
                ..request()
            },
            Refusal::NotSold,
        ),
    ] {
        let (server, adapter) = serving(vec![Act::ok(&order("PENDING", "null"))]);
        assert_eq!(
            adapter.buy(&wrong).await.outcome,
            Purchase::Refused(refusal)
        );
        assert!(server.seen().is_empty());
    }
    let debug = format!("{:?}", settings("http://bob:pass@127.0.0.1/"));
    assert!(
        !debug.contains("s3cret") && !debug.contains("pass"),
        "{debug}"
    );
}

const SMS: &str = r#"[{"code":"111","text":"old"},{"code":"0123","text":"use 0123"}]"#;

#[tokio::test]
async fn received_without_a_message_means_waiting() {
    use domain::upstream::Sms;
    let code = || {
        NumberStatus::Code(Sms {
            code: "0123".to_owned(),
            text: Some("use 0123".to_owned()),
        })
    };
    let text_alone = r#"[{"code":"","text":"use 0123"}]"#;
    for (word, sms, status) in [
        ("PENDING", "null", NumberStatus::Waiting),
        ("RECEIVED", "[]", NumberStatus::Waiting),
        ("RECEIVED", "null", NumberStatus::Waiting),
        (
            "RECEIVED",
            r#"[{"code":"","text":""}]"#,
            NumberStatus::Waiting,
        ),
        ("RECEIVED", SMS, code()),
        ("RECEIVED", text_alone, code()),
        ("FINISHED", SMS, code()),
        ("FINISHED", "[]", NumberStatus::ClosedAmbiguous),
        ("TIMEOUT", SMS, code()),
        ("TIMEOUT", "[]", NumberStatus::Closed),
        ("CANCELED", "[]", NumberStatus::Closed),
        ("BANNED", "[]", NumberStatus::Closed),
    ] {
        let (server, adapter) = serving(vec![Act::ok(&order(word, sms))]);
        assert_eq!(adapter.status("11631253").await, Ok(status), "{word} {sms}");
        assert!(server.seen()[0].starts_with("GET /api/user/check/11631253 HTTP"));
    }
    for (act, failure) in [
        (
            Act::Answer(404, "order not found".to_owned()),
            ReadFailure::UnknownOrder,
        ),
        (
            Act::Answer(401, String::new()),
            ReadFailure::Refused(Refusal::UpstreamAuth),
        ),
        (
            Act::Answer(503, "x".to_owned()),
            ReadFailure::Refused(Refusal::Throttled),
        ),
        (Act::ok("<html>"), ReadFailure::Refused(Refusal::Throttled)),
        (
            Act::ok(&order("ODD", SMS)),
            ReadFailure::Fault("unknown status ODD".to_owned()),
        ),
        (
            Act::Answer(500, "x".to_owned()),
            ReadFailure::Fault("HTTP status 500".to_owned()),
        ),
    ] {
        let (_server, adapter) = serving(vec![act.clone()]);
        assert_eq!(adapter.status("1").await, Err(failure), "{act:?}");
    }
    let (_server, adapter) = serving(vec![Act::Answer(400, "order expired".to_owned())]);
    assert_eq!(adapter.status("1").await, Ok(NumberStatus::Closed));
    assert_eq!(adapter.status("../x").await, Err(ReadFailure::UnknownOrder));
}

/// A page of orders with these ids, statuses and minutes of sale.
fn page(orders: &[(u64, &str, u32)], total: &str) -> Act {
    let rows = orders.iter().map(|(id, status, minute)| {
        format!(
            r#"{{"id":{id},"phone":"+79000381454","product":"telegram","country":"russia",
            "status":"{status}","sms":null,"created_at":"2026-10-13T08:{minute:02}:00Z",
            "expires":"2026-10-13T08:{:02}:00Z"}}"#,
            minute + 15
        )
    });
    let rows: Vec<String> = rows.collect();
    Act::ok(&format!(r#"{{"Data":[{}]{total}}}"#, rows.join(",")))
}

async fn active_ids(acts: Vec<Act>) -> (Vec<String>, usize) {
    let (server, adapter) = serving(acts);
    let listed = adapter.active().await.unwrap();
    (
        listed.into_iter().map(|row| row.id).collect(),
        server.seen().len(),
    )
}

#[tokio::test]
async fn the_list_of_orders_is_read_page_by_page_and_only_what_is_open_counts() {
    let first = page(&[(9, "PENDING", 40), (8, "FINISHED", 39)], r#","Total":4"#);
    // a sale in between has moved order 8 to the second page
    let second = page(&[(8, "FINISHED", 39), (7, "RECEIVED", 38)], r#","Total":4"#);
    let (server, adapter) = serving(vec![first.clone(), second.clone()]);
    let listed = adapter.active().await.unwrap();
    assert_eq!((listed[0].id.as_str(), listed[1].id.as_str()), ("9", "7"));
    assert_eq!(
        (listed.len(), listed[0].country.as_deref()),
        (2, Some("russia"))
    );
    assert_eq!(listed[0].service, "telegram");
    assert_eq!(
        listed[0].created_at,
        crate::civil::rfc3339("2026-10-13T08:40:00Z")
    );
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    assert!(
        seen[0].contains("limit=500&offset=0&order=id&reverse=true"),
        "{}",
        seen[0]
    );
    assert!(seen[1].contains("offset=2&"), "{}", seen[1]);
    let none = page(&[], "");
    assert_eq!(active_ids(vec![none.clone()]).await, (vec![], 1));
    let untotalled = vec![page(&[(9, "PENDING", 40)], ""), none];
    assert_eq!(active_ids(untotalled).await, (vec!["9".to_owned()], 2));
}

#[tokio::test]
async fn orders_older_than_any_life_end_the_list() {
    let total = r#","Total":100000"#;
    let acts = vec![
        page(&[(9, "PENDING", 44)], total),
        page(&[(8, "FINISHED", 20)], total),
        page(&[(7, "FINISHED", 10)], total),
        page(&[(6, "PENDING", 9)], total),
    ];
    // lives of 20 minutes by the settings and 5 minutes of margin: 24 are not enough, 34 are
    assert_eq!(active_ids(acts).await, (vec!["9".to_owned()], 3));
}

#[tokio::test]
async fn a_list_with_holes_proves_nothing() {
    let body = r#"{"Data":[{"id":1}],"Total":1}"#;
    for act in [
        Act::ok(body),
        Act::ok("[]"),
        Act::Answer(500, String::new()),
    ] {
        let (_server, adapter) = serving(vec![act.clone()]);
        let listed = adapter.active().await;
        let failed = matches!(
            listed,
            Err(ReadFailure::Fault(_) | ReadFailure::Unusable(_))
        );
        assert!(failed, "{act:?}");
    }
}

#[tokio::test]
async fn cancels() {
    let said = |status, text: &str| Act::Answer(status, text.to_owned());
    for (act, outcome) in [
        (Act::ok(&order("CANCELED", "[]")), CancelReply::Cancelled),
        (Act::ok(&order("CANCELED", SMS)), CancelReply::BadTransition),
        (Act::ok(&order("RECEIVED", SMS)), CancelReply::BadTransition),
        (Act::ok(&order("TIMEOUT", "[]")), CancelReply::BadTransition),
        (said(400, "order has sms"), CancelReply::BadTransition),
        (said(400, "order expired"), CancelReply::BadTransition),
        (
            said(400, "you need to wait time"),
            CancelReply::TooEarly(None),
        ),
        (said(404, "order not found"), CancelReply::UnknownOrder),
        (said(400, "internal error"), CancelReply::Unknown),
        (said(401, ""), CancelReply::Unknown),
        (said(502, "order not found"), CancelReply::Unknown),
        (Act::HangUp, CancelReply::Unknown),
    ] {
        let (server, adapter) = serving(vec![act.clone()]);
        assert_eq!(adapter.cancel("5").await.outcome, outcome, "{act:?}");
        let seen = server.seen();
        assert!(
            seen.len() == 1 && seen[0].starts_with("GET /api/user/cancel/5 HTTP"),
            "{seen:?}"
        );
    }
}

#[tokio::test]
async fn finishing_and_balance() {
    let (server, adapter) = serving(vec![Act::ok(&order("FINISHED", SMS))]);
    assert_eq!(adapter.finish("5").await, Ok(()));
    assert!(server.seen()[0].starts_with("GET /api/user/finish/5 HTTP"));
    let (_server, adapter) = serving(vec![Act::Answer(400, "order no sms".to_owned())]);
    assert!(matches!(
        adapter.finish("5").await,
        Err(ReadFailure::Fault(_))
    ));
    let profile = Act::ok(r#"{"id":1,"balance":1234.56789,"rating":95.85}"#);
    let (server, adapter) = serving(vec![Act::Answer(500, "x".to_owned()), profile]);
    assert_eq!(adapter.rating(), None);
    assert_eq!(adapter.balance().await, Ok(Usd(12_345_678)));
    assert_eq!(server.seen().len(), 2);
    assert_eq!(adapter.rating(), Some(95));
}

const COUNTRIES: &str = r#"{"russia":{"iso":{"ru":1},"text_en":"Russia","beeline":{"activation":1}},
    "usa":{"text_en":"USA"}}"#;
const PRICES: &str = r#"{"russia":{"telegram":{"beeline":{"cost":21,"count":7,"rate24":80.5},
    "mtt":{"cost":21,"count":5,"rate168":12.5},"tele2":{"cost":30,"count":900},
    "virtual4":{"cost":5,"count":0}},"1day":{"beeline":{"cost":4,"count":9}},
    "viber":{"beeline":{"cost":0,"count":9}}}}"#;

#[tokio::test]
async fn offers_are_what_is_in_stock_at_the_least_price() {
    let acts = vec![
        Act::ok(COUNTRIES),
        Act::Answer(429, "too many requests".to_owned()),
        Act::ok(PRICES),
        Act::ok("null"),
    ];
    let (server, adapter) = serving(acts);
    let listing = adapter.listing().await.unwrap();
    assert_eq!(
        listing.services,
        [("telegram".to_owned(), "Telegram".to_owned())]
    );
    assert_eq!(
        listing.countries[0],
        ("russia".to_owned(), "Russia".to_owned())
    );
    let [offer] = listing.offers.as_slice() else {
        panic!("{:?}", listing.offers)
    };
    assert_eq!((offer.cost, offer.available), (Usd(210_000), Some(12)));
    assert_eq!((offer.pool.clone(), offer.success_rate), (None, Some(12)));
    let seen = server.seen();
    assert_eq!(seen.len(), 4);
    assert!(
        seen[2].starts_with("GET /api/guest/prices?country=russia HTTP"),
        "{}",
        seen[2]
    );
    assert!(
        seen[3].starts_with("GET /api/guest/prices?country=usa HTTP"),
        "{}",
        seen[3]
    );
}

#[tokio::test]
async fn operators_can_be_pools() {
    let server = TestServer::start(vec![Act::ok(COUNTRIES), Act::ok(PRICES), Act::ok("null")]);
    let settings = FiveSimSettings {
        operators: true,
        ..settings(&server.url)
    };
    let listing = FiveSim::new(settings).unwrap().listing().await.unwrap();
    let pools: Vec<_> = listing
        .offers
        .iter()
        .filter_map(|offer| offer.pool.clone())
        .collect();
    assert_eq!(pools, ["beeline", "mtt", "tele2"]);
}

#[tokio::test]
async fn listings_are_whole_or_failures() {
    for (last, requests) in [
        (Act::ok("null"), 3),
        (Act::ok("<html>"), 5),
        (Act::Answer(401, String::new()), 2),
        (Act::ok(r#"{"russia":{"telegram":[]}}"#), 2),
    ] {
        let (server, adapter) = serving(vec![Act::ok(COUNTRIES), last.clone()]);
        assert!(adapter.listing().await.is_err(), "{last:?}");
        assert_eq!(server.seen().len(), requests, "{last:?}");
    }
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    install_provider();
    let mut free = settings("http://a.test/");
    free.account.usd_per_unit = Decimal::ZERO;
    assert!(matches!(FiveSim::new(free), Err(BadUpstream::Exchange(_))));
    assert!(matches!(
        FiveSim::new(settings("nowhere")),
        Err(BadUpstream::Url(_))
    ));
}
