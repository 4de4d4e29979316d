//! Projects, found by owner and name.

use serde::Deserialize;

use super::hardware_tiers::HardwareTierId;
use super::id;
use crate::client::{ApiError, Reader, segment};
use crate::stages::ProjectName;

id! {
    /// A project's id: 24 hexadecimal digits.
    ProjectId
}

/// A project as far as a deployment needs it.
#[derive(Debug, Clone)]
pub struct Project {
    /// The id.
    pub id: ProjectId,
    /// Owner and name as they were asked for.
    pub name: ProjectName,
    /// The main git repository; `None` for a project on Domino's own file system.
    pub repository: Option<String>,
}

/// What a project has by default.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProjectSettings {
    /// The hardware tier of runs that name none.
    pub default_hardware_tier_id: Option<HardwareTierId>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
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
        let found: Option<Option<Found>> = self
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

    /// The names of the projects that the user owns or works in, for a message that lists the nearest. What
    /// cannot be read is left out: the message it is for matters more.
    pub async fn known_projects(&self) -> Vec<ProjectName> {
        let list = |relationship| async move {
            self.read::<Vec<Listed>>("/v4/gateway/projects", &[("relationship", relationship)])
                .await
                .unwrap_or_default()
        };
        // Domino 6.2 knows only these two words for the relationship.
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
