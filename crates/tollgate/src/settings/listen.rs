//! `[listen]`: where the program answers and whom it believes about the caller's address.

use super::base_url;
use super::section::{Section, path, text};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;
use toml::Value;
use web::serve::{Certificate, CertificateError};

/// `[listen]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listen {
    /// Address and port of the listener.
    pub address: SocketAddr,
    /// How customers reach the program, without a slash at the end; nothing means by `address`.
    pub public_url: Option<String>,
    /// Certificates and key, in PEM, where TLS ends in the program.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// How long a node that was told to stop still takes requests after it has said that it is not
    /// ready.
    pub drain: Duration,
}

impl Listen {
    /// Reads the section.
    pub fn read(part: &mut Section<'_>) -> Self {
        let tls = tls(part);
        Self {
            tls,
            address: part.parsed("address", SocketAddr::from(([127, 0, 0, 1], 8080)), address),
            public_url: part.optional("public_url", base_url::public, None),
            trusted_proxies: part.list("trusted_proxies", Vec::new(), network),
            drain: Duration::from_secs(part.number("drain_s", 0, 0..=300).into()),
        }
        .agreeing(part)
    }

    fn agreeing(self, part: &Section<'_>) -> Self {
        let plain = self.public_url.as_deref();
        if self.tls.is_some() && plain.is_some_and(|url| url.starts_with("http://")) {
            part.problem(
                "public_url",
                "must begin with https://: tls_cert_file is given",
            );
        }
        self
    }

    /// How whoever is on this machine reaches a listener at an address.
    pub fn url_at(&self, address: SocketAddr) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{address}")
    }

    /// The certificate to show, where TLS ends in the program.
    ///
    /// # Errors
    /// The files cannot be used.
    pub fn certificate(&self) -> Result<Option<Certificate>, CertificateError> {
        let tls = self.tls.as_ref();
        tls.map(|(chain, key)| Certificate::read(chain, key))
            .transpose()
    }
}

/// The files of the certificates and of the key, which nobody else may read. Relative paths start at the
/// settings file's directory.
fn tls(part: &mut Section<'_>) -> Option<(PathBuf, PathBuf)> {
    let files = ["tls_cert_file", "tls_key_file"];
    let [chain, key] = files.map(|name| part.optional(name, path, None));
    let (missing, given) = match (&chain, &key) {
        (Some(_), None) => (files[1], files[0]),
        (None, Some(_)) => (files[0], files[1]),
        _ => {
            let base = part.base_dir().to_owned();
            return chain.zip(key).map(|(c, k)| (base.join(c), base.join(k)));
        }
    };
    if !part.has_problem(missing) {
        part.problem(missing, format!("is missing: {given} is given"));
    }
    None
}

/// An IP address and a port.
pub fn address(value: &Value) -> Result<SocketAddr, String> {
    let allowed = "must be an IP address and a port, like \"127.0.0.1:8080\" or \"[::1]:8080\"";
    text(value)?.parse().map_err(|_| allowed.to_owned())
}

/// A block of addresses: `10.0.0.0/8`, `::1/128`, or one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    base: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// First address and length of the prefix in bits.
    pub fn parts(&self) -> (IpAddr, u8) {
        (self.base, self.prefix_bits)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix_bits)
    }
}

/// A block of addresses.
pub fn network(value: &Value) -> Result<Network, String> {
    let allowed = || "must be an address block, like \"10.0.0.0/8\" or \"::1/128\"".to_owned();
    let given = text(value)?;
    let (base, prefix) = given
        .split_once('/')
        .map_or((given, None), |(b, p)| (b, Some(p)));
    let base: IpAddr = base.parse().map_err(|_| allowed())?;
    let width = if base.is_ipv4() { 32 } else { 128 };
    let prefix_bits = prefix
        .map_or(Ok(width), str::parse)
        .map_err(|_| allowed())?;
    if prefix_bits > width || base != base.to_canonical() {
        Err(allowed())
    } else if bits(base) & !mask(prefix_bits) != 0 {
        Err(format!(
            "is not a block: bits are set after the first {prefix_bits}"
        ))
    } else {
        Ok(Network { base, prefix_bits })
    }
}

/// The address at the upper end of 128 bits, so that a prefix means the same in both families.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(four) => u128::from(four.to_bits()) << 96,
        IpAddr::V6(six) => six.to_bits(),
    }
}

fn mask(prefix_bits: u8) -> u128 {
    u128::MAX
        .checked_shl(128 - u32::from(prefix_bits))
        .unwrap_or(0)
}
