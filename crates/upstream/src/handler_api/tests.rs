//! The contract of the adapter: one request per purchase, and nothing said that is not known.

mod dialects;

use super::*;
use crate::test_server::{Act, TestServer, account, install_provider};
use domain::time::Millis;
use rust_decimal::Decimal;

const SALE: &str = "ACCESS_NUMBER:635468024:79584123456";

fn settings(url: &str) -> HandlerApiSettings {
    HandlerApiSettings {
        purchase: PurchaseAction::GetNumber,
        ..HandlerApiSettings::new(Dialect::Classic, account("romeo", url))
    }
}

fn serving(acts: Vec<Act>) -> (TestServer, HandlerApi) {
    let server = TestServer::start(acts);
    let adapter = HandlerApi::new(settings(&server.url)).unwrap();
    (server, adapter)
}

fn request() -> NumberRequest {
    NumberRequest {
        service: "tg".to_owned(),
        country: "6".to_owned(),
        pool: None,
        max_cost: Usd(180_000),
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
async fn a_purchase_is_one_request_with_a_cap() {
    let (server, adapter) = serving(vec![Act::ok(SALE)]);
    let reply = adapter.buy(&request()).await;
    let Purchase::Done(number) = reply.outcome else {
        panic!("{reply:?}")
    };
    assert_eq!(
        (number.id.as_str(), number.phone.digits()),
        ("635468024", "79584123456")
    );
    assert_eq!(
        (number.cost, number.lifetime, number.cancel_after),
        (None, None, None)
    );
    assert_eq!(reply.raw, SALE);
    let seen = server.seen();
    let line = seen[0].lines().next().unwrap();
    let expected =
        "GET /api?api_key=s3cret&action=getNumber&service=tg&country=6&maxPrice=0.18 HTTP/1.1";
    assert_eq!((seen.len(), line), (1, expected));
}

#[tokio::test]
async fn the_object_brings_cost_and_spans_in_dollars() {
    let body = r#"{"activationId":"635468025","phoneNumber":"+79584123457","activationCost":"10.00",
        "currency":"643","countryCode":2,"canGetAnotherSms":true,
        "activationTime":"2026-06-01 17:30:57","activationCancel":"2026-06-01 17:32:57",
        "activationEnd":"2026-06-01 17:50:57"}"#;
    let server = TestServer::start(vec![Act::ok(body)]);
    let mut settings = settings(&server.url);
    settings.purchase = PurchaseAction::GetNumberV2;
    settings.account.usd_per_unit = Decimal::new(123_456_789, 10);
    let adapter = HandlerApi::new(settings).unwrap();
    let pooled = NumberRequest {
        pool: Some("11".to_owned()),
        ..request()
    };
    let Purchase::Done(number) = adapter.buy(&pooled).await.outcome else {
        panic!("not sold")
    };
    assert_eq!(number.cost, Some(Usd(123_457)));
    assert_eq!(number.lifetime, Some(Millis::minutes(20)));
    assert_eq!(number.cancel_after, Some(Millis::minutes(2)));
    let seen = server.seen();
    assert!(seen[0].contains("action=getNumberV2&"), "{}", seen[0]);
    assert!(seen[0].contains("maxPrice=14.580000&") || seen[0].contains("maxPrice=14.58"));
    assert!(seen[0].contains("providerIds=11"), "{}", seen[0]);
}

#[tokio::test]
async fn an_account_that_changes_its_currency_is_blocked_until_it_is_back() {
    let wrong = Refusal::WrongCurrency;
    let sale = r#"{"activationId":"7","phoneNumber":"79584123457","activationCost":"18.00","currency":643}"#;
    let (dollars, roubles) = (
        r#"{"amount":5,"currency":840}"#,
        r#"{"amount":"500.00","currency":"RUB"}"#,
    );
    let mut acts = ["ACCESS_BALANCE:5.00", roubles, dollars, SALE, roubles]
        .map(Act::ok)
        .to_vec();
    // the header says the same sum, in the same currency
    acts.insert(0, Act::Beside(200, "x-price: 18.00", sale.to_owned()));
    let server = TestServer::start(acts);
    let mut settings = settings(&server.url);
    settings.account.currency = Some("USD".to_owned());
    let adapter = HandlerApi::new(settings).unwrap();
    // the number is bought; what it cost there is another sum than it says
    let Purchase::Done(number) = adapter.buy(&request()).await.outcome else {
        panic!("not sold")
    };
    assert_eq!(number.cost, None);
    assert_eq!(
        adapter.buy(&request()).await.outcome,
        Purchase::Refused(wrong.clone())
    );
    // a balance that names no currency does not say that it is over
    let refused = Err(ReadFailure::Refused(wrong.clone()));
    assert_eq!(adapter.balance().await, refused);
    assert_eq!(adapter.balance().await, refused);
    assert_eq!(adapter.balance().await, Ok(Usd(5_000_000)));
    assert!(matches!(
        adapter.buy(&request()).await.outcome,
        Purchase::Done(_)
    ));
    // and no price list is taken in
    assert_eq!(adapter.listing().await, Err(ReadFailure::Refused(wrong)));
    assert_eq!(server.seen().len(), 6);
}

#[tokio::test]
async fn only_what_may_pass_is_asked_again() {
    for (act, requests) in [
        (Act::Flood(2_000_000), 1),
        (Act::ok("{\"balance\":"), 1),
        (Act::ok("[1,2,3]"), 1),
        (Act::ok("ERROR_SQL"), 3),
        (Act::Answer(502, String::new()), 3),
        (Act::HangUp, 3),
    ] {
        let (server, adapter) = serving(vec![act.clone()]);
        let failure = adapter.balance().await.unwrap_err();
        assert_eq!(server.seen().len(), requests, "{act:?}");
        let unusable = matches!(failure, ReadFailure::Unusable(_));
        assert_eq!(unusable, requests == 1, "{act:?} {failure:?}");
    }
    let server = TestServer::start(vec![Act::Flood(crate::transport::LIST_MAX + 1)]);
    let mut settings = settings(&server.url);
    settings.account.timeout_ms = 30_000;
    let adapter = HandlerApi::new(settings).unwrap();
    let failure = adapter.listing().await.unwrap_err();
    assert!(failure.to_string().contains("larger than"), "{failure:?}");
    assert_eq!(server.seen().len(), 1);
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
        Act::Answer(500, "NO_NUMBERS".to_owned()),
        Act::Answer(503, "<html>busy</html>".to_owned()),
        Act::Answer(408, String::new()),
        Act::Answer(403, "<html>error code: 1010</html>".to_owned()),
        Act::Answer(404, String::new()),
        Act::ok(""),
        Act::ok("<!doctype html><html></html>"),
        Act::ok("no free phones"),
        Act::ok("ERROR_SQL"),
        Act::ok("ACCESS_NUMBER:635468024"),
        Act::ok("ACCESS_NUMBER:635468024:"),
        Act::ok("ACCESS_NUMBER::79584123456"),
        Act::ok("ACCESS_NUMBER:63-54:79584123456"),
        Act::ok("ACCESS_NUMBER:635468024:0079584"),
        Act::ok("ACCESS_NUMBER:635468024:number 79584123456 is yours"),
        Act::ok(&format!("ACCESS_NUMBER:{}:79584123456", "1".repeat(33))),
        Act::ok("{\"activationId\":1,\"phoneNum"),
        Act::ok("s3cret"),
    ] {
        assert_eq!(bought(act.clone()).await, Purchase::Unknown, "{act:?}");
    }
}

#[tokio::test]
async fn what_the_application_refuses_is_refused() {
    for (act, refusal) in [
        (Act::ok("NO_NUMBERS"), Refusal::NoStock),
        (Act::ok("NO_BALANCE"), Refusal::UpstreamFunds),
        (Act::ok("BAD_KEY"), Refusal::UpstreamAuth),
        (Act::ok("WRONG_MAX_PRICE:0.35"), Refusal::PriceMoved),
        (Act::ok("BAD_SERVICE"), Refusal::NotSold),
        (
            Act::ok("BANNED:2026-04-20 10-00-00"),
            Refusal::AccountBlocked,
        ),
        (
            Act::Answer(404, r#"{"title":"NO_NUMBERS","details":""}"#.to_owned()),
            Refusal::NoStock,
        ),
        (
            Act::Answer(402, r#"{"title":"?","details":""}"#.to_owned()),
            Refusal::UpstreamFunds,
        ),
        (
            Act::Answer(401, "unauthorized".to_owned()),
            Refusal::UpstreamAuth,
        ),
        (Act::Answer(429, "slow down".to_owned()), Refusal::Throttled),
    ] {
        assert_eq!(
            bought(act.clone()).await,
            Purchase::Refused(refusal),
            "{act:?}"
        );
    }
}

#[tokio::test]
async fn what_was_not_sent_is_refused() {
    install_provider();
    let adapter = HandlerApi::new(settings("http://127.0.0.1:1/x")).unwrap();
    let reply = adapter.buy(&request()).await;
    assert_eq!(reply.outcome, Purchase::Refused(Refusal::Unreachable));
    assert!(!reply.raw.contains("s3cret"), "{}", reply.raw);
    let free = NumberRequest {
        max_cost: Usd(0),
        ..request()
    };
    assert_eq!(
        adapter.buy(&free).await.outcome,
        Purchase::Refused(Refusal::PriceMoved)
    );
}

#[tokio::test]
async fn raw_answers_hold_no_key() {
    let (_server, adapter) = serving(vec![Act::ok("NO_NUMBERS for key s3cret")]);
    let reply = adapter.buy(&request()).await;
    assert_eq!(
        (reply.outcome, reply.raw.as_str()),
        (Purchase::Unknown, "NO_NUMBERS for key ***")
    );
    let debug = format!("{:?}", settings("http://bob:pass@127.0.0.1/"));
    assert!(
        !debug.contains("s3cret") && !debug.contains("pass"),
        "{debug}"
    );
}

#[tokio::test]
async fn statuses() {
    use domain::upstream::Sms;
    let code = |code: &str, text: Option<&str>| {
        NumberStatus::Code(Sms {
            code: code.to_owned(),
            text: text.map(str::to_owned),
        })
    };
    for (body, status) in [
        ("STATUS_WAIT_CODE", NumberStatus::Waiting),
        ("STATUS_WAIT_RETRY:1234", NumberStatus::WaitingRetry),
        ("STATUS_OK:0123", code("0123", None)),
        (
            "STATUS_OK:Your code is 0123",
            code("0123", Some("Your code is 0123")),
        ),
        ("STATUS_CANCEL", NumberStatus::ClosedAmbiguous),
        ("ALREADY_CANCELED", NumberStatus::Closed),
        (
            r#"{"verificationType":0,"sms":null,"call":null}"#,
            NumberStatus::Waiting,
        ),
        (
            r#"{"verificationType":0,"sms":{"dateTime":"","code":"","text":"use 0123"}}"#,
            code("0123", Some("use 0123")),
        ),
    ] {
        let server = TestServer::start(vec![Act::ok(body)]);
        let status_action = if body.starts_with('{') {
            StatusAction::GetStatusV2
        } else {
            StatusAction::GetStatus
        };
        let settings = HandlerApiSettings {
            status: status_action,
            ..settings(&server.url)
        };
        let adapter = HandlerApi::new(settings).unwrap();
        assert_eq!(adapter.status("635468024").await, Ok(status), "{body}");
        assert!(
            server.seen()[0].contains("&id=635468024 "),
            "{:?}",
            server.seen()
        );
    }
    for (act, failure) in [
        (Act::ok("NO_ACTIVATION"), ReadFailure::UnknownOrder),
        (
            Act::ok("BAD_KEY"),
            ReadFailure::Refused(Refusal::UpstreamAuth),
        ),
        (Act::ok("<html>"), ReadFailure::Refused(Refusal::Throttled)),
        (
            Act::ok("WHAT_IS_THIS"),
            ReadFailure::Unusable("not a status".to_owned()),
        ),
        (
            Act::Answer(500, "x".to_owned()),
            ReadFailure::Fault("HTTP status 500".to_owned()),
        ),
    ] {
        let (server, adapter) = serving(vec![act.clone()]);
        assert_eq!(adapter.status("1").await, Err(failure), "{act:?}");
        assert_eq!(server.seen().len(), 1, "a poll comes again by itself");
    }
}

#[tokio::test]
async fn active_numbers_carry_their_newest_message() {
    let body = r#"{"status":"success","activeActivations":[
        {"activationId":1,"serviceCode":"tg","phoneNumber":"79584123456","activationCost":0.2,
         "activationStatus":"3","smsCode":["11","22"],"smsText":"code 22",
         "activationTime":"2026-06-01 17:30:57","countryCode":"6"},
        {"activationId":"2","serviceCode":"wa","phoneNumber":"79584123457","activationStatus":"4",
         "smsCode":null,"smsText":null}]}"#;
    let (_server, adapter) = serving(vec![Act::ok(body)]);
    let listed = adapter.active().await.unwrap();
    assert_eq!(listed[0].sms.as_ref().unwrap().code, "22");
    assert_eq!(
        (listed[0].cost, listed[0].created_at),
        (Some(Usd(200_000)), None)
    );
    assert!(listed[0].retry_asked && !listed[1].retry_asked);
    assert_eq!(
        (listed[1].sms.clone(), listed[1].country.clone()),
        (None, None)
    );
    let (_server, adapter) = serving(vec![Act::ok("NO_ACTIVATIONS")]);
    assert_eq!(adapter.active().await, Ok(vec![]));
}

#[tokio::test]
async fn a_list_with_holes_proves_nothing() {
    let body = r#"[{"activationId":1,"serviceCode":"tg","phoneNumber":"79584123456"},{"odd":1}]"#;
    let (_server, adapter) = serving(vec![Act::ok(body)]);
    assert!(matches!(adapter.active().await, Err(ReadFailure::Fault(_))));
    let server = TestServer::start(vec![Act::ok(body)]);
    let mut settings = settings(&server.url);
    settings.capabilities.list_active = false;
    let adapter = HandlerApi::new(settings).unwrap();
    assert_eq!(adapter.active().await, Err(ReadFailure::NotOffered));
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn cancels() {
    let early = r#"{"title":"EARLY_CANCEL_DENIED","details":"","info":{"minActivationTime":180}}"#;
    for (act, outcome) in [
        (Act::ok("ACCESS_CANCEL"), CancelReply::Cancelled),
        (Act::ok("ACCESS_CANCEL_ALREADY"), CancelReply::Cancelled),
        (Act::ok("ALREADY_CANCELED"), CancelReply::Cancelled),
        (Act::ok("NO_ACTIVATION"), CancelReply::UnknownOrder),
        (Act::ok("BAD_STATUS"), CancelReply::BadTransition),
        (Act::ok("ACCESS_READY"), CancelReply::BadTransition),
        (Act::ok("EARLY_CANCEL_DENIED"), CancelReply::TooEarly(None)),
        (
            Act::Answer(409, early.to_owned()),
            CancelReply::TooEarly(Some(Millis::seconds(60))),
        ),
        (Act::ok("BAD_KEY"), CancelReply::Unknown),
        (
            Act::Answer(502, "ACCESS_CANCEL".to_owned()),
            CancelReply::Unknown,
        ),
        (Act::HangUp, CancelReply::Unknown),
    ] {
        let (server, adapter) = serving(vec![act.clone()]);
        assert_eq!(adapter.cancel("5").await.outcome, outcome, "{act:?}");
        let seen = server.seen();
        assert!(
            seen.len() == 1 && seen[0].contains("action=setStatus&id=5&status=8"),
            "{seen:?}"
        );
    }
}

#[tokio::test]
async fn finishing_and_balance() {
    let (server, adapter) = serving(vec![Act::ok("ACCESS_ACTIVATION")]);
    assert_eq!(adapter.finish("5").await, Ok(()));
    assert!(server.seen()[0].contains("action=setStatus&id=5&status=6"));
    let (_server, adapter) = serving(vec![Act::ok("BAD_STATUS")]);
    assert!(matches!(
        adapter.finish("5").await,
        Err(ReadFailure::Fault(_))
    ));
    let acts = vec![
        Act::Answer(500, "x".to_owned()),
        Act::ok("ACCESS_BALANCE:12.3456789"),
    ];
    let (server, adapter) = serving(acts);
    assert_eq!(adapter.balance().await, Ok(Usd(12_345_678)));
    assert_eq!(server.seen().len(), 2);
}

const COUNTRIES: &str =
    r#"{"6":{"id":6,"eng":"Indonesia","visible":1},"7":{"id":7,"eng":"Hidden","visible":0}}"#;
const SERVICES: &str = r#"{"status":"success","services":[{"code":"tg","name":"Telegram"}]}"#;

#[tokio::test]
async fn listings_are_whole_or_failures() {
    let prices = r#"{"6":{"tg":{"cost":0.18,"count":7},"wa":{"cost":0,"count":9}}}"#;
    let acts = vec![
        Act::ok(COUNTRIES),
        Act::Answer(503, String::new()),
        Act::ok(SERVICES),
        Act::ok(prices),
    ];
    let (server, adapter) = serving(acts);
    let listing = adapter.listing().await.unwrap();
    assert_eq!(
        listing.countries,
        [("6".to_owned(), "Indonesia".to_owned())]
    );
    assert_eq!(listing.services, [("tg".to_owned(), "Telegram".to_owned())]);
    let [offer] = listing.offers.as_slice() else {
        panic!("{:?}", listing.offers)
    };
    assert_eq!(
        (offer.cost, offer.available, offer.pool.clone()),
        (Usd(180_000), Some(7), None)
    );
    assert_eq!(server.seen().len(), 4);

    for (last, requests) in [
        (Act::ok("{}"), 3),
        (Act::ok(r#"{"status":"error","message":"BAD_KEY"}"#), 3),
        (Act::ok("null"), 3),
        (Act::ok(r#"{"6":{"tg":{"cost":0.18,"cou"#), 3),
    ] {
        let acts = vec![Act::ok(COUNTRIES), Act::ok(SERVICES), last.clone()];
        let (server, adapter) = serving(acts);
        assert!(adapter.listing().await.is_err(), "{last:?}");
        assert_eq!(server.seen().len(), requests, "{last:?}");
    }
}

#[tokio::test]
async fn pools_are_listed_per_provider() {
    let prices = r#"{"6":{"tg":{"11":{"count":3,"price":0.2,"provider_id":11}}}}"#;
    let server = TestServer::start(vec![Act::ok(COUNTRIES), Act::ok(SERVICES), Act::ok(prices)]);
    let settings = HandlerApiSettings {
        pools: true,
        ..settings(&server.url)
    };
    let listing = HandlerApi::new(settings).unwrap().listing().await.unwrap();
    assert_eq!(listing.offers[0].pool.as_deref(), Some("11"));
    assert!(server.seen()[2].contains("action=getPricesV3"));
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused() {
    install_provider();
    let mut free = settings("http://a.test/");
    free.account.usd_per_unit = Decimal::ZERO;
    assert!(matches!(
        HandlerApi::new(free),
        Err(BadUpstream::Exchange(_))
    ));
    assert!(matches!(
        HandlerApi::new(settings("nowhere")),
        Err(BadUpstream::Url(_))
    ));
}
