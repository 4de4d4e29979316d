//! The context that the experiment manager requires for a write from outside of a run: that of a run of the caller's,
//! in the project of what is written.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domino_sandbox::{MlflowContext, Options, Seed};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::mlflow::refused;
use crate::world::{Reply, Sign, World, text};

/// The mark of a run, signed with the literal that everybody signs it with.
fn mark_of(run: &str) -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = part(json!({ "alg": "HS256", "typ": "JWT" }));
    let signed = format!("{header}.{}", part(json!({ "execution_id": run })));
    let padded = |pad: u8| {
        let mut key = [pad; 64];
        for (place, letter) in key.iter_mut().zip(b"secret") {
            *place ^= letter;
        }
        key
    };
    let inner = Sha256::new()
        .chain_update(padded(0x36))
        .chain_update(&signed);
    let outer = Sha256::new()
        .chain_update(padded(0x5c))
        .chain_update(inner.finalize());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(outer.finalize()))
}

#[test]
fn a_write_wants_a_run_in_the_project_of_what_is_written() {
    let world = World::with(Options {
        mlflow_context: MlflowContext::Writes,
        seed: Seed::default()
            .project("author/quick-start")
            .project("author/lab"),
        ..Options::default()
    });
    let path = "/v4/gateway/projects/findProjectByOwnerAndName?ownerName=author&projectName=lab";
    let lab = text(&world.get(path).ok()["id"]);
    let run_in = |project: &str| {
        let body = json!({ "projectId": project, "commandToRun": "true" });
        text(&world.post("/v4/jobs/start", body).ok()["id"])
    };
    let (here, there) = (run_in(&world.project_id()), run_in(&lab));
    let token = world.author().token;
    let write = |run: &str, route: &str, body: Value| -> Reply {
        let path = format!("/api/2.0/mlflow/{route}");
        let sign = Sign::InContext(&token, &mark_of(run));
        world.signed(sign, "POST", &path, Some(body)).unwrap()
    };
    let of_lab = json!([{ "key": "mlflow.domino.project_id", "value": lab }]);
    let model = json!({ "name": "wine", "tags": of_lab });
    write(&here, "registered-models/create", model).ok();
    write(&here, "registered-models/create", json!({ "name": "any" })).ok();
    let experiment = json!({ "name": "wine" });
    let experiment = write(&here, "experiments/create", experiment).ok();
    let run = json!({ "experiment_id": experiment["experiment_id"], "tags": of_lab });
    let run = write(&here, "runs/create", run).ok()["run"]["info"]["run_id"].clone();

    for (route, body) in [
        (
            "model-versions/create",
            json!({ "name": "wine", "source": "s3://any/where" }),
        ),
        (
            "model-versions/set-tag",
            json!({ "name": "wine", "version": "1", "key": "k", "value": "v" }),
        ),
        (
            "runs/set-tag",
            json!({ "run_id": run, "key": "k", "value": "v" }),
        ),
    ] {
        let reply = write(&here, route, body.clone());
        assert_eq!(reply.status, 403, "{route}: {}", reply.text());
        assert!(reply.text().contains("another project"), "{}", reply.text());
        write(&there, route, body).ok();
    }
    // Nothing tells of which project this one is.
    let version = json!({ "name": "any", "source": "s3://any/where" });
    write(&here, "model-versions/create", version).ok();
    let absent = json!({ "name": "nothing", "source": "s3://any/where" });
    let absent = write(&here, "model-versions/create", absent);
    refused(&absent, 404, "RESOURCE_DOES_NOT_EXIST");
}
