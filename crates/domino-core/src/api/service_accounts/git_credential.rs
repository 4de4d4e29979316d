//! Git credentials: with what a user's runs get the code of a project, and which of them for which repository. What opens
//! the repository is sent once and read never.

use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::super::ids::{ProjectId, UserId};
use super::super::listed::listed;
use crate::client::{ApiError, Reader, Writer, segment};

/// A git credential without what it opens with.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OwnGitCredential {
    /// The id.
    pub id: String,
    /// The name that people gave it.
    #[serde(default)]
    pub name: String,
    /// The host that it is for.
    #[serde(default)]
    pub domain: String,
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
pub(super) struct Body<'a> {
    name: &'a str,
    git_service_provider: &'static str,
    domain: &'a str,
    token: &'a str,
}

/// The credential of the caller for one repository of a project.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Mapping {
    repo_id: String,
    credential_id: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Mapped<'a> {
    credential_id: &'a str,
}

/// The provider of a host in the words of the public API.
pub fn provider(domain: &str) -> &'static str {
    match domain {
        "github.com" => "Github",
        _ => "GithubEnterprise",
    }
}

impl<'a> NewGitCredential<'a> {
    pub(super) fn body(&self) -> Body<'a> {
        Body {
            name: self.name,
            git_service_provider: provider(self.domain),
            domain: self.domain,
            token: self.token.expose_secret(),
        }
    }
}

impl Reader {
    /// `GET /api/users/beta/credentials/{id}`: those of a user. Contract: public API.
    pub async fn own_credentials(&self, user: &UserId) -> Result<Vec<OwnGitCredential>, ApiError> {
        let path = format!("/api/users/beta/credentials/{}", segment(user.as_str()));
        listed(self, &path, |credential: &OwnGitCredential| &credential.id).await
    }

    /// `GET /v4/projects/{id}/credentialMapping`: the id of the credential by which the caller's own runs get the code of
    /// this repository. Contract: v4.
    pub async fn own_mapping(
        &self,
        project: &ProjectId,
        repository: &str,
    ) -> Result<Option<String>, ApiError> {
        let path = format!(
            "/v4/projects/{}/credentialMapping",
            segment(project.as_str())
        );
        let all: Vec<Mapping> = self.read(&path, &[]).await?;
        let own = all.into_iter().find(|one| one.repo_id == repository);
        Ok(own.and_then(|one| one.credential_id))
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

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{body_json, method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    #[tokio::test]
    async fn a_mapping_is_that_of_the_repository_and_may_name_no_credential() {
        let server = MockServer::start().await;
        let mapping = |repository: &str, credential: Option<&str>| json!({"userId": "u", "projectId": "p", "repoId": repository, "credentialId": credential});
        Mock::given(path("/v4/projects/p/credentialMapping"))
            .respond_with(
                ResponseTemplate::new(200)
                    .set_body_json(json!([mapping("r1", None), mapping("r2", Some("c2"))])),
            )
            .mount(&server)
            .await;
        Mock::given(method("PUT"))
            .and(path("/v4/projects/p/repository/r1/credentialMapping"))
            .and(body_json(json!({"credentialId": "c1"})))
            .respond_with(ResponseTemplate::new(200).set_body_json(mapping("r1", Some("c1"))))
            .expect(1)
            .mount(&server)
            .await;
        let connection = connection(&server.uri());
        let project = ProjectId::new("p");
        let reader = connection.reader();
        for (repository, credential) in [("r1", None), ("r2", Some("c2")), ("r3", None)] {
            let own = reader.own_mapping(&project, repository).await.unwrap();
            assert_eq!(own.as_deref(), credential);
        }
        let writer = connection.writer();
        writer.map_credential(&project, "r1", "c1").await.unwrap();
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
}
