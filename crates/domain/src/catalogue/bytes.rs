//! A shelf as bytes, for keeping it over a restart: what the upstream listed, and when it was read.
//!
//! Numbers are little-endian; a text is its length in bytes and UTF-8. The names are the upstream's:
//! whoever reads the bytes takes the listing in again, under the rules that hold by then.

use super::shelf::{NO_RATE, NONE, Row, Shelf};
use crate::time::Timestamp;
use crate::upstream::{NumberListing, NumberOffer};
use crate::usd::Usd;

/// Form of the bytes; another form is not read.
const FORM: &[u8; 8] = b"TGSHELF1";

/// The bytes are no listing of this form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAListing;

impl Shelf {
    /// The listing as bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32 + self.rows.len() * 21);
        bytes.extend_from_slice(FORM);
        bytes.extend_from_slice(&self.read_at().0.to_le_bytes());
        put_text(&mut bytes, self.upstream());
        put_count(&mut bytes, self.services.len());
        for service in &self.services {
            put_text(&mut bytes, &service.id);
            put_text(&mut bytes, &service.listed);
        }
        put_count(&mut bytes, self.pools.len());
        for pool in &self.pools {
            put_text(&mut bytes, pool);
        }
        put_count(&mut bytes, self.countries.len());
        for country in &self.countries {
            put_text(&mut bytes, &country.id);
            put_text(&mut bytes, &country.listed);
            let rows = self.rows_of(country);
            put_count(&mut bytes, rows.len());
            for row in rows {
                put_row(&mut bytes, row);
            }
        }
        bytes
    }

    /// Reads what [`Shelf::encode`] wrote: upstream, time of reading and listing.
    ///
    /// # Errors
    /// The bytes are cut, of another form, or do not fit together.
    pub fn decode(bytes: &[u8]) -> Result<(String, Timestamp, NumberListing), NotAListing> {
        read(&mut Bytes(bytes)).ok_or(NotAListing)
    }
}

fn read(bytes: &mut Bytes<'_>) -> Option<(String, Timestamp, NumberListing)> {
    if bytes.take(FORM.len())? != FORM {
        return None;
    }
    let read_at = Timestamp(bytes.signed()?);
    let upstream = bytes.text()?;
    let services = (0..bytes.count()?)
        .map(|_| Some((bytes.text()?, bytes.text()?)))
        .collect::<Option<Vec<_>>>()?;
    let pools = (0..bytes.count()?)
        .map(|_| bytes.text())
        .collect::<Option<Vec<_>>>()?;
    let mut listing = NumberListing {
        services,
        ..NumberListing::default()
    };
    for _ in 0..bytes.count()? {
        let country = (bytes.text()?, bytes.text()?);
        for _ in 0..bytes.count()? {
            let offer = bytes.row(&country.0, &listing.services, &pools)?;
            listing.offers.push(offer);
        }
        listing.countries.push(country);
    }
    bytes.0.is_empty().then_some((upstream, read_at, listing))
}

fn put_row(bytes: &mut Vec<u8>, row: &Row) {
    bytes.extend_from_slice(&row.service.to_le_bytes());
    bytes.extend_from_slice(&row.pool.to_le_bytes());
    bytes.extend_from_slice(&row.cost.0.to_le_bytes());
    bytes.extend_from_slice(&row.available.to_le_bytes());
    bytes.push(row.rate);
}

pub(super) fn put_count(bytes: &mut Vec<u8>, count: usize) {
    let count = u32::try_from(count).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&count.to_le_bytes());
}

pub(super) fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_count(bytes, text.len());
    bytes.extend_from_slice(text.as_bytes());
}

/// What is left to read. Nothing is allocated on the word of a count alone.
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    pub(super) fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, left) = self.0.split_at_checked(count)?;
        self.0 = left;
        Some(taken)
    }

    fn unsigned(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }

    pub(super) fn signed(&mut self) -> Option<i64> {
        Some(i64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    pub(super) fn long(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    /// A count of things of at least one byte each.
    pub(super) fn count(&mut self) -> Option<usize> {
        let count = usize::try_from(self.unsigned()?).ok()?;
        (count <= self.0.len()).then_some(count)
    }

    pub(super) fn text(&mut self) -> Option<String> {
        let length = self.count()?;
        String::from_utf8(self.take(length)?.to_vec()).ok()
    }

    fn row(
        &mut self,
        country: &str,
        services: &[(String, String)],
        pools: &[String],
    ) -> Option<NumberOffer> {
        let service = services.get(usize::try_from(self.unsigned()?).ok()?)?;
        let pool = match self.unsigned()? {
            NONE => None,
            at => Some(pools.get(usize::try_from(at).ok()?)?.clone()),
        };
        let cost = Usd(self.signed()?);
        let available = Some(self.unsigned()?).filter(|stock| *stock != NONE);
        let rate = *self.take(1)?.first()?;
        Some(NumberOffer {
            country: country.to_owned(),
            service: service.0.clone(),
            pool,
            cost,
            available,
            success_rate: Some(rate).filter(|rate| *rate != NO_RATE),
        })
    }
}
