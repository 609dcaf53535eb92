//! Traces of requests at a collector.

use crate::served::Served;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

const CANARY: &str = "k3y-of-a-customer-in-a-query";

/// A collector that keeps what it is sent.
#[derive(Clone)]
struct Collector {
    kept: Arc<Mutex<Vec<u8>>>,
    answers: &'static str,
}

impl Collector {
    fn start(answers: &'static str) -> (Self, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let collector = Self {
            kept: Arc::default(),
            answers,
        };
        let kept = collector.clone();
        thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let kept = kept.clone();
                thread::spawn(move || kept.listen(socket));
            }
        });
        (collector, port)
    }

    /// Answers each request that is whole; nobody here sends the next one before.
    fn listen(&self, mut socket: TcpStream) {
        let mut piece = vec![0; 64 * 1024];
        let mut request = Vec::new();
        while let Ok(length @ 1..) = socket.read(&mut piece) {
            request.extend_from_slice(&piece[..length]);
            if !is_whole(&request) {
                continue;
            }
            self.kept.lock().unwrap().append(&mut request);
            let answer = format!("HTTP/1.1 {}\r\ncontent-length: 0\r\n\r\n", self.answers);
            socket.write_all(answer.as_bytes()).unwrap();
        }
    }

    fn holds(&self, text: &str) -> bool {
        let kept = self.kept.lock().unwrap();
        kept.windows(text.len()).any(|part| part == text.as_bytes())
    }
}

/// Whether a request has as many bytes as it says.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
    let end = request.windows(4).position(|four| four == b"\r\n\r\n");
    end.is_some_and(|end| request.len() >= end + 4 + length)
}

#[tokio::test]
async fn a_collector_hears_what_a_request_went_through_and_no_secret() {
    let (collector, port) = Collector::start("200 OK");
    let settings = format!(
        "[traces]\notlp_url = \"http://127.0.0.1:{port}/v1/traces\"\ntoken = \"t0ken-of-ours\"\n"
    );
    let mut served = Served::start(&settings, 0).await;
    let answer = served.client.get("/api/v1/otp?action=balance").await;
    assert_eq!(answer.status, 200);
    served
        .client
        .get(&format!("/api/v1/otp?action=balance&secret={CANARY}"))
        .await;
    served.stop();
    let give_up = Instant::now() + Duration::from_secs(10);
    while !collector.holds("/api/v1/otp") {
        assert!(Instant::now() < give_up, "{}", served.log());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    for told in [
        "POST /v1/traces HTTP/1.1",
        "Bearer t0ken-of-ours",
        "tollgate",
        "http.response.status_code",
        "balance",
        "issue_key",
    ] {
        assert!(collector.holds(told), "{told}");
    }
    assert!(!collector.holds(CANARY), "a query is no part of a trace");
}

#[tokio::test]
async fn a_collector_that_refuses_is_told_of_in_the_log() {
    let (_, port) = Collector::start("401 Unauthorized");
    let settings = format!("[traces]\notlp_url = \"http://127.0.0.1:{port}/v1/traces\"\n");
    let mut served = Served::start(&settings, 0).await;
    served.client.get("/api/v1/otp?action=balance").await;
    served.stop();
    served.says("traces do not reach their collector").await;
    assert!(
        served.log().contains("401 Unauthorized"),
        "{}",
        served.log()
    );
}
