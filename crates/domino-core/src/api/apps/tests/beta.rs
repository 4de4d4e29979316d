//! `/api/apps/beta`.

use wiremock::Request;
use wiremock::matchers::query_param;

use super::*;

#[tokio::test]
async fn an_app_is_found_by_its_exact_name_in_its_project() {
    let items = json!([
        wire_app("a0", "dashboard-dev-2", "p1"),
        wire_app("a1", "dashboard-dev", "p1"),
        wire_app("a2", "dashboard-dev", "another"),
    ]);
    let body =
        json!({"items": items, "metadata": {"requestId": "r", "notices": [], "totalCount": 3}});
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/api/apps/beta/apps"))
        .and(query_param("projectId", "p1"))
        .and(query_param("limit", "100"))
        .and(query_param("offset", "0"))
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .expect(1)
        .mount(&server)
        .await;
    let reader = connection(&server.uri()).reader();
    let apps = reader
        .apps(Generation::Beta)
        .named(&project(), "dashboard-dev")
        .await
        .unwrap();
    let [app] = apps.as_slice() else {
        panic!("{apps:?}")
    };
    assert_eq!(app.id.as_str(), "a1");
    assert_eq!(app.entry_point.as_deref(), Some("apps/app.sh"));
    assert_eq!(app.visibility.as_deref(), Some("GRANT_BASED"));
    assert_eq!(
        app.url.as_deref(),
        Some("https://domino.example.com/apps/a1")
    );
    assert!(app.status().is_up());
    assert_eq!(ours(app.version.as_ref().unwrap().content()), content());
}

#[tokio::test]
async fn page_three_is_fetched_with_or_without_a_total() {
    for total in [
        json!({"totalCount": 250}),
        json!({"pagination": {"totalCount": 250}}),
        json!({}),
    ] {
        let server = MockServer::start().await;
        let metadata = total.clone();
        Mock::given(path("/api/apps/beta/apps"))
            .respond_with(move |request: &Request| {
                let offset = request.url.query_pairs().find(|(name, _)| name == "offset");
                let offset: usize = offset.unwrap().1.parse().unwrap();
                let page: Vec<Value> = (offset..250.min(offset + 100))
                    .map(|n| {
                        wire_app(
                            &format!("a{n}"),
                            if n == 249 { "last" } else { "other" },
                            "p1",
                        )
                    })
                    .collect();
                ResponseTemplate::new(200)
                    .set_body_json(json!({"items": page, "metadata": metadata}))
            })
            .mount(&server)
            .await;
        let reader = connection(&server.uri()).reader();
        let apps = reader
            .apps(Generation::Beta)
            .named(&project(), "last")
            .await
            .unwrap();
        assert_eq!(apps.len(), 1, "{total}");
    }
}

#[tokio::test]
async fn a_server_that_ignores_the_offset_is_read_once_more_and_no_longer() {
    let items: Vec<Value> = (0..20)
        .map(|n| wire_app(&format!("a{n}"), "x", "p1"))
        .collect();
    let server = MockServer::start().await;
    Mock::given(path("/api/apps/beta/apps"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"items": items})))
        .expect(2)
        .mount(&server)
        .await;
    let reader = connection(&server.uri()).reader();
    let apps = reader
        .apps(Generation::Beta)
        .named(&project(), "x")
        .await
        .unwrap();
    assert_eq!(apps.len(), 20);
}

#[tokio::test]
async fn an_app_is_read_by_id_and_one_that_is_not_there_is_none() {
    let body = wire_app("a1", "dashboard-dev", "p1");
    let server = server("GET", "/api/apps/beta/apps/a1", 200, body).await;
    let reader = connection(&server.uri()).reader();
    let app = reader
        .apps(Generation::Beta)
        .app(&app_id())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(app.version_other_than(None).unwrap().id, version_id());
    assert!(app.version_other_than(Some(&version_id())).is_none());
    let missing = reader
        .apps(Generation::Beta)
        .app(&AppId::new("a2"))
        .await
        .unwrap();
    assert!(missing.is_none());
}

#[tokio::test]
async fn a_version_tells_how_its_newest_instance_stands() {
    let body = wire_version("v1", "Preparing");
    let server = server("GET", "/api/apps/beta/apps/a1/versions/v1", 200, body).await;
    let reader = connection(&server.uri()).reader();
    let version = reader
        .apps(Generation::Beta)
        .version(&app_id(), &version_id())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(version.status().word(), "Preparing");
}

#[tokio::test]
async fn a_version_without_its_instance_is_asked_for_its_instances() {
    let mut body = wire_version("v1", "");
    body["currentInstance"] = Value::Null;
    let server = server("GET", "/api/apps/beta/apps/a1/versions/v1", 200, body).await;
    let instances = json!({"items": [{"id": "i7", "status": "Failed", "createdAt": 1}]});
    let route = "/api/apps/beta/apps/a1/versions/v1/instances";
    lists(
        &server,
        route,
        ResponseTemplate::new(200).set_body_json(instances),
    )
    .await;
    let reader = connection(&server.uri()).reader();
    let version = reader
        .apps(Generation::Beta)
        .version(&app_id(), &version_id())
        .await
        .unwrap()
        .unwrap();
    let instance = version.instance.unwrap();
    assert_eq!(
        (instance.id.as_str(), instance.status.word()),
        ("i7", "Failed")
    );
}

#[tokio::test]
async fn an_app_is_created_with_its_first_version() {
    let body = wire_app("a1", "dashboard-dev", "p1");
    let server = server("POST", "/api/apps/beta/apps", 200, body).await;
    let writer = connection(&server.uri()).writer();
    let app = writer
        .apps(Generation::Beta)
        .create(&new_app())
        .await
        .unwrap();
    assert_eq!(app.id, app_id());
    let sent = json!({
        "name": "dashboard-dev", "projectId": "p1", "visibility": "GRANT_BASED_STRICT",
        "description": "The numbers", "entryPoint": "apps/app.sh",
        "version": {
            "gitRef": commit_ref(), "hardwareTierId": "small-k8s", "environmentId": "e1",
            "environmentRevisionId": "r1",
        },
    });
    assert_eq!(bodies(&server).await, [sent]);
}

#[tokio::test]
async fn a_version_is_published_and_what_is_not_chosen_is_left_out() {
    let body = wire_version("v2", "Queued");
    let server = server("POST", "/api/apps/beta/apps/a1/versions", 200, body).await;
    let writer = connection(&server.uri()).writer();
    let content = AppContent {
        git_ref: content().git_ref,
        ..AppContent::default()
    };
    let published = writer
        .apps(Generation::Beta)
        .publish(&app_id(), &content)
        .await
        .unwrap();
    assert_eq!(published.version.unwrap().id.as_str(), "v2");
    assert_eq!(bodies(&server).await, [json!({"gitRef": commit_ref()})]);
}

#[tokio::test]
async fn an_app_is_stopped_by_deleting_its_instance() {
    let route = "/api/apps/beta/apps/a1/versions/v1/instances/i1";
    let server = server("DELETE", route, 200, Value::Null).await;
    let version = serde_json::from_value::<wire::WireVersion>(wire_version("v1", "Running"));
    let writer = connection(&server.uri()).writer();
    writer
        .apps(Generation::Beta)
        .stop(&app_id(), &version.unwrap().into())
        .await
        .unwrap();
    let sent = server.received_requests().await.unwrap();
    assert!(sent[0].body.is_empty());
}

#[tokio::test]
async fn only_what_changes_is_sent_when_an_app_is_changed() {
    let server = server(
        "PATCH",
        "/api/apps/beta/apps/a1",
        200,
        wire_app("a1", "x", "p1"),
    )
    .await;
    let writer = connection(&server.uri()).writer();
    let changes = AppChanges {
        entry_point: Some("other.sh".into()),
        description: None,
        visibility: Some(Visibility::Public),
        discoverable: Some(false),
        thumbnail: None,
    };
    writer
        .apps(Generation::Beta)
        .change(&app_id(), &changes)
        .await
        .unwrap();
    let sent = json!({"entryPoint": "other.sh", "visibility": "PUBLIC", "discoverable": false});
    assert_eq!(bodies(&server).await, [sent]);
}

#[tokio::test]
async fn a_log_is_read_from_a_position_on() {
    let server = MockServer::start().await;
    let log = json!({
        "logContent": [{"timestamp": 1.0e12 as i64, "logType": "stdout", "log": "listening\n", "size": 10}],
        "isComplete": false, "pagination": {"latestTime": "5", "limit": 10_000, "offset": 0},
    });
    Mock::given(method("GET"))
        .and(path("/api/apps/beta/apps/a1/versions/v1/instances/i1/logs"))
        .and(query_param("logType", "complete"))
        .and(query_param("limit", "10000"))
        .and(query_param("offset", "0"))
        .and(query_param("latestTime", "3"))
        .respond_with(ResponseTemplate::new(200).set_body_json(log))
        .expect(2)
        .mount(&server)
        .await;
    let reader = connection(&server.uri()).reader();
    for api in [Generation::Beta, Generation::V1] {
        let instance = AppInstanceId::new("i1");
        let page = reader
            .apps(api)
            .log(&app_id(), &version_id(), &instance, "3", 10_000)
            .await
            .unwrap();
        assert_eq!(page.entries[0].log, "listening\n");
        assert_eq!(page.pagination.latest_time_nano.as_deref(), Some("5"));
    }
}
