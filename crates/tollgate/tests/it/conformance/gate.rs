//! A gate before a practice provider: counts the requests that come by, lets them through, or
//! answers in the provider's place.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What becomes of a request.
#[derive(Clone, Debug)]
pub enum Act {
    /// The provider answers.
    Pass,
    /// Read, then the connection is closed; the provider never hears of it.
    HangUp,
    /// These bytes, then the connection is closed.
    Say(Vec<u8>),
    /// The bytes of the first, then those of the second without end.
    Endless(&'static str, String),
    /// A head that promises a long body, then one byte a second.
    Drip,
    /// This with purchases of numbers; everything else goes through.
    WithPurchases(Box<Act>),
    /// The JSON beside the first of these texts that the request holds.
    Choose(Vec<(&'static str, String)>),
}

impl Act {
    /// An answer of this status line and body; more header lines may stand behind the status.
    pub fn answer(status: &str, body: &[u8]) -> Self {
        let head = format!(
            "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        Self::Say([head.as_bytes(), body].concat())
    }

    /// Status 200 with this body.
    pub fn ok(body: &str) -> Self {
        Self::answer("200 OK\r\ncontent-type: application/json", body.as_bytes())
    }
}

/// A running gate.
pub struct Gate {
    address: SocketAddr,
    state: Arc<State>,
}

struct State {
    behind: Option<SocketAddr>,
    /// Our key, and the provider's own.
    keys: (&'static str, &'static str),
    act: Mutex<Act>,
    requests: Mutex<Vec<String>>,
    written: AtomicUsize,
}

impl Gate {
    /// A gate before this provider.
    pub fn before(behind: SocketAddr) -> Self {
        Self::open(Some(behind), Act::Pass)
    }

    /// A gate before this provider that puts its key in the place of ours.
    pub fn translating(behind: SocketAddr, ours: &'static str, theirs: &'static str) -> Self {
        Self::opened(Some(behind), Act::Pass, (ours, theirs))
    }

    /// A gate with nobody behind it.
    pub fn alone(act: Act) -> Self {
        Self::open(None, act)
    }

    fn open(behind: Option<SocketAddr>, act: Act) -> Self {
        Self::opened(behind, act, ("", ""))
    }

    fn opened(behind: Option<SocketAddr>, act: Act, keys: (&'static str, &'static str)) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::new(State {
            behind,
            keys,
            act: Mutex::new(act),
            requests: Mutex::default(),
            written: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                thread::spawn(move || state.serve(stream));
            }
        });
        Self { address, state }
    }

    /// Address, as a provider's begins.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on.
    pub fn does(&self, act: Act) {
        *self.state.act.lock().unwrap() = act;
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<String> {
        self.state.requests.lock().unwrap().clone()
    }

    /// How many of them were purchases of numbers.
    pub fn purchases(&self) -> usize {
        let requests = self.requests();
        requests
            .iter()
            .filter(|request| is_purchase(request))
            .count()
    }

    /// Bytes that whoever asked has taken in the place of a provider's answer.
    pub fn written(&self) -> usize {
        self.state.written.load(Ordering::SeqCst)
    }
}

impl State {
    fn serve(&self, mut stream: TcpStream) {
        let Some(request) = read_request(&mut stream) else {
            return;
        };
        self.requests.lock().unwrap().push(request.clone());
        let act = self.act.lock().unwrap().clone();
        // a caller that had enough closes its end, and the next write fails
        let _ = self.perform(&mut stream, &request, act);
    }

    fn perform(&self, stream: &mut TcpStream, request: &str, act: Act) -> std::io::Result<()> {
        match act {
            Act::Pass => match self.behind {
                Some(provider) if self.keys.0.is_empty() => forward(stream, request, provider),
                Some(provider) => {
                    let request = request.replace(self.keys.0, self.keys.1);
                    forward(stream, &request, provider)
                }
                None => Ok(()),
            },
            Act::HangUp => Ok(()),
            Act::WithPurchases(act) if is_purchase(request) => self.perform(stream, request, *act),
            Act::WithPurchases(_) => self.perform(stream, request, Act::Pass),
            Act::Say(bytes) => self.write(stream, &bytes),
            Act::Endless(head, more) => {
                self.write(stream, head.as_bytes())?;
                let more = more.repeat((64 * 1024 / more.len()).max(1));
                loop {
                    self.write(stream, more.as_bytes())?;
                }
            }
            Act::Choose(answers) => {
                let line = request.lines().next().unwrap_or_default();
                let found = answers.iter().find(|(sign, _)| line.contains(sign));
                let body = found.map_or("", |(_, body)| body);
                self.perform(stream, request, Act::ok(body))
            }
            Act::Drip => {
                self.write(
                    stream,
                    b"HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n",
                )?;
                loop {
                    self.write(stream, b"[")?;
                    thread::sleep(Duration::from_secs(1));
                }
            }
        }
    }

    fn write(&self, stream: &mut TcpStream, bytes: &[u8]) -> std::io::Result<()> {
        for part in bytes.chunks(64 * 1024) {
            stream.write_all(part)?;
            self.written.fetch_add(part.len(), Ordering::SeqCst);
        }
        Ok(())
    }
}

fn is_purchase(request: &str) -> bool {
    request.contains("action=getNumber")
}

/// Sends the request on and its answer back; one request for each connection.
fn forward(stream: &mut TcpStream, request: &str, to: SocketAddr) -> std::io::Result<()> {
    let mut provider = TcpStream::connect(to)?;
    let once = request.replacen("\r\n", "\r\nconnection: close\r\n", 1);
    provider.write_all(once.as_bytes())?;
    std::io::copy(&mut provider, stream).map(|_| ())
}

/// One request with its body; nothing once the connection ends.
fn read_request(stream: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_ascii_lowercase();
            let mut lines = head.lines();
            let length = lines.find_map(|line| line.strip_prefix("content-length: "));
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
