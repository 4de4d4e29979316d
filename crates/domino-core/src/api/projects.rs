//! Projects, found by owner and name.

mod set_up;

use serde::Deserialize;

pub use self::set_up::{CONTRIBUTOR, Collaborator, NewProject, ProjectDetails, ProjectRepository};
use super::environments::EnvironmentId;
use super::hardware_tiers::HardwareTierId;
pub use super::ids::ProjectId;
use crate::client::{ApiError, Reader, segment};
use stage_file::ProjectName;

/// A project as far as a deployment needs it.
#[derive(Debug, Clone)]
pub struct Project {
    /// The id that every request about the project contains.
    pub id: ProjectId,
    /// Owner and name, as they were asked for.
    pub name: ProjectName,
    /// The main git repository; `None` for a project on Domino's own file system.
    pub repository: Option<String>,
}

/// What a project has by default.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectSettings {
    /// The hardware tier of runs that choose none.
    pub default_hardware_tier_id: Option<HardwareTierId>,
    /// The compute environment of everything that chooses none.
    pub default_environment_id: Option<EnvironmentId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FoundProject {
    id: Option<ProjectId>,
    main_repository: Option<Repository>,
}

#[derive(Deserialize)]
struct Repository {
    #[serde(default)]
    uri: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Listed {
    name: String,
    owner_name: String,
}

impl Reader {
    /// `GET /v4/gateway/projects/findProjectByOwnerAndName`. `None` when there is no such project: deployments
    /// say so with 404, or with 200 and no `id`. Contract: v4 and the official Python client.
    pub async fn project(&self, name: &ProjectName) -> Result<Option<Project>, ApiError> {
        let query = [
            ("ownerName", name.owner.as_str()),
            ("projectName", name.name.as_str()),
        ];
        let found: Option<Option<FoundProject>> = self
            .read_if_there("/v4/gateway/projects/findProjectByOwnerAndName", &query)
            .await?;
        Ok(found.flatten().and_then(|found| {
            Some(Project {
                id: found.id?,
                name: name.clone(),
                repository: found.main_repository.map(|r| r.uri),
            })
        }))
    }

    /// `GET /v4/projects/{id}/settings`. Contract: v4.
    pub async fn project_settings(&self, id: &ProjectId) -> Result<ProjectSettings, ApiError> {
        self.read(
            &format!("/v4/projects/{}/settings", segment(id.as_str())),
            &[],
        )
        .await
    }

    /// The names of the projects that the user owns or collaborates on, for a message that lists the nearest ones.
    /// What cannot be read is left out: the message matters more.
    pub async fn known_projects(&self) -> Vec<ProjectName> {
        let list = |relationship| async move {
            self.read::<Vec<Listed>>("/v4/gateway/projects", &[("relationship", relationship)])
                .await
                .unwrap_or_default()
        };
        // Domino 6.2 accepts only these two words for the relationship.
        let (owned, shared) = tokio::join!(list("Owned"), list("Collaborating"));
        owned
            .into_iter()
            .chain(shared)
            .map(|project| ProjectName {
                owner: project.owner_name,
                name: project.name,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use wiremock::matchers::{method, path, query_param};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;
    use crate::client::tests::connection;

    fn name() -> ProjectName {
        ProjectName {
            owner: "wine team".into(),
            name: "wine".into(),
        }
    }

    async fn answered(status: u16, body: Value) -> Result<Option<Project>, ApiError> {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path("/v4/gateway/projects/findProjectByOwnerAndName"))
            .and(query_param("ownerName", "wine team"))
            .and(query_param("projectName", "wine"))
            .respond_with(ResponseTemplate::new(status).set_body_json(body))
            .expect(1)
            .mount(&server)
            .await;
        connection(&server.uri()).reader().project(&name()).await
    }

    #[tokio::test]
    async fn a_git_based_project_has_a_repository_and_another_one_has_none() {
        let git = json!({"id": "p1", "mainRepository": {"id": "r", "uri": "https://github.example.com/a/b", "serviceProvider": "github"}});
        assert_eq!(
            answered(200, git)
                .await
                .unwrap()
                .unwrap()
                .repository
                .unwrap(),
            "https://github.example.com/a/b"
        );
        assert!(
            answered(200, json!({"id": "p1", "mainRepository": null}))
                .await
                .unwrap()
                .unwrap()
                .repository
                .is_none()
        );
    }

    #[tokio::test]
    async fn an_unknown_project_is_none_in_each_way_of_saying_so() {
        assert!(
            answered(404, json!({"message": "no"}))
                .await
                .unwrap()
                .is_none()
        );
        assert!(answered(200, json!({})).await.unwrap().is_none());
        assert!(answered(200, Value::Null).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_refusal_stays_one() {
        assert!(answered(403, json!({"message": "no"})).await.is_err());
    }

    #[tokio::test]
    async fn the_known_projects_leave_out_what_cannot_be_read() {
        let server = MockServer::start().await;
        Mock::given(query_param("relationship", "Owned"))
            .respond_with(
                ResponseTemplate::new(200).set_body_json(json!([{"name": "a", "ownerName": "o"}])),
            )
            .mount(&server)
            .await;
        Mock::given(query_param("relationship", "Collaborating"))
            .respond_with(ResponseTemplate::new(500))
            .mount(&server)
            .await;
        let known = connection(&server.uri()).reader().known_projects().await;
        assert_eq!(
            known,
            [ProjectName {
                owner: "o".into(),
                name: "a".into()
            }]
        );
    }

    #[tokio::test]
    async fn settings_name_the_default_tier() {
        let server = MockServer::start().await;
        Mock::given(path("/v4/projects/p1/settings"))
            .respond_with(
                ResponseTemplate::new(200).set_body_json(json!({"defaultHardwareTierId": "small"})),
            )
            .mount(&server)
            .await;
        let settings = connection(&server.uri())
            .reader()
            .project_settings(&ProjectId::new("p1"))
            .await
            .unwrap();
        assert_eq!(settings.default_hardware_tier_id.unwrap().as_str(), "small");
    }
}
