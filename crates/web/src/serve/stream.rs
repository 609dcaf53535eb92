//! A socket as hyper sees it: bytes pass as long as the strict reader follows them. A head in
//! doubt is turned into one that hyper answers with 400; a body in doubt, or too slow a caller,
//! into an error; and the socket is closed so that the caller still gets the answer.

use std::future::Future;
use std::io::{self, ErrorKind, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use domain::failpoint;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::tcp::OwnedReadHalf;
use tokio::runtime::Handle;
use tokio::time::{Instant, Sleep, sleep_until, timeout};
use tokio_util::task::TaskTracker;

use super::Bounds;
use super::wire::Wire;
use crate::strict_head::{Part, StrictHead};

/// What hyper reads in place of an unsound head's rest: NUL is legal nowhere in a head, and an
/// end of headers is what hyper waits for before it looks.
const SPOIL: &[u8] = b"\0\r\n\r\n";

/// What hyper reads in place of the rest of a request line without end: the end of a request whose
/// target is too long, which is answered as any such request is.
const CUT: &[u8] = b" HTTP/1.1\r\n\r\n";

/// How long, and for how many bytes, a caller is heard out who still sends after our last word.
/// Closing at once would make the kernel reset the connection and lose the answer on its way.
const HEAR_OUT: Duration = Duration::from_secs(2);
const HEAR_OUT_BYTES: usize = 16 * 1024 * 1024;
const HEARD_OUT_MAX: usize = 1_024;

/// One connection.
pub(super) struct StrictStream {
    /// Taken only when dropped.
    wire: Option<Wire>,
    strict: StrictHead,
    state: State,
    clock: PartClock,
    /// Whether something was written since the current part of a request began.
    answered: bool,
    closing: TaskTracker,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Sound,
    /// This is still to be read: of [`SPOIL`] or [`CUT`].
    Spoiling(&'static [u8]),
    BadBody,
    TooSlow,
    /// The caller has said its last byte.
    Ended,
}

impl StrictStream {
    /// Takes over an accepted connection; `closing` counts those that are heard out.
    pub(super) fn new(wire: Wire, bounds: Bounds, closing: TaskTracker) -> Self {
        Self {
            wire: Some(wire),
            strict: StrictHead::new(),
            state: State::Sound,
            clock: PartClock::new(bounds),
            answered: false,
            closing,
        }
    }

    fn wire(&mut self) -> io::Result<Pin<&mut Wire>> {
        self.wire
            .as_mut()
            .map(Pin::new)
            .ok_or_else(|| ErrorKind::NotConnected.into())
    }

    fn poll_sound(&mut self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match self.wire()?.poll_read(cx, buf) {
            Poll::Ready(Ok(())) => Poll::Ready(self.inspect(buf, before)),
            Poll::Pending => {
                ready!(self.clock.poll_too_slow(cx));
                self.state = State::TooSlow;
                Poll::Ready(self.say_why(buf))
            }
            failed => failed,
        }
    }

    /// Lets pass what is sound of the bytes just read.
    fn inspect(&mut self, buf: &mut ReadBuf<'_>, before: usize) -> io::Result<()> {
        let fresh = &buf.filled()[before..];
        if fresh.is_empty() {
            self.state = State::Ended;
        }
        let verdict = self.strict.follow(fresh);
        self.answered &= !self.clock.note(&self.strict);
        let Err(broken) = verdict else {
            return Ok(());
        };
        self.state = match broken.part {
            Part::Body => State::BadBody,
            Part::Between | Part::Head if broken.line_too_long => State::Spoiling(CUT),
            Part::Between | Part::Head => State::Spoiling(SPOIL),
        };
        buf.set_filled(before + broken.at);
        // to read nothing would mean the end of the stream
        if broken.at == 0 {
            self.say_why(buf)
        } else {
            Ok(())
        }
    }

    /// What hyper reads once the connection is not sound any more.
    fn say_why(&mut self, buf: &mut ReadBuf<'_>) -> io::Result<()> {
        match &mut self.state {
            State::Spoiling(rest) => {
                let (piece, later) = rest.split_at(rest.len().min(buf.remaining()));
                buf.put_slice(piece);
                *rest = later;
                Ok(())
            }
            State::BadBody => Err(io::Error::new(
                ErrorKind::InvalidData,
                "unsound chunk framing",
            )),
            State::TooSlow => Err(io::Error::new(
                ErrorKind::TimedOut,
                "request came too slowly",
            )),
            State::Sound | State::Ended => Ok(()),
        }
    }

    /// Whether an answer is on its way to a caller who may be sending still, since the request
    /// was not understood or not read to its end.
    fn is_heard_out(&self) -> bool {
        self.answered
            && self.closing.len() < HEARD_OUT_MAX
            && match self.state {
                State::Sound => self.strict.part() != Part::Between,
                State::Spoiling(_) | State::BadBody => true,
                State::TooSlow | State::Ended => false,
            }
    }
}

impl AsyncRead for StrictStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match this.state {
            State::Sound => this.poll_sound(cx, buf),
            _ => Poll::Ready(this.say_why(buf)),
        }
    }
}

impl AsyncWrite for StrictStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.answered = true;
        this.wire()?.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        this.answered = true;
        if let Some(half) = failpoint::half_of(slices) {
            return this.wire()?.poll_write(cx, &half);
        }
        this.wire()?.poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().wire()?.poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.get_mut().wire()?.poll_shutdown(cx)
    }
}

impl Drop for StrictStream {
    fn drop(&mut self) {
        let runtime = Handle::try_current().ok().filter(|_| self.is_heard_out());
        if let (Some(wire), Some(runtime)) = (self.wire.take(), runtime) {
            self.closing.spawn_on(hear_out(wire), &runtime);
        }
    }
}

/// Ends our side, then discards what the caller still sends.
async fn hear_out(mut wire: Wire) {
    // what is thrown away need not be deciphered
    let reading: Arc<OwnedReadHalf> = wire.reading();
    let discard = async {
        wire.shutdown().await?;
        let (mut scratch, mut heard) = ([0; 4096], 0);
        while heard < HEAR_OUT_BYTES {
            reading.readable().await?;
            match reading.try_read(&mut scratch) {
                Ok(0) => break,
                Ok(length) => heard += length,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    };
    if let Ok(Err(error)) = timeout(HEAR_OUT, discard).await {
        tracing::debug!(%error, "the caller closed first");
    }
}

/// Bounds the time that a head or a body takes to arrive; the wait between requests is hyper's.
struct PartClock {
    bounds: Bounds,
    part: (Part, u64),
    since: Instant,
    /// Made at the first wait within a part: most requests arrive whole and never need it.
    alarm: Option<Pin<Box<Sleep>>>,
}

impl PartClock {
    fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            part: (Part::Between, 0),
            since: Instant::now(),
            alarm: None,
        }
    }

    /// Says whether another part has begun, and then starts anew.
    fn note(&mut self, strict: &StrictHead) -> bool {
        let part = (strict.part(), strict.heads());
        let begun = part != self.part;
        if begun {
            self.part = part;
            self.since = Instant::now();
            self.alarm = None;
        }
        begun
    }

    fn poll_too_slow(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let allowed = match self.part.0 {
            Part::Between => return Poll::Pending,
            Part::Head => self.bounds.head_timeout,
            Part::Body => self.bounds.body_timeout,
        };
        let until = self.since + allowed;
        let alarm = self
            .alarm
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        alarm.as_mut().poll(cx)
    }
}
