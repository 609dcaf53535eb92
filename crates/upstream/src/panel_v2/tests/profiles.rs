//! What differs from panel to panel, and is said in its settings.

use super::*;

async fn answered(settings: PanelSettings, act: &str) -> (Purchase<String>, Vec<String>) {
    let server = TestServer::start(vec![Act::ok(act)]);
    let account = account("smm", &server.url);
    let panel = Panel::new(PanelSettings {
        account,
        ..settings
    })
    .unwrap();
    let outcome = panel.place(&request()).await.outcome;
    (outcome, server.seen())
}

fn plain() -> PanelSettings {
    settings("http://127.0.0.1:1/")
}

#[tokio::test]
async fn a_panel_that_takes_json_gets_numbers_as_numbers_and_its_address_as_given() {
    let server = TestServer::start(vec![
        Act::ok(r#"{"order":90210}"#),
        Act::ok(r#"{"7":{"status":"Pending","remains":"5"}}"#),
    ]);
    let panel = Panel::new(PanelSettings {
        account: account("smm", &format!("{}/v2/", server.url)),
        transport: PanelTransport::Json,
        bearer: true,
        ..plain()
    });
    let panel = panel.unwrap();
    let placed = panel.place(&request()).await.outcome;
    assert_eq!(placed, Purchase::Done("90210".to_owned()));
    assert_eq!(panel.statuses(&ids(&["7"])).await.unwrap().len(), 1);
    let seen = server.seen();
    let head = seen[0].to_ascii_lowercase();
    assert!(head.starts_with("post /api/v2/ http/1.1"), "{head}");
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(head.contains("authorization: bearer s3cret"), "{head}");
    let (_, body) = seen[0].split_once("\r\n\r\n").unwrap();
    let expected = concat!(
        r#"{"key":"s3cret","action":"add","service":1,"#,
        r#""link":"https://example.test/p/1?a=1&b=2","quantity":500,"#,
        r#""comments":"service disabled\naccount blocked"}"#
    );
    assert_eq!(body, expected);
    let body = r#"{"key":"s3cret","action":"status","orders":"7"}"#;
    assert!(seen[1].ends_with(body), "{}", seen[1]);
}

#[tokio::test]
async fn a_panel_that_takes_queries_is_asked_by_get() {
    let get = PanelSettings {
        transport: PanelTransport::Get,
        ..plain()
    };
    let (placed, seen) = answered(get, r#"{"order":90210}"#).await;
    assert_eq!(placed, Purchase::Done("90210".to_owned()));
    let start = "GET /api?key=s3cret&action=add&service=1&link=";
    assert!(seen[0].starts_with(start), "{}", seen[0]);
    let (_, seen) = answered(plain(), r#"{"order":90210}"#).await;
    assert!(!seen[0].to_ascii_lowercase().contains("authorization"));
}

#[tokio::test]
async fn ids_that_are_words_count_only_where_the_panel_has_such() {
    let words = || PanelSettings {
        text_ids: true,
        ..plain()
    };
    let long = format!(r#"{{"order":"{}"}}"#, "a".repeat(65));
    for (answer, id) in [
        (r#"{"order":"66f0c1-B2"}"#, Some("66f0c1-B2")),
        (r#"{"order":90210}"#, Some("90210")),
        (r#"{"order":"0"}"#, None),
        (r#"{"order":"007"}"#, None),
        (r#"{"order":true}"#, None),
        (r#"{"order":"a,b"}"#, None),
        (r#"{"order":"a b"}"#, None),
        (r#"{"order":""}"#, None),
        (long.as_str(), None),
    ] {
        let id = id.map_or(Purchase::Unknown, |id| Purchase::Done(id.to_owned()));
        assert_eq!(answered(words(), answer).await.0, id, "{answer}");
    }
    let plain = answered(plain(), r#"{"order":"66f0c1-B2"}"#).await;
    assert_eq!(plain.0, Purchase::Unknown);
}

#[tokio::test]
async fn an_order_that_carries_our_id_is_sent_again_once_where_the_panel_knows_it() {
    let placed = async |acts: Vec<Act>, knows: bool| {
        let server = TestServer::start(acts);
        let mut settings = settings(&server.url);
        settings.capabilities.idempotency_key = knows;
        let outcome = Panel::new(settings).unwrap().place(&request()).await;
        (outcome.outcome, server.seen())
    };
    let lost = || vec![Act::HangUp, Act::ok(r#"{"order":90210}"#)];
    let (outcome, seen) = placed(lost(), true).await;
    assert_eq!(outcome, Purchase::Done("90210".to_owned()));
    assert_eq!(seen.len(), 2);
    for request in &seen {
        assert!(
            request.ends_with("&request_id=tollgate-smm-7-1-0"),
            "{request}"
        );
    }
    // that the second was refused says nothing of the first
    let refused = Act::ok(r#"{"error":"Not enough funds"}"#);
    let (outcome, seen) = placed(vec![Act::HangUp, refused], true).await;
    assert_eq!((outcome, seen.len()), (Purchase::Unknown, 2));
    let (outcome, seen) = placed(lost(), false).await;
    assert_eq!((outcome, seen.len()), (Purchase::Unknown, 1));
    assert!(!seen[0].contains("request_id"), "{}", seen[0]);
}

#[tokio::test]
async fn words_of_a_panel_mean_what_its_settings_say() {
    let body = r#"{"1":{"status":"FAIL"},"2":{"status":"Queued"},"3":{"status":9},
        "4":{"status":"Completed"},"5":{"status":"Error"}}"#;
    let server = TestServer::start(vec![Act::ok(body)]);
    let word = |word: &str, progress| (word.to_owned(), progress);
    let panel = Panel::new(PanelSettings {
        status_words: vec![
            word("Fail", Progress::Canceled),
            word("queued", Progress::Pending),
            word("9", Progress::Partial),
            word("completed", Progress::InProgress),
        ],
        ..settings(&server.url)
    });
    let asked = ids(&["1", "2", "3", "4", "5"]);
    let rows = panel.unwrap().statuses(&asked).await.unwrap();
    let said = rows.into_iter().map(|(_, row)| row.unwrap());
    let said: Vec<_> = said.map(|row| (row.progress, row.raw_status)).collect();
    let expected = [
        (Some(Progress::Canceled), "FAIL"),
        (Some(Progress::Pending), "Queued"),
        (Some(Progress::Partial), "9"),
        (Some(Progress::InProgress), "Completed"),
        (None, "Error"),
    ];
    let expected = expected.map(|(progress, raw)| (progress, raw.to_owned()));
    assert_eq!(said, expected);
}
