//! TLS that ends in the program: who believes its certificate, and a new one without a restart.

use crate::served::{installation, spawn};
use crate::world::PROGRAM;
use reqwest::{Certificate, Client};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// A certificate for `sms.example.org`, signed by itself, beside its key.
fn issue(dir: &Path) -> Certificate {
    let made = Command::new("openssl")
        .current_dir(dir)
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
        .args(["ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=sms.example.org", "-addext"])
        .args(["subjectAltName=DNS:sms.example.org", "-addext"])
        .args(["basicConstraints=critical,CA:false"])
        .args(["-keyout", "key.pem", "-out", "chain.pem"])
        .output()
        .expect("openssl is needed");
    let why = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{why}");
    Certificate::from_pem(&std::fs::read(dir.join("chain.pem")).unwrap()).unwrap()
}

/// A caller who believes this certificate and no other.
fn caller(believed: Certificate, address: SocketAddr) -> Client {
    Client::builder()
        .tls_certs_only([believed])
        .resolve("sms.example.org", address)
        .build()
        .unwrap()
}

/// What a new connection brings; nothing where there is none.
async fn status(caller: &Client, address: SocketAddr) -> Option<u16> {
    let url = format!("https://sms.example.org:{}/readyz", address.port());
    let asked = caller.get(url).header("connection", "close");
    Some(asked.send().await.ok()?.status().as_u16())
}

async fn until(met: impl AsyncFn() -> bool, log: impl Fn() -> String) {
    let give_up = Instant::now() + Duration::from_secs(60);
    while !met().await {
        assert!(Instant::now() < give_up, "{}", log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn callers_are_answered_over_tls_and_a_renewed_certificate_needs_no_restart() {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let tls = "tls_cert_file = \"chain.pem\"\ntls_key_file = \"key.pem\"\n";
    let (dir, address) = installation(tls, "");
    let before = caller(issue(dir.path()), address);
    let server = spawn(Command::new(PROGRAM), dir.path());
    let log = || std::fs::read_to_string(dir.path().join("log")).unwrap();
    let ready = async || status(&before, address).await == Some(200);
    until(ready, log).await;

    let after = caller(issue(dir.path()), address);
    assert_eq!(status(&after, address).await, None, "it is not shown yet");
    server.signal("HUP");
    let said = async || log().contains("the certificate was read again");
    until(said, log).await;
    assert_eq!(status(&after, address).await, Some(200));

    std::fs::write(dir.path().join("key.pem"), "lost").unwrap();
    server.signal("HUP");
    let said = async || log().contains("key.pem holds no private key");
    until(said, log).await;
    assert_eq!(status(&after, address).await, Some(200), "the one before");
}
