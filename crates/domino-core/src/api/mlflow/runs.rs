//! Runs: what created a model version, and how well it did.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::{BASE, TrackingReader, if_there, pairs};
use crate::client::ApiError;

/// A run of an experiment.
#[derive(Debug, Clone)]
pub struct Run {
    /// Its id: 32 hexadecimal digits.
    pub id: String,
    /// The experiment's id.
    pub experiment_id: String,
    /// Its status word, such as `FINISHED`.
    pub status: String,
    /// Whether it was deleted; a server still shows it for a while.
    pub is_deleted: bool,
    /// When it ended, in epoch milliseconds.
    pub end_time: Option<i64>,
    /// Its metrics, each with one value: that of the highest step, of those the newest, of those the greatest. If the
    /// run logged several models, the value may be of any of them. Values beyond the range of numbers are infinite.
    pub metrics: BTreeMap<String, f64>,
    /// Its parameters by name, as text.
    pub parameters: BTreeMap<String, String>,
    /// Its tags by key, including those that MLflow itself sets.
    pub tags: BTreeMap<String, String>,
    /// How many logged models it created, if the server has them.
    pub logged_models: usize,
}

#[derive(Deserialize)]
struct One {
    run: Wire,
}

#[derive(Deserialize)]
struct Wire {
    info: Info,
    #[serde(default)]
    data: Data,
    #[serde(default)]
    outputs: Outputs,
}

#[derive(Default, Deserialize)]
struct Outputs {
    #[serde(default)]
    model_outputs: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize)]
struct Info {
    run_id: String,
    #[serde(default)]
    experiment_id: String,
    #[serde(default)]
    status: String,
    end_time: Option<i64>,
    #[serde(default)]
    lifecycle_stage: String,
}

#[derive(Default, Deserialize)]
struct Data {
    #[serde(default)]
    metrics: Vec<Metric>,
    #[serde(default, deserialize_with = "pairs")]
    params: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "pairs")]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Metric {
    key: String,
    #[serde(deserialize_with = "number")]
    value: f64,
    #[serde(default)]
    timestamp: i64,
    #[serde(default)]
    step: i64,
}

/// JSON has neither `NaN` nor infinity. MLflow writes `NaN` as text, and infinity as the greatest number that there
/// is.
pub(super) fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Number(f64),
        Text(String),
    }
    let number: f64 = match Either::deserialize(deserializer)? {
        Either::Number(number) => number,
        Either::Text(text) => text.parse().map_err(serde::de::Error::custom)?,
    };
    Ok(match number.abs() == f64::MAX {
        true => f64::INFINITY.copysign(number),
        false => number,
    })
}

impl From<Wire> for Run {
    fn from(wire: Wire) -> Self {
        let Wire {
            info,
            mut data,
            outputs,
        } = wire;
        // MLflow promises one value for each metric; if there are several, the one that it would choose counts.
        data.metrics.sort_by(|one, other| {
            let place = |metric: &Metric| (metric.step, metric.timestamp);
            place(one)
                .cmp(&place(other))
                .then(one.value.total_cmp(&other.value))
        });
        Self {
            id: info.run_id,
            experiment_id: info.experiment_id,
            status: info.status,
            is_deleted: info.lifecycle_stage == "deleted",
            end_time: info.end_time.filter(|time| *time > 0),
            metrics: data
                .metrics
                .into_iter()
                .map(|metric| (metric.key, metric.value))
                .collect(),
            parameters: data.params,
            tags: data.tags,
            logged_models: outputs.model_outputs.len(),
        }
    }
}

impl TrackingReader {
    /// `GET runs/get`: a run with one value of each metric. Contract: MLflow REST.
    pub async fn run(&self, id: &str) -> Result<Option<Run>, ApiError> {
        let route = format!("{BASE}/runs/get");
        let one: Option<One> = if_there(self.0.read(&route, &[("run_id", id)]).await)?;
        Ok(one.map(|one| one.run.into()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{method, path, query_param};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::super::Tracking;
    use crate::client::tests::connection;

    #[tokio::test]
    async fn a_run_is_read_with_its_metrics_parameters_and_tags() {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path("/api/2.0/mlflow/runs/get"))
            .and(query_param("run_id", "r1"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"run": {
                "info": {"run_id": "r1", "experiment_id": "1", "status": "FINISHED", "end_time": 5, "start_time": 1},
                "data": {
                    "metrics": [
                        {"key": "rmse", "value": 0.5, "timestamp": 2, "step": 1},
                        {"key": "rmse", "value": 0.9, "timestamp": 1, "step": 0},
                        {"key": "odd", "value": "NaN", "timestamp": 1, "step": 0},
                        {"key": "endless", "value": "-Infinity", "timestamp": 1, "step": 0},
                        {"key": "most", "value": 1.797_693_134_862_315_7e308, "timestamp": 1, "step": 0},
                        {"key": "mae", "value": 0.7, "timestamp": 1, "step": 0},
                        {"key": "mae", "value": 0.3, "timestamp": 1, "step": 0},
                    ],
                    "params": [{"key": "alpha", "value": "1"}],
                    "tags": [{"key": "mlflow.user", "value": "ada"}],
                },
            }})))
            .expect(1)
            .mount(&server)
            .await;
        let reader = Tracking::of(&connection(&server.uri()), None)
            .unwrap()
            .reader();
        let run = reader.run("r1").await.unwrap().unwrap();
        assert_eq!(run.metrics["rmse"], 0.5);
        assert!(run.metrics["odd"].is_nan());
        assert_eq!(run.metrics["endless"], f64::NEG_INFINITY);
        assert_eq!(run.metrics["most"], f64::INFINITY);
        assert_eq!(run.metrics["mae"], 0.7, "the greatest of one step");
        assert_eq!(run.parameters["alpha"], "1");
        assert_eq!(run.tags["mlflow.user"], "ada");
        assert_eq!(run.end_time, Some(5));
    }

    #[tokio::test]
    async fn a_run_without_anything_and_an_unknown_one() {
        let server = MockServer::start().await;
        Mock::given(query_param("run_id", "r1"))
            .respond_with(
                ResponseTemplate::new(200)
                    .set_body_json(json!({"run": {"info": {"run_id": "r1"}}})),
            )
            .mount(&server)
            .await;
        let absent = json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no"});
        Mock::given(query_param("run_id", "r2"))
            .respond_with(ResponseTemplate::new(404).set_body_json(absent))
            .mount(&server)
            .await;
        let reader = Tracking::of(&connection(&server.uri()), None)
            .unwrap()
            .reader();
        assert!(reader.run("r1").await.unwrap().unwrap().metrics.is_empty());
        assert!(reader.run("r2").await.unwrap().is_none());
    }
}
