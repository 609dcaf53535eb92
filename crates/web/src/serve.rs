//! The listener: takes connections, bounds what each may cost, and stops in good order.
//!
//! It speaks HTTP/1 only, over TLS where it has a [`Certificate`]. HTTP/2 ends at a proxy in front, which
//! speaks HTTP/1 to us; one framing means that [`strict_head`](crate::strict_head) sees every message, and
//! the floods peculiar to HTTP/2 have nothing to attack: its preface ends the connection.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::pin::Pin;
use std::time::Duration;

use axum::middleware::AddExtension;
use axum::{Extension, Router};
use axum_server::Handle;
use axum_server::accept::Accept;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;
use tower::Layer;

use crate::connection::Connection;
use stream::StrictStream;
pub use tls::{Certificate, CertificateError};
use wire::{Socket, Wire};

mod stream;
mod tls;
mod wire;

/// Connections the kernel keeps for us before we take them.
const BACKLOG: u32 = 4_096;

/// What one connection may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// From the first byte of a request to the end of its headers; on a new connection, from the
    /// moment it was taken. As long may the agreement on TLS take.
    pub head_timeout: Duration,
    /// From the end of the headers to the end of the body.
    pub body_timeout: Duration,
    /// Between two requests. Longer than common proxies keep theirs (60 s), so that it is they
    /// who close first and no request crosses a closing connection.
    pub idle_timeout: Duration,
    /// Bytes of request line and headers together; more is answered 431, as are more than 100
    /// headers. At least 8 KiB.
    pub head_bytes_max: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            head_timeout: Duration::from_secs(10),
            body_timeout: Duration::from_secs(30),
            idle_timeout: Duration::from_secs(75),
            head_bytes_max: 32 * 1024,
        }
    }
}

/// Stops a running [`serve`] from elsewhere; clones stop the same one.
#[derive(Clone, Debug, Default)]
pub struct Stop(Handle<SocketAddr>);

impl Stop {
    /// For one call of [`serve`].
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes no more connections, lets running requests end for at most `grace`, then cuts them.
    pub fn within(&self, grace: Duration) {
        self.0.graceful_shutdown(Some(grace));
    }

    /// Connections open at the moment.
    pub fn connections(&self) -> usize {
        self.0.connection_count()
    }
}

/// Where callers come in.
pub struct Entrance {
    /// The listening socket.
    pub listener: TcpListener,
    /// What they are shown, where TLS ends here.
    pub certificate: Option<Certificate>,
}

impl From<TcpListener> for Entrance {
    fn from(listener: TcpListener) -> Self {
        Self {
            listener,
            certificate: None,
        }
    }
}

/// Opens a listening socket; needs a running tokio runtime.
///
/// # Errors
/// The address is taken or not ours.
pub fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()
    } else {
        TcpSocket::new_v6()
    }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Serves `router` until [`Stop::within`] is called and the last connection has ended; over TLS where
/// there is a certificate. Handlers find the peer's address in [`axum::extract::ConnectInfo`].
///
/// # Errors
/// The listener cannot be used; failures of single connections end only those.
pub async fn serve(
    entrance: impl Into<Entrance>,
    router: Router,
    bounds: Bounds,
    stop: Stop,
) -> io::Result<()> {
    let entrance: Entrance = entrance.into();
    let closing = TaskTracker::new();
    let acceptor = StrictAcceptor {
        bounds,
        closing: closing.clone(),
        tls: entrance.certificate.as_ref().map(Certificate::acceptor),
    };
    let mut server = axum_server::from_tcp(entrance.listener)?
        .http1_only()
        .handle(stop.0)
        .first_request_timeout(bounds.head_timeout)
        .accept_error_handler(not_taken);
    server
        .http_builder()
        .http1()
        .keep_alive(true)
        // a caller who hangs up must not cut a handler anywhere: a purchase looks for itself
        // whether anybody waits, see `Connection`
        .half_close(true)
        .max_buf_size(bounds.head_bytes_max)
        // hyper counts the wait for the next request in; the shorter bound on a head that has
        // begun is kept by the stream
        .header_read_timeout(bounds.idle_timeout.max(bounds.head_timeout));
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    server.acceptor(acceptor).serve(service).await?;
    closing.close();
    closing.wait().await;
    Ok(())
}

/// A machine without file handles is the operator's to mend; a stranger who does not agree on TLS is
/// daily noise.
fn not_taken(peer: Option<&SocketAddr>, error: &io::Error) {
    match peer {
        Some(peer) => tracing::debug!(%peer, %error, "a connection was not taken"),
        None => tracing::warn!(%error, "a connection was not taken"),
    }
}

/// Puts TLS, where it is wanted, and the strict reader between the socket and hyper.
#[derive(Clone)]
struct StrictAcceptor {
    bounds: Bounds,
    closing: TaskTracker,
    tls: Option<TlsAcceptor>,
}

impl<S: Send + 'static> Accept<TcpStream, S> for StrictAcceptor {
    type Stream = StrictStream;
    type Service = AddExtension<S, Connection>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(StrictStream, Self::Service)>> + Send>>;

    fn accept(&self, socket: TcpStream, service: S) -> Self::Future {
        let Self {
            bounds,
            closing,
            tls,
        } = self.clone();
        Box::pin(async move {
            socket.set_nodelay(true)?;
            let socket = Socket::new(socket);
            let connection = Connection::new(socket.reading(), tls.is_some());
            let wire = match tls {
                None => Wire::Plain(socket),
                Some(tls) => {
                    let agreed = timeout(bounds.head_timeout, tls.accept(socket)).await;
                    Wire::Tls(Box::new(agreed.map_err(|_| ErrorKind::TimedOut)??))
                }
            };
            let stream = StrictStream::new(wire, bounds, closing);
            Ok((stream, Extension(connection).layer(service)))
        })
    }
}

#[cfg(test)]
pub(crate) mod tests;
