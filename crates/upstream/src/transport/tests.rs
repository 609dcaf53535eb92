//! The contract of the transport: what is sent once is sent once, and what is not known is said
//! to be unknown.

use super::*;
use crate::test_server::{Act, TestServer, install_provider};
use std::time::Instant;

fn transport(url: &str) -> Transport {
    let account = Account {
        timeout_ms: 400,
        connect_timeout_ms: 200,
        ..Account::new("test", url, "s3cret")
    };
    Transport::new(&account, false).unwrap()
}

async fn lost(act: Act) -> (Lost, usize) {
    let server = TestServer::start(vec![act]);
    let payload = Payload::Query("api_key=s3cret&action=getNumber");
    let lost = transport(&server.url).once(payload).await.unwrap_err();
    assert!(!lost.text().contains("s3cret"), "{}", lost.text());
    (lost, server.seen().len())
}

#[tokio::test]
async fn a_server_that_hangs_up_sees_exactly_one_request() {
    let (lost, seen) = lost(Act::HangUp).await;
    assert!(matches!(lost, Lost::Unknown(_)), "{lost:?}");
    assert_eq!(seen, 1);
}

#[tokio::test]
async fn a_closed_connection_is_never_tried_again_after_a_good_answer() {
    let server = TestServer::start(vec![Act::ok("one"), Act::HangUp]);
    let transport = transport(&server.url);
    assert_eq!(
        transport.once(Payload::Form("a=1")).await.unwrap().body,
        "one"
    );
    let second = transport.once(Payload::Form("a=2")).await.unwrap_err();
    assert!(matches!(second, Lost::Unknown(_)), "{second:?}");
    let seen = server.seen();
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen[1].ends_with("a=2"), "{seen:?}");
}

fn body(fetched: &Fetched) -> Result<String, ()> {
    Ok(fetched.body.clone())
}

#[tokio::test]
async fn a_long_answer_is_read_beside_the_threads_that_serve_others() {
    let here = std::thread::current().id();
    for (length, beside) in [(10, false), (INLINE_MAX + 1, true)] {
        let server = TestServer::start(vec![Act::ok(&"1".repeat(length))]);
        let transport = transport(&server.url);
        let read = transport.read(Payload::Form("a=1"), LIST_MAX, |_| {
            Ok::<_, ()>(std::thread::current().id())
        });
        assert_eq!(read.await.unwrap().unwrap() != here, beside, "{length}");
    }
}

/// Not even a parser that breaks takes more than the answer with it.
#[tokio::test]
async fn a_long_answer_that_breaks_its_parser_is_a_fault() {
    let server = TestServer::start(vec![Act::ok(&"1".repeat(INLINE_MAX + 1))]);
    let transport = transport(&server.url);
    let broken = |_: &Fetched| -> Result<(), ()> { panic!("broken on purpose") };
    let read = transport.read(Payload::Form("a=1"), LIST_MAX, broken);
    assert!(matches!(read.await, Err(ReadFailure::Unusable(_))));
}

#[tokio::test]
async fn purchases_share_no_connection_and_reads_do() {
    let server = TestServer::start(vec![Act::ok("x")]);
    let transport = transport(&server.url);
    for _ in 0..3 {
        transport.once(Payload::Form("a=1")).await.unwrap();
    }
    assert_eq!(server.connections(), 3);
    for _ in 0..3 {
        transport
            .read(Payload::Form("a=1"), ANSWER_MAX, body)
            .await
            .unwrap()
            .unwrap();
    }
    assert_eq!(server.connections(), 4);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_not_followed() {
    let server = TestServer::start(vec![Act::Redirect]);
    let fetched = transport(&server.url)
        .once(Payload::Form("a=1"))
        .await
        .unwrap();
    assert_eq!(fetched.status, 302);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn a_dripping_body_and_silence_hit_the_deadline() {
    for act in [Act::Drip, Act::Silence] {
        let started = Instant::now();
        let (lost, seen) = lost(act).await;
        assert!(matches!(lost, Lost::Unknown(_)), "{lost:?}");
        assert!(
            started.elapsed() < Duration::from_secs(3),
            "{:?}",
            started.elapsed()
        );
        assert_eq!(seen, 1);
    }
}

#[tokio::test]
async fn an_oversized_or_broken_body_is_unknown() {
    let (broken, seen) = lost(Act::BreakOff).await;
    assert!(matches!(broken, Lost::Unknown(_)), "{broken:?}");
    assert_eq!(seen, 1);
    let (large, seen) = lost(Act::Flood(ANSWER_MAX + 1)).await;
    assert!(matches!(large, Lost::TooLarge(_)), "{large:?}");
    assert_eq!(seen, 1);
    let server = TestServer::start(vec![Act::Flood(ANSWER_MAX)]);
    let account = Account {
        timeout_ms: 20_000,
        connect_timeout_ms: 1000,
        ..Account::new("test", &server.url, "")
    };
    let fetched = Transport::new(&account, false)
        .unwrap()
        .once(Payload::Query(""))
        .await
        .unwrap();
    assert_eq!(fetched.body.len(), ANSWER_MAX);
}

#[tokio::test]
async fn what_never_connected_was_not_sent() {
    install_provider();
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    for url in [
        format!("http://127.0.0.1:{port}/"),
        format!("https://user:s3cret@127.0.0.1:{port}/"),
        "http://no-such-host.invalid/".to_owned(),
    ] {
        let lost = transport(&url)
            .once(Payload::Query("api_key=s3cret"))
            .await
            .unwrap_err();
        assert!(matches!(lost, Lost::NotSent(_)), "{url} {lost:?}");
        assert!(!lost.text().contains("s3cret"), "{}", lost.text());
    }
}

#[tokio::test]
async fn a_failed_tls_handshake_was_not_sent() {
    let server = TestServer::start(vec![Act::HangUp]);
    let url = server.url.replace("http://", "https://");
    let lost = transport(&url)
        .once(Payload::Query("a=1"))
        .await
        .unwrap_err();
    assert!(matches!(lost, Lost::NotSent(_)), "{lost:?}");
    assert!(server.seen().iter().all(|request| !request.contains("a=1")));
}

#[tokio::test]
async fn a_tls_handshake_that_never_ends_was_not_sent() {
    let server = TestServer::start(vec![Act::Silence]);
    let started = Instant::now();
    let url = server.url.replace("http://", "https://");
    let lost = transport(&url)
        .once(Payload::Query("a=1"))
        .await
        .unwrap_err();
    assert!(matches!(lost, Lost::NotSent(_)), "{lost:?}");
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "{:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn requests_look_as_they_should() {
    let server = TestServer::start(vec![Act::ok("x")]);
    let transport = transport(&format!("{}?tenant=7", server.url));
    transport
        .read(
            Payload::Query("api_key=k&action=getBalance"),
            ANSWER_MAX,
            body,
        )
        .await
        .unwrap()
        .unwrap();
    transport
        .once(Payload::Form("key=k&action=balance"))
        .await
        .unwrap();
    let seen = server.seen();
    assert!(seen[0].starts_with("GET /api?tenant=7&api_key=k&action=getBalance HTTP/1.1"));
    assert!(seen[0].contains("user-agent: tollgate/0.1"), "{}", seen[0]);
    assert!(
        seen[1].starts_with("POST /api?tenant=7 HTTP/1.1"),
        "{}",
        seen[1]
    );
    assert!(
        seen[1].contains("application/x-www-form-urlencoded"),
        "{}",
        seen[1]
    );
    assert!(seen[1].ends_with("key=k&action=balance"), "{}", seen[1]);
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_without_their_secrets() {
    install_provider();
    for url in [
        "",
        "ftp://example.test/",
        "example.test",
        "file:///etc/passwd",
    ] {
        let account = Account {
            timeout_ms: 1,
            connect_timeout_ms: 1,
            ..Account::new("test", url, "s3cret")
        };
        assert!(
            matches!(Transport::new(&account, false), Err(BadUpstream::Url(_))),
            "{url}"
        );
    }
    let debug = format!("{:?}", transport("http://127.0.0.1:1/").redactor);
    assert!(!debug.contains("s3cret"));
}

#[tokio::test]
async fn reads_are_repeated_twice_and_only_where_it_can_help() {
    for (may_pass, tries) in [(true, 3), (false, 1)] {
        let mut seen = 0;
        let outcome: Result<(), u8> = retried(
            |_| may_pass,
            || {
                seen += 1;
                std::future::ready(Err(7))
            },
        )
        .await;
        assert_eq!((outcome, seen), (Err(7), tries));
    }
}

#[tokio::test]
async fn paths_below_the_url_are_escaped_and_the_key_can_travel_in_the_head() {
    let server = TestServer::start(vec![Act::ok("x")]);
    let url = format!("{}/?own=1", server.url);
    let account = Account {
        timeout_ms: 400,
        connect_timeout_ms: 200,
        ..Account::new("test", &url, "s3cret")
    };
    let transport = Transport::new(&account, true).unwrap();
    let get = Payload::Get {
        path: &["a b", "c/d"],
        query: "e=f",
    };
    transport.read(get, 10, body).await.unwrap().unwrap();
    let post = Payload::Post {
        path: &["a"],
        form: "e=f",
    };
    transport.once(post).await.unwrap();
    let seen = server.seen();
    assert!(
        seen[0].starts_with("GET /api/a%20b/c%2Fd?own=1&e=f HTTP/1.1"),
        "{}",
        seen[0]
    );
    assert!(
        seen[1].starts_with("POST /api/a?own=1 HTTP/1.1") && seen[1].ends_with("e=f"),
        "{}",
        seen[1]
    );
    for request in &seen {
        let head = request.to_ascii_lowercase();
        assert!(head.contains("authorization: bearer s3cret"), "{head}");
    }
}

#[test]
fn an_answer_that_refuses_for_a_while_says_for_how_long() {
    let of = |status, value: &'static str| {
        let headers = [("retry-after", value)];
        let headers = headers.map(|(name, value)| {
            let name = reqwest::header::HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        retry_after(status, &headers.into_iter().collect())
    };
    assert_eq!(of(429, "30"), Some(Millis::seconds(30)));
    assert_eq!(of(503, " 7 "), Some(Millis::seconds(7)));
    assert_eq!(of(200, "30"), None);
    for value in [
        "",
        "-1",
        "soon",
        "Mon, 23 Nov 2026 15:00:00 GMT",
        "99999999999",
    ] {
        assert_eq!(of(429, value), None, "{value}");
    }
    assert_eq!(retry_after(429, &HeaderMap::new()), None);
}

#[tokio::test]
async fn a_wait_that_is_over_is_not_remembered() {
    let busy = |line| Act::Beside(503, line, String::new());
    let throttled = Act::Answer(429, String::new());
    let acts = vec![busy("retry-after: 30"), throttled];
    let server = TestServer::start(acts);
    let transport = transport(&server.url);
    let payload = Payload::Form("a=1");
    transport.once(payload).await.unwrap();
    let later = |seconds| {
        let mut asked = transport.wait.lock().unwrap();
        asked.as_mut().unwrap().0 -= Duration::from_secs(seconds);
    };
    later(30);
    transport.once(payload).await.unwrap();
    assert_eq!(
        transport.asked_to_wait(),
        None,
        "the first one's time is over"
    );
}

#[test]
fn what_is_left_of_a_wait_is_nothing_once_it_is_over() {
    let left = |passed_ms| left_of(Millis(30_000), Duration::from_millis(passed_ms));
    assert_eq!(left(0), Some(Millis(30_000)));
    assert_eq!(left(29_999), Some(Millis(1)));
    assert_eq!(left(30_000), None);
    assert_eq!(left(u64::MAX), None);
}

#[tokio::test]
async fn a_pinned_address_is_spoken_to_without_looking_the_name_up() {
    let server = TestServer::start(vec![Act::ok("here")]);
    let url = Url::parse(&server.url).unwrap();
    let account = Account {
        pinned: Some((std::net::Ipv4Addr::LOCALHOST, 1).into()),
        ..Account::new(
            "test",
            &format!("http://nowhere.invalid:{}/api", url.port().unwrap()),
            "s3cret",
        )
    };
    let transport = Transport::new(&account, false).unwrap();
    let once = transport.once(Payload::Form("a=1")).await.unwrap();
    assert_eq!(once.body, "here");
    let read = transport.read(Payload::Form("a=2"), ANSWER_MAX, body).await;
    assert_eq!(read.unwrap(), Ok("here".to_owned()));
    let seen = server.seen().join("\n").to_ascii_lowercase();
    assert!(seen.contains("host: nowhere.invalid"), "{seen}");
}
