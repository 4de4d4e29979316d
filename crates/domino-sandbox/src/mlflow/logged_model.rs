//! Logged models, as MLflow 3 has them: what a run logged as a model, and what was measured of it. Their
//! routes stand in `logged_model_routes`.

use serde_json::{Value, json};

use super::input::Input;
use super::refusal::Refusal;
use super::tags;

/// One logged model.
pub(super) struct LoggedModel {
    pub(super) id: String,
    pub(super) experiment_id: String,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) run_id: String,
    pub(super) created: i64,
    pub(super) updated: i64,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) metrics: Vec<Value>,
}

impl LoggedModel {
    pub(super) fn json(&self) -> Value {
        let mut data = json!({});
        if !self.metrics.is_empty() {
            data["metrics"] = self.metrics.iter().cloned().collect();
        }
        if !self.parameters.is_empty() {
            data["params"] = tags::pairs(&self.parameters);
        }
        json!({"model": {
            "info": {
                "model_id": self.id,
                "experiment_id": self.experiment_id,
                "name": self.name,
                "creation_timestamp_ms": self.created,
                "last_updated_timestamp_ms": self.updated,
                "artifact_uri": format!("mlflow-artifacts:/{}/models/{}/artifacts", self.experiment_id, self.id),
                "status": self.status,
                "model_type": "",
                "source_run_id": self.run_id,
            },
            "data": data,
        }})
    }
}

/// Keeps what a run measured of a logged model. Of a value that is no number MLflow keeps 0.
pub(super) fn measure(
    models: &mut [LoggedModel],
    run_id: &str,
    input: &Input,
) -> Result<(), Refusal> {
    let Some(id) = input.optional_text("model_id")? else {
        return Ok(());
    };
    let model = find(models, id)?;
    let value = input.number("value")?;
    let mut row = json!({
        "key": input.text("key")?,
        "value": if value == "NaN" { json!(0.0) } else { value },
        "timestamp": input.whole_number("timestamp")?.unwrap_or(0),
        "step": input.whole_number("step")?.unwrap_or(0),
        "model_id": id,
        "run_id": run_id,
    });
    for name in ["dataset_name", "dataset_digest"] {
        if let Some(text) = input.optional_text(name)? {
            row[name] = text.into();
        }
    }
    model.metrics.push(row);
    Ok(())
}

/// The logged model with this id.
pub(super) fn find<'a>(
    models: &'a mut [LoggedModel],
    id: &str,
) -> Result<&'a mut LoggedModel, Refusal> {
    let model = models.iter_mut().find(|model| model.id == id);
    model.ok_or_else(|| Refusal::missing(format!("Logged model with ID '{id}' not found.")))
}
