//! Calling a model: one request to the address where a model API answers.
//!
//! This address is separate from the rest of the API. Only a token of that very model API opens it, and no credential
//! of Domino's is ever sent there. No request is repeated automatically.

use std::fmt;
use std::time::{Duration, Instant};

use reqwest::Method;
use secrecy::SecretString;
use serde_json::Value;

use super::model_apis::ModelApiId;
use crate::client::{ApiError, ConnectError, Connection, Writer, segment};
use crate::credential::Credential;
use stage_file::Host;

/// The address where a model API answers, and the token that opens it.
#[derive(Debug, Clone)]
pub struct ModelEndpoint {
    writer: Writer,
    host: Host,
    id: ModelApiId,
}

/// Which version is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// The active version.
    Latest,
    /// The promoted version, if callers choose a version by its label.
    Promoted,
    /// The version with this number, if callers choose a version by its number.
    Number(u64),
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latest => f.write_str("latest"),
            Self::Promoted => f.write_str("labels/prod"),
            Self::Number(number) => write!(f, "{number}"),
        }
    }
}

/// What a model answered, and how long that took.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// The whole answer; the function's result is under `result`.
    pub answer: Value,
    /// From the request's first byte to the answer's last.
    pub took: Duration,
}

impl ModelEndpoint {
    /// The endpoint of `id` at `host`, opened by `token`. Without a token only a public endpoint opens.
    pub fn of(
        connection: &Connection,
        host: Host,
        id: &ModelApiId,
        token: Option<SecretString>,
    ) -> Result<Self, ConnectError> {
        let credential = token.map_or(Credential::Anonymous, Credential::ModelToken);
        Ok(Self {
            writer: connection.beside(host.clone(), credential)?.writer(),
            host,
            id: id.clone(),
        })
    }

    /// The address, as people write it.
    pub fn url(&self, route: Route) -> String {
        format!("{}{}", self.host.as_str(), self.path(route))
    }

    /// `POST /models/{id}/{latest, labels/prod or number}/model`: calls the model with `{"data": {…}}` or
    /// `{"parameters": […]}`. 400 means that the function refused the arguments. Contract: Domino's
    /// documentation; the token's form as seen on 6.4.
    pub async fn invoke(&self, route: Route, input: &Value) -> Result<Prediction, ApiError> {
        let started = Instant::now();
        let answer = self
            .writer
            .write(Method::POST, &self.path(route), Some(input))
            .await?;
        Ok(Prediction {
            answer,
            took: started.elapsed(),
        })
    }

    fn path(&self, route: Route) -> String {
        format!("/models/{}/{route}/model", segment(self.id.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{body_json, header, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    fn endpoint(server: &MockServer, token: Option<&str>) -> ModelEndpoint {
        ModelEndpoint::of(
            &connection("https://domino.example.com"),
            server.uri().parse().unwrap(),
            &ModelApiId::new("m1"),
            token.map(|token| token.to_owned().into()),
        )
        .unwrap()
    }

    #[tokio::test]
    async fn a_model_is_called_with_its_own_token_and_nothing_of_dominos() {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path("/models/m1/latest/model"))
            .and(header("authorization", "Basic dG9rOnRvaw=="))
            .and(body_json(json!({"data": {"alcohol": 11}})))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"result": 5.5})))
            .expect(1)
            .mount(&server)
            .await;
        let endpoint = endpoint(&server, Some("tok"));
        let input = json!({"data": {"alcohol": 11}});
        let prediction = endpoint.invoke(Route::Latest, &input).await.unwrap();
        assert_eq!(prediction.answer["result"], 5.5);
        let sent = &server.received_requests().await.unwrap()[0];
        assert!(!sent.headers.contains_key("x-domino-api-key"));
        assert_eq!(
            endpoint.url(Route::Number(3)),
            format!("{}/models/m1/3/model", server.uri())
        );
    }

    #[tokio::test]
    async fn a_public_endpoint_is_called_without_any_credential() {
        let server = MockServer::start().await;
        Mock::given(path("/models/m1/3/model"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"result": 1})))
            .mount(&server)
            .await;
        let endpoint = endpoint(&server, None);
        endpoint.invoke(Route::Number(3), &json!({})).await.unwrap();
        let sent = &server.received_requests().await.unwrap()[0];
        assert!(!sent.headers.contains_key("authorization"));
    }

    #[tokio::test]
    async fn a_function_that_refuses_its_arguments_says_so_and_is_called_once() {
        let server = MockServer::start().await;
        let refusal = json!({"error": {"message": "predict() got an unexpected keyword argument"}});
        Mock::given(method("POST"))
            .respond_with(ResponseTemplate::new(400).set_body_json(refusal))
            .expect(1)
            .mount(&server)
            .await;
        let error = endpoint(&server, Some("tok"))
            .invoke(Route::Latest, &json!({}))
            .await
            .unwrap_err();
        assert_eq!(error.status(), Some(reqwest::StatusCode::BAD_REQUEST));
        let words = std::error::Error::source(&error).unwrap().to_string();
        assert!(words.contains("unexpected keyword argument"));
    }

    #[tokio::test]
    async fn a_refused_token_is_a_refusal() {
        let server = MockServer::start().await;
        let refusal =
            ResponseTemplate::new(401).insert_header("www-authenticate", "Basic realm=\"model\"");
        Mock::given(method("POST"))
            .respond_with(refusal)
            .mount(&server)
            .await;
        let error = endpoint(&server, Some("tok"))
            .invoke(Route::Latest, &json!({}))
            .await
            .unwrap_err();
        assert_eq!(error.exit(), crate::error::Exit::Refused);
        assert!(!format!("{error:?}").contains("dG9rOnRvaw"));
    }
}
