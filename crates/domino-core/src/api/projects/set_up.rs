//! What sets a project up: it is made of a git repository, and somebody gets a role in it.

use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::super::git_credentials::provider;
use super::super::ids::{ProjectId, UserId};
use crate::client::{ApiError, Reader, Writer, segment};

/// Who works in a project, and on which code.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectDetails {
    /// By which every other route names the project.
    pub id: ProjectId,
    /// The user or organisation that it belongs to.
    pub owner_id: UserId,
    /// The users who work in it besides its owner.
    #[serde(default)]
    pub collaborators: Vec<Collaborator>,
    /// The main git repository; `None` for a project on Domino's own file system.
    pub main_repository: Option<ProjectRepository>,
}

/// A user who works in a project.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collaborator {
    /// The id of the user, or of an organisation.
    pub id: UserId,
    /// The role, such as `contributor`, who may start runs and publish.
    pub role: String,
}

/// The role that may start runs and publish.
pub const CONTRIBUTOR: &str = "contributor";

/// The main git repository of a project.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProjectRepository {
    /// By which the choice of a git credential names the repository.
    pub id: String,
    /// The address.
    #[serde(default)]
    pub uri: String,
}

/// A project of a git repository, to be made; nobody but its collaborators will see it.
#[derive(Debug, Clone)]
pub struct NewProject<'a> {
    /// What it is to be called below its owner.
    pub name: &'a str,
    /// What people read about it.
    pub description: &'a str,
    /// The user or organisation that owns it.
    pub owner: &'a UserId,
    /// The address of the repository.
    pub repository: &'a str,
    /// The host of the repository.
    pub domain: &'a str,
    /// The id of the git credential by which its maker can read the repository, where there is one.
    pub credential: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    name: &'a str,
    description: &'a str,
    visibility: &'static str,
    owner_id: &'a UserId,
    main_repository: RepositoryBody<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RepositoryBody<'a> {
    uri: &'a str,
    service_provider: &'static str,
    default_ref: DefaultRef,
    #[serde(skip_serializing_if = "Option::is_none")]
    git_credential_id: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DefaultRef {
    ref_type: &'static str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct NewRole<'a> {
    collaborator_id: &'a UserId,
    project_role: &'static str,
}

#[derive(Deserialize)]
struct Enveloped {
    project: ProjectDetails,
}

impl Reader {
    /// `GET /api/projects/v1/projects/{id}`. Contract: public API.
    pub async fn project_details(&self, id: &ProjectId) -> Result<ProjectDetails, ApiError> {
        let path = format!("/api/projects/v1/projects/{}", segment(id.as_str()));
        Ok(self.read::<Enveloped>(&path, &[]).await?.project)
    }
}

impl Writer {
    /// `POST /api/projects/beta/projects`. Contract: public API.
    pub async fn create_project(&self, new: &NewProject<'_>) -> Result<ProjectDetails, ApiError> {
        let body = Body {
            name: new.name,
            description: new.description,
            visibility: "Private",
            owner_id: new.owner,
            main_repository: RepositoryBody {
                uri: new.repository,
                service_provider: provider(new.domain),
                default_ref: DefaultRef { ref_type: "Head" },
                git_credential_id: new.credential,
            },
        };
        let path = "/api/projects/beta/projects";
        let made: Enveloped = self.write(Method::POST, path, Some(&body)).await?;
        Ok(made.project)
    }

    /// `POST /api/projects/v1/projects/{id}/collaborators`: makes a user a contributor. Contract: public API.
    pub async fn add_contributor(
        &self,
        project: &ProjectId,
        user: &UserId,
    ) -> Result<(), ApiError> {
        let path = format!(
            "/api/projects/v1/projects/{}/collaborators",
            segment(project.as_str())
        );
        let body = Collaborator {
            id: user.clone(),
            role: CONTRIBUTOR.to_owned(),
        };
        self.write_only(Method::POST, &path, Some(&body)).await
    }

    /// `PATCH /v4/projects/{id}/collaboratorRole`: makes a collaborator a contributor. Contract: v4.
    pub async fn make_contributor(
        &self,
        project: &ProjectId,
        user: &UserId,
    ) -> Result<(), ApiError> {
        let path = format!(
            "/v4/projects/{}/collaboratorRole",
            segment(project.as_str())
        );
        let body = NewRole {
            collaborator_id: user,
            project_role: "Contributor",
        };
        self.write_only(Method::PATCH, &path, Some(&body)).await
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
    async fn a_project_is_made_private_of_a_repository() {
        let server = MockServer::start().await;
        Mock::given(method("POST"))
            .and(path("/api/projects/beta/projects"))
            .and(body_json(json!({
                "name": "wine", "description": "d", "visibility": "Private", "ownerId": "o",
                "mainRepository": {
                    "uri": "https://github.com/a/b.git", "serviceProvider": "Github",
                    "defaultRef": {"refType": "Head"}, "gitCredentialId": "c",
                },
            })))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"project": {
                "id": "p", "ownerId": "o", "collaborators": [{"id": "u", "role": "launcherUser"}],
                "mainRepository": {"id": "r", "uri": "https://github.com/a/b.git"},
            }})))
            .expect(1)
            .mount(&server)
            .await;
        let owner = UserId::new("o");
        let new = NewProject {
            name: "wine",
            description: "d",
            owner: &owner,
            repository: "https://github.com/a/b.git",
            domain: "github.com",
            credential: Some("c"),
        };
        let writer = connection(&server.uri()).writer();
        let made = writer.create_project(&new).await.unwrap();
        assert_eq!(made.main_repository.unwrap().id, "r");
        assert_eq!(made.collaborators[0].role, "launcherUser");
    }

    #[tokio::test]
    async fn a_user_is_added_and_a_role_is_changed_by_different_words() {
        let server = MockServer::start().await;
        let routes = [
            (
                "POST",
                "/api/projects/v1/projects/p/collaborators",
                json!({"id": "u", "role": "contributor"}),
            ),
            (
                "PATCH",
                "/v4/projects/p/collaboratorRole",
                json!({"collaboratorId": "u", "projectRole": "Contributor"}),
            ),
        ];
        for (verb, route, body) in routes {
            Mock::given(method(verb))
                .and(path(route))
                .and(body_json(body))
                .respond_with(ResponseTemplate::new(200))
                .expect(1)
                .mount(&server)
                .await;
        }
        let writer = connection(&server.uri()).writer();
        let (project, user) = (ProjectId::new("p"), UserId::new("u"));
        writer.add_contributor(&project, &user).await.unwrap();
        writer.make_contributor(&project, &user).await.unwrap();
    }
}
