//! Versions of registered models: read, list, and what may be changed of one: its stage, tags and description.

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
/// The versions on a page of a list. Upstream's server gives up to 200,000, and takes as long for a version on a small
/// page as on a large one.
const PAGE: usize = 2000;

/// A version of a registered model, as the experiment manager has it.
#[derive(Debug, Clone, Deserialize)]
pub struct ModelVersion {
    /// The registered model's name.
    pub name: String,
    /// The version.
    #[serde(deserialize_with = "from_text")]
    pub version: VersionNumber,
    /// Its stage.
    #[serde(default = "no_stage")]
    pub current_stage: ModelStage,
    /// Whether it can be used.
    #[serde(default)]
    pub status: ModelVersionStatus,
    /// Why its status is what it is.
    #[serde(default)]
    pub status_message: String,
    /// What people read about it.
    #[serde(default)]
    pub description: String,
    /// The run that made it; empty for one that no run made.
    #[serde(default)]
    pub run_id: String,
    /// Where its artifacts are.
    #[serde(default)]
    pub source: String,
    /// When it was made, in epoch milliseconds.
    #[serde(default)]
    pub creation_timestamp: i64,
    /// When it was last changed, in epoch milliseconds.
    #[serde(default)]
    pub last_updated_timestamp: i64,
    /// Its tags.
    #[serde(default, deserialize_with = "pairs")]
    pub tags: BTreeMap<String, String>,
    /// The aliases that point to it; a list of versions leaves them out.
    #[serde(default)]
    pub aliases: Vec<String>,
}

/// Whether a version can be used.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum ModelVersionStatus {
    /// It can.
    #[default]
    Ready,
    /// Not yet.
    PendingRegistration,
    /// It never will.
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

/// The name and version that every change begins with.
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
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
}

#[derive(Serialize)]
struct Description<'a> {
    #[serde(flatten)]
    which: Named<'a>,
    description: &'a str,
}

/// Which versions of a registered model are searched.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// All of the model of this name.
    All(&'a str),
    /// Those with a lower number than this.
    Below(&'a str, VersionNumber),
    /// Those with this tag.
    Tagged(&'a str, &'a str),
}

impl<'a> Which<'a> {
    fn name(self) -> &'a str {
        match self {
            Self::All(name) | Self::Below(name, _) | Self::Tagged(name, _) => name,
        }
    }

    fn filter(self) -> String {
        let name = quoted(self.name());
        match self {
            Self::All(_) => format!("name={name}"),
            Self::Below(_, number) => format!("name={name} AND version_number < {number}"),
            Self::Tagged(_, key) => format!("name={name} AND tags.`{key}` LIKE '%'"),
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

    /// `GET model-versions/search`: the versions of a registered model that `keep` takes, newest first, page after
    /// page; without their aliases. A model that is not there has none. Contract: MLflow REST, seen on 2.22 and 3.17.
    ///
    /// The search takes no stage as a filter. Only what is kept stays in memory.
    pub async fn selected_versions(
        &self,
        which: Which<'_>,
        keep: impl Fn(&ModelVersion) -> bool,
    ) -> Result<Vec<ModelVersion>, ApiError> {
        let filter = which.filter();
        let (mut versions, mut token) = (Vec::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            // Without an order it is that of the last change and the page token an offset: a version that somebody
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
    /// enters or leaves a stage is the first of them. Contract: MLflow REST, seen on 2.22 and 3.17.
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
    /// `POST model-versions/transition-stage`: puts a version into a stage and leaves the others where they are.
    /// The reply is the moved version; it does not prove that the stage holds no other. Contract: MLflow REST,
    /// seen on 2.22 and 3.17.
    ///
    /// The server could archive the others itself, but does not say which, and lets two such calls at once both
    /// succeed. So that is never asked for.
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
        let one: One = self.0.write(Method::POST, &route, Some(&body)).await?;
        Ok(one.model_version)
    }

    /// `POST model-versions/set-tag`: sets or overwrites one tag; values of up to 5,000 characters pass on every
    /// line. Contract: MLflow REST, seen on 2.22 and 3.17.
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
            value: Some(value),
        };
        let route = format!("{BASE}/model-versions/set-tag");
        self.0.write_only(Method::POST, &route, Some(&body)).await
    }

    /// `DELETE model-versions/delete-tag`: also a success when there is no such tag. Contract: MLflow REST, seen
    /// on 2.22 and 3.17.
    pub async fn delete_version_tag(
        &self,
        name: &str,
        version: VersionNumber,
        key: &str,
    ) -> Result<(), ApiError> {
        let body = Tag {
            which: Named { name, version },
            key,
            value: None,
        };
        let route = format!("{BASE}/model-versions/delete-tag");
        self.0.write_only(Method::DELETE, &route, Some(&body)).await
    }

    /// `PATCH model-versions/update`: what people read about a version. Contract: MLflow REST, seen on 2.22 and
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
        let one: One = self.0.write(Method::PATCH, &route, Some(&body)).await?;
        Ok(one.model_version)
    }
}

/// A name inside a filter. The filter's grammar knows no escape, but two kinds of quotes.
fn quoted(name: &str) -> String {
    if name.contains('\'') {
        format!("\"{name}\"")
    } else {
        format!("'{name}'")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wiremock::matchers::{body_json, method, path, query_param, query_param_is_missing};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::super::Tracking;
    use super::*;
    use crate::client::tests::connection;

    fn version(number: &str, stage: &str) -> Value {
        json!({
            "name": "fraud", "version": number, "creation_timestamp": 1_760_000_000_000_i64,
            "last_updated_timestamp": 1_760_000_100_000_i64, "current_stage": stage, "description": "",
            "source": "runs:/r1/model", "run_id": "r1", "status": "READY", "run_link": "",
        })
    }

    fn tracking(server: &MockServer) -> Tracking {
        Tracking::of(&connection(&server.uri()), None).unwrap()
    }

    fn seven() -> VersionNumber {
        VersionNumber::new(7)
    }

    #[tokio::test]
    async fn a_version_is_read_with_its_tags_and_aliases() {
        let server = MockServer::start().await;
        let mut seventh = version("7", "Staging");
        seventh["tags"] = json!([{"key": "a", "value": "b"}, {"key": "flag"}]);
        seventh["aliases"] = json!(["champion"]);
        Mock::given(method("GET"))
            .and(path("/api/2.0/mlflow/model-versions/get"))
            .and(query_param("name", "fraud"))
            .and(query_param("version", "7"))
            .respond_with(
                ResponseTemplate::new(200).set_body_json(json!({"model_version": seventh})),
            )
            .expect(1)
            .mount(&server)
            .await;
        let reader = tracking(&server).reader();
        let found = reader
            .model_version("fraud", seven())
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.version, seven());
        assert_eq!(found.current_stage, ModelStage::Staging);
        assert_eq!(found.status, ModelVersionStatus::Ready);
        assert_eq!(found.tags["a"], "b");
        assert_eq!(found.aliases, ["champion"]);
    }

    #[tokio::test]
    async fn an_unknown_version_is_none_and_an_unknown_route_is_an_error() {
        let server = MockServer::start().await;
        let absent = json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "not found"});
        Mock::given(query_param("version", "7"))
            .respond_with(ResponseTemplate::new(404).set_body_json(absent))
            .mount(&server)
            .await;
        let page = ResponseTemplate::new(404).set_body_raw("<!doctype html>", "text/html");
        Mock::given(query_param("version", "8"))
            .respond_with(page)
            .mount(&server)
            .await;
        let reader = tracking(&server).reader();
        assert!(
            reader
                .model_version("fraud", seven())
                .await
                .unwrap()
                .is_none()
        );
        let error = reader
            .model_version("fraud", VersionNumber::new(8))
            .await
            .unwrap_err();
        assert!(error.is_unknown_route());
    }

    #[tokio::test]
    async fn all_versions_are_listed_to_the_last_page_newest_first() {
        let server = MockServer::start().await;
        let route = "/api/2.0/mlflow/model-versions/search";
        Mock::given(path(route))
            .and(query_param("filter", "name='fraud'"))
            .and(query_param("order_by", "version_number DESC"))
            .and(query_param_is_missing("page_token"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({
                "model_versions": [version("9", "None"), version("7", "Production")], "next_page_token": "t",
            })))
            .mount(&server)
            .await;
        Mock::given(path(route))
            .and(query_param("page_token", "t"))
            .and(query_param("order_by", "version_number DESC"))
            .respond_with(
                ResponseTemplate::new(200)
                    .set_body_json(json!({"model_versions": [version("10", "Production")]})),
            )
            .mount(&server)
            .await;
        let reader = tracking(&server).reader();
        let numbers = async |keep: fn(&ModelVersion) -> bool| -> Vec<u64> {
            let versions = reader.selected_versions(Which::All("fraud"), keep).await;
            let versions = versions.unwrap().into_iter();
            versions.map(|found| found.version.get()).collect()
        };
        assert_eq!(numbers(|_| true).await, [10, 9, 7]);
        let in_stage = |found: &ModelVersion| found.current_stage == ModelStage::Production;
        assert_eq!(numbers(in_stage).await, [10, 7]);
    }

    #[tokio::test]
    async fn what_changed_last_is_asked_for_in_one_page() {
        let server = MockServer::start().await;
        Mock::given(path("/api/2.0/mlflow/model-versions/search"))
            .and(query_param("filter", "name='fraud' AND version_number < 9"))
            .and(query_param("order_by", "last_updated_timestamp DESC"))
            .and(query_param("max_results", "2"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({
                "model_versions": [version("3", "None"), version("7", "Production")], "next_page_token": "t",
            })))
            .expect(1)
            .mount(&server)
            .await;
        let reader = tracking(&server).reader();
        let which = Which::Below("fraud", VersionNumber::new(9));
        let changed = reader.last_changed_versions(which, 2).await.unwrap();
        let numbers: Vec<u64> = changed.iter().map(|found| found.version.get()).collect();
        assert_eq!(numbers, [3, 7]);
    }

    #[tokio::test]
    async fn a_model_without_versions_is_an_empty_reply() {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({})))
            .mount(&server)
            .await;
        let reader = tracking(&server).reader();
        for (which, filter) in [
            (Which::All("it's"), "name=\"it's\""),
            (
                Which::Tagged("it", "promote.stage"),
                "name='it' AND tags.`promote.stage` LIKE '%'",
            ),
        ] {
            let found = reader.selected_versions(which, |_| true).await;
            assert!(found.unwrap().is_empty());
            let requests = server.received_requests().await.unwrap();
            let mut query = requests.last().unwrap().url.query_pairs();
            assert_eq!(query.find(|(key, _)| key == "filter").unwrap().1, filter);
        }
    }

    #[tokio::test]
    async fn a_version_is_moved_alone_and_its_number_sent_as_text() {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path("/api/2.0/mlflow/model-versions/transition-stage"))
            .and(body_json(json!({
                "name": "fraud", "version": "7", "stage": "Production", "archive_existing_versions": false,
            })))
            .respond_with(ResponseTemplate::new(200).set_body_json(
                json!({"model_version": version("7", "Production")}),
            ))
            .expect(1)
            .mount(&server)
            .await;
        let writer = tracking(&server).writer();
        let moved = writer
            .transition_stage("fraud", seven(), &ModelStage::Production)
            .await
            .unwrap();
        assert_eq!(moved.current_stage, ModelStage::Production);
    }

    #[tokio::test]
    async fn a_refused_change_is_sent_once_and_keeps_the_code() {
        let server = MockServer::start().await;
        let refusal = json!({"error_code": "INTERNAL_ERROR", "message": "x", "sqlstate": "XX000"});
        Mock::given(method("POST"))
            .respond_with(ResponseTemplate::new(500).set_body_json(refusal))
            .expect(1)
            .mount(&server)
            .await;
        let writer = tracking(&server).writer();
        let error = writer
            .transition_stage("fraud", seven(), &ModelStage::Archived)
            .await
            .unwrap_err();
        assert_eq!(error.code(), Some("INTERNAL_ERROR"));
    }

    #[tokio::test]
    async fn a_tag_is_set_and_deleted_and_a_description_written() {
        let server = MockServer::start().await;
        for (verb, route, body) in [
            (
                "POST",
                "set-tag",
                json!({"name": "fraud", "version": "7", "key": "k", "value": "v"}),
            ),
            (
                "DELETE",
                "delete-tag",
                json!({"name": "fraud", "version": "7", "key": "k"}),
            ),
        ] {
            Mock::given(method(verb))
                .and(path(format!("/api/2.0/mlflow/model-versions/{route}")))
                .and(body_json(body))
                .respond_with(ResponseTemplate::new(200).set_body_json(json!({})))
                .expect(1)
                .mount(&server)
                .await;
        }
        Mock::given(method("PATCH"))
            .and(path("/api/2.0/mlflow/model-versions/update"))
            .and(body_json(
                json!({"name": "fraud", "version": "7", "description": "d"}),
            ))
            .respond_with(
                ResponseTemplate::new(200)
                    .set_body_json(json!({"model_version": version("7", "None")})),
            )
            .expect(1)
            .mount(&server)
            .await;
        let writer = tracking(&server).writer();
        writer
            .set_version_tag("fraud", seven(), "k", "v")
            .await
            .unwrap();
        writer
            .delete_version_tag("fraud", seven(), "k")
            .await
            .unwrap();
        writer
            .describe_version("fraud", seven(), "d")
            .await
            .unwrap();
    }
}
