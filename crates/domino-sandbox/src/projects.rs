//! Projects: git-based all of them, their code the repository the sandbox was started for.
//! What runs in a project is kept by the nouns that run.

use std::path::Path as FilePath;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::clock::Moment;
use crate::domino::Domino;
use crate::id;
use crate::reply::{Answer, Failure, Slice, page, wrapped};
use crate::repository::MainRepository;
use crate::request::{Parameters, object_id};
use crate::seed::Seed;
use crate::users::{Caller, User, Users};
use crate::version::Version;

/// One project.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) owner_id: String,
    /// The users who work in it besides its owner, in no particular role.
    collaborators: Vec<String>,
    /// The head of Domino's own file system, which holds no code in a git-based project.
    pub(crate) commit_id: String,
    pub(crate) repository: MainRepository,
    stage_id: String,
    created: Moment,
}

pub(crate) struct Projects(Vec<Arc<Project>>);

pub(crate) fn routes() -> Router<Arc<Domino>> {
    Router::new()
        .route("/v4/gateway/projects/findProjectByOwnerAndName", get(find))
        .route("/v4/gateway/projects", get(gateway_list))
        .route("/v4/projects", get(v4_list))
        .route("/v4/projects/{project_id}", get(v4_one))
        .route("/v4/projects/{project_id}/settings", get(settings))
        .route("/api/projects/beta/projects", get(public_list))
        .route("/api/projects/v1/projects/{project_id}", get(public_one))
        .route("/v1/projects/{owner}/{name}/commits", get(legacy_commits))
}

impl Project {
    /// Whether `user` may look at the project, and so start things in it.
    fn is_seen_by(&self, user: &User) -> bool {
        user.is_admin() || user.name == self.owner || self.collaborators.contains(&user.id)
    }

    fn role_of(&self, user: &User) -> &'static str {
        if user.is_admin() {
            "Admin"
        } else if user.name == self.owner {
            "Owner"
        } else {
            "Contributor"
        }
    }

    pub(crate) fn v4(&self) -> Value {
        let collaborators: Vec<Value> = self
            .collaborators
            .iter()
            .map(|id| json!({ "collaboratorId": id, "projectRole": "Contributor" }))
            .collect();
        json!({
            "id": self.id,
            "name": self.name,
            "description": "",
            "created": self.created.rfc3339(),
            "visibility": "Private",
            "ownerId": self.owner_id,
            "ownerUsername": self.owner,
            "mainRepository": {
                "id": self.repository.id,
                "uri": self.repository.uri,
                "defaultRef": { "type": "head" },
                "name": self.repository.name,
                "serviceProvider": self.repository.v4_provider(),
            },
            "importedGitRepositories": [],
            "collaboratorIds": self.collaborators,
            "collaborators": collaborators,
            "tags": [],
            "stageId": self.stage_id,
            "status": { "status": "active", "isBlocked": false },
            "projectType": "Analytic",
        })
    }

    fn public(&self) -> Value {
        let collaborators: Vec<Value> = self
            .collaborators
            .iter()
            .map(|id| json!({ "id": id, "role": "contributor" }))
            .collect();
        json!({
            "id": self.id,
            "name": self.name,
            "description": "",
            "ownerId": self.owner_id,
            "ownerUsername": self.owner,
            "visibility": "Private",
            "isRestricted": false,
            "collaborators": collaborators,
            "mainRepository": {
                "id": self.repository.id,
                "uri": self.repository.uri,
                "defaultRef": { "refType": "Head" },
                "name": self.repository.name,
                "serviceProvider": self.repository.public_provider(),
            },
        })
    }

    /// The project as the gateway tells it, with the defaults of its runs and the caller's role.
    fn gateway(&self, domino: &Domino, user: &User) -> Value {
        let tier = domino.hardware_tiers.default_tier();
        json!({
            "id": self.id,
            "name": self.name,
            "owner": { "id": self.owner_id, "userName": self.owner },
            "description": "",
            "visibility": "Private",
            "hardwareTierId": tier.id,
            "hardwareTierName": tier.name,
            "environmentName": domino.environments.default_environment().name,
            "requestingUserRole": self.role_of(user),
            "allowedOperations": ["Run", "Edit", "ViewRuns", "RunLaunchers", "BrowseReadFiles", "ChangeProjectSettings"],
            "totalRunTime": "0 minutes",
            "mainRepository": {
                "id": self.repository.id,
                "uri": self.repository.uri,
                "serviceProvider": self.repository.v4_provider(),
            },
            "tags": [],
            "numComments": 0,
            "runsCountByType": [],
            "details": {
                "updatedAt": self.created.rfc3339(),
                "isRestricted": false,
                "projectType": "Analytic",
            },
            "stageId": self.stage_id,
            "status": { "status": "active", "isBlocked": false },
        })
    }
}

impl Projects {
    pub(crate) fn new(seed: &Seed, users: &Users, repository: &FilePath, created: Moment) -> Self {
        let repository = MainRepository::of(repository);
        let stage_id = id::object_id();
        let projects = seed.projects.iter().map(|seeded| {
            let others = users.all().iter().filter(|user| user.name != seeded.owner);
            let collaborators = others.filter(|_| seeded.shared);
            Arc::new(Project {
                id: id::object_id(),
                name: seeded.name.clone(),
                owner: seeded.owner.clone(),
                owner_id: users.owner_id(&seeded.owner).unwrap_or_default().to_owned(),
                collaborators: collaborators.map(|user| user.id.clone()).collect(),
                commit_id: id::commit_id(),
                repository: repository.clone(),
                stage_id: stage_id.clone(),
                created,
            })
        });
        Projects(projects.collect())
    }

    pub(crate) fn all(&self) -> &[Arc<Project>] {
        &self.0
    }

    /// The project `owner/name`.
    pub(crate) fn named(&self, owner: &str, name: &str) -> Option<&Arc<Project>> {
        let named = |project: &&Arc<Project>| project.owner == owner && project.name == name;
        self.0.iter().find(named)
    }

    /// The project with this id, if it is there and `user` may see it.
    pub(crate) fn seen_by(&self, user: &User, id: &str) -> Result<&Arc<Project>, Failure> {
        object_id("projectId", id)?;
        let project = self.0.iter().find(|project| project.id == id);
        let project =
            project.ok_or_else(|| Failure::not_found(format!("Project {id} was not found")))?;
        allowed(user, project)
    }

    /// The project `owner/name`, if it is there and `user` may see it.
    pub(crate) fn named_seen_by(
        &self,
        user: &User,
        owner: &str,
        name: &str,
    ) -> Result<&Arc<Project>, Failure> {
        let project = self.named(owner, name);
        let project = project
            .ok_or_else(|| Failure::not_found(format!("Project {owner}/{name} was not found")))?;
        allowed(user, project)
    }

    pub(crate) fn state(&self) -> Value {
        self.0.iter().map(|project| project.v4()).collect()
    }

    fn visible<'a>(&'a self, user: &'a User) -> impl Iterator<Item = &'a Arc<Project>> {
        self.0.iter().filter(|project| project.is_seen_by(user))
    }
}

fn allowed<'a>(user: &User, project: &'a Arc<Project>) -> Result<&'a Arc<Project>, Failure> {
    if project.is_seen_by(user) {
        Ok(project)
    } else {
        Err(Failure::forbidden(format!(
            "The current user is not authorized to access project {}",
            project.id
        )))
    }
}

/// One project by its names. What Domino answers when there is none differs: an object without an
/// id on old ones, 403 as for a project that may not be seen, and 404 on new ones.
async fn find(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Answer {
    let owner = parameters.required("ownerName")?;
    let name = parameters.required("projectName")?;
    match domino.projects.named_seen_by(&user, owner, name) {
        Ok(project) => Ok(Json(project.gateway(&domino, &user))),
        Err(failure) if failure.status != StatusCode::NOT_FOUND => Err(failure),
        Err(failure) => match domino.version {
            Version::V5_9 => Ok(Json(json!({}))),
            Version::V6_2 => Err(Failure::forbidden(
                "The current user is not authorized to perform this operation",
            )),
            Version::V6_3 | Version::V6_4 => Err(failure),
        },
    }
}

async fn gateway_list(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Answer {
    let relationship = parameters.required("relationship")?;
    let owned = |project: &Project| project.owner == user.name;
    let wanted = |project: &Project| match relationship {
        "Owned" => Some(owned(project)),
        "Collaborating" => Some(!owned(project)),
        "OwnedAndCollaborating" | "Popular" | "Suggested" if domino.version > Version::V6_2 => {
            Some(true)
        }
        _ => None,
    };
    let mut found = Vec::new();
    for project in domino.projects.visible(&user) {
        match wanted(project) {
            Some(true) => found.push(json!({
                "id": project.id,
                "name": project.name,
                "ownerId": project.owner_id,
                "ownerName": project.owner,
                "description": "",
                "visibility": "Private",
                "tags": [],
                "runCounts": [],
                "relationship": if owned(project) { "Owned" } else { "Collaborating" },
                "projectType": "Analytic",
                "stageId": project.stage_id,
                "status": { "status": "active", "isBlocked": false },
                "mainGitRepositoryUri": project.repository.uri,
                "serviceProvider": project.repository.v4_provider(),
                "details": { "updatedAt": project.created.rfc3339(), "isRestricted": false },
            })),
            Some(false) => {}
            None => {
                let message = format!("No value found for '{relationship}'");
                return Err(Failure::new(StatusCode::INTERNAL_SERVER_ERROR, message));
            }
        }
    }
    Ok(Json(found.into()))
}

/// The list the published templates look projects up with: by name and the id of the owner, and
/// without a filter whatever the caller may see.
async fn v4_list(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Json<Value> {
    let projects = domino.projects.visible(&user).filter(|project| {
        parameters
            .text("name")
            .is_none_or(|name| project.name == name)
            && parameters
                .text("ownerId")
                .is_none_or(|id| project.owner_id == id)
    });
    Json(projects.map(|project| project.v4()).collect())
}

async fn v4_one(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path(id): Path<String>,
) -> Answer {
    Ok(Json(domino.projects.seen_by(&user, &id)?.v4()))
}

async fn settings(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path(id): Path<String>,
) -> Answer {
    domino.projects.seen_by(&user, &id)?;
    Ok(Json(json!({
        "defaultEnvironmentId": domino.environments.default_environment().id,
        "defaultEnvironmentRevisionSpec": "ActiveRevision",
        "defaultHardwareTierId": domino.hardware_tiers.default_tier().id,
        "sparkClusterMode": "Local",
        "defaultVolumeSizeGiB": 10.0,
        "maxVolumeSizeGiB": 200.0,
        "minVolumeSizeGiB": 4.0,
        "recommendedVolumeSizeGiB": 10.0,
    })))
}

async fn public_list(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Answer {
    let projects: Vec<_> = domino.projects.visible(&user).collect();
    let slice = Slice::of(
        parameters.size("offset", 0)?,
        parameters.size("limit", 10)?,
        projects.len(),
    );
    let items = slice
        .cut(projects)
        .map(|project| project.public())
        .collect();
    Ok(page("projects", items, slice))
}

async fn public_one(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path(id): Path<String>,
) -> Answer {
    Ok(wrapped(
        "project",
        domino.projects.seen_by(&user, &id)?.public(),
    ))
}

/// The commits of Domino's own file system, with which python-domino checks a commit id.
async fn legacy_commits(
    State(domino): State<Arc<Domino>>,
    Caller(user): Caller,
    Path((owner, name)): Path<(String, String)>,
) -> Answer {
    let project = domino.projects.named_seen_by(&user, &owner, &name)?;
    Ok(Json(json!({
        "objectType": "list",
        "url": format!("/v1/projects/{owner}/{name}/commits"),
        "data": [{ "id": project.commit_id, "message": "Project created" }],
    })))
}
