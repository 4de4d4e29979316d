//! Stages that an approver enters by hand: the push ends before the first of them, and a run for each begins there, with
//! what the stage before serves. Checked against what the sandbox shows.

use std::fs;

use crate::{Kept, Scratch};

/// A repository whose later stages `wine-reviewers` enters by hand, with no other approval.
fn repository() -> Scratch {
    let scratch = Scratch::new();
    let path = scratch.repository().join("stages.toml");
    let stages = fs::read_to_string(&path).unwrap();
    let approvers = "approvers = [\"wine-reviewers\"]";
    assert!(stages.contains(approvers));
    let stages = stages.replace(approvers, &format!("gate = \"dispatch\"\n{approvers}"));
    let lacks = ["wait-timer", "domino-approval", "policy"];
    let lines = stages.lines();
    let lines = lines.filter(|line| !lacks.iter().any(|key| line.starts_with(key)));
    fs::write(path, lines.collect::<Vec<_>>().join("\n") + "\n").unwrap();
    scratch.generate_and_commit("Enter by hand");
    scratch
}

#[test]
fn a_run_for_a_stage_deploys_that_stage_with_what_the_stage_before_has() {
    let scratch = repository();
    let only = "--only deploy-apps --only deploy-models --actor wine-reviewers";
    let kept = Kept::rehearse(&scratch, only);
    let told = |text: &str| assert!(kept.said.contains(text), "`{text}`\n{}", kept.said);
    for stage in ["dev", "staging", "prod"] {
        let job = format!("deploy-{stage}");
        for (workflow, step) in [
            ("deploy-apps", "Publish app dashboard"),
            ("deploy-models", "Publish model wine-quality"),
        ] {
            assert!(kept.succeeded(workflow, &job, step), "{job}\n{}", kept.said);
        }
    }
    // It was trained once, by the push, and that version is in every stage.
    assert_eq!(kept.said.matches("by push").count(), 2, "{}", kept.said);
    assert_eq!(
        kept.said
            .matches("by workflow_dispatch of wine-reviewers")
            .count(),
        4,
        "{}",
        kept.said
    );
    assert_eq!(kept.models().len(), 1, "{:?}", kept.models());
    let served = kept.endpoints();
    assert_eq!(served.len(), 3, "{served:?}");
    assert!(
        served
            .iter()
            .all(|one| one[1] == "version 1: wine-quality version 1"),
        "{served:?}"
    );
    told("started by hand by `wine-reviewers`");
    told("passed `dev` in run ");
    told("passed `staging` in run ");
    kept.end();
    // What no push deployed to the stage before is refused.
    let command =
        "cargo xtask rehearse --only deploy-apps --actor wine-reviewers --input stage=prod";
    let ended = scratch.bash(command, &[]);
    let said = String::from_utf8_lossy(&ended.stdout);
    assert_eq!(ended.status.code(), Some(7), "{said}");
    assert!(
        said.contains("this commit did not pass stage `staging`"),
        "{said}"
    );
}
