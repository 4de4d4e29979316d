//! A Domino with one thing of ours in it and one of somebody else's, the verb that is about to run there, and the
//! part of the sandbox's own state that counts.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use crate::built;
use crate::harness::{Run, Scene, Setup, TOKEN, eventually, http};
use crate::models;

/// What a column is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Run,
    Schedule,
    App,
    /// What `deploy-model` publishes.
    Endpoint,
    /// A version of a registered model, and the stage that it is in.
    Version,
}

impl Kind {
    /// Whether it is about models.
    pub fn of_models(self) -> bool {
        matches!(self, Kind::Endpoint | Kind::Version)
    }
}

/// A verb that writes.
pub struct Column {
    pub name: &'static str,
    pub kind: Kind,
    /// The program and its arguments, without the stage.
    pub program: &'static str,
    pub arguments: &'static [&'static str],
    /// Whether it ends or deletes the thing.
    pub ends: bool,
    /// The release of Domino's.
    pub version: &'static str,
}

impl Column {
    /// The flag before the stage.
    fn flag(&self) -> &'static str {
        match self.kind {
            Kind::Version => "--to",
            _ => "--stage",
        }
    }
}

/// Stages with projects of their own, as most have them. The file says no more than it must, but for the app.
const STAGES: &str = r#"
[defaults]
host = "domino.example.com"
environment = "Standard"

[stage.dev]
project = "wine-team/wine-dev"
hardware-tier = "dev-small"
github-environment = "DEV"

[stage.prod]
project = "wine-team/wine"
hardware-tier = "prod-small"
github-environment = "PROD"

[job.train]
command = "wait.py"

[job.score]
command = "score.py"
schedule = { cron = "0 0 6 ? * MON-FRI", paused = ["dev"] }

[app.dashboard]
entry-point = "app.sh"
description = "The numbers"
visibility = "authenticated"
health-path = "/healthz"
"#;

const WAIT: &str = "import time\ntime.sleep(600)\n";
const SERVER: &str = r#"
import contextlib, os, socket
with socket.create_server((os.environ["APP_HOST"], int(os.environ["APP_PORT"]))) as server:
    while True:
        connection, _ = server.accept()
        with connection, contextlib.suppress(OSError):
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
"#;

/// The deployment, and who has changed what of it meanwhile.
pub struct World {
    pub scene: Scene,
    pub column: &'static Column,
    pub stage: &'static str,
    /// What is given to the verb besides.
    pub more: Vec<String>,
}

impl World {
    /// With our thing deployed by a workflow run, and one beside it that is none of ours.
    pub fn of(column: &'static Column, version: &str) -> Self {
        let stages = match column.kind {
            Kind::Endpoint => models::PUBLISHED,
            Kind::Version => models::PROMOTED,
            _ => STAGES,
        };
        let mut scene = Setup {
            stages,
            files: &[
                ("wait.py", WAIT),
                ("score.py", "print('scored')\n"),
                ("app.sh", "exec python3 -I -S server.py\n"),
                ("server.py", SERVER),
            ],
            version,
            ..Setup::of(program(column.program))
        }
        .scene();
        scene.on_github("77");
        let world = Self {
            scene,
            column,
            stage: "prod",
            more: Vec::new(),
        };
        if column.kind.of_models() {
            models::register(&world, "wine");
        }
        world
    }

    /// Makes the thing that is none of ours, which nothing may touch.
    pub fn make_bystander(&self) {
        let project = self.project();
        match self.column.kind {
            Kind::Run => {
                let body = json!({ "projectId": project, "commandToRun": "wait.py 2", "title": "Ann's",
                    "mainRepoGitRef": { "type": "commitId", "value": self.scene.commit } });
                self.by_hand("POST", "/v4/jobs/start", Some(&body));
            }
            Kind::Schedule => {
                let body = json!({ "title": "Ann's", "command": "report.py",
                    "schedule": { "cronString": "0 0 6 ? * MON-FRI", "isCustom": true }, "timezoneId": "UTC",
                    "isPaused": false, "allowConcurrentExecution": false, "hardwareTierIdentifier": "prod-small-k8s",
                    "environmentRevisionSpec": "ActiveRevision", "scheduledByUserId": self.user(),
                    "notifyOnCompleteEmailAddresses": [] });
                self.by_hand(
                    "POST",
                    &format!("/v4/projects/{project}/scheduledjobs"),
                    Some(&body),
                );
            }
            Kind::App => {
                let body = json!({
                    "modelProductType": "APP", "projectId": project, "name": "Ann's", "entryPoint": "ann.sh",
                    "created": "2026-01-01T00:00:00Z", "lastUpdated": "2026-01-01T00:00:00Z", "status": "",
                    "media": [], "tags": [], "stats": { "usageCount": 0 }, "id": "0".repeat(24),
                    "permissionsData": { "visibility": "PUBLIC", "discoverable": true, "appAccessStatus": "ALLOWED",
                                         "pendingInvitations": [], "accessRequestStatuses": {} } });
                self.by_hand("POST", "/v4/modelProducts", Some(&body));
            }
            Kind::Endpoint | Kind::Version => models::make_bystander(self),
        }
    }

    /// Runs the verb that makes the thing what the file says.
    pub fn deploy(&self) -> Run {
        let arguments: &[&str] = match self.column.kind {
            Kind::Endpoint | Kind::Version => return models::deploy(self),
            Kind::Run => &["start", "train", "--no-wait"],
            Kind::Schedule => &["schedule", "score"],
            _ => &["publish", "dashboard"],
        };
        self.scene
            .run(&[arguments, &["--stage", self.stage]].concat())
    }

    /// Runs the column's verb.
    pub fn run_verb(&self) -> Run {
        let more = self.more.iter().map(String::as_str);
        let arguments = self.column.arguments.iter().copied();
        let arguments: Vec<&str> = arguments
            .chain([self.column.flag(), self.stage])
            .chain(more)
            .collect();
        self.scene.run(&arguments)
    }

    /// A commit more, in the workflow run that is of it; and a version more of a model.
    pub fn commit(&mut self, run: &str) {
        if self.column.kind.of_models() {
            models::register(self, "wine");
        }
        let name = format!("more-{run}.txt");
        self.scene.commit_file(&name, "more\n");
        self.scene.on_github(run);
    }

    /// A request as a person sends it.
    #[track_caller]
    pub fn by_hand(&self, method: &str, path: &str, body: Option<&Value>) -> Value {
        let url = format!("{}{path}", self.scene.sandbox.url());
        let bearer = format!("Bearer {TOKEN}");
        let (status, reply) = http::send(method, &url, &[("authorization", &bearer)], body);
        assert!((200..300).contains(&status), "{method} {path}: {reply}");
        reply
    }

    /// The id of the stage's project.
    pub fn project(&self) -> String {
        let name = if self.stage == "dev" {
            "wine-dev"
        } else {
            "wine"
        };
        let state = self.scene.sandbox.state();
        let projects = state["projects"].as_array().unwrap();
        let project = projects.iter().find(|project| project["name"] == name);
        project.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// The id of the account that everything here runs as.
    pub fn user(&self) -> String {
        let state = self.scene.sandbox.state();
        let users = state["users"].as_array().unwrap();
        let user = users.iter().find(|user| user["userName"] == "ci-bot");
        user.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// What of the state counts: by id, each thing of the column's kind with what people can set.
    pub fn things(&self) -> Map<String, Value> {
        let state = self.scene.sandbox.state();
        let of = |key: &str| state[key].as_array().cloned().unwrap_or_default();
        let things = match self.column.kind {
            Kind::Run => of("jobs").iter().map(run_facts).collect(),
            Kind::Schedule => of("scheduledJobs"),
            Kind::App => of("apps").iter().map(app_facts).collect(),
            Kind::Endpoint | Kind::Version => models::things(&state),
        };
        let with_id = |thing: Value| (thing["id"].as_str().unwrap().to_owned(), thing);
        things.into_iter().map(with_id).collect()
    }

    /// The id of the thing that is ours: the first that is not the bystander.
    pub fn ours(&self) -> String {
        let things = self.things();
        let mut ours = things.iter().filter(|(_, thing)| !is_bystander(thing));
        ours.next().unwrap().0.clone()
    }

    /// How many processes of apps are alive.
    pub fn processes(&self) -> usize {
        let state = self.scene.sandbox.state();
        let lists = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
        let versions = lists(&state, "apps")
            .into_iter()
            .flat_map(|app| lists(&app, "versions"));
        let instances = versions.flat_map(|version| lists(&version, "instances"));
        instances
            .filter(|instance| instance["isProcessAlive"] == true)
            .count()
    }

    /// Waits until what was begun has settled.
    pub fn settle(&self) {
        let busy = [
            "Queued",
            "Scheduled",
            "Preparing",
            "Pulling",
            "Stopping",
            "StopRequested",
            "Building",
            "Starting",
        ];
        eventually("everything has settled", || {
            let things = self.things();
            !things
                .values()
                .any(|thing| busy.iter().any(|word| thing["status"] == *word))
        });
    }
}

pub fn is_bystander(thing: &Value) -> bool {
    thing["title"] == "Ann's" || thing["name"] == "Ann's"
}

fn run_facts(run: &Value) -> Value {
    json!({ "id": run["id"], "title": run["title"], "command": run["command"], "status": run["status"],
            "goes on": run["isCompleted"] == false })
}

fn app_facts(app: &Value) -> Value {
    let versions = app["versions"].as_array().unwrap();
    let started = |version: &&Value| {
        version["instances"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    };
    let current = versions.iter().rfind(started).or(versions.last());
    let mut facts = json!({ "id": app["id"], "serves": app["serving"] != Value::Null, "status": app["status"] });
    for key in [
        "name",
        "description",
        "entryPoint",
        "visibility",
        "vanityUrl",
        "isArchived",
    ] {
        facts[key] = app[key].clone();
    }
    for key in [
        "hardwareTierId",
        "environmentId",
        "environmentRevisionId",
        "bundleId",
        "externalVolumeMountIds",
        "netAppVolumeIds",
        "extendedIdentityPropagationToAppsEnabled",
        "autoscalingSpecification",
    ] {
        facts[key] = current.map_or(Value::Null, |current| current[key].clone());
    }
    let tags = current.and_then(|current| current["tags"].as_array().cloned());
    let of_people = |tag: &Value| tag["key"] != "deploy-app";
    facts["tags"] = tags
        .unwrap_or_default()
        .into_iter()
        .filter(of_people)
        .collect();
    facts["commit"] = current.map_or(Value::Null, |current| current["gitRef"]["value"].clone());
    facts
}

/// The path of a program, for as long as this test runs.
pub fn program(name: &str) -> &'static str {
    static FOLDER: OnceLock<String> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| built::folder().display().to_string());
    Box::leak(format!("{folder}/{name}").into_boxed_str())
}
