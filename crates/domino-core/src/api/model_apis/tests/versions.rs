//! The exact requests about versions, and each reply.

use super::*;

#[tokio::test]
async fn a_version_from_a_function_names_its_file_and_no_commit() {
    let server = MockServer::start().await;
    let mut reply = version(8);
    reply["source"] =
        json!({"type": "File", "file": "predict.py", "function": "predict", "excludeFiles": []});
    Mock::given(method("POST"))
        .and(path(format!("{BASE}/m1/versions")))
        .and(body_json(json!({
            "projectId": "p1", "environmentId": "e1", "description": "[dev/wine v7]",
            "source": {"type": "File", "file": "predict.py", "function": "predict"},
            "logHttpRequestResponse": true, "monitoringEnabled": false, "shouldDeploy": true,
        })))
        .respond_with(ResponseTemplate::new(201).set_body_json(reply))
        .expect(1)
        .mount(&server)
        .await;
    let desired = DesiredModelApi {
        source: ModelApiSource::Function {
            file: "predict.py".into(),
            function: "predict".into(),
        },
        logs_requests: true,
        ..desired()
    };
    let writer = connection(&server.uri()).writer();
    let created = writer
        .model_apis(Generation::ModelServing)
        .create_version(&ModelApiId::new("m1"), &desired)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(created.number, Some(8));
    assert_eq!(created.source, Some(desired.source));
}

#[tokio::test]
async fn versions_are_a_bare_list_and_come_newest_first() {
    let server = MockServer::start().await;
    let versions = json!([version(1), version(3), version(2)]);
    answer(
        &server,
        "GET",
        &format!("{BASE}/m1/versions"),
        200,
        versions,
    )
    .await;
    let reader = connection(&server.uri()).reader();
    let versions = reader
        .model_apis(Generation::ModelServing)
        .versions(&ModelApiId::new("m1"))
        .await
        .unwrap();
    let numbers: Vec<_> = versions
        .iter()
        .filter_map(|version| version.number)
        .collect();
    assert_eq!(numbers, [3, 2, 1]);
    assert_eq!(versions[0].source, Some(registered()));
    assert_eq!(versions[0].created, Some(1_760_000_000_000));
}

#[tokio::test]
async fn one_version_tells_how_it_stands() {
    let server = MockServer::start().await;
    answer(
        &server,
        "GET",
        &format!("{BASE}/m1/versions/v3"),
        200,
        version(3),
    )
    .await;
    let reader = connection(&server.uri()).reader();
    let (api, third) = (ModelApiId::new("m1"), ModelApiVersionId::new("v3"));
    let apis = reader.model_apis(Generation::ModelServing);
    let found = apis.version(&api, &third);
    let deployment = found.await.unwrap().unwrap().deployment.unwrap();
    assert_eq!(deployment.status, DeploymentStatus::ReadyToRun);
    assert!(deployment.is_pending);
    let fourth = ModelApiVersionId::new("v4");
    let absent = apis.version(&api, &fourth);
    assert!(absent.await.unwrap().is_none());
}

#[tokio::test]
async fn a_version_of_an_older_domino_is_put_together_from_list_and_status() {
    for status in [
        json!({"status": "running"}),
        json!([{"modelId": "m1", "status": "running"}]),
    ] {
        let server = MockServer::start().await;
        let versions = json!({"data": [{"_id": "v3", "registeredModelName": "wine", "registeredModelVersion": "7"}]});
        answer(&server, "GET", "/v1/models/m1/versions", 200, versions).await;
        answer(
            &server,
            "GET",
            "/v4/models/m1/v3/getModelDeploymentStatus",
            200,
            status,
        )
        .await;
        let reader = connection(&server.uri()).reader();
        let (api, third) = (ModelApiId::new("m1"), ModelApiVersionId::new("v3"));
        let found = reader
            .model_apis(Generation::Models)
            .version(&api, &third)
            .await
            .unwrap()
            .unwrap();
        assert!(found.deployment.unwrap().is_running());
        assert_eq!(found.source, Some(registered()));
    }
}

#[tokio::test]
async fn an_older_domino_is_sent_everything_with_every_version() {
    let server = MockServer::start().await;
    let common = json!({
        "projectId": "p1", "environmentId": "e1", "hardwareTierId": "dev-endpoint", "replicaCount": 2,
        "environmentVariables": [{"key": "LOG_LEVEL", "value": "info"}], "excludeFiles": [],
        "registeredModelName": "wine", "registeredModelVersion": 7,
        "logHttpRequestResponse": false, "isAsync": false, "strictNodeAntiAffinity": false,
    });
    let with = |more: Value| {
        let mut body = common.clone();
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        body
    };
    Mock::given(method("POST"))
        .and(path("/v1/models"))
        .and(body_json(with(
            json!({"name": "wine-dev", "description": "Predicts [dev/wine v7]"}),
        )))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"data": {"_id": "m1"}})))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .and(path("/v1/models/m1/versions"))
        .and(body_json(with(json!({"description": "[dev/wine v7]"}))))
        .respond_with(ResponseTemplate::new(200).set_body_string("created"))
        .expect(1)
        .mount(&server)
        .await;
    let writer = connection(&server.uri()).writer();
    let id = writer
        .model_apis(Generation::Models)
        .create(&desired())
        .await
        .unwrap();
    assert_eq!(id.as_str(), "m1");
    writer
        .model_apis(Generation::Models)
        .update(&id, &desired())
        .await
        .unwrap();
    let version = writer
        .model_apis(Generation::Models)
        .create_version(&id, &desired())
        .await
        .unwrap();
    assert!(version.is_none());
}

#[tokio::test]
async fn the_commit_of_a_version_is_told_by_the_main_repository_only() {
    let server = MockServer::start().await;
    let details = json!([
        {"modelVersionId": "v0", "gitRepoCommits": [{"commitId": "old", "isMainRepo": true}]},
        {"modelVersionId": "v1", "gitRepoCommits": [
            {"commitId": "other", "isMainRepo": false, "repoId": "x", "repoName": "x"},
            {"commitId": "main", "isMainRepo": true, "repoId": "y", "repoName": "y"},
        ]},
    ]);
    let route = "/v4/modelManager/m1/getModelReproductionDetails";
    answer(&server, "GET", route, 200, details).await;
    let reader = connection(&server.uri()).reader();
    let of = async |api: &str, version: &str| {
        let (api, version) = (ModelApiId::new(api), ModelApiVersionId::new(version));
        reader.model_git_commit(&api, &version).await.unwrap()
    };
    assert_eq!(of("m1", "v1").await.as_deref(), Some("main"));
    assert_eq!(of("m1", "v2").await, None);
    assert_eq!(of("unknown", "v1").await, None);
}

#[tokio::test]
async fn a_version_is_started_again_by_v4() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v4/models/m1/v1/startModelDeployment"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!([])))
        .expect(1)
        .mount(&server)
        .await;
    let writer = connection(&server.uri()).writer();
    writer
        .model_apis(Generation::ModelServing)
        .start_version(&ModelApiId::new("m1"), &ModelApiVersionId::new("v1"))
        .await
        .unwrap();
}

#[tokio::test]
async fn an_endpoint_is_taken_away_and_a_version_is_stopped() {
    let server = MockServer::start().await;
    for (verb, route) in [
        ("DELETE", "/api/modelServing/v1/modelApis/m1"),
        ("POST", "/v4/models/m1/v1/stopModelDeployment"),
    ] {
        Mock::given(method(verb))
            .and(path(route))
            .respond_with(ResponseTemplate::new(204))
            .expect(1)
            .mount(&server)
            .await;
    }
    let writer = connection(&server.uri()).writer();
    let apis = writer.model_apis(Generation::ModelServing);
    let id = ModelApiId::new("m1");
    apis.archive(&id).await.unwrap();
    let version = ModelApiVersionId::new("v1");
    apis.stop_version(&id, &version).await.unwrap();
}
