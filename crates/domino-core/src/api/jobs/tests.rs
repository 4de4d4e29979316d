//! The exact requests for jobs, and their replies.

use std::future::ready;

use serde_json::{Value, json};
use wiremock::matchers::{body_json, method, path, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;
use crate::client::tests::connection;

fn job(number: u64, status: &str) -> Value {
    json!({
        "id": format!("{number:024x}"), "number": number, "title": format!("job {number}"),
        "stageTime": {"submissionTime": 1_000_000 + number, "runStartTime": null},
        "statuses": {"isCompleted": false, "isArchived": false, "isScheduled": false, "executionStatus": status},
        "mainRepoGitRef": {"type": "commitId", "value": "ab".repeat(20)},
        "dominoStats": [{"name": "rmse", "value": "0.5"}],
        "somethingNew": [1, 2, 3],
    })
}

#[tokio::test]
async fn a_job_is_started_with_exactly_what_was_asked_for() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v4/jobs/start"))
        .and(body_json(json!({
            "projectId": "p1",
            "commandToRun": "train.py",
            "title": "Train [dev/train]",
            "mainRepoGitRef": {"type": "commitId", "value": "ab".repeat(20)},
            "overrideHardwareTierId": "small-k8s",
            "environmentId": "e1",
            "environmentRevisionSpec": {"revisionId": "r1"},
            "capacityType": "spot",
        })))
        .respond_with(ResponseTemplate::new(200).set_body_json(job(7, "Queued")))
        .expect(1)
        .mount(&server)
        .await;
    let new = NewJob {
        project_id: ProjectId::new("p1"),
        command_to_run: "train.py".into(),
        title: "Train [dev/train]".into(),
        main_repo_git_ref: GitRef::Commit("ab".repeat(20)),
        override_hardware_tier_id: Some(HardwareTierId::new("small-k8s")),
        environment_id: Some(EnvironmentId::new("e1")),
        environment_revision_spec: Some(RevisionSpec::One {
            revision_id: "r1".into(),
        }),
        settings: JobSettings {
            capacity_type: Some("spot"),
            ..JobSettings::default()
        },
    };
    let started = connection(&server.uri())
        .writer()
        .start_job(&new)
        .await
        .unwrap();
    assert_eq!(started.number, 7);
}

#[tokio::test]
async fn a_job_that_is_not_there_is_none() {
    let server = MockServer::start().await;
    let reader = connection(&server.uri()).reader();
    assert!(reader.job(&JobId::new("x")).await.unwrap().is_none());
}

#[tokio::test]
async fn page_three_is_fetched_and_the_cap_of_the_server_does_not_matter() {
    let server = MockServer::start().await;
    Mock::given(path("/v4/jobs"))
        .and(query_param("projectId", "p1"))
        .and(query_param("page_size", "100"))
        .and(query_param("sort_by", "desc"))
        .and(query_param("order_by", "number"))
        .respond_with(|request: &Request| {
            let page: u64 = request
                .url
                .query_pairs()
                .find(|(name, _)| name == "page_no")
                .unwrap()
                .1
                .parse()
                .unwrap();
            // The server returns twenty a page, whatever is requested: 50 jobs are on three pages.
            let numbers: Vec<u64> = (1..=50)
                .rev()
                .skip((page as usize - 1) * 20)
                .take(20)
                .collect();
            let jobs: Vec<Value> = numbers
                .iter()
                .map(|number| job(*number, "Running"))
                .collect();
            ResponseTemplate::new(200).set_body_json(json!({"jobs": jobs, "totalCount": 50}))
        })
        .expect(3)
        .mount(&server)
        .await;
    let reader = connection(&server.uri()).reader();
    let all = reader
        .jobs_after(&ProjectId::new("p1"), 0, |_| true)
        .await
        .unwrap();
    assert_eq!(all.len(), 50);
}

/// A hundred jobs a page, 250 in all.
async fn server_of_250_jobs() -> MockServer {
    let server = MockServer::start().await;
    Mock::given(path("/v4/jobs"))
        .respond_with(|request: &Request| {
            let mut query = request.url.query_pairs();
            let page: usize = query
                .find(|(name, _)| name == "page_no")
                .unwrap()
                .1
                .parse()
                .unwrap();
            let jobs: Vec<Value> = (1..=250)
                .rev()
                .skip((page - 1) * 100)
                .take(100)
                .map(|number| job(number, "Running"))
                .collect();
            ResponseTemplate::new(200).set_body_json(json!({"jobs": jobs, "totalCount": 250}))
        })
        .mount(&server)
        .await;
    server
}

#[tokio::test]
async fn the_newest_job_is_looked_for_no_further_than_it_is() {
    let requests = async |server: &MockServer| server.received_requests().await.unwrap().len();
    for (most, pages) in [(250, 1), (151, 1), (150, 2), (50, 3)] {
        let server = server_of_250_jobs().await;
        let reader = connection(&server.uri()).reader();
        let newest = reader
            .newest_job(&ProjectId::new("p1"), |job| job.number <= most)
            .await
            .unwrap();
        assert_eq!(newest.unwrap().number, most);
        assert_eq!(requests(&server).await, pages, "{most}");
    }
    let server = server_of_250_jobs().await;
    let reader = connection(&server.uri()).reader();
    let none = reader.newest_job(&ProjectId::new("p1"), |_| false).await;
    assert!(none.unwrap().is_none());
    // What was added after a job is read, and not one page more.
    let since = reader
        .jobs_after(&ProjectId::new("p1"), 120, |_| true)
        .await;
    assert_eq!(since.unwrap().len(), 200);
    assert_eq!(requests(&server).await, 3 + 2);
}

#[tokio::test]
async fn a_list_without_end_is_an_error_after_a_thousand_pages() {
    let server = MockServer::start().await;
    let asked = std::sync::atomic::AtomicU64::new(0);
    Mock::given(path("/v4/jobs"))
        .respond_with(move |_: &Request| {
            // Each page has something new, and nothing says how many jobs there are.
            let number = asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            ResponseTemplate::new(200).set_body_json(json!({"jobs": [job(number, "Running")]}))
        })
        .expect(1000)
        .mount(&server)
        .await;
    let reader = connection(&server.uri()).reader();
    let error = reader.newest_job(&ProjectId::new("p1"), |_| false).await;
    let error = error.unwrap_err();
    assert_eq!(error.exit(), crate::error::Exit::Unreachable);
    let why = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(why, "the list goes on after 1000 pages");
}

#[tokio::test]
async fn what_is_older_than_asked_for_is_not_read() {
    let server = MockServer::start().await;
    Mock::given(path("/v4/jobs"))
        .respond_with(ResponseTemplate::new(200).set_body_json(
            json!({"jobs": [job(9, "Running"), job(8, "Running")], "totalCount": 5000}),
        ))
        .expect(1)
        .mount(&server)
        .await;
    let reader = connection(&server.uri()).reader();
    let all = reader
        .jobs(&ProjectId::new("p1"), 1_000_009, ready(None), |_| true)
        .await
        .unwrap();
    assert_eq!(all.len(), 2);
}

#[tokio::test]
async fn a_server_that_ignores_pages_is_read_once_more_and_no_longer() {
    let server = MockServer::start().await;
    Mock::given(path("/v4/jobs"))
        .respond_with(
            ResponseTemplate::new(200).set_body_json(json!({"jobs": [job(1, "Running")]})),
        )
        .expect(2)
        .mount(&server)
        .await;
    let reader = connection(&server.uri()).reader();
    assert_eq!(
        reader
            .jobs_after(&ProjectId::new("p1"), 0, |_| true)
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn runtime_details_status_groups_and_logs_are_understood() {
    let server = MockServer::start().await;
    Mock::given(path("/v4/jobs/j1/runtimeExecutionDetails"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "environment": {"environmentId": "e1", "environmentName": "Standard", "revisionNumber": 2},
            "hardwareTier": {"id": "small-k8s", "name": "Small", "isArchived": false},
        })))
        .mount(&server)
        .await;
    Mock::given(path("/v4/jobs/getStatus/values"))
        .respond_with(ResponseTemplate::new(200).set_body_json(
            json!({"queued": ["Queued"], "running": [], "completed": ["Done"], "archived": [], "active": ["Queued"]}),
        ))
        .mount(&server)
        .await;
    Mock::given(path("/v4/jobs/j1/logsWithProblemSuggestions"))
        .and(query_param("latestTimeNano", "5"))
        .and(query_param("limit", "10000"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"logset": {
            "logContent": [{"timestamp": 1, "logType": "stdout", "log": "hello\\n", "size": 6}],
            "isComplete": true,
            "pagination": {"limit": 10000, "offset": 0, "latestTimeNano": "1000000"},
        }})))
        .mount(&server)
        .await;
    let (reader, id) = (connection(&server.uri()).reader(), JobId::new("j1"));
    assert_eq!(
        reader
            .job_runtime(&id)
            .await
            .unwrap()
            .hardware_tier
            .id
            .as_str(),
        "small-k8s"
    );
    assert_eq!(
        reader.job_status_groups().await.unwrap().completed,
        ["Done"]
    );
    let page = reader.job_log(&id, "5", 10_000).await.unwrap();
    assert!(page.is_complete);
    assert_eq!(page.pagination.latest_time_nano.as_deref(), Some("1000000"));
}

#[tokio::test]
async fn a_log_without_a_route_of_v4_is_read_from_the_public_api() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/api/jobs/beta/jobs/j1/logs"))
        .and(query_param("logType", "complete"))
        .and(query_param("latestTimeNano", "5"))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({
            "logs": {
                "logContent": [
                    {"timestamp": "1970-01-01T00:00:01.5Z", "logType": "stdOut", "log": "hello", "size": 5},
                ],
                "isComplete": true,
            },
            "metadata": {"requestId": "r", "notices": [], "pagination": {"limit": 10, "latestTimeNano": "1500000000"}},
        })))
        .expect(1)
        .mount(&server)
        .await;
    let reader = connection(&server.uri()).reader();
    let page = reader.job_log(&JobId::new("j1"), "5", 10).await.unwrap();
    let entry = &page.entries[0];
    assert_eq!((entry.timestamp, entry.log_type.as_str()), (1500, "stdout"));
    assert!(page.is_complete);
    assert_eq!(
        page.pagination.latest_time_nano.as_deref(),
        Some("1500000000")
    );
    // If neither route exists, the error is that of the first.
    let error = reader.job_log(&JobId::new("j2"), "5", 10).await;
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("/v4/jobs/j2/logsWithProblemSuggestions answered 404"),
        "{error}"
    );
}

#[tokio::test]
async fn a_stop_names_the_job_and_its_project() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v4/jobs/stop"))
        .and(body_json(
            json!({"jobId": "j1", "projectId": "p1", "commitResults": true}),
        ))
        .respond_with(ResponseTemplate::new(200).set_body_json(job(1, "StopRequested")))
        .expect(1)
        .mount(&server)
        .await;
    let writer = connection(&server.uri()).writer();
    writer
        .stop_job(&ProjectId::new("p1"), &JobId::new("j1"))
        .await
        .unwrap();
}

#[test]
fn status_words_are_sorted_and_unknown_ones_kept() {
    let of = |word: &str| ExecutionStatus::from(word.to_owned());
    assert!(of("Succeeded").is_terminal());
    assert!(of("Error").is_terminal());
    assert_eq!(of("Pulling"), ExecutionStatus::OnItsWay("Pulling".into()));
    assert_eq!(
        of("Submitted"),
        ExecutionStatus::Unknown("Submitted".into())
    );
    assert_eq!(
        of("succeeded"),
        ExecutionStatus::Unknown("succeeded".into())
    );
}
