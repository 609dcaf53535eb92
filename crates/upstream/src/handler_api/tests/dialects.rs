//! What the profiles of the dialects change on the wire.

use super::*;
use crate::account::Account;

fn adapter(server: &TestServer, dialect: Dialect) -> HandlerApi {
    let account = Account {
        timeout_ms: 2000,
        ..account("juliet", &server.url)
    };
    HandlerApi::new(HandlerApiSettings::new(dialect, account)).unwrap()
}

/// An upstream that recognises our ids.
fn recognising(server: &TestServer) -> HandlerApi {
    let mut settings = HandlerApiSettings::new(Dialect::Classic, account("juliet", &server.url));
    settings.capabilities.idempotency_key = true;
    HandlerApi::new(settings).unwrap()
}

const SOLD: &str = r#"{"activationId":7,"phoneNumber":"79584123456","activationCost":0.15}"#;

#[tokio::test]
async fn an_unknown_purchase_is_sent_once_more_with_the_same_id_where_ids_are_recognised() {
    let server = TestServer::start(vec![Act::HangUp, Act::ok(SOLD)]);
    let reply = recognising(&server).buy(&request()).await;
    let Purchase::Done(number) = reply.outcome else {
        panic!("{reply:?}");
    };
    assert_eq!((number.id.as_str(), number.cost), ("7", Some(Usd(150_000))));
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    for request in &seen {
        assert!(
            request.contains("orderId=tollgate-7-1-1760000000000"),
            "{request}"
        );
    }
}

#[tokio::test]
async fn a_second_answer_that_is_no_sale_leaves_the_purchase_unknown() {
    for second in ["ORDER_ALREADY_EXISTS", "NO_NUMBERS", "BAD_KEY", ""] {
        let server = TestServer::start(vec![Act::HangUp, Act::ok(second)]);
        let reply = recognising(&server).buy(&request()).await;
        assert_eq!(reply.outcome, Purchase::Unknown, "{second}");
        assert_eq!(server.seen().len(), 2, "{second}");
    }
    let server = TestServer::start(vec![Act::ok("NO_NUMBERS")]);
    let reply = recognising(&server).buy(&request()).await;
    assert_eq!(reply.outcome, Purchase::Refused(Refusal::NoStock));
    assert_eq!(server.seen().len(), 1, "what is certain is not asked again");
}

#[tokio::test]
async fn no_dialect_sends_an_id_unless_told_to() {
    for (name, dialect) in Dialect::WORDS {
        let server = TestServer::start(vec![Act::HangUp]);
        let reply = adapter(&server, dialect).buy(&request()).await;
        assert_eq!(reply.outcome, Purchase::Unknown, "{name}");
        let seen = server.seen();
        assert_eq!(seen.len(), 1, "{name}");
        assert!(!seen[0].contains("orderId"), "{name}");
    }
}

#[tokio::test]
async fn price_and_text_beside_the_body_are_taken() {
    let sold = Act::Beside(
        200,
        "X-Price: 0.0525",
        "ACCESS_NUMBER:7:19175550100".to_owned(),
    );
    let code = Act::Beside(
        200,
        "X-Text: Your code is 0412",
        "STATUS_OK:0412".to_owned(),
    );
    let server = TestServer::start(vec![sold, code]);
    let daisy = adapter(&server, Dialect::DaisySms);
    let Purchase::Done(number) = daisy.buy(&request()).await.outcome else {
        panic!("not sold");
    };
    assert_eq!(number.cost, Some(Usd(52_500)));
    let NumberStatus::Code(sms) = daisy.status("7").await.unwrap() else {
        panic!("no code");
    };
    assert_eq!(sms.code, "0412");
    assert_eq!(sms.text.as_deref(), Some("Your code is 0412"));
    assert!(server.seen()[1].contains("&text=1"), "{:?}", server.seen());
    assert_eq!(daisy.active().await, Err(ReadFailure::NotOffered));
    assert_eq!(server.seen().len(), 2, "what is not offered is not asked");
}

fn page(ids: std::ops::Range<u32>) -> Act {
    let rows = ids.map(|id| {
        format!(r#"{{"activationId":{id},"serviceCode":"tg","phoneNumber":"79584123456"}}"#)
    });
    Act::ok(&format!("[{}]", rows.collect::<Vec<_>>().join(",")))
}

#[tokio::test]
async fn a_paged_active_list_is_read_to_its_end_with_overlapping_pages() {
    let server = TestServer::start(vec![page(0..100), page(75..175), page(150..160)]);
    let rows = adapter(&server, Dialect::Hero).active().await.unwrap();
    let ids: Vec<u32> = rows.iter().map(|row| row.id.parse().unwrap()).collect();
    assert_eq!(ids, (0..175).collect::<Vec<_>>());
    let seen = server.seen();
    assert_eq!(seen.len(), 3);
    assert!(seen[1].contains("start=75&limit=100"), "{}", seen[1]);
}

#[tokio::test]
async fn a_server_that_knows_no_pages_is_asked_twice_and_no_row_counts_twice() {
    let server = TestServer::start(vec![page(0..140)]);
    let rows = adapter(&server, Dialect::Hero).active().await.unwrap();
    assert_eq!((rows.len(), server.seen().len()), (140, 2));
}

#[tokio::test]
async fn an_upstream_without_names_is_listed_by_its_ids() {
    let prices = r#"{"7":{"tg":{"0.30":5,"0.20":2}},"2":{"wa":{"0.4":1}}}"#;
    let server = TestServer::start(vec![
        Act::ok("BAD_ACTION"),
        Act::ok("BAD_ACTION"),
        Act::ok(prices),
    ]);
    let listing = adapter(&server, Dialect::SmsHub).listing().await.unwrap();
    let ids = |pairs: &[(String, String)]| {
        let ids = pairs.iter().map(|(id, name)| format!("{id}={name}"));
        ids.collect::<Vec<_>>()
    };
    assert_eq!(ids(&listing.countries), ["2=2", "7=7"]);
    assert_eq!(ids(&listing.services), ["tg=tg", "wa=wa"]);
    assert_eq!(listing.offers.len(), 2);
    let first = &listing.offers[0];
    assert_eq!((first.cost, first.available), (Usd(200_000), Some(2)));
}

#[tokio::test]
async fn a_ladder_by_provider_is_one_offer_without_pools_and_one_for_each_with_them() {
    let answers = || {
        vec![
            Act::ok(r#"[{"id":2,"eng":"Kazakhstan"}]"#),
            Act::ok(r#"[{"code":"tg","name":"Telegram"}]"#),
            Act::ok(
                r#"{"2":{"tg":{"11":{"count":3,"price":0.2,"provider_id":11},
                "12":{"count":9,"price":0.25,"provider_id":12}}}}"#,
            ),
        ]
    };
    let server = TestServer::start(answers());
    let mut settings = HandlerApiSettings::new(Dialect::Grizzly, account("mark", &server.url));
    settings.ladder_min_stock = 5;
    let listing = HandlerApi::new(settings.clone()).unwrap().listing().await;
    let offers = listing.unwrap().offers;
    assert_eq!(offers.len(), 1);
    assert_eq!(
        (offers[0].cost, offers[0].available, &offers[0].pool),
        (Usd(250_000), Some(12), &None)
    );
    let server = TestServer::start(answers());
    settings.account.url.clone_from(&server.url);
    settings.pools = true;
    let listing = HandlerApi::new(settings).unwrap().listing().await.unwrap();
    let pools: Vec<_> = listing.offers.iter().map(|offer| &offer.pool).collect();
    assert_eq!(pools, [&Some("11".to_owned()), &Some("12".to_owned())]);
}
