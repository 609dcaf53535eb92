//! Whether a proxy keeps a purchase a purchase: some send a GET again by themselves when its
//! connection breaks, and a number is bought twice.

use crate::transport::USER_AGENT;
use reqwest::{Client, Proxy, redirect, retry};
use std::io;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::{TcpListener, TcpStream};

/// How long one question may take, and how long a second one is waited for afterwards.
const ANSWERED_WITHIN: Duration = Duration::from_secs(3);
const AGAIN_WITHIN: Duration = Duration::from_secs(1);
const HEAD_MAX: usize = 16 * 1024;

/// What a proxy does with a request whose connection breaks before an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyConduct {
    /// It arrives once.
    Once,
    /// It arrives again and again without having been sent again.
    Repeats,
    /// It does not arrive here: the proxy is down or does not come back to this machine.
    NotSeen,
}

/// Sends one GET through a proxy to a listener on this machine that reads it and hangs up, and counts
/// how often it comes. Only a proxy that reads requests can repeat them: one that carries `https://`
/// through a tunnel, or speaks SOCKS, cannot.
///
/// # Errors
/// No listener can be opened on this machine, or the address of the proxy is none.
pub async fn check_proxy(proxy_url: &str) -> io::Result<ProxyConduct> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/check?action=getNumber", listener.local_addr()?);
    let client = Client::builder()
        .user_agent(USER_AGENT)
        .timeout(ANSWERED_WITHIN)
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .http1_only()
        .proxy(Proxy::all(proxy_url).map_err(|_| not_an_address())?)
        .build()
        .map_err(|_| not_an_address())?;
    let mut seen = 0;
    let asked = async {
        // what comes of it does not matter, only how often it came
        let _ = client.get(url).send().await;
        tokio::time::sleep(AGAIN_WITHIN).await;
    };
    tokio::select! {
        () = asked => {}
        () = hang_up(&listener, &mut seen) => {}
    }
    Ok(match seen {
        0 => ProxyConduct::NotSeen,
        1 => ProxyConduct::Once,
        _ => ProxyConduct::Repeats,
    })
}

/// Reads requests and answers none, until a second one has come.
async fn hang_up(listener: &TcpListener, seen: &mut u32) {
    while *seen < 2 {
        let Ok((stream, _)) = listener.accept().await else {
            continue;
        };
        // connections without a request are not counted: a proxy may open them ahead
        let read = tokio::time::timeout(ANSWERED_WITHIN, reads_request(stream));
        *seen += u32::from(read.await.unwrap_or(false));
    }
}

async fn reads_request(mut stream: TcpStream) -> bool {
    let mut head = Vec::new();
    let mut piece = [0; 1024];
    while head.len() < HEAD_MAX && !head.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut piece).await {
            Ok(length @ 1..) => head.extend_from_slice(&piece[..length]),
            _ => return false,
        }
    }
    true
}

fn not_an_address() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "the address of the proxy cannot be used",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_server::install_provider;
    use std::io::{Read as _, Write as _};
    use std::net;

    /// A proxy that carries each request to its end so many times until somebody answers.
    fn proxy(times: usize) -> String {
        install_provider();
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let mut request = vec![0; HEAD_MAX];
                let length = client.read(&mut request).unwrap();
                let text = String::from_utf8_lossy(&request[..length]).into_owned();
                let target = text.split("http://").nth(1).unwrap();
                let target = target.split('/').next().unwrap();
                for _ in 0..times {
                    let mut to = net::TcpStream::connect(target).unwrap();
                    to.write_all(&request[..length]).unwrap();
                    assert_eq!(to.read(&mut [0; 10]).unwrap_or(0), 0);
                }
                client
                    .write_all(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
                    .unwrap();
            }
        });
        url
    }

    #[tokio::test]
    async fn a_proxy_that_sends_again_by_itself_is_found_out() {
        for (times, wanted) in [
            (0, ProxyConduct::NotSeen),
            (1, ProxyConduct::Once),
            (2, ProxyConduct::Repeats),
            (3, ProxyConduct::Repeats),
        ] {
            let conduct = check_proxy(&proxy(times)).await.unwrap();
            assert_eq!(conduct, wanted, "{times}");
        }
        assert!(check_proxy("not an address").await.is_err());
    }
}
