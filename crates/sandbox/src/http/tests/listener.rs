use crate::{Sandbox, Settings, accounts};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

fn settings() -> Settings {
    Settings {
        listen: "127.0.0.1:0".parse().unwrap(),
        state_file: None,
        seed: 1,
        offers: 0,
    }
}

/// Sends one request on a connection of its own and returns every byte that comes back.
async fn exchange(address: std::net::SocketAddr, path: &str) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    answer
}

fn paul(parameters: &str) -> String {
    let paul = accounts()
        .iter()
        .find(|account| account.name == "paul")
        .unwrap();
    format!("{}?api_key={}&{parameters}", paul.path, paul.key)
}

#[tokio::test]
async fn it_answers_over_a_socket_and_hangs_up_without_a_byte() {
    let running = Sandbox::start(settings()).await.unwrap();
    let address = running.addr;
    let balance = exchange(address, &paul("action=getBalance")).await;
    let balance = String::from_utf8(balance).unwrap();
    assert!(balance.starts_with("HTTP/1.1 200") && balance.ends_with("ACCESS_BALANCE:100000.0000"));
    for (service, booked) in [("sblostbefore", 0), ("sblostafter", 1)] {
        let query = paul(&format!("action=getNumber&country=6&service={service}"));
        assert_eq!(exchange(address, &query).await, b"", "{service}");
        let sold = String::from_utf8(exchange(address, "/_sandbox/orders").await).unwrap();
        assert_eq!(
            sold.matches("\"kind\":\"otp\"").count(),
            booked,
            "{service}"
        );
    }
    running.shutdown().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn shutdown_does_not_wait_for_idle_connections() {
    let running = Sandbox::start(settings()).await.unwrap();
    let idle = TcpStream::connect(running.addr).await.unwrap();
    let mut kept = TcpStream::connect(running.addr).await.unwrap();
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: sandbox\r\n\r\n",
        paul("action=getBalance")
    );
    kept.write_all(request.as_bytes()).await.unwrap();
    let mut buffer = [0; 512];
    assert!(kept.read(&mut buffer).await.unwrap() > 0);
    let stopped = tokio::time::timeout(Duration::from_secs(10), running.shutdown()).await;
    assert!(stopped.is_ok());
    drop(idle);
}

#[tokio::test]
async fn an_address_in_use_is_an_error() {
    let running = Sandbox::start(settings()).await.unwrap();
    let taken = Settings {
        listen: running.addr,
        ..settings()
    };
    assert!(Sandbox::start(taken).await.is_err());
    running.shutdown().await;
}
