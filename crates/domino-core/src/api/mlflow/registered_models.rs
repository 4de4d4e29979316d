//! Registered models and their aliases.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::super::registered_models::VersionNumber;
use super::{
    BASE, ModelVersion, TrackingReader, TrackingWriter, as_text, from_text, if_there, pairs,
};
use crate::client::ApiError;

/// The tag that marks a prompt among the registry's models.
const PROMPT: &str = "mlflow.prompt.is_prompt";

/// A registered model, as the experiment manager has it.
#[derive(Debug, Clone, Deserialize)]
pub struct RegisteredModel {
    /// The name, which is the key of a registered model.
    pub name: String,
    /// The description that people read.
    #[serde(default)]
    pub description: String,
    /// Its tags by key; they are separate from those of its versions.
    #[serde(default, deserialize_with = "pairs")]
    pub tags: BTreeMap<String, String>,
    /// Its aliases and the version that each points to. Names are case-sensitive.
    #[serde(default, deserialize_with = "aliases")]
    pub aliases: BTreeMap<String, VersionNumber>,
    /// The newest version of each stage that has any, without its aliases.
    #[serde(default)]
    pub latest_versions: Vec<ModelVersion>,
}

impl RegisteredModel {
    /// Whether it is a prompt: the registry keeps those among its models, and lets them change stages.
    pub fn is_prompt(&self) -> bool {
        self.tags
            .get(PROMPT)
            .is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

#[derive(Deserialize)]
struct One {
    registered_model: RegisteredModel,
}

#[derive(Deserialize)]
struct Alias {
    alias: String,
    #[serde(deserialize_with = "from_text")]
    version: VersionNumber,
}

#[derive(Serialize)]
struct SetAlias<'a> {
    name: &'a str,
    alias: &'a str,
    #[serde(serialize_with = "as_text")]
    version: VersionNumber,
}

#[derive(Serialize)]
struct DeleteAlias<'a> {
    name: &'a str,
    alias: &'a str,
}

fn aliases<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, VersionNumber>, D::Error> {
    let aliases = Vec::<Alias>::deserialize(deserializer)?;
    Ok(aliases
        .into_iter()
        .map(|alias| (alias.alias, alias.version))
        .collect())
}

impl TrackingReader {
    /// `GET registered-models/get`: one model with its aliases. Contract: MLflow REST, seen on 2.22 and 3.17.
    pub async fn registered_model(&self, name: &str) -> Result<Option<RegisteredModel>, ApiError> {
        let route = format!("{BASE}/registered-models/get");
        let one: Option<One> = if_there(self.0.read(&route, &[("name", name)]).await)?;
        Ok(one.map(|one| one.registered_model))
    }
}

impl TrackingWriter {
    /// `POST registered-models/alias`: points an alias to a version, and away from any other. Contract: MLflow REST,
    /// seen on 2.22 and 3.17.
    pub async fn set_alias(
        &self,
        name: &str,
        alias: &str,
        version: VersionNumber,
    ) -> Result<(), ApiError> {
        let body = SetAlias {
            name,
            alias,
            version,
        };
        let route = format!("{BASE}/registered-models/alias");
        self.writer()
            .write_only(Method::POST, &route, Some(&body))
            .await
    }

    /// `DELETE registered-models/alias`: succeeds also if there is no such alias. Contract: MLflow REST, seen on 2.22
    /// and 3.17.
    pub async fn delete_alias(&self, name: &str, alias: &str) -> Result<(), ApiError> {
        let route = format!("{BASE}/registered-models/alias");
        let body = DeleteAlias { name, alias };
        self.writer()
            .write_only(Method::DELETE, &route, Some(&body))
            .await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wiremock::matchers::{body_json, method, path, query_param};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::super::Tracking;
    use super::*;
    use crate::client::tests::connection;

    fn tracking(server: &MockServer) -> Tracking {
        Tracking::of(&connection(&server.uri()), None).unwrap()
    }

    async fn answers(verb: &str, route: &str, status: u16, body: Value) -> MockServer {
        let server = MockServer::start().await;
        and_answers(&server, verb, route, status, body).await;
        server
    }

    async fn and_answers(server: &MockServer, verb: &str, route: &str, status: u16, body: Value) {
        Mock::given(method(verb))
            .and(path(format!("/api/2.0/mlflow/registered-models/{route}")))
            .and(query_param("name", "fraud"))
            .respond_with(ResponseTemplate::new(status).set_body_json(body))
            .mount(server)
            .await;
    }

    #[tokio::test]
    async fn a_model_is_read_with_its_aliases_and_its_case() {
        let model = json!({"registered_model": {
            "name": "fraud", "creation_timestamp": 1, "description": "d",
            "aliases": [{"alias": "Champion", "version": "4"}], "tags": [{"key": "a", "value": "b"}],
            "latest_versions": [],
        }});
        let server = answers("GET", "get", 200, model).await;
        let found = tracking(&server).reader().registered_model("fraud").await;
        let found = found.unwrap().unwrap();
        assert_eq!(found.aliases["Champion"], VersionNumber::new(4));
        assert!(!found.aliases.contains_key("champion"));
        assert!(!found.is_prompt());
    }

    #[tokio::test]
    async fn a_prompt_dressed_as_a_model_is_recognised() {
        let model = json!({"registered_model": {
            "name": "fraud", "tags": [{"key": "mlflow.prompt.is_prompt", "value": "true"}],
        }});
        let server = answers("GET", "get", 200, model).await;
        let found = tracking(&server).reader().registered_model("fraud").await;
        assert!(found.unwrap().unwrap().is_prompt());
    }

    #[tokio::test]
    async fn an_unknown_model_is_none() {
        let absent = json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no"});
        let server = answers("GET", "get", 404, absent).await;
        let found = tracking(&server).reader().registered_model("fraud").await;
        assert!(found.unwrap().is_none());
    }

    #[tokio::test]
    async fn an_alias_is_set_and_deleted() {
        let server = MockServer::start().await;
        let route = "/api/2.0/mlflow/registered-models/alias";
        for (verb, body) in [
            (
                "POST",
                json!({"name": "fraud", "alias": "champion", "version": "4"}),
            ),
            ("DELETE", json!({"name": "fraud", "alias": "champion"})),
        ] {
            Mock::given(method(verb))
                .and(path(route))
                .and(body_json(body))
                .respond_with(ResponseTemplate::new(200).set_body_json(json!({})))
                .expect(1)
                .mount(&server)
                .await;
        }
        let writer = tracking(&server).writer();
        writer
            .set_alias("fraud", "champion", VersionNumber::new(4))
            .await
            .unwrap();
        writer.delete_alias("fraud", "champion").await.unwrap();
    }
}
