//! What beta and v1 have in common: the list, an app, a version. v1 puts some fields one level deeper. Its replies
//! are known from prose only, so both places are read.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::app::{App, AppChanges, AppInstance, AppVersion, visibility_word};
use super::carried::Carried;
use crate::api::git_ref::GitRef;
use crate::api::ids::{AppId, AppVersionId, EnvironmentId, HardwareTierId, ProjectId};
use crate::client::{ApiError, Reader, Writer, segment};

/// The page size that is asked for; deployments may return less.
const PAGE: usize = 100;
/// No deployment has a smaller page size, so a shorter page is the last one.
const SHORTEST_PAGE: usize = 10;
/// A list with more pages is considered endless.
const MOST_PAGES: usize = 1000;

#[derive(Deserialize)]
pub(super) struct Page<T> {
    pub(super) items: Vec<T>,
    metadata: Option<Metadata>,
}

#[derive(Deserialize)]
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

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireApp {
    id: AppId,
    name: String,
    entry_point: Option<String>,
    description: Option<String>,
    visibility: Option<String>,
    discoverable: Option<bool>,
    access_control: Option<AccessControl>,
    url: Option<String>,
    publisher: Option<Person>,
    authorship: Option<Authorship>,
    project: Option<WireProject>,
    current_version: Option<WireVersion>,
}

#[derive(Deserialize)]
struct Authorship {
    author: Option<Person>,
}

#[derive(Deserialize)]
struct Person {
    id: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize)]
struct AccessControl {
    visibility: Option<String>,
    discoverable: Option<bool>,
}

#[derive(Deserialize)]
struct WireProject {
    id: ProjectId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WireVersion {
    pub(super) id: AppVersionId,
    #[serde(flatten)]
    flat: Content,
    content: Option<Content>,
    deployment: Option<Content>,
    pub(super) current_instance: Option<AppInstance>,
    publisher: Option<Person>,
    created_at: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Content {
    git_ref: Option<GitRef>,
    environment_id: Option<EnvironmentId>,
    environment_revision_id: Option<String>,
    hardware_tier_id: Option<HardwareTierId>,
    /// Every field that is not read by name.
    #[serde(flatten)]
    rest: Map<String, Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Patch<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    entry_point: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    visibility: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    discoverable: Option<bool>,
}

impl<T> Page<T> {
    fn total(&self) -> Option<usize> {
        let metadata = self.metadata.as_ref()?;
        let inner = metadata.pagination.as_ref().and_then(|p| p.total_count);
        metadata.total_count.or(inner)
    }
}

impl From<WireApp> for App {
    fn from(app: WireApp) -> Self {
        let author = app.authorship.and_then(|authorship| authorship.author);
        let publisher = app.publisher.or(author).and_then(|person| person.id);
        let (inner, discoverable) = match app.access_control {
            Some(access) => (access.visibility, access.discoverable),
            None => (None, None),
        };
        Self {
            id: app.id,
            name: app.name,
            entry_point: app.entry_point,
            description: app.description,
            visibility: app.visibility.or(inner),
            discoverable: app.discoverable.or(discoverable),
            url: app.url.filter(|url| !url.is_empty()),
            publisher,
            version: app.current_version.map(AppVersion::from),
        }
    }
}

impl From<WireVersion> for AppVersion {
    fn from(version: WireVersion) -> Self {
        let content = version.content.unwrap_or_default();
        let deployment = version.deployment.unwrap_or_default();
        let flat = version.flat;
        Self {
            id: version.id,
            git_ref: flat.git_ref.or(content.git_ref),
            hardware_tier: flat
                .hardware_tier_id
                .or(deployment.hardware_tier_id)
                .or(content.hardware_tier_id),
            hardware_tier_name: None,
            environment: flat.environment_id.or(content.environment_id),
            environment_name: None,
            revision: flat
                .environment_revision_id
                .or(content.environment_revision_id),
            publisher: version.publisher.and_then(|person| person.name),
            created: version.created_at.map(|created| created as i64),
            carried: Carried::of(flat.rest, content.rest, deployment.rest),
            instance: version.current_instance,
        }
    }
}

/// `GET {apps}?projectId`, page after page: all apps of the project, because the one that is meant may have been
/// renamed.
pub(super) async fn apps(
    reader: &Reader,
    apps: &str,
    project: &ProjectId,
) -> Result<Vec<App>, ApiError> {
    let limit = PAGE.to_string();
    let (mut found, mut seen) = (Vec::new(), std::collections::HashSet::new());
    let mut offset = 0;
    for _ in 0..MOST_PAGES {
        let from = offset.to_string();
        let query = [
            ("projectId", project.as_str()),
            ("limit", limit.as_str()),
            ("offset", from.as_str()),
        ];
        let page: Page<WireApp> = reader.read(apps, &query).await?;
        let (total, length, before) = (page.total(), page.items.len(), seen.len());
        offset += length;
        for app in page.items {
            // A deployment that ignores the offset sends the same page forever.
            if !seen.insert(app.id.clone()) {
                continue;
            }
            let here = app.project.as_ref().is_none_or(|p| p.id == *project);
            if here {
                found.push(App::from(app));
            }
        }
        let at_the_end = match total {
            Some(total) => seen.len() >= total,
            None => length < SHORTEST_PAGE,
        };
        if at_the_end || seen.len() == before {
            return Ok(found);
        }
    }
    Err(ApiError::endless(apps, MOST_PAGES))
}

/// `GET {apps}/{id}`.
pub(super) async fn app(reader: &Reader, apps: &str, id: &AppId) -> Result<Option<App>, ApiError> {
    let path = format!("{apps}/{}", segment(id.as_str()));
    let app: Option<WireApp> = reader.read_if_there(&path, &[]).await?;
    Ok(app.map(App::from))
}

/// `GET {apps}/{id}/versions`, which is one page.
pub(super) async fn versions(
    reader: &Reader,
    apps: &str,
    id: &AppId,
) -> Result<Vec<AppVersion>, ApiError> {
    let path = format!("{apps}/{}/versions", segment(id.as_str()));
    let page: Option<Page<WireVersion>> = reader.read_if_there(&path, &[]).await?;
    let versions = page.map(|page| page.items).unwrap_or_default();
    Ok(versions.into_iter().map(AppVersion::from).collect())
}

/// `PATCH {apps}/{id}`: fields that are not sent stay unchanged. v1 answers with an empty body.
pub(super) async fn change(
    writer: &Writer,
    apps: &str,
    id: &AppId,
    changes: &AppChanges,
) -> Result<(), ApiError> {
    let path = format!("{apps}/{}", segment(id.as_str()));
    let patch = Patch {
        entry_point: changes.entry_point.as_deref(),
        description: changes.description.as_deref(),
        visibility: changes.visibility.map(visibility_word),
        discoverable: changes.discoverable,
    };
    writer
        .write_only(reqwest::Method::PATCH, &path, Some(&patch))
        .await
}
