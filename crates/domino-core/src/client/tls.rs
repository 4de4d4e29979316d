//! Which certificate authorities we trust: Mozilla's, compiled in so that no start parses 118 certificates, or those
//! in a file. Verification cannot be switched off.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustls::client::{ResolvesClientCert, WantsClientCert};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, SignatureScheme};

use super::limits::{ClientCertificate, Limits};
use super::proxy::MalformedProxyVariable;

/// Why a connection could not be prepared.
#[derive(Debug)]
pub enum ConnectError {
    /// The certificate authorities in a file cannot be used.
    Authorities {
        /// The path, from the flag `--ca-file` or `SSL_CERT_FILE`.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The client certificate or its key cannot be used.
    ClientCertificate {
        /// The path of the certificate or of its key.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// The environment names a proxy that cannot be used.
    Proxy(MalformedProxyVariable),
    /// TLS or HTTP could not be set up.
    Setup(String),
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Authorities { file, problem } => write!(
                f,
                "cannot use the certificate authorities in `{}`: {problem}",
                file.display()
            ),
            Self::ClientCertificate { file, problem } => write!(
                f,
                "cannot use the client certificate in `{}`: {problem}",
                file.display()
            ),
            Self::Proxy(problem) => problem.fmt(f),
            Self::Setup(problem) => write!(f, "cannot set up {problem}"),
        }
    }
}

impl std::error::Error for ConnectError {}

/// The TLS configuration. `SSL_CERT_FILE` is used if no file is given; with one, only its authorities count. A
/// connection over plain HTTP (to loopback) needs no authorities.
pub(super) fn configuration(
    limits: &Limits,
    plain: bool,
) -> Result<(ClientConfig, Arc<CertificateDemand>), ConnectError> {
    let named = limits.ca_file.clone().or_else(|| {
        std::env::var_os("SSL_CERT_FILE")
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    });
    let mut roots = match &named {
        Some(file) if !plain => authorities_of(file)?,
        _ => RootCertStore::empty(),
    };
    if !plain && (named.is_none() || limits.built_in_too) {
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let configuration = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|problem| ConnectError::Setup(format!("TLS: {problem}")))?
        .with_root_certificates(roots);
    let demand = Arc::<CertificateDemand>::default();
    let mut configuration = match &limits.client_certificate {
        Some(client) => client.added_to(configuration)?,
        None => configuration.with_client_cert_resolver(Arc::clone(&demand) as _),
    };
    configuration.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok((configuration, demand))
}

/// Has no client certificate, and remembers whether the server asked for one. Over HTTP/2 and TLS 1.3 nothing else
/// tells: the server's alert is lost with the connection.
#[derive(Debug, Default)]
pub(super) struct CertificateDemand(AtomicBool);

impl CertificateDemand {
    pub(super) fn was_made(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

impl ResolvesClientCert for CertificateDemand {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        self.0.store(true, Ordering::Relaxed);
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

fn authorities_of(file: &Path) -> Result<RootCertStore, ConnectError> {
    let unreadable = |problem: String| ConnectError::Authorities {
        file: file.to_owned(),
        problem,
    };
    let mut roots = RootCertStore::empty();
    for certificate in certificates_of(file).map_err(unreadable)? {
        roots
            .add(certificate)
            .map_err(|problem| unreadable(problem.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unreadable("it holds no certificate".into()));
    }
    Ok(roots)
}

fn certificates_of(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let certificates = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
    certificates.map_err(|problem| problem.to_string())
}

impl ClientCertificate {
    fn added_to(
        &self,
        configuration: ConfigBuilder<ClientConfig, WantsClientCert>,
    ) -> Result<ClientConfig, ConnectError> {
        let unusable = |file: &Path, problem: String| ConnectError::ClientCertificate {
            file: file.to_owned(),
            problem,
        };
        let certificates = certificates_of(&self.certificate)
            .map_err(|problem| unusable(&self.certificate, problem))?;
        let key_file = self.key.as_ref().unwrap_or(&self.certificate);
        let key = PrivateKeyDer::from_pem_file(key_file).map_err(|problem| {
            unusable(
                key_file,
                format!("it holds no private key that can be read: {problem}"),
            )
        })?;
        configuration
            .with_client_auth_cert(certificates, key)
            .map_err(|problem| unusable(&self.certificate, problem.to_string()))
    }
}
