//! The flags that say how requests are made: certificates, how long one may take, and whether each is named.
//!
//! `status` and `history` have a shorter time of their own for one request.

use std::time::Duration;

use domino_core::client::Limits;
use domino_core::step::{Step, TlsFlags, duration};

/// The program as Domino and GitHub see it in each request.
pub(crate) const PROGRAM: &str = concat!("domino-pipeline/", env!("CARGO_PKG_VERSION"));

/// How requests are made.
#[derive(Debug, Clone, clap::Args)]
pub struct RequestFlags {
    /// Certificates.
    #[command(flatten)]
    tls: TlsFlags,
    /// How long one request may take
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = duration)]
    request_timeout: Duration,
    /// Name each request and its answer's status on stderr
    #[arg(short, long)]
    verbose: bool,
    /// Multiplies every pause between requests; below 1 for tests
    #[arg(long = "pace", hide = true, env = "DOMINO_PACE", default_value_t = 1.0)]
    delay_scale: f64,
}

impl RequestFlags {
    /// What holds for the requests of a step.
    pub(crate) fn limits(&self, step: &Step) -> Limits {
        self.tls.applied_to(Limits {
            request: self.request_timeout,
            delay_scale: self.delay_scale,
            verbose: self.verbose,
            scrubber: step.scrubber().clone(),
            program: PROGRAM,
            ..Limits::default()
        })
    }
}
