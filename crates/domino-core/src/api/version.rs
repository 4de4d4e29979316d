//! Which version of Domino answers.

use serde::Deserialize;

use crate::client::{ApiError, Reader};

/// The deployment's version.
#[derive(Debug, Clone, Deserialize)]
pub struct Version {
    /// Such as `6.3.0`, with a suffix at times.
    pub version: String,
}

impl Reader {
    /// `GET /version`: needs no credential. Contract: the official Python client; not in the specs.
    pub async fn version(&self) -> Result<Version, ApiError> {
        self.read("/version", &[]).await
    }
}
