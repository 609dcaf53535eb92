//! How to reach a PostgreSQL server: its address, TLS, and how long anything may take.

use std::str::FromStr;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

/// What an operator says of the server. Its address may carry a password, so none of it is printed.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresSettings {
    /// `postgres://user:password@host:port/database`, with `sslmode` and `sslrootcert`.
    pub url: String,
    /// Connections of this node that read; one more writes and one takes ids and hears notices.
    pub readers: u16,
    /// How long one statement may take on the server.
    pub statement_timeout: Duration,
    /// How long a statement may wait for what another node holds.
    pub lock_timeout: Duration,
    /// When the server gives up a transaction whose node says nothing more.
    pub idle_timeout: Duration,
}

impl PostgresSettings {
    /// Usual spans for an address.
    pub fn new(url: &str) -> Self {
        Self {
            url: url.to_owned(),
            readers: 8,
            statement_timeout: Duration::from_secs(30),
            lock_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(5),
        }
    }

    /// Reads the address. The error names what is wrong and never repeats the address.
    pub fn check(&self) -> Result<(), String> {
        Address::read(&self.url).map(drop)
    }
}

impl std::fmt::Debug for PostgresSettings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PostgresSettings")
            .field("url", &"***")
            .field("readers", &self.readers)
            .finish_non_exhaustive()
    }
}

/// How the way to the server is protected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Protection {
    /// Not at all: a socket, or this machine.
    None,
    /// TLS, with a certificate that the system, or this file, vouches for.
    Verified { roots: Option<String> },
}

/// An address that was read.
#[derive(Clone)]
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) protection: Protection,
    /// Host and port, for messages.
    pub(super) name: String,
}

impl Address {
    /// Reads an address; the certificate of a server that is not on this machine is verified
    /// unless `sslmode=disable` says that nothing is to be protected.
    pub(super) fn read(url: &str) -> Result<Self, String> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err("must start with postgres://".to_owned());
        }
        let (rest, query) = url.split_once('?').unwrap_or((url, ""));
        let (mut mode, mut roots, mut others) = (None, None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            match pair.split_once('=') {
                Some(("sslmode", value)) => mode = Some(value.to_owned()),
                Some(("sslrootcert", value)) => roots = Some(value.replace("%2F", "/")),
                _ => others.push(pair),
            }
        }
        let url = match others.is_empty() {
            true => rest.to_owned(),
            false => format!("{rest}?{}", others.join("&")),
        };
        let mut config = Config::from_str(&url).map_err(|error| {
            // the library's own words may repeat a part of the address
            let cause = std::error::Error::source(&error).map(|_| " (one of its parts)");
            format!(
                "is not an address of a PostgreSQL database{}",
                cause.unwrap_or_default()
            )
        })?;
        let protection = protection(&config, mode.as_deref(), roots)?;
        config.ssl_mode(match protection {
            Protection::None => SslMode::Disable,
            Protection::Verified { .. } => SslMode::Require,
        });
        let name = name(&config);
        Ok(Self {
            config,
            protection,
            name,
        })
    }
}

fn protection(
    config: &Config,
    mode: Option<&str>,
    roots: Option<String>,
) -> Result<Protection, String> {
    let here = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => ["localhost", "127.0.0.1", "::1"].contains(&name.as_str()),
        Host::Unix(_) => true,
    });
    match mode {
        Some("disable") => Ok(Protection::None),
        Some("require" | "verify-ca" | "verify-full") => Ok(Protection::Verified { roots }),
        None if here && roots.is_none() => Ok(Protection::None),
        None => Ok(Protection::Verified { roots }),
        Some(other) => Err(format!(
            "sslmode must be disable, require or verify-full, not {other:?}"
        )),
    }
}

fn name(config: &Config) -> String {
    let ports = config.get_ports();
    let hosts = config.get_hosts().iter().enumerate().map(|(at, host)| {
        let port = ports.get(at).or(ports.first()).copied().unwrap_or(5432);
        match host {
            Host::Tcp(name) => format!("{name}:{port}"),
            Host::Unix(path) => format!("{} port {port}", path.display()),
        }
    });
    let hosts: Vec<_> = hosts.collect();
    hosts.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protection_of(url: &str) -> Protection {
        Address::read(url).unwrap().protection
    }

    #[test]
    fn a_server_elsewhere_is_verified_unless_said_otherwise() {
        let verified = Protection::Verified { roots: None };
        assert_eq!(protection_of("postgres://u:p@db.example.com/t"), verified);
        for mode in ["require", "verify-ca", "verify-full"] {
            let url = format!("postgres://u@localhost/t?sslmode={mode}");
            assert_eq!(protection_of(&url), verified);
        }
        for url in [
            "postgres://u@localhost/t",
            "postgres://u@%2Ftmp/t",
            "postgres://u@db.example.com/t?sslmode=disable",
        ] {
            assert_eq!(protection_of(url), Protection::None, "{url}");
        }
        let roots = Some("/etc/ca.pem".to_owned());
        let url = "postgres://u@localhost/t?sslrootcert=/etc/ca.pem&connect_timeout=3";
        assert_eq!(protection_of(url), Protection::Verified { roots });
    }

    #[test]
    fn a_bad_address_is_refused_without_being_repeated() {
        for url in [
            "mysql://root:geheim@host/t",
            "postgres://u:geheim@host:port/t",
            "postgres://u:geheim@host/t?sslmode=prefer",
            "postgres://u:geheim@host/t?nonsense=geheim",
        ] {
            let refused = PostgresSettings::new(url).check().unwrap_err();
            assert!(!refused.contains("geheim"), "{refused}");
        }
        let settings = format!("{:?}", PostgresSettings::new("postgres://u:geheim@h/t"));
        assert!(!settings.contains("geheim"), "{settings}");
    }

    #[test]
    fn messages_name_host_and_port() {
        let name = |url| Address::read(url).unwrap().name;
        assert_eq!(name("postgres://u@one:6000/t"), "one:6000");
        assert_eq!(name("postgres://u@one,two/t"), "one:5432, two:5432");
    }
}
