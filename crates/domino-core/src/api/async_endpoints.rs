//! Calling a model asynchronously: one request leaves the arguments there, others fetch the answer.
//!
//! As with `model_endpoints` only a token of that very model API opens it, here as a bearer's. The address names no
//! version: the one that is active answers.

use std::time::Instant;

use reqwest::Method;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::model_apis::ModelApiId;
use super::model_endpoints::Prediction;
use crate::client::{ApiError, ConnectError, Connection, segment};
use crate::credential::Credential;
use stage_file::Host;

/// What every path begins with. Up to 5.3 it was another one.
const BASE: &str = "/api/modelApis/async/v1";

/// The address where an asynchronous model API is called, and what opens it.
#[derive(Debug, Clone)]
pub struct AsyncEndpoint {
    connection: Connection,
    host: Host,
    id: ModelApiId,
}

/// How a request stands that was left there.
#[derive(Debug, Clone)]
pub enum AsyncPrediction {
    /// It is on its way; the status in Domino's word.
    Pending(String),
    /// The answer, with the function's result under `result`.
    Answered(Prediction),
    /// The function failed, in its words.
    Failed(String),
}

/// A request that was left there.
#[derive(Debug, Clone)]
pub struct AsyncRequest {
    id: String,
    sent: Instant,
}

#[derive(Serialize)]
struct New<'a> {
    parameters: &'a Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Left {
    async_prediction_id: String,
}

#[derive(Deserialize)]
struct Told {
    status: String,
    result: Option<Value>,
    #[serde(default)]
    errors: Vec<String>,
}

/// The named arguments of a recorded request; nothing where they have no names, which asynchronous calls need.
pub fn named_arguments(input: &Value) -> Option<&Value> {
    let parameters = || input.get("parameters").filter(|value| value.is_object());
    input.get("data").or_else(parameters)
}

impl AsyncEndpoint {
    /// The endpoint of `id` at `host`, opened by `token`; without one only an endpoint that is public opens.
    pub fn of(
        connection: &Connection,
        host: Host,
        id: &ModelApiId,
        token: Option<SecretString>,
    ) -> Result<Self, ConnectError> {
        let credential = token.map_or(Credential::Anonymous, Credential::AsyncModelToken);
        Ok(Self {
            connection: connection.beside(host.clone(), credential)?,
            host,
            id: id.clone(),
        })
    }

    /// The address, as people call it.
    pub fn url(&self) -> String {
        url(&self.host, &self.id)
    }

    /// `POST /api/modelApis/async/v1/{id}`: leaves named arguments there. Contract: public API.
    pub async fn request(&self, arguments: &Value) -> Result<AsyncRequest, ApiError> {
        let sent = Instant::now();
        let new = New {
            parameters: arguments,
        };
        let writer = self.connection.writer();
        let left: Left = writer
            .write(Method::POST, &path(&self.id), Some(&new))
            .await?;
        Ok(AsyncRequest {
            id: left.async_prediction_id,
            sent,
        })
    }

    /// `GET /api/modelApis/async/v1/{id}/{prediction}`: how a request stands. Words are compared without case: the spec
    /// and Domino's own example do not agree. Contract: public API.
    pub async fn prediction(&self, request: &AsyncRequest) -> Result<AsyncPrediction, ApiError> {
        let path = format!("{}/{}", path(&self.id), segment(&request.id));
        let told: Told = self.connection.reader().read(&path, &[]).await?;
        Ok(match told.status.to_ascii_lowercase().as_str() {
            "succeeded" => AsyncPrediction::Answered(Prediction {
                answer: json!({ "status": told.status, "result": told.result }),
                took: request.sent.elapsed(),
            }),
            "failed" => AsyncPrediction::Failed(match told.errors.is_empty() {
                true => "no reason is told".to_owned(),
                false => told.errors.join("; "),
            }),
            _ => AsyncPrediction::Pending(told.status),
        })
    }
}

/// Where people call an asynchronous model API.
pub fn url(host: &Host, id: &ModelApiId) -> String {
    format!("{}{}", host.as_str(), path(id))
}

fn path(id: &ModelApiId) -> String {
    format!("{BASE}/{}", segment(id.as_str()))
}

#[cfg(test)]
mod tests {
    use wiremock::matchers::{body_json, header, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    async fn told(status: &str, more: Value) -> String {
        let server = MockServer::start().await;
        let base = "/api/modelApis/async/v1/m1";
        Mock::given(method("POST"))
            .and(path(base))
            .and(header("authorization", "Bearer tok"))
            .and(body_json(json!({"parameters": {"x": 1}})))
            .respond_with(
                ResponseTemplate::new(200).set_body_json(json!({"asyncPredictionId": "p1"})),
            )
            .expect(1)
            .mount(&server)
            .await;
        let mut reply = json!({"asyncPredictionId": "p1", "status": status});
        reply
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        Mock::given(method("GET"))
            .and(path(format!("{base}/p1")))
            .and(header("authorization", "Bearer tok"))
            .respond_with(ResponseTemplate::new(200).set_body_json(reply))
            .expect(1)
            .mount(&server)
            .await;
        let endpoint = AsyncEndpoint::of(
            &connection("https://domino.example.com"),
            server.uri().parse().unwrap(),
            &ModelApiId::new("m1"),
            Some("tok".to_owned().into()),
        )
        .unwrap();
        let request = endpoint.request(&json!({"x": 1})).await.unwrap();
        match endpoint.prediction(&request).await.unwrap() {
            AsyncPrediction::Pending(word) => format!("pending {word}"),
            AsyncPrediction::Answered(prediction) => prediction.answer["result"].to_string(),
            AsyncPrediction::Failed(why) => format!("failed: {why}"),
        }
    }

    #[tokio::test]
    async fn a_request_is_left_there_and_its_answer_fetched() {
        let result = json!({"result": {"quality": 5}});
        assert_eq!(told("Succeeded", result.clone()).await, r#"{"quality":5}"#);
        assert_eq!(told("succeeded", result).await, r#"{"quality":5}"#);
        for word in ["Pending", "Processing", "queued", "something new"] {
            assert_eq!(told(word, json!({})).await, format!("pending {word}"));
        }
        let errors = json!({"errors": ["no such column", "at line 3"]});
        assert_eq!(
            told("Failed", errors).await,
            "failed: no such column; at line 3"
        );
        assert_eq!(told("failed", json!({})).await, "failed: no reason is told");
    }

    #[test]
    fn only_named_arguments_can_be_left_there() {
        let named = |input: Value| named_arguments(&input).map(ToString::to_string);
        assert_eq!(named(json!({"data": {"x": 1}})).unwrap(), r#"{"x":1}"#);
        assert_eq!(
            named(json!({"parameters": {"x": 1}})).unwrap(),
            r#"{"x":1}"#
        );
        assert_eq!(named(json!({"parameters": [1]})), None);
    }
}
