//! Registered models and their versions, as Domino's own routes show them.
//!
//! These routes do not show stages and aliases; the experiment manager does, in `mlflow`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::projects::ProjectId;
use crate::client::{ApiError, Reader, segment};

/// The most pages of a list of names.
const MOST_PAGES: usize = 100;

/// The number of a version of a registered model, from 1. Domino's routes write it as a number, the experiment
/// manager's as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionNumber(u64);

impl VersionNumber {
    /// The version of this number.
    pub fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for VersionNumber {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(number) if number > 0 => Ok(Self(number)),
            _ => Err(format!("`{text}` is no number of a version, from 1")),
        }
    }
}

/// A registered model. Its name is unique in the whole deployment.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisteredModel {
    /// The name, which is the key in every route.
    pub name: String,
    /// The description that people read.
    #[serde(default)]
    pub description: String,
    /// The highest version; none for a model without versions.
    pub latest_version: Option<VersionNumber>,
    /// The project that it belongs to.
    pub project: Option<OwningProject>,
    /// Its tags by key; its versions have tags of their own.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

/// The project that a registered model or an endpoint belongs to.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OwningProject {
    /// The project's id, as in its own routes.
    pub id: ProjectId,
    /// The project's name without its owner.
    pub name: String,
    /// The user or organisation that owns the project.
    pub owner_username: String,
}

/// A version as Domino's own routes show it, without its stage.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RegisteredModelVersion {
    /// The model's name.
    pub model_name: String,
    /// The number, which the experiment manager writes as text.
    pub model_version: VersionNumber,
    /// The version's own tags by key.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Page {
    items: Vec<Listed>,
    #[serde(default)]
    metadata: PageMetadata,
}

#[derive(Deserialize)]
struct Listed {
    name: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageMetadata {
    next_page_token: Option<String>,
    pagination: Option<TokenPagination>,
}

/// The specification requires it and defines no fields; whatever a deployment puts there is the token.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenPagination {
    next_page_token: Option<String>,
}

impl Reader {
    /// `GET /api/registeredmodels/v1/{name}`. Contract: public API.
    pub async fn registered_model(&self, name: &str) -> Result<Option<RegisteredModel>, ApiError> {
        self.read_if_there(&format!("/api/registeredmodels/v1/{}", segment(name)), &[])
            .await
    }

    /// `GET /api/registeredmodels/v2/{name}/versions/{version}`, and v1 if that route or version does not exist: only
    /// v2 has versions without a run, only v1 exists on Domino 5. Contract: public API.
    pub async fn registered_model_version(
        &self,
        name: &str,
        version: VersionNumber,
    ) -> Result<Option<RegisteredModelVersion>, ApiError> {
        for generation in ["v2", "v1"] {
            let path = format!(
                "/api/registeredmodels/{generation}/{}/versions/{version}",
                segment(name)
            );
            let found: Option<RegisteredModelVersion> = match self.read_if_there(&path, &[]).await {
                Err(error) if error.is_unknown_route() => None,
                other => other?,
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The names of a project's registered models, for a message that lists the nearest ones. What cannot be read is
    /// left out: the message matters more.
    ///
    /// `GET /api/registeredmodels/v1`, page after page by token. Contract: public API.
    pub async fn registered_model_names(&self, project: &ProjectId) -> Vec<String> {
        let (mut names, mut token) = (Vec::new(), None::<String>);
        for _ in 0..MOST_PAGES {
            let mut query = vec![("projectId", project.as_str()), ("maxResults", "100")];
            if let Some(token) = &token {
                query.push(("pageToken", token));
            }
            let Ok(page) = self.read::<Page>("/api/registeredmodels/v1", &query).await else {
                break;
            };
            names.extend(page.items.into_iter().map(|listed| listed.name));
            let metadata = page.metadata;
            let next = metadata
                .next_page_token
                .or(metadata.pagination.and_then(|inner| inner.next_page_token))
                .filter(|next| !next.is_empty());
            if next.is_none() || next == token {
                break;
            }
            token = next;
        }
        names
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wiremock::matchers::{method, path, query_param, query_param_is_missing};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    fn version(number: u64) -> Value {
        json!({
            "modelName": "wine", "modelVersion": number, "modelVersionDescription": "", "ownerUsername": "ada",
            "experimentRunId": "r1", "tags": {"a": "b"}, "versionUiDetails": {},
            "project": {"id": "p1", "name": "wine", "ownerUsername": "ada", "isGitBasedProject": true},
            "createdAt": "2026-01-01T00:00:00Z", "updatedAt": "2026-01-01T00:00:00Z",
        })
    }

    async fn at(route: &str, status: u16, body: Value) -> MockServer {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path(route))
            .respond_with(ResponseTemplate::new(status).set_body_json(body))
            .mount(&server)
            .await;
        server
    }

    #[tokio::test]
    async fn a_registered_model_is_found_by_its_name_however_odd() {
        let model = json!({
            "name": "wein & käse %", "description": "d", "latestVersion": 4, "tags": {}, "ownerUsername": "ada",
            "project": {"id": "p1", "name": "wine", "ownerUsername": "ada", "isGitBasedProject": true},
        });
        let route = "/api/registeredmodels/v1/wein%20%26%20k%C3%A4se%20%25";
        let server = at(route, 200, model).await;
        let reader = connection(&server.uri()).reader();
        let found = reader.registered_model("wein & käse %").await.unwrap();
        assert_eq!(found.unwrap().latest_version, Some(VersionNumber::new(4)));
        assert!(reader.registered_model("other").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_version_is_asked_for_in_the_newer_routes_first() {
        let server = at("/api/registeredmodels/v2/wine/versions/4", 200, version(4)).await;
        let reader = connection(&server.uri()).reader();
        let found = reader
            .registered_model_version("wine", VersionNumber::new(4))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(found.model_version.get(), 4);
        assert_eq!(found.tags["a"], "b");
        assert_eq!(server.received_requests().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn an_older_domino_has_the_version_in_its_older_routes() {
        let server = at("/api/registeredmodels/v1/wine/versions/4", 200, version(4)).await;
        let reader = connection(&server.uri()).reader();
        let four = reader.registered_model_version("wine", VersionNumber::new(4));
        assert!(four.await.unwrap().is_some());
        let five = reader.registered_model_version("wine", VersionNumber::new(5));
        assert!(five.await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_refusal_is_not_taken_for_an_older_domino() {
        let body = json!({"requestId": "r", "errors": ["no"]});
        let server = at("/api/registeredmodels/v2/wine/versions/4", 403, body).await;
        let reader = connection(&server.uri()).reader();
        let error = reader
            .registered_model_version("wine", VersionNumber::new(4))
            .await
            .unwrap_err();
        assert_eq!(error.status(), Some(reqwest::StatusCode::FORBIDDEN));
        assert_eq!(server.received_requests().await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn names_are_read_to_the_last_page() {
        let server = MockServer::start().await;
        let page = |name: &str, next: Option<&str>| {
            ResponseTemplate::new(200).set_body_json(
                json!({"items": [{"name": name}], "metadata": {"nextPageToken": next, "pagination": {}}}),
            )
        };
        Mock::given(path("/api/registeredmodels/v1"))
            .and(query_param("projectId", "p1"))
            .and(query_param_is_missing("pageToken"))
            .respond_with(page("a", Some("t2")))
            .mount(&server)
            .await;
        Mock::given(path("/api/registeredmodels/v1"))
            .and(query_param("pageToken", "t2"))
            .respond_with(page("b", None))
            .mount(&server)
            .await;
        let reader = connection(&server.uri()).reader();
        let names = reader.registered_model_names(&ProjectId::new("p1")).await;
        assert_eq!(names, ["a", "b"]);
    }

    #[test]
    fn a_version_is_a_number_from_one() {
        assert_eq!("7".parse(), Ok(VersionNumber::new(7)));
        for text in ["", "0", "-1", "1.5", "latest"] {
            assert!(text.parse::<VersionNumber>().is_err(), "{text}");
        }
    }
}
