//! The git credentials of an account, with which Domino clones for its runs, and which of them it uses for which
//! repository. Their secrets are sent once and never told.

use reqwest::{Method, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ids::{ProjectId, UserId};
use crate::client::{ApiError, Reader, Writer, segment};

/// A git credential of an account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct GitCredential {
    /// The id that a mapping names.
    pub id: String,
    /// The name that its owner gave it.
    pub name: String,
    /// The host that it is for, such as `github.com`.
    pub domain: String,
}

/// Which credential Domino uses to clone a project's repository for one account.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialMapping {
    /// The id of the account.
    pub user_id: UserId,
    /// The id of the repository.
    pub repo_id: String,
    /// The id of the credential; absent if its owner chose none.
    pub credential_id: Option<String>,
}

/// A git credential by token, to be made.
#[derive(Debug)]
pub struct NewGitCredential<'a> {
    /// The name that people will read.
    pub name: &'a str,
    /// The host that it is for: `github.com`, or that of a GitHub of one's own.
    pub domain: &'a str,
    /// What opens the repository.
    pub token: &'a SecretString,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NewBody<'a> {
    name: &'a str,
    git_service_provider: &'static str,
    domain: &'a str,
    token: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Mapped<'a> {
    credential_id: &'a str,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    credentials: Vec<GitCredential>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    main_repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    id: String,
}

/// The provider of a host in the words of the public API.
pub(super) fn provider(domain: &str) -> &'static str {
    match domain {
        "github.com" => "Github",
        _ => "GithubEnterprise",
    }
}

impl<'a> NewGitCredential<'a> {
    pub(super) fn body(&self) -> NewBody<'a> {
        NewBody {
            name: self.name,
            git_service_provider: provider(self.domain),
            domain: self.domain,
            token: self.token.expose_secret(),
        }
    }
}

impl Writer {
    /// `PUT /v4/projects/{id}/repository/{repository}/credentialMapping`, about the caller's own runs. Contract: v4.
    pub async fn map_credential(
        &self,
        project: &ProjectId,
        repository: &str,
        credential: &str,
    ) -> Result<(), ApiError> {
        let path = format!(
            "/v4/projects/{}/repository/{}/credentialMapping",
            segment(project.as_str()),
            segment(repository)
        );
        let body = Mapped {
            credential_id: credential,
        };
        self.write_only(Method::PUT, &path, Some(&body)).await
    }
}

impl Reader {
    /// `GET /api/users/beta/credentials/{userId}`: the git credentials of an account. `None` if the deployment does
    /// not have the route, or does not allow us to read it. Contract: public API.
    pub async fn git_credentials(
        &self,
        user: &UserId,
    ) -> Result<Option<Vec<GitCredential>>, ApiError> {
        let path = format!("/api/users/beta/credentials/{}", segment(user.as_str()));
        let envelope: Option<Envelope> = self.unless_hidden(&path).await?;
        Ok(envelope.map(|envelope| envelope.credentials))
    }

    /// `GET /v4/projects/{projectId}/credentialMapping`: which credential each account has for which repository of a
    /// project. `None` as for the credentials. Contract: v4.
    pub async fn credential_mappings(
        &self,
        project: &ProjectId,
    ) -> Result<Option<Vec<CredentialMapping>>, ApiError> {
        let project = segment(project.as_str());
        self.unless_hidden(&format!("/v4/projects/{project}/credentialMapping"))
            .await
    }

    /// `GET /v4/projects/{projectId}`: the id of the main repository. `None` if the project has none, or as above.
    /// Contract: v4.
    pub async fn main_repository_id(
        &self,
        project: &ProjectId,
    ) -> Result<Option<String>, ApiError> {
        let path = format!("/v4/projects/{}", segment(project.as_str()));
        let summary: Option<Summary> = self.unless_hidden(&path).await?;
        Ok(summary
            .and_then(|summary| summary.main_repository)
            .map(|repository| repository.id))
    }

    async fn unless_hidden<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, ApiError> {
        match self.read_if_there(path, &[]).await {
            Err(error)
                if error.is_unknown_route() || error.status() == Some(StatusCode::FORBIDDEN) =>
            {
                Ok(None)
            }
            answer => answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wiremock::matchers::{method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    async fn answering(route: &str, status: u16, body: Value) -> (MockServer, Reader) {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path(route))
            .respond_with(ResponseTemplate::new(status).set_body_json(body))
            .expect(1)
            .mount(&server)
            .await;
        let reader = connection(&server.uri()).reader();
        (server, reader)
    }

    const CREDENTIALS: &str = "/api/users/beta/credentials/u1";
    const MAPPINGS: &str = "/v4/projects/p1/credentialMapping";

    #[tokio::test]
    async fn the_credentials_of_an_account_are_known_by_name_and_host() {
        let one = json!({"id": "g1", "name": "ci", "gitServiceProvider": "github", "domain": "github.com",
                         "fingerprint": "ab", "protocol": "https"});
        let body = json!({"credentials": [one], "metadata": {"requestId": "r", "notices": []}});
        let (_server, reader) = answering(CREDENTIALS, 200, body).await;
        let all = reader.git_credentials(&UserId::new("u1")).await.unwrap();
        let all = all.unwrap();
        assert_eq!(
            (all[0].name.as_str(), all[0].domain.as_str()),
            ("ci", "github.com")
        );
    }

    #[tokio::test]
    async fn a_mapping_names_account_repository_and_credential() {
        let body = json!([
            {"userId": "u1", "projectId": "p1", "repoId": "r1", "credentialId": "g1"},
            {"userId": "u2", "projectId": "p1", "repoId": "r1"},
        ]);
        let (_server, reader) = answering(MAPPINGS, 200, body).await;
        let all = reader.credential_mappings(&ProjectId::new("p1")).await;
        let all = all.unwrap().unwrap();
        let ids = |at: usize| (all[at].user_id.as_str(), all[at].credential_id.as_deref());
        assert_eq!([ids(0), ids(1)], [("u1", Some("g1")), ("u2", None)]);
    }

    #[tokio::test]
    async fn a_mapping_is_set_for_the_caller() {
        use wiremock::matchers::body_json;
        let server = MockServer::start().await;
        Mock::given(method("PUT"))
            .and(path("/v4/projects/p1/repository/r1/credentialMapping"))
            .and(body_json(json!({"credentialId": "g1"})))
            .respond_with(ResponseTemplate::new(200))
            .expect(1)
            .mount(&server)
            .await;
        let writer = connection(&server.uri()).writer();
        let project = ProjectId::new("p1");
        writer.map_credential(&project, "r1", "g1").await.unwrap();
    }

    #[test]
    fn a_git_credential_shown_for_debugging_hides_its_token() {
        let token = "canary-token-1".to_owned().into();
        let new = NewGitCredential {
            name: "n",
            domain: "github.example.com",
            token: &token,
        };
        assert!(!format!("{new:?}").contains("canary"));
        assert_eq!(new.body().git_service_provider, "GithubEnterprise");
    }

    #[tokio::test]
    async fn what_is_not_there_or_may_not_be_seen_is_none_and_trouble_stays_trouble() {
        for (status, is_hidden) in [(403, true), (404, true), (401, false), (400, false)] {
            let (_server, reader) = answering(CREDENTIALS, status, json!({"message": "no"})).await;
            let told = reader.git_credentials(&UserId::new("u1")).await;
            assert_eq!(matches!(told, Ok(None)), is_hidden, "{status}");
        }
    }

    #[tokio::test]
    async fn the_main_repository_has_an_id_of_its_own() {
        let body =
            json!({"id": "p1", "name": "wine", "mainRepository": {"id": "r1", "uri": "https://x"}});
        let (_server, reader) = answering("/v4/projects/p1", 200, body).await;
        let id = reader.main_repository_id(&ProjectId::new("p1")).await;
        assert_eq!(id.unwrap().as_deref(), Some("r1"));
    }
}
