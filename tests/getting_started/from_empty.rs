//! From an empty GitHub and an empty Domino to three deployed stages: the set-up's own commands, then the pipeline with
//! what they put on GitHub. Checked against what the sandbox shows.

use std::fs;

use crate::{Kept, Scratch};

#[test]
fn the_set_up_and_the_pipeline_end_with_three_deployed_stages() {
    let scratch = Scratch::new();
    let kept = Kept::rehearse(&scratch, "--from-empty");
    let told = |text: &str| assert!(kept.said.contains(text), "`{text}`\n{}", kept.said);
    told("+ dev: project `wine-team/wine-quality`, private, based on https://github.com/");
    told("3 stages are set up in Domino");
    // The approvers are those that GitHub holds after the set-up.
    told("environment PROD guards stage prod: wine-reviewers must approve; GitHub waits 5 minutes");
    for command in ["domino apply --yes", "github apply --yes"] {
        told(&format!("\n$ domino-pipeline {command}\n"));
        told(&format!(
            "`domino-pipeline {command}` a second time: nothing was changed\n"
        ));
    }
    told("\nEverything is as stages.toml says.\n");
    // Each stage is deployed by its own account, which is a contributor of the project; `ci-bot` is nobody here.
    told("paused, ci-wine-quality-dev");
    told("Running now, ci-wine-");
    let starters: Vec<String> = kept.jobs().into_iter().flatten().collect();
    assert!(
        starters.contains(&"ci-wine-quality-dev".to_owned()),
        "{starters:?}"
    );
    assert!(!kept.said.contains("ci-bot"), "{}", kept.said);
    let served = kept.endpoints();
    let names: Vec<&str> = served.iter().map(|endpoint| endpoint[0].as_str()).collect();
    assert_eq!(
        names,
        ["wine-quality", "wine-quality-dev", "wine-quality-staging"]
    );
    let answer = "version 1: wine-quality version 1";
    let serves = |endpoint: &[String; 4]| endpoint[1] == answer && endpoint[2] == "Running";
    assert!(served.iter().all(serves), "{served:?}");
    kept.end();
}

#[test]
fn a_set_up_that_ends_badly_is_told_by_its_own_exit_code_and_nothing_is_deployed() {
    let scratch = Scratch::new();
    let faults = "[[fault]]\nroute = \"POST /api/serviceAccounts/v1/serviceAccounts\"\nkind = \"status\"\nstatus = 403\n";
    fs::write(scratch.repository().join("faults.toml"), faults).unwrap();
    let command = "cargo xtask rehearse --from-empty --approve all --faults faults.toml";
    let ended = scratch.bash(command, &[]);
    let said = String::from_utf8_lossy(&ended.stdout);
    assert_eq!(ended.status.code(), Some(3), "{said}");
    for text in [
        "dev: service account: this token may not do it",
        "the set-up ended with exit code 3; nothing was deployed",
    ] {
        assert!(said.contains(text), "{said}");
    }
    assert!(!said.contains("deploy-jobs.yml"), "{said}");
}
