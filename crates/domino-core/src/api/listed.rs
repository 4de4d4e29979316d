//! Lists of the public API about accounts, page after page.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::client::{ApiError, Reader};

/// How many things a page may have; some deployments give no more.
const PAGE: usize = 100;
/// The most pages that are read.
const MOST_PAGES: usize = 100;

#[derive(Deserialize)]
struct Page<T> {
    #[serde(alias = "serviceAccounts", alias = "tokens", alias = "credentials")]
    #[serde(alias = "orgs")]
    items: Vec<T>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Default, Deserialize)]
struct Metadata {
    #[serde(default)]
    pagination: Pagination,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    total_count: Option<usize>,
}

/// All of a list, each thing once by its `id`. A page that brings nothing new is the end, whatever the count says: some
/// deployments ignore where a page begins.
pub(super) async fn listed<T: DeserializeOwned>(
    reader: &Reader,
    path: &str,
    id: impl Fn(&T) -> &str,
) -> Result<Vec<T>, ApiError> {
    let limit = PAGE.to_string();
    let (mut all, mut read) = (Vec::<T>::new(), 0);
    for _ in 0..MOST_PAGES {
        let offset = read.to_string();
        let query = [("offset", offset.as_str()), ("limit", limit.as_str())];
        let page: Page<T> = reader.read(path, &query).await?;
        let before = all.len();
        read += page.items.len();
        for thing in page.items {
            if all.iter().all(|known| id(known) != id(&thing)) {
                all.push(thing);
            }
        }
        let total = page.metadata.pagination.total_count;
        if all.len() == before || total.is_some_and(|total| read >= total) {
            return Ok(all);
        }
    }
    Err(ApiError::endless(path, MOST_PAGES))
}
