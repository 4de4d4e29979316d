//! Logged models, as MLflow 3 has them: what a run logged as a model, and what was measured of it. Their routes are
//! in `logged_model_routes`.

use serde_json::{Value, json};

use super::filter::{Actual, Key};
use super::input::Input;
use super::refusal::Refusal;
use super::tags;

pub(super) struct LoggedModel {
    pub(super) id: String,
    pub(super) experiment_id: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) status: String,
    pub(super) run_id: String,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) tags: Vec<(String, String)>,
    pub(super) metrics: Vec<Value>,
}

impl LoggedModel {
    /// The folder of its files, below the place of all artifacts.
    pub(super) fn artifacts(&self) -> String {
        format!("{}/models/{}/artifacts", self.experiment_id, self.id)
    }

    /// Where its files are, in MLflow's terms.
    pub(super) fn artifact_uri(&self) -> String {
        format!("mlflow-artifacts:/{}", self.artifacts())
    }

    pub(super) fn json(&self) -> Value {
        let mut data = json!({});
        if !self.metrics.is_empty() {
            data["metrics"] = self.metrics.iter().cloned().collect();
        }
        if !self.parameters.is_empty() {
            data["params"] = tags::pairs(&self.parameters);
        }
        let mut info = json!({
            "model_id": self.id,
            "experiment_id": self.experiment_id,
            "name": self.name,
            "creation_timestamp_ms": self.created,
            "last_updated_timestamp_ms": self.updated,
            "artifact_uri": self.artifact_uri(),
            "status": self.status,
            "model_type": self.kind,
            "source_run_id": self.run_id,
        });
        tags::put(&mut info, &self.tags);
        json!({ "info": info, "data": data })
    }

    pub(super) fn actual(&self, key: &Key) -> Option<Actual> {
        match key {
            Key::Attribute(name) => Some(match name.as_str() {
                "name" => Actual::Text(self.name.clone()),
                "model_id" => Actual::Text(self.id.clone()),
                "model_type" => Actual::Text(self.kind.clone()),
                "source_run_id" => Actual::Text(self.run_id.clone()),
                "status" => Actual::Text(self.status.replace("LOGGED_MODEL_", "")),
                "creation_timestamp" | "creation_timestamp_ms" => {
                    Actual::Number(self.created as f64)
                }
                "last_updated_timestamp" | "last_updated_timestamp_ms" => {
                    Actual::Number(self.updated as f64)
                }
                _ => return None,
            }),
            Key::Tag(key) => tags::value(&self.tags, key).map(Actual::Text),
            Key::Parameter(key) => tags::value(&self.parameters, key).map(Actual::Text),
            Key::DataSet(_) => None,
            Key::Metric(key) => self.newest(key, |_| true).map(Actual::Number),
        }
    }

    /// The newest value of a metric among the rows that `wanted` takes.
    pub(super) fn newest(&self, key: &str, wanted: impl Fn(&Value) -> bool) -> Option<f64> {
        let rows = self.metrics.iter().filter(|row| row["key"] == key);
        let row = rows
            .filter(|row| wanted(row))
            .max_by_key(|row| row["timestamp"].as_i64());
        row?["value"].as_f64()
    }
}

/// Keeps what a run measured of a logged model. For a value that is not a number, MLflow keeps 0.
pub(super) fn measure(
    models: &mut [LoggedModel],
    run_id: &str,
    input: &Input,
) -> Result<(), Refusal> {
    let Some(model) = measured(models, input)? else {
        return Ok(());
    };
    let value = input.number("value")?;
    let mut row = json!({
        "key": input.text("key")?,
        "value": if value == "NaN" { json!(0.0) } else { value },
        "timestamp": input.whole_number("timestamp")?.unwrap_or(0),
        "step": input.whole_number("step")?.unwrap_or(0),
        "model_id": model.id,
        "run_id": run_id,
    });
    for name in ["dataset_name", "dataset_digest"] {
        if let Some(text) = input.optional_text(name)?.filter(|text| !text.is_empty()) {
            row[name] = text.into();
        }
    }
    model.metrics.push(row);
    Ok(())
}

/// The logged model that a metric is measured of, if it is of one.
pub(super) fn measured<'a>(
    models: &'a mut [LoggedModel],
    metric: &Input,
) -> Result<Option<&'a mut LoggedModel>, Refusal> {
    let id = metric.optional_text("model_id")?;
    id.filter(|id| !id.is_empty())
        .map(|id| find(models, id))
        .transpose()
}

/// The logged model with this id.
pub(super) fn find<'a>(
    models: &'a mut [LoggedModel],
    id: &str,
) -> Result<&'a mut LoggedModel, Refusal> {
    let model = models.iter_mut().find(|model| model.id == id);
    model.ok_or_else(|| Refusal::missing(format!("Logged model with ID '{id}' not found.")))
}
