//! One push that changes the training and the model: afterwards every stage serves what that push trained, even if an
//! older version exists and somebody registers a newer one meanwhile. Checked against what the sandbox shows.

use std::fs;

use crate::{Kept, Scratch};

/// Trains as the sample does, and then as somebody else who does so at the same time.
const TOGETHER: &str = r#"
import os
import sys

import train

code = train.main([])
os.environ["DOMINO_RUN_ID"] = "0" * 24
sys.exit(code or train.main([]))
"#;

/// A repository in which an older version is registered, then the model is trained, and then deployed once more.
fn repository() -> Scratch {
    let scratch = Scratch::new();
    let path = |name: &str| scratch.repository().join(name);
    let stages = fs::read_to_string(path("stages.toml")).unwrap();
    let own = "command = \"src/project/jobs/train.py\"";
    assert!(stages.contains(own));
    let stages = stages.replace(own, "command = \"src/project/jobs/together.py\"");
    let before = format!("\n[job.before]\n{own}\nstages = [\"dev\"]\n");
    fs::write(path("stages.toml"), stages + &before).unwrap();
    fs::write(path("src/project/jobs/together.py"), TOGETHER).unwrap();
    let done = scratch.bash("cargo xtask gen-workflows", &[]);
    assert!(done.status.success(), "{done:?}");
    let models = path(".github/workflows/deploy-models.yml");
    fs::copy(models, path(".github/workflows/deploy-models-again.yml")).unwrap();
    let commit = "git add --all && git commit --quiet --message 'Train and serve better'";
    let done = scratch.bash(commit, &[]);
    assert!(done.status.success(), "{done:?}");
    scratch
}

#[test]
fn every_stage_serves_the_version_that_the_push_trained() {
    let scratch = repository();
    let only = "--only deploy-jobs --only deploy-models --only deploy-models-again";
    let kept = Kept::rehearse(&scratch, only);
    for (workflow, stage, step, done) in [
        ("deploy-jobs", "dev", "Start job before", true),
        ("deploy-models", "dev", "Start job train", true),
        ("deploy-models", "staging", "Start job train", false),
        ("deploy-models", "prod", "Start job train", false),
        ("deploy-models-again", "dev", "Start job train", true),
    ] {
        let job = format!("deploy-{stage}");
        assert_eq!(
            kept.succeeded(workflow, &job, step),
            done,
            "{step}\n{}",
            kept.said
        );
    }
    // Version 1 is the older one. The first push trained 2, the second 4; 3 and 5 are somebody else's.
    let models = kept.models();
    let live: Vec<&str> = models
        .iter()
        .filter(|row| row[2] == "Production")
        .map(|row| row[1].as_str())
        .collect();
    assert_eq!((models.len(), live), (5, vec!["4"]), "{models:?}");
    let expected = ["wine-quality", "wine-quality-dev", "wine-quality-staging"]
        .map(|name| [name, "version 2: wine-quality version 4"]);
    assert_eq!(kept.answers(), expected, "{}", kept.said);
    kept.end();
}
