//! What faults do to requests, connections and jobs, as a client meets it.

use std::io::Read;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use domino_sandbox::{Fault, JobFault, Misbehaviour};
use serde_json::{Value, json};

use crate::world::{PATIENCE, Sign, World, text};

fn with(route: &str, misbehaviour: Misbehaviour) -> World {
    let world = World::new();
    world
        .sandbox
        .faults()
        .add(Fault::on(route, misbehaviour).single());
    world
}

fn start(world: &World) -> Result<crate::world::Reply, ureq::Error> {
    let body = json!({ "projectId": world.project_id(), "commandToRun": "true" });
    world.by_itself("POST", "/v4/jobs/start", Some(body))
}

fn jobs(world: &World) -> usize {
    world.sandbox.state()["jobs"].as_array().unwrap().len()
}

#[test]
fn a_status_comes_in_the_shape_of_its_family_and_then_no_more() {
    let status = |status, retry_after| Misbehaviour::Status {
        status,
        retry_after,
        processed: false,
    };
    let world = with("/v4/users/self", status(429, Some(7)));
    let busy = world.get("/v4/users/self");
    assert_eq!(
        (busy.status, &busy.headers["retry-after"]),
        (429, &"7".parse().unwrap())
    );
    assert!(busy.json()["message"].is_string());
    assert_eq!(world.get("/v4/users/self").status, 200);

    let world = with("/api/**", status(500, None));
    assert!(world.get("/api/users/v1/self").json()["error"].is_string());
    let requests = world.sandbox.requests();
    assert_eq!(
        (requests[0].fault, requests[0].status),
        (Some("status"), Some(500))
    );
    assert_eq!(world.sandbox.faults().fired(), 1);
}

#[test]
fn a_harmed_start_takes_effect_only_when_it_is_processed() {
    for processed in [false, true] {
        let status = Misbehaviour::Status {
            status: 502,
            retry_after: None,
            processed,
        };
        let world = with("POST /v4/jobs/start", status);
        assert_eq!(start(&world).unwrap().status, 502);
        assert_eq!(jobs(&world), usize::from(processed));

        let world = with("POST /v4/jobs/start", Misbehaviour::Reset { processed });
        assert!(start(&world).is_err());
        assert_eq!(jobs(&world), usize::from(processed));
        assert_eq!(world.sandbox.requests()[0].status, None);
        assert_eq!(start(&world).unwrap().status, 200);
    }
}

#[test]
fn a_reset_is_a_reset_on_the_wire() {
    use std::io::Write;
    let world = with("/version", Misbehaviour::Reset { processed: false });
    let address = world.sandbox.url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .write_all(b"GET /version HTTP/1.1\r\nhost: x\r\n\r\n")
        .unwrap();
    let problem = stream.read(&mut [0; 100]).unwrap_err();
    assert_eq!(problem.kind(), std::io::ErrorKind::ConnectionReset);
}

#[test]
fn replies_that_are_not_what_they_seem() {
    let world = with("/version", Misbehaviour::LoginPage);
    let login = world.get("/version");
    assert_eq!(login.status, 200);
    assert!(login.content_type.starts_with("text/html") && login.text().contains("Sign in"));

    let world = with("/version", Misbehaviour::BinaryForbidden);
    let binary = world.get("/version");
    assert_eq!(binary.status, 403);
    assert!(String::from_utf8(binary.body).is_err());

    let world = with("/version", Misbehaviour::Relogin);
    let relogin = world.get("/version");
    assert_eq!(relogin.status, 409);
    assert!(relogin.json()["redirectPath"].is_string());

    let origin = "https://elsewhere.example.com".to_owned();
    let world = with("/version", Misbehaviour::Redirect { origin });
    let redirect = world.get("/version");
    assert_eq!(redirect.status, 307);
    assert_eq!(
        redirect.headers["location"],
        "https://elsewhere.example.com/version"
    );

    let reply = Misbehaviour::Reply {
        status: 200,
        content_type: "application/json".into(),
        body: "{\"version\":".into(),
    };
    let world = with("/version", reply);
    assert_eq!(world.get("/version").text(), "{\"version\":");
}

#[test]
fn a_reply_can_be_cut_in_its_frame_or_on_the_wire() {
    let world = with("/version", Misbehaviour::CutJson);
    let cut = world.get("/version");
    assert_eq!(cut.status, 200);
    assert!(serde_json::from_slice::<Value>(&cut.body).is_err() && !cut.body.is_empty());

    let world = with("/version", Misbehaviour::Truncate);
    assert!(world.by_itself("GET", "/version", None).is_err());
    assert_eq!(world.get("/version").status, 200);
}

#[test]
fn a_reply_can_be_slow_in_pieces_or_never_come() {
    let pause = Duration::from_millis(5);
    let world = with("/version", Misbehaviour::Trickle { pause, bytes: 2 });
    let asked = Instant::now();
    assert_eq!(world.get("/version").ok()["version"], "6.3.0");
    assert!(asked.elapsed() >= pause * 5);

    let by = Duration::from_millis(60);
    let world = with("/version", Misbehaviour::Delay { by });
    let asked = Instant::now();
    assert_eq!(world.get("/version").status, 200);
    assert!(asked.elapsed() >= by);

    let world = with("/version", Misbehaviour::Hang { processed: false });
    let waiting = ureq::Agent::new_with_config(
        ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_millis(100)))
            .build(),
    );
    let url = format!("{}/version", world.sandbox.url());
    assert!(waiting.get(&url).call().is_err());
    assert_eq!(
        world.get("/version").status,
        200,
        "others are answered meanwhile"
    );
}

#[test]
fn a_slow_request_takes_effect_though_nobody_waits_for_it() {
    let by = Duration::from_millis(150);
    let world = with("POST /v4/jobs/start", Misbehaviour::Delay { by });
    let hurried = ureq::Agent::new_with_config(
        ureq::Agent::config_builder()
            .timeout_global(Some(by / 3))
            .build(),
    );
    let body = json!({ "projectId": world.project_id(), "commandToRun": "true" });
    let asked = hurried
        .post(format!("{}/v4/jobs/start", world.sandbox.url()))
        .header("authorization", format!("Bearer {}", world.author().token))
        .send_json(body);
    assert!(asked.is_err());
    let deadline = Instant::now() + PATIENCE;
    while jobs(&world) == 0 {
        assert!(Instant::now() < deadline);
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_huge_reply_is_as_large_as_it_is_told() {
    let world = with("/version", Misbehaviour::Huge { bytes: 200_001 });
    let huge = world.get("/version");
    assert_eq!(huge.body.len(), 200_001);
    assert!(huge.json().is_string());
}

#[test]
fn nobody_listens_for_a_while() {
    let lasting = Duration::from_secs(1);
    let world = with("/version", Misbehaviour::Refuse { lasting });
    let began = Instant::now();
    world.get("/v4/users/self").ok();
    assert!(world.by_itself("GET", "/version", None).is_err());
    let start = json!({ "projectId": world.project_id(), "commandToRun": "true" });
    let token = world.author().token;
    let kept_alive = world.signed(Sign::Token(&token), "POST", "/v4/jobs/start", Some(start));
    assert!(kept_alive.is_err() && jobs(&world) == 0);
    let address = world.sandbox.url().trim_start_matches("http://").to_owned();
    let refused = TcpStream::connect(&address);
    assert!(refused.is_err_and(|problem| problem.kind() == std::io::ErrorKind::ConnectionRefused));
    while TcpStream::connect(&address).is_err() {
        assert!(began.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(began.elapsed() >= lasting);
    assert_eq!(
        world.by_itself("GET", "/version", None).unwrap().status,
        200
    );
}

#[test]
fn a_true_reply_can_be_edited() {
    let edit = Misbehaviour::Edit {
        set: vec![("/jobs/*/statuses/executionStatus".into(), json!("Wobbling"))],
        remove: vec!["/totalCount".into()],
    };
    let world = with("GET /v4/jobs", edit);
    world.run("true", json!({}));
    let path = format!("/v4/jobs?projectId={}", world.project_id());
    let edited = world.get(&path).ok();
    assert_eq!(edited["jobs"][0]["statuses"]["executionStatus"], "Wobbling");
    assert!(edited.get("totalCount").is_none());
    assert_eq!(world.get(&path).ok()["totalCount"], 1);
}

#[test]
fn a_list_can_ignore_what_it_is_asked() {
    let names = vec!["offset".to_owned(), "limit".to_owned()];
    let world = with("/api/users/v1/users", Misbehaviour::IgnoreQuery { names });
    let page = world.get("/api/users/v1/users?offset=2&limit=1").ok();
    assert_eq!(page["users"].as_array().unwrap().len(), 3);
    assert_eq!(page["metadata"]["offset"], 0);
}

fn job_with(fault: JobFault) -> (World, String) {
    let world = World::new();
    world.sandbox.faults().add_job_fault(fault);
    let job = world.run("seq 20", json!({}));
    let id = text(&job["id"]);
    assert_eq!(job["status"], "Succeeded", "the state tells the truth");
    (world, id)
}

fn statuses(world: &World, id: &str) -> (String, bool) {
    let job = world.get(&format!("/v4/jobs/{id}")).ok();
    let statuses = &job["statuses"];
    (
        text(&statuses["executionStatus"]),
        statuses["isCompleted"] == true,
    )
}

#[test]
fn a_job_can_jump_go_backwards_and_speak_in_unknown_words() {
    // The reply to the start is the first look.
    let words = ["Queued", "Running", "Queued", "Wobbling"].map(String::from);
    let (world, id) = job_with(JobFault {
        statuses: words.to_vec(),
        ..JobFault::default()
    });
    let seen: Vec<(String, bool)> = (0..4).map(|_| statuses(&world, &id)).collect();
    let expected = [
        ("Running", false),
        ("Queued", false),
        ("Wobbling", false),
        ("Succeeded", true),
    ];
    assert_eq!(
        seen,
        expected.map(|(word, completed)| (word.to_owned(), completed))
    );
}

#[test]
fn a_job_can_be_stuck_and_completion_can_lag() {
    let (world, id) = job_with(JobFault {
        stuck_at: Some("Preparing".into()),
        ..JobFault::default()
    });
    for _ in 0..5 {
        assert_eq!(statuses(&world, &id), ("Preparing".to_owned(), false));
    }
    let (world, id) = job_with(JobFault {
        completed_lag: 2,
        ..JobFault::default()
    });
    let seen: Vec<(String, bool)> = (0..3).map(|_| statuses(&world, &id)).collect();
    assert!(seen.iter().all(|(word, _)| word == "Succeeded"));
    assert_eq!(
        seen.iter()
            .map(|(_, completed)| *completed)
            .collect::<Vec<_>>(),
        [false, false, true]
    );
}

fn stdout(world: &World, id: &str, query: &str) -> (Vec<String>, Value) {
    let path = format!("/v4/jobs/{id}/logsWithProblemSuggestions?logType=stdout{query}");
    let logset = world.get(&path).ok()["logset"].clone();
    let lines = logset["logContent"].as_array().unwrap();
    (
        lines.iter().map(|line| text(&line["log"])).collect(),
        logset,
    )
}

#[test]
fn a_log_can_repeat_come_late_and_call_itself_complete_too_early() {
    let (world, id) = job_with(JobFault {
        log_repeats: 2,
        ..JobFault::default()
    });
    let (first, logset) = stdout(&world, &id, "&limit=5");
    assert_eq!(first, ["1", "2", "3", "4", "5"]);
    let latest = text(&logset["pagination"]["latestTimeNano"]);
    let (second, _) = stdout(&world, &id, &format!("&limit=5&latestTimeNano={latest}"));
    assert_eq!(second, ["4", "5", "6", "7", "8"]);

    let (world, id) = job_with(JobFault {
        log_late: 1,
        ..JobFault::default()
    });
    let (early, logset) = stdout(&world, &id, "");
    assert!(early.len() < 20 && logset["isComplete"] == false);
    let (late, logset) = stdout(&world, &id, "");
    assert!(late.len() == 20 && logset["isComplete"] == true);

    let (world, id) = job_with(JobFault {
        log_complete_early: true,
        ..JobFault::default()
    });
    let (page, logset) = stdout(&world, &id, "&limit=5");
    assert!(page.len() == 5 && logset["isComplete"] == true);
}

#[test]
fn the_clock_can_be_off() {
    let world = World::new();
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap();
    world.sandbox.faults().skew_clock(3600);
    let job = world.start("true", json!({}));
    let submitted = job["stageTime"]["submissionTime"].as_u64().unwrap();
    assert!(submitted >= now.as_millis() as u64 + 3_599_000);
    let skewed = world.get("/version").headers["date"].clone();
    world.sandbox.faults().skew_clock(0);
    assert_ne!(world.get("/version").headers["date"], skewed);
}

#[test]
fn requests_are_recorded_in_order_with_their_connections() {
    let world = World::new();
    world.get("/version");
    world
        .by_itself("GET", "/v4/users?userName=author", None)
        .unwrap();
    world.signed(Sign::Not, "GET", "/nowhere", None).unwrap();
    let requests = world.sandbox.requests();
    let paths: Vec<&str> = requests
        .iter()
        .map(|request| request.path.as_str())
        .collect();
    assert_eq!(paths, ["/version", "/v4/users", "/nowhere"]);
    assert_eq!(requests[1].query.as_deref(), Some("userName=author"));
    assert_eq!(requests[1].reply.as_ref().unwrap()[0]["userName"], "author");
    assert_eq!(requests[0].connection, requests[2].connection);
    assert_ne!(requests[0].connection, requests[1].connection);
    assert!(!requests[0].overlaps(&requests[1]));
}
