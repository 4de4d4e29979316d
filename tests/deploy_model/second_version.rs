//! A second version of a registered model with faults: either the wanted version serves or the previous one, and only
//! the wanted one is green.

use domino_sandbox::{Fault, Misbehaviour};
use serde_json::json;

use crate::harness::Scene;
use crate::{STAGES, publish, register, scene, serves, versions};

const SETTINGS: &str = "PUT /api/modelServing/v1/modelApis/*";
const NEW_VERSION: &str = "POST /api/modelServing/v1/modelApis/*/versions";
const VERSION: &str = "GET /api/modelServing/v1/modelApis/*/versions/*";
const MODEL: &str = "POST /models/*/*/model";

fn status(status: u16, processed: bool) -> Misbehaviour {
    Misbehaviour::Status {
        status,
        retry_after: None,
        processed,
    }
}

#[test]
fn under_faults_the_wanted_version_serves_or_the_one_before() {
    let mut scene = scene();
    let mut before = json!(1);
    register(&scene, "wine", "return x + 2");
    publish(&scene, "dev").exits(0);
    let cases = [
        (SETTINGS, status(403, false), 3),
        (SETTINGS, status(502, true), 0),
        (NEW_VERSION, status(500, true), 0),
        (NEW_VERSION, Misbehaviour::LoginPage, 3),
        (VERSION, status(401, false), 3),
        (MODEL, status(500, false), 5),
    ];
    for (round, (route, misbehaviour, exit)) in cases.into_iter().enumerate() {
        let wanted: u64 = register(&scene, "wine", "return x + 2.1").parse().unwrap();
        let replicas = format!("replicas = {}\nsmoke-test", 3 + round % 2);
        scene.commit_file("stages.toml", &STAGES.replace("smoke-test", &replicas));
        let case = format!("{route} {misbehaviour:?}");
        let fault = Fault::on(route, misbehaviour);
        scene.sandbox.faults().add(match exit {
            3 => fault,
            _ => fault.single(),
        });
        let made = |scene: &Scene| {
            let made = versions(scene, "wine-dev");
            let of_it = |version: &&serde_json::Value| {
                version["source"]["registeredModelVersion"] == wanted
            };
            made.iter().filter(of_it).count()
        };
        let run = publish(&scene, "dev");
        assert_eq!(run.exit, exit, "{case}\n{run}");
        let now = serves(&scene, "wine-dev").1;
        assert!(now == wanted || exit != 0 && now == before, "{case}\n{run}");
        assert!(made(&scene) <= 1, "{case}\n{run}");
        scene.sandbox.faults().clear();
        let again = publish(&scene, "dev").exits(0);
        assert_eq!(serves(&scene, "wine-dev").1, wanted, "{case}\n{run}{again}");
        // One that gave way is made once more, and nothing else is.
        let gave_way = run.exit == 5;
        assert_eq!(
            made(&scene),
            1 + usize::from(gave_way),
            "{case}\n{run}{again}"
        );
        before = json!(wanted);
    }
}
