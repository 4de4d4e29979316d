//! A version of a registered model: what MLflow knows of it, as Domino words it.

use serde_json::{Map, Value, json};

use super::reading::{moment, project_json, tags, text};
use crate::clock::Moment;
use crate::projects::Project;

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

    /// The version with what its run recorded, if there is one.
    pub(super) fn details(&self, run: &Value, project: &Project) -> Value {
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
                    project.owner, project.name(), self.run_id
                ),
            },
            "modelVersionDataSources": [],
            "modelVersionDatasets": [],
        });
        json
    }
}
