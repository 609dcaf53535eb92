//! Follows the bytes of an HTTP/1 connection and says where they stop being beyond doubt: where
//! one reader could see a message end and another not, which is how requests are smuggled past a
//! proxy. Pure: bytes in, verdict out; how they are cut into pieces makes no difference.

use std::ops::ControlFlow;

/// Longest method anybody could mean.
const METHOD_LEN_MAX: u8 = 32;

/// Longest request line behind its method, in bytes: longer than any target that is not refused for
/// its length, so that one that is cut here is refused all the same.
const LINE_MAX: usize = 24 * 1024;

/// Most digits of a Content-Length: fewer than an `i64` holds, and far beyond any body we take.
const LENGTH_DIGITS_MAX: usize = 18;

const LENGTH: &str = "content-length";
const CODING: &str = "transfer-encoding";

/// Where the bytes broke the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Index, in the piece just given, of the first byte that must not be passed on.
    pub at: usize,
    /// Which part of a request it would have belonged to.
    pub part: Part,
    /// Whether nothing is wrong with the request line but its length.
    pub line_too_long: bool,
}

/// The part of a request that the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Nothing of the next request has arrived.
    Between,
    /// Request line and headers.
    Head,
    /// A body by length or in chunks, with its trailers.
    Body,
}

/// The state of one connection between two pieces of its bytes.
#[derive(Debug, Default)]
pub struct StrictHead {
    at: At,
    /// Bytes of the request line so far, behind its method.
    line: usize,
    head: Head,
    heads: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    #[default]
    Between,
    BlankLf,
    Method {
        length: u8,
    },
    RequestLine,
    RequestLineLf,
    HeaderStart,
    Name,
    Value,
    ValueLf,
    HeadLf,
    Length {
        left: u64,
    },
    ChunkSize {
        digits: u8,
        size: u64,
    },
    ChunkExtension {
        size: u64,
    },
    ChunkSizeLf {
        size: u64,
    },
    Chunk {
        left: u64,
    },
    ChunkCr,
    ChunkLf,
    TrailerStart,
    Trailer,
    TrailerLf,
    BodyLf,
}

/// What the head said so far about the length of its body.
#[derive(Debug, Default)]
struct Head {
    name: Word,
    value: Word,
    length: Option<u64>,
    chunked: bool,
}

/// The beginning of a header's name or value, enough to tell the two headers that matter.
#[derive(Debug, Default)]
struct Word {
    bytes: [u8; 24],
    length: usize,
}

impl StrictHead {
    /// A connection on which nothing has arrived.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes of the connection.
    ///
    /// # Errors
    /// The first byte that no strict reader would accept. The connection is not to be followed
    /// any further: its message boundaries are lost.
    pub fn follow(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let mut at = self.skip(bytes);
        while let Some(&byte) = bytes.get(at) {
            match self.step(byte) {
                Some(next) => self.at = next,
                None => {
                    return Err(Broken {
                        at,
                        part: self.part_of_next(),
                        line_too_long: self.at == At::RequestLine && self.line == LINE_MAX,
                    });
                }
            }
            at += 1;
            at += self.skip(&bytes[at..]);
        }
        Ok(())
    }

    /// The part the next byte belongs to, as far as is known.
    pub fn part(&self) -> Part {
        match self.at {
            At::Between => Part::Between,
            _ => self.part_of_next(),
        }
    }

    /// Heads completed so far: with [`part`](Self::part), tells when a part began.
    pub fn heads(&self) -> u64 {
        self.heads
    }

    fn part_of_next(&self) -> Part {
        match self.at {
            At::Between
            | At::BlankLf
            | At::Method { .. }
            | At::RequestLine
            | At::RequestLineLf
            | At::HeaderStart
            | At::Name
            | At::Value
            | At::ValueLf
            | At::HeadLf => Part::Head,
            _ => Part::Body,
        }
    }

    /// Passes over bytes that cannot change anything; says how many. They are the counted ones of
    /// a body, and those of lines of which only the end matters.
    fn skip(&mut self, rest: &[u8]) -> usize {
        match self.at {
            At::Length { left } | At::Chunk { left } => self.skip_counted(left, rest.len()),
            At::RequestLine => {
                let skipped = until_line_end(rest).min(LINE_MAX - self.line);
                self.line += skipped;
                skipped
            }
            At::Value if !self.head.name_matters() => until_line_end(rest),
            _ => 0,
        }
    }

    fn skip_counted(&mut self, left: u64, available: usize) -> usize {
        let skipped = usize::try_from(left).unwrap_or(usize::MAX).min(available);
        let left = left - skipped as u64;
        self.at = match self.at {
            At::Length { .. } if left > 0 => At::Length { left },
            At::Length { .. } => At::Between,
            _ if left > 0 => At::Chunk { left },
            _ => At::ChunkCr,
        };
        skipped
    }

    /// Where one byte leads; `None` if nowhere.
    fn step(&mut self, byte: u8) -> Option<At> {
        match self.part_of_next() {
            Part::Body => self.step_in_body(byte),
            Part::Between | Part::Head => self.step_in_head(byte),
        }
    }

    fn step_in_head(&mut self, byte: u8) -> Option<At> {
        match (self.at, byte) {
            (At::Between, b'\r') => Some(At::BlankLf),
            (At::BlankLf, b'\n') => Some(At::Between),
            (At::Between, _) if is_token(byte) => Some(At::Method { length: 1 }),
            (At::Method { .. }, b' ') => Some(At::RequestLine),
            (At::Method { length }, _) if is_token(byte) && length < METHOD_LEN_MAX => {
                Some(At::Method { length: length + 1 })
            }
            (At::RequestLine, b'\r') => {
                self.line = 0;
                Some(At::RequestLineLf)
            }
            (At::RequestLineLf, b'\n') => Some(At::HeaderStart),
            (At::HeaderStart, b'\r') => Some(At::HeadLf),
            (At::HeaderStart | At::Name, _) if is_token(byte) => {
                self.head.name.push(byte);
                Some(At::Name)
            }
            (At::Name, b':') => Some(At::Value),
            (At::Value, b'\r') => Some(At::ValueLf),
            (At::Value, b'\n') => None,
            (At::Value, _) => {
                self.head.value.push_value(byte);
                Some(At::Value)
            }
            (At::ValueLf, b'\n') => self
                .head
                .end_of_header()
                .is_continue()
                .then_some(At::HeaderStart),
            (At::HeadLf, b'\n') => Some(self.body_of_head()),
            _ => None,
        }
    }

    fn step_in_body(&self, byte: u8) -> Option<At> {
        match (self.at, byte) {
            (At::ChunkSize { digits: 1.., size }, b'\r') => Some(At::ChunkSizeLf { size }),
            (At::ChunkSize { digits: 1.., size }, b';') => Some(At::ChunkExtension { size }),
            (At::ChunkSize { digits, size }, _) => with_digit(digits, size, byte),
            (At::ChunkExtension { size }, b'\r') => Some(At::ChunkSizeLf { size }),
            (At::ChunkExtension { .. }, b'\t' | b' '..=b'~' | 0x80..) => Some(self.at),
            (At::ChunkSizeLf { size: 0 }, b'\n') => Some(At::TrailerStart),
            (At::ChunkSizeLf { size }, b'\n') => Some(At::Chunk { left: size }),
            (At::ChunkCr, b'\r') => Some(At::ChunkLf),
            (At::ChunkLf, b'\n') => Some(At::ChunkSize { digits: 0, size: 0 }),
            (At::TrailerStart, b'\r') => Some(At::BodyLf),
            (At::TrailerStart, _) if is_token(byte) => Some(At::Trailer),
            (At::Trailer, b'\r') => Some(At::TrailerLf),
            (At::Trailer, b'\n') => None,
            (At::Trailer, _) => Some(At::Trailer),
            (At::TrailerLf, b'\n') => Some(At::TrailerStart),
            (At::BodyLf, b'\n') => Some(At::Between),
            _ => None,
        }
    }

    fn body_of_head(&mut self) -> At {
        self.heads += 1;
        match std::mem::take(&mut self.head) {
            Head { chunked: true, .. } => At::ChunkSize { digits: 0, size: 0 },
            Head {
                length: Some(left @ 1..),
                ..
            } => At::Length { left },
            _ => At::Between,
        }
    }
}

impl Head {
    fn name_matters(&self) -> bool {
        self.name.is(LENGTH) || self.name.is(CODING)
    }

    /// Takes the header just ended into account; breaks if it puts the body's length in doubt.
    fn end_of_header(&mut self) -> ControlFlow<()> {
        let (name, value) = (
            std::mem::take(&mut self.name),
            std::mem::take(&mut self.value),
        );
        if name.is(LENGTH) {
            return match decimal(value.trimmed()) {
                Some(length) if self.length.is_none() && !self.chunked => {
                    self.length = Some(length);
                    ControlFlow::Continue(())
                }
                _ => ControlFlow::Break(()),
            };
        }
        if name.is(CODING) {
            if value.trimmed() != b"chunked" || self.chunked || self.length.is_some() {
                return ControlFlow::Break(());
            }
            self.chunked = true;
        }
        ControlFlow::Continue(())
    }
}

impl Word {
    fn push(&mut self, byte: u8) {
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
        }
        self.length += 1;
    }

    fn push_value(&mut self, byte: u8) {
        if self.length > 0 || !matches!(byte, b' ' | b'\t') {
            self.push(byte);
        }
    }

    fn is(&self, name: &str) -> bool {
        self.trimmed().eq_ignore_ascii_case(name.as_bytes())
    }

    /// The word without blanks at its end; empty, which fits nothing, if it is too long to be
    /// one that matters.
    fn trimmed(&self) -> &[u8] {
        let mut word = self.bytes.get(..self.length).unwrap_or_default();
        while let [rest @ .., b' ' | b'\t'] = word {
            word = rest;
        }
        word
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let plain = digits.iter().all(u8::is_ascii_digit);
    if !plain || digits.is_empty() || digits.len() > LENGTH_DIGITS_MAX {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Takes one more hexadecimal digit of a chunk's size, if the size stays within an `i64`.
fn with_digit(digits: u8, size: u64, byte: u8) -> Option<At> {
    let digit = char::from(byte).to_digit(16)?;
    let size = size.checked_mul(16)?.checked_add(u64::from(digit))?;
    let fits = digits < 16 && i64::try_from(size).is_ok();
    fits.then_some(At::ChunkSize {
        digits: digits + 1,
        size,
    })
}

fn until_line_end(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|byte| matches!(byte, b'\r' | b'\n'))
        .unwrap_or(bytes.len())
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~')
}

#[cfg(test)]
mod tests;
