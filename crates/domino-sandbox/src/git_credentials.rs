//! Git credentials of users, and with which of them a user's runs get the code of a project. What opens a repository is
//! taken and never told again. Without a mapping a user's runs get no code of a project that was made for a repository
//! elsewhere; with one it is that of the sandbox's repository, whatever the credential is.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::catalog::Catalog;
use crate::id;
use crate::locked::Locked;
use crate::reply::{Answer, Failure};
use crate::request::{Fields, Id, Ids, Of, Parameters, object_id};
use crate::users::Caller;

/// The providers in the words of the public API.
const PROVIDERS: [&str; 7] = [
    "Bitbucket",
    "BitbucketServer",
    "Github",
    "GithubEnterprise",
    "GitLab",
    "GitLabEnterprise",
    "Unknown",
];

/// Every credential, and every mapping.
pub(crate) struct GitCredentials {
    catalog: Arc<Catalog>,
    all: Locked<Vec<GitCredential>>,
    mappings: Locked<Vec<Mapping>>,
}

/// One credential, without what opens the repository.
#[derive(Clone)]
struct GitCredential {
    id: String,
    user_id: String,
    name: String,
    provider: String,
    domain: String,
}

/// The credential of a user for a repository of a project.
#[derive(Clone)]
struct Mapping {
    user_id: String,
    project_id: String,
    repository_id: String,
    credential_id: String,
}

pub(crate) fn routes(credentials: Arc<GitCredentials>) -> Router {
    Router::new()
        .route("/api/users/beta/credentials/{user_id}", get(of_user))
        .route(
            "/v4/projects/{project_id}/credentialMapping",
            get(own_mappings),
        )
        .route(
            "/v4/projects/{project_id}/repository/{repository_id}/credentialMapping",
            get(own_mapping).put(map),
        )
        .with_state(credentials)
}

impl GitCredential {
    fn json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "gitServiceProvider": self.provider,
            "domain": self.domain,
            "fingerprint": "",
            "protocol": "https",
        })
    }
}

impl Mapping {
    fn json(&self) -> Value {
        json!({
            "userId": self.user_id,
            "projectId": self.project_id,
            "repoId": self.repository_id,
            "credentialId": self.credential_id,
        })
    }
}

impl GitCredentials {
    pub(crate) fn new(catalog: Arc<Catalog>) -> Self {
        GitCredentials {
            catalog,
            all: Locked::default(),
            mappings: Locked::default(),
        }
    }

    /// Adds a credential by token, as `fields` describe it.
    pub(crate) fn add(&self, user_id: &str, mut fields: Fields) -> Result<Value, Failure> {
        let name = fields.text("name");
        let provider = fields.text("gitServiceProvider");
        let domain = fields.optional_text("domain");
        let token = fields.text("token");
        if !PROVIDERS.contains(&provider.as_str()) {
            fields.complain("gitServiceProvider", "error.invalid");
        }
        if token.is_empty() {
            fields.complain("token", "error.minLength");
        }
        fields.finish()?;
        let domain = domain.or_else(|| (provider == "Github").then(|| "github.com".to_owned()));
        let credential = GitCredential {
            id: id::object_id(),
            user_id: user_id.to_owned(),
            name,
            provider,
            domain: domain.ok_or_else(|| Failure::bad_request("The domain is missing"))?,
        };
        let told = credential.json();
        self.all.lock().push(credential);
        Ok(told)
    }

    /// Those of a user, a page of them.
    pub(crate) fn page(&self, user_id: &str, parameters: &Parameters) -> Answer {
        let mut own = self.all.lock().clone();
        own.retain(|credential| credential.user_id == user_id);
        parameters.page("credentials", 10, own, GitCredential::json)
    }

    fn mappings_of(&self, user_id: &str, project_id: &str) -> Vec<Mapping> {
        let mut own = self.mappings.lock().clone();
        own.retain(|mapping| mapping.user_id == user_id && mapping.project_id == project_id);
        own
    }

    /// Whose credentials there are, for which host, and what they are mapped to.
    pub(crate) fn state(&self) -> Value {
        let all = self.all.lock();
        let of = |credential: &GitCredential| {
            let mut json = credential.json();
            json["userId"] = credential.user_id.clone().into();
            json
        };
        json!({
            "credentials": all.iter().map(of).collect::<Vec<_>>(),
            "mappings": self.mappings.lock().iter().map(Mapping::json).collect::<Vec<_>>(),
        })
    }
}

async fn of_user(
    State(credentials): Of<GitCredentials>,
    Caller(user): Caller,
    Path(id): Id,
    parameters: Parameters,
) -> Answer {
    object_id("userId", &id)?;
    if user.id != id && !user.is_admin() {
        return Err(Failure::forbidden(
            "The current user may not read credentials of others",
        ));
    }
    credentials.page(&id, &parameters)
}

async fn own_mappings(
    State(credentials): Of<GitCredentials>,
    Caller(user): Caller,
    Path(id): Id,
) -> Answer {
    let project = credentials.catalog.projects.seen_by(&user, &id)?;
    let own = credentials.mappings_of(&user.id, &project.id);
    Ok(Json(own.iter().map(Mapping::json).collect()))
}

async fn own_mapping(
    State(credentials): Of<GitCredentials>,
    Caller(user): Caller,
    Path((id, repository)): Ids,
) -> Answer {
    let project = credentials.catalog.projects.seen_by(&user, &id)?;
    let own = credentials.mappings_of(&user.id, &project.id);
    let own = own
        .iter()
        .find(|mapping| mapping.repository_id == repository);
    let own = own.ok_or_else(|| Failure::bad_request("There is no credential mapping"))?;
    Ok(Json(json!({ "raw": own.credential_id })))
}

/// Has one's own runs use a credential of one's own.
async fn map(
    State(credentials): Of<GitCredentials>,
    Caller(user): Caller,
    Path((id, repository)): Ids,
    mut fields: Fields,
) -> Answer {
    let credential_id = fields.text("credentialId");
    fields.finish()?;
    let project = credentials.catalog.projects.seen_by(&user, &id)?;
    if project.repository.id != repository {
        return Err(Failure::bad_request(format!(
            "Project {id} has no repository {repository}"
        )));
    }
    let is_own = |known: &GitCredential| known.id == credential_id && known.user_id == user.id;
    if !credentials.all.lock().iter().any(is_own) {
        return Err(Failure::bad_request(format!(
            "The current user has no git credential {credential_id}"
        )));
    }
    let mapping = Mapping {
        user_id: user.id.clone(),
        project_id: id,
        repository_id: repository,
        credential_id,
    };
    project.is_opened_to(&user.id);
    let mut all = credentials.mappings.lock();
    all.retain(|known| {
        (&known.user_id, &known.repository_id) != (&mapping.user_id, &mapping.repository_id)
            || known.project_id != mapping.project_id
    });
    all.push(mapping.clone());
    Ok(Json(mapping.json()))
}
