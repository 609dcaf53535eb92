//! The connection a request came over, so that a purchase can notice that its client is gone.

use std::sync::Arc;
use std::time::Duration;
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedReadHalf;
use tokio::time::sleep;

/// Pause before looking again while the next request lies in the way of the connection's end.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// One connection, as handlers see it.
#[derive(Clone, Debug)]
pub(crate) struct Connection {
    socket: Arc<OwnedReadHalf>,
    encrypted: bool,
}

impl Connection {
    pub(crate) fn new(socket: Arc<OwnedReadHalf>, encrypted: bool) -> Self {
        Self { socket, encrypted }
    }

    /// Whether TLS ends here.
    pub(crate) fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Completes once the caller has closed the connection, or its sending side: the two look
    /// alike until an answer is written. Takes nothing that was sent; over TLS the farewell before the
    /// end is such a thing, behind which the socket's own end is looked for.
    pub(crate) async fn ended(&self) {
        let socket: &TcpStream = (*self.socket).as_ref();
        loop {
            match socket.peek(&mut [0]).await {
                Ok(0) | Err(_) => return,
                Ok(_) => match socket.ready(Interest::READABLE).await {
                    Ok(ready) if !ready.is_read_closed() => sleep(LOOK_AGAIN).await,
                    _ => return,
                },
            }
        }
    }
}
