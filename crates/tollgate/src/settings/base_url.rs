//! Addresses of other programs: what may stand in `url` and `public_url`, and why not more.

use super::secret::Secret;
use super::section::text;
use toml::Value;
use url::{Host, Url};

/// The program's own address as customers see it: scheme, host and port, nothing behind.
pub fn public(value: &Value) -> Result<String, String> {
    let url = plain(text(value)?)?;
    if url.path() == "/" {
        Ok(url.as_str().trim_end_matches('/').to_owned())
    } else {
        Err("must end after the host and port, like \"https://sms.example.org\"".to_owned())
    }
}

/// An upstream's address. Plain HTTP would show the key to everybody on the way, so that it is
/// taken only on this machine or where the operator says so.
pub fn upstream(value: &Value, allow_plain_http: bool) -> Result<String, String> {
    let url = plain(text(value)?)?;
    if url.scheme() == "https" || allow_plain_http || is_loopback(&url) {
        Ok(url.into())
    } else {
        Err(
            "must begin with https://: over http:// everybody on the way can read the key and \
             the codes; allow_plain_http = true takes it all the same"
                .to_owned(),
        )
    }
}

/// A proxy's address, or nothing for none. It may carry the proxy's own user name and password, so
/// it is a secret.
pub fn proxy(value: &Value) -> Result<Secret, String> {
    let given = text(value)?;
    if given.is_empty() {
        return Ok(Secret::new(""));
    }
    let known = |url: &Url| matches!(url.scheme(), "http" | "https" | "socks5" | "socks5h");
    let url = Url::parse(given)
        .ok()
        .filter(|url| known(url) && url.has_host())
        .ok_or("must be an address like \"http://host:3128\" or \"socks5://host:1080\"")?;
    Ok(Secret::new(url))
}

/// An http or https address without credentials, query and fragment.
fn plain(given: &str) -> Result<Url, String> {
    let url = Url::parse(given)
        .ok()
        .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
        .ok_or("must be an address like \"https://api.example.org/path\"")?;
    if !url.username().is_empty() || url.password().is_some() {
        Err("must not carry a user name or password; a secret belongs in key_file".to_owned())
    } else if url.query().is_some() || url.fragment().is_some() {
        Err("must end before any ? or #; a secret belongs in key_file".to_owned())
    } else {
        Ok(url)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
