//! The limits of a connection, the authorities that it trusts, and the certificate that it shows.

use std::path::PathBuf;
use std::time::Duration;

use crate::scrubber::Scrubber;

/// The limits and settings of a connection.
#[derive(Debug, Clone)]
pub struct Limits {
    /// How long one request may take, from the first byte sent to the last received.
    pub request: Duration,
    /// The most bytes of an answer's body that are read. A page of ten thousand log lines has some megabytes.
    pub body: usize,
    /// The factor of every pause; 1 for people, less in tests.
    pub delay_scale: f64,
    /// A file with further certificate authorities, in PEM.
    pub ca_file: Option<PathBuf>,
    /// Whether the built-in authorities are trusted as well as those in the file.
    pub built_in_too: bool,
    /// The certificate to show to a server that demands one.
    pub client_certificate: Option<ClientCertificate>,
    /// Whether each request is named on stderr.
    pub verbose: bool,
    /// It learns every credential that is sent, and cleans everything that is printed.
    pub scrubber: Scrubber,
    /// The program that asks: `deploy-job/0.1.0`.
    pub program: &'static str,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request: Duration::from_secs(30),
            body: 64 * 1024 * 1024,
            delay_scale: 1.0,
            ca_file: None,
            built_in_too: false,
            client_certificate: None,
            verbose: false,
            scrubber: Scrubber::default(),
            program: concat!("domino-core/", env!("CARGO_PKG_VERSION")),
        }
    }
}

/// The certificate that identifies this machine to a server that demands one.
#[derive(Debug, Clone)]
pub struct ClientCertificate {
    /// The certificate and those that lead to its authority, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM without a password; `None` when it is in the same file.
    pub key: Option<PathBuf>,
}
