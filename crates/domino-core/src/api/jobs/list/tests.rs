//! How much of a long list is read, and that nothing in it is missed.

use std::future::ready;
use std::sync::Mutex;

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::*;
use crate::client::tests::connection;

/// The numbers of the jobs that have not ended.
const GOING: &[u64] = &[9_990, 4_321];

/// What a server does with `status=active`.
#[derive(Clone, Copy, PartialEq)]
enum Filter {
    Works,
    Ignored,
    Refused,
    /// It leaves out the first of the jobs that have not ended.
    Incomplete,
}

fn job(number: u64) -> Value {
    json!({
        "id": format!("{number:024x}"), "number": number, "stageTime": {"submissionTime": 1_000 + number},
        "statuses": {"isCompleted": !GOING.contains(&number), "executionStatus": "Word"},
    })
}

fn parameter(request: &Request, name: &str) -> Option<String> {
    let mut query = request.url.query_pairs();
    query
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

fn page(numbers: &[u64], request: &Request) -> ResponseTemplate {
    let page: usize = parameter(request, "page_no").unwrap().parse().unwrap();
    let jobs: Vec<Value> = numbers
        .iter()
        .skip((page - 1) * 100)
        .take(100)
        .map(|number| job(*number))
        .collect();
    ResponseTemplate::new(200).set_body_json(json!({"jobs": jobs, "totalCount": numbers.len()}))
}

async fn server(most: u64, filter: Filter) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(wiremock::matchers::path("/v4/jobs"))
        .respond_with(move |request: &Request| {
            let all: Vec<u64> = (1..=most).rev().collect();
            let numbers = match (parameter(request, "status"), filter) {
                (None, _) | (_, Filter::Ignored) => all,
                (Some(_), Filter::Refused) => return ResponseTemplate::new(400),
                (Some(_), Filter::Works) => GOING.to_vec(),
                (Some(_), Filter::Incomplete) => GOING[1..].to_vec(),
            };
            page(&numbers, request)
        })
        .mount(&server)
        .await;
    server
}

/// The numbers of the jobs that are found, and how many requests that takes.
async fn found(filter: Filter, at_most: i64, since: Option<i64>) -> (Vec<u64>, usize) {
    let server = server(10_000, filter).await;
    let wanted = |job: &Job| [9_990, 9_800, 4_321, 4_000].contains(&job.number);
    let reader = connection(&server.uri()).reader();
    let jobs = reader
        .jobs(&ProjectId::new("p1"), at_most, ready(since), wanted)
        .await
        .unwrap();
    let mut numbers: Vec<u64> = jobs.iter().map(|job| job.number).collect();
    numbers.sort_unstable();
    (numbers, server.received_requests().await.unwrap().len())
}

#[tokio::test]
async fn of_ten_thousand_jobs_the_window_and_what_goes_on_are_read() {
    // Only unfinished jobs; everything since job 9,750; unfinished jobs only as far back as anything is searched.
    let cases: [(i64, i64, Vec<u64>, usize); 3] = [
        (0, i64::MAX, vec![4_321, 9_990], 2),
        (0, 10_750, vec![4_321, 9_800, 9_990], 5),
        (6_000, 10_750, vec![9_800, 9_990], 5),
    ];
    for (at_most, since, numbers, requests) in cases {
        assert_eq!(
            found(Filter::Works, at_most, Some(since)).await,
            (numbers, requests),
            "{since}"
        );
    }
}

#[tokio::test]
async fn what_goes_on_is_looked_for_in_all_jobs_where_the_server_cannot_tell_it() {
    for filter in [Filter::Ignored, Filter::Refused, Filter::Incomplete] {
        let (numbers, requests) = found(filter, 0, Some(i64::MAX)).await;
        assert_eq!(numbers, [4_000, 4_321, 9_800, 9_990]);
        assert!(requests > 100, "{requests}");
    }
    let (numbers, requests) = found(Filter::Works, 0, None).await;
    assert_eq!((numbers.len(), requests), (4, 101));
}

#[tokio::test]
async fn a_short_list_is_asked_for_once() {
    let server = server(100, Filter::Works).await;
    let reader = connection(&server.uri()).reader();
    let asked = async { panic!("the start was asked for") };
    let jobs = reader.jobs(&ProjectId::new("p1"), 0, asked, |_| true).await;
    assert_eq!(jobs.unwrap().len(), 100);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_came_after_a_number_is_read_and_no_more() {
    let server = server(10_000, Filter::Works).await;
    let reader = connection(&server.uri()).reader();
    let project = ProjectId::new("p1");
    let after = |number| reader.jobs_after(&project, number, |_| true);
    assert_eq!(after(9_999).await.unwrap().len(), 100);
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
    assert!(after(9_750).await.unwrap().len() >= 250);
}

#[tokio::test]
async fn a_job_that_comes_in_between_two_pages_hides_no_other() {
    let server = MockServer::start().await;
    // Page 4 is read before a job is added, and page 3, which is requested at the same time, after.
    let asked = Mutex::new(Vec::new());
    Mock::given(wiremock::matchers::path("/v4/jobs"))
        .respond_with(move |request: &Request| {
            let number = parameter(request, "page_no").unwrap();
            let mut asked = asked.lock().unwrap();
            let is_before = match number.as_str() {
                "1" | "2" => true,
                "4" => !asked.contains(&number),
                _ => false,
            };
            asked.push(number);
            let most = if is_before { 500 } else { 501 };
            page(&(1..=most).rev().collect::<Vec<u64>>(), request)
        })
        .mount(&server)
        .await;
    let reader = connection(&server.uri()).reader();
    let jobs = reader
        .jobs_after(&ProjectId::new("p1"), 0, |_| true)
        .await
        .unwrap();
    let numbers: HashSet<u64> = jobs.iter().map(|job| job.number).collect();
    let missing: Vec<u64> = (1..=500)
        .filter(|number| !numbers.contains(number))
        .collect();
    assert_eq!(missing, Vec::<u64>::new());
}
