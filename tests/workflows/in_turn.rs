//! Stages and entities one after the other: all or nothing, in files that older readers of workflows know.

use std::fs;

use super::{FIXTURES, StageFile, fixture, pipelines, read};

#[test]
fn one_after_the_other_holds_no_group_and_lets_in_all_or_nothing() {
    let text = fs::read_to_string(fixture("two-stages")).unwrap();
    let texts = |key: &str| -> String {
        let text = match text.contains("[pipeline]\n") {
            true => text.replacen("[pipeline]\n", &format!("[pipeline]\n{key}\n"), 1),
            false => format!("[pipeline]\n{key}\n{text}"),
        };
        let file = StageFile::read(&text, "stages.toml".as_ref()).unwrap();
        let workflows = pipelines::workflows(&file).into_iter();
        workflows.map(|workflow| workflow.text().unwrap()).collect()
    };
    let in_turn = texts("side-by-side = false");
    assert!(!in_turn.contains("parallel:") && !in_turn.contains("cancelled()"));
    assert!(!in_turn.contains("-passed") && in_turn.contains("if: inputs.stop-after != 'dev'"));
    let together = texts("together = true");
    assert!(together.contains("parallel:") && !together.contains("-passed"));
    assert!(together.contains("if: inputs.stop-after != 'dev' #"));
    let each = texts("side-by-side = true");
    assert!(each.contains("contains(toJSON(needs.deploy-dev.outputs), "));
}

#[test]
fn one_after_the_other_is_written_as_readers_know_it_that_know_no_groups() {
    const STEP: [&str; 8] = [
        "name",
        "id",
        "if",
        "uses",
        "with",
        "run",
        "env",
        "timeout-minutes",
    ];
    for fixture_name in FIXTURES {
        let text = fs::read_to_string(fixture(fixture_name)).unwrap();
        let text = match text.contains("[pipeline]\n") {
            true => text.replacen("[pipeline]\n", "[pipeline]\nside-by-side = false\n", 1),
            false => format!("[pipeline]\nside-by-side = false\n{text}"),
        };
        let file = StageFile::read(&text, "stages.toml".as_ref()).unwrap();
        let deploys = pipelines::workflows(&file).into_iter();
        for workflow in deploys.filter(|workflow| workflow.name.starts_with("deploy-")) {
            let name = format!("{fixture_name}/{}", workflow.name);
            let read = read::Read::of(&name, &workflow.text().unwrap());
            let mut before: Option<String> = None;
            for (id, job) in read.stages() {
                let before = before.replace(id.clone());
                if let Some(before) = before.filter(|_| !read::begins_by_hand(job)) {
                    assert_eq!(job["needs"], serde_json::json!([before]), "{name} {id}");
                }
                let queue = job["concurrency"].as_object().unwrap();
                assert!(
                    queue
                        .keys()
                        .all(|key| ["group", "cancel-in-progress"].contains(&key.as_str()))
                );
                let mut asks = false;
                let mut steps = job["steps"].as_array().unwrap().clone();
                // However the stage ended, what was deployed has its receipt.
                let keeps = |step: &mut serde_json::Value| step["name"] == "Keep the receipts";
                if let Some(last) = steps.pop_if(keeps) {
                    assert_eq!(last["if"], "always()", "{name} {id}");
                }
                for step in &steps {
                    let keys: Vec<&String> = step.as_object().unwrap().keys().collect();
                    let brings = step["name"] == "Download the programs";
                    let known =
                        |key: &str| STEP.contains(&key) || (brings && key == "continue-on-error");
                    assert!(keys.iter().all(|key| known(key)), "{name} {id}: {keys:?}");
                    // What asks for the next stage comes last, and nothing else has a condition.
                    let request = step["id"]
                        .as_str()
                        .is_some_and(|id| id.starts_with("request-"));
                    assert!(request || !asks, "{name} {id}");
                    asks = request;
                    // A run that was begun by hand is not stopped before.
                    let may_stop = request && fixture_name != "by-hand";
                    assert_eq!(step["if"].is_string(), may_stop, "{name} {id}");
                }
            }
        }
    }
}
