//! The contract of the adapter: one request per purchase, and nothing said that is not known.

use super::*;
use crate::test_server::{Act, TestServer, account, install_provider};
use domain::time::{Millis, Timestamp};
use domain::upstream::Sms;

const SALE: &str = r#"{"success":1,"number":12025550123,"cc":"1","phonenumber":"2025550123",
    "order_id":"ABCDEFGH","country":"United States","service":"Telegram","pool":7,
    "expires_in":599,"expiration":1705309968,"message":"Got a <b>number</b>","cost":"0.24"}"#;
const COUNTRIES: &str = r#"[{"ID":1,"name":"United States","short_name":"US","cc":"1"},
    {"ID":24,"name":"Pakistan","short_name":"PK","cc":"92"},
    {"ID":2,"name":"United Kingdom","short_name":"GB","cc":"44"},
    {"ID":72,"name":"United Kingdom (virtual)","short_name":"GB","cc":"44"}]"#;
const SERVICES: &str = r#"[{"ID":907,"name":"Telegram"},{"ID":1012,"name":"WhatsApp"}]"#;
const PRICING: &str = r#"[{"service":907,"country":24,"pool":3,"price":"0.24"},
    {"service":907,"country":24,"pool":7,"price":"0.30"},
    {"service":907,"country":1,"pool":7,"price":"0.00"}]"#;
const STOCK: &str = r#"[{"service":907,"country":24,"pool":7,"stock":11,"price":"0.31"}]"#;

fn settings(url: &str) -> SmsPoolSettings {
    SmsPoolSettings::new(account("andrew", url))
}

fn serving(acts: Vec<Act>) -> (TestServer, SmsPool) {
    let server = TestServer::start(acts);
    let adapter = SmsPool::new(settings(&server.url)).unwrap();
    (server, adapter)
}

fn request() -> NumberRequest {
    NumberRequest {
        service: "907".to_owned(),
        country: "1".to_owned(),
        pool: Some("7".to_owned()),
        max_cost: Usd(240_000),
        reference: "tollgate-7-1-1760000000000".to_owned(),
    }
}

async fn bought(act: Act) -> Purchase<Number> {
    let (server, adapter) = serving(vec![act]);
    let reply = adapter.buy(&request()).await;
    assert_eq!(server.seen().len(), 1, "{:?}", server.seen());
    assert!(
        !reply.raw.contains("s3cret") && reply.raw.len() <= 2048,
        "{}",
        reply.raw
    );
    reply.outcome
}

#[tokio::test]
async fn a_purchase_is_one_request_with_pool_and_cap() {
    let (server, adapter) = serving(vec![Act::ok(SALE)]);
    let reply = adapter.buy(&request()).await;
    let Purchase::Done(number) = reply.outcome else {
        panic!("{reply:?}")
    };
    assert_eq!(
        (number.id.as_str(), number.phone.digits()),
        ("ABCDEFGH", "12025550123")
    );
    assert_eq!(
        (number.cost, number.lifetime, number.cancel_after),
        (Some(Usd(240_000)), Some(Millis::seconds(599)), None)
    );
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    assert!(
        seen[0].starts_with("POST /api/purchase/sms HTTP/1.1"),
        "{}",
        seen[0]
    );
    let head = seen[0].to_ascii_lowercase();
    assert!(head.contains("authorization: bearer s3cret"), "{head}");
    let form = "country=1&service=907&pool=7&max_price=0.24&pricing_option=0";
    assert!(seen[0].ends_with(form), "{}", seen[0]);
}

#[tokio::test]
async fn whatever_may_have_been_booked_is_unknown() {
    let without_number = r#"{"success":1,"order_id":"ABCDEFGH"}"#;
    for act in [
        Act::HangUp,
        Act::Drip,
        Act::Silence,
        Act::Flood(2_000_000),
        Act::BreakOff,
        Act::Redirect,
        Act::Answer(500, r#"{"success":0,"type":"OUT_OF_STOCK"}"#.to_owned()),
        Act::Answer(503, "<html>busy</html>".to_owned()),
        Act::Answer(408, String::new()),
        Act::Answer(403, "<html>error code: 1010</html>".to_owned()),
        Act::Answer(404, String::new()),
        Act::Answer(422, r#"{"success":0,"type":"NEW_ONE"}"#.to_owned()),
        Act::ok(""),
        Act::ok("<!doctype html><html></html>"),
        Act::ok("null"),
        Act::ok(r#"{"success":0,"message":"Something went wrong"}"#),
        Act::ok(without_number),
        Act::ok(r#"{"success":1,"number":12025550123}"#),
        Act::ok(&SALE.replace("12025550123", "0012025")),
        Act::ok(&SALE.replace("ABCDEFGH", "AB-DEF")),
        Act::ok(&SALE[..SALE.len() - 9]),
        Act::ok("s3cret"),
    ] {
        assert_eq!(bought(act.clone()).await, Purchase::Unknown, "{act:?}");
    }
}

#[tokio::test]
async fn what_the_application_refuses_is_refused() {
    let typed = |kind: &str| wire::smspool::print_refusal("no", Some(kind));
    let pools = wire::smspool::print_pools("no", &[("Foxtrot", "OUT_OF_STOCK")]);
    for (status, body, refusal) in [
        (422, typed("OUT_OF_STOCK"), Refusal::NoStock),
        (422, pools, Refusal::NoStock),
        (422, typed("BALANCE_ERROR"), Refusal::UpstreamFunds),
        (422, typed("PRICE_NOT_FOUND"), Refusal::PriceMoved),
        (401, "no".to_owned(), Refusal::UpstreamAuth),
        (429, "slow down".to_owned(), Refusal::Throttled),
    ] {
        let act = Act::Answer(status, body);
        assert_eq!(
            bought(act.clone()).await,
            Purchase::Refused(refusal),
            "{act:?}"
        );
    }
    install_provider();
    let nowhere = SmsPool::new(settings("http://127.0.0.1:1/x")).unwrap();
    let reply = nowhere.buy(&request()).await;
    assert_eq!(reply.outcome, Purchase::Refused(Refusal::Unreachable));
    let free = NumberRequest {
        max_cost: Usd(0),
        ..request()
    };
    assert_eq!(
        nowhere.buy(&free).await.outcome,
        Purchase::Refused(Refusal::PriceMoved)
    );
}

#[tokio::test]
async fn statuses() {
    let sms = |code: &str, text: Option<&str>| {
        NumberStatus::Code(Sms {
            code: code.to_owned(),
            text: text.map(str::to_owned),
        })
    };
    for (body, status) in [
        (r#"{"status":1,"time_left":9}"#, NumberStatus::Waiting),
        (
            r#"{"status":3,"sms":"0","full_sms":""}"#,
            NumberStatus::Waiting,
        ),
        (
            r#"{"status":3,"sms":"0123","full_sms":"Code 0123"}"#,
            sms("0123", Some("Code 0123")),
        ),
        (
            r#"{"status":"3","full_sms":"Your code is 415-127"}"#,
            sms("415127", Some("Your code is 415-127")),
        ),
        (r#"{"status":4,"sms":"0123"}"#, NumberStatus::WaitingRetry),
        (r#"{"status":2}"#, NumberStatus::Closed),
        (r#"{"status":5}"#, NumberStatus::Closed),
        (r#"{"status":6}"#, NumberStatus::Closed),
        (r#"{"status":8}"#, NumberStatus::Waiting),
        (r#"{"status":99}"#, NumberStatus::Waiting),
    ] {
        let (_server, adapter) = serving(vec![Act::ok(body)]);
        assert_eq!(adapter.status("ABCDEFGH").await, Ok(status), "{body}");
    }
    let lost = r#"{"success":0,"message":"We could not find this order!"}"#;
    let (_server, adapter) = serving(vec![Act::Answer(404, lost.to_owned())]);
    assert_eq!(
        adapter.status("ABCDEFGH").await,
        Err(ReadFailure::UnknownOrder)
    );
}

#[tokio::test]
async fn listed_orders_are_told_by_the_ids_that_were_bought() {
    let list = r#"[
        {"order_code":"AAAAAAAA","service":"telegram","short_name":"PK","phonenumber":"923001234567",
         "timestamp":"1705308768","cost":"0.24","code":"0","status":"pending"},
        {"order_code":"BBBBBBBB","service":"WhatsApp","short_name":"US","phonenumber":2025550123,
         "timestamp":"2024-01-15 08:12:48","code":"0042","full_code":"Code 0042","status":"completed"},
        {"order_code":"CCCCCCCC","service":907,"short_name":"GB","phonenumber":"07400123456",
         "code":"7777","status":"resend"},
        {"order_code":"DDDDDDDD","service":"Gone","short_name":"XX"}]"#;
    let acts = [list, COUNTRIES, SERVICES, list].map(Act::ok);
    let (server, adapter) = serving(acts.to_vec());
    let rows = adapter.active().await.unwrap();
    let shown: Vec<_> = rows
        .iter()
        .map(|row| {
            let phone = row.phone.as_ref().map(|phone| phone.digits());
            (row.service.as_str(), row.country.as_deref(), phone)
        })
        .collect();
    let expected = [
        ("907", Some("24"), Some("923001234567")),
        ("1012", Some("1"), Some("12025550123")),
        ("907", None, Some("447400123456")),
        ("Gone", None, None),
    ];
    assert_eq!(shown, expected);
    assert_eq!(rows[0].created_at, Some(Timestamp(1_705_308_768_000)));
    assert_eq!((rows[1].created_at, &rows[0].sms), (None, &None));
    assert_eq!(
        rows[1].sms.as_ref().map(|sms| sms.code.as_str()),
        Some("0042")
    );
    assert!(rows[2].retry_asked && !rows[1].retry_asked);
    adapter.active().await.unwrap();
    assert_eq!(server.seen().len(), 4, "names are read once");
}

#[tokio::test]
async fn a_list_that_proves_nothing_is_a_fault() {
    let row = r#"[{"order_code":"AAAAAAAA","service":"Telegram","short_name":"PK"}]"#;
    for acts in [
        vec![Act::ok(r#"[{"service":"Telegram"}]"#)],
        vec![Act::ok(row), Act::ok("[]"), Act::ok("[]")],
    ] {
        let (_server, adapter) = serving(acts);
        let failure = adapter.active().await.unwrap_err();
        assert!(matches!(failure, ReadFailure::Fault(_)), "{failure:?}");
    }
    let (_server, adapter) = serving(vec![Act::ok("[]")]);
    assert_eq!(adapter.active().await, Ok(vec![]));
}

#[tokio::test]
async fn cancels() {
    let early = "Your order cannot be cancelled yet, please try again later.";
    let refusal = |text: &str| wire::smspool::print_refusal(text, None);
    for (act, outcome) in [
        (
            Act::ok(r#"{"success":1,"message":"refunded 0.24 dollars."}"#),
            CancelReply::Cancelled,
        ),
        (
            Act::Answer(400, refusal(early)),
            CancelReply::TooEarly(Some(Millis::seconds(20))),
        ),
        (
            Act::ok(&refusal("It has a message")),
            CancelReply::BadTransition,
        ),
        (
            Act::Answer(404, refusal("We could not find this order!")),
            CancelReply::UnknownOrder,
        ),
        (Act::ok("{}"), CancelReply::Unknown),
        (Act::HangUp, CancelReply::Unknown),
        (Act::Answer(500, String::new()), CancelReply::Unknown),
    ] {
        let (server, adapter) = serving(vec![act.clone()]);
        assert_eq!(adapter.cancel("ABCDEFGH").await.outcome, outcome, "{act:?}");
        assert!(server.seen()[0].ends_with("orderid=ABCDEFGH"));
    }
}

#[tokio::test]
async fn the_listing_has_pools_prices_and_the_stock_that_is_told() {
    let acts = [COUNTRIES, SERVICES, STOCK, PRICING].map(Act::ok);
    let (server, adapter) = serving(acts.to_vec());
    let listing = adapter.listing().await.unwrap();
    assert_eq!((listing.countries.len(), listing.services.len()), (4, 2));
    let offers: Vec<_> = listing
        .offers
        .iter()
        .map(|offer| (offer.pool.as_deref(), offer.cost, offer.available))
        .collect();
    let expected = [
        (Some("3"), Usd(240_000), None),
        (Some("7"), Usd(300_000), Some(11)),
    ];
    assert_eq!(offers, expected);
    let seen = server.seen();
    assert!(seen[0].starts_with("GET /api/country/retrieve_all HTTP/1.1"));
    let acts = [COUNTRIES, SERVICES, "{}", PRICING].map(Act::ok);
    let (_server, adapter) = serving(acts.to_vec());
    assert_eq!(adapter.listing().await.unwrap().offers.len(), 2);
    let acts = [COUNTRIES, SERVICES, STOCK, "[]"].map(Act::ok);
    let (_server, adapter) = serving(acts.to_vec());
    assert!(adapter.listing().await.is_err());
}

#[tokio::test]
async fn balances_and_what_is_not_offered() {
    let (_server, adapter) = serving(vec![Act::ok(r#"{"balance":"5.0000019"}"#)]);
    assert_eq!(adapter.balance().await, Ok(Usd(5_000_001)));
    assert_eq!(
        adapter.finish("ABCDEFGH").await,
        Err(ReadFailure::NotOffered)
    );
    let debug = format!("{:?}", settings("http://bob:pass@127.0.0.1/"));
    assert!(
        !debug.contains("s3cret") && !debug.contains("pass"),
        "{debug}"
    );
}
