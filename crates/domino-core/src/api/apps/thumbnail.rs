//! The picture of an app. Only beta has a route for it, which Apps v1 leaves there; both know an app by the same id.
//! Contract: the public specification of 6.3, which names no limit of size.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde::Serialize;

use super::generation::Generation;
use crate::api::ids::AppId;
use crate::client::{ApiError, Reader, Writer, segment};

/// A picture, with what Domino keeps of its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// The content.
    pub bytes: Vec<u8>,
    /// The MIME type.
    pub content_type: &'static str,
    /// The file's name, without its folder.
    pub file_name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Upload<'a> {
    content_base64: String,
    content_type: &'a str,
    filename: &'a str,
}

impl Thumbnail {
    /// The picture of a file; `None` if its name is not that of a picture, see [`stage_file::picture_type`].
    pub fn of(path: &Path, bytes: Vec<u8>) -> Option<Self> {
        Some(Self {
            bytes,
            content_type: stage_file::picture_type(path)?,
            file_name: path.file_name()?.to_str()?.to_owned(),
        })
    }
}

/// The bytes of an app's picture, if it has one.
pub(super) async fn read(reader: &Reader, app: &AppId) -> Result<Option<Vec<u8>>, ApiError> {
    match reader.answer(&path(app), &[]).await {
        Ok(answer) => Ok(Some(answer.bytes().to_vec())),
        Err(error) if error.is_absent() => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes or replaces the picture.
pub(super) async fn set(writer: &Writer, app: &AppId, picture: &Thumbnail) -> Result<(), ApiError> {
    let upload = Upload {
        content_base64: STANDARD.encode(&picture.bytes),
        content_type: picture.content_type,
        filename: &picture.file_name,
    };
    writer
        .write_only(Method::POST, &path(app), Some(&upload))
        .await
}

fn path(app: &AppId) -> String {
    let apps = Generation::Beta.capabilities().route;
    format!("{apps}/{}/thumbnail", segment(app.as_str()))
}
