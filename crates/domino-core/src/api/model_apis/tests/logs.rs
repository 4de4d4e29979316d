//! The exact requests about the logs of versions, and when a log is over.

use super::*;

#[tokio::test]
async fn a_build_log_says_when_it_is_over_and_how() {
    for (generation, route, several) in [
        (
            Generation::ModelServing,
            "/api/modelServing/v1/modelApis/m1/versions/v1/buildLogs",
            false,
        ),
        (
            Generation::Models,
            "/v4/modelManager/getBuildLogsV2/m1/v1",
            true,
        ),
    ] {
        let server = MockServer::start().await;
        let log = |status: &str, nanoseconds: u64| {
            let log = json!({"modelId": "m1", "modelVersionId": "v1", "status": status, "logs": [{
                "log": "step 1", "streamType": "stdout", "tags": [], "timeNano": nanoseconds,
                "timestamp": nanoseconds / 1_000_000,
            }]});
            ResponseTemplate::new(200).set_body_json(if several { json!([log]) } else { log })
        };
        Mock::given(path(route))
            .and(query_param_is_missing("sinceTimeNano"))
            .respond_with(log("building", 1_760_000_000_123_456_789))
            .mount(&server)
            .await;
        Mock::given(path(route))
            .and(query_param("sinceTimeNano", "1760000000123456789"))
            .respond_with(log("Failed", 1_760_000_000_223_456_789))
            .mount(&server)
            .await;
        let reader = connection(&server.uri()).reader();
        let (api, first) = (ModelApiId::new("m1"), ModelApiVersionId::new("v1"));
        let log = reader
            .model_apis(generation)
            .build_log(&api, &first, "0")
            .await
            .unwrap();
        assert!(!log.failed && !log.page.is_complete);
        assert_eq!(log.page.entries[0].log, "step 1");
        let position = log.page.pagination.latest_time_nano.unwrap();
        let log = reader
            .model_apis(generation)
            .build_log(&api, &first, &position)
            .await
            .unwrap();
        assert!(log.failed && log.page.is_complete);
    }
}

#[tokio::test]
async fn the_log_of_instances_never_says_that_it_is_over() {
    for (generation, route) in [
        (
            Generation::ModelServing,
            "/api/modelServing/v1/modelApis/m1/versions/v1/instanceLogs",
        ),
        (Generation::Models, "/v4/modelManager/getInstanceLogs/m1/v1"),
    ] {
        let server = MockServer::start().await;
        let log = json!({"modelId": "m1", "modelVersionId": "v1", "maxResults": 100, "logs": [
            {"log": "ready", "streamType": "stdout", "tags": [], "timeNano": 1.76e18, "timestamp": 1.76e12},
        ]});
        Mock::given(path(route))
            .and(query_param("sinceTimeNano", "5"))
            .and(query_param("maxResults", "3"))
            .respond_with(ResponseTemplate::new(200).set_body_json(log))
            .mount(&server)
            .await;
        let reader = connection(&server.uri()).reader();
        let (api, first) = (ModelApiId::new("m1"), ModelApiVersionId::new("v1"));
        let page = reader
            .model_apis(generation)
            .instance_log(&api, &first, "5", 3)
            .await
            .unwrap();
        assert!(!page.is_complete);
        assert_eq!(page.entries[0].timestamp, 1_760_000_000_000);
        assert_eq!(
            page.pagination.latest_time_nano.unwrap(),
            "1760000000000000000"
        );
    }
}
