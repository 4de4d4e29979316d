//! `/v4/modelProducts`.

use wiremock::matchers::query_param;

use super::*;

fn product(id: &str, name: &str) -> Value {
    json!({
        "id": id, "name": name, "modelProductType": "APP", "projectId": "p1", "status": "Running",
        "created": "2026-11-23T04:00:00.000Z", "lastUpdated": 1_760_000_000_000_i64,
        "description": "The numbers", "entryPoint": "apps/app.sh",
        "runningAppUrl": "", "openUrl": "/apps/a1", "media": [], "tags": [], "stats": {"usageCount": 0},
        "environmentId": "e1", "hardwareTierId": "small-k8s", "latestAppInstanceId": "i1",
        "permissionsData": {"visibility": "PUBLIC", "discoverable": true, "appAccessStatus": "ALLOWED",
                            "pendingInvitations": [], "accessRequestStatuses": {}},
    })
}

fn details(id: &str, status: &str) -> Value {
    json!({
        "id": id, "status": status, "started": 1_760_000_000_000_i64, "inputCommitId": "dfs",
        "resourceUsage": {"data": []}, "hardwareTierName": "Small",
        "environmentDetails": {"environmentName": "Standard", "environmentRevisionId": "r1", "revisionNumber": 3},
        "externalVolumeMounts": [], "netAppVolumeMounts": [],
        "appCodeInfo": {"mainRepo": {"id": "g1", "linkText": "x", "fullUrl": "https://example.com", "commit": sha()},
                        "importedGitRepos": []},
    })
}

async fn answers(server: &MockServer, route: &str, body: Value) {
    lists(
        server,
        route,
        ResponseTemplate::new(200).set_body_json(body),
    )
    .await;
}

#[tokio::test]
async fn an_app_is_found_by_name_and_told_what_it_runs() {
    let mut report = product("a9", "dashboard-dev");
    report["modelProductType"] = json!("REPORT");
    let list = json!([
        product("a0", "other"),
        report,
        product("a1", "dashboard-dev")
    ]);
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/v4/modelProducts"))
        .and(query_param("projectId", "p1"))
        .respond_with(ResponseTemplate::new(200).set_body_json(list))
        .expect(1)
        .mount(&server)
        .await;
    answers(
        &server,
        "/v4/modelProducts/apps/versions/i1",
        details("i1", "Running"),
    )
    .await;
    let reader = connection(&server.uri()).reader();
    let apps = reader
        .apps(Generation::V4)
        .named(&project(), "dashboard-dev")
        .await
        .unwrap();
    let [app] = apps.as_slice() else {
        panic!("{apps:?}")
    };
    assert_eq!(app.url.as_deref(), Some("/apps/a1"));
    assert_eq!(app.visibility.as_deref(), Some("PUBLIC"));
    let version = app.version.as_ref().unwrap();
    assert_eq!(version.content(), content());
    assert_eq!(version.hardware_tier_name.as_deref(), Some("Small"));
    assert_eq!(version.environment_name.as_deref(), Some("Standard"));
    // Only the app of that name is read in detail.
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_app_that_was_never_started_has_no_version() {
    let mut never = product("a1", "dashboard-dev");
    never["status"] = json!("");
    never["latestAppInstanceId"] = Value::Null;
    let server = server("GET", "/v4/modelProducts/a1", 200, never).await;
    let reader = connection(&server.uri()).reader();
    let app = reader
        .apps(Generation::V4)
        .app(&app_id())
        .await
        .unwrap()
        .unwrap();
    assert!(app.version.is_none());
    assert_eq!(app.status(), AppStatus::Never);
}

#[tokio::test]
async fn the_newest_start_is_looked_for_where_the_app_does_not_name_it() {
    let mut unnamed = product("a1", "dashboard-dev");
    unnamed["latestAppInstanceId"] = Value::Null;
    let server = server("GET", "/v4/modelProducts/a1", 200, unnamed).await;
    let starts = json!([
        {"id": "i1", "started": 1, "duration": 5, "status": "Stopped", "goalIds": []},
        {"id": "i3", "started": 3, "duration": 5, "status": "Running", "goalIds": []},
        {"id": "i2", "started": 2, "duration": 5, "status": "Failed", "goalIds": []},
    ]);
    answers(&server, "/v4/modelProducts/a1/versions", starts).await;
    answers(
        &server,
        "/v4/modelProducts/apps/versions/i3",
        details("i3", "Running"),
    )
    .await;
    let reader = connection(&server.uri()).reader();
    let app = reader
        .apps(Generation::V4)
        .app(&app_id())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(app.version.unwrap().id.as_str(), "i3");
}

/// The app comes up between the read of the app and the read of its start: only then does it tell its address.
#[tokio::test]
async fn an_app_that_came_up_in_between_is_looked_at_once_more() {
    let server = MockServer::start().await;
    let mut before = product("a1", "dashboard-dev");
    before["status"] = json!("Preparing");
    Mock::given(path("/v4/modelProducts/a1"))
        .respond_with(ResponseTemplate::new(200).set_body_json(before))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    let mut after = product("a1", "dashboard-dev");
    after["runningAppUrl"] = json!("/apps/running");
    answers(&server, "/v4/modelProducts/a1", after).await;
    let start = details("i1", "Running");
    answers(&server, "/v4/modelProducts/apps/versions/i1", start).await;
    let reader = connection(&server.uri()).reader();
    let app = reader
        .apps(Generation::V4)
        .app(&app_id())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(app.url.as_deref(), Some("/apps/running"));
    assert_eq!(app.status().word(), "Running");
}

#[tokio::test]
async fn where_a_start_is_not_shown_what_it_runs_stays_unknown() {
    let server = MockServer::start().await;
    answers(
        &server,
        "/v4/modelProducts/a1",
        product("a1", "dashboard-dev"),
    )
    .await;
    let reader = connection(&server.uri()).reader();
    let app = reader
        .apps(Generation::V4)
        .app(&app_id())
        .await
        .unwrap()
        .unwrap();
    let version = app.version.unwrap();
    assert_eq!(version.git_ref, None);
    assert_eq!(version.status().word(), "Running");
    let again = reader
        .apps(Generation::V4)
        .version(&app_id(), &version.id)
        .await
        .unwrap();
    assert!(again.unwrap().status().is_up());
}

#[tokio::test]
async fn a_start_is_read_by_its_id() {
    let route = "/v4/modelProducts/apps/versions/i1";
    let server = server("GET", route, 200, details("i1", "Failed")).await;
    let reader = connection(&server.uri()).reader();
    let version = reader
        .apps(Generation::V4)
        .version(&app_id(), &AppVersionId::new("i1"))
        .await
        .unwrap()
        .unwrap();
    assert!(version.status().is_down());
}

#[tokio::test]
async fn an_app_is_created_whole_with_placeholders() {
    let mut created = product("a1", "dashboard-dev");
    created["status"] = json!("");
    let server = server("POST", "/v4/modelProducts", 200, created).await;
    let writer = connection(&server.uri()).writer();
    let app = writer
        .apps(Generation::V4)
        .create(&new_app())
        .await
        .unwrap();
    assert_eq!(app.id, app_id());
    assert!(app.version.is_none());
    let mut sent = bodies(&server).await.remove(0);
    for time in ["created", "lastUpdated"] {
        let text = sent[time].take();
        let text = text.as_str().unwrap();
        assert!(text.ends_with('Z') && text.len() == 24, "{text}");
        text.parse::<jiff::Timestamp>().unwrap();
    }
    let expected = json!({
        "modelProductType": "APP", "projectId": "p1", "name": "dashboard-dev", "description": "The numbers",
        "entryPoint": "apps/app.sh", "created": null, "lastUpdated": null, "status": "", "media": [], "tags": [],
        "stats": {"usageCount": 0}, "id": "0".repeat(24),
        "permissionsData": {"visibility": "GRANT_BASED_STRICT", "discoverable": true, "appAccessStatus": "ALLOWED",
                            "pendingInvitations": [], "accessRequestStatuses": {}},
    });
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn a_start_answers_with_a_bare_string_or_an_object_and_neither_is_believed() {
    for reply in [json!("a1"), json!({"id": "a1"})] {
        let server = server("POST", "/v4/modelProducts/a1/start", 200, reply).await;
        let writer = connection(&server.uri()).writer();
        let published = writer
            .apps(Generation::V4)
            .publish(&app_id(), &content())
            .await
            .unwrap();
        assert!(published.version.is_none());
        let sent = json!({
            "mainRepoGitRef": commit_ref(), "hardwareTierId": "small-k8s", "environmentId": "e1",
        });
        assert_eq!(bodies(&server).await, [sent]);
    }
}

#[tokio::test]
async fn an_app_is_stopped_without_a_body() {
    let server = server("POST", "/v4/modelProducts/a1/stop", 200, json!("a1")).await;
    let version: AppVersion =
        serde_json::from_value::<wire::WireVersion>(wire_version("i1", "Running"))
            .unwrap()
            .into();
    let writer = connection(&server.uri()).writer();
    writer
        .apps(Generation::V4)
        .stop(&app_id(), &version)
        .await
        .unwrap();
    assert!(server.received_requests().await.unwrap()[0].body.is_empty());
}

#[tokio::test]
async fn an_app_that_does_not_stop_is_forced_to() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v4/modelProducts/a1/stop"))
        .and(query_param("force", "true"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!("a1")))
        .expect(1)
        .mount(&server)
        .await;
    let writer = connection(&server.uri()).writer();
    writer
        .apps(Generation::V4)
        .force_stop(&app_id())
        .await
        .unwrap();
    assert!(server.received_requests().await.unwrap()[0].body.is_empty());
}

#[tokio::test]
async fn of_an_app_only_the_visibility_is_changed() {
    let server = server("POST", "/v4/modelProducts/a1/visibility", 200, json!("a1")).await;
    let writer = connection(&server.uri()).writer();
    let description = AppChanges {
        description: Some("x".into()),
        ..AppChanges::default()
    };
    let visibility = AppChanges {
        visibility: Some(Visibility::Authenticated),
        ..AppChanges::default()
    };
    for changes in [description, visibility] {
        writer
            .apps(Generation::V4)
            .change(&app_id(), &changes)
            .await
            .unwrap();
    }
    assert_eq!(
        bodies(&server).await,
        [json!({"visibility": "AUTHENTICATED"})]
    );
}

#[tokio::test]
async fn a_log_is_read_by_instance() {
    let server = MockServer::start().await;
    let log = json!({
        "logContent": [{"timestamp": 7, "logType": "stderr", "log": "boom", "size": 4}],
        "isComplete": true, "pagination": {"limit": 10, "offset": 0, "latestTimeNano": "9"},
    });
    Mock::given(method("GET"))
        .and(path("/v4/modelProducts/apps/versions/i1/logs"))
        .and(query_param("logType", "console"))
        .and(query_param("limit", "10"))
        .and(query_param("offset", "0"))
        .and(query_param("latestTimeNano", "0"))
        .respond_with(ResponseTemplate::new(200).set_body_json(log))
        .expect(1)
        .mount(&server)
        .await;
    let reader = connection(&server.uri()).reader();
    let instance = AppInstanceId::new("i1");
    let version = AppVersionId::new("i1");
    let page = reader
        .apps(Generation::V4)
        .log(&app_id(), &version, &instance, "0", 10)
        .await
        .unwrap();
    assert!(page.is_complete);
    assert_eq!(page.entries[0].log, "boom");
}
