//! Both ways to roll back: starting the version that was built before, and publishing it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use domino_core::api::environments::EnvironmentId;
use domino_core::api::model_apis::{Generation, ModelApiId};
use domino_core::api::projects::{Project, ProjectId};
use domino_core::client::{Connection, Limits};
use domino_core::credential::Credential;
use domino_core::step::{Format, Step, Subject};
use serde_json::{Value, json};
use wiremock::matchers::{method, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;

const BASE: &str = "/api/modelServing/v1/modelApis/m1";
const START: &str = "/v4/models/m1/v1/startModelDeployment";

fn version(number: u64, model: u64) -> Value {
    json!({
        "id": format!("v{number}"), "number": number, "description": format!("[mark of {model}]"),
        "source": {"type": "Registry", "registeredModelName": "wine", "registeredModelVersion": model},
        "logHttpRequestResponse": false, "deployment": {"status": "Running", "isPending": false},
    })
}

fn api(active: u64) -> Value {
    json!({
        "id": "m1", "name": "wine-dev", "description": "", "environmentId": "e1", "replicas": 1,
        "activeVersion": {"id": format!("v{active}"), "number": active,
            "deployment": {"status": "Running", "isPending": false}},
    })
}

/// A Domino whose endpoint answers with version 2, until version 1 is started or a third one is created. `start` is
/// the answer to the start of version 1, `works` whether it has any effect.
async fn domino(start: u16, works: bool) -> MockServer {
    let server = MockServer::start().await;
    let started = Arc::new(AtomicBool::new(false));
    let made = Arc::new(AtomicBool::new(false));
    let on_start = started.clone();
    Mock::given(method("POST"))
        .and(path(START))
        .respond_with(move |_: &Request| {
            on_start.store(works, Ordering::SeqCst);
            ResponseTemplate::new(start).set_body_json(json!([]))
        })
        .mount(&server)
        .await;
    let on_make = made.clone();
    Mock::given(method("POST"))
        .and(path(format!("{BASE}/versions")))
        .respond_with(move |_: &Request| {
            on_make.store(true, Ordering::SeqCst);
            ResponseTemplate::new(201).set_body_json(version(3, 1))
        })
        .mount(&server)
        .await;
    Mock::given(method("GET"))
        .and(path(BASE))
        .respond_with(move |_: &Request| {
            let active = match (started.load(Ordering::SeqCst), made.load(Ordering::SeqCst)) {
                (true, _) => 1,
                (false, true) => 3,
                (false, false) => 2,
            };
            ResponseTemplate::new(200).set_body_json(api(active))
        })
        .mount(&server)
        .await;
    for (number, model) in [(1, 1), (2, 2), (3, 1)] {
        Mock::given(method("GET"))
            .and(path(format!("{BASE}/versions/v{number}")))
            .respond_with(ResponseTemplate::new(200).set_body_json(version(number, model)))
            .mount(&server)
            .await;
    }
    Mock::given(method("GET"))
        .and(path(format!("{BASE}/versions")))
        .respond_with(
            ResponseTemplate::new(200).set_body_json(json!([version(2, 2), version(1, 1)])),
        )
        .mount(&server)
        .await;
    server
}

/// Rolls back to version 1; returns which version serves then, or why none does.
async fn restored(server: &MockServer, source: ModelApiSource) -> Result<String, String> {
    let limits = Limits {
        delay_scale: 0.01,
        ..Limits::default()
    };
    let token = Credential::Token("canary-token-1234".to_owned().into());
    let connection = Connection::open(server.uri().parse().unwrap(), token, limits).unwrap();
    let project = Project {
        id: ProjectId::new("p1"),
        name: "a/b".parse().unwrap(),
        repository: None,
    };
    let reader = connection.reader();
    let (generation, id) = (Generation::ModelServing, ModelApiId::new("m1"));
    let found = reader
        .model_apis(generation)
        .model_api(&project, &id)
        .await
        .unwrap();
    let versions = reader.model_apis(generation).versions(&id).await.unwrap();
    let mut before = versions[1].clone();
    before.source = Some(source.clone());
    let before = PreviousVersion {
        api: found.unwrap(),
        version: before,
        settings_changed: false,
    };
    let desired = DesiredModelApi {
        name: "wine-dev".into(),
        description: String::new(),
        project_id: ProjectId::new("p1"),
        environment_id: EnvironmentId::new("e1"),
        hardware_tier_id: None,
        replicas: Some(1),
        environment_variables: Default::default(),
        source,
        version_description: "[mark of 2]".into(),
        logs_requests: false,
        carried: Default::default(),
        carried_version: Default::default(),
    };
    let watch = EndpointWatch {
        apis: reader.model_apis(generation),
        reader,
        project: &project,
        id,
    };
    let subject = Subject {
        program: "deploy-model",
        verb: "publish",
        entity: "wine".into(),
        stage: "dev".into(),
    };
    let mut progress = Step::begin(subject, Format::Json).progress();
    let timeout = Duration::from_secs(1);
    let writer = connection.writer().model_apis(generation);
    let back = roll_back(&watch, &writer, &before, &desired, timeout, &mut progress).await;
    back.map(|version| version.id.to_string())
}

fn registered() -> ModelApiSource {
    ModelApiSource::Registered {
        name: "wine".into(),
        version: "1".parse().unwrap(),
    }
}

fn function() -> ModelApiSource {
    ModelApiSource::Function {
        file: "predict.py".into(),
        function: "predict".into(),
    }
}

async fn made(server: &MockServer) -> Vec<Value> {
    let requests = server.received_requests().await.unwrap();
    requests
        .iter()
        .filter(|request| request.url.path() == format!("{BASE}/versions"))
        .filter(|request| request.method.as_str() == "POST")
        .map(|request| request.body_json().unwrap())
        .collect()
}

#[tokio::test]
async fn a_version_that_can_be_started_again_is_and_nothing_is_built() {
    let server = domino(200, true).await;
    assert_eq!(restored(&server, registered()).await.unwrap(), "v1");
    assert!(made(&server).await.is_empty());
}

#[tokio::test]
async fn a_function_comes_back_by_being_started_and_by_nothing_else() {
    let server = domino(200, true).await;
    assert_eq!(restored(&server, function()).await.unwrap(), "v1");
    let server = domino(404, false).await;
    let why = restored(&server, function()).await.unwrap_err();
    assert!(why.starts_with("it cannot be started again: POST"), "{why}");
    assert!(made(&server).await.is_empty());
}

#[tokio::test]
async fn where_starting_is_not_possible_or_does_nothing_the_old_one_is_published_once_more() {
    for (start, works) in [(404, false), (200, false), (403, false)] {
        let server = domino(start, works).await;
        assert_eq!(restored(&server, registered()).await.unwrap(), "v3");
        let made = made(&server).await;
        assert_eq!(made.len(), 1, "{start}");
        assert_eq!(made[0]["source"]["registeredModelVersion"], 1);
        assert_eq!(made[0]["description"], "[mark of 1]");
    }
}
