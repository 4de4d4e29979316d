//! A sandbox with a small repository of its own, and a client for it that accepts every status. Each reply of the
//! sandbox must match Domino's specs, if `DOMINO_OPENAPI` names them, in every test; requests are wrong on purpose
//! here and are not checked.

use std::cell::Cell;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use domino_contract::{Contract, Exchange, Verdict};
use domino_sandbox::{Account, Options, Sandbox, Seed};
use serde_json::{Value, json};
use tempfile::TempDir;

/// What no test needs longer than.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub struct World {
    pub sandbox: Sandbox,
    pub repository: TempDir,
    agent: ureq::Agent,
    beyond_the_specs: Cell<bool>,
}

/// One reply, whatever its status.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub content_type: String,
    pub headers: ureq::http::HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The JSON of a reply that has to be 200.
    #[track_caller]
    pub fn ok(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text());
        self.json()
    }
}

/// Who a request is from.
#[derive(Clone, Copy)]
pub enum Sign<'a> {
    Token(&'a str),
    Key(&'a str),
    Header(&'a str, &'a str),
    /// A token, in the context of a run.
    InContext(&'a str, &'a str),
    Not,
}

impl World {
    pub fn new() -> Self {
        World::with(Options::default())
    }

    pub fn seeded(seed: Seed) -> Self {
        World::with(Options {
            seed,
            ..Options::default()
        })
    }

    pub fn with(options: Options) -> Self {
        World::within("", options)
    }

    /// A sandbox that is given a folder within its repository.
    pub fn within(folder: &str, options: Options) -> Self {
        let repository = repository();
        let given = repository.path().join(folder);
        std::fs::create_dir_all(&given).unwrap();
        let sandbox = Sandbox::start(Options {
            repository: given,
            ..options
        })
        .unwrap();
        World::of(sandbox, repository)
    }

    /// A sandbox that was started for this repository.
    pub fn of(sandbox: Sandbox, repository: TempDir) -> Self {
        World {
            sandbox,
            repository,
            agent: agent(),
            beyond_the_specs: Cell::new(false),
        }
    }

    pub fn author(&self) -> Account {
        self.sandbox.user("author")
    }

    /// A request of `author`, signed in with the token.
    pub fn get(&self, path: &str) -> Reply {
        self.request("GET", path, None)
    }

    pub fn post(&self, path: &str, body: Value) -> Reply {
        self.request("POST", path, Some(body))
    }

    pub fn request(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let token = self.author().token;
        self.signed(Sign::Token(&token), method, path, body)
            .unwrap()
    }

    pub fn signed(
        &self,
        sign: Sign<'_>,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Reply, ureq::Error> {
        self.attempt(&self.agent, sign, method, path, body)
    }

    /// A request on a connection of its own, whose failure is a result.
    pub fn by_itself(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Reply, ureq::Error> {
        let token = self.author().token;
        self.attempt(&agent(), Sign::Token(&token), method, path, body)
    }

    /// A form as a browser sends it from a page of `origin`, without any credential.
    pub fn send_form(&self, path: &str, origin: &str, form: &str) -> Reply {
        let request = ureq::http::Request::builder()
            .method("POST")
            .uri(format!("{}{path}", self.sandbox.url()))
            .header("origin", origin)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form)
            .unwrap();
        let mut response = self.agent.run(request).unwrap();
        Reply {
            status: response.status().as_u16(),
            content_type: String::new(),
            headers: response.headers().clone(),
            body: response.body_mut().read_to_vec().unwrap(),
        }
    }

    /// A request of `author` with bytes that are no JSON.
    pub fn send_bytes(&self, method: &str, path: &str, body: &[u8]) -> Reply {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.sandbox.url()))
            .header("authorization", format!("Bearer {}", self.author().token))
            .header("content-type", "application/octet-stream")
            .body(body)
            .unwrap();
        let mut response = self.agent.run(request).unwrap();
        Reply {
            status: response.status().as_u16(),
            content_type: String::new(),
            headers: response.headers().clone(),
            body: response.body_mut().read_to_vec().unwrap(),
        }
    }

    fn attempt(
        &self,
        agent: &ureq::Agent,
        sign: Sign<'_>,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Reply, ureq::Error> {
        let mut request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.sandbox.url()));
        request = match sign {
            Sign::Token(token) => request.header("authorization", format!("Bearer {token}")),
            Sign::Key(key) => request.header("x-domino-api-key", key),
            Sign::Header(name, value) => request.header(name, value),
            Sign::InContext(token, context) => request
                .header("authorization", format!("Bearer {token}"))
                .header("x-domino-execution", context),
            Sign::Not => request,
        };
        let mut response = match body {
            Some(body) => agent.run(
                request
                    .header("content-type", "application/json")
                    .body(body.to_string())
                    .unwrap(),
            )?,
            None => agent.run(request.body(()).unwrap())?,
        };
        let body = response
            .body_mut()
            .with_config()
            .limit(u64::MAX)
            .read_to_vec()?;
        let header = response.headers().get("content-type");
        Ok(Reply {
            status: response.status().as_u16(),
            content_type: header
                .map(|v| v.to_str().unwrap().to_owned())
                .unwrap_or_default(),
            headers: response.headers().clone(),
            body,
        })
    }

    /// The id of the first project of the seed.
    pub fn project_id(&self) -> String {
        text(&self.sandbox.state()["projects"][0]["id"])
    }

    /// Starts a job of `author` with more fields than project and command.
    pub fn start(&self, command: &str, more: Value) -> Value {
        let mut body = json!({ "projectId": self.project_id(), "commandToRun": command });
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        self.post("/v4/jobs/start", body).ok()
    }

    /// What this test sees is not as the specs say, and rightly so: `_why`.
    pub fn is_beyond_the_specs(&self, _why: &str) {
        self.beyond_the_specs.set(true);
    }

    /// Ends the sandbox and gives its repository, which stays.
    pub fn stop(mut self) -> TempDir {
        std::mem::replace(&mut self.repository, tempfile::tempdir().unwrap())
    }

    /// Runs a job to its end and gives its last state.
    pub fn run(&self, command: &str, more: Value) -> Value {
        let id = text(&self.start(command, more)["id"]);
        self.ended(&id)
    }

    /// The state of a job, once it has ended.
    pub fn ended(&self, id: &str) -> Value {
        self.job_once(id, |job| job["isCompleted"] == true)
    }

    /// The state of a job, once it is as wanted.
    #[track_caller]
    pub fn job_once(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let state = self.sandbox.state();
            let jobs = state["jobs"].as_array().unwrap();
            let job = jobs.iter().find(|job| job["id"] == id).unwrap();
            if wanted(job) {
                return job.clone();
            }
            assert!(Instant::now() < deadline, "the job is still {job}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// All of a job's log, page by page, as text.
    pub fn log(&self, id: &str, log_type: &str) -> Vec<String> {
        let path = format!("/v4/jobs/{id}/logsWithProblemSuggestions?logType={log_type}");
        let log = self.get(&path).ok();
        let lines = log["logset"]["logContent"].as_array().unwrap();
        lines.iter().map(|line| text(&line["log"])).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        static CONTRACT: OnceLock<Option<Contract>> = OnceLock::new();
        let contract = CONTRACT.get_or_init(|| Contract::from_environment().unwrap());
        let is_judged = !std::thread::panicking() && !self.beyond_the_specs.get();
        let Some(contract) = contract.as_ref().filter(|_| is_judged) else {
            return;
        };
        let mut verdict = Verdict::default();
        for recorded in self.sandbox.requests() {
            // What a fault made of a reply is not the sandbox's word, OPTIONS and HEAD are nobody's routes, and what
            // the sandbox has for people is none of Domino's.
            let method = recorded.method.as_str();
            let is_own = recorded.path.starts_with("/sandbox/") || recorded.path == "/sign-in";
            if recorded.fault.is_none() && !["OPTIONS", "HEAD"].contains(&method) && !is_own {
                verdict.add(contract.judge_reply(&Exchange {
                    method: &recorded.method,
                    path: &recorded.path,
                    query: recorded.query.as_deref(),
                    body: recorded.body.as_ref(),
                    status: recorded.status,
                    reply: recorded.reply.as_ref(),
                }));
            }
        }
        assert!(
            verdict.findings.is_empty(),
            "not as Domino's specs say:\n{verdict}"
        );
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::new_with_config(
        ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(PATIENCE))
            .build(),
    )
}

#[track_caller]
pub fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

/// A repository with one commit on `main`.
fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    git(folder.path(), &["init", "--quiet", "--initial-branch=main"]);
    commit(folder.path(), "which.txt", "first\n");
    folder
}

/// Commits `content` as the file `name` and gives the new commit.
pub fn commit(repository: &Path, name: &str, content: &str) -> String {
    std::fs::write(repository.join(name), content).unwrap();
    git(repository, &["add", "--", name]);
    git(repository, &["commit", "--quiet", "--message", "change"]);
    git(repository, &["rev-parse", "HEAD"])
}

/// Runs git without anything of the person who runs the tests, and gives what it says.
pub fn git(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["-c", "user.name=test", "-c", "user.email=test@example.com"])
        .args(["-c", "commit.gpgsign=false"])
        .args(arguments)
        .env_remove("GIT_DIR")
        .env_remove("GIT_INDEX_FILE")
        .env_remove("GIT_WORK_TREE")
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
