//! The version of the Domino that answers.

use serde::Deserialize;

use crate::client::{ApiError, Reader};

/// The deployment's version.
#[derive(Debug, Clone, Deserialize)]
pub struct Version {
    /// Such as `6.3.0`, sometimes with a suffix.
    pub version: String,
}

impl Reader {
    /// `GET /version`: needs no credential. Contract: the official Python client; not in the specs.
    pub async fn version(&self) -> Result<Version, ApiError> {
        self.read("/version", &[]).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use crate::client::tests::connection;

    #[tokio::test]
    async fn the_version_is_read_without_any_prefix() {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path("/version"))
            .respond_with(
                ResponseTemplate::new(200)
                    .set_body_json(json!({"version": "6.3.0-rc1", "other": 1})),
            )
            .expect(1)
            .mount(&server)
            .await;
        let version = connection(&server.uri()).reader().version().await.unwrap();
        assert_eq!(version.version, "6.3.0-rc1");
    }
}
