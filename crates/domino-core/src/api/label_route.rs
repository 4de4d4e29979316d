//! Whether a deployment's own description of its public API has the route that moves the label `prod`. The published
//! descriptions have the body of that request and no path, so the path that is sent is inferred.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::client::{ApiError, Reader};

/// Where a deployment serves the whole description of its public API.
pub const SPEC: &str = "/docs/openapi/openapi-public.json";
/// What the paths of endpoints begin with, and what ours ends with.
const ENDPOINTS: &str = "/api/modelServing/v1/modelApis/";
const LAST: &str = "/productionLabel";
/// The name of the body.
const BODY: &str = "ModelApiVersionProductionLabel";

/// What the description says of the route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelRoute {
    /// It is there as it is sent.
    Listed,
    /// Another route takes that body: its method and path.
    Other(String),
    /// Endpoints have routes there, and none of them takes that body.
    NotListed,
    /// There is no description of endpoints.
    NoSpec,
}

#[derive(Deserialize)]
struct Spec {
    #[serde(default)]
    paths: BTreeMap<String, BTreeMap<String, Value>>,
}

impl Reader {
    /// `GET /docs/openapi/openapi-public.json`: some megabytes. Contract: Domino's documentation.
    pub async fn label_route(&self) -> Result<LabelRoute, ApiError> {
        let spec: Option<Spec> = self.read_if_there(SPEC, &[]).await?;
        Ok(spec.map_or(LabelRoute::NoSpec, |spec| spec.label_route()))
    }
}

impl Spec {
    fn label_route(&self) -> LabelRoute {
        let of_endpoints = |path: &&String| path.starts_with(ENDPOINTS);
        if !self.paths.keys().any(|path| of_endpoints(&path)) {
            return LabelRoute::NoSpec;
        }
        let mut takes_body = self.paths.iter().flat_map(|(path, methods)| {
            let takes = |operation: &Value| operation["requestBody"].to_string().contains(BODY);
            let methods = methods.iter();
            methods
                .filter(move |(_, operation)| path.ends_with(LAST) || takes(operation))
                .map(move |(method, _)| (method.to_uppercase(), path))
        });
        let Some((method, path)) = takes_body.next() else {
            return LabelRoute::NotListed;
        };
        let parts: Vec<&str> = path.trim_start_matches(ENDPOINTS).split('/').collect();
        let is_ours = of_endpoints(&path) && matches!(parts[..], [_, "versions", _, _]);
        match method == "PUT" && is_ours && path.ends_with(LAST) {
            true => LabelRoute::Listed,
            false => LabelRoute::Other(format!("{method} {path}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    async fn told(paths: Value) -> LabelRoute {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path(SPEC))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"paths": paths})))
            .expect(1)
            .mount(&server)
            .await;
        let reader = connection(&server.uri()).reader();
        reader.label_route().await.unwrap()
    }

    #[tokio::test]
    async fn the_route_is_looked_for_by_its_body_and_its_path() {
        let body = json!({"content": {"application/json": {"schema": {"$ref": format!("#/components/schemas/{BODY}")}}}});
        let one = format!("{ENDPOINTS}{{modelApiId}}");
        let version = format!("{one}/versions/{{modelApiVersionId}}");
        let listed =
            json!({&one: {"get": {}}, format!("{version}{LAST}"): {"put": {"requestBody": body}}});
        assert_eq!(told(listed).await, LabelRoute::Listed);
        let other =
            json!({&one: {"get": {}}, format!("{version}/label"): {"post": {"requestBody": body}}});
        let route = format!("POST {version}/label");
        assert_eq!(told(other).await, LabelRoute::Other(route));
        assert_eq!(
            told(json!({&one: {"get": {}}})).await,
            LabelRoute::NotListed
        );
        assert_eq!(
            told(json!({"/v4/jobs": {"get": {}}})).await,
            LabelRoute::NoSpec
        );
        let none = MockServer::start().await;
        let reader = connection(&none.uri()).reader();
        assert_eq!(reader.label_route().await.unwrap(), LabelRoute::NoSpec);
    }
}
