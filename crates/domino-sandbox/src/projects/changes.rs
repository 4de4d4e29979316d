//! What people and clients change of projects: they make and archive them, and change their tags. Who works in them is in
//! `members`.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{Form, Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{delete, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::role::ProjectRole;
use super::{NewProject, Project, Projects};
use crate::catalog::Catalog;
use crate::clock::Moment;
use crate::reply::{Answer, Failure, wrapped};
use crate::request::{Fields, Id, Ids, Of};
use crate::users::{Caller, User};

pub(super) fn routes() -> Router<Arc<Catalog>> {
    Router::new()
        .route("/v4/projects", post(create))
        .route("/api/projects/beta/projects", post(public_create))
        .route("/v4/projects/{project_id}", delete(archive))
        .route("/project", post(create_by_form))
        .route("/v4/projects/{project_id}/tags", post(add_tags))
        .route(
            "/v4/projects/{project_id}/tags/{tag_id}",
            delete(remove_tag),
        )
}

impl Catalog {
    /// Makes a project of one's own, or of an organisation, with the code of the sandbox's repository.
    fn make_project(
        &self,
        user: &User,
        owner_id: &str,
        new: NewProject,
    ) -> Result<Arc<Project>, Failure> {
        let owner = self.users.owner_name(owner_id);
        let owner = owner.ok_or_else(|| {
            Failure::not_found(format!("There is no user or organization {owner_id}"))
        })?;
        if owner != user.name && !user.is_admin() && self.users.named(&owner).is_some() {
            return Err(Failure::forbidden(
                "The current user is not authorized to create a project for another",
            ));
        }
        if new.name.trim().is_empty() {
            return Err(Failure::bad_request("The name of the project is empty"));
        }
        if self.projects.named(&owner, &new.name).is_some() {
            return Err(Failure::bad_request(format!(
                "A project named {} already exists for {owner}",
                new.name
            )));
        }
        let Projects {
            repository,
            stage_id,
            ..
        } = &*self.projects;
        let owner = (owner.as_str(), owner_id);
        let project = Project::new(new, owner, repository, stage_id, Moment::now(0));
        self.projects.all.lock().push(project.clone());
        Ok(project)
    }
}

async fn create(State(catalog): Of<Catalog>, Caller(user): Caller, mut fields: Fields) -> Answer {
    let of_tags = fields.optional_value("tags");
    let of_tags = of_tags
        .as_ref()
        .and_then(|tags| tags["tagNames"].as_array());
    let of_others = fields.optional_value("collaborators");
    let of_others = of_others.as_ref().and_then(Value::as_array);
    let name = fields.text("name");
    let owner_id = fields.text("ownerId");
    let new = NewProject {
        name,
        description: fields.text("description"),
        visibility: fields.text("visibility"),
        collaborators: texts(of_others, |other| other["collaboratorId"].as_str())
            .into_iter()
            .map(|id| (id, ProjectRole::Contributor))
            .collect(),
        tags: texts(of_tags, Value::as_str),
        repository: None,
    };
    if of_tags.is_none() {
        fields.complain("tags", "error.path.missing");
    }
    if of_others.is_none() {
        fields.complain("collaborators", "error.path.missing");
    }
    if !["Public", "Searchable", "Private", ""].contains(&&*new.visibility) {
        fields.complain("visibility", "error.invalid");
    }
    fields.finish()?;
    let project = catalog.make_project(&user, &owner_id, new)?;
    let mut json = project.v4();
    json["importedGitRepos"] = json!([]);
    let (host, path) = project.repository.host_and_path();
    json["mainRepository"]["uriHost"] = host.into();
    json["mainRepository"]["uriPath"] = path.into();
    Ok(Json(json))
}

/// The public route, which gives a project the repository that it is told.
async fn public_create(
    State(catalog): Of<Catalog>,
    Caller(user): Caller,
    mut fields: Fields,
) -> Answer {
    let new = NewProject {
        description: fields.text("description"),
        visibility: fields.text("visibility"),
        repository: fields.optional_object("mainRepository", |inner| inner.text("uri")),
        ..NewProject::private(&fields.text("name"))
    };
    let owner_id = fields.optional_text("ownerId");
    if !["Public", "Searchable", "Private"].contains(&&*new.visibility) {
        fields.complain("visibility", "error.invalid");
    }
    fields.finish()?;
    let owner_id = owner_id.unwrap_or_else(|| user.id.clone());
    let project = catalog.make_project(&user, &owner_id, new)?;
    Ok(wrapped("project", project.public()))
}

fn texts<'a>(
    values: Option<&'a Vec<Value>>,
    text: impl Fn(&'a Value) -> Option<&'a str>,
) -> Vec<String> {
    let values = values.into_iter().flatten();
    values.filter_map(text).map(str::to_owned).collect()
}

/// The form of Domino's page for a new project.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProjectForm {
    project_name: String,
    owner_override_username: Option<String>,
}

/// Makes a project by the form, which wants the header that says that no page of a stranger sent it.
async fn create_by_form(
    State(catalog): Of<Catalog>,
    Caller(user): Caller,
    headers: HeaderMap,
    Form(form): Form<ProjectForm>,
) -> Result<StatusCode, Failure> {
    if headers
        .get("csrf-token")
        .is_none_or(|value| value != "nocheck")
    {
        return Err(Failure::forbidden("No CSRF token found"));
    }
    let owner = form.owner_override_username;
    let owner = owner.filter(|name| !name.is_empty());
    let owner = owner.as_deref().unwrap_or(&user.name);
    let owner_id = catalog.users.owner_id(owner);
    let owner_id = owner_id.ok_or_else(|| Failure::not_found(format!("No user {owner}")))?;
    let new = NewProject::private(&form.project_name);
    catalog.make_project(&user, &owner_id, new)?;
    Ok(StatusCode::OK)
}

async fn archive(
    State(catalog): Of<Catalog>,
    Caller(user): Caller,
    Path(id): Id,
) -> Result<StatusCode, Failure> {
    let project = catalog.own_project(&user, &id)?;
    project.is_archived.store(true, Ordering::Relaxed);
    Ok(StatusCode::OK)
}

async fn add_tags(
    State(catalog): Of<Catalog>,
    Caller(user): Caller,
    Path(id): Id,
    mut fields: Fields,
) -> Answer {
    let names = fields.texts("tagNames");
    fields.finish()?;
    let project = catalog.projects.seen_by(&user, &id)?;
    let last = project.add_tags(names);
    last.map(Json)
        .ok_or_else(|| Failure::bad_request("No tag was named"))
}

async fn remove_tag(
    State(catalog): Of<Catalog>,
    Caller(user): Caller,
    Path((project_id, tag_id)): Ids,
) -> Result<StatusCode, Failure> {
    let project = catalog.projects.seen_by(&user, &project_id)?;
    let mut tags = project.tags.lock();
    let before = tags.len();
    tags.retain(|(id, _)| *id != tag_id);
    match tags.len() < before {
        true => Ok(StatusCode::OK),
        false => Err(Failure::not_found(format!("There is no tag {tag_id}"))),
    }
}
