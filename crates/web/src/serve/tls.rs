//! TLS that ends in the program: the certificate callers are shown, which may be renewed while it runs.
//!
//! TLS 1.2 and 1.3, no renegotiation, no early data (a request that may be replayed could buy twice), and
//! HTTP/1 as the only protocol that is agreed on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio_rustls::TlsAcceptor;

/// Why a certificate cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// The file of the certificates: not there, not readable, or no PEM.
    #[error("{} holds no certificate in PEM: {why}", file.display())]
    Chain {
        /// Where it was looked for.
        file: PathBuf,
        /// What was found.
        why: String,
    },
    /// The file of the key.
    #[error("{} holds no private key in PEM: {why}", file.display())]
    Key {
        /// Where it was looked for.
        file: PathBuf,
        /// What was found.
        why: String,
    },
    /// The two do not belong together, or the key is of a kind that is not known.
    #[error("the key does not fit the certificate: {0}")]
    Pair(rustls::Error),
}

/// Certificate and key of a listener; clones show the same.
#[derive(Clone)]
pub struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    shown: Arc<Shown>,
    config: Arc<ServerConfig>,
}

impl Certificate {
    /// Reads a chain of certificates, the listener's own first, and its key, both in PEM.
    ///
    /// # Errors
    /// A file that cannot be read or holds something else, and a key of another certificate.
    pub fn read(chain: &Path, key: &Path) -> Result<Self, CertificateError> {
        let shown = Arc::new(Shown(ArcSwap::from_pointee(pair(chain, key)?)));
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(CertificateError::Pair)?
            .with_no_client_auth();
        let mut config = config.with_cert_resolver(Arc::clone(&shown) as _);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            chain: chain.to_owned(),
            key: key.to_owned(),
            shown,
            config: Arc::new(config),
        })
    }

    /// Shows what the files hold now from the next connection on.
    ///
    /// # Errors
    /// As [`Self::read`]; the one before is shown then.
    pub fn read_again(&self) -> Result<(), CertificateError> {
        self.shown.0.store(Arc::new(pair(&self.chain, &self.key)?));
        Ok(())
    }

    pub(super) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }
}

#[derive(Debug)]
struct Shown(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

fn pair(chain: &Path, key: &Path) -> Result<CertifiedKey, CertificateError> {
    let no_chain = |why: String| CertificateError::Chain {
        file: chain.to_owned(),
        why,
    };
    let no_key = |error: pem::Error| CertificateError::Key {
        file: key.to_owned(),
        why: reason(&error),
    };
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| no_chain(reason(&error)))?;
    if certificates.is_empty() {
        return Err(no_chain("nothing of that kind is in it".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(no_key)?;
    CertifiedKey::from_der(certificates, key, &default_provider()).map_err(CertificateError::Pair)
}

/// What a person can act on; the library's words for an empty file are about its own parts.
fn reason(error: &pem::Error) -> String {
    match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => "nothing of that kind is in it".to_owned(),
        other => other.to_string(),
    }
}
