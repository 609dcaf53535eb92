//! Lists of what is on sale as ready bytes: made once for everybody whom they are the same for,
//! compressed once, and told apart by an entity tag.
//!
//! A list is of one catalogue snapshot and no older than [`AGE_MAX`], which bounds how stale a
//! measured success rate can be. It also ends when a price in it that is still honoured rises.

use crate::api_v1::problem::Problem;
use crate::api_v1::reply::Reply;
use app::{Engine, ServerChoice, ServicesOf};
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use domain::hex::hex;
use domain::markup::Payer;
use domain::time::{Millis, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::io::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// Oldest list that is sent.
const AGE_MAX: Millis = Millis::seconds(2);
/// Bytes of all lists together; beyond them all are forgotten and made anew when asked for.
const BYTES_MAX: usize = 64 * 1024 * 1024;
/// What an entry takes beside its bytes, roughly: its key may name fifty routes.
const ENTRY_BYTES: usize = 2048;
/// A body below this is sent as it is: compressing would save nothing.
const COMPRESSED_FROM: usize = 1024;
/// Brotli at this quality is as fast as gzip and smaller.
const BROTLI_QUALITY: i32 = 3;
const BROTLI_WINDOW_BITS: i32 = 20;

/// Which list. Lists of services differ by the payer, in what they may buy and at what price: by the
/// tier of the account, and by the account where it has prices of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Key {
    /// Countries.
    Countries(ServerChoice),
    /// Services for a payer.
    Services(ServicesOf, Payer),
    /// SMM services, which are the same for everybody who may ask.
    SmmServices,
}

/// The lists that are ready.
#[derive(Debug, Default)]
pub struct Lists(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    generation: u64,
    bytes: usize,
    lists: HashMap<Key, Arc<List>>,
}

/// One list, ready to be sent.
#[derive(Debug)]
pub(crate) struct List {
    body: Bytes,
    tag: String,
    gzip: OnceLock<Bytes>,
    brotli: OnceLock<Bytes>,
    until: Timestamp,
}

impl Lists {
    /// The list as it is kept, or made anew: `make` gives its text and when that ends at the
    /// latest.
    pub(crate) fn get(
        &self,
        engine: &Engine,
        key: Key,
        make: impl FnOnce() -> Result<(String, Option<Timestamp>), Problem>,
    ) -> Result<Reply, Problem> {
        // taken before the list is made: a list of a newer snapshot under an older number is
        // dropped early, never the other way round
        let (generation, now) = (engine.catalogue().generation, engine.now());
        let kept = self.find(generation, &key, now);
        let from = if kept.is_some() {
            "memory"
        } else {
            "catalogue"
        };
        metrics::counter!("tollgate_lists_total", "from" => from).increment(1);
        if let Some(list) = kept {
            return Ok(Reply::list(list));
        }
        let (text, until) = make()?;
        let latest = now + AGE_MAX;
        let list = Arc::new(List {
            tag: tag(text.as_bytes()),
            body: Bytes::from(text),
            gzip: OnceLock::new(),
            brotli: OnceLock::new(),
            until: until.map_or(latest, |until| until.min(latest)),
        });
        self.keep(generation, key, Arc::clone(&list));
        Ok(Reply::list(list))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, generation: u64, key: &Key, now: Timestamp) -> Option<Arc<List>> {
        let kept = self.kept();
        let list = kept.lists.get(key)?;
        (kept.generation == generation && now < list.until).then(|| Arc::clone(list))
    }

    fn keep(&self, generation: u64, key: Key, list: Arc<List>) {
        // compressed forms may follow: together they are smaller than the body
        let bytes = 2 * list.body.len() + ENTRY_BYTES;
        let mut kept = self.kept();
        if kept.generation != generation || kept.bytes + bytes > BYTES_MAX {
            *kept = Kept {
                generation,
                ..Kept::default()
            };
        }
        if let Some(old) = kept.lists.insert(key, list) {
            kept.bytes -= 2 * old.body.len() + ENTRY_BYTES;
        }
        kept.bytes += bytes;
    }
}

fn tag(body: &[u8]) -> String {
    hex(&Sha256::digest(body)[..16])
}

/// What a caller says about the form of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wishes {
    coding: Option<Coding>,
    known_tags: Vec<String>,
}

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Brotli,
    Gzip,
}

impl Wishes {
    /// The wishes in a request's headers.
    pub fn of(headers: &HeaderMap) -> Self {
        let tags = texts(headers, header::IF_NONE_MATCH).map(bare_tag);
        Self {
            coding: coding(headers),
            known_tags: tags.map(str::to_owned).collect(),
        }
    }

    fn knows(&self, tag: &str) -> bool {
        let mut known = self.known_tags.iter();
        known.any(|known| known == "*" || known == tag)
    }
}

/// The parts of a header that is a list.
fn texts(headers: &HeaderMap, name: header::HeaderName) -> impl Iterator<Item = &str> {
    let values = headers.get_all(name).into_iter();
    let texts = values.filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).map(str::trim)
}

/// An entity tag without its quotes; weak ones are as good as strong ones for a read.
fn bare_tag(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag).trim_matches('"')
}

/// The coding that is liked best; of equally liked ones the smaller one.
fn coding(headers: &HeaderMap) -> Option<Coding> {
    let mut best: Option<(u32, Coding)> = None;
    for part in texts(headers, header::ACCEPT_ENCODING) {
        let (name, weight) = part.split_once(';').unwrap_or((part, "q=1"));
        let coding = match name.trim().to_ascii_lowercase().as_str() {
            "br" => Coding::Brotli,
            "gzip" | "x-gzip" => Coding::Gzip,
            _ => continue,
        };
        let weight = thousandths(weight.trim());
        let better = best
            .is_none_or(|(most, _)| weight > most || (weight == most && coding == Coding::Brotli));
        if weight > 0 && better {
            best = Some((weight, coding));
        }
    }
    best.map(|(_, coding)| coding)
}

/// `q=0.5` in thousandths; what cannot be read counts as not wished for.
fn thousandths(weight: &str) -> u32 {
    let value = weight.strip_prefix("q=").unwrap_or_default();
    let (whole, part) = value.split_once('.').unwrap_or((value, ""));
    match (whole, part.len()) {
        ("1", _) => 1000,
        ("0", 0..=3) => format!("{part:0<3}").parse().unwrap_or(0),
        _ => 0,
    }
}

impl List {
    /// The list in the form that is wished for, or the word that the caller has it already.
    pub fn answer(&self, wishes: &Wishes) -> Response {
        let mut response = Response::new(Body::empty());
        if wishes.knows(&self.tag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else {
            let coding = wishes.coding.filter(|_| self.body.len() >= COMPRESSED_FROM);
            let (bytes, name) = match coding {
                None => (self.body.clone(), None),
                Some(Coding::Gzip) => (self.gzipped(), Some("gzip")),
                Some(Coding::Brotli) => (self.brotlied(), Some("br")),
            };
            *response.body_mut() = Body::from(bytes);
            let headers = response.headers_mut();
            if let Some(name) = name {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(name));
            }
            headers.insert(
                header::CONTENT_TYPE,
                HeaderValue::from_static("application/json"),
            );
        }
        let headers = response.headers_mut();
        headers.insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("private, no-cache"),
        );
        headers.insert(
            header::VARY,
            HeaderValue::from_static("accept-encoding, x-api-key"),
        );
        // weak: one tag for all codings of the same list
        if let Ok(tag) = HeaderValue::from_str(&format!("W/\"{}\"", self.tag)) {
            headers.insert(header::ETAG, tag);
        }
        response
    }

    fn gzipped(&self) -> Bytes {
        let bytes = self.gzip.get_or_init(|| {
            let mut encoder =
                flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            let written = encoder.write_all(&self.body);
            // a vector takes all that is written to it
            let bytes = written.and_then(|()| encoder.finish()).unwrap_or_default();
            Bytes::from(bytes)
        });
        bytes.clone()
    }

    fn brotlied(&self) -> Bytes {
        let bytes = self.brotli.get_or_init(|| {
            let parameters = brotli::enc::BrotliEncoderParams {
                quality: BROTLI_QUALITY,
                lgwin: BROTLI_WINDOW_BITS,
                ..Default::default()
            };
            let mut bytes = Vec::new();
            // a vector takes all that is written to it
            let _ = brotli::BrotliCompress(&mut &self.body[..], &mut bytes, &parameters);
            Bytes::from(bytes)
        });
        bytes.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    fn wishes(pairs: &[(&'static str, &'static str)]) -> Wishes {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        Wishes::of(&headers)
    }

    #[test]
    fn the_coding_follows_the_callers_weights() {
        let coding = |text| wishes(&[("accept-encoding", text)]).coding;
        assert_eq!(coding("gzip, deflate, br"), Some(Coding::Brotli));
        assert_eq!(coding("br;q=0.5, GZIP"), Some(Coding::Gzip));
        assert_eq!(coding("gzip;q=0, br; q=0.000"), None);
        assert_eq!(coding("identity, *"), None);
        assert_eq!(coding("br;q=much"), None);
    }

    #[test]
    fn tags_are_known_weak_or_strong_and_among_others() {
        let known = |text| wishes(&[("if-none-match", text)]).knows("ab12");
        assert!(known("\"ab12\"") && known("W/\"ab12\"") && known("*"));
        assert!(known("\"x\", W/\"ab12\""));
        assert!(!known("\"ab1\""));
    }

    #[test]
    fn every_coding_holds_the_same_list() {
        let body = "a list of numbers and prices; ".repeat(1000);
        let list = List {
            tag: tag(body.as_bytes()),
            body: Bytes::from(body.clone()),
            gzip: OnceLock::new(),
            brotli: OnceLock::new(),
            until: Timestamp(0),
        };
        let mut unzipped = String::new();
        let zipped = list.gzipped();
        flate2::read::GzDecoder::new(&zipped[..])
            .read_to_string(&mut unzipped)
            .unwrap();
        assert_eq!(unzipped, body);
        let mut plain = Vec::new();
        brotli::BrotliDecompress(&mut &list.brotlied()[..], &mut plain).unwrap();
        assert_eq!(plain, body.as_bytes());
        assert!(zipped.len() * 5 < body.len());
    }
}
