//! A hand-written HTTP server for contract tests: it counts what it was sent and misbehaves on
//! purpose.

use crate::account::Account;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError};
use std::thread;
use std::time::Duration;

/// What to do with a request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Answer with this status and body.
    Answer(u16, String),
    /// Answer with this status, this header line and this body.
    Beside(u16, &'static str, String),
    /// Read the request, then close the connection.
    HangUp,
    /// Answer the head, then one byte every so often, for ever.
    Drip,
    /// Answer a body of this many bytes.
    Flood(usize),
    /// Promise more than is sent.
    BreakOff,
    /// Send the caller to another path of this server.
    Redirect,
    /// Read the request and never answer.
    Silence,
}

impl Act {
    /// Status 200 with this body.
    pub(crate) fn ok(body: &str) -> Self {
        Self::Answer(200, body.to_owned())
    }
}

/// A running server; every connection carries one request unless it is kept alive.
pub(crate) struct TestServer {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl TestServer {
    /// Does these acts in order, the last one again and again.
    pub(crate) fn start(acts: Vec<Act>) -> Self {
        install_provider();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/api", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let connections = Arc::new(AtomicUsize::new(0));
        let opened = Arc::clone(&connections);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                opened.fetch_add(1, Ordering::SeqCst);
                let (log, acts) = (Arc::clone(&log), acts.clone());
                thread::spawn(move || serve(stream, &log, &acts));
            }
        });
        Self {
            url,
            seen,
            connections,
        }
    }

    /// How many connections were opened so far.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Every request so far: request line, head and body.
    pub(crate) fn seen(&self) -> Vec<String> {
        lock(&self.seen).clone()
    }
}

/// Clients cannot be built without a TLS provider; the program installs it at start.
pub(crate) fn install_provider() {
    static INSTALL: Once = Once::new();
    INSTALL.call_once(|| {
        rustls::crypto::ring::default_provider()
            .install_default()
            .unwrap();
    });
}

fn lock(seen: &Mutex<Vec<String>>) -> MutexGuard<'_, Vec<String>> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn serve(mut stream: TcpStream, seen: &Mutex<Vec<String>>, acts: &[Act]) {
    while let Some(request) = read_request(&mut stream) {
        let at = {
            let mut seen = lock(seen);
            seen.push(request);
            seen.len() - 1
        };
        let act = &acts[at.min(acts.len() - 1)];
        if perform(&mut stream, act).is_err() || !matches!(act, Act::Answer(..) | Act::Beside(..)) {
            return;
        }
    }
}

fn perform(stream: &mut TcpStream, act: &Act) -> std::io::Result<()> {
    let head = |status: u16, length: usize| {
        format!("HTTP/1.1 {status} X\r\ncontent-type: text/html\r\ncontent-length: {length}\r\n")
    };
    match act {
        Act::Answer(status, body) => {
            let head = head(*status, body.len());
            stream.write_all(format!("{head}\r\n{body}").as_bytes())
        }
        Act::Beside(status, line, body) => {
            let head = head(*status, body.len());
            stream.write_all(format!("{head}{line}\r\n\r\n{body}").as_bytes())
        }
        Act::HangUp => Ok(()),
        Act::Drip => {
            stream.write_all(format!("{}\r\n", head(200, 1_000_000)).as_bytes())?;
            loop {
                stream.write_all(b"1")?;
                thread::sleep(Duration::from_millis(20));
            }
        }
        Act::Flood(length) => {
            stream.write_all(format!("{}\r\n", head(200, *length)).as_bytes())?;
            stream.write_all(&vec![b'1'; *length])
        }
        Act::BreakOff => {
            stream.write_all(format!("{}\r\n{{\"order\":77", head(200, 20)).as_bytes())
        }
        Act::Redirect => {
            let head = head(302, 0);
            stream.write_all(format!("{head}location: /elsewhere\r\n\r\n").as_bytes())
        }
        Act::Silence => {
            thread::sleep(Duration::from_secs(5));
            Ok(())
        }
    }
}

/// One request with its body; nothing once the connection ends.
fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.to_ascii_lowercase();
            let length = length
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            if body.len() >= length.and_then(|length| length.parse().ok()).unwrap_or(0) {
                return Some(text);
            }
        }
        match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&buffer[..read]),
        }
    }
}

/// An account there, for an adapter that does not wait long.
pub(crate) fn account(name: &str, url: &str) -> Account {
    Account {
        timeout_ms: 400,
        connect_timeout_ms: 200,
        ..Account::new(name, url, "s3cret")
    }
}
