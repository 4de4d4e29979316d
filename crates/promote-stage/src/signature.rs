//! The signature of a model version: its inputs and outputs, as MLflow records them at the run that logged the model.
//! It is shown and compared, and decides nothing.

use domino_core::api::mlflow::{ModelVersion, Run};
use serde::Deserialize;
use serde_json::Value;

/// The tag of a run that lists the models that it logged, as JSON.
const LOGGED: &str = "mlflow.log-model.history";

/// The inputs and outputs of a version, column by column.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Signature {
    pub(crate) inputs: Vec<String>,
    pub(crate) outputs: Vec<String>,
}

/// One model that a run logged.
#[derive(Deserialize)]
struct Logged {
    #[serde(default)]
    artifact_path: String,
    signature: Option<Wire>,
}

/// Both are lists of columns, as JSON in a text.
#[derive(Deserialize)]
struct Wire {
    inputs: Option<String>,
    outputs: Option<String>,
}

/// How many models a run of an older MLflow says that it logged.
pub(crate) fn logged_by(run: &Run) -> usize {
    models(Some(run)).len()
}

fn models(run: Option<&Run>) -> Vec<Logged> {
    let logged = run.and_then(|run| run.tags.get(LOGGED));
    logged
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

impl Signature {
    /// The signature of a version, if its run has one for the model that the version was created from.
    pub(crate) fn of(version: &ModelVersion, run: Option<&Run>) -> Self {
        let logged = models(run);
        let source = version.source.trim_end_matches('/');
        // The last one of a path is the present one.
        let ours = logged.into_iter().rev().find(|model| {
            let path = model.artifact_path.trim_matches('/');
            !path.is_empty() && source.ends_with(&format!("/{path}"))
        });
        let Some(wire) = ours.and_then(|model| model.signature) else {
            return Self::default();
        };
        Self {
            inputs: columns(wire.inputs.as_deref()),
            outputs: columns(wire.outputs.as_deref()),
        }
    }
}

/// Each column as people write it: `alcohol: double`.
fn columns(text: Option<&str>) -> Vec<String> {
    let Some(Value::Array(all)) = text.and_then(|text| serde_json::from_str(text).ok()) else {
        return Vec::new();
    };
    let word = |value: &Value| match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    all.iter()
        .map(|column| {
            let kind = match (&column["type"], &column["tensor-spec"]) {
                (Value::String(_), Value::Object(spec)) => {
                    let part = |key| spec.get(key).map(word).unwrap_or_default();
                    format!("{} {}", part("dtype"), part("shape"))
                }
                (kind, _) => word(kind),
            };
            let optional = match column["required"] {
                Value::Bool(false) => ", optional",
                _ => "",
            };
            match column["name"].as_str() {
                Some(name) => format!("{name}: {kind}{optional}"),
                None => format!("{kind}{optional}"),
            }
        })
        .collect()
}

/// What was added and what was removed: `+ age: long, − ph: double`. Empty if there is nothing to compare with.
pub(crate) fn change(before: &[String], now: &[String]) -> String {
    if before.is_empty() || now.is_empty() || before == now {
        return String::new();
    }
    let missing = |from: &[String], to: &[String], sign: char| -> Vec<String> {
        let missing = from.iter().filter(|column| !to.contains(column));
        missing.map(|column| format!("{sign} {column}")).collect()
    };
    let mut changes = missing(now, before, '+');
    changes.extend(missing(before, now, '−'));
    match changes.is_empty() {
        true => "in another order".into(),
        false => changes.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::registry::tests::version;

    fn run(logged: &Value) -> Run {
        Run {
            id: "r1".into(),
            experiment_id: "1".into(),
            status: "FINISHED".into(),
            is_deleted: false,
            logged_models: 0,
            end_time: None,
            metrics: BTreeMap::new(),
            parameters: BTreeMap::new(),
            tags: BTreeMap::from([(LOGGED.to_owned(), logged.to_string())]),
        }
    }

    fn of(source: &str, logged: Value) -> Signature {
        let mut version = version(7, "None", json!({}));
        version.source = source.into();
        Signature::of(&version, Some(&run(&logged)))
    }

    #[test]
    fn the_models_that_a_run_logged_are_counted() {
        let logged = |number: usize| logged_by(&run(&Value::Array(vec![json!({}); number])));
        assert_eq!([logged(0), logged(1), logged(3)], [0, 1, 3]);
        assert_eq!(logged_by(&run(&json!("odd"))), 0);
    }

    #[test]
    fn the_signature_is_that_of_the_model_that_the_version_is_made_of() {
        let inputs = json!([
            {"type": "double", "name": "alcohol", "required": true},
            {"type": "long", "name": "age", "required": false},
        ]);
        let tensor =
            json!([{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 4]}}]);
        let logged = json!([
            {"artifact_path": "model", "signature": {"inputs": "[]", "outputs": null}},
            {"artifact_path": "model",
             "signature": {"inputs": inputs.to_string(), "outputs": tensor.to_string(), "params": null}},
            {"artifact_path": "scaler", "signature": {"inputs": tensor.to_string()}},
            {"artifact_path": "", "signature": null},
        ]);
        let signature = of("runs:/r1/model", logged.clone());
        assert_eq!(signature.inputs, ["alcohol: double", "age: long, optional"]);
        assert_eq!(signature.outputs, ["float64 [-1,4]"]);
        assert_eq!(of("s3://any/where", logged), Signature::default());
        assert_eq!(of("runs:/r1/model", json!("odd")), Signature::default());
    }

    #[test]
    fn what_differs_is_named() {
        let columns = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
        assert_eq!(change(&columns("a b"), &columns("a c")), "+ c, − b");
        assert_eq!(change(&columns("a b"), &columns("b a")), "in another order");
        assert_eq!(change(&columns("a b"), &columns("a b")), "");
        assert_eq!(change(&[], &columns("a")), "");
    }
}
