//! Telling somebody something: one POST over plain HTTP, since practice stays on this machine.

use std::io;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long it may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// What is read of an answer: its status stands at the beginning.
const ANSWER_MAX: u64 = 16 * 1024;

/// Sends a body once; gives the status of the answer.
pub(crate) async fn post(url: &str, headers: &[(&str, &str)], body: &str) -> io::Result<u16> {
    let sent = tokio::time::timeout(PATIENCE, send(url, headers, body));
    sent.await.map_err(io::Error::other)?
}

async fn send(url: &str, headers: &[(&str, &str)], body: &str) -> io::Result<u16> {
    let bad = |why| io::Error::other(why);
    let rest = url.strip_prefix("http://");
    let rest = rest.ok_or_else(|| bad("no plain http address"))?;
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut request = format!(
        "POST /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\nConnection: close\r\n",
        body.len()
    );
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    request.push_str(body);
    let mut stream = TcpStream::connect(host).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(ANSWER_MAX).read_to_end(&mut answer).await?;
    let head = String::from_utf8_lossy(&answer);
    let status = head
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3)?.parse().ok());
    status.ok_or_else(|| bad("no answer"))
}
