//! Clients that are gone before their purchase is done, over real sockets.

use super::world::{BUY, PLACE, World};
use crate::serve::tests::tls::Issued;
use crate::serve::{Bounds, Certificate, Entrance, Stop, listen, serve};
use domain::ids::OrderId;
use domain::ports::Store;
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

const SLOW: &str = r#"{"service_id":"slow","country_id":61}"#;

async fn listening(world: &World) -> SocketAddr {
    listening_over(world, None).await
}

async fn listening_over(world: &World, certificate: Option<Certificate>) -> SocketAddr {
    let listener = listen(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = listener.local_addr().unwrap();
    let entrance = Entrance {
        listener,
        certificate,
    };
    let serving = serve(
        entrance,
        world.router.clone(),
        Bounds::default(),
        Stop::new(),
    );
    world.tasks.spawn(async move { serving.await.unwrap() });
    address
}

/// Sends a purchase and waits until its hold stands.
async fn purchase(world: &World, (target, body): (&str, &str), header: &str) -> TcpStream {
    let mut socket = TcpStream::connect(listening(world).await).await.unwrap();
    ask_for(world, &mut socket, (target, body), header).await;
    socket
}

/// Sends a purchase and waits until its hold stands.
async fn ask_for(
    world: &World,
    socket: &mut (impl AsyncWrite + Unpin),
    (target, body): (&str, &str),
    header: &str,
) {
    let request = format!(
        "POST {target} HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nConnection: close\r\n{header}\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        world.key,
        body.len()
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    until("the hold", async || world.books().await.open_holds == 1).await;
    // from the commit to the call is no time that anybody could see
    sleep(Duration::from_millis(20)).await;
}

async fn until(what: &str, met: impl AsyncFn() -> bool) {
    let meeting = async {
        while !met().await {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let waited = timeout(Duration::from_secs(5), meeting).await;
    assert!(waited.is_ok(), "{what} never came");
}

async fn answer(mut socket: TcpStream) -> String {
    let mut text = String::new();
    let reading = timeout(Duration::from_secs(5), socket.read_to_string(&mut text));
    reading.await.unwrap().unwrap();
    text
}

/// The only activation there is, as the store has it.
async fn activation(world: &World) -> domain::activation::Activation {
    let order = OrderId(100_001);
    world.store.activation(order).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_number_that_nobody_could_be_told_of_is_undone() {
    let world = World::start().await;
    let socket = purchase(&world, (BUY, SLOW), "").await;
    drop(socket);
    sleep(Duration::from_millis(100)).await;
    world.numbers.gate.add_permits(1);
    until("the undo", async || {
        activation(&world).await.state.slug() == "undo"
    })
    .await;
    assert_eq!(world.numbers.sold.load(Ordering::SeqCst), 1);
    let audit = world.books().await;
    assert_eq!(
        (audit.open_holds, audit.orders),
        (1, 0),
        "held until it is cancelled upstream"
    );
}

#[tokio::test]
async fn who_hangs_up_over_tls_is_missed_as_soon() {
    let world = World::start().await;
    let issued = Issued::new();
    let address = listening_over(&world, Some(issued.certificate())).await;
    let mut stream = issued.call(address).await.unwrap();
    ask_for(&world, &mut stream, (BUY, SLOW), "").await;
    stream.shutdown().await.unwrap();
    drop(stream);
    sleep(Duration::from_millis(100)).await;
    world.numbers.gate.add_permits(1);
    until("the undo", async || {
        activation(&world).await.state.slug() == "undo"
    })
    .await;
}

#[tokio::test]
async fn who_came_over_tls_that_ends_here_is_told_to_use_nothing_else() {
    let world = World::start().await;
    let issued = Issued::new();
    let address = listening_over(&world, Some(issued.certificate())).await;
    let mut stream = issued.call(address).await.unwrap();
    let request = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(
        answer.contains("strict-transport-security: max-age=31536000"),
        "{answer}"
    );
}

#[tokio::test]
async fn a_number_for_a_client_that_waits_is_its_own() {
    let world = World::start().await;
    let socket = purchase(&world, (BUY, SLOW), "").await;
    world.numbers.gate.add_permits(1);
    let text = answer(socket).await;
    assert!(
        text.starts_with("HTTP/1.1 200") && text.contains("+92300"),
        "{text}"
    );
    assert_eq!(activation(&world).await.state.slug(), "active");
}

#[tokio::test]
async fn a_half_closed_client_is_told_that_nobody_knows() {
    let world = World::start().await;
    let mut socket = purchase(&world, (BUY, SLOW), "").await;
    socket.shutdown().await.unwrap();
    let text = answer(socket).await;
    assert!(
        text.starts_with("HTTP/1.1 503") && text.contains("purchase_outcome_unknown"),
        "{text}"
    );
    world.numbers.gate.add_permits(1);
    until("the undo", async || {
        activation(&world).await.state.slug() == "undo"
    })
    .await;
}

#[tokio::test]
async fn a_half_closed_client_with_a_key_gets_a_promise_and_later_the_number() {
    let world = World::start().await;
    let mut socket = purchase(&world, (BUY, SLOW), "Idempotency-Key: k-1\r\n").await;
    socket.shutdown().await.unwrap();
    let text = answer(socket).await;
    assert!(
        text.starts_with("HTTP/1.1 202") && text.contains("\"pending\""),
        "{text}"
    );
    world.numbers.gate.add_permits(1);
    until("the number", async || {
        activation(&world).await.state.slug() == "active"
    })
    .await;
    assert_eq!(activation(&world).await.disclosed_at, None);
    let replay = world.post(BUY, &[("idempotency-key", "k-1")], SLOW).await;
    assert_eq!(
        (replay.status, replay.header("idempotent-replayed")),
        (200, Some("true"))
    );
    assert!(activation(&world).await.disclosed_at.is_some());
}

#[tokio::test]
async fn an_smm_order_of_a_client_that_is_gone_is_undone() {
    let world = World::start().await;
    let body = r#"{"service_id":1,"link":"https://instagram.com/slow","quantity":500}"#;
    drop(purchase(&world, (PLACE, body), "").await);
    sleep(Duration::from_millis(100)).await;
    world.panel.gate.add_permits(1);
    let order = OrderId(100_001);
    until("the undo", async || {
        let found = world.store.smm_order(order).await.unwrap();
        found.unwrap().state.slug() != "calling"
    })
    .await;
    let found = world.store.smm_order(order).await.unwrap().unwrap();
    assert_eq!(found.state.slug(), "undo");
    assert_eq!(world.panel.placed.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn reads_of_half_closed_clients_are_answered() {
    let world = World::start().await;
    let mut socket = TcpStream::connect(listening(&world).await).await.unwrap();
    let request = format!(
        "GET /api/v1/otp?action=balance HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\n\r\n",
        world.key
    );
    socket.write_all(request.as_bytes()).await.unwrap();
    socket.shutdown().await.unwrap();
    let text = answer(socket).await;
    assert!(
        text.starts_with("HTTP/1.1 200") && text.contains("50.000000"),
        "{text}"
    );
}

#[tokio::test]
async fn a_client_gone_before_the_purchase_began_gets_nothing_bought() {
    let world = World::start().await;
    let address = listening(&world).await;
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST {BUY} HTTP/1.1\r\nHost: x\r\nX-API-Key: {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{SLOW}",
        world.key,
        SLOW.len()
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    socket.shutdown().await.unwrap();
    let text = answer(socket).await;
    assert!(text.contains("purchase_outcome_unknown"), "{text}");
    world.numbers.gate.add_permits(1);
    // whether the end was seen before or after the hold, nothing is ever sold to this client
    let found = world.store.activation(OrderId(100_001)).await.unwrap();
    assert!(found.is_none_or(|found| found.told == domain::order::Told::Failed));
}
