//! An endpoint that others change too: nothing lost, nothing doubled, nothing undone without a word. Each row is what a
//! person does between two publishes, judged by the sandbox's own state.

use domino_sandbox::{EndpointChange, Role};
use serde_json::{Value, json};

use crate::harness::{Run, Scene, TOKEN, eventually, http};
use crate::{STAGES, mlflow, publish, register, scene, versions, writes};

pub const BASE: &str = "/api/modelServing/v1/modelApis";
pub const PUBLISH: &[&str] = &["publish", "wine", "--stage", "dev"];

/// One request as a person sends it.
pub fn by_hand(scene: &Scene, method: &str, path: &str, body: Option<&Value>) -> Value {
    let url = format!("{}{path}", scene.sandbox.url());
    let bearer = format!("Bearer {TOKEN}");
    let (status, reply) = http::send(method, &url, &[("authorization", &bearer)], body);
    assert!((200..300).contains(&status), "{method} {path}: {reply}");
    reply
}

/// The one endpoint that there is.
pub fn only(scene: &Scene) -> Value {
    let state = scene.sandbox.state();
    let all = state["modelApis"].as_array().unwrap();
    assert_eq!(all.len(), 1, "doubled: {state:#}");
    all[0].clone()
}

pub fn active(endpoint: &Value) -> Value {
    let versions = endpoint["versions"].as_array().unwrap().iter();
    let mut active = versions.filter(|version| version["number"] == endpoint["activeVersion"]);
    active.next().cloned().unwrap_or_default()
}

pub fn id_of(value: &Value) -> &str {
    value["id"].as_str().unwrap()
}

/// Changes the endpoint's settings; the others are sent as they are.
pub fn set(scene: &Scene, key: &str, value: Value) {
    let existing = only(scene);
    let mut body = json!({
        "name": existing["name"], "description": existing["description"],
        "environmentId": existing["environmentId"], "replicas": existing["replicas"],
        "hardwareTierId": existing["hardwareTierId"],
    });
    body[key] = value;
    by_hand(
        scene,
        "PUT",
        &format!("{BASE}/{}", id_of(&existing)),
        Some(&body),
    );
}

pub fn change(scene: &Scene, change: EndpointChange<'_>) {
    let id = only(scene)["id"].clone();
    scene
        .sandbox
        .change_endpoint(id.as_str().unwrap(), change)
        .unwrap();
}

pub fn stop(scene: &Scene) {
    let existing = only(scene);
    let active = active(&existing);
    let path = format!(
        "/v4/models/{}/{}/stopModelDeployment",
        id_of(&existing),
        id_of(&active)
    );
    by_hand(scene, "POST", &path, None);
    eventually("it stops", || {
        self::active(&only(scene))["status"] == "Stopped"
    });
}

/// A version as a person makes it on Domino's pages, of the same model, with monitoring.
fn monitor(scene: &Scene) {
    let existing = only(scene);
    let active = active(&existing);
    let state = scene.sandbox.state();
    let body = json!({
        "projectId": state["projects"][0]["id"], "source": active["source"], "logHttpRequestResponse": false,
        "monitoringEnabled": true, "recordInvocation": true, "shouldDeploy": true,
        "predictionDatasetResourceId": "d".repeat(24), "environmentId": existing["environmentId"],
    });
    by_hand(
        scene,
        "POST",
        &format!("{BASE}/{}/versions", id_of(&existing)),
        Some(&body),
    );
    eventually("the version by hand serves", || {
        let now = self::active(&only(scene));
        now["monitoringEnabled"] == true && now["status"] == "Running"
    });
}

/// How a publish ends after what a person did.
struct Then {
    exit: i32,
    /// What it says, on stdout or stderr.
    tells: &'static [&'static str],
}

/// What a person does, the publish after it, and what must hold of the endpoint then.
struct Row {
    what: &'static str,
    does: fn(&mut Scene),
    /// Whether a next version of the model is registered before the publish.
    with_next: bool,
    then: Then,
    /// Before the publish and after it.
    holds: fn(&Value, &Value),
}

fn said(run: &Run) -> String {
    format!("{}{}", run.stdout, run.stderr)
}

fn same(key: &str, before: &Value, after: &Value) {
    assert_eq!(before[key], after[key], "{key}");
}

fn serves_next(after: &Value) {
    let active = active(after);
    assert_eq!(active["status"], "Running", "{after:#}");
    assert_eq!(active["source"]["registeredModelVersion"], 2, "{after:#}");
}

const fn then(exit: i32, tells: &'static [&'static str]) -> Then {
    Then { exit, tells }
}

const ROWS: &[Row] = &[
    Row {
        what: "renames it",
        does: |scene| set(scene, "name", json!("Wine predictor")),
        with_next: true,
        then: then(
            0,
            &["called `Wine predictor` in Domino and `wine-dev` here: ours by its mark"],
        ),
        holds: |before, after| {
            same("name", before, after);
            serves_next(after);
        },
    },
    Row {
        what: "stops it",
        does: |scene| stop(scene),
        with_next: true,
        then: then(
            3,
            &[
                "endpoint `wine-dev` is `Stopped` in Domino: somebody stopped it",
                "`--put-back`",
            ],
        ),
        holds: |before, after| assert_eq!(before, after),
    },
    Row {
        what: "scales it",
        does: |scene| set(scene, "replicas", json!(6)),
        with_next: true,
        then: then(0, &["carried over", "replicas (6)"]),
        holds: |_, after| {
            assert_eq!(after["replicas"], 6);
            serves_next(after);
        },
    },
    Row {
        what: "describes it",
        does: |scene| set(scene, "description", json!("Ask ann before you call it")),
        with_next: true,
        then: then(
            0,
            &[
                "somebody wrote another description of endpoint `wine-dev`",
                "`--put-back`",
            ],
        ),
        holds: |_, after| {
            assert_eq!(after["description"], "Ask ann before you call it");
            serves_next(after);
        },
    },
    Row {
        what: "monitors it",
        does: |scene| monitor(scene),
        with_next: true,
        then: then(
            0,
            &[
                "monitoring",
                "recording of invocations",
                "prediction data set",
            ],
        ),
        holds: |_, after| {
            let active = active(after);
            assert_eq!(active["monitoringEnabled"], true);
            assert_eq!(active["recordInvocation"], true);
            assert_eq!(active["predictionDatasetResourceId"], "d".repeat(24));
            serves_next(after);
        },
    },
    Row {
        what: "routes it by labels",
        does: |scene| {
            change(scene, EndpointChange::Promoted(1));
            change(scene, EndpointChange::Routing("advanced"));
        },
        with_next: true,
        then: then(
            6,
            &[
                "advanced: callers of `labels/prod` get version 1",
                "callers of `labels/prod` still get version 1",
                "promote version 2 to `prod` in Domino",
            ],
        ),
        holds: |before, after| {
            same("routingMode", before, after);
            assert_eq!(after["versions"][0]["isPromoted"], true);
            assert_eq!(after["versions"][0]["status"], "Running");
            serves_next(after);
        },
    },
    Row {
        what: "governs it and gives it a quota",
        does: |scene| {
            change(scene, EndpointChange::Bundle("e1e1e1e1e1e1e1e1e1e1e1e1"));
            change(scene, EndpointChange::ResourceQuota("quota-1"));
            set_with_quota(scene);
        },
        with_next: true,
        then: then(0, &["resource quota"]),
        holds: |before, after| {
            same("bundleId", before, after);
            same("resourceQuotaId", before, after);
            serves_next(after);
        },
    },
    Row {
        what: "takes the account's role away",
        does: |scene| change(scene, EndpointChange::Role("ci-bot", None)),
        with_next: true,
        then: then(
            3,
            &[
                "is there, but user `ci-bot` may not see it",
                "with the role Editor",
            ],
        ),
        holds: |before, after| assert_eq!(before, after),
    },
    Row {
        what: "makes the account a viewer",
        does: |scene| change(scene, EndpointChange::Role("ci-bot", Some(Role::Viewer))),
        with_next: true,
        then: then(
            3,
            &[
                "this account may not do this with endpoint `wine-dev`",
                "with the role Editor",
            ],
        ),
        holds: |before, after| {
            same("versions", before, after);
            same("replicas", before, after);
        },
    },
    Row {
        what: "deploys the same from a laptop",
        does: |scene| {
            scene.without("GITHUB_ACTIONS").without("GITHUB_RUN_ID");
            publish(scene, "dev").exits(0);
        },
        with_next: false,
        then: then(0, &["is as wanted"]),
        holds: |before, after| same_but_for_calls(before, after),
    },
    Row {
        what: "publishes a newer version of the model in another run",
        does: |scene| {
            register(scene, "wine", "return x + 2");
            scene.on_github("78");
            publish(scene, "dev").exits(0);
            scene.variable("MODEL_VERSION", "1").on_github("77");
        },
        with_next: false,
        then: then(
            3,
            &[
                "version 1 of `wine` is older than version 2, which endpoint `wine-dev` serves, published by workflow run 78 at",
                "give `--back`",
            ],
        ),
        holds: |before, after| same_but_for_calls(before, after),
    },
    Row {
        what: "publishes a newer commit in another run",
        does: |scene| {
            let old = scene.commit.clone();
            scene.commit_file(
                "stages.toml",
                &STAGES.replace("\"Predicts wine\"", "\"Predicts good wine\""),
            );
            scene.on_github("78");
            publish(scene, "dev").exits(0);
            register(scene, "wine", "return x + 2");
            scene.on_github("77").variable("GITHUB_SHA", &old);
        },
        with_next: false,
        then: then(
            3,
            &[
                "is older than commit",
                "which endpoint `wine-dev` runs, published by workflow run 78",
                "`--back`",
            ],
        ),
        holds: |before, after| same_but_for_calls(before, after),
    },
    Row {
        what: "archives the version and moves another in the experiment manager",
        does: |scene| {
            let body = |version: &str, stage: &str| json!({"name": "wine", "version": version, "stage": stage, "archive_existing_versions": false});
            mlflow(
                scene,
                "model-versions/transition-stage",
                body("1", "Archived"),
            );
        },
        with_next: true,
        then: then(0, &["serves: version 1 of `wine` → version 2 of `wine`"]),
        holds: |before, after| {
            same("name", before, after);
            serves_next(after);
        },
    },
];

/// What a person does in Domino goes through the same `PUT`, which takes the quota along.
fn set_with_quota(scene: &Scene) {
    set(scene, "resourceQuotaId", json!("quota-1"));
}

fn same_but_for_calls(before: &Value, after: &Value) {
    let calls = |value: &Value| {
        let mut value = value.clone();
        for version in value["versions"].as_array_mut().unwrap() {
            version["served"] = Value::Null;
        }
        value
    };
    assert_eq!(calls(before), calls(after));
}

#[test]
fn whatever_people_do_between_two_publishes_nothing_is_lost_doubled_or_undone_without_a_word() {
    for row in ROWS {
        let mut scene = scene();
        register(&scene, "wine", "return x + 2");
        scene.on_github("77");
        publish(&scene, "dev").exits(0);
        (row.does)(&mut scene);
        if row.with_next {
            register(&scene, "wine", "return x + 2.1");
        }
        let before = only(&scene);
        let run = publish(&scene, "dev");
        assert_eq!(run.exit, row.then.exit, "somebody {}: {run}", row.what);
        for text in row.then.tells {
            assert!(
                said(&run).contains(text),
                "somebody {}: `{text}` in {run}",
                row.what
            );
        }
        (row.holds)(&before, &only(&scene));
    }
    println!("{} rows of an endpoint: each held", ROWS.len());
}

#[test]
fn what_somebody_changed_is_put_back_on_request_and_only_then() {
    let mut scene = scene();
    scene.commit_file(
        "stages.toml",
        &STAGES.replace("smoke-test", "replicas = 2\nsmoke-test"),
    );
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    set(&scene, "replicas", json!(6));
    set(&scene, "description", json!("Ask ann"));
    let from = writes(&scene).len();
    publish(&scene, "dev")
        .exits(0)
        .tells(
            "has `replicas` 6 in Domino, which is not what we last gave it, and stages.toml says 2",
        )
        .tells("is as wanted");
    assert_eq!(writes(&scene).len(), from, "nothing is written");
    // Also with the next versions, and more than once.
    for _ in 0..2 {
        register(&scene, "wine", "return x + 2.1");
        publish(&scene, "dev").exits(0).tells("it keeps 6");
        assert_eq!(only(&scene)["replicas"], 6);
    }
    let run = scene.run(&[PUBLISH, &["--put-back"]].concat()).exits(0);
    assert!(run.stdout.contains("~ replicas: `6` → `2`"), "{run}");
    assert!(
        run.stdout
            .contains("~ description: `Ask ann` → `Predicts wine`"),
        "{run}"
    );
    let after = only(&scene);
    assert_eq!(
        (&after["replicas"], &after["description"]),
        (&json!(2), &json!("Predicts wine"))
    );
    // What the file says anew is no decision of somebody's.
    scene.commit_file(
        "stages.toml",
        &STAGES.replace("smoke-test", "replicas = 3\nsmoke-test"),
    );
    let run = publish(&scene, "dev").exits(0);
    assert!(run.stdout.contains("~ replicas: `2` → `3`"), "{run}");
    stop(&scene);
    publish(&scene, "dev").exits(3);
    scene.run(&[PUBLISH, &["--put-back"]].concat()).exits(0);
    assert_eq!(active(&only(&scene))["status"], "Running");
}

#[test]
fn the_marks_of_the_variables_survive_every_description() {
    let mut scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    for description in ["Ask ann", "", "[variables by hand]"] {
        set(&scene, "description", json!(description));
        register(&scene, "wine", "return x + 2.1");
        publish(&scene, "dev").exits(0);
        assert_eq!(only(&scene)["description"], description);
    }
    scene.commit_file("stages.toml", &STAGES.replace("\"info\"", "\"debug\""));
    publish(&scene, "dev")
        .exits(3)
        .tells("was created with other environment variables");
}

#[test]
fn an_endpoint_of_labels_is_green_once_the_label_leads_to_the_version() {
    let scene = scene();
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    change(&scene, EndpointChange::Routing("advanced"));
    publish(&scene, "dev")
        .exits(6)
        .tells("callers of `labels/prod` get none");
    scene
        .run(&["publish", "wine", "--stage", "staging"])
        .exits(3)
        .tells("routes by labels, and no version of it has the label `prod`");
    change(&scene, EndpointChange::Promoted(1));
    publish(&scene, "dev").exits(0).tells("/labels/prod/model");
    register(&scene, "wine", "return x + 2.1");
    publish(&scene, "dev").exits(6);
    // What callers get is what moves on.
    let run = scene
        .run(&["publish", "wine", "--stage", "staging"])
        .exits(0);
    assert!(
        run.stdout
            .contains("version 1 of `wine` (served by stage `dev`)"),
        "{run}"
    );
    scene
        .sandbox
        .change_endpoint("wine-dev", EndpointChange::Promoted(2))
        .unwrap();
    let made = versions(&scene, "wine-dev").len();
    publish(&scene, "dev").exits(0);
    assert_eq!(versions(&scene, "wine-dev").len(), made);
}
