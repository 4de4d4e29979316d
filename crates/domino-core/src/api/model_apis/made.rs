//! The endpoints that a registered model lists, including ones that this account may not see.

use reqwest::StatusCode;
use serde::Deserialize;

use super::super::registered_models::OwningProject;
use crate::api::ids::ModelApiId;
use crate::client::{ApiError, Reader, segment};

/// An endpoint that was created from a registered model.
#[derive(Debug, Clone, Deserialize)]
pub struct MadeEndpoint {
    /// The id of the model API.
    pub id: ModelApiId,
    /// The model API's name, which need not be unique.
    pub name: String,
    /// The project that it was created in, which may be another than the model's.
    pub project: OwningProject,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    items: Vec<MadeEndpoint>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    total_count: Option<usize>,
    pagination: Option<Pagination>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    total_count: Option<usize>,
}

/// `GET /api/registeredmodels/v1/{name}/modelapis`. `None` if a deployment does not have it, refuses it, or tells
/// only a part. Contract: public API.
pub(super) async fn made_of(
    reader: &Reader,
    name: &str,
) -> Result<Option<Vec<MadeEndpoint>>, ApiError> {
    let path = format!("/api/registeredmodels/v1/{}/modelapis", segment(name));
    let page: Option<Page> = match reader.read_if_there(&path, &[]).await {
        Err(error) if error.is_unknown_route() || error.status() == Some(StatusCode::FORBIDDEN) => {
            None
        }
        page => page?,
    };
    Ok(page.and_then(|page| {
        let metadata = page.metadata;
        let total = metadata
            .total_count
            .or(metadata.pagination.and_then(|inner| inner.total_count));
        let is_whole = total.is_none_or(|total| total <= page.items.len());
        is_whole.then_some(page.items)
    }))
}
