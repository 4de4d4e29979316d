//! The routes of projects. Some tell the defaults of a project's runs, so they need more than the projects themselves.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::{Project, changes, file_routes, members};
use crate::catalog::Catalog;
use crate::reply::{Answer, Failure, wrapped};
use crate::request::{Id, Ids, Of, Parameters};
use crate::users::{Caller, User};
use crate::version::Version;

pub(crate) fn routes(catalog: Arc<Catalog>) -> Router {
    Router::new()
        .route("/v4/gateway/projects/findProjectByOwnerAndName", get(find))
        .route("/v4/gateway/projects", get(gateway_list))
        .route("/v4/projects", get(v4_list))
        .route("/v4/projects/{project_id}", get(v4_one))
        .route("/v4/projects/{project_id}/settings", get(settings))
        .route("/api/projects/beta/projects", get(public_list))
        .route("/api/projects/v1/projects/{project_id}", get(public_one))
        .route("/v1/projects/{owner}/{name}/commits", get(legacy_commits))
        .merge(changes::routes())
        .merge(file_routes::routes())
        .merge(members::routes())
        .with_state(catalog)
}

/// The project as the gateway tells it, with the defaults of its runs and the caller's role.
fn gateway(catalog: &Catalog, project: &Project, user: &User) -> Value {
    let tier = catalog.hardware_tiers.default_tier();
    json!({
        "id": project.id,
        "name": project.name(),
        "owner": { "id": project.owner_id, "userName": project.owner },
        "description": "",
        "visibility": "Private",
        "hardwareTierId": tier.id,
        "hardwareTierName": tier.name,
        "environmentName": catalog.environments.default_environment().name,
        "requestingUserRole": project.role_of(user),
        "allowedOperations": ["Run", "Edit", "ViewRuns", "RunLaunchers", "BrowseReadFiles", "ChangeProjectSettings"],
        "totalRunTime": "0 minutes",
        "mainRepository": {
            "id": project.repository.id,
            "uri": project.repository.uri,
            "serviceProvider": project.repository.v4_provider(),
        },
        "tags": [],
        "numComments": 0,
        "runsCountByType": [],
        "details": {
            "updatedAt": project.created.rfc3339(),
            "isRestricted": false,
            "projectType": "Analytic",
        },
        "stageId": project.stage_id,
        "status": { "status": "active", "isBlocked": false },
    })
}

/// One project by its names. What Domino answers when there is none differs: an object without an
/// id on old ones, 403 as for a project that may not be seen, and 404 on new ones.
async fn find(State(catalog): Of<Catalog>, Caller(user): Caller, parameters: Parameters) -> Answer {
    let owner = parameters.required("ownerName")?;
    let name = parameters.required("projectName")?;
    match catalog.projects.named_seen_by(&user, owner, name) {
        Ok(project) => Ok(Json(gateway(&catalog, &project, &user))),
        Err(failure) if failure.status != StatusCode::NOT_FOUND => Err(failure),
        Err(failure) => match catalog.version {
            Version::V5_9 => Ok(Json(json!({}))),
            Version::V6_2 => Err(Failure::forbidden(
                "The current user is not authorized to perform this operation",
            )),
            Version::V6_3 | Version::V6_4 => Err(failure),
        },
    }
}

async fn gateway_list(
    State(catalog): Of<Catalog>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Answer {
    let relationship = parameters.required("relationship")?;
    let owned = |project: &Project| project.owner == user.name;
    let wanted = |project: &Project| match relationship {
        "Owned" => Some(owned(project)),
        "Collaborating" => Some(!owned(project)),
        "OwnedAndCollaborating" | "Popular" | "Suggested" if catalog.version > Version::V6_2 => {
            Some(true)
        }
        _ => None,
    };
    let mut found = Vec::new();
    for project in catalog.projects.visible(&user) {
        match wanted(&project) {
            Some(true) => found.push(json!({
                "id": project.id,
                "name": project.name(),
                "ownerId": project.owner_id,
                "ownerName": project.owner,
                "description": "",
                "visibility": "Private",
                "tags": [],
                "runCounts": [],
                "relationship": if owned(&project) { "Owned" } else { "Collaborating" },
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
    State(catalog): Of<Catalog>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Json<Value> {
    let mut projects = catalog.projects.visible(&user);
    projects.retain(|project| {
        parameters
            .text("name")
            .is_none_or(|name| project.name() == name)
            && parameters
                .text("ownerId")
                .is_none_or(|id| project.owner_id == id)
    });
    Json(projects.iter().map(|project| project.v4()).collect())
}

async fn v4_one(State(catalog): Of<Catalog>, Caller(user): Caller, Path(id): Id) -> Answer {
    Ok(Json(catalog.projects.seen_by(&user, &id)?.v4()))
}

async fn settings(State(catalog): Of<Catalog>, Caller(user): Caller, Path(id): Id) -> Answer {
    catalog.projects.seen_by(&user, &id)?;
    Ok(Json(json!({
        "defaultEnvironmentId": catalog.environments.default_environment().id,
        "defaultEnvironmentRevisionSpec": "ActiveRevision",
        "defaultHardwareTierId": catalog.hardware_tiers.default_tier().id,
        "sparkClusterMode": "Local",
        "defaultVolumeSizeGiB": 10.0,
        "maxVolumeSizeGiB": 200.0,
        "minVolumeSizeGiB": 4.0,
        "recommendedVolumeSizeGiB": 10.0,
    })))
}

async fn public_list(
    State(catalog): Of<Catalog>,
    Caller(user): Caller,
    parameters: Parameters,
) -> Answer {
    let visible = catalog.projects.visible(&user);
    parameters.page("projects", 10, visible, |project| project.public())
}

async fn public_one(State(catalog): Of<Catalog>, Caller(user): Caller, Path(id): Id) -> Answer {
    Ok(wrapped(
        "project",
        catalog.projects.seen_by(&user, &id)?.public(),
    ))
}

/// The commits of Domino's own file system, a bare list of ids, with which python-domino checks a commit id.
async fn legacy_commits(
    State(catalog): Of<Catalog>,
    Caller(user): Caller,
    Path((owner, name)): Ids,
) -> Answer {
    let project = catalog.projects.named_seen_by(&user, &owner, &name)?;
    Ok(Json(json!(project.commits())))
}
