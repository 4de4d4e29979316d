//! Compute environments and their revisions. Nothing is built here: a run uses the machine's own
//! programs whatever its environment, and only the bookkeeping is Domino's.

mod revision;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

use crate::id;
use crate::projects::Projects;
use crate::reply::{Answer, Failure, legacy_list, wrapped};
use crate::request::{Id, Of, Parameters, object_id};
use crate::seed::Seed;
use crate::users::Caller;
pub(crate) use revision::{Revision, RevisionSpec};

/// An environment with its revisions, oldest first. The active one is not the latest until somebody makes it so, and a
/// client that confuses the two is noticed.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) is_archived: bool,
    revisions: [Revision; 3],
    /// The place of the active one among them.
    active: AtomicUsize,
}

/// Every compute environment, with the projects whose members may list them.
pub(crate) struct Environments {
    all: Vec<Arc<Environment>>,
    projects: Arc<Projects>,
}

pub(crate) fn routes(environments: Arc<Environments>) -> Router {
    Router::new()
        .route(
            "/v4/projects/{project_id}/useableEnvironments",
            get(useable),
        )
        .route("/v4/environments/self", get(v4_list))
        .route("/v4/environments/defaultEnvironment", get(v4_default))
        .route("/v4/environments/{id}", get(v4_one))
        .route("/v4/environments/{id}/setactive", post(set_active))
        .route(
            "/v4/environments/environmentRevision/{revision_id}",
            get(v4_revision),
        )
        .route("/api/environments/beta/environments", get(public_list))
        .route("/api/environments/v1/environments/{id}", get(public_one))
        .route("/v1/environments", get(legacy))
        .with_state(environments)
}

impl Environment {
    pub(crate) fn active(&self) -> &Revision {
        &self.revisions[self.active.load(Ordering::Relaxed)]
    }

    fn latest(&self) -> &Revision {
        &self.revisions[2]
    }

    /// The revision that `spec` means here.
    pub(crate) fn revision(&self, spec: &RevisionSpec) -> Result<&Revision, Failure> {
        match spec {
            RevisionSpec::Active => Ok(self.active()),
            RevisionSpec::Latest => Ok(self.latest()),
            RevisionSpec::Restricted => Err(Failure::bad_request(format!(
                "Environment {} has no restricted revision",
                self.id
            ))),
            RevisionSpec::Some(id) => {
                let revision = self.revisions.iter().find(|revision| revision.id == *id);
                revision.ok_or_else(|| {
                    Failure::bad_request(format!("Environment {} has no revision {id}", self.id))
                })
            }
        }
    }

    fn v4_details(&self, revision: &Revision) -> Value {
        revision.v4_details(&self.id, &self.name)
    }

    fn v4_facts(&self) -> Value {
        json!({
            "id": self.id,
            "description": "",
            "archived": self.is_archived,
            "name": self.name,
            "visibility": "Global",
            "supportedClusters": [],
            "isCurated": false,
        })
    }

    fn v4(&self) -> Value {
        let mut environment = self.v4_facts();
        environment["latestRevision"] = self.latest().v4(false);
        environment["selectedRevision"] = self.active().v4(true);
        environment["latestRevisionDetails"] = self.v4_details(self.latest());
        environment
    }

    fn public(&self) -> Value {
        json!({
            "id": self.id,
            "archived": self.is_archived,
            "name": self.name,
            "visibility": "global",
            "supportedClusters": [],
            "rebuildOnBaseChanges": "never",
            "latestRevision": self.latest().public(),
            "selectedRevision": self.active().public(),
        })
    }

    fn v4_useable(&self) -> Value {
        json!({
            "id": self.id,
            "archived": self.is_archived,
            "name": self.name,
            "version": 2,
            "visibility": "Global",
            "supportedClusters": [],
            "isCurated": false,
            "activeRevisionNumber": self.active().number,
            "activeRevisionId": self.active().id,
        })
    }
}

impl Environments {
    /// The seed's environments; the first is the default, and there is always one.
    pub(crate) fn new(seed: &Seed, projects: Arc<Projects>) -> Self {
        let environment = |id: Option<&String>, name: &str, is_archived| {
            Arc::new(Environment {
                id: id.cloned().unwrap_or_else(id::object_id),
                name: name.to_owned(),
                is_archived,
                revisions: [1, 2, 3].map(|number| Revision {
                    id: id::object_id(),
                    number,
                }),
                active: AtomicUsize::new(1),
            })
        };
        let seeded = seed.environments.iter();
        let mut environments: Vec<_> = seeded
            .map(|seeded| environment(seeded.id.as_ref(), &seeded.name, seeded.archived))
            .collect();
        if environments
            .iter()
            .all(|environment| environment.is_archived)
        {
            environments.push(environment(None, "Domino Standard Environment", false));
        }
        Environments {
            all: environments,
            projects,
        }
    }

    pub(crate) fn default_environment(&self) -> &Arc<Environment> {
        let mut environments = self.all.iter();
        let default = environments.find(|environment| !environment.is_archived);
        default.unwrap_or(&self.all[0])
    }

    fn with_id(&self, id: &str) -> Option<&Arc<Environment>> {
        self.all.iter().find(|environment| environment.id == id)
    }

    /// The environment that a run asks for, or the default one.
    pub(crate) fn for_run(&self, id: Option<&str>) -> Result<&Arc<Environment>, Failure> {
        let Some(id) = id else {
            return Ok(self.default_environment());
        };
        match self.with_id(id) {
            None => Err(Failure::bad_request(format!(
                "Environment {id} does not exist"
            ))),
            Some(environment) if environment.is_archived => Err(Failure::bad_request(format!(
                "Environment {id} is archived"
            ))),
            Some(environment) => Ok(environment),
        }
    }

    pub(crate) fn state(&self) -> Value {
        self.all
            .iter()
            .map(|environment| environment.v4())
            .collect()
    }

    fn v4_all(&self) -> Vec<Value> {
        self.unarchived().map(|one| one.v4()).collect()
    }

    fn unarchived(&self) -> impl Iterator<Item = &Arc<Environment>> {
        self.all
            .iter()
            .filter(|environment| !environment.is_archived)
    }
}

async fn useable(
    State(environments): Of<Environments>,
    Caller(user): Caller,
    Path(project_id): Id,
) -> Answer {
    environments.projects.seen_by(&user, &project_id)?;
    let selected = environments.default_environment();
    let environments: Vec<Value> = environments
        .unarchived()
        .map(|environment| environment.v4_useable())
        .collect();
    Ok(Json(json!({
        "currentlySelectedEnvironment": {
            "id": selected.id,
            "name": selected.name,
            "supportedClusters": [],
            "v2EnvironmentDetails": {
                "latestRevision": selected.latest().number,
                "latestRevisionUrl": format!("/environments/revisions/{}", selected.latest().id),
                "latestRevisionStatus": "Succeeded",
                "selectedRevision": selected.active().number,
                "selectedRevisionId": selected.active().id,
            },
        },
        "environments": environments,
    })))
}

async fn v4_list(State(environments): Of<Environments>, _: Caller) -> Json<Value> {
    Json(environments.v4_all().into())
}

async fn v4_default(State(environments): Of<Environments>, _: Caller) -> Json<Value> {
    Json(environments.default_environment().v4())
}

async fn v4_one(State(environments): Of<Environments>, _: Caller, Path(id): Id) -> Answer {
    let environment = environments.with_id(object_id("environmentId", &id)?);
    environment
        .map(|environment| Json(environment.v4()))
        .ok_or_else(|| no_such_environment(&id))
}

/// Makes a revision that was built the active one.
async fn set_active(
    State(environments): Of<Environments>,
    _: Caller,
    Path(id): Id,
    parameters: Parameters,
) -> Result<StatusCode, Failure> {
    let environment = environments.with_id(object_id("environmentId", &id)?);
    let environment = environment.ok_or_else(|| no_such_environment(&id))?;
    let wanted = parameters.required("revisionId")?;
    let mut revisions = environment.revisions.iter();
    let place = revisions.position(|revision| revision.id == wanted);
    let place = place.ok_or_else(|| {
        Failure::not_found(format!("Environment revision {wanted} was not found"))
    })?;
    environment.active.store(place, Ordering::Relaxed);
    Ok(StatusCode::NO_CONTENT)
}

async fn v4_revision(State(environments): Of<Environments>, _: Caller, Path(id): Id) -> Answer {
    object_id("environmentRevisionId", &id)?;
    let mut pairs = environments.all.iter().flat_map(|environment| {
        let revisions = environment.revisions.iter();
        revisions.map(move |revision| (environment, revision))
    });
    let (environment, revision) = pairs
        .find(|(_, revision)| revision.id == id)
        .ok_or_else(|| Failure::not_found(format!("Environment revision {id} was not found")))?;
    let default = environments.default_environment();
    Ok(Json(json!({
        "environment": environment.v4_facts(),
        "environmentRevision": environment.v4_details(revision),
        "isLatestRevision": environment.latest().id == id,
        "visibleEnvironments": {
            "activeEnvironmentRevisions": [],
            "defaultEnv": default.v4_facts(),
            "defaultEnvRev": default.v4_details(default.active()),
        },
        "canRevertTo": false,
        "hasRunningBuild": false,
    })))
}

async fn public_list(
    State(environments): Of<Environments>,
    _: Caller,
    parameters: Parameters,
) -> Answer {
    let all = environments.unarchived().collect();
    parameters.page("environments", 10, all, |environment| environment.public())
}

async fn public_one(State(environments): Of<Environments>, _: Caller, Path(id): Id) -> Answer {
    let environment = environments.with_id(&id);
    environment
        .map(|environment| wrapped("environment", environment.public()))
        .ok_or_else(|| no_such_environment(&id))
}

/// The route of before `/v4`, which python-domino still lists environments with.
async fn legacy(State(environments): Of<Environments>, _: Caller) -> Json<Value> {
    legacy_list("/v1/environments", environments.v4_all())
}

fn no_such_environment(id: &str) -> Failure {
    Failure::not_found(format!("Environment {id} was not found"))
}
