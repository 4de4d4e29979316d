//! Who may call a model, and what it answers.

use domino_sandbox::Options;
use serde_json::json;

use super::APIS;
use crate::world::{Sign, World, text};

#[test]
fn only_its_own_token_as_user_and_password_opens_an_endpoint() {
    let world = World::with(Options {
        model_token: Some("one-for-all".into()),
        ..Options::default()
    });
    world.registered(1, "");
    let (first, second) = (world.endpoint(), world.endpoint());
    for id in [&first, &second] {
        world.version_once(id, 1, "Running");
    }
    let body = json!({ "data": { "x": 1 } });
    let path = format!("/models/{first}/latest/model");
    let account = world.author();
    let own = world.sandbox.model_token(&first).unwrap();
    let other = world.sandbox.model_token(&second).unwrap();
    let bearer = format!("Bearer {own}");
    let no_user = format!("Basic {}", base64(&format!(":{own}")));
    let refused = [
        Sign::Not,
        Sign::Token(&account.token),
        Sign::Key(&account.api_key),
        Sign::Header("authorization", &bearer),
        Sign::Header("x-domino-api-key", &own),
        Sign::Header("authorization", &no_user),
    ];
    for sign in refused {
        let reply = world
            .signed(sign, "POST", &path, Some(body.clone()))
            .unwrap();
        assert_eq!(reply.status, 401);
        let challenge = reply.headers.get("www-authenticate").unwrap();
        assert!(challenge.to_str().unwrap().starts_with("Basic"));
    }
    assert_eq!(
        world.call(&first, "latest", &other, body.clone()).status,
        401
    );
    let account_token = world.call(&first, "latest", &account.token, body.clone());
    assert_eq!(account_token.status, 401);
    for token in [own.as_str(), "one-for-all"] {
        let reply = world.call(&first, "latest", token, body.clone());
        assert_eq!(reply.ok()["result"], 3);
        assert_eq!(reply.headers["access-control-allow-origin"], "*");
    }
    // Two endpoints have the name, so it names none.
    assert_eq!(world.sandbox.model_token("wine-dev"), None);
    let told = world.sandbox.state().to_string() + &world.get(&format!("{APIS}/{first}")).text();
    for secret in [own.as_str(), "one-for-all"] {
        assert!(!told.contains(secret));
    }
}

fn base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn an_answer_says_which_version_gave_it() {
    let world = World::new();
    world.registered(1, "");
    let id = world.endpoint();
    let version = world.version_once(&id, 1, "Running");
    let token = world.sandbox.model_token(&id).unwrap();
    let reply = world
        .call(&id, "latest", &token, json!({ "data": { "x": 1 } }))
        .ok();
    assert_eq!(reply["release"]["model_version"], version["id"]);
    assert_eq!(reply["release"]["model_version_number"], 1);
    assert!(reply["model_time_in_ms"].is_number() && reply["timing"].is_number());
    assert_eq!(reply["request_id"].as_str().unwrap().len(), 16);
}

#[test]
fn arguments_that_the_function_does_not_take_are_400() {
    let world = World::new();
    world.registered(1, "");
    let id = world.endpoint();
    world.version_once(&id, 1, "Running");
    let token = world.sandbox.model_token(&id).unwrap();
    let message = |body, status| {
        let reply = world.call(&id, "latest", &token, body);
        assert_eq!(reply.status, status, "{}", reply.text());
        text(&reply.json()["error"]["message"])
    };
    let unexpected = message(json!({ "data": { "y": 1 } }), 400);
    assert!(
        unexpected.contains("predict() missing a required argument")
            || unexpected.contains("predict() got an unexpected keyword argument"),
        "{unexpected}"
    );
    let unexpected = message(json!({ "data": { "x": 1, "y": 1 } }), 400);
    assert!(unexpected.contains("predict() got an unexpected keyword argument 'y'"));
    message(json!({ "parameters": [1, 2] }), 400);
    message(json!({ "x": 1 }), 400);
    message(json!([1]), 400);
    let failed = message(json!({ "data": { "x": null } }), 400);
    assert!(failed.contains("unsupported operand"), "{failed}");
    assert_eq!(
        world
            .call(&id, "latest", &token, json!({ "parameters": [4] }))
            .ok()["result"],
        9
    );
    let nothing = world.call(&id, "7", &token, json!({ "data": { "x": 1 } }));
    assert_eq!(nothing.status, 404);
    let nobody = world.call(&"0".repeat(24), "latest", &token, json!({}));
    assert_eq!(nobody.status, 404);
    // Whoever opens the address in a browser sees a page about the endpoint, and calls nothing.
    let page = world.get(&format!("/models/{id}/latest/model"));
    assert_eq!(page.status, 200);
    assert!(
        page.text().starts_with("<!DOCTYPE html>"),
        "{}",
        page.text()
    );
}

#[test]
fn a_function_that_fails_is_500_and_its_log_says_why() {
    let world = World::new();
    let code = "def fail():\n    raise RuntimeError('no luck')\n";
    crate::world::commit(world.repository.path(), "fail.py", code);
    let mut version = world.version_body(1);
    version["source"] = json!({ "type": "File", "file": "fail.py", "function": "fail" });
    let id = text(&world.post(APIS, world.endpoint_body(version)).json()["id"]);
    let version = text(&world.version_once(&id, 1, "Running")["id"]);
    let token = world.sandbox.model_token(&id).unwrap();
    let reply = world.call(&id, "latest", &token, json!({ "data": {} }));
    assert_eq!(reply.status, 500);
    assert_eq!(
        reply.json(),
        json!({ "error": { "message": "RuntimeError: no luck" } })
    );
    let path = format!("{APIS}/{id}/versions/{version}/instanceLogs");
    let deadline = std::time::Instant::now() + crate::world::PATIENCE;
    while !world.get(&path).text().contains("fail.py\\\", line 2") {
        assert!(std::time::Instant::now() < deadline);
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn the_process_has_the_variables_of_the_endpoint_and_no_credential() {
    let world = World::new();
    let more = "import os\nprint('told', json.dumps(dict(os.environ)), flush=True)";
    world.registered(1, more);
    let mut body = world.endpoint_body(world.version_body(1));
    body["environmentVariables"] = json!([{ "key": "LOG_LEVEL", "value": "info" }]);
    let id = text(&world.post(APIS, body).json()["id"]);
    let version = world.version_once(&id, 1, "Running");
    let path = format!("{APIS}/{id}/versions/{}/instanceLogs", text(&version["id"]));
    let logs = world.get(&path).ok();
    let told = logs["logs"]
        .as_array()
        .unwrap()
        .iter()
        .find_map(|line| line["log"].as_str().unwrap().strip_prefix("told "))
        .unwrap();
    assert!(told.contains("\"LOG_LEVEL\": \"info\""), "{told}");
    let account = world.author();
    for secret in [
        account.token.as_str(),
        account.api_key.as_str(),
        "DOMINO_USER_API_KEY",
    ] {
        assert!(!told.contains(secret));
    }
    let state = world.endpoint_state(&id);
    assert_eq!(
        state["environmentVariables"],
        json!({ "LOG_LEVEL": "info" })
    );
}

#[test]
fn requests_are_logged_in_full_only_when_asked_for() {
    let world = World::new();
    world.registered(1, "");
    let id = world.endpoint();
    world.version_once(&id, 1, "Running");
    let mut version = world.version_body(1);
    version["logHttpRequestResponse"] = true.into();
    let said = |number: usize| {
        world.predicted(&id, &number.to_string(), 12345);
        let version = text(&world.endpoint_state(&id)["versions"][number - 1]["id"]);
        let path = format!("{APIS}/{id}/versions/{version}/instanceLogs");
        // The line is read from the process a moment after the answer.
        let deadline = std::time::Instant::now() + crate::world::PATIENCE;
        loop {
            let logs = world.get(&path).ok()["logs"].to_string();
            if logs.contains("request") || std::time::Instant::now() > deadline {
                return logs;
            }
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    };
    assert!(!said(1).contains("12345"));
    world.post(&format!("{APIS}/{id}/versions"), version);
    world.version_once(&id, 2, "Running");
    assert!(said(2).contains("12345"));
}

#[test]
fn an_mlflow_flavor_without_a_function_is_loaded_as_mlflow_would() {
    let world = World::new();
    let run = world.mlflow_run();
    let loader = "class Loaded:\n    def __init__(self, plus):\n        self.plus = plus\n\n    def predict(self, table, params=None):\n        rows = table.to_dict('records') if hasattr(table, 'to_dict') else table\n        return [row['x'] + self.plus for row in rows]\n\n\ndef _load_pyfunc(path):\n    return Loaded(int(open(path).read()))\n";
    let mlmodel = json!({ "flavors": { "python_function": {
        "loader_module": "loader", "code": "code", "data": "plus.txt",
    } } });
    world.upload(&run, "model/MLmodel", mlmodel.to_string().as_bytes());
    world.upload(&run, "model/code/loader.py", loader.as_bytes());
    world.upload(&run, "model/plus.txt", b"40");
    world.register("wine", &run);
    let id = world.endpoint();
    world.version_once(&id, 1, "Running");
    assert_eq!(world.predicted(&id, "latest", 2), 42);
}
