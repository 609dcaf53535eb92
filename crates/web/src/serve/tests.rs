//! The listener as callers meet it: raw bytes over a socket, and what comes back.

use super::*;
use crate::around;
use axum::extract::{ConnectInfo, DefaultBodyLimit};
use axum::middleware::from_fn;
use axum::routing::{get, post};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{Instant, sleep, timeout};

pub(crate) mod tls;

const GOOD: &[u8] = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/// A running listener with a few handlers.
struct World {
    address: SocketAddr,
    stop: Stop,
    running: TaskTracker,
    finished: Arc<AtomicUsize>,
}

impl World {
    async fn start() -> Self {
        Self::with(Bounds::default()).await
    }

    async fn with(bounds: Bounds) -> Self {
        Self::over(None, bounds).await
    }

    async fn over(certificate: Option<Certificate>, bounds: Bounds) -> Self {
        let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, running, finished) = (Stop::new(), TaskTracker::new(), Arc::default());
        let router = router(Arc::clone(&finished));
        let entrance = Entrance {
            listener,
            certificate,
        };
        let serving = serve(entrance, router, bounds, stop.clone());
        running.spawn(async move { serving.await.unwrap() });
        Self {
            address,
            stop,
            running,
            finished,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Sends the bytes and reads until the server closes, which it must do by itself.
    async fn send(&self, bytes: &[u8]) -> String {
        let mut socket = self.connect().await;
        socket.write_all(bytes).await.unwrap();
        until_closed(&mut socket).await
    }

    async fn still_serves(&self, after: &str) {
        let answer = self.send(GOOD).await;
        assert!(
            answer.starts_with("HTTP/1.1 200 OK"),
            "after {after}: {answer}"
        );
    }
}

fn router(finished: Arc<AtomicUsize>) -> Router {
    let slow = move || async move {
        sleep(Duration::from_millis(500)).await;
        finished.fetch_add(1, Ordering::SeqCst);
        "slow"
    };
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route(
            "/who",
            get(|ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.ip().to_string() }),
        )
        .route("/echo", post(|body: Bytes| async { body }))
        .route("/slow", get(slow))
        .layer(DefaultBodyLimit::max(64 * 1024))
        .layer(from_fn(around::every_request))
}

async fn until_closed(socket: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    let reading = timeout(Duration::from_secs(5), socket.read_to_end(&mut answer));
    reading
        .await
        .expect("the server left the connection open")
        .unwrap();
    String::from_utf8(answer).unwrap()
}

/// Reads until the answer ends with `end`.
async fn until(socket: &mut TcpStream, end: &str) -> String {
    let mut answer = Vec::new();
    let reading = async {
        while !answer.ends_with(end.as_bytes()) {
            answer.push(socket.read_u8().await.unwrap());
        }
    };
    timeout(Duration::from_secs(5), reading)
        .await
        .expect("no such answer came");
    String::from_utf8(answer).unwrap()
}

fn statuses(answers: &str) -> Vec<&str> {
    answers
        .split("HTTP/1.1 ")
        .skip(1)
        .map(|answer| &answer[..3])
        .collect()
}

fn brief() -> Bounds {
    Bounds {
        head_timeout: Duration::from_millis(300),
        body_timeout: Duration::from_millis(300),
        idle_timeout: Duration::from_millis(1_500),
        ..Bounds::default()
    }
}

const REFUSED_HEADS: &[(&str, &str)] = &[
    (
        "length and chunked",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunked and length",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
    ),
    (
        "two equal lengths",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    ),
    (
        "two lengths",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    ),
    (
        "length as a list",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5,5\r\n\r\nhello",
    ),
    (
        "signed length",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello",
    ),
    (
        "huge length",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nhello",
    ),
    (
        "unknown coding",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "two codings",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "coding twice",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
    ),
    (
        "hidden coding",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    ),
    (
        "chunks in HTTP/1.0",
        "POST /echo HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    ),
    ("bare LF everywhere", "GET / HTTP/1.1\nHost: x\n\n"),
    (
        "bare LF after the request line",
        "GET / HTTP/1.1\nHost: x\r\n\r\n",
    ),
    (
        "bare LF between headers",
        "GET / HTTP/1.1\r\nHost: x\nContent-Length: 0\r\n\r\n",
    ),
    ("bare LF as the end", "GET / HTTP/1.1\r\nHost: x\r\n\n"),
    (
        "bare LF before the request",
        "\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
    ),
    ("bare CR", "GET / HTTP/1.1\r\nHost: x\rY: z\r\n\r\n"),
    (
        "folded header",
        "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    ),
    (
        "NUL in a header",
        "GET / HTTP/1.1\r\nHost: x\r\nX-API-Key: a\0b\r\n\r\n",
    ),
    ("no request at all", "{\"action\":\"balance\"}\r\n\r\n"),
    ("TLS", "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}"),
];

/// B-018, B-019.
#[tokio::test]
async fn heads_in_doubt_are_refused_and_the_connection_closed() {
    let world = World::start().await;
    for (name, bytes) in REFUSED_HEADS {
        // whatever follows must not be read as a request
        let answer = world.send(&[bytes.as_bytes(), GOOD].concat()).await;
        assert_eq!(statuses(&answer), ["400"], "{name}: {answer}");
        assert!(answer.contains("connection: close"), "{name}: {answer}");
        world.still_serves(name).await;
    }
}

#[tokio::test]
async fn heads_in_doubt_are_refused_byte_by_byte_as_well() {
    let world = World::start().await;
    for (name, bytes) in &REFUSED_HEADS[..4] {
        let mut socket = world.connect().await;
        socket.set_nodelay(true).unwrap();
        for byte in bytes.as_bytes() {
            if socket.write_all(&[*byte]).await.is_err() {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(
            statuses(&until_closed(&mut socket).await),
            ["400"],
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_refused_request_does_not_harm_the_one_before_it() {
    let world = World::start().await;
    let first = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    for (name, bytes) in REFUSED_HEADS {
        let answer = world.send([first, bytes].concat().as_bytes()).await;
        assert_eq!(statuses(&answer), ["200", "400"], "{name}: {answer}");
    }
}

/// B-019.
#[tokio::test]
async fn chunks_in_doubt_are_refused_and_the_connection_closed() {
    let world = World::start().await;
    let head = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunks = [
        "FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n",
        "10000000000000005\r\nhello\r\n0\r\n\r\n",
        "5\nhello\r\n0\r\n\r\n",
        "5\r\nhello\n0\r\n\r\n",
        "5;a\nb\r\nhello\r\n0\r\n\r\n",
        "5\r\nhello!\r\n0\r\n\r\n",
        "5\r\nhello\r\n0\r\nA: b\n\r\n",
        "5\r\nhello\r\n0\r\n\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "-5\r\nhello\r\n0\r\n\r\n",
        "\r\nhello\r\n0\r\n\r\n",
    ];
    for bytes in chunks {
        let answer = world
            .send(&[head.as_bytes(), bytes.as_bytes(), GOOD].concat())
            .await;
        assert_eq!(statuses(&answer), ["400"], "{bytes:?}: {answer}");
        world.still_serves(bytes).await;
    }
}

#[tokio::test]
async fn good_requests_are_served_in_turn_on_one_connection() {
    let world = World::start().await;
    let requests = [
        "GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\none\n\r\ntwo",
        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        "5;x=\"y\"\r\nthree\r\n4\r\nfour\r\n0\r\nSum: 1\r\n\r\n",
        "GET /who HTTP/1.1\r\nHost: x\r\n\r\n",
    ]
    .concat();
    let answer = world.send(&[requests.as_bytes(), GOOD].concat()).await;
    assert_eq!(statuses(&answer), ["200"; 5], "{answer}");
    for body in [
        "\r\n\r\none\n\r\ntwo",
        "\r\n\r\nthreefour",
        "\r\n\r\n127.0.0.1",
        "\r\n\r\nhello",
    ] {
        assert!(answer.contains(body), "{body:?} in {answer}");
    }
}

#[tokio::test]
async fn a_request_in_single_bytes_is_served() {
    let world = World::start().await;
    let mut socket = world.connect().await;
    socket.set_nodelay(true).unwrap();
    for byte in
        b"POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi"
    {
        socket.write_all(&[*byte]).await.unwrap();
        tokio::task::yield_now().await;
    }
    assert!(until_closed(&mut socket).await.ends_with("\r\n\r\nhi"));
}

/// B-016.
#[tokio::test]
async fn too_many_or_too_large_headers_are_431() {
    let world = World::start().await;
    let many: String = (0..200).map(|i| format!("X-{i}: y\r\n")).collect();
    let large = format!("X-Large: {}\r\n", "y".repeat(64 * 1024));
    for headers in [many, large] {
        let request = format!("GET / HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        let answer = world.send(request.as_bytes()).await;
        assert_eq!(statuses(&answer), ["431"], "{answer}");
        world.still_serves("large headers").await;
    }
}

/// A request line of any length: what is shorter than a head may be is 414 by its target alone.
#[tokio::test]
async fn a_request_line_too_long_is_414() {
    let world = World::start().await;
    for length in [20 << 10, 30 << 10, 100 << 10, 1 << 20] {
        let request = format!(
            "GET /?{} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
            "y".repeat(length)
        );
        let answer = world.send(request.as_bytes()).await;
        assert_eq!(statuses(&answer), ["414"], "{length}: {answer}");
        world.still_serves("a long request line").await;
    }
}

/// B-017.
#[tokio::test]
async fn a_body_far_too_large_is_413_and_the_answer_arrives() {
    let world = World::start().await;
    let head = format!(
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n",
        10 << 20
    );
    let answer = world
        .send(&[head.as_bytes(), &vec![b'y'; 10 << 20]].concat())
        .await;
    assert_eq!(statuses(&answer), ["413"], "{answer}");
    world.still_serves("a large body").await;
}

/// B-018.
#[tokio::test]
async fn a_body_shorter_than_its_length_is_400() {
    let world = World::start().await;
    let mut socket = world.connect().await;
    let request = b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhello";
    socket.write_all(request).await.unwrap();
    socket.shutdown().await.unwrap();
    assert_eq!(statuses(&until_closed(&mut socket).await), ["400"]);
}

#[tokio::test]
async fn a_body_longer_than_its_length_is_no_second_request() {
    let world = World::start().await;
    let request = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n{\"a\":1}";
    let answer = world.send(request.as_bytes()).await;
    assert_eq!(statuses(&answer), ["200", "400"], "{answer}");
}

/// B-026: there are no streams to reset.
#[tokio::test]
async fn http2_is_not_spoken() {
    let world = World::start().await;
    let answer = world
        .send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0")
        .await;
    assert!(!answer.contains("200"), "{answer}");
    world.still_serves("an HTTP/2 preface").await;
}

/// Sends a byte now and then, which must not win more time, until the server has closed.
async fn trickle(socket: &mut TcpStream) -> Duration {
    let since = Instant::now();
    while socket.write_all(b"G").await.is_ok() && since.elapsed() < Duration::from_secs(5) {
        sleep(Duration::from_millis(200)).await;
    }
    since.elapsed()
}

#[tokio::test]
async fn slow_heads_are_cut_on_new_and_on_used_connections() {
    let world = World::with(Bounds {
        idle_timeout: Duration::from_secs(30),
        ..brief()
    })
    .await;
    let (mut new, mut used) = (world.connect().await, world.connect().await);
    used.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    until(&mut used, "hello").await;
    for socket in [&mut new, &mut used] {
        let taken = trickle(socket).await;
        assert!(
            taken < Duration::from_secs(3),
            "bytes were taken for {taken:?}"
        );
    }
    world.still_serves("slow heads").await;
}

#[tokio::test]
async fn a_connection_without_a_request_is_cut() {
    let world = World::with(brief()).await;
    assert_eq!(until_closed(&mut world.connect().await).await, "");
}

#[tokio::test]
async fn a_slow_body_is_cut() {
    let world = World::with(brief()).await;
    let since = Instant::now();
    let request = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\nhello";
    let answer = world.send(request.as_bytes()).await;
    assert_eq!(statuses(&answer), ["400"], "{answer}");
    assert!(since.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn an_idle_connection_outlives_the_bound_on_heads_but_not_its_own() {
    let world = World::with(brief()).await;
    let mut socket = world.connect().await;
    for _ in 0..2 {
        socket
            .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            .await
            .unwrap();
        until(&mut socket, "hello").await;
        sleep(Duration::from_millis(600)).await;
    }
    assert_eq!(until_closed(&mut socket).await, "");
}

#[tokio::test]
async fn a_caller_who_hangs_up_cancels_nothing() {
    let world = World::start().await;
    let mut socket = world.connect().await;
    socket
        .write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    sleep(Duration::from_millis(100)).await;
    drop(socket);
    let finishing = async {
        while world.finished.load(Ordering::SeqCst) == 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(Duration::from_secs(5), finishing)
        .await
        .expect("the handler was cut");
}

#[tokio::test]
async fn a_caller_who_has_said_all_still_gets_the_answer() {
    let world = World::start().await;
    let mut socket = world.connect().await;
    socket
        .write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    socket.shutdown().await.unwrap();
    assert!(until_closed(&mut socket).await.ends_with("slow"));
}

#[tokio::test]
async fn stopping_lets_running_requests_end_and_takes_no_more() {
    let world = World::start().await;
    let (mut idle, mut busy) = (world.connect().await, world.connect().await);
    idle.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    until(&mut idle, "hello").await;
    busy.write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    sleep(Duration::from_millis(100)).await;
    assert_eq!(world.stop.connections(), 2);
    world.stop.within(Duration::from_secs(5));
    assert_eq!(until_closed(&mut idle).await, "");
    assert!(until_closed(&mut busy).await.ends_with("slow"));
    world.running.close();
    timeout(Duration::from_secs(2), world.running.wait())
        .await
        .expect("serve went on");
    assert!(TcpStream::connect(world.address).await.is_err());
}

#[tokio::test]
async fn stopping_cuts_what_outlasts_the_grace() {
    let world = World::start().await;
    let mut socket = world.connect().await;
    socket
        .write_all(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .unwrap();
    sleep(Duration::from_millis(100)).await;
    world.stop.within(Duration::from_millis(50));
    world.running.close();
    timeout(Duration::from_secs(2), world.running.wait())
        .await
        .expect("serve went on");
    assert_eq!(until_closed(&mut socket).await, "");
    assert_eq!(world.finished.load(Ordering::SeqCst), 0);
}
