//! The part of GitHub's API that a deploy step uses: who approved this run, who started it and when, who wrote its
//! commit, and how its jobs ended in earlier attempts. It listens on loopback and accepts the job's token only.
//!
//! Where a rehearsal begins with the set-up of GitHub, it serves the repository's settings as well, to the token of
//! whoever sets them up. Every other request is answered 404 and remembered, so that the rehearsal can name it.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::Context;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::approval::Approval;
use crate::job_records::{JobRecord, JobRecords};
use crate::small_github::{Asked, SmallGitHub};

/// A running stand-in for GitHub's API. Dropping it stops it.
pub struct GitHubApi {
    /// Its address, without a final slash.
    pub url: String,
    unknown: Arc<Mutex<Vec<String>>>,
    running: Option<(oneshot::Sender<()>, JoinHandle<()>)>,
}

/// What the API answers about runs.
#[derive(Debug, Clone)]
pub struct Told {
    /// The approvals that were given.
    pub given: Arc<Mutex<Vec<Approval>>>,
    /// How the jobs ended.
    pub records: JobRecords,
    /// When the runs were created, in GitHub's format.
    pub created_at: String,
    /// How they were started.
    pub start: Start,
}

/// How the runs were started.
#[derive(Debug, Clone)]
pub struct Start {
    /// `push` or `workflow_dispatch`.
    pub event: &'static str,
    /// The SHA that is checked out.
    pub commit: String,
    /// Who wrote it.
    pub author: String,
    /// Who started the runs.
    pub actor: String,
    /// Who started this attempt at them.
    pub triggering_actor: String,
}

#[derive(Clone)]
struct Shared {
    token: String,
    told: Told,
    settings: Option<Settings>,
    unknown: Arc<Mutex<Vec<String>>>,
}

/// Repositories' settings, which the API changes while a rehearsal reads them.
pub type Settings = Arc<Mutex<SmallGitHub>>;

impl GitHubApi {
    /// Starts it on a free port of loopback, with these settings if they are set up in this rehearsal.
    ///
    /// # Errors
    /// When no port or no thread is available.
    pub fn start(token: String, told: Told, settings: Option<Settings>) -> anyhow::Result<Self> {
        let listener = std::net::TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))
            .context("cannot listen on loopback")?;
        listener.set_nonblocking(true)?;
        let url = format!("http://{}", listener.local_addr()?);
        let unknown = Arc::new(Mutex::new(Vec::new()));
        let shared = Shared {
            token,
            told,
            settings,
            unknown: unknown.clone(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("github-api".into())
            .spawn(move || {
                runtime.block_on(async {
                    let routes = axum::Router::new()
                        .route(
                            "/repos/{owner}/{repo}/actions/runs/{run_id}/approvals",
                            get(approvals),
                        )
                        .route("/repos/{owner}/{repo}/actions/runs/{run_id}", get(run))
                        .route("/repos/{owner}/{repo}/commits/{commit}", get(commit))
                        .route(
                            "/repos/{owner}/{repo}/actions/runs/{run_id}/jobs",
                            get(jobs),
                        )
                        .route(
                            "/repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs",
                            get(runs),
                        )
                        .fallback(any_other)
                        .with_state(shared);
                    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
                        return;
                    };
                    // Nobody needs a reply that is still being written when the rehearsal ends.
                    tokio::select! {
                        _ = axum::serve(listener, routes) => {}
                        _ = stopped => {}
                    }
                });
            })?;
        Ok(Self {
            url,
            unknown,
            running: Some((stop, thread)),
        })
    }
}

impl GitHubApi {
    /// The requests that it does not know, each once.
    pub fn unknown_questions(&self) -> Vec<String> {
        let mut unknown = self.unknown.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *unknown)
    }
}

impl Drop for GitHubApi {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            // The receiver is closed only if the thread has ended by itself.
            let _ = stop.send(());
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// The workflow of a run, once a job of it has begun.
    fn workflow_of(&self, run_id: u64) -> Option<u64> {
        let records = self.told.records.of_run(run_id);
        records.first().map(|record| number_of(&record.workflow))
    }

    /// Refuses a request without the job's token.
    fn refusal(&self, headers: &HeaderMap) -> Option<Response> {
        let sent = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let sent = sent
            .strip_prefix("Bearer ")
            .or_else(|| sent.strip_prefix("token "));
        (sent != Some(&self.token)).then(|| message(StatusCode::UNAUTHORIZED, "Bad credentials"))
    }
}

/// A run: when it was created, which stays the same when it is run again, and who started it.
async fn run(
    State(shared): State<Shared>,
    Path((_, _, run_id)): Path<(String, String, u64)>,
    headers: HeaderMap,
) -> Response {
    let start = &shared.told.start;
    let told = json!({
        "id": run_id,
        "workflow_id": shared.workflow_of(run_id),
        "created_at": shared.told.created_at,
        "event": start.event,
        "head_sha": start.commit,
        "actor": user(&start.actor),
        "triggering_actor": user(&start.triggering_actor),
    });
    shared
        .refusal(&headers)
        .unwrap_or_else(|| Json(told).into_response())
}

/// The commit that is rehearsed. Every other one is not known.
async fn commit(
    State(shared): State<Shared>,
    Path((_, _, asked)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Response {
    let start = &shared.told.start;
    let told = match asked == start.commit {
        true => Json(json!({
            "sha": start.commit,
            "author": user(&start.author),
            "committer": user(&start.author),
            "parents": [],
        }))
        .into_response(),
        false => message(
            StatusCode::UNPROCESSABLE_ENTITY,
            &format!("No commit found for SHA: {asked}"),
        ),
    };
    shared.refusal(&headers).unwrap_or(told)
}

fn user(login: &str) -> Value {
    json!({ "login": login, "id": 1, "type": "User", "site_admin": false })
}

/// The runs of a workflow. All are of the commit that is rehearsed.
async fn runs(
    State(shared): State<Shared>,
    Path((_, _, workflow_id)): Path<(String, String, u64)>,
    headers: HeaderMap,
) -> Response {
    let records = &shared.told.records;
    let runs = records.runs_of(|file| number_of(file) == workflow_id);
    let commit = &shared.told.start.commit;
    let runs: Vec<Value> = runs
        .into_iter()
        .map(|id| json!({ "id": id, "workflow_id": workflow_id, "head_sha": commit }))
        .collect();
    let told = json!({ "total_count": runs.len(), "workflow_runs": runs });
    shared
        .refusal(&headers)
        .unwrap_or_else(|| Json(told).into_response())
}

/// The number of a workflow file, which is the same in each of its runs.
fn number_of(file: &str) -> u64 {
    let add = |number: u64, byte: u8| (number * 131 + u64::from(byte)) % 1_000_000_007;
    file.bytes().fold(1, add)
}

/// The jobs of a run in all attempts.
async fn jobs(
    State(shared): State<Shared>,
    Path((_, _, run_id)): Path<(String, String, u64)>,
    headers: HeaderMap,
) -> Response {
    let job = |(at, record): (usize, JobRecord)| {
        json!({
            "id": at + 1,
            "run_id": record.run_id,
            "run_attempt": record.attempt,
            "name": record.name,
            "status": if record.result.is_some() { "completed" } else { "in_progress" },
            "conclusion": record.result,
            "runner_name": record.runner,
        })
    };
    let records = shared.told.records.of_run(run_id).into_iter();
    let jobs: Vec<Value> = records.enumerate().map(job).collect();
    let told = json!({ "total_count": jobs.len(), "jobs": jobs });
    shared
        .refusal(&headers)
        .unwrap_or_else(|| Json(told).into_response())
}

async fn approvals(
    State(shared): State<Shared>,
    Path((owner, repo, run_id)): Path<(String, String, u64)>,
    headers: HeaderMap,
) -> Response {
    if let Some(refusal) = shared.refusal(&headers) {
        return refusal;
    }
    let given = shared
        .told
        .given
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let approvals: Vec<Value> = given
        .iter()
        .enumerate()
        .filter(|(_, approval)| approval.run_id == run_id)
        .map(|(at, approval)| {
            let page = format!("https://github.com/{owner}/{repo}");
            json!({
                "state": "approved",
                "comment": "Approved in a rehearsal",
                "environments": [{
                    "id": at + 1,
                    "node_id": format!("rehearsal-{at}"),
                    "name": approval.environment,
                    "url": format!("https://api.github.com/repos/{owner}/{repo}/environments/{}", approval.environment),
                    "html_url": format!("{page}/deployments/activity_log"),
                    "created_at": "2026-01-01T00:00:00Z",
                    "updated_at": "2026-01-01T00:00:00Z",
                }],
                "user": {
                    "login": approval.user,
                    "id": at + 1,
                    "node_id": format!("rehearsal-user-{at}"),
                    "type": "User",
                    "site_admin": false,
                    "html_url": format!("https://github.com/{}", approval.user),
                },
            })
        })
        .collect();
    Json(approvals).into_response()
}

/// The settings, where there are any and it is not a job that asks.
async fn any_other(
    State(shared): State<Shared>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let is_job = shared.refusal(&headers).is_none();
    if let Some(settings) = shared.settings.as_ref().filter(|_| !is_job) {
        return ask(settings, &method, &uri, &headers, &body);
    }
    let asked = format!("{method} {}", uri.path());
    shared
        .unknown
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(asked);
    message(
        StatusCode::NOT_FOUND,
        "Not Found: a rehearsal answers for its own runs only",
    )
}

fn ask(
    settings: &Settings,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    let header = |name: &str| headers.get(name)?.to_str().ok();
    let body: Option<Value> = serde_json::from_slice(body).ok();
    let asked = Asked {
        method: method.as_str(),
        path: uri.path(),
        authorization: header("authorization"),
        accept: header("accept"),
        version: header("x-github-api-version"),
        body: body.as_ref(),
    };
    let mut settings = settings.lock().unwrap_or_else(PoisonError::into_inner);
    let answer = settings.answer(&asked);
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match answer.body {
        Some(body) => (status, Json(body)).into_response(),
        None => status.into_response(),
    }
}

fn message(status: StatusCode, text: &str) -> Response {
    let body = json!({ "message": text, "documentation_url": "https://docs.github.com/rest", "status": status.as_str() });
    (status, Json(body)).into_response()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::*;
    use crate::small_github::Repository;

    fn ask(url: &str, path: &str, token: &str) -> (String, Value) {
        let mut stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nAccept: application/vnd.github+json\r\nX-GitHub-Api-Version: 2022-11-28\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().to_owned();
        (status, serde_json::from_str(body).unwrap())
    }

    #[test]
    fn what_became_of_a_run_is_told_to_its_own_token_only() {
        let approval = |run_id| Approval {
            run_id,
            environment: "PROD".into(),
            user: "ann".into(),
        };
        let record = |attempt, result: Option<&str>| JobRecord {
            run_id: 7,
            workflow: "deploy-apps.yml".into(),
            attempt,
            id: "dev".into(),
            name: "Deploy to dev".into(),
            runner: Some("rehearsal-1".into()),
            result: result.map(str::to_owned),
            outputs: Vec::new(),
        };
        let records = JobRecords::of_earlier(vec![record(1, Some("failure")), record(2, None)]);
        let told = Told {
            given: Arc::new(Mutex::new(vec![approval(7), approval(8)])),
            records,
            created_at: "2026-01-01T00:00:00Z".into(),
            start: Start {
                event: "workflow_dispatch",
                commit: "abc".into(),
                author: "ann".into(),
                actor: "ben".into(),
                triggering_actor: "cleo".into(),
            },
        };
        let mut own = SmallGitHub::new("the-owner's");
        own.repositories
            .insert("acme/wine".into(), Repository::default());
        let settings = Arc::new(Mutex::new(own));
        let api = GitHubApi::start("the-token".into(), told, Some(settings)).unwrap();
        let path = "/repos/acme/wine/actions/runs/7/approvals";
        let (status, body) = ask(&api.url, path, "the-token");
        assert_eq!(
            (status.as_str(), body.as_array().unwrap().len()),
            ("200", 1)
        );
        assert_eq!(body[0]["user"]["login"], "ann");
        assert_eq!(body[0]["environments"][0]["name"], "PROD");
        let run = "/repos/acme/wine/actions/runs/7";
        let (_, jobs) = ask(&api.url, &format!("{run}/jobs?filter=all"), "the-token");
        assert_eq!(jobs["total_count"], 2);
        assert_eq!(jobs["jobs"][0]["conclusion"], "failure");
        assert_eq!(jobs["jobs"][1]["status"], "in_progress");
        assert_eq!(jobs["jobs"][1]["runner_name"], "rehearsal-1");
        let (_, made) = ask(&api.url, run, "the-token");
        assert_eq!(made["created_at"], "2026-01-01T00:00:00Z");
        assert_eq!(made["event"], "workflow_dispatch");
        assert_eq!(made["triggering_actor"]["login"], "cleo");
        let (_, commit) = ask(&api.url, "/repos/acme/wine/commits/abc", "the-token");
        assert_eq!(commit["author"]["login"], "ann");
        let (status, _) = ask(&api.url, "/repos/acme/wine/commits/def", "the-token");
        assert_eq!(status, "422");
        for path in [
            path,
            run,
            &format!("{run}/jobs"),
            "/repos/acme/wine/commits/abc",
        ] {
            assert_eq!(ask(&api.url, path, "another").0, "401", "{path}");
        }
        assert_eq!(
            ask(&api.url, "/repos/acme/wine/issues", "the-token").0,
            "404"
        );
        assert_eq!(api.unknown_questions(), ["GET /repos/acme/wine/issues"]);
        let environments = "/repos/acme/wine/environments";
        let (status, all) = ask(&api.url, environments, "the-owner's");
        assert_eq!((status.as_str(), &all["total_count"]), ("200", &json!(0)));
        assert_eq!(ask(&api.url, environments, "the-token").0, "404");
        assert_eq!(ask(&api.url, environments, "another").0, "401");
    }
}
