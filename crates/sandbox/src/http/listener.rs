//! The listener: hyper directly, because closing a connection without a byte is part of the trade
//! here, and ordinary servers always answer something.

use super::HangUp;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

/// How long open answers may take once the end was asked for.
const DRAIN: Duration = Duration::from_secs(2);
/// Pause after a failed accept: usually there are no file descriptors left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A listener that is being served.
pub(crate) struct Listening {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    tasks: TaskTracker,
    stop: CancellationToken,
    abandon: CancellationToken,
}

/// Binds the address and serves until told to stop.
pub(crate) async fn listen(address: SocketAddr, router: Router) -> io::Result<Listening> {
    let listener = TcpListener::bind(address).await?;
    let listening = Listening {
        address: listener.local_addr()?,
        tasks: TaskTracker::new(),
        stop: CancellationToken::new(),
        abandon: CancellationToken::new(),
    };
    let (tasks, stop) = (listening.tasks.clone(), listening.stop.clone());
    let abandon = listening.abandon.clone();
    listening.tasks.spawn(async move {
        while let Some(accepted) = stop.run_until_cancelled(listener.accept()).await {
            match accepted {
                Ok((stream, _)) => {
                    let connection = serve(stream, router.clone(), stop.clone());
                    let abandon = abandon.clone();
                    tasks.spawn(async move { abandon.run_until_cancelled(connection).await });
                }
                Err(error) => {
                    tracing::warn!(%error, "the sandbox could not accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    });
    Ok(listening)
}

impl Listening {
    /// Stops accepting, lets open answers finish for a moment, then drops what is left.
    pub(crate) async fn shutdown(self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(DRAIN, self.tasks.wait())
            .await
            .is_err()
        {
            self.abandon.cancel();
            self.tasks.wait().await;
        }
    }
}

async fn serve(stream: TcpStream, router: Router, stop: CancellationToken) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY was not set");
    }
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        respond(router.clone(), request.map(Body::new))
    });
    let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::trace!(%error, "connection closed");
    }
}

/// An error here makes hyper close the connection before it has written anything.
async fn respond(router: Router, request: Request) -> io::Result<Response> {
    let Ok(response) = router.oneshot(request).await;
    match response.extensions().get::<HangUp>() {
        Some(HangUp) => Err(io::Error::other("hung up on purpose")),
        None => Ok(response),
    }
}
