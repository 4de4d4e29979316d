//! The experiment manager over HTTP, as MLflow's own server answers it.

use domino_sandbox::Options;
use serde_json::{Value, json};

use crate::world::{Reply, World, text};

impl World {
    /// A call of MLflow's API that is sent as JSON.
    pub fn mlflow(&self, method: &str, route: &str, body: Value) -> Reply {
        self.request(method, &format!("/api/2.0/mlflow/{route}"), Some(body))
    }

    pub fn mlflow_get(&self, route_and_query: &str) -> Reply {
        self.get(&format!("/api/2.0/mlflow/{route_and_query}"))
    }

    /// A run with nothing in it, in an experiment of its own.
    pub fn mlflow_run(&self) -> Value {
        let experiment = json!({ "name": format!("e-{}", self.sandbox.requests().len()) });
        let experiment = self.mlflow("POST", "experiments/create", experiment).ok();
        let body = json!({ "experiment_id": experiment["experiment_id"], "run_name": "r" });
        self.mlflow("POST", "runs/create", body).ok()["run"]["info"].clone()
    }

    /// Puts a file among the artifacts of a run.
    pub fn upload(&self, run: &Value, path: &str, content: &[u8]) {
        let root = text(&run["artifact_uri"]);
        let root = root.strip_prefix("mlflow-artifacts:/").unwrap();
        let path = format!("/api/2.0/mlflow-artifacts/artifacts/{root}/{path}");
        let reply = self.send_bytes("PUT", &path, content);
        assert_eq!(reply.status, 200, "{}", reply.text());
    }

    /// Makes another version of the registered model `name`, of the run's folder `model`.
    pub fn register(&self, name: &str, run: &Value) -> Value {
        self.mlflow("POST", "registered-models/create", json!({ "name": name }));
        let id = text(&run["run_id"]);
        let body = json!({ "name": name, "run_id": id, "source": format!("runs:/{id}/model") });
        self.mlflow("POST", "model-versions/create", body).ok()["model_version"].clone()
    }

    fn transition(&self, version: &str, stage: &str, archives: bool) -> Reply {
        let body = json!({
            "name": "wine",
            "version": version,
            "stage": stage,
            "archive_existing_versions": archives,
        });
        self.mlflow("POST", "model-versions/transition-stage", body)
    }
}

#[track_caller]
pub fn refused(reply: &Reply, status: u16, code: &str) {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(reply.json()["error_code"], code, "{}", reply.text());
    assert!(reply.json()["message"].is_string());
}

#[test]
fn a_run_keeps_what_is_logged_and_its_files() {
    let world = World::new();
    let run = world.mlflow_run();
    let id = text(&run["run_id"]);
    assert_eq!(run["user_id"], "author");
    assert_eq!(run["status"], "RUNNING");
    let batch = json!({
        "run_id": id,
        "metrics": [{ "key": "rmse", "value": 0.5, "timestamp": 1, "step": 0 },
                    { "key": "rmse", "value": 0.25, "timestamp": 2, "step": 1 }],
        "params": [{ "key": "seed", "value": "7" }],
        "tags": [{ "key": "mlflow.user", "value": "author" }],
    });
    world.mlflow("POST", "runs/log-batch", batch).ok();
    let ended = json!({ "run_id": id, "status": "FINISHED", "end_time": 3 });
    world.mlflow("POST", "runs/update", ended).ok();
    let run_now = world.mlflow_get(&format!("runs/get?run_id={id}")).ok();
    assert_eq!(run_now["run"]["info"]["status"], "FINISHED");
    let data = &run_now["run"]["data"];
    let newest = json!([{ "key": "rmse", "value": 0.25, "timestamp": 2, "step": 1 }]);
    assert_eq!(data["metrics"], newest);
    assert_eq!(data["params"], json!([{ "key": "seed", "value": "7" }]));

    let changed = json!({ "run_id": id, "key": "seed", "value": "8" });
    let changed = world.mlflow("POST", "runs/log-parameter", changed);
    refused(&changed, 400, "INVALID_PARAMETER_VALUE");

    world.upload(&run, "model/MLmodel", b"{}");
    let listed = world
        .mlflow_get(&format!("artifacts/list?run_id={id}&path=model"))
        .ok();
    let file = json!([{ "path": "model/MLmodel", "is_dir": false, "file_size": 2 }]);
    assert_eq!(listed["files"], file);
    let root = text(&run["artifact_uri"]).replace("mlflow-artifacts:/", "");
    let artifacts = "/api/2.0/mlflow-artifacts/artifacts";
    let read = world.get(&format!("{artifacts}/{root}/model/MLmodel"));
    assert_eq!(read.body, b"{}");
    let absent = world.get(&format!("{artifacts}/{root}/model/nothing"));
    refused(&absent, 404, "RESOURCE_DOES_NOT_EXIST");
    let outside = world.get(&format!("{artifacts}/%2e%2e/%2e%2e/etc/passwd"));
    refused(&outside, 400, "INVALID_PARAMETER_VALUE");
}

#[test]
fn nobody_gets_at_the_experiment_manager_without_a_credential() {
    let world = World::new();
    let path = "/api/2.0/mlflow/registered-models/search";
    let reply = world.signed(crate::world::Sign::Not, "GET", path, None);
    assert_eq!(reply.unwrap().status, 401);
}

#[test]
fn versions_are_texts_and_start_ready_in_no_stage() {
    let world = World::new();
    let run = world.mlflow_run();
    let first = world.register("wine", &run);
    assert_eq!(first["version"], "1");
    assert_eq!(first["status"], "READY");
    assert_eq!(first["current_stage"], "None");
    assert_eq!(first["description"], "");
    for key in ["tags", "aliases"] {
        assert_eq!(first.get(key), None);
    }
    assert_eq!(world.register("wine", &run)["version"], "2");
    let number = json!({ "name": "wine", "version": 1, "key": "k", "value": "v" });
    let number = world.mlflow("POST", "model-versions/set-tag", number);
    refused(&number, 400, "INVALID_PARAMETER_VALUE");
    let tag = json!({ "name": "wine", "version": "1", "key": "k", "value": "v" });
    world.mlflow("POST", "model-versions/set-tag", tag).ok();
    let tagged = world
        .mlflow_get("model-versions/get?name=wine&version=1")
        .ok();
    let tags = json!([{ "key": "k", "value": "v" }]);
    assert_eq!(tagged["model_version"]["tags"], tags);
    let tag = json!({ "name": "wine", "version": "1", "key": "k" });
    for _ in 0..2 {
        let body = Some(tag.clone());
        let path = "/api/2.0/mlflow/model-versions/delete-tag";
        assert_eq!(world.request("DELETE", path, body).ok(), json!({}));
    }
}

#[test]
fn a_version_moves_between_the_four_stages_and_archives_on_request() {
    let world = World::new();
    let run = world.mlflow_run();
    for _ in 0..3 {
        world.register("wine", &run);
    }
    let moved = world.transition("1", "production", false).ok();
    assert_eq!(moved["model_version"]["current_stage"], "Production");
    world.transition("2", "Production", false).ok();
    let latest = json!({ "name": "wine", "stages": ["Production"] });
    let latest = world.mlflow("POST", "registered-models/get-latest-versions", latest);
    let latest = latest.ok()["model_versions"].clone();
    assert_eq!(latest.as_array().unwrap().len(), 1);
    assert_eq!(latest[0]["version"], "2");
    world.transition("3", "Production", true).ok();
    let state = world.sandbox.state();
    let stages: Vec<&Value> = state["registeredModels"][0]["versions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| &version["stage"])
        .collect();
    assert_eq!(stages, ["Archived", "Archived", "Production"]);

    let unknown = world.transition("3", "Live", false);
    refused(&unknown, 400, "INVALID_PARAMETER_VALUE");
    assert!(
        unknown
            .text()
            .contains("None, Staging, Production, Archived")
    );
    for stage in ["None", "Archived"] {
        refused(&world.transition("3", stage, true), 500, "INTERNAL_ERROR");
    }
    refused(
        &world.transition("9", "Staging", false),
        404,
        "RESOURCE_DOES_NOT_EXIST",
    );
}

#[test]
fn an_alias_moves_keeps_its_case_and_is_400_when_unknown() {
    let world = World::new();
    let run = world.mlflow_run();
    world.register("wine", &run);
    world.register("wine", &run);
    let set = |alias: &str, version: &str| {
        let body = json!({ "name": "wine", "alias": alias, "version": version });
        world.mlflow("POST", "registered-models/alias", body)
    };
    set("champion", "1").ok();
    set("champion", "2").ok();
    let of =
        |alias: &str| world.mlflow_get(&format!("registered-models/alias?name=wine&alias={alias}"));
    let champion = of("champion").ok();
    assert_eq!(champion["model_version"]["version"], "2");
    assert_eq!(champion["model_version"]["aliases"], json!(["champion"]));
    refused(&of("Champion"), 400, "INVALID_PARAMETER_VALUE");
    for reserved in ["latest", "v2", "a b"] {
        refused(&set(reserved, "1"), 400, "INVALID_PARAMETER_VALUE");
    }
    refused(&set("x", "9"), 404, "RESOURCE_DOES_NOT_EXIST");
    let model = world.mlflow_get("registered-models/get?name=wine").ok();
    let aliases = json!([{ "alias": "champion", "version": "2" }]);
    assert_eq!(model["registered_model"]["aliases"], aliases);
    let delete = json!({ "name": "wine", "alias": "champion" });
    for _ in 0..2 {
        let reply = world.mlflow("DELETE", "registered-models/alias", delete.clone());
        assert_eq!(reply.ok(), json!({}));
    }
}

#[test]
fn a_search_goes_by_filters_and_pages() {
    let world = World::new();
    let run = world.mlflow_run();
    for _ in 0..5 {
        world.register("wine", &run);
    }
    world.register("other", &run);
    let search = |query: &str| world.mlflow_get(&format!("model-versions/search?{query}"));
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let page = search(&format!(
            "filter=name%3D%27wine%27&max_results=2&page_token={token}"
        ))
        .ok();
        let versions = page["model_versions"].as_array().unwrap();
        seen.extend(versions.iter().map(|version| text(&version["version"])));
        match page.get("next_page_token") {
            Some(next) => token = text(next),
            None => break,
        }
    }
    seen.sort();
    assert_eq!(seen, ["1", "2", "3", "4", "5"]);
    assert_eq!(search("filter=name%3D%27nothing%27").ok(), json!({}));
    for bad in [
        "filter=current_stage%3D%27Production%27",
        "max_results=300000",
        "page_token=zzz",
    ] {
        refused(&search(bad), 400, "INVALID_PARAMETER_VALUE");
    }
}

#[test]
fn only_who_asks_for_prompts_finds_them_among_the_models() {
    let world = World::new();
    let create = |name: &str, tags: Value| {
        let body = json!({ "name": name, "tags": tags });
        world.mlflow("POST", "registered-models/create", body).ok();
    };
    create("wine", json!([]));
    let prompt = json!({ "key": "mlflow.prompt.is_prompt", "value": "true" });
    create("ask", json!([prompt]));
    let names = |filter: &str| {
        let found = world.mlflow_get(&format!("registered-models/search?filter={filter}"));
        let found = found.ok()["registered_models"].clone();
        let found = found.as_array().cloned().unwrap_or_default();
        found
            .iter()
            .map(|model| text(&model["name"]))
            .collect::<Vec<_>>()
    };
    assert_eq!(names(""), ["wine"]);
    let tag = "tags.%60mlflow.prompt.is_prompt%60";
    assert_eq!(names(&format!("{tag}%20%3D%20%27true%27")), ["ask"]);
    // What MLflow's own client asks for when it lists models.
    assert_eq!(names(&format!("{tag}%20!%3D%20%27true%27")), ["wine"]);
}

#[test]
fn what_is_there_already_is_400_and_what_is_no_route_is_html() {
    let world = World::new();
    let model = json!({ "name": "wine" });
    world
        .mlflow("POST", "registered-models/create", model.clone())
        .ok();
    let again = world.mlflow("POST", "registered-models/create", model);
    refused(&again, 400, "RESOURCE_ALREADY_EXISTS");
    let slash = world.mlflow("POST", "registered-models/create", json!({ "name": "a/b" }));
    refused(&slash, 400, "INVALID_PARAMETER_VALUE");
    let unknown = world.mlflow_get("registered-models/get?name=nothing");
    refused(&unknown, 404, "RESOURCE_DOES_NOT_EXIST");
    for (reply, status) in [
        (world.mlflow_get("no/such/route"), 404),
        (world.mlflow_get("runs/create"), 405),
    ] {
        assert_eq!(reply.status, status);
        assert!(reply.content_type.starts_with("text/html"));
    }
}

#[test]
fn a_version_says_where_its_files_are_and_none_are_on_this_machine() {
    let world = World::new();
    let run = world.mlflow_run();
    world.register("wine", &run);
    let create = |source: &str| {
        let body = json!({ "name": "wine", "source": source });
        world.mlflow("POST", "model-versions/create", body)
    };
    assert_eq!(create("s3://any/where").ok()["model_version"]["run_id"], "");
    for source in [
        "/etc",
        "file:///etc",
        "mlflow-artifacts:/1/x",
        "s3://a/../b",
    ] {
        refused(&create(source), 400, "INVALID_PARAMETER_VALUE");
    }
}

#[test]
fn another_mlflow_server_can_keep_everything() {
    // Any server will do that speaks the same API, such as another sandbox that lets in anybody.
    let real = World::new();
    let token = real.author().token;
    let front = World::with(Options {
        mlflow: Some(relay(real.sandbox.url(), &token)),
        ..Options::default()
    });
    let run = front.mlflow_run();
    front.upload(&run, "model/MLmodel", b"{}");
    front.register("wine", &run);
    assert_eq!(real.sandbox.state()["registeredModels"][0]["name"], "wine");
    assert_eq!(front.sandbox.state()["registeredModels"], Value::Null);
    let model = front.get("/api/registeredmodels/v1/wine").ok();
    assert_eq!(model["latestVersion"], 1);
    let absent = front.mlflow_get("registered-models/get?name=nothing");
    refused(&absent, 404, "RESOURCE_DOES_NOT_EXIST");
    assert!(front.get("/api/registeredmodels/v1/nothing").status == 404);
    // No credential of this Domino reaches the server behind it.
    assert!(!real.sandbox.requests().is_empty());
    let passed = real.sandbox.requests();
    assert!(passed.iter().all(|request| {
        request
            .headers
            .iter()
            .all(|(name, _)| name != "x-relayed-authorization")
    }));
}

#[test]
fn an_mlflow_server_that_is_not_there_is_502() {
    let front = World::with(Options {
        mlflow: Some("http://127.0.0.1:9".into()),
        ..Options::default()
    });
    let reply = front.mlflow_get("registered-models/search");
    assert_eq!(reply.status, 502);
    assert_eq!(front.get("/api/registeredmodels/v2").status, 500);
}

/// A server that adds `token` to each request and passes it on to `to`; a request that comes with
/// a credential is passed on with a mark.
fn relay(to: &str, token: &str) -> String {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};

    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (to, token) = (to.replace("http://", ""), token.to_owned());
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (to, token) = (to.clone(), token.clone());
            std::thread::spawn(move || {
                let mut client = client.unwrap();
                let mut reader = BufReader::new(client.try_clone().unwrap());
                let mut head = String::new();
                let mut length = 0;
                loop {
                    let mut line = String::new();
                    if reader.read_line(&mut line).unwrap() == 0 {
                        return;
                    }
                    let lower = line.to_lowercase();
                    if let Some(value) = lower.strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    if lower.starts_with("authorization:") || lower.starts_with("x-domino") {
                        head += "x-relayed-authorization: yes\r\n";
                        continue;
                    }
                    if line == "\r\n" {
                        break;
                    }
                    head += &line;
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let mut server = TcpStream::connect(to).unwrap();
                write!(
                    server,
                    "{head}authorization: Bearer {token}\r\nconnection: close\r\n\r\n"
                )
                .unwrap();
                server.write_all(&body).unwrap();
                // The client may be gone already.
                let _ = std::io::copy(&mut server, &mut client);
            });
        }
    });
    address
}
