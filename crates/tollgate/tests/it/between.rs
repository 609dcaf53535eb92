//! Stands between the program and its practice providers, and decides what becomes of single requests.

use std::io::{Read, Write, copy};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};

/// What becomes of a request on its way.
pub enum Trap {
    /// Half of it goes on, then nothing.
    Half(Sender<()>),
    /// It goes on; its answer waits for the word to come.
    Hold(Sender<()>, Receiver<()>),
    /// The provider never hears of it; this is the answer.
    Say(&'static str),
}

/// Words that a request has in it, and what becomes of it: each trap is sprung once.
type Traps = Arc<Mutex<Vec<(&'static str, Trap)>>>;

/// Stands before the providers.
pub struct Between {
    pub url: String,
    traps: Traps,
}

impl Between {
    /// Before the providers at this address.
    pub fn new(practice: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let traps = Traps::default();
        let (shared, behind) = (Arc::clone(&traps), practice.replace("http://", ""));
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (traps, behind) = (Arc::clone(&shared), behind.clone());
                // a connection that ends early is no fault of the test
                std::thread::spawn(move || carry(client, &behind, &traps).ok());
            }
        });
        Self { url, traps }
    }

    /// For the next request with these words in it.
    pub fn set(&self, words: &'static str, trap: Trap) {
        self.traps.lock().unwrap().push((words, trap));
    }
}

/// Everything that one request sends, head and body.
fn read_request(client: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let (mut request, mut piece) = (Vec::new(), vec![0; 16 * 1024]);
    loop {
        let length = client.read(&mut piece)?;
        request.extend_from_slice(&piece[..length]);
        let text = String::from_utf8_lossy(&request);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let announced = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            let is_length = name.eq_ignore_ascii_case("content-length");
            is_length.then(|| value.trim().parse().unwrap())
        });
        let whole = text.contains("\r\n\r\n") && body.len() >= announced.unwrap_or(0);
        if whole || length == 0 {
            return Ok(request);
        }
    }
}

/// The request as the only one of its connection, so that none goes by unseen behind it.
fn alone(request: &[u8]) -> Vec<u8> {
    let line = request.iter().position(|byte| *byte == b'\n');
    let (line, rest) = request.split_at(line.map_or(0, |end| end + 1));
    [line, b"Connection: close\r\n", rest].concat()
}

fn sprung(request: &[u8], traps: &Mutex<Vec<(&'static str, Trap)>>) -> Option<Trap> {
    let text = String::from_utf8_lossy(request);
    let mut traps = traps.lock().unwrap();
    let place = traps.iter().position(|(words, _)| text.contains(words))?;
    Some(traps.remove(place).1)
}

fn carry(mut client: TcpStream, behind: &str, traps: &Traps) -> std::io::Result<()> {
    let mut provider = TcpStream::connect(behind)?;
    let request = alone(&read_request(&mut client)?);
    match sprung(&request, traps) {
        Some(Trap::Half(arrived)) => {
            provider.write_all(&request[..request.len() / 2])?;
            arrived.send(()).unwrap();
            // nothing more comes, and nothing is closed before the sender is dead
            let _ = client.read(&mut [0]);
            return provider.shutdown(Shutdown::Both);
        }
        Some(Trap::Hold(arrived, go_on)) => {
            provider.write_all(&request)?;
            let mut answer = vec![0; 16 * 1024];
            let length = provider.read(&mut answer)?;
            arrived.send(()).unwrap();
            let _ = go_on.recv();
            client.write_all(&answer[..length])?;
        }
        Some(Trap::Say(answer)) => {
            let length = answer.len();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n");
            return client.write_all((head + answer).as_bytes());
        }
        None => provider.write_all(&request)?,
    }
    let (mut from, mut to) = (provider.try_clone()?, client.try_clone()?);
    std::thread::spawn(move || {
        let _ = copy(&mut from, &mut to);
        to.shutdown(Shutdown::Write)
    });
    copy(&mut client, &mut provider)?;
    provider.shutdown(Shutdown::Write)
}
