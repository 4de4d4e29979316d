//! Thirty jobs through two stages, one of which fails in the first: the others continue without it. Checked against
//! the runs of the sandbox.

use std::fmt::Write as _;
use std::fs;

use crate::{Kept, Scratch};

const STAGES: &str = r#"
[pipeline]
branch = "main"
runner = "ubuntu-24.04"
install = "build"

[defaults]
host = "domino.example.com"
project = "wine-team/wine-quality"
environment = "Domino Standard Environment"

[stage.dev]
hardware-tier = "dev-small"
github-environment = "DEV"

[stage.prod]
hardware-tier = "prod-small"
github-environment = "PROD"
approvers = ["wine-reviewers"]
"#;

/// The job that fails.
const FAILS: &str = "part-17";

fn names() -> impl Iterator<Item = String> {
    (1..=30).map(|number| format!("part-{number}"))
}

fn repository() -> Scratch {
    let scratch = Scratch::new();
    let mut stages = STAGES.to_owned();
    for name in names() {
        let command = if name == FAILS { "exit 3" } else { "true" };
        writeln!(stages, "\n[job.{name}]\ncommand = \"{command}\"").unwrap();
    }
    fs::write(scratch.repository().join("stages.toml"), stages).unwrap();
    // Every run has a clone of its own: these folders would be most of it, and nothing here reads them.
    for folder in ["crates", "docs", "tests"] {
        fs::remove_dir_all(scratch.repository().join(folder)).unwrap();
    }
    scratch.generate_and_commit("Thirty parts");
    scratch
}

#[test]
fn one_of_thirty_that_fails_is_held_back_alone() {
    let scratch = repository();
    let kept = Kept::rehearse(&scratch, "--only deploy-jobs");
    let runs = kept.jobs();
    // A title ends with what the run is of: `[dev/part-1 1a2b3c run 7]`.
    let of = |stage: &str, status: &str| {
        let start = format!("[{stage}/");
        let mut names: Vec<&str> = runs
            .iter()
            .filter(|row| row[1] == status)
            .filter_map(|row| row[0].split_once(&start)?.1.split(' ').next())
            .collect();
        names.sort_unstable();
        names
    };
    let all: Vec<String> = names().collect();
    let mut others: Vec<&str> = all.iter().map(String::as_str).collect();
    others.retain(|name| *name != FAILS);
    others.sort_unstable();
    assert_eq!(of("dev", "Succeeded"), others, "{}", kept.said);
    assert_eq!(of("dev", "Failed"), [FAILS], "{}", kept.said);
    assert_eq!(of("prod", "Succeeded"), others, "{}", kept.said);
    assert_eq!(runs.len(), 30 + 29, "{runs:?}");

    for (stage, title, why) in [
        (
            "dev",
            "Not deployed here, and to no later stage",
            "job part-17: the step \"Start job part-17\" failed",
        ),
        ("prod", "Not deployed here", "job part-17 did not pass dev"),
    ] {
        let name = format!("target/rehearsal/summaries/deploy-jobs.deploy-{stage}.md");
        let summary = fs::read_to_string(scratch.repository().join(name)).unwrap();
        let (_, told) = summary.split_once(&format!("### {title}\n\n")).unwrap();
        assert_eq!(told.trim_end(), format!("- {why}"), "{stage}: {summary}");
    }
    kept.end_with(5);
}
