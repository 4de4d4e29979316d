//! The receipt that a published app leaves, and what the next stage makes of it.

use serde_json::Value;

use super::*;

/// Publishes to a stage with these variables set.
fn publish(scenery: &mut Scenery, stage: &str, variables: &[(&str, &str)]) -> harness::Run {
    for (name, value) in variables {
        scenery.scene.variable(name, value);
    }
    let run = scenery.run(&["publish", "dashboard", "--stage", stage]);
    for (name, _) in variables {
        scenery.scene.without(name);
    }
    run
}

#[test]
fn a_publish_leaves_a_receipt_and_the_next_stage_asks_for_it() {
    let mut scenery = Scenery::of(V1);
    let folder = scenery.scene.path().join(".receipts");
    let text = |path: &std::path::Path| path.display().to_string();
    let (left, nothing) = (text(&folder), text(&folder.join("none")));
    let receipt = |stage: &str| -> Value {
        let file = folder.join(format!("{stage}.app.dashboard.json"));
        serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
    };

    let leave = ("DEPLOY_RECEIPTS", left.as_str());
    publish(&mut scenery, "dev", &[leave]).exits(0);
    let (dev, app) = (receipt("dev"), scenery.app());
    assert_eq!(dev["outcome"], "done");
    assert_eq!(dev["commit"], scenery.scene.commit.as_str());
    assert_eq!(dev["what"]["id"], app["id"]);
    assert_eq!(dev["what"]["version-id"], app["versions"][0]["id"]);
    assert_eq!(dev["what"]["hardware-tier"], "dev-small");
    assert_eq!(dev["hash"].as_str().unwrap().len(), 64);
    publish(&mut scenery, "dev", &[leave]).exits(0);
    assert_eq!(receipt("dev")["outcome"], "unchanged");

    let from = scenery.scene.requests_since(0).len();
    let before = "DEPLOY_RECEIPTS_BEFORE";
    publish(&mut scenery, "staging", &[leave, (before, &nothing)])
        .exits(7)
        .tells("no receipt says that this passed stage `dev`, so nothing was written")
        .tells("`--without-receipt REASON`");
    let requests = scenery.scene.requests_since(from);
    assert!(
        requests.iter().all(|request| request.starts_with("GET")),
        "{requests:?}"
    );

    let reason = ("WITHOUT_RECEIPT", "the first time");
    publish(
        &mut scenery,
        "staging",
        &[leave, (before, &nothing), reason],
    )
    .exits(0)
    .tells("the receipt of the stage before is not asked for: the first time");
    assert_eq!(receipt("staging")["without-receipt"], "the first time");

    let run = publish(&mut scenery, "staging", &[leave, (before, &left)]).exits(0);
    assert!(run.stdout.contains("passed `dev` at "), "{run}");
    assert_eq!(receipt("staging").get("without-receipt"), None);
}

#[test]
fn a_receipt_that_cannot_be_written_makes_the_end_other_than_green_after_the_work() {
    let mut scenery = Scenery::of(V1);
    let file = scenery.scene.path().join("app.sh").display().to_string();
    publish(&mut scenery, "dev", &[("DEPLOY_RECEIPTS", &file)])
        .exits(9)
        .tells("cannot write the receipt into");
    scenery.serves_alone(&scenery.scene.commit);
}
