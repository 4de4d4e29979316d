//! Whom we believe: Mozilla's certificate authorities, compiled in so that no start parses 118 certificates,
//! or those of a file. There is no way to switch verification off.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

/// Why a connection could not be prepared.
#[derive(Debug)]
pub enum ConnectError {
    /// The certificate authorities in a file cannot be used.
    Authorities {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
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
            Self::Setup(problem) => write!(f, "cannot set up {problem}"),
        }
    }
}

impl std::error::Error for ConnectError {}

/// The configuration of TLS. `SSL_CERT_FILE` is honoured when no file is given; with one, only its
/// authorities count. A connection over plain HTTP (to loopback) needs no authorities.
pub(super) fn configuration(
    ca_file: Option<&Path>,
    plain: bool,
) -> Result<ClientConfig, ConnectError> {
    let named = ca_file.map(Path::to_owned).or_else(|| {
        std::env::var_os("SSL_CERT_FILE")
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    });
    let roots = match named {
        _ if plain => RootCertStore::empty(),
        Some(file) => authorities_of(&file)?,
        None => RootCertStore {
            roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
        },
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut configuration = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|problem| ConnectError::Setup(format!("TLS: {problem}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    configuration.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(configuration)
}

fn authorities_of(file: &Path) -> Result<RootCertStore, ConnectError> {
    let unreadable = |problem: String| ConnectError::Authorities {
        file: file.to_owned(),
        problem,
    };
    let certificates =
        CertificateDer::pem_file_iter(file).map_err(|problem| unreadable(problem.to_string()))?;
    let mut roots = RootCertStore::empty();
    for certificate in certificates {
        let certificate = certificate.map_err(|problem| unreadable(problem.to_string()))?;
        roots
            .add(certificate)
            .map_err(|problem| unreadable(problem.to_string()))?;
    }
    if roots.is_empty() {
        return Err(unreadable("it holds no certificate".into()));
    }
    Ok(roots)
}
