//! Whose a model or a run of the experiment manager is: the project that Domino's own tag names. Who may write to it is
//! decided elsewhere.

use serde_json::{Value, json};

const PROJECT: &str = "mlflow.domino.project_id";

/// What to ask, with GET, about the registered model or the run that a call to `route` writes.
pub(super) fn question(route: &str, written: &Value) -> Option<(&'static str, Value)> {
    let (noun, _) = route.split_once('/')?;
    let (question, key) = match noun {
        "registered-models" | "model-versions" => ("registered-models/get", "name"),
        "runs" => ("runs/get", "run_id"),
        _ => return None,
    };
    Some((question, json!({ key: written[key].as_str()? })))
}

/// The project that the answer names, if it does.
pub(super) fn project_in(answer: &Value) -> Option<String> {
    let mut tags = ["/registered_model/tags", "/run/data/tags"]
        .into_iter()
        .filter_map(|path| answer.pointer(path)?.as_array())
        .flatten();
    let tag = tags.find(|tag| tag["key"] == PROJECT)?;
    Some(tag["value"].as_str()?.to_owned())
}
