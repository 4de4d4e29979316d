//! A second version replaces one that runs, and something happens to one of the requests for it: the old or the new
//! version serves, never both, and the next run ends well.

use domino_sandbox::{Fault, Misbehaviour};

use crate::scenes::{BETA, Scenery, V1, V4, app_script};

const PUBLISH: &[&str] = &[
    "publish",
    "dashboard",
    "--stage",
    "dev",
    "--timeout",
    "30s",
    "--request-timeout",
    "1s",
];

/// What happens to a request, how often, and the exit codes that are right after it.
type Kind = (fn() -> Misbehaviour, Option<usize>, &'static [i32]);

fn status(status: u16) -> Misbehaviour {
    Misbehaviour::Status {
        status,
        retry_after: None,
        processed: false,
    }
}

/// At a request that writes. A refusal after the old version was stopped is a publication that failed.
const AT_WRITES: &[Kind] = &[
    (|| status(401), Some(1), &[3, 5]),
    (|| status(500), Some(1), &[0, 4, 5]),
    (
        || Misbehaviour::Reset { processed: false },
        Some(1),
        &[0, 4, 5],
    ),
    (|| Misbehaviour::CutJson, Some(1), &[0]),
    (|| Misbehaviour::Hang { processed: true }, Some(1), &[0]),
];

/// At the request that the new version is looked at with, once it is on its way.
const AT_LOOKS: &[Kind] = &[
    (|| Misbehaviour::CutJson, Some(1), &[0]),
    (|| Misbehaviour::LoginPage, Some(1), &[0, 3, 5]),
    (|| Misbehaviour::Hang { processed: false }, Some(1), &[0]),
];

fn hold(version: &str, writes: &[&str], look: &str) {
    for route in writes {
        for kind in AT_WRITES {
            case(version, route, 0, kind);
        }
    }
    for kind in AT_LOOKS {
        case(version, look, 2, kind);
    }
}

/// One case; a new scene, because what came of the case before must not help this one.
fn case(version: &str, route: &str, after: usize, (fault, times, exits): &Kind) {
    let mut scenery = Scenery::of(version);
    scenery.run(PUBLISH).exits(0);
    scenery.commit_app(&app_script("two"));
    let new = scenery.scene.commit.clone();
    let mut disturbed = Fault::on(route, fault()).after(after);
    if let Some(times) = times {
        disturbed = disturbed.times(*times);
    }
    let faults = scenery.scene.sandbox.faults();
    faults.add(disturbed);
    let run = scenery.run(PUBLISH);
    let what = format!("{:?} at {route}: {run}", fault());
    assert!(faults.fired() > 0, "it never struck: {what}");
    assert!(exits.contains(&run.exit), "none of {exits:?}: {what}");
    let starts = |commit: &str| {
        let instances = scenery.instances();
        let of_commit = instances.iter().filter(|one| one["commit"] == commit);
        of_commit.count()
    };
    assert!(starts(&new) <= 1, "started twice: {what}");
    match run.exit {
        0 => {
            scenery.serves_alone(&new);
        }
        _ => {
            assert!(run.stderr.contains("error: "), "{what}");
            let alive = scenery.alive();
            assert_eq!(alive.len(), 1, "{alive:#?} after {what}");
        }
    }
    faults.clear();
    let again = scenery.run(PUBLISH);
    assert_eq!(again.exit, 0, "{what}\n{again}");
    scenery.serves_alone(&new);
    // What was given up was taken away, and is rightly started anew.
    if run.exit == 0 {
        assert_eq!(starts(&new), 1, "{what}\n{again}");
    }
}

#[test]
fn no_fault_makes_one_version_of_v1_two_or_none() {
    let writes = &["POST /api/apps/v1/apps/*/versions/createAndStart"];
    hold(V1, writes, "GET /api/apps/v1/apps/*");
}

#[test]
fn no_fault_makes_one_version_of_beta_two_or_none() {
    let writes = &["POST /api/apps/beta/apps/*/versions"];
    hold(BETA, writes, "GET /api/apps/beta/apps/*/versions/*");
}

#[test]
fn no_fault_makes_one_start_of_model_products_two_or_none() {
    let writes = &[
        "POST /v4/modelProducts/*/stop",
        "POST /v4/modelProducts/*/start",
    ];
    hold(V4, writes, "GET /v4/modelProducts/apps/versions/*");
}
