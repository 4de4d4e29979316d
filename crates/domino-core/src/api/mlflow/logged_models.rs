//! Logged models, which MLflow 3 has: what a run logged as a model, with metrics of its own, also from later runs.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::runs::number;
use super::{BASE, TrackingReader, if_there, pairs};
use crate::client::{ApiError, segment};

/// A model that a run logged, apart from the registry.
#[derive(Debug, Clone)]
pub struct LoggedModel {
    /// Its id: `m-` and 32 hexadecimal digits.
    pub id: String,
    /// Its status word, such as `LOGGED_MODEL_READY`.
    pub status: String,
    /// What was measured of it: one row or more for each metric, run and data set.
    pub metrics: Vec<LoggedMetric>,
    /// The parameters that were logged for it, by name.
    pub parameters: BTreeMap<String, String>,
}

/// One measured value of a logged model.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct LoggedMetric {
    /// The metric's name.
    pub key: String,
    /// The value. A server may have stored `NaN` as 0.
    #[serde(deserialize_with = "number")]
    pub value: f64,
    /// When it was measured, in epoch milliseconds.
    #[serde(default)]
    pub timestamp: i64,
    /// The training step that it was measured at.
    #[serde(default)]
    pub step: i64,
    /// The data set that it was measured on.
    pub dataset_name: Option<String>,
    /// The id of the run that measured it.
    #[serde(default)]
    pub run_id: String,
}

#[derive(Deserialize)]
struct One {
    model: Wire,
}

#[derive(Deserialize)]
struct Wire {
    info: Info,
    #[serde(default)]
    data: Data,
}

#[derive(Deserialize)]
struct Info {
    model_id: String,
    #[serde(default)]
    status: String,
}

#[derive(Default, Deserialize)]
struct Data {
    #[serde(default)]
    metrics: Vec<LoggedMetric>,
    #[serde(default, deserialize_with = "pairs")]
    params: BTreeMap<String, String>,
}

impl TrackingReader {
    /// `GET logged-models/{id}`: a logged model with all of its metrics. Contract: MLflow REST, seen on 3.17.
    pub async fn logged_model(&self, id: &str) -> Result<Option<LoggedModel>, ApiError> {
        let route = format!("{BASE}/logged-models/{}", segment(id));
        let one: Option<One> = if_there(self.0.read(&route, &[]).await)?;
        Ok(one.map(|One { model }| LoggedModel {
            id: model.info.model_id,
            status: model.info.status,
            metrics: model.data.metrics,
            parameters: model.data.params,
        }))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wiremock::matchers::{method, path};
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::super::Tracking;
    use crate::client::tests::connection;

    #[tokio::test]
    async fn a_logged_model_is_read_with_a_row_for_each_run_and_data_set() {
        let server = MockServer::start().await;
        Mock::given(method("GET"))
            .and(path("/api/2.0/mlflow/logged-models/m-1"))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"model": {
                "info": {"model_id": "m-1", "status": "LOGGED_MODEL_READY", "source_run_id": "r1"},
                "data": {"metrics": [
                    {"key": "rmse", "value": 0.9, "timestamp": 5, "step": 0, "model_id": "m-1", "run_id": "r1"},
                    {"key": "rmse", "value": 0.7, "timestamp": 9, "step": 3, "dataset_name": "wine-test",
                     "dataset_digest": "d1", "model_id": "m-1", "run_id": "r2"},
                ]},
            }})))
            .expect(1)
            .mount(&server)
            .await;
        let absent = json!({"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "no"});
        Mock::given(path("/api/2.0/mlflow/logged-models/m-2"))
            .respond_with(ResponseTemplate::new(404).set_body_json(absent))
            .mount(&server)
            .await;
        let reader = Tracking::of(&connection(&server.uri()), None)
            .unwrap()
            .reader();
        let model = reader.logged_model("m-1").await.unwrap().unwrap();
        assert_eq!(model.status, "LOGGED_MODEL_READY");
        let rows: Vec<_> = model
            .metrics
            .iter()
            .map(|row| (row.value, row.dataset_name.as_deref(), row.run_id.as_str()))
            .collect();
        assert_eq!(rows, [(0.9, None, "r1"), (0.7, Some("wine-test"), "r2")]);
        assert!(reader.logged_model("m-2").await.unwrap().is_none());
    }
}
