//! Domino refuses a start: what runs is not stopped in vain, and the outputs of the failed step tell what Domino has.

use domino_sandbox::PolicySeed;

use super::*;
use crate::harness::{TOKEN, http};

fn by_hand(scenery: &Scenery, method: &str, path: &str, body: Option<&Value>) -> Value {
    let url = format!("{}{path}", scenery.scene.sandbox.url());
    let bearer = format!("Bearer {TOKEN}");
    let (status, reply) = http::send(method, &url, &[("authorization", &bearer)], body);
    assert!((200..300).contains(&status), "{method} {path}: {reply}");
    reply
}

/// What the outputs say is what the process that serves is, or where none does, the one that was started last.
fn outputs_are_true(scenery: &Scenery, run: &harness::Run) {
    let serving = scenery.app()["serving"].clone();
    let instances = scenery.instances();
    let serves = instances.iter().find(|one| one["id"] == serving);
    let is = serves.or(instances.last()).unwrap();
    let output = |name: &str| scenery.scene.output(name).unwrap_or_default();
    assert_eq!(output("commit"), is["commit"], "{run}");
    assert_eq!(output("status"), is["status"], "{run}");
}

fn refusal() -> Misbehaviour {
    Misbehaviour::Status {
        status: 403,
        retry_after: None,
        processed: false,
    }
}

/// Published once, and then a commit that does not serve.
fn with_a_bad_commit(version: &str) -> Scenery {
    let mut scenery = Scenery::of(version);
    scenery.scene.on_github("77");
    scenery.run(PUBLISH).exits(0);
    scenery.commit_app("exit 3\n");
    scenery.scene.on_github("78");
    std::fs::remove_file(scenery.scene.path().join(".output")).unwrap();
    scenery
}

#[test]
fn a_closed_gate_of_the_bundle_is_asked_before_anything_is_stopped() {
    for api in ["v1", "beta"] {
        let mut scenery = Scenery::with(V1, "", |setup| {
            Scenery::made(harness::Setup {
                seed: |seed| seed.policy(PolicySeed::new("Apps").guards_apps()),
                ..setup
            })
        });
        scenery.scene.on_github("77");
        let publish = [PUBLISH, &["--api", api]].concat();
        scenery.run(&publish).exits(0);
        let before = scenery.scene.commit.clone();
        let policies = by_hand(&scenery, "GET", "/api/governance/v1/policy-overviews", None);
        let project = scenery.scene.sandbox.state()["projects"][0]["id"].clone();
        let policy = policies["data"][0]["id"].clone();
        let bundle = json!({"name": "Dashboard", "policyId": policy, "projectId": project, "attachments": []});
        let bundle = by_hand(
            &scenery,
            "POST",
            "/api/governance/v1/bundles",
            Some(&bundle),
        );
        let app = scenery.app();
        let (id, version) = (
            &app["id"],
            &app["versions"].as_array().unwrap().last().unwrap()["id"],
        );
        let path = format!(
            "/api/apps/v1/apps/{}/versions/{}",
            id.as_str().unwrap(),
            version.as_str().unwrap()
        );
        let of_bundle = json!({ "bundleId": bundle["id"] });
        by_hand(&scenery, "PATCH", &path, Some(&of_bundle));
        scenery.commit_app(&app_script("two"));
        scenery.scene.on_github("78");
        let from = scenery.scene.sandbox.requests().len();
        let run = scenery
            .run(&publish)
            .exits(7)
            .tells("does not let app `dashboard` be started: gate `Serve the model` is closed: Review approval")
            .tells("nothing was stopped");
        scenery.only_reads_since(from);
        scenery.serves_alone(&before);
        outputs_are_true(&scenery, &run);
        // A restart of what somebody stopped meets the same gate.
        scenery
            .run(&["unpublish", "dashboard", "--stage", "dev"])
            .exits(0);
        let from = scenery.scene.sandbox.requests().len();
        let again = [&publish[..], &["--put-back", "--commit", &before]].concat();
        let run = scenery.run(&again).exits(7);
        scenery.only_reads_since(from);
        outputs_are_true(&scenery, &run);
    }
}

#[test]
fn a_refused_start_tells_what_domino_holds() {
    on_all(|version| {
        let scenery = with_a_bad_commit(version);
        let start = match version {
            V1 => "POST /api/apps/v1/apps/*/versions/createAndStart",
            BETA => "POST /api/apps/beta/apps/*/versions",
            _ => "POST /v4/modelProducts/*/start",
        };
        scenery
            .scene
            .sandbox
            .faults()
            .add(Fault::on(start, refusal()));
        let run = scenery.run(PUBLISH);
        assert_ne!(run.exit, 0, "{run}");
        outputs_are_true(&scenery, &run);
        assert_ne!(
            scenery.scene.output("commit").as_ref(),
            Some(&scenery.scene.commit)
        );
    });
}

#[test]
fn a_start_that_is_refused_when_putting_back_tells_what_domino_holds() {
    on_all(|version| {
        let scenery = with_a_bad_commit(version);
        let fault = match version {
            V1 => Fault::on("POST /api/apps/v1/apps/*/versions/*/start", refusal()),
            BETA => Fault::on("POST /api/apps/beta/apps/*/versions", refusal()).after(1),
            _ => Fault::on("POST /v4/modelProducts/*/start", refusal()).after(1),
        };
        scenery.scene.sandbox.faults().add(fault);
        let run = scenery.run(PUBLISH).exits(5);
        outputs_are_true(&scenery, &run);
    });
}
