//! What an account may do at an endpoint, according to the endpoint's own list of collaborators: an account that may
//! see the project may still not be allowed to deploy to it.

use serde::Deserialize;

use crate::api::ids::{ModelApiId, UserId};
use crate::client::{ApiError, Reader, segment};

/// What an account may do at an endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointRole {
    /// It may deploy to the endpoint, by the role with this name.
    Deploys(String),
    /// It may only see the endpoint, by the role with this name.
    Sees(String),
    /// It is not itself among the collaborators; an organisation that it belongs to may be.
    NotNamed,
}

#[derive(Deserialize)]
struct Endpoint {
    collaborators: Option<Vec<Collaborator>>,
}

#[derive(Deserialize)]
struct Collaborator {
    collaborator: String,
    role: String,
}

impl Reader {
    /// `GET /api/modelServing/v1/modelApis/{id}`: an account's role at an endpoint. `None` if the deployment does not
    /// tell, or in a word that we do not know. Contract: public API.
    pub async fn endpoint_role(
        &self,
        id: &ModelApiId,
        user: &UserId,
    ) -> Result<Option<EndpointRole>, ApiError> {
        let path = format!("/api/modelServing/v1/modelApis/{}", segment(id.as_str()));
        let endpoint: Option<Endpoint> = self.read_if_there(&path, &[]).await?;
        let Some(all) = endpoint.and_then(|endpoint| endpoint.collaborators) else {
            return Ok(None);
        };
        let mut all = all.into_iter();
        let Some(own) = all.find(|one| one.collaborator == user.as_str()) else {
            return Ok(Some(EndpointRole::NotNamed));
        };
        Ok(match own.role.to_ascii_lowercase().as_str() {
            "owner" | "editor" => Some(EndpointRole::Deploys(own.role)),
            "viewer" => Some(EndpointRole::Sees(own.role)),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wiremock::matchers::{method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    async fn role(status: u16, body: Value) -> Result<Option<EndpointRole>, ApiError> {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path("/api/modelServing/v1/modelApis/m1"))
            .respond_with(ResponseTemplate::new(status).set_body_json(body))
            .expect(1)
            .mount(&server)
            .await;
        let reader = connection(&server.uri()).reader();
        reader
            .endpoint_role(&ModelApiId::new("m1"), &UserId::new("u1"))
            .await
    }

    #[tokio::test]
    async fn only_an_owner_or_an_editor_deploys() {
        let of = |user: &str, word: &str| {
            json!({"id": "m1", "collaborators": [
            {"collaborator": "u9", "role": "Owner"}, {"collaborator": user, "role": word}]})
        };
        for (body, wanted) in [
            (
                of("u1", "Owner"),
                Some(EndpointRole::Deploys("Owner".into())),
            ),
            (
                of("u1", "EDITOR"),
                Some(EndpointRole::Deploys("EDITOR".into())),
            ),
            (
                of("u1", "Viewer"),
                Some(EndpointRole::Sees("Viewer".into())),
            ),
            (of("u2", "Owner"), Some(EndpointRole::NotNamed)),
            (of("u1", "Guest"), None),
            (json!({"id": "m1"}), None),
        ] {
            assert_eq!(role(200, body.clone()).await.unwrap(), wanted, "{body}");
        }
    }

    #[tokio::test]
    async fn an_endpoint_that_is_not_told_of_has_no_role_and_trouble_stays_trouble() {
        assert_eq!(role(404, json!({})).await.unwrap(), None);
        assert!(role(403, json!({})).await.is_err());
    }
}
