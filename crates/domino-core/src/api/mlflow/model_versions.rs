//! Versions of registered models: read and list them, and change a version's stage, tags and description.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::super::registered_models::VersionNumber;
use super::{
    BASE, MOST_PAGES, ModelStage, TrackingReader, TrackingWriter, as_text, from_text, if_there,
    pairs,
};
use crate::client::ApiError;

/// The route of every search.
const SEARCH: &str = "/api/2.0/mlflow/model-versions/search";
/// The versions on a page of a list. Upstream's server returns up to 200,000, and takes as long for a version on a
/// small page as on a large one.
const PAGE: usize = 2000;

/// A version of a registered model, as the experiment manager has it.
#[derive(Debug, Clone, Deserialize)]
pub struct ModelVersion {
    /// The registered model's name.
    pub name: String,
    /// The number, which the registry assigns from 1 upwards.
    #[serde(deserialize_with = "from_text")]
    pub version: VersionNumber,
    /// The stage that it is in; a version is in one at a time.
    #[serde(default = "no_stage")]
    pub current_stage: ModelStage,
    /// Whether it can be used.
    #[serde(default)]
    pub status: ModelVersionStatus,
    /// Why its status is what it is.
    #[serde(default)]
    pub status_message: String,
    /// The description that people read.
    #[serde(default)]
    pub description: String,
    /// The run that created it; empty if it was not created by a run.
    #[serde(default)]
    pub run_id: String,
    /// Where its artifacts are.
    #[serde(default)]
    pub source: String,
    /// When it was created, in epoch milliseconds.
    #[serde(default)]
    pub creation_timestamp: i64,
    /// When it was last changed, in epoch milliseconds.
    #[serde(default)]
    pub last_updated_timestamp: i64,
    /// Its tags by key; each key has one value.
    #[serde(default, deserialize_with = "pairs")]
    pub tags: BTreeMap<String, String>,
    /// The aliases that point to it; absent in a list of versions.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// Whether a version can be used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum ModelVersionStatus {
    /// It can be used.
    #[default]
    Ready,
    /// It is still being registered.
    PendingRegistration,
    /// Its registration failed for good.
    FailedRegistration,
    /// A word that we do not know.
    Unknown(String),
}

impl From<String> for ModelVersionStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "READY" => Self::Ready,
            "PENDING_REGISTRATION" => Self::PendingRegistration,
            "FAILED_REGISTRATION" => Self::FailedRegistration,
            _ => Self::Unknown(word),
        }
    }
}

#[derive(Deserialize)]
struct One {
    model_version: ModelVersion,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    model_versions: Vec<ModelVersion>,
    next_page_token: Option<String>,
}

/// The name and version that every change names.
#[derive(Serialize)]
struct Named<'a> {
    name: &'a str,
    #[serde(serialize_with = "as_text")]
    version: VersionNumber,
}

#[derive(Serialize)]
struct Transition<'a> {
    #[serde(flatten)]
    which: Named<'a>,
    stage: &'a ModelStage,
    archive_existing_versions: bool,
}

#[derive(Serialize)]
struct Tag<'a> {
    #[serde(flatten)]
    which: Named<'a>,
    key: &'a str,
    value: &'a str,
}

#[derive(Serialize)]
struct TagKey<'a> {
    #[serde(flatten)]
    which: Named<'a>,
    key: &'a str,
}

#[derive(Serialize)]
struct Description<'a> {
    #[serde(flatten)]
    which: Named<'a>,
    description: &'a str,
}

/// Which versions of a registered model to search for.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// All versions of the model of this name.
    All(&'a str),
    /// The versions with a lower number than this.
    Below(&'a str, VersionNumber),
    /// The versions with this tag.
    Tagged(&'a str, &'a str),
    /// The versions with this value of this tag.
    TaggedWith(&'a str, &'a str, &'a str),
}

impl<'a> Which<'a> {
    fn name(self) -> &'a str {
        match self {
            Self::All(name)
            | Self::Below(name, _)
            | Self::Tagged(name, _)
            | Self::TaggedWith(name, ..) => name,
        }
    }

    fn filter(self) -> String {
        let name = quoted(self.name());
        match self {
            Self::All(_) => format!("name={name}"),
            Self::Below(_, number) => format!("name={name} AND version_number < {number}"),
            Self::Tagged(_, key) => format!("name={name} AND tags.`{key}` LIKE '%'"),
            Self::TaggedWith(_, key, value) => {
                format!("name={name} AND tags.`{key}` = {}", quoted(value))
            }
        }
    }
}

fn no_stage() -> ModelStage {
    ModelStage::None
}

impl TrackingReader {
    /// `GET model-versions/get`: one version, with its aliases. Contract: MLflow REST, seen on 2.22 and 3.17.
    pub async fn model_version(
        &self,
        name: &str,
        version: VersionNumber,
    ) -> Result<Option<ModelVersion>, ApiError> {
        let version = version.to_string();
        let query = [("name", name), ("version", version.as_str())];
        let one: Option<One> = if_there(
            self.0
                .read(&format!("{BASE}/model-versions/get"), &query)
                .await,
        )?;
        Ok(one.map(|one| one.model_version))
    }

    /// All versions of a registered model, newest first; see `selected_versions`.
    pub async fn model_versions(&self, name: &str) -> Result<Vec<ModelVersion>, ApiError> {
        self.selected_versions(Which::All(name), |_| true).await
    }

    /// `GET model-versions/search`: the versions of a registered model that `keep` accepts, newest first, page after
    /// page; without their aliases. A model that does not exist has none. Contract: MLflow REST, seen on 2.22 and
    /// 3.17.
    ///
    /// The search has no filter for stages. Only the accepted versions are kept in memory.
    pub async fn selected_versions(
        &self,
        which: Which<'_>,
        keep: impl Fn(&ModelVersion) -> bool,
    ) -> Result<Vec<ModelVersion>, ApiError> {
        let filter = which.filter();
        let (mut versions, mut token) = (Vec::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            // The default order is that of the last change, and the page token is an offset: a version that somebody
            // edits between two pages would be missed.
            let order = "version_number DESC";
            let page = self.page(&filter, order, PAGE, token.as_deref()).await?;
            let kept = page.model_versions.into_iter();
            versions.extend(kept.filter(|version| version.name == which.name() && keep(version)));
            let next = page.next_page_token.filter(|next| !next.is_empty());
            if next.is_none() {
                versions.sort_by_key(|version| std::cmp::Reverse(version.version));
                versions.dedup_by_key(|version| version.version);
                return Ok(versions);
            }
            token = next;
        }
        Err(ApiError::endless(SEARCH, MOST_PAGES))
    }

    /// `GET model-versions/search`: the `most` versions that changed last, the latest change first. A version that
    /// enters or leaves a stage comes first. Contract: MLflow REST, seen on 2.22 and 3.17.
    pub async fn last_changed_versions(
        &self,
        which: Which<'_>,
        most: usize,
    ) -> Result<Vec<ModelVersion>, ApiError> {
        let order = "last_updated_timestamp DESC";
        let page = self.page(&which.filter(), order, most, None).await?;
        let mut versions = page.model_versions;
        versions.retain(|version| version.name == which.name());
        Ok(versions)
    }

    async fn page(
        &self,
        filter: &str,
        order: &str,
        most: usize,
        token: Option<&str>,
    ) -> Result<Page, ApiError> {
        let most = most.to_string();
        let mut query = vec![
            ("filter", filter),
            ("order_by", order),
            ("max_results", most.as_str()),
        ];
        query.extend(token.map(|token| ("page_token", token)));
        self.0.read(SEARCH, &query).await
    }
}

impl TrackingWriter {
    /// `POST model-versions/transition-stage`: moves a version to a stage and leaves the others where they are. The
    /// reply is the moved version; it does not prove that the stage holds no other. Contract: MLflow REST, seen on
    /// 2.22 and 3.17.
    ///
    /// The server could archive the others itself, but does not say which, and lets two such calls at once both
    /// succeed. So we never ask for that.
    pub async fn transition_stage(
        &self,
        name: &str,
        version: VersionNumber,
        stage: &ModelStage,
    ) -> Result<ModelVersion, ApiError> {
        let body = Transition {
            which: Named { name, version },
            stage,
            archive_existing_versions: false,
        };
        let route = format!("{BASE}/model-versions/transition-stage");
        let one: One = self
            .writer()
            .write(Method::POST, &route, Some(&body))
            .await?;
        Ok(one.model_version)
    }

    /// `POST model-versions/set-tag`: sets or overwrites one tag. Values of up to 5,000 characters, and empty ones,
    /// work in every release line. Contract: MLflow REST, seen on 2.22 and 3.17.
    pub async fn set_version_tag(
        &self,
        name: &str,
        version: VersionNumber,
        key: &str,
        value: &str,
    ) -> Result<(), ApiError> {
        let body = Tag {
            which: Named { name, version },
            key,
            value,
        };
        let route = format!("{BASE}/model-versions/set-tag");
        self.writer()
            .write_only(Method::POST, &route, Some(&body))
            .await
    }

    /// `DELETE model-versions/delete-tag`: deletes one tag. One that is not there is a 404. Contract: MLflow REST, seen
    /// on 2.22 and 3.17.
    pub async fn delete_version_tag(
        &self,
        name: &str,
        version: VersionNumber,
        key: &str,
    ) -> Result<(), ApiError> {
        let body = TagKey {
            which: Named { name, version },
            key,
        };
        let route = format!("{BASE}/model-versions/delete-tag");
        self.writer()
            .write_only(Method::DELETE, &route, Some(&body))
            .await
    }

    /// `PATCH model-versions/update`: changes the description of a version. Contract: MLflow REST, seen on 2.22 and
    /// 3.17.
    pub async fn describe_version(
        &self,
        name: &str,
        version: VersionNumber,
        description: &str,
    ) -> Result<ModelVersion, ApiError> {
        let body = Description {
            which: Named { name, version },
            description,
        };
        let route = format!("{BASE}/model-versions/update");
        let one: One = self
            .writer()
            .write(Method::PATCH, &route, Some(&body))
            .await?;
        Ok(one.model_version)
    }
}

/// A name inside a filter. The filter's grammar has no escape character, but two kinds of quotes.
fn quoted(name: &str) -> String {
    if name.contains('\'') {
        format!("\"{name}\"")
    } else {
        format!("'{name}'")
    }
}

#[cfg(test)]
mod tests;
