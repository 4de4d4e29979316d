//! The picture of an app as it was uploaded. Its routes are in `thumbnail_routes`.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::clock::Moment;

/// A picture as it was uploaded.
#[derive(Clone, Debug)]
pub(super) struct Thumbnail {
    pub(super) bytes: Arc<[u8]>,
    pub(super) content_type: String,
    pub(super) file_name: Option<String>,
    pub(super) updated: Moment,
}

impl Thumbnail {
    pub(super) fn etag(&self) -> String {
        let digest = Sha256::digest(&self.bytes);
        digest[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    pub(super) fn state(&self) -> Value {
        json!({
            "contentType": self.content_type,
            "filename": self.file_name,
            "contentBase64": STANDARD.encode(&self.bytes),
        })
    }
}
