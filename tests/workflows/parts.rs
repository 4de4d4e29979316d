//! More than fits into one file: split into parts that GitHub accepts, each lineage in one, and stable.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;

use domino_pipeline::pipelines;
use github_workflow::limits::LARGEST_FILE;
use stage_file::StageFile;

use super::{gen_workflows_to, read, stderr};

/// A stage file of three stages, and so many jobs, of which every tenth comes after the one before it.
fn jobs(count: usize) -> String {
    let mut text = String::from(
        "[defaults]\nhost = \"domino.example.com\"\nproject = \"a/b\"\n[stage.dev]\nhardware-tier = \"dev\"\n\
         [stage.staging]\nhardware-tier = \"staging\"\n[stage.prod]\nhardware-tier = \"prod\"\n",
    );
    for job in 0..count {
        let _ = writeln!(
            text,
            "[job.job-{job}]\ncommand = \"job{job}.py\"\npaths = []"
        );
        if job % 10 == 9 {
            let _ = writeln!(text, "after = [\"job-{}\"]", job - 1);
        }
    }
    text
}

/// The deploy workflows of a stage file: name and text.
fn files(text: &str) -> BTreeMap<String, String> {
    let file = StageFile::read(text, "stages.toml".as_ref()).unwrap();
    let workflows = pipelines::workflows(&file).into_iter();
    let deploys = workflows.filter(|workflow| workflow.name.starts_with("deploy-"));
    deploys
        .map(|workflow| (workflow.name.clone(), workflow.text().unwrap()))
        .collect()
}

/// The jobs that a file deploys to a stage.
fn deployed(file: &str, stage: &str) -> BTreeSet<String> {
    let end = format!(" --stage {stage}");
    file.lines()
        .filter_map(|line| line.trim().strip_prefix("run: exec deploy-job start "))
        .filter_map(|line| line.strip_suffix(&end))
        .map(str::to_owned)
        .collect()
}

#[test]
fn what_does_not_fit_into_one_file_goes_into_several_that_github_takes() {
    let files = files(&jobs(400));
    assert!(files.len() > 1);
    let mut groups = BTreeSet::new();
    let mut names = BTreeSet::new();
    for stage in ["dev", "staging", "prod"] {
        let all: Vec<String> = files
            .values()
            .flat_map(|file| deployed(file, stage))
            .collect();
        let once: BTreeSet<&String> = all.iter().collect();
        assert_eq!((all.len(), once.len()), (400, 400), "{stage}");
    }
    for (name, text) in &files {
        assert!(text.len() < LARGEST_FILE, "{name}: {}", text.len());
        let jobs = deployed(text, "dev");
        for at in (9..400).step_by(10) {
            let [one, other] = [at - 1, at].map(|at| jobs.contains(&format!("job-{at}")));
            assert_eq!(one, other, "job-{at} is apart from what it comes after");
        }
        // No file waits for another one, whatever the names of stages: no name has a slash.
        let read = read::Read::of(name, text);
        let broken = super::rules::broken(&read);
        assert!(broken.is_empty(), "{name}: {broken:#?}");
        assert!(names.insert(read.yaml["name"].to_string()), "{name}");
        assert!(
            groups.insert(read.yaml["concurrency"]["group"].to_string()),
            "{name}"
        );
        for (_, job) in read.stages() {
            assert!(
                groups.insert(job["concurrency"]["group"].to_string()),
                "{name}"
            );
        }
        assert!(read.yaml["on"]["workflow_dispatch"]["inputs"]["stop-after"].is_object());
    }
    assert!(files.contains_key("deploy-jobs.yml") && files.contains_key("deploy-jobs-2.yml"));
}

#[test]
fn one_job_more_or_less_changes_one_file() {
    let many = jobs(400);
    let before = files(&many);
    let more = files(&format!(
        "{many}[job.one-more]\ncommand = \"x\"\npaths = []\n"
    ));
    let first = many.replacen("[job.job-0]\ncommand = \"job0.py\"\npaths = []\n", "", 1);
    for after in [more, files(&first)] {
        assert_eq!(after.len(), before.len());
        let changed = after
            .iter()
            .filter(|(name, text)| before.get(*name) != Some(text));
        assert_eq!(changed.count(), 1);
    }
}

#[test]
fn a_part_that_is_no_longer_needed_is_named_and_removed() {
    let folder = tempfile::tempdir().unwrap();
    let stages = folder.path().join("stages.toml");
    fs::write(&stages, jobs(200)).unwrap();
    let written = gen_workflows_to(folder.path(), &stages, &[]);
    assert!(written.status.success(), "{}", stderr(&written));
    let part = folder
        .path()
        .join(pipelines::FOLDER)
        .join("deploy-jobs-2.yml");
    assert!(part.is_file());

    fs::write(&stages, jobs(20)).unwrap();
    let check = gen_workflows_to(folder.path(), &stages, &["--check"]);
    assert_eq!(check.status.code(), Some(1));
    let told = String::from_utf8(check.stdout).unwrap();
    assert!(
        told.contains("--- a/.github/workflows/deploy-jobs-2.yml\n+++ /dev/null"),
        "{told}"
    );
    let written = gen_workflows_to(folder.path(), &stages, &[]);
    assert!(
        stderr(&written).contains("removed .github/workflows/deploy-jobs-2.yml"),
        "{}",
        stderr(&written)
    );
    assert!(!part.exists());
}
