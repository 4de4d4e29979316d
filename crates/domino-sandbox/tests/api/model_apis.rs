//! Model endpoints: how a version starts to run, who may call it, and what really answers.

mod deployments;
mod generations;
mod invocations;

use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::world::{PATIENCE, Reply, Sign, World, text};

pub const APIS: &str = "/api/modelServing/v1/modelApis";

impl World {
    /// Registers a version of the model `wine` whose function doubles its argument and adds
    /// `plus`; what else the code does is for the test to say.
    pub fn registered(&self, plus: u32, more: &str) -> Value {
        let run = self.mlflow_run();
        let code = format!("import json\n{more}\n\ndef predict(x):\n    return 2 * x + {plus}\n");
        let mlmodel = json!({ "flavors": { "python_function": { "loader_module": "predict" } } });
        let mlmodel = mlmodel.to_string();
        self.upload(&run, "model/MLmodel", mlmodel.as_bytes());
        self.upload(
            &run,
            "model/predict.py",
            (code + "\ndef _load_pyfunc(path):\n    pass\n").as_bytes(),
        );
        self.register("wine", &run)
    }

    pub fn environment_id(&self) -> String {
        text(&self.sandbox.state()["environments"][0]["id"])
    }

    /// What makes a version of the registered model `wine`.
    pub fn version_body(&self, version: u64) -> Value {
        json!({
            "projectId": self.project_id(),
            "source": {
                "type": "Registry",
                "registeredModelName": "wine",
                "registeredModelVersion": version,
            },
            "logHttpRequestResponse": false,
            "monitoringEnabled": false,
            "shouldDeploy": true,
        })
    }

    pub fn endpoint_body(&self, version: Value) -> Value {
        json!({
            "name": "wine-dev",
            "description": "",
            "environmentId": self.environment_id(),
            "environmentVariables": [],
            "isAsync": false,
            "strictNodeAntiAffinity": false,
            "version": version,
        })
    }

    /// Makes an endpoint of the first version of `wine`, and gives its id.
    pub fn endpoint(&self) -> String {
        let body = self.endpoint_body(self.version_body(1));
        let reply = self.post(APIS, body);
        assert_eq!(reply.status, 201, "{}", reply.text());
        text(&reply.json()["id"])
    }

    /// Makes another version of an endpoint, of this version of `wine`.
    pub fn next_version(&self, id: &str, version: u64) -> Value {
        let body = self.version_body(version);
        let reply = self.post(&format!("{APIS}/{id}/versions"), body);
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()
    }

    /// The state of an endpoint.
    pub fn endpoint_state(&self, id: &str) -> Value {
        let state = self.sandbox.state();
        let apis = state["modelApis"].as_array().unwrap();
        apis.iter().find(|api| api["id"] == id).unwrap().clone()
    }

    /// The state of a version, once it has this status.
    #[track_caller]
    pub fn version_once(&self, id: &str, number: usize, status: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let state = self.endpoint_state(id);
            let version = &state["versions"][number - 1];
            if version["status"] == status {
                return version.clone();
            }
            assert!(Instant::now() < deadline, "the version is still {version}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Calls a version of an endpoint with a token.
    pub fn call(&self, id: &str, which: &str, token: &str, body: Value) -> Reply {
        let basic = format!("Basic {}", STANDARD.encode(format!("{token}:{token}")));
        let sign = Sign::Header("authorization", &basic);
        let path = format!("/models/{id}/{which}/model");
        self.signed(sign, "POST", &path, Some(body)).unwrap()
    }

    /// What the version makes of `x`.
    #[track_caller]
    pub fn predicted(&self, id: &str, which: &str, x: i64) -> Value {
        let token = self.sandbox.model_token(id).unwrap();
        let reply = self.call(id, which, &token, json!({ "data": { "x": x } }));
        reply.ok()["result"].clone()
    }
}
