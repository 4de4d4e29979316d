//! Who works in a project, and in which role: what tells it, and what changes it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, patch, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Project;
use super::role::ProjectRole;
use crate::catalog::Catalog;
use crate::reply::{Answer, Failure, wrapped};
use crate::request::{Fields, Id, Ids, Of};
use crate::users::{Caller, User};

pub(super) fn routes() -> Router<Arc<Catalog>> {
    Router::new()
        .route(
            "/v4/projects/{project_id}/collaborators",
            get(collaborators).post(add_collaborator),
        )
        .route(
            "/v4/projects/{project_id}/collaborators/{collaborator_id}",
            delete(remove_collaborator),
        )
        .route(
            "/v4/projects/{project_id}/collaboratorRole",
            patch(change_role),
        )
        .route(
            "/api/projects/v1/projects/{project_id}/collaborators",
            post(public_add_collaborator),
        )
        .route("/{owner}/{name}/collaborators", get(page_of_collaborators))
}

impl Catalog {
    /// The project, for whoever may change it: its owner, an administrator, and all where an organisation owns it.
    pub(super) fn own_project(&self, user: &User, id: &str) -> Result<Arc<Project>, Failure> {
        let project = self.projects.seen_by(user, id)?;
        let of_another = project.owner != user.name && self.users.named(&project.owner).is_some();
        match of_another && !user.is_admin() {
            true => Err(Failure::forbidden(
                "The current user is not authorized to perform this operation",
            )),
            false => Ok(project),
        }
    }
}

/// The persons who work in the project, its owner among them.
fn persons(catalog: &Catalog, project: &Project) -> Vec<Value> {
    let users = catalog.users.all();
    users
        .iter()
        .filter(|user| user.id == project.owner_id || project.is_collaborator(&user.id))
        .map(|user| user.person())
        .collect()
}

async fn collaborators(State(catalog): Of<Catalog>, Caller(user): Caller, Path(id): Id) -> Answer {
    let project = catalog.projects.seen_by(&user, &id)?;
    Ok(Json(persons(&catalog, &project).into()))
}

/// The list of before `/v4`, by the names of the project.
async fn page_of_collaborators(
    State(catalog): Of<Catalog>,
    Caller(user): Caller,
    Path((owner, name)): Ids,
) -> Answer {
    let project = catalog.projects.named_seen_by(&user, &owner, &name)?;
    Ok(Json(persons(&catalog, &project).into()))
}

/// The one who is named under `key`, and the role.
fn member(
    catalog: &Catalog,
    mut fields: Fields,
    (key, role_key): (&str, &str),
) -> Result<(String, ProjectRole), Failure> {
    let other = fields.text(key);
    let role = ProjectRole::of(&fields.text(role_key));
    fields.finish()?;
    let role = role.ok_or_else(|| Failure::bad_request(format!("{role_key} is no role")))?;
    match catalog.users.with_id(&other) {
        Some(_) => Ok((other, role)),
        None => Err(Failure::not_found(format!("There is no user {other}"))),
    }
}

async fn add_collaborator(
    State(catalog): Of<Catalog>,
    Caller(user): Caller,
    Path(id): Id,
    fields: Fields,
) -> Answer {
    let project = catalog.projects.seen_by(&user, &id)?;
    let (other, role) = member(&catalog, fields, ("collaboratorId", "projectRole"))?;
    if !project.is_collaborator(&other) {
        project.collaborators.lock().push((other.clone(), role));
    }
    Ok(Json(
        json!({ "collaboratorId": other, "projectRole": role.v4() }),
    ))
}

async fn public_add_collaborator(
    State(catalog): Of<Catalog>,
    Caller(user): Caller,
    Path(id): Id,
    fields: Fields,
) -> Answer {
    let project = catalog.own_project(&user, &id)?;
    let (other, role) = member(&catalog, fields, ("id", "role"))?;
    if project.is_collaborator(&other) {
        return Err(Failure::bad_request(format!(
            "{other} is a collaborator of the project already"
        )));
    }
    project.collaborators.lock().push((other.clone(), role));
    let told = json!({ "id": other, "role": role.public() });
    Ok(wrapped("collaborator", told))
}

async fn change_role(
    State(catalog): Of<Catalog>,
    Caller(user): Caller,
    Path(id): Id,
    fields: Fields,
) -> Result<StatusCode, Failure> {
    let project = catalog.own_project(&user, &id)?;
    let (other, role) = member(&catalog, fields, ("collaboratorId", "projectRole"))?;
    let mut all = project.collaborators.lock();
    let known = all.iter_mut().find(|(id, _)| *id == other);
    let known =
        known.ok_or_else(|| Failure::not_found(format!("{other} is no collaborator here")))?;
    known.1 = role;
    Ok(StatusCode::OK)
}

/// Takes somebody's rights on a project away.
async fn remove_collaborator(
    State(catalog): Of<Catalog>,
    Caller(user): Caller,
    Path((project_id, other)): Ids,
) -> Result<StatusCode, Failure> {
    let project = catalog.projects.seen_by(&user, &project_id)?;
    project.collaborators.lock().retain(|(id, _)| *id != other);
    Ok(StatusCode::OK)
}
