//! Scenes with an app: a page with one word, and what is known about the processes that serve it.

use std::io::{Read, Write};
use std::net::TcpStream;

use domino_sandbox::HardwareTierSeed;
use serde_json::{Value, json};

use crate::harness::{Run, STAGES, Scene, Setup, TOKEN};

const PROGRAM: &str = env!("CARGO_BIN_EXE_deploy-app");

/// A Domino of each generation of the API for apps.
pub const ALL: [&str; 3] = [V1, BETA, V4];
/// `/api/apps/v1`.
pub const V1: &str = "6.4";
/// `/api/apps/beta`.
pub const BETA: &str = "6.3, apps v1 404";
/// `/v4/modelProducts`.
pub const V4: &str = "5.9";

/// Tells the story on each generation, side by side: most of it is waiting.
pub fn on_all(story: impl Fn(&str) + Sync) {
    std::thread::scope(|scope| {
        let stories = ALL.map(|version| (version, scope.spawn(|| story(version))));
        for (version, told) in stories {
            if let Err(panic) = told.join() {
                eprintln!("this was on {version}");
                std::panic::resume_unwind(panic);
            }
        }
    });
}

/// The command that most tests are about.
pub const PUBLISH: &[&str] = &["publish", "dashboard", "--stage", "dev"];

const APP: &str = r#"
[app.dashboard]
entry-point = "app.sh"
description = "The numbers"
visibility = "authenticated"
health-path = "/healthz"
"#;

/// Answers `/healthz` with the word that it is started with, and everything else with 404. With nothing but sockets,
/// and without the packages of the machine: it is started many hundred times.
const SERVER: &str = r#"
import contextlib, os, socket, sys

word = sys.argv[1].encode()
print("serving", sys.argv[1], flush=True)
with socket.create_server((os.environ["APP_HOST"], int(os.environ["APP_PORT"]))) as server:
    while True:
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            asked = b""
            while b"\r\n\r\n" not in asked and (more := connection.recv(4096)):
                asked += more
            if asked:
                status = b"200 OK" if asked.split(b" ")[1].endswith(b"/healthz") else b"404 Not Found"
                head = b"HTTP/1.1 %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n"
                connection.sendall(head % (status, len(word)) + word)
"#;

/// An entry point that serves a page with this word.
pub fn app_script(word: &str) -> String {
    format!("exec python3 -I -S server.py {word}\n")
}

/// A scene with an app in it.
pub struct Scenery {
    pub scene: Scene,
}

impl Scenery {
    /// The usual one on a Domino of this version.
    pub fn of(version: &str) -> Self {
        Self::with(version, "", Self::made)
    }

    /// One with more in its stage file, made in another way.
    pub fn with(version: &str, more: &str, make: impl FnOnce(Setup<'_>) -> Self) -> Self {
        let stages = format!("{STAGES}{APP}{more}");
        let app = app_script("one");
        make(Setup {
            stages: &stages,
            files: &[("app.sh", &app), ("server.py", SERVER)],
            version,
            ..Setup::of(PROGRAM)
        })
    }

    pub fn made(setup: Setup<'_>) -> Self {
        let scenery = Self {
            scene: setup.scene(),
        };
        let openly = scenery.scene.sandbox.requests().is_empty();
        assert!(openly, "nothing has asked yet");
        scenery
    }

    /// One with another hardware tier, `big`, and another compute environment, `Other`.
    pub fn roomy(version: &str) -> Self {
        Self::with(version, "", |setup| {
            Self::made(Setup {
                seed: |seed| {
                    seed.hardware_tier(HardwareTierSeed::new("big-k8s", "big").on("dev-plane"))
                        .environment("Other")
                },
                ..setup
            })
        })
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.scene.run(arguments)
    }

    /// Commits another entry point.
    pub fn commit_app(&mut self, script: &str) {
        self.scene.commit_file("app.sh", script);
    }

    /// Adds to the stage file, which is not what is deployed.
    pub fn stages(&self, more: &str) {
        let path = self.scene.path().join("stages.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(path, format!("{text}\n{more}\n")).unwrap();
    }

    /// Changes the stage file.
    pub fn replace_in_stages(&self, from: &str, to: &str) {
        let path = self.scene.path().join("stages.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(path, text.replace(from, to)).unwrap();
    }

    /// The one app, as the sandbox knows it.
    #[track_caller]
    pub fn app(&self) -> Value {
        let state = self.scene.sandbox.state();
        let apps = state["apps"].as_array().unwrap();
        assert_eq!(apps.len(), 1, "{state:#}");
        apps[0].clone()
    }

    /// The instances whose processes are alive.
    pub fn alive(&self) -> Vec<Value> {
        self.instances()
            .into_iter()
            .filter(|instance| instance["isProcessAlive"] == true)
            .collect()
    }

    /// Every instance there ever was.
    pub fn instances(&self) -> Vec<Value> {
        let state = self.scene.sandbox.state();
        let lists = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
        lists(&state, "apps")
            .iter()
            .flat_map(|app| lists(app, "versions"))
            .flat_map(|version| lists(&version, "instances"))
            .collect()
    }

    /// The commit that the app's address leads to.
    pub fn served(&self) -> Option<String> {
        let serving = self.app()["serving"].clone();
        self.instances()
            .into_iter()
            .find(|instance| instance["id"] == serving)
            .and_then(|instance| instance["commit"].as_str().map(str::to_owned))
    }

    /// Requires that one process is alive, of this commit, and that the app's address leads to it.
    #[track_caller]
    pub fn serves_alone(&self, commit: &str) -> Value {
        let alive = self.alive();
        assert_eq!(alive.len(), 1, "{alive:#?}");
        assert_eq!(alive[0]["commit"], commit);
        assert_eq!(self.app()["serving"], alive[0]["id"]);
        alive[0].clone()
    }

    /// What the app itself answers below its address.
    pub fn page(&self, path: &str) -> String {
        let url = self.app()["url"].as_str().unwrap().to_owned();
        let path = format!(
            "{}{path}",
            url.strip_prefix(self.scene.sandbox.url()).unwrap()
        );
        self.exchange("GET", &path, None)
    }

    /// Makes an app of this name, as a person does.
    pub fn create_by_hand(&self, name: &str) {
        let state = self.scene.sandbox.state();
        let project = state["projects"][0]["id"].as_str().unwrap().to_owned();
        let body = json!({
            "modelProductType": "APP", "projectId": project, "name": name, "entryPoint": "app.sh",
            "created": "2026-01-01T00:00:00Z", "lastUpdated": "2026-01-01T00:00:00Z", "status": "", "media": [], "tags": [], "stats": {"usageCount": 0},
            "id": "0".repeat(24),
            "permissionsData": {"visibility": "PUBLIC", "discoverable": true, "appAccessStatus": "ALLOWED",
                                "pendingInvitations": [], "accessRequestStatuses": {}},
        });
        self.exchange("POST", "/v4/modelProducts", Some(&body));
    }

    /// One request by hand; the body of the answer.
    pub fn exchange(&self, method: &str, path: &str, body: Option<&Value>) -> String {
        let address = self.scene.sandbox.url().strip_prefix("http://").unwrap();
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut stream = TcpStream::connect(address).unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {TOKEN}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        // A body of unknown length comes in chunks, each after its size.
        match body.split_once("\r\n") {
            Some((size, rest)) if usize::from_str_radix(size, 16).is_ok() => {
                rest.split("\r\n").next().unwrap_or_default().to_owned()
            }
            _ => body.to_owned(),
        }
    }

    /// What was written since then, as `METHOD /path`.
    pub fn writes_since(&self, from: usize) -> Vec<String> {
        let mut writes = self.scene.requests_since(from);
        writes.retain(|request| !request.starts_with("GET "));
        writes
    }

    /// Requires that nothing was written since then.
    #[track_caller]
    pub fn only_reads_since(&self, from: usize) {
        assert_eq!(self.writes_since(from), [""; 0]);
    }

    /// A run without the lines of the app's log: how many there are depends on when it is looked at.
    pub fn without_page_log(&self, run: &Run) -> String {
        let text = run.to_string();
        let lines = text.lines().filter(|line| !line.starts_with("  | "));
        lines.flat_map(|line| [line, "\n"]).collect()
    }

    /// A run with the commits of before masked as well.
    pub fn without_commit(&self, run: &Run) -> String {
        let whole = regex::Regex::new(r"\b[0-9a-f]{40}\b").unwrap();
        let short = regex::Regex::new(r"\b[0-9a-f]{12}\b").unwrap();
        let text = self.without_page_log(run);
        let text = whole.replace_all(&text, "[commit before]").into_owned();
        short.replace_all(&text, "[short before]").into_owned()
    }
}
