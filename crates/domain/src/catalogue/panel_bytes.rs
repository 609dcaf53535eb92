//! A panel's service list as bytes, for keeping it over a restart: what the panel listed, and when
//! it was read. The form of numbers and texts is that of a shelf's bytes.

use super::bytes::{Bytes, NotAListing, put_count, put_text};
use crate::order_type::OrderType;
use crate::time::Timestamp;
use crate::upstream::PanelService;
use crate::usd::Rate;

/// Form of the bytes; another form is not read.
const FORM: &[u8; 8] = b"TGPANEL1";

const REFILL: u8 = 1;
const CANCEL: u8 = 2;
const DRIPFEED: u8 = 4;

/// What a panel listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanelListing {
    /// Panel.
    pub upstream: String,
    /// When it was read.
    pub read_at: Timestamp,
    /// Its services.
    pub services: Vec<PanelService>,
}

impl PanelListing {
    /// The list as bytes.
    pub fn encode(upstream: &str, read_at: Timestamp, services: &[PanelService]) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32 + services.len() * 96);
        bytes.extend_from_slice(FORM);
        bytes.extend_from_slice(&read_at.0.to_le_bytes());
        put_text(&mut bytes, upstream);
        put_count(&mut bytes, services.len());
        for service in services {
            put_service(&mut bytes, service);
        }
        bytes
    }

    /// Reads what [`PanelListing::encode`] wrote.
    ///
    /// # Errors
    /// The bytes are cut, or of another form.
    pub fn decode(bytes: &[u8]) -> Result<Self, NotAListing> {
        read(&mut Bytes(bytes)).ok_or(NotAListing)
    }
}

fn put_service(bytes: &mut Vec<u8>, service: &PanelService) {
    for text in [&service.id, &service.name, &service.category] {
        put_text(bytes, text);
    }
    put_text(bytes, service.kind.unwrap_or_default());
    bytes.extend_from_slice(&service.rate.0.to_le_bytes());
    bytes.extend_from_slice(&service.min.to_le_bytes());
    bytes.extend_from_slice(&service.max.to_le_bytes());
    let flag = |set: bool, flag: u8| if set { flag } else { 0 };
    let flags = flag(service.refill, REFILL)
        | flag(service.cancel, CANCEL)
        | flag(service.dripfeed, DRIPFEED);
    bytes.push(flags);
}

fn read(bytes: &mut Bytes<'_>) -> Option<PanelListing> {
    if bytes.take(FORM.len())? != FORM {
        return None;
    }
    let read_at = Timestamp(bytes.signed()?);
    let upstream = bytes.text()?;
    let services = (0..bytes.count()?)
        .map(|_| service(bytes))
        .collect::<Option<Vec<_>>>()?;
    bytes.0.is_empty().then_some(PanelListing {
        upstream,
        read_at,
        services,
    })
}

fn service(bytes: &mut Bytes<'_>) -> Option<PanelService> {
    let (id, name, category) = (bytes.text()?, bytes.text()?, bytes.text()?);
    let kind = OrderType::parse(&bytes.text()?).map(OrderType::title);
    let rate = Rate(bytes.signed()?);
    let (min, max) = (bytes.long()?, bytes.long()?);
    let flags = *bytes.take(1)?.first()?;
    Some(PanelService {
        id,
        name,
        category,
        kind,
        rate,
        min,
        max,
        refill: flags & REFILL != 0,
        cancel: flags & CANCEL != 0,
        dripfeed: flags & DRIPFEED != 0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed() -> Vec<PanelService> {
        let service = |id: &str, kind| PanelService {
            id: id.to_owned(),
            name: "Followers ⭐".to_owned(),
            category: String::new(),
            kind,
            rate: Rate(900_000_001),
            min: 50,
            max: u64::MAX,
            refill: true,
            cancel: false,
            dripfeed: true,
        };
        vec![service("1", Some("Custom Comments")), service("a-2", None)]
    }

    #[test]
    fn a_list_comes_back_as_it_was() {
        let bytes = PanelListing::encode("panel", Timestamp(7), &listed());
        let back = PanelListing::decode(&bytes).unwrap();
        assert_eq!(
            (back.upstream.as_str(), back.read_at),
            ("panel", Timestamp(7))
        );
        assert_eq!(back.services, listed());
    }

    #[test]
    fn what_is_cut_or_of_another_form_is_no_list() {
        let bytes = PanelListing::encode("panel", Timestamp(7), &listed());
        for end in 0..bytes.len() {
            assert_eq!(
                PanelListing::decode(&bytes[..end]),
                Err(NotAListing),
                "{end}"
            );
        }
        let mut other = bytes.clone();
        other[7] = b'0';
        assert_eq!(PanelListing::decode(&other), Err(NotAListing));
        let mut longer = bytes;
        longer.push(0);
        assert_eq!(PanelListing::decode(&longer), Err(NotAListing));
    }
}
