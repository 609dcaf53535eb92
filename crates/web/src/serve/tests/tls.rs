//! The listener over TLS: what callers agree on with it, and those who do not.

use super::*;
use std::path::PathBuf;
use std::process::Command;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A folder with a certificate for `localhost`, signed by itself, and its key; removed with it.
pub(crate) struct Issued(PathBuf);

impl Issued {
    pub(crate) fn new() -> Self {
        let mut name = [0; 8];
        getrandom::fill(&mut name).unwrap();
        let folder = std::env::temp_dir().join(format!("tls-{}", u64::from_ne_bytes(name)));
        std::fs::create_dir(&folder).unwrap();
        let issued = Self(folder);
        issued.renew();
        issued
    }

    /// Another certificate with another key in place of the one before.
    fn renew(&self) {
        let (key, chain) = (self.key(), self.chain());
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt"])
            .args(["ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=localhost", "-addext"])
            .args(["subjectAltName=DNS:localhost", "-addext"])
            .args(["basicConstraints=critical,CA:false", "-keyout"])
            .args([&key, &PathBuf::from("-out"), &chain])
            .output();
        let made = made.expect("openssl is needed");
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
    }

    fn chain(&self) -> PathBuf {
        self.0.join("chain.pem")
    }

    fn key(&self) -> PathBuf {
        self.0.join("key.pem")
    }

    pub(crate) fn certificate(&self) -> Certificate {
        Certificate::read(&self.chain(), &self.key()).unwrap()
    }

    /// As a caller who believes the certificate that is in the folder now.
    pub(crate) async fn call(&self, address: SocketAddr) -> io::Result<TlsStream<TcpStream>> {
        self.call_with(address, rustls::ALL_VERSIONS, &[]).await
    }

    async fn call_with(
        &self,
        address: SocketAddr,
        versions: &[&'static rustls::SupportedProtocolVersion],
        protocols: &[&[u8]],
    ) -> io::Result<TlsStream<TcpStream>> {
        use rustls::pki_types::pem::PemObject;
        let mut roots = rustls::RootCertStore::empty();
        let own = rustls::pki_types::CertificateDer::from_pem_file(self.chain()).unwrap();
        roots.add(own).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap();
        let mut config = config.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = protocols.iter().map(|one| one.to_vec()).collect();
        let name = "localhost".try_into().unwrap();
        let socket = TcpStream::connect(address).await?;
        TlsConnector::from(Arc::new(config))
            .connect(name, socket)
            .await
    }
}

impl Drop for Issued {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

async fn said(stream: &mut TlsStream<TcpStream>, bytes: &[u8]) -> String {
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    let reading = timeout(Duration::from_secs(5), stream.read_to_end(&mut answer));
    reading.await.expect("no end came").unwrap();
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn callers_of_both_versions_are_answered_and_the_end_is_said() {
    let issued = Issued::new();
    let world = World::over(Some(issued.certificate()), Bounds::default()).await;
    for version in rustls::ALL_VERSIONS {
        let wanted: [&[u8]; 2] = [b"h2", b"http/1.1"];
        let calling = issued.call_with(world.address, std::slice::from_ref(version), &wanted);
        let mut stream = calling.await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        let long = "y".repeat(40_000);
        let request = format!(
            "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 40000\r\nConnection: close\r\n\r\n{long}"
        );
        let answer = said(&mut stream, request.as_bytes()).await;
        assert!(
            answer.starts_with("HTTP/1.1 200") && answer.ends_with(&long),
            "{version:?}"
        );
    }
}

#[tokio::test]
async fn what_is_doubtful_is_refused_as_without_tls_and_its_answer_arrives() {
    let issued = Issued::new();
    let world = World::over(Some(issued.certificate()), Bounds::default()).await;
    for (name, bytes) in REFUSED_HEADS {
        let mut stream = issued.call(world.address).await.unwrap();
        let answer = said(&mut stream, &[bytes.as_bytes(), GOOD].concat()).await;
        assert_eq!(statuses(&answer), ["400"], "{name}: {answer}");
    }
    let mut stream = issued.call(world.address).await.unwrap();
    let large = format!(
        "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\nConnection: close\r\n\r\n{}",
        "y".repeat(70_000)
    );
    let answer = said(&mut stream, large.as_bytes()).await;
    assert_eq!(statuses(&answer), ["413"], "{answer}");
}

#[tokio::test]
async fn who_does_not_agree_on_tls_is_let_go_and_nobody_waits_for_it() {
    let issued = Issued::new();
    let world = World::over(Some(issued.certificate()), brief()).await;
    let mut silent = world.connect().await;
    let mut plain = world.connect().await;
    plain.write_all(GOOD).await.unwrap();
    let mut heard = Vec::new();
    let ending = async {
        // neither a reset nor an alert is an answer
        let _ = plain.read_to_end(&mut heard).await;
        let mut nothing = Vec::new();
        let _ = silent.read_to_end(&mut nothing).await;
        assert!(nothing.is_empty());
    };
    timeout(Duration::from_secs(5), ending)
        .await
        .expect("both are closed");
    assert!(!String::from_utf8_lossy(&heard).contains("HTTP/1.1"));
    let mut stream = issued.call(world.address).await.unwrap();
    assert_eq!(statuses(&said(&mut stream, GOOD).await), ["200"]);
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_from_the_next_connection_on() {
    let issued = Issued::new();
    let certificate = issued.certificate();
    let world = World::over(Some(certificate.clone()), Bounds::default()).await;
    let mut before = issued.call(world.address).await.unwrap();
    issued.renew();
    assert!(
        issued.call(world.address).await.is_err(),
        "the new one is not shown yet"
    );
    certificate.read_again().unwrap();
    let mut after = issued.call(world.address).await.unwrap();
    assert_eq!(statuses(&said(&mut after, GOOD).await), ["200"]);
    assert_eq!(statuses(&said(&mut before, GOOD).await), ["200"]);
}

#[test]
fn files_that_cannot_be_used_are_named_and_change_nothing() {
    let (one, other) = (Issued::new(), Issued::new());
    let certificate = one.certificate();
    let refused = |chain: &PathBuf, key: &PathBuf| match Certificate::read(chain, key) {
        Ok(_) => panic!("taken"),
        Err(error) => error.to_string(),
    };
    let empty = one.0.join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let nowhere = one.0.join("nowhere.pem");
    for (chain, key, named) in [
        (empty.clone(), one.key(), "empty.pem holds no certificate"),
        (
            nowhere.clone(),
            one.key(),
            "nowhere.pem holds no certificate",
        ),
        (one.key(), one.key(), "key.pem holds no certificate"),
        (one.chain(), empty, "empty.pem holds no private key"),
        (one.chain(), nowhere, "nowhere.pem holds no private key"),
        (one.chain(), one.chain(), "chain.pem holds no private key"),
        (
            one.chain(),
            other.key(),
            "the key does not fit the certificate",
        ),
    ] {
        let why = refused(&chain, &key);
        assert!(why.contains(named), "{named}: {why}");
    }
    std::fs::remove_file(one.key()).unwrap();
    assert!(certificate.read_again().is_err());
}
