//! A version of a registered model: what MLflow knows of it, as Domino tells it, and where its files
//! are.

use serde_json::{Map, Value, json};

use super::{ask, moment, project_json, tags, text};
use crate::clock::Moment;
use crate::domino::Domino;
use crate::mlflow::Refusal;
use crate::projects::Project;
use crate::users::User;

/// A version of a registered model.
pub(crate) struct ModelVersion {
    pub(crate) model: String,
    pub(crate) number: u64,
    pub(crate) run_id: String,
    /// Where its files are, in MLflow's terms.
    pub(crate) source: String,
    pub(super) description: String,
    pub(super) tags: Map<String, Value>,
    created: Moment,
    updated: Moment,
}

impl ModelVersion {
    pub(super) fn of(json: &Value) -> Self {
        ModelVersion {
            model: text(&json["name"]),
            number: text(&json["version"]).parse().unwrap_or_default(),
            run_id: text(&json["run_id"]),
            source: text(&json["source"]),
            description: text(&json["description"]),
            tags: tags(&json["tags"]),
            created: moment(&json["creation_timestamp"]),
            updated: moment(&json["last_updated_timestamp"]),
        }
    }

    /// The version as lists have it.
    pub(super) fn json(&self, project: &Project) -> Value {
        json!({
            "modelName": self.model,
            "modelVersion": self.number,
            "experimentRunId": self.run_id,
            "ownerUsername": project.owner,
            "project": project_json(project),
            "createdAt": self.created.rfc3339(),
            "updatedAt": self.updated.rfc3339(),
        })
    }

    /// The version with what its run recorded.
    pub(super) async fn details(&self, domino: &Domino, user: &User, project: &Project) -> Value {
        let run = match self.run_id.as_str() {
            "" => Ok(Value::Null),
            id => ask(domino, user, "runs/get", json!({ "run_id": id })).await,
        };
        // A version whose run is gone is shown without it.
        let run = run.unwrap_or_default();
        let data = &run["run"]["data"];
        let metrics: Vec<Value> = data["metrics"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|metric| metric["value"].is_number())
            .map(|metric| {
                json!({
                    "key": metric["key"],
                    "value": metric["value"],
                    "timestamp": moment(&metric["timestamp"]).rfc3339(),
                })
            })
            .collect();
        let experiment = text(&run["run"]["info"]["experiment_id"]);
        let mut json = self.json(project);
        json["modelVersionDescription"] = self.description.as_str().into();
        json["tags"] = self.tags.clone().into();
        json["versionUiDetails"] = json!({
            "experimentRunInfo": {
                "metrics": metrics,
                "params": data["params"].as_array().cloned().unwrap_or_default(),
                "runUrl": format!(
                    "/experiments/{}/{}/{experiment}/{}",
                    project.owner, project.name, self.run_id
                ),
            },
            "modelVersionDataSources": [],
            "modelVersionDatasets": [],
        });
        json
    }
}

/// The folder with the files of a version, below the place of all artifacts.
pub(crate) async fn artifacts(
    domino: &Domino,
    user: &User,
    version: &ModelVersion,
) -> Result<String, Refusal> {
    let (scheme, path) = version.source.split_once(':').unwrap_or_default();
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
            let run = ask(domino, user, "runs/get", json!({ "run_id": run_id })).await?;
            let root = text(&run["run"]["info"]["artifact_uri"]);
            let root = root
                .strip_prefix("mlflow-artifacts:")
                .ok_or_else(elsewhere)?;
            Ok(format!("{}/{path}", below_host(root)))
        }
        _ => Err(elsewhere()),
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
