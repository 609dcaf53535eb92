//! Whose address a request counts for, and whether an address lies in a network.

use crate::connection::Connection;
use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

const FORWARDED_FOR: &str = "x-forwarded-for";
const FORWARDED_PROTO: &str = "x-forwarded-proto";

/// The caller's address: the peer, or behind trusted proxies the last hop that is none of them.
/// IPv4 in its IPv6 form is given as the plain address.
pub(crate) fn of_caller(parts: &Parts, trusted: &[(IpAddr, u8)]) -> IpAddr {
    behind_proxies(peer(parts), &parts.headers, trusted)
}

/// Whether the caller came over TLS: to us, or to a trusted proxy that says so.
pub(crate) fn is_https(parts: &Parts, trusted: &[(IpAddr, u8)]) -> bool {
    let here = parts.extensions.get::<Connection>();
    let said = parts.headers.get(FORWARDED_PROTO);
    here.is_some_and(Connection::is_encrypted)
        || is_among(peer(parts), trusted) && said.is_some_and(|said| said == "https")
}

fn peer(parts: &Parts) -> IpAddr {
    let known = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    known.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(peer)| {
        peer.ip().to_canonical()
    })
}

/// Whether an address lies in one of these networks.
pub(crate) fn is_among(address: IpAddr, trusted: &[(IpAddr, u8)]) -> bool {
    trusted
        .iter()
        .any(|(network, bits)| contains(*network, *bits, address))
}

fn behind_proxies(peer: IpAddr, headers: &HeaderMap, trusted: &[(IpAddr, u8)]) -> IpAddr {
    let mut caller = peer;
    let lines: Vec<&str> = headers
        .get_all(FORWARDED_FOR)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(','));
    while is_among(caller, trusted) {
        // what an untrusted hop wrote, or nobody can read, is not believed
        match hops
            .next()
            .and_then(|hop| hop.trim().parse::<IpAddr>().ok())
        {
            Some(hop) => caller = hop.to_canonical(),
            None => break,
        }
    }
    caller
}

/// Whether a key's list names the address: plain or in CIDR notation. What cannot be read
/// matches nothing.
pub(crate) fn is_listed(list: &[String], address: IpAddr) -> bool {
    list.iter().any(|entry| {
        let (network, bits) = match entry.split_once('/') {
            Some((network, bits)) => (network, bits.parse().ok()),
            None => (entry.as_str(), Some(u8::MAX)),
        };
        match (network.trim().parse(), bits) {
            (Ok(network), Some(bits)) => contains(network, bits, address),
            _ => false,
        }
    })
}

/// Whether `address` shares the first `bits` bits with `network`. A network written in the IPv6
/// form of IPv4 is the plain one.
fn contains(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    let plain = network.to_canonical();
    let bits = if plain.is_ipv4() && network.is_ipv6() {
        bits.saturating_sub(96)
    } else {
        bits
    };
    match (plain, address.to_canonical()) {
        (IpAddr::V4(network), IpAddr::V4(address)) => {
            let differing = u32::from(network) ^ u32::from(address);
            differing.leading_zeros() >= u32::from(bits.min(32))
        }
        (IpAddr::V6(network), IpAddr::V6(address)) => {
            let differing = u128::from(network) ^ u128::from(address);
            differing.leading_zeros() >= u32::from(bits.min(128))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn caller(peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        let trusted = [(ip("10.0.0.0"), 8), (ip("2001:db8::"), 32)];
        behind_proxies(ip(peer).to_canonical(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_trusted_proxies_are_believed_and_only_as_far_as_they_reach() {
        for (peer, forwarded, expected) in [
            ("192.0.2.1", &["203.0.113.9"][..], "192.0.2.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("10.0.0.1", &["203.0.113.9"], "203.0.113.9"),
            ("::ffff:10.0.0.1", &["::ffff:203.0.113.9"], "203.0.113.9"),
            (
                "10.0.0.1",
                &["1.1.1.1, 203.0.113.9, 10.2.3.4"],
                "203.0.113.9",
            ),
            (
                "10.0.0.1",
                &["1.1.1.1", "203.0.113.9,10.2.3.4"],
                "203.0.113.9",
            ),
            ("10.0.0.1", &["1.1.1.1, nonsense"], "10.0.0.1"),
            ("2001:db8::1", &["203.0.113.9"], "203.0.113.9"),
        ] {
            assert_eq!(caller(peer, forwarded), expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn lists_take_addresses_and_networks_in_either_form() {
        let listed = |entry: &str, address| is_listed(&[entry.to_owned()], ip(address));
        assert!(listed("192.0.2.1", "192.0.2.1"));
        assert!(listed("192.0.2.1", "::ffff:192.0.2.1"));
        assert!(listed("::ffff:192.0.2.1", "192.0.2.1"));
        assert!(listed("192.0.2.0/24", "192.0.2.255"));
        assert!(listed("::ffff:192.0.2.0/120", "192.0.2.255"));
        assert!(listed("2001:db8::/32", "2001:db8:1::1"));
        assert!(listed("0.0.0.0/0", "192.0.2.1"));
        for (entry, address) in [
            ("192.0.2.1", "192.0.2.2"),
            ("192.0.2.0/24", "192.0.3.0"),
            ("0.0.0.0/0", "2001:db8::1"),
            ("2001:db8::/32", "2001:db9::1"),
            ("nonsense", "192.0.2.1"),
            ("192.0.2.1/x", "192.0.2.1"),
        ] {
            assert!(!listed(entry, address), "{entry} {address}");
        }
    }
}
