//! Registered models as Domino's own API shows them: read from the experiment manager, whoever
//! keeps it, with versions as whole numbers and a project to each model. It has no stages and no
//! aliases; those are MLflow's.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use axum::http::Method;
use serde_json::{Map, Value, json};

use crate::clock::Moment;
use crate::domino::Domino;
use crate::mlflow::Refusal;
use crate::projects::Project;
use crate::reply::Failure;
use crate::users::User;

mod routes;
mod version;

pub(crate) use routes::{routes, version_number};
pub(crate) use version::{ModelVersion, artifacts};

/// What Domino keeps of registered models besides MLflow: which of them everybody may find.
#[derive(Default)]
pub(crate) struct RegisteredModels {
    discoverable: Mutex<HashSet<String>>,
}

/// A registered model with the project it belongs to.
pub(crate) struct RegisteredModel {
    pub(crate) name: String,
    pub(crate) project: Arc<Project>,
    description: String,
    tags: Map<String, Value>,
    latest_version: Option<u64>,
    created: Moment,
    updated: Moment,
}

/// A version as a person wants to see it at a glance.
pub(crate) struct Overview {
    pub(crate) model: String,
    pub(crate) number: u64,
    pub(crate) stage: String,
    pub(crate) aliases: Vec<String>,
    /// The job that made it, as far as its tags say.
    pub(crate) job_id: Option<String>,
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        if refusal.is_missing() {
            Failure::not_found(refusal.message())
        } else {
            Failure::new(
                axum::http::StatusCode::INTERNAL_SERVER_ERROR,
                refusal.message(),
            )
        }
    }
}

/// One question to the experiment manager.
async fn ask(domino: &Domino, user: &User, route: &str, input: Value) -> Result<Value, Refusal> {
    let asked = domino
        .mlflow
        .ask(domino, &user.name, Method::GET, route, input);
    asked.await
}

/// Every result of a search, page after page.
async fn ask_all(
    domino: &Domino,
    user: &User,
    route: &str,
    key: &str,
    mut input: Value,
) -> Result<Vec<Value>, Refusal> {
    let mut results = Vec::new();
    loop {
        let mut page = ask(domino, user, route, input.clone()).await?;
        if let Value::Array(items) = page[key].take() {
            results.extend(items);
        }
        match page["next_page_token"].take() {
            Value::String(token) if !token.is_empty() => input["page_token"] = token.into(),
            _ => return Ok(results),
        }
    }
}

/// Every version of every model, models by name and the newest version of each first.
pub(crate) async fn overview(domino: &Domino) -> Result<Vec<Overview>, Refusal> {
    let Some(user) = domino.users.all().first() else {
        return Ok(Vec::new());
    };
    let input = json!({ "max_results": 1000 });
    let route = "registered-models/search";
    let models = ask_all(domino, user, route, "registered_models", input.clone()).await?;
    let route = "model-versions/search";
    let versions = ask_all(domino, user, route, "model_versions", input).await?;
    let mut overview: Vec<Overview> = versions
        .iter()
        .map(|json| {
            let version = ModelVersion::of(json);
            let model = models.iter().find(|model| model["name"] == json["name"]);
            let aliases = model.and_then(|model| model["aliases"].as_array());
            let aliases = aliases.into_iter().flatten();
            let own = aliases.filter(|alias| alias["version"] == json["version"]);
            let job_id = version.tags.get("mlflow.domino.run_id");
            Overview {
                aliases: own.map(|alias| text(&alias["alias"])).collect(),
                stage: text(&json["current_stage"]),
                job_id: job_id.map(text),
                model: version.model,
                number: version.number,
            }
        })
        .collect();
    overview.sort_by(|one, other| {
        let by_model = one.model.cmp(&other.model);
        by_model.then(other.number.cmp(&one.number))
    });
    Ok(overview)
}

/// Every registered model that `user` may see, by name.
pub(crate) async fn all(domino: &Domino, user: &User) -> Result<Vec<RegisteredModel>, Failure> {
    let input = json!({ "max_results": 1000 });
    let route = "registered-models/search";
    let found = ask_all(domino, user, route, "registered_models", input).await?;
    let mut models = Vec::new();
    for model in &found {
        let model = RegisteredModel::of(domino, user, model).await?;
        if domino.projects.seen_by(user, &model.project.id).is_ok() {
            models.push(model);
        }
    }
    models.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(models)
}

/// The registered model of this name, if it is there and `user` may see it.
pub(crate) async fn one(
    domino: &Domino,
    user: &User,
    name: &str,
) -> Result<RegisteredModel, Failure> {
    let found = ask(
        domino,
        user,
        "registered-models/get",
        json!({ "name": name }),
    )
    .await?;
    let model = RegisteredModel::of(domino, user, &found["registered_model"]).await?;
    domino.projects.seen_by(user, &model.project.id)?;
    Ok(model)
}

/// Every version of a model, newest first.
pub(crate) async fn versions(
    domino: &Domino,
    user: &User,
    name: &str,
) -> Result<Vec<ModelVersion>, Refusal> {
    let quote = if name.contains('\'') { '"' } else { '\'' };
    let input = json!({ "filter": format!("name={quote}{name}{quote}"), "max_results": 1000 });
    let route = "model-versions/search";
    let found = ask_all(domino, user, route, "model_versions", input).await?;
    let mut versions: Vec<ModelVersion> = found.iter().map(ModelVersion::of).collect();
    versions.sort_by_key(|version| std::cmp::Reverse(version.number));
    Ok(versions)
}

/// A version of a model by its number.
pub(crate) async fn version(
    domino: &Domino,
    user: &User,
    name: &str,
    number: u64,
) -> Result<ModelVersion, Refusal> {
    let input = json!({ "name": name, "version": number.to_string() });
    let found = ask(domino, user, "model-versions/get", input).await?;
    Ok(ModelVersion::of(&found["model_version"]))
}

impl RegisteredModel {
    async fn of(domino: &Domino, user: &User, json: &Value) -> Result<Self, Refusal> {
        let tags = tags(&json["tags"]);
        let latest = json["latest_versions"].as_array().into_iter().flatten();
        let latest: Vec<ModelVersion> = latest.map(ModelVersion::of).collect();
        let newest = latest.iter().max_by_key(|version| version.number);
        let project = project(domino, user, &tags, newest).await?;
        Ok(RegisteredModel {
            name: text(&json["name"]),
            project,
            description: text(&json["description"]),
            latest_version: newest.map(|version| version.number),
            created: moment(&json["creation_timestamp"]),
            updated: moment(&json["last_updated_timestamp"]),
            tags,
        })
    }

    fn json(&self, domino: &Domino) -> Value {
        let mut json = json!({
            "name": self.name,
            "description": self.description,
            "ownerUsername": self.project.owner,
            "project": project_json(&self.project),
            "tags": self.tags,
            "discoverable": domino.registered_models.is_discoverable(&self.name),
            "requestingUserAccess": {
                "canEditModel": true,
                "canEditProjectAssets": true,
                "canViewExperimentRuns": true,
                "canViewModelApis": true,
                "canViewProject": true,
                "canViewProjectFiles": true,
            },
            "createdAt": self.created.rfc3339(),
            "updatedAt": self.updated.rfc3339(),
        });
        if let Some(latest) = self.latest_version {
            json["latestVersion"] = latest.into();
        }
        json
    }
}

impl RegisteredModels {
    fn is_discoverable(&self, name: &str) -> bool {
        self.lock().contains(name)
    }

    fn set_discoverable(&self, name: &str, is_discoverable: bool) {
        let mut discoverable = self.lock();
        if is_discoverable {
            discoverable.insert(name.to_owned());
        } else {
            discoverable.remove(name);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.discoverable
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The project of a model. MLflow knows none: it is in the tags that Domino puts on a model or on
/// the run it came from. What was registered without any belongs to the first project.
async fn project(
    domino: &Domino,
    user: &User,
    tags: &Map<String, Value>,
    newest: Option<&ModelVersion>,
) -> Result<Arc<Project>, Refusal> {
    let tagged = |tags: &Map<String, Value>| {
        let id = tags.get("mlflow.domino.project_id")?.as_str()?;
        let mut projects = domino.projects.all().iter();
        projects.find(|project| project.id == id).cloned()
    };
    let found = tagged(tags).or_else(|| tagged(&newest?.tags));
    if let Some(project) = found {
        return Ok(project);
    }
    if let Some(newest) = newest.filter(|newest| !newest.run_id.is_empty()) {
        let run = ask(domino, user, "runs/get", json!({ "run_id": newest.run_id })).await;
        let of_run = run.ok().map(|run| self::tags(&run["run"]["data"]["tags"]));
        if let Some(project) = of_run.and_then(|tags| tagged(&tags)) {
            return Ok(project);
        }
    }
    let first = domino.projects.all().first().cloned();
    first.ok_or_else(|| Refusal::missing("there is no project for the model"))
}

fn project_json(project: &Project) -> Value {
    json!({
        "id": project.id,
        "name": project.name,
        "ownerUsername": project.owner,
        "isGitBasedProject": true,
    })
}

/// MLflow's list of tags as an object.
fn tags(json: &Value) -> Map<String, Value> {
    let pairs = json.as_array().into_iter().flatten();
    pairs
        .map(|tag| (text(&tag["key"]), Value::String(text(&tag["value"]))))
        .collect()
}

fn text(json: &Value) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

/// A moment of MLflow, which counts epoch milliseconds.
fn moment(json: &Value) -> Moment {
    Moment::from_nanoseconds(json.as_u64().unwrap_or_default().saturating_mul(1_000_000))
}
