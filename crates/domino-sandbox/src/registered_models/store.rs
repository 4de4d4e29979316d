//! The registered models of the experiment manager, wherever that runs, and what Domino adds to them.

use std::collections::HashSet;
use std::sync::Arc;

use axum::http::Method;
use serde_json::{Map, Value, json};

use super::reading::{moment, project_json, tags as tags_of, text};
use super::version::ModelVersion;
use crate::catalog::Catalog;
use crate::clock::Moment;
use crate::locked::Locked;
use crate::mlflow::{Mlflow, Refusal};
use crate::projects::Project;
use crate::reply::{Failure, Put};
use crate::users::User;

/// What Domino keeps of registered models besides MLflow: which of them everybody may find.
pub(crate) struct RegisteredModels {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) mlflow: Arc<Mlflow>,
    discoverable: Locked<HashSet<String>>,
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

impl RegisteredModel {
    pub(super) fn json(&self, is_discoverable: bool) -> Value {
        let mut json = json!({
            "name": self.name,
            "description": self.description,
            "ownerUsername": self.project.owner,
            "project": project_json(&self.project),
            "tags": self.tags,
            "discoverable": is_discoverable,
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
        json.put("latestVersion", self.latest_version);
        json
    }
}

impl RegisteredModels {
    pub(crate) fn new(catalog: Arc<Catalog>, mlflow: Arc<Mlflow>) -> Self {
        RegisteredModels {
            catalog,
            mlflow,
            discoverable: Locked::default(),
        }
    }

    /// Every version of every model, models by name and the newest version of each first.
    pub(crate) async fn overview(&self) -> Result<Vec<Overview>, Refusal> {
        let users = self.catalog.users.all();
        let Some(user) = users.first() else {
            return Ok(Vec::new());
        };
        let input = json!({ "max_results": 1000 });
        let route = "registered-models/search";
        let models = self
            .ask_all(user, route, "registered_models", input.clone())
            .await?;
        let route = "model-versions/search";
        let versions = self.ask_all(user, route, "model_versions", input).await?;
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
    pub(crate) async fn all(&self, user: &User) -> Result<Vec<RegisteredModel>, Failure> {
        let input = json!({ "max_results": 1000 });
        let route = "registered-models/search";
        let found = self
            .ask_all(user, route, "registered_models", input)
            .await?;
        let mut models = Vec::new();
        for model in &found {
            let model = self.read(user, model).await?;
            if self
                .catalog
                .projects
                .seen_by(user, &model.project.id)
                .is_ok()
            {
                models.push(model);
            }
        }
        models.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(models)
    }

    /// The registered model of this name, if it exists and `user` may see it.
    pub(crate) async fn one(&self, user: &User, name: &str) -> Result<RegisteredModel, Failure> {
        let found = self
            .ask(user, "registered-models/get", json!({ "name": name }))
            .await?;
        let model = self.read(user, &found["registered_model"]).await?;
        self.catalog.projects.seen_by(user, &model.project.id)?;
        Ok(model)
    }

    /// Every version of a model, newest first.
    pub(crate) async fn versions(
        &self,
        user: &User,
        name: &str,
    ) -> Result<Vec<ModelVersion>, Refusal> {
        let quote = if name.contains('\'') { '"' } else { '\'' };
        let input = json!({ "filter": format!("name={quote}{name}{quote}"), "max_results": 1000 });
        let route = "model-versions/search";
        let found = self.ask_all(user, route, "model_versions", input).await?;
        let mut versions: Vec<ModelVersion> = found.iter().map(ModelVersion::of).collect();
        versions.sort_by_key(|version| std::cmp::Reverse(version.number));
        Ok(versions)
    }

    /// A version of a model by its number.
    pub(crate) async fn version(
        &self,
        user: &User,
        name: &str,
        number: u64,
    ) -> Result<ModelVersion, Refusal> {
        let input = json!({ "name": name, "version": number.to_string() });
        let found = self.ask(user, "model-versions/get", input).await?;
        Ok(ModelVersion::of(&found["model_version"]))
    }

    /// The folder with the files of a version, below the place of all artifacts.
    pub(crate) async fn artifacts(
        &self,
        user: &User,
        version: &ModelVersion,
    ) -> Result<String, Refusal> {
        let asked = json!({ "name": version.model, "version": version.number.to_string() });
        let route = "model-versions/get-download-uri";
        let place = text(&self.ask(user, route, asked).await?["artifact_uri"]);
        let (scheme, path) = place.split_once(':').unwrap_or_default();
        let elsewhere = || {
            Refusal::missing(format!(
                "The files of the model are at {}, which cannot be reached from here",
                version.source
            ))
        };
        match scheme {
            // `mlflow-artifacts://host/path` and `mlflow-artifacts:/path` name the same file.
            "mlflow-artifacts" => Ok(below_host(path)),
            "runs" => {
                let (run_id, path) = path
                    .trim_start_matches('/')
                    .split_once('/')
                    .ok_or_else(elsewhere)?;
                let run = self
                    .ask(user, "runs/get", json!({ "run_id": run_id }))
                    .await?;
                let root = text(&run["run"]["info"]["artifact_uri"]);
                let root = root
                    .strip_prefix("mlflow-artifacts:")
                    .ok_or_else(elsewhere)?;
                Ok(format!("{}/{path}", below_host(root)))
            }
            _ => Err(elsewhere()),
        }
    }

    /// One question to the experiment manager.
    async fn ask(&self, user: &User, route: &str, input: Value) -> Result<Value, Refusal> {
        let asked = self.mlflow.ask(&user.name, Method::GET, route, input);
        asked.await
    }

    /// Every result of a search, page after page.
    async fn ask_all(
        &self,
        user: &User,
        route: &str,
        key: &str,
        mut input: Value,
    ) -> Result<Vec<Value>, Refusal> {
        let mut results = Vec::new();
        loop {
            let mut page = self.ask(user, route, input.clone()).await?;
            if let Value::Array(items) = page[key].take() {
                results.extend(items);
            }
            match page["next_page_token"].take() {
                Value::String(token) if !token.is_empty() => input["page_token"] = token.into(),
                _ => return Ok(results),
            }
        }
    }

    /// The project of a model. MLflow knows none: it is in the tags that Domino puts on a model or on
    /// the run it came from. What was registered without any belongs to the first project.
    async fn project(
        &self,
        user: &User,
        tags: &Map<String, Value>,
        newest: Option<&ModelVersion>,
    ) -> Result<Arc<Project>, Refusal> {
        let tagged = |tags: &Map<String, Value>| {
            let id = tags.get("mlflow.domino.project_id")?.as_str()?;
            let mut projects = self.catalog.projects.all().into_iter();
            projects.find(|project| project.id == id)
        };
        let found = tagged(tags).or_else(|| tagged(&newest?.tags));
        if let Some(project) = found {
            return Ok(project);
        }
        if let Some(newest) = newest.filter(|newest| !newest.run_id.is_empty()) {
            let run = self
                .ask(user, "runs/get", json!({ "run_id": newest.run_id }))
                .await;
            let of_run = run.ok().map(|run| tags_of(&run["run"]["data"]["tags"]));
            if let Some(project) = of_run.and_then(|tags| tagged(&tags)) {
                return Ok(project);
            }
        }
        let first = self.catalog.projects.all().into_iter().next();
        first.ok_or_else(|| Refusal::missing("there is no project for the model"))
    }

    async fn read(&self, user: &User, json: &Value) -> Result<RegisteredModel, Refusal> {
        let tags = tags_of(&json["tags"]);
        let latest = json["latest_versions"].as_array().into_iter().flatten();
        let latest: Vec<ModelVersion> = latest.map(ModelVersion::of).collect();
        let newest = latest.iter().max_by_key(|version| version.number);
        let project = self.project(user, &tags, newest).await?;
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

    /// The run that `version` came from, as MLflow has it; null when there is none, or no longer.
    pub(super) async fn run_of(&self, user: &User, version: &ModelVersion) -> Value {
        if version.run_id.is_empty() {
            return Value::Null;
        }
        let run = self.ask(user, "runs/get", json!({ "run_id": version.run_id }));
        run.await.unwrap_or_default()
    }

    pub(super) fn is_discoverable(&self, name: &str) -> bool {
        self.discoverable.lock().contains(name)
    }

    pub(super) fn set_discoverable(&self, name: &str, is_discoverable: bool) {
        let mut discoverable = self.discoverable.lock();
        if is_discoverable {
            discoverable.insert(name.to_owned());
        } else {
            discoverable.remove(name);
        }
    }
}

/// The path of an address without its host, if it has one.
fn below_host(path: &str) -> String {
    let path = match path.strip_prefix("//") {
        Some(rest) => rest.split_once('/').unwrap_or_default().1,
        None => path,
    };
    path.trim_matches('/').to_owned()
}
