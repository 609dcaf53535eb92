//! The contract of the adapter: one request per order, and nothing said that is not known.

mod profiles;

use super::*;
use crate::test_server::{Act, TestServer, account, install_provider};
use domain::time::Timestamp;
use domain::upstream::{Progress, RefillProgress};
use domain::usd::Rate;

fn settings(url: &str) -> PanelSettings {
    PanelSettings::new(account("smm", url))
}

fn serving(acts: Vec<Act>) -> (TestServer, Panel) {
    let server = TestServer::start(acts);
    let panel = Panel::new(settings(&server.url)).unwrap();
    (server, panel)
}

fn request() -> PanelRequest {
    PanelRequest {
        service: "1".to_owned(),
        members: vec![
            ("link", "https://example.test/p/1?a=1&b=2".to_owned()),
            ("quantity", "500".to_owned()),
            ("comments", "service disabled\naccount blocked".to_owned()),
        ],
        reference: "tollgate-smm-7-1-0".to_owned(),
    }
}

async fn placed(act: Act) -> Purchase<String> {
    let (server, panel) = serving(vec![act]);
    let reply = panel.place(&request()).await;
    assert_eq!(server.seen().len(), 1, "{:?}", server.seen());
    assert!(
        !reply.raw.contains("s3cret") && reply.raw.len() <= 2048,
        "{}",
        reply.raw
    );
    reply.outcome
}

fn ids(ids: &[&str]) -> Vec<String> {
    ids.iter().map(|id| (*id).to_owned()).collect()
}

#[tokio::test]
async fn an_order_is_one_form_post() {
    let (server, panel) = serving(vec![Act::ok(r#"{"order":90210}"#)]);
    let reply = panel.place(&request()).await;
    assert_eq!(reply.outcome, Purchase::Done("90210".to_owned()));
    assert_eq!(reply.raw, r#"{"order":90210}"#);
    let seen = server.seen();
    assert_eq!(seen.len(), 1);
    let expected = "key=s3cret&action=add&service=1&link=https%3A%2F%2Fexample.test%2Fp%2F1%3Fa%3D1\
        %26b%3D2&quantity=500&comments=service+disabled%0Aaccount+blocked";
    assert!(
        seen[0].starts_with("POST /api HTTP/1.1") && seen[0].ends_with(expected),
        "{}",
        seen[0]
    );
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
        Act::Answer(500, r#"{"error":"Invalid API key"}"#.to_owned()),
        Act::Answer(503, r#"{"order":7}"#.to_owned()),
        Act::Answer(403, "<html>challenge</html>".to_owned()),
        Act::ok(""),
        Act::ok("<html></html>"),
        Act::ok(r#"{"order":0}"#),
        Act::ok(r#"{"order":"x7"}"#),
        Act::ok(r#"{"error":"Кажется, что-то сломалось"}"#),
        Act::ok(r#"{"error":"Cannot post: service disabled"}"#),
        Act::ok(r#"{"status":"success"}"#),
    ] {
        assert_eq!(placed(act.clone()).await, Purchase::Unknown, "{act:?}");
    }
}

#[tokio::test]
async fn what_the_panel_refuses_is_refused() {
    let link = Refusal::RejectedInput {
        member: Some("link"),
    };
    for (act, refusal) in [
        (
            Act::ok(r#"{"error":"Not enough funds on balance"}"#),
            Refusal::UpstreamFunds,
        ),
        (
            Act::ok(r#"{"error":"Invalid API key s3cret"}"#),
            Refusal::UpstreamAuth,
        ),
        (
            Act::ok(r#"{"error":"Incorrect service ID"}"#),
            Refusal::NotSold,
        ),
        (Act::ok(r#"{"error":"Bad link"}"#), link),
        (
            Act::ok(r#"{"error":"You have active order with this link."}"#),
            Refusal::DuplicateLink,
        ),
        (
            Act::Answer(429, r#"{"error":"?"}"#.to_owned()),
            Refusal::Throttled,
        ),
    ] {
        assert_eq!(
            placed(act.clone()).await,
            Purchase::Refused(refusal),
            "{act:?}"
        );
    }
    install_provider();
    let panel = Panel::new(settings("http://127.0.0.1:1/x")).unwrap();
    let reply = panel.place(&request()).await;
    assert_eq!(reply.outcome, Purchase::Refused(Refusal::Unreachable));
}

#[tokio::test]
async fn a_profile_may_trust_every_error() {
    let server = TestServer::start(vec![Act::ok(r#"{"error":"Кажется, нет"}"#)]);
    let settings = PanelSettings {
        error_means_refused: true,
        ..settings(&server.url)
    };
    let outcome = Panel::new(settings)
        .unwrap()
        .place(&request())
        .await
        .outcome;
    assert_eq!(
        outcome,
        Purchase::Refused(Refusal::RejectedInput { member: None })
    );
}

#[tokio::test]
async fn statuses_of_many() {
    let body = r#"{
        "1":{"charge":"0.27","start_count":"812","status":"Partial","remains":"140"},
        "2":{"charge":"0","status":"Canceled","remains":"-5"},
        "3":{"error":"Incorrect order ID"},
        "4":"Too many requests",
        "99":{"status":"Completed","charge":"1","remains":"0"},
        "1":{"status":"Completed","remains":"0"},
        "5":{"status":"Fail","remains":"Unknown"}}"#;
    let (server, panel) = serving(vec![Act::ok(body)]);
    let rows = panel
        .statuses(&ids(&["1", "2", "3", "4", "5", "6"]))
        .await
        .unwrap();
    assert!(server.seen()[0].ends_with("action=status&orders=1%2C2%2C3%2C4%2C5%2C6"));
    let order: Vec<&str> = rows.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!(order, ["1", "2", "3", "4", "5"]);
    let first = rows[0].1.clone().unwrap();
    assert_eq!(
        (first.progress, first.remains),
        (Some(Progress::Partial), Some(140))
    );
    assert_eq!(
        (first.charge, first.start_count),
        (Some(Usd(270_000)), Some(812))
    );
    assert_eq!(rows[1].1.clone().unwrap().remains, Some(-5));
    assert_eq!(rows[2].1, Err(ReadFailure::UnknownOrder));
    assert_eq!(rows[3].1, Err(ReadFailure::Refused(Refusal::Throttled)));
    let failed = rows[4].1.clone().unwrap();
    assert_eq!(
        (failed.progress, failed.remains, failed.raw_status.as_str()),
        (None, None, "Fail")
    );
}

#[tokio::test]
async fn batches_have_a_limit_and_failures_a_name() {
    let (server, panel) = serving(vec![Act::ok(r#"{"error":"Invalid API key"}"#)]);
    assert_eq!(panel.statuses(&[]).await, Ok(vec![]));
    let many: Vec<String> = (0..101).map(|id| id.to_string()).collect();
    assert_eq!(
        panel.statuses(&many).await,
        Err(ReadFailure::Refused(Refusal::OurFault))
    );
    assert!(server.seen().is_empty());
    let failed = panel.statuses(&ids(&["1"])).await;
    assert_eq!(failed, Err(ReadFailure::Refused(Refusal::UpstreamAuth)));
}

fn singly(server: &TestServer) -> Panel {
    let mut settings = settings(&server.url);
    settings.capabilities.ids_per_call = 1;
    Panel::new(settings).unwrap()
}

#[tokio::test]
async fn panels_without_the_plural_are_asked_for_one_id_in_a_call() {
    let server = TestServer::start(vec![
        Act::ok(r#"{"status":"Pending","remains":"500"}"#),
        Act::ok(r#"{"error":"Incorrect order ID"}"#),
        Act::Answer(500, String::new()),
    ]);
    let panel = singly(&server);
    let rows = panel.statuses(&ids(&["1"])).await.unwrap();
    assert_eq!(
        rows[0].1.as_ref().unwrap().progress,
        Some(Progress::Pending)
    );
    let rows = panel.statuses(&ids(&["2"])).await.unwrap();
    assert_eq!(rows, [("2".to_owned(), Err(ReadFailure::UnknownOrder))]);
    let two = panel.statuses(&ids(&["3", "4"])).await;
    assert_eq!(two, Err(ReadFailure::Refused(Refusal::OurFault)));
    let seen = server.seen();
    assert_eq!(seen.len(), 2, "one request for each call");
    assert!(seen[0].ends_with("action=status&order=1"));
    assert!(matches!(
        panel.statuses(&ids(&["3"])).await,
        Err(ReadFailure::Fault(_))
    ));
}

#[tokio::test]
async fn own_orders_where_they_are_listed() {
    let body = r#"[{"order":90211,"service":"1","link":"https://e.test/","quantity":"500",
        "charge":"0.45","status":"Pending","created":1780000100}]"#;
    let server = TestServer::start(vec![Act::ok(body), Act::ok("[7]"), Act::ok("[]")]);
    let settings = PanelSettings {
        lists_orders: true,
        ..settings(&server.url)
    };
    let panel = Panel::new(settings).unwrap();
    let listed = panel.orders().await.unwrap();
    assert_eq!(
        (listed[0].id.as_str(), listed[0].quantity),
        ("90211", Some(500))
    );
    assert_eq!(listed[0].charge, Some(Usd(450_000)));
    assert_eq!(listed[0].created_at, Some(Timestamp(1_780_000_100_000)));
    assert!(matches!(panel.orders().await, Err(ReadFailure::Fault(_))));
    assert_eq!(panel.orders().await, Ok(vec![]));
    let (server, plain) = serving(vec![Act::ok(body)]);
    assert_eq!(plain.orders().await, Err(ReadFailure::NotOffered));
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn cancels_are_requests() {
    for (act, outcome) in [
        (
            Act::ok(r#"[{"order":5,"cancel":1}]"#),
            CancelReply::Cancelled,
        ),
        (Act::ok(r#"{"status":"success"}"#), CancelReply::Cancelled),
        (
            Act::ok(r#"[{"order":5,"cancel":{"error":"Incorrect order ID"}}]"#),
            CancelReply::UnknownOrder,
        ),
        (
            Act::ok(r#"[{"order":5,"cancel":{"error":"Cancel is not available"}}]"#),
            CancelReply::BadTransition,
        ),
        (
            Act::ok(r#"{"cancel":{"error":"Incorrect order ID"}}"#),
            CancelReply::UnknownOrder,
        ),
        (
            Act::ok(r#"{"order":5,"cancel":{"error":"Order cannot be canceled"}}"#),
            CancelReply::BadTransition,
        ),
        (
            Act::ok(r#"{"error":"Too many requests"}"#),
            CancelReply::Unknown,
        ),
        (Act::ok(r#"[{"order":6,"cancel":1}]"#), CancelReply::Unknown),
        (Act::ok("[]"), CancelReply::Unknown),
        (
            Act::Answer(500, r#"[{"order":5,"cancel":1}]"#.to_owned()),
            CancelReply::Unknown,
        ),
        (Act::HangUp, CancelReply::Unknown),
    ] {
        let (server, panel) = serving(vec![act.clone()]);
        assert_eq!(panel.cancel("5").await.outcome, outcome, "{act:?}");
        assert_eq!(server.seen().len(), 1);
        assert!(
            server.seen()[0].ends_with("action=cancel&orders=5"),
            "{:?}",
            server.seen()
        );
    }
}

#[tokio::test]
async fn services_and_balance_in_dollars() {
    let body = r#"[
        {"service":1,"name":"Followers","type":"default","category":"Instagram","rate":"0.090",
         "min":"50","max":"10000","refill":true,"cancel":true},
        {"service":2,"name":"Pack","type":"Package","category":"x","rate":"2.5","min":1,"max":1},
        {"service":3,"name":"Odd","type":"Raffle","category":"x","rate":"1","min":1,"max":1}]"#;
    let server = TestServer::start(vec![
        Act::Answer(502, String::new()),
        Act::ok(body),
        Act::ok(r#"{"balance":"84.2091509","currency":"USD"}"#),
        Act::ok("[]"),
    ]);
    let settings = PanelSettings {
        rate_unit: RateUnit::from_units(100).unwrap(),
        ..settings(&server.url)
    };
    let panel = Panel::new(settings).unwrap();
    let services = panel.services().await.unwrap();
    let seen: Vec<_> = services
        .iter()
        .map(|s| (s.id.as_str(), s.kind, s.rate))
        .collect();
    let expected = [
        ("1", Some("Default"), Rate(900_000_000)),
        ("2", Some("Package"), Rate(2_500_000_000)),
        ("3", None, Rate(10_000_000_000)),
    ];
    assert_eq!(seen, expected);
    assert!(services[0].refill && services[0].cancel && !services[0].dripfeed);
    assert_eq!(panel.balance().await, Ok(Usd(84_209_150)));
    assert!(
        matches!(panel.services().await, Err(ReadFailure::Fault(_))),
        "never an empty list"
    );
}

#[tokio::test]
async fn secrets_stay_out_of_failures() {
    let (_server, panel) = serving(vec![Act::ok(r#"{"error":"weird s3cret"}"#)]);
    let failure = panel.statuses(&ids(&["1"])).await.unwrap_err();
    assert_eq!(
        failure,
        ReadFailure::Fault("answered 200 weird ***".to_owned())
    );
    let debug = format!("{:?}", settings("http://bob:pass@127.0.0.1/"));
    assert!(
        !debug.contains("s3cret") && !debug.contains("pass"),
        "{debug}"
    );
    assert_eq!(RateUnit::from_units(250), None);
}

#[tokio::test]
async fn an_order_that_was_split_names_its_parts_and_asks_for_none() {
    let parents = r#"{
        "7":{"status":"In progress","runs":"3","orders":["71",72]},
        "8":{"status":"Active","posts":"5","orders":[81]}}"#;
    let (server, panel) = serving(vec![Act::ok(parents)]);
    let rows = panel.statuses(&ids(&["7", "8"])).await.unwrap();
    assert_eq!(server.seen().len(), 1);
    let drip = rows[0].1.clone().unwrap();
    assert_eq!(
        (drip.child_ids, drip.children),
        (ids(&["71", "72"]), vec![])
    );
    assert_eq!(drip.progress, Some(Progress::InProgress));
}

#[tokio::test]
async fn refills_are_requests_with_an_id() {
    for (act, outcome) in [
        (
            Act::ok(r#"{"refill":"17"}"#),
            RefillReply::Taken("17".to_owned()),
        ),
        (
            Act::ok(r#"{"refill":17,"success":"Refill was created"}"#),
            RefillReply::Taken("17".to_owned()),
        ),
        (
            Act::ok(r#"{"error":"Order is not eligible for refill"}"#),
            RefillReply::Refused,
        ),
        (
            Act::ok(r#"{"error":"Incorrect order ID"}"#),
            RefillReply::Refused,
        ),
        (
            Act::Answer(429, r#"{"error":"Too many requests"}"#.to_owned()),
            RefillReply::Unknown,
        ),
        (
            Act::ok(r#"{"error":"Invalid API key"}"#),
            RefillReply::Unknown,
        ),
        (
            Act::ok(r#"{"refill":{"error":"Refill is not available"}}"#),
            RefillReply::Refused,
        ),
        (Act::ok("<html></html>"), RefillReply::Unknown),
        (Act::HangUp, RefillReply::Unknown),
    ] {
        let (server, panel) = serving(vec![act.clone()]);
        assert_eq!(panel.refill("5").await.outcome, outcome, "{act:?}");
        assert_eq!(server.seen().len(), 1, "asked once");
        assert!(server.seen()[0].ends_with("action=refill&order=5"));
    }
}

#[tokio::test]
async fn states_of_refills() {
    let body = r#"[{"refill":17,"status":"Completed"},{"refill":"18","status":"in_progress"},
        {"refill":19,"status":{"error":"Refill not found"}},{"refill":20,"status":"Dreaming"},
        {"refill":99,"status":"Completed"}]"#;
    let (server, panel) = serving(vec![Act::ok(body)]);
    let rows = panel
        .refill_statuses(&ids(&["17", "18", "19", "20"]))
        .await
        .unwrap();
    assert!(server.seen()[0].ends_with("action=refill_status&refills=17%2C18%2C19%2C20"));
    let expected = [
        ("17", Ok(RefillProgress::Completed)),
        ("18", Ok(RefillProgress::InProgress)),
        ("19", Err(ReadFailure::UnknownOrder)),
    ];
    assert_eq!(rows, expected.map(|(id, row)| (id.to_owned(), row)));

    let server = TestServer::start(vec![Act::ok(r#"{"status":"Rejected"}"#)]);
    let panel = singly(&server);
    let rows = panel.refill_statuses(&ids(&["17"])).await.unwrap();
    assert_eq!(rows, [("17".to_owned(), Ok(RefillProgress::Rejected))]);
    assert!(server.seen()[0].ends_with("action=refill_status&refill=17"));
}

#[tokio::test]
async fn a_refill_asked_for_alone_may_be_unknown_without_the_call_having_failed() {
    for text in ["Refill not found", "Incorrect order ID"] {
        let server = TestServer::start(vec![Act::ok(&format!(r#"{{"error":"{text}"}}"#))]);
        let rows = singly(&server).refill_statuses(&ids(&["17"])).await;
        let unknown = ("17".to_owned(), Err(ReadFailure::UnknownOrder));
        assert_eq!(rows, Ok(vec![unknown]), "{text}");
        assert_eq!(server.seen().len(), 1, "asked once");
    }
    let server = TestServer::start(vec![Act::ok(r#"{"error":"Invalid API key"}"#)]);
    let failure = singly(&server).refill_statuses(&ids(&["17"])).await;
    let refused = ReadFailure::Refused(Refusal::UpstreamAuth);
    assert_eq!(failure, Err(refused), "says nothing of the refill");
}

#[tokio::test]
async fn a_service_list_that_would_say_the_same_again_is_not_asked_again() {
    for (act, requests) in [
        (Act::Flood(crate::transport::LIST_MAX + 1), 1),
        (Act::ok("[{\"service\":1,"), 1),
        (Act::Answer(500, String::new()), 3),
    ] {
        let server = TestServer::start(vec![act.clone()]);
        let mut settings = settings(&server.url);
        settings.account.timeout_ms = 30_000;
        let failure = Panel::new(settings).unwrap().services().await;
        assert_eq!(server.seen().len(), requests, "{act:?} {failure:?}");
    }
}

#[tokio::test]
async fn an_account_in_another_currency_is_worth_nothing() {
    let euros = Act::ok(r#"{"balance":"84.20","currency":"EUR"}"#);
    let server = TestServer::start(vec![euros]);
    let with = |currency: Option<&str>| {
        let mut settings = settings(&server.url);
        settings.account.currency = currency.map(str::to_owned);
        Panel::new(settings).unwrap()
    };
    let wrong = Err(ReadFailure::Refused(Refusal::WrongCurrency));
    assert_eq!(with(Some("USD")).balance().await, wrong);
    assert_eq!(with(Some("eur")).balance().await, Ok(Usd(84_200_000)));
    assert_eq!(with(None).balance().await, Ok(Usd(84_200_000)));
    let services = with(Some("USD")).services().await;
    assert_eq!(services, Err(ReadFailure::Refused(Refusal::WrongCurrency)));
}

#[tokio::test]
async fn a_charge_in_another_currency_is_not_believed() {
    let body = r#"{"1":{"charge":"90","status":"Completed","remains":"0","currency":"INR"},
        "2":{"charge":"0.9","status":"Completed","remains":"0","currency":"USD"}}"#;
    let server = TestServer::start(vec![Act::ok(body)]);
    let mut settings = settings(&server.url);
    settings.account.currency = Some("USD".to_owned());
    let panel = Panel::new(settings).unwrap();
    let rows = panel.statuses(&ids(&["1", "2"])).await.unwrap();
    let charges: Vec<_> = rows
        .iter()
        .map(|(_, row)| row.as_ref().unwrap().charge)
        .collect();
    assert_eq!(charges, [None, Some(Usd(900_000))]);
}

/// A panel that answers an equal order within the window with the one it made.
fn recognising(server: &TestServer, dup_window: Millis) -> Panel {
    let mut settings = settings(&server.url);
    settings.account.timeout_ms = 1_000;
    settings.capabilities.late_window = Millis::seconds(60);
    settings.capabilities.dup_window = dup_window;
    Panel::new(settings).unwrap()
}

#[tokio::test]
async fn an_unknown_order_is_sent_once_more_only_safely_within_the_panels_window() {
    let sold = Act::ok(r#"{"order":90210}"#);
    let server = TestServer::start(vec![Act::HangUp, sold.clone()]);
    let reply = recognising(&server, Millis::seconds(90))
        .place(&request())
        .await;
    assert_eq!(reply.outcome, Purchase::Done("90210".to_owned()));
    let seen = server.seen();
    assert_eq!(seen.len(), 2);
    let body = |text: &str| text.split("\r\n\r\n").nth(1).map(str::to_owned);
    assert_eq!(body(&seen[0]), body(&seen[1]), "the same call");
    for short in [Millis(0), Millis::seconds(60)] {
        let server = TestServer::start(vec![Act::HangUp, sold.clone()]);
        let reply = recognising(&server, short).place(&request()).await;
        assert_eq!(reply.outcome, Purchase::Unknown);
        assert_eq!(server.seen().len(), 1, "{short:?}");
    }
}

#[tokio::test]
async fn a_repeat_that_is_refused_leaves_the_order_unknown() {
    for second in [
        r#"{"error":"You have active order with this link"}"#,
        r#"{"error":"Not enough funds on balance"}"#,
    ] {
        let server = TestServer::start(vec![Act::HangUp, Act::ok(second)]);
        let reply = recognising(&server, Millis::seconds(90))
            .place(&request())
            .await;
        assert_eq!(reply.outcome, Purchase::Unknown, "{second}");
        assert_eq!(server.seen().len(), 2);
    }
    let funds = Act::ok(r#"{"error":"Not enough funds on balance"}"#);
    let server = TestServer::start(vec![funds]);
    let reply = recognising(&server, Millis::seconds(90))
        .place(&request())
        .await;
    assert_eq!(reply.outcome, Purchase::Refused(Refusal::UpstreamFunds));
    assert_eq!(server.seen().len(), 1, "what is certain is not asked again");
}
