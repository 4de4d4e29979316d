//! The flags for certificates of a company's own: which authorities to trust, and which certificate to show.

use std::path::PathBuf;

use clap::Args;

use crate::client::{ClientCertificate, Limits};

/// Certificates.
#[derive(Debug, Clone, Default, Args)]
pub struct TlsFlags {
    /// PEM file of the certificate authorities to believe, in place of the built-in ones (or SSL_CERT_FILE)
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// PEM file of the client certificate to show where one is demanded
    #[arg(
        long,
        value_name = "FILE",
        env = "DOMINO_CLIENT_CERT",
        hide_env_values = true
    )]
    pub client_cert: Option<PathBuf>,
    /// PEM file of its private key, without a password; when not given, the key is in the same file
    #[arg(
        long,
        value_name = "FILE",
        env = "DOMINO_CLIENT_KEY",
        hide_env_values = true
    )]
    pub client_key: Option<PathBuf>,
}

impl TlsFlags {
    /// The limits with these flags applied. An empty path counts as not given, because GitHub passes a missing
    /// variable as an empty text.
    pub fn applied_to(&self, limits: Limits) -> Limits {
        let given = |path: &Option<PathBuf>| {
            let path = path.as_ref().filter(|path| !path.as_os_str().is_empty());
            path.cloned()
        };
        let client_certificate = given(&self.client_cert).map(|certificate| ClientCertificate {
            certificate,
            key: given(&self.client_key),
        });
        Limits {
            ca_file: given(&self.ca_file),
            client_certificate,
            ..limits
        }
    }
}
