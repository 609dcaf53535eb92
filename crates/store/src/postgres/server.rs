//! Connecting: TLS, the settings that safety rests on, and what refuses to start.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_postgres::error::SqlState;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::error::words;
use super::facts::Facts;
use super::link::Link;
use super::settings::{Address, PostgresSettings, Protection};
use crate::open_error::OpenError;
use crate::threads::{Opener, Owned};

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// When a silent peer is given up.
const SILENCE: Duration = Duration::from_secs(30);

/// A server that can be reached, as far as is known.
#[derive(Clone)]
pub(super) struct Server {
    address: Address,
    settings: PostgresSettings,
    tls: Option<Arc<MakeRustlsConnect>>,
}

/// What a connection is for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Reading,
    Writing,
}

impl Server {
    /// Reads what the operator said.
    pub(super) fn new(settings: &PostgresSettings) -> Result<Self, OpenError> {
        let refused = |at: &str, what: String| OpenError::Postgres {
            at: at.to_owned(),
            what,
        };
        let address = Address::read(&settings.url);
        let mut address =
            address.map_err(|why| refused("the given address", format!("it {why}")))?;
        address
            .config
            .application_name("tollgate")
            .connect_timeout(CONNECT_TIMEOUT)
            .tcp_user_timeout(SILENCE)
            .keepalives_idle(SILENCE);
        let tls = match &address.protection {
            Protection::None => None,
            Protection::Verified { roots } => {
                let tls = tls(roots.as_deref()).map_err(|why| refused(&address.name, why))?;
                Some(Arc::new(tls))
            }
        };
        Ok(Self {
            address,
            settings: settings.clone(),
            tls,
        })
    }

    /// A connection whose server passed the checks.
    pub(super) fn link(&self, purpose: Purpose) -> Result<Link, OpenError> {
        self.link_hearing(purpose, &Arc::default())
    }

    /// The same; `heard` counts the notices that come in on it.
    pub(super) fn link_hearing(
        &self,
        purpose: Purpose,
        heard: &Arc<AtomicU64>,
    ) -> Result<Link, OpenError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(OpenError::Thread)?;
        let client = runtime.block_on(self.client(Arc::clone(heard)));
        let client = client.map_err(|error| self.refused(refusal(&error)))?;
        let patience = self.settings.statement_timeout + self.settings.lock_timeout;
        let link = Link::new(client, runtime, patience);
        let prepared = link.batch(&self.session(purpose));
        prepared.map_err(|fault| self.refused(fault.to_string()))?;
        self.check(&link)?;
        Ok(link)
    }

    async fn client(&self, heard: Arc<AtomicU64>) -> Result<Client, tokio_postgres::Error> {
        let config = &self.address.config;
        // the task ends with the connection, whatever ended it: the client says so when it is used
        match &self.tls {
            None => {
                let (client, connection) = config.connect(NoTls).await?;
                tokio::runtime::Handle::current().spawn(drive(connection, heard));
                Ok(client)
            }
            Some(tls) => {
                let (client, connection) = config.connect(tls.as_ref().clone()).await?;
                tokio::runtime::Handle::current().spawn(drive(connection, heard));
                Ok(client)
            }
        }
    }

    pub(super) fn session(&self, purpose: Purpose) -> String {
        let PostgresSettings {
            statement_timeout,
            lock_timeout,
            idle_timeout,
            ..
        } = &self.settings;
        let read_only = match purpose {
            Purpose::Reading => "on",
            Purpose::Writing => "off",
        };
        format!(
            "SET statement_timeout = {}; SET lock_timeout = {}; \
             SET idle_in_transaction_session_timeout = {}; \
             SELECT set_config('synchronous_commit', 'on', false) \
             WHERE current_setting('synchronous_commit') NOT IN ('on', 'remote_apply'); \
             SET default_transaction_read_only = {read_only}",
            statement_timeout.as_millis(),
            lock_timeout.as_millis(),
            idle_timeout.as_millis(),
        )
    }

    /// What must hold of a server before money rests on it.
    fn check(&self, link: &Link) -> Result<(), OpenError> {
        let facts = Facts::of(link).map_err(|fault| self.refused(fault.to_string()))?;
        match facts.unfit() {
            None => Ok(()),
            Some(why) => Err(self.refused(why)),
        }
    }

    /// An error that names the server.
    pub(super) fn refused(&self, what: String) -> OpenError {
        OpenError::Postgres {
            at: self.address.name.clone(),
            what,
        }
    }
}

/// Carries what is said on a connection, and counts the notices on it.
async fn drive<S, T>(mut connection: Connection<S, T>, heard: Arc<AtomicU64>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
        if matches!(message, AsyncMessage::Notification(_)) {
            heard.fetch_add(1, Ordering::Release);
        }
    }
}

/// Why a connection was not made, in words that help.
fn refusal(error: &tokio_postgres::Error) -> String {
    let text = words(error);
    match error.code() {
        Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => {
            format!("refuses the user or the password: {text}")
        }
        Some(&SqlState::INVALID_CATALOG_NAME) => {
            format!("has no such database; create it first: {text}")
        }
        Some(&SqlState::TOO_MANY_CONNECTIONS) => format!(
            "has no connection left; raise its max_connections or lower store.connections: {text}"
        ),
        Some(_) => text,
        None if text.contains("certificate") => format!(
            "its certificate is not believed: {text}; sslrootcert=FILE in the address names who \
             vouches for it"
        ),
        None if text.contains("does not support TLS") => format!(
            "speaks no TLS: {text}; sslmode=disable is for a way that nobody else can listen on"
        ),
        None => format!("cannot be reached: {text}"),
    }
}

fn tls(roots: Option<&str>) -> Result<MakeRustlsConnect, String> {
    let Some(path) = roots else {
        let made = MakeRustlsConnect::with_native_certs();
        let (tls, _) = made.map_err(|errors| format!("no certificates to trust: {errors:?}"))?;
        return Ok(tls);
    };
    let unusable = |why: String| format!("cannot use sslrootcert {path}: {why}");
    let certificates = CertificateDer::pem_file_iter(path);
    let certificates = certificates.map_err(|error| unusable(error.to_string()))?;
    let mut store = RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|error| unusable(error.to_string()))?;
        let added = store.add(certificate);
        added.map_err(|error| unusable(error.to_string()))?;
    }
    let config = ClientConfig::builder()
        .with_root_certificates(store)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

impl Opener for Server {
    fn reader(&self) -> Result<Owned, OpenError> {
        Ok(Box::new(self.link(Purpose::Reading)?))
    }

    /// A session that was cut may still be committing: after it has let go of the lock that writers
    /// share, what it did is to be seen.
    fn checked_writer(&self) -> Result<Owned, OpenError> {
        let link = self.link(Purpose::Writing)?;
        link.wait_for_writers()
            .map_err(|fault| self.refused(fault.to_string()))?;
        Ok(Box::new(link))
    }

    fn check_whole(&self, _: &dyn crate::sql::Connection) -> Result<(), OpenError> {
        Ok(())
    }

    fn loses_connections(&self) -> bool {
        true
    }

    fn readers(&self) -> u16 {
        self.settings.readers.max(1)
    }
}
