//! Reads what MLflow says of models, and words the project that Domino adds to it.

use serde_json::{Map, Value, json};

use crate::clock::Moment;
use crate::projects::Project;

/// The project of a model, as the replies about models nest it.
pub(crate) fn project_json(project: &Project) -> Value {
    json!({
        "id": project.id,
        "name": project.name(),
        "ownerUsername": project.owner,
        "isGitBasedProject": true,
    })
}

/// MLflow's list of tags as an object.
pub(super) fn tags(json: &Value) -> Map<String, Value> {
    let pairs = json.as_array().into_iter().flatten();
    pairs
        .map(|tag| (text(&tag["key"]), Value::String(text(&tag["value"]))))
        .collect()
}

pub(super) fn text(json: &Value) -> String {
    json.as_str().unwrap_or_default().to_owned()
}

/// A moment of MLflow, which counts epoch milliseconds.
pub(super) fn moment(json: &Value) -> Moment {
    Moment::from_nanoseconds(json.as_u64().unwrap_or_default().saturating_mul(1_000_000))
}
