//! Hostile answers to every call of every adapter: each is a failure that says why, costs bounded
//! bytes and time, and is never taken for a sale, an empty list or an end.

use super::gate::{Act, Gate};
use super::party::{TONGUES, Tongue, adapter, panel_adapter};
use domain::upstream::{
    CancelReply, NumberRequest, NumberUpstream, PanelRequest, PanelUpstream, Purchase, RefillReply,
};
use domain::usd::Usd;
use std::sync::Arc;
use tokio::task::JoinSet;
use upstream::Panel;

/// How long an adapter waits for an answer here, and for one that comes byte by byte, in
/// milliseconds.
const WAIT_MS: u64 = 5_000;
const DRIP_MS: u64 = 400;
/// Largest list that an adapter takes, and what a socket may hold besides, in bytes.
const LIST_MAX: usize = 30 * 1024 * 1024;
const SOCKET: usize = 16 * 1024 * 1024;
/// How often a list is asked for at most.
const TRIES: usize = 3;

const CHALLENGE: &[u8] = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head>\
    <body>Checking if the site connection is secure. error code: 1010</body></html>";
const ENDLESS: &str = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n";
const CHUNKED: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";

pub fn hostile() -> Vec<(&'static str, Act)> {
    let deep = "[".repeat(500_000);
    let deep_objects = "{\"a\":".repeat(300_000);
    let chunk = format!("4000\r\n{}\r\n", "[1,5".repeat(4096));
    let huge = "HTTP/1.1 200 OK\r\ncontent-length: 52428800\r\n\r\n";
    vec![
        ("50 MB", Act::Endless(huge, "[1,".to_owned())),
        (
            "an endless body",
            Act::Endless(ENDLESS, "{\"a\":1},".to_owned()),
        ),
        ("endless chunks", Act::Endless(CHUNKED, chunk)),
        (
            "an endless head",
            Act::Endless("HTTP/1.1 200 OK\r\n", "x-a: b\r\n".to_owned()),
        ),
        ("a byte a second", Act::Drip),
        ("deep arrays", Act::answer("200 OK", deep.as_bytes())),
        (
            "deep objects",
            Act::answer("200 OK", deep_objects.as_bytes()),
        ),
        ("a challenge", Act::answer("200 OK", CHALLENGE)),
        (
            "a refused challenge",
            Act::answer("403 Forbidden", CHALLENGE),
        ),
        (
            "a busy challenge",
            Act::answer("503 Unavailable", CHALLENGE),
        ),
        (
            "a server error",
            Act::answer("500 Oops", b"{\"error\":\"oops\"}"),
        ),
        ("a packed body", packed()),
        ("nothing", Act::answer("200 OK", b"")),
        ("no text at all", Act::answer("200 OK", &[0xff; 300])),
        (
            "half a document",
            Act::answer("200 OK", b"{\"order\":7, \"activationId"),
        ),
        ("no HTTP", Act::Say(b"hello\r\n\r\n".to_vec())),
        (
            "another place",
            Act::answer("302 Found\r\nlocation: http://127.0.0.1:9/", b""),
        ),
    ]
}

fn patience(act: &Act) -> u64 {
    match act {
        Act::Drip => DRIP_MS,
        _ => WAIT_MS,
    }
}

/// A packed answer that nobody asked for. It holds JSON; nobody may unpack it to find out.
fn packed() -> Act {
    let mut packed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255, 1, 2, 0, 253, 255];
    packed.extend_from_slice(b"{}\0\0\0\0\0\0\0\0");
    Act::answer(
        "200 OK\r\ncontent-encoding: gzip\r\ncontent-type: application/json",
        &packed,
    )
}

fn request() -> NumberRequest {
    NumberRequest {
        service: "tg".to_owned(),
        country: "6".to_owned(),
        pool: None,
        max_cost: Usd(180_000),
        reference: "tollgate-1-1-1780000000000".to_owned(),
    }
}

/// What was taken off the wire: no more than the answers a call asks for may hold.
fn bounded(gate: &Gate, before: usize, asked: usize, what: &str) {
    let taken = gate.written() - before;
    let most = asked * (LIST_MAX + SOCKET);
    assert!(taken <= most, "{what}: {taken} bytes were taken");
}

async fn besieged(what: String, upstream: Arc<dyn NumberUpstream>, gate: Gate, repeats: usize) {
    let reply = upstream.buy(&request()).await;
    assert_eq!(reply.outcome, Purchase::Unknown, "{what}: {}", reply.raw);
    assert!(
        reply.raw.len() <= 2048 && !reply.raw.contains("s3cret"),
        "{what}"
    );
    assert_eq!(
        gate.requests().len(),
        1 + repeats,
        "{what}: a purchase is sent once"
    );
    let small = (1 + repeats) * (1024 * 1024 + SOCKET);
    assert!(gate.written() <= small, "{what}: {} bytes", gate.written());
    let cancelled = upstream.cancel("635468024").await.outcome;
    assert_eq!(cancelled, CancelReply::Unknown, "{what}");
    assert!(upstream.status("635468024").await.is_err(), "{what}");
    assert!(upstream.finish("635468024").await.is_err(), "{what}");
    assert!(upstream.balance().await.is_err(), "{what}");
    let before = gate.written();
    assert!(upstream.active().await.is_err(), "{what}");
    assert!(upstream.listing().await.is_err(), "{what}");
    bounded(&gate, before, 1 + 4 * TRIES, &what);
}

async fn besieged_panel(what: &'static str, panel: Panel, gate: Gate) {
    let order = PanelRequest {
        service: "1".to_owned(),
        members: vec![
            ("link", "https://x.test/a".to_owned()),
            ("quantity", "5".to_owned()),
        ],
        ..PanelRequest::default()
    };
    let reply = panel.place(&order).await;
    assert_eq!(reply.outcome, Purchase::Unknown, "{what}: {}", reply.raw);
    assert!(
        reply.raw.len() <= 2048 && !reply.raw.contains("s3cret"),
        "{what}"
    );
    assert_eq!(gate.requests().len(), 1, "{what}: an order is sent once");
    assert_eq!(
        panel.cancel("7").await.outcome,
        CancelReply::Unknown,
        "{what}"
    );
    let refilled = panel.refill("7").await.outcome;
    // an error is a definite answer to a request that costs nothing
    let open = matches!(refilled, RefillReply::Unknown | RefillReply::Refused);
    assert!(open, "{what}: {refilled:?}");
    let ids = ["7".to_owned()];
    assert!(panel.statuses(&ids).await.is_err(), "{what}");
    assert!(panel.refill_statuses(&ids).await.is_err(), "{what}");
    assert!(panel.balance().await.is_err(), "{what}");
    let before = gate.written();
    assert!(panel.orders().await.is_err(), "{what}");
    assert!(panel.services().await.is_err(), "{what}");
    bounded(&gate, before, 1 + TRIES, what);
}

async fn all_of(mut cases: JoinSet<()>) {
    while let Some(case) = cases.join_next().await {
        case.unwrap();
    }
}

#[tokio::test]
async fn no_answer_of_a_seller_of_numbers_does_harm() {
    let mut cases = JoinSet::new();
    for (what, act) in hostile() {
        for (name, tongue) in TONGUES {
            let gate = Gate::alone(act.clone());
            let upstream = adapter(name, tongue, &gate.url(), "s3cret", patience(&act));
            let what = format!("{name} and {what}");
            let repeats = usize::from(tongue == Tongue::Repeating);
            cases.spawn(besieged(what, upstream, gate, repeats));
        }
    }
    all_of(cases).await;
}

#[tokio::test]
async fn no_answer_of_a_panel_does_harm() {
    let mut cases = JoinSet::new();
    for (what, act) in hostile() {
        let patience = patience(&act);
        let gate = Gate::alone(act);
        let panel = panel_adapter(&gate.url(), "s3cret", patience);
        cases.spawn(besieged_panel(what, panel, gate));
    }
    all_of(cases).await;
}

#[tokio::test]
async fn nothing_is_asked_for_in_packed_form() {
    for (name, tongue) in TONGUES {
        let gate = Gate::alone(Act::ok("[]"));
        let upstream = adapter(name, tongue, &gate.url(), "s3cret", WAIT_MS);
        assert!(upstream.balance().await.is_err());
        let heads = gate.requests().join("").to_ascii_lowercase();
        assert!(!heads.contains("accept-encoding"), "{name}: {heads}");
    }
}
