//! `/api/apps/v1`.

use super::*;

/// A version as the documentation draws it: one level deeper than beta's.
fn nested_version(id: &str) -> Value {
    json!({
        "id": id,
        "content": {"gitRef": commit_ref(), "environmentId": "e1", "environmentRevisionId": "r1"},
        "deployment": {"hardwareTierId": "small-k8s", "renderIFrame": true},
        "currentInstance": {"id": "i1", "status": "Running", "createdAt": 1},
    })
}

fn nested_app() -> Value {
    json!({
        "id": "a1", "name": "dashboard-dev", "entryPoint": "apps/app.sh", "url": "",
        "accessControl": {"visibility": "AUTHENTICATED", "discoverable": true},
        "authorship": {"isDraft": false, "author": {"id": "u1", "name": "ci-bot"}},
        "project": {"id": "p1"},
        "currentVersion": nested_version("v1"),
    })
}

#[tokio::test]
async fn an_app_is_understood_flat_and_nested() {
    for body in [nested_app(), wire_app("a1", "dashboard-dev", "p1")] {
        let server = server("GET", "/api/apps/v1/apps/a1", 200, body).await;
        let reader = connection(&server.uri()).reader();
        let app = reader
            .apps(Generation::V1)
            .app(&app_id())
            .await
            .unwrap()
            .unwrap();
        assert!(app.visibility.is_some());
        let version = app.version.unwrap();
        assert_eq!(ours(version.content()), content());
        assert!(version.status().is_up());
    }
}

#[tokio::test]
async fn an_empty_address_is_none() {
    let server = server("GET", "/api/apps/v1/apps/a1", 200, nested_app()).await;
    let reader = connection(&server.uri()).reader();
    let app = reader
        .apps(Generation::V1)
        .app(&app_id())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(app.url, None);
    assert_eq!(app.visibility.as_deref(), Some("AUTHENTICATED"));
}

#[tokio::test]
async fn the_current_version_is_read_from_the_app_and_any_other_from_beta() {
    let server = server("GET", "/api/apps/v1/apps/a1", 200, nested_app()).await;
    let reader = connection(&server.uri()).reader();
    let version = reader
        .apps(Generation::V1)
        .version(&app_id(), &version_id())
        .await
        .unwrap();
    assert_eq!(version.unwrap().id, version_id());
    drop(server);

    let server = self::server("GET", "/api/apps/v1/apps/a1", 200, nested_app()).await;
    let other = ResponseTemplate::new(200).set_body_json(wire_version("v2", "Queued"));
    lists(&server, "/api/apps/beta/apps/a1/versions/v2", other).await;
    let reader = connection(&server.uri()).reader();
    let version = reader
        .apps(Generation::V1)
        .version(&app_id(), &AppVersionId::new("v2"))
        .await
        .unwrap();
    assert_eq!(version.unwrap().status().word(), "Queued");
}

#[tokio::test]
async fn an_app_is_created_with_its_first_version_in_two_parts() {
    let server = server("POST", "/api/apps/v1/apps", 201, nested_app()).await;
    let writer = connection(&server.uri()).writer();
    let app = writer
        .apps(Generation::V1)
        .create(&new_app())
        .await
        .unwrap();
    assert_eq!(app.version.unwrap().id, version_id());
    let sent = json!({
        "name": "dashboard-dev", "projectId": "p1", "visibility": "GRANT_BASED_STRICT",
        "description": "The numbers", "entryPoint": "apps/app.sh",
        "initialVersion": {
            "content": {"gitRef": commit_ref(), "environmentId": "e1", "environmentRevisionId": "r1"},
            "deployment": {"hardwareTierId": "small-k8s"},
        },
    });
    assert_eq!(bodies(&server).await, [sent]);
}

#[tokio::test]
async fn a_version_is_made_and_started_in_one_and_its_warnings_are_kept() {
    let mut version = nested_version("v2");
    version["currentInstance"] = Value::Null;
    let body = json!({
        "version": version, "instance": {"id": "i2", "status": "Queued"},
        "warnings": ["the tier is full", {"code": "x", "message": "no volume"}],
    });
    let route = "/api/apps/v1/apps/a1/versions/createAndStart";
    let server = server("POST", route, 201, body).await;
    let writer = connection(&server.uri()).writer();
    let published = writer
        .apps(Generation::V1)
        .publish(&app_id(), &content())
        .await
        .unwrap();
    assert_eq!(published.warnings, ["the tier is full", "no volume"]);
    let version = published.version.unwrap();
    assert_eq!(version.id.as_str(), "v2");
    assert_eq!(version.instance.unwrap().id.as_str(), "i2");
    let sent = json!({
        "content": {"gitRef": commit_ref(), "environmentId": "e1", "environmentRevisionId": "r1"},
        "deployment": {"hardwareTierId": "small-k8s"},
    });
    assert_eq!(bodies(&server).await, [sent]);
}

#[tokio::test]
async fn a_version_that_is_there_is_started_on_a_tier() {
    let route = "/api/apps/v1/apps/a1/versions/v1/start";
    let server = server("POST", route, 200, nested_version("v1")).await;
    let writer = connection(&server.uri()).writer();
    writer
        .apps(Generation::V1)
        .start(&app_id(), &version_id(), &content())
        .await
        .unwrap();
    let sent = json!({"deployment": {"hardwareTierId": "small-k8s"}});
    assert_eq!(bodies(&server).await, [sent]);
}

#[tokio::test]
async fn a_version_is_stopped_by_its_id() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/api/apps/v1/apps/a1/versions/v1/stop"))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&server)
        .await;
    let version = serde_json::from_value::<wire::WireVersion>(nested_version("v1"));
    let writer = connection(&server.uri()).writer();
    writer
        .apps(Generation::V1)
        .stop(&app_id(), &version.unwrap().into())
        .await
        .unwrap();
}

#[tokio::test]
async fn an_app_is_changed_with_an_empty_answer() {
    let server = MockServer::start().await;
    Mock::given(method("PATCH"))
        .and(path("/api/apps/v1/apps/a1"))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&server)
        .await;
    let changes = AppChanges {
        description: Some("New words".into()),
        ..AppChanges::default()
    };
    let writer = connection(&server.uri()).writer();
    writer
        .apps(Generation::V1)
        .change(&app_id(), &changes)
        .await
        .unwrap();
    assert_eq!(bodies(&server).await, [json!({"description": "New words"})]);
}

#[tokio::test]
async fn a_content_that_the_server_does_not_take_is_refused_in_its_words() {
    let body = json!({"requestId": "r-9", "errors": ["the environment is archived"]});
    let route = "/api/apps/v1/apps/a1/versions/createAndStart";
    let server = server("POST", route, 422, body).await;
    let writer = connection(&server.uri()).writer();
    let error = writer
        .apps(Generation::V1)
        .publish(&app_id(), &content())
        .await
        .unwrap_err();
    assert_eq!(error.exit(), crate::error::Exit::Refused);
    assert!(!error.outcome_unknown());
    let words = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        words,
        "Domino says: the environment is archived (request r-9)"
    );
}
