//! Whole workflows run from first job to last, without a sandbox: what steps see, what they hand on, what is refused.

mod conditions;
mod endings;
mod hand_over;
mod isolation;
mod robustness;

use std::sync::mpsc::channel;

use super::approval::{Approvals, Approve};
use super::checks::{self, Found, Known};
use super::console::captured;
use super::domino::Domino;
use super::github::{Event, GitHub};
use super::interrupt::Interrupt;
use super::pipeline::{self, Done};
use super::process::Grace;
use super::report::{Outcome, Row};
use super::repository::sample;
use super::runner::{self, Runner};
use super::stage_gates::StageGates;
use super::workspace::Workspace;
use github_workflow::read::Workflow;

const STAGES: &str = r#"
[stage.dev]
github-environment = "DEV"
[stage.prod]
github-environment = "PROD"
approvers = ["ann"]
"#;

/// What a rehearsal left behind.
struct Rehearsed {
    text: String,
    rows: Vec<Row>,
    jobs: Vec<(String, Done)>,
    summary: String,
    exit_code: u8,
}

impl Rehearsed {
    fn job(&self, id: &str) -> &Done {
        &self.jobs.iter().find(|(known, _)| known == id).expect(id).1
    }

    fn output(&self, job: &str, name: &str) -> Option<&str> {
        let outputs = &self.job(job).outputs;
        outputs
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    fn outcome(&self, step: &str) -> Outcome {
        self.rows
            .iter()
            .find(|row| row.step == step)
            .expect(step)
            .outcome
    }
}

fn rehearse(jobs: &str) -> Rehearsed {
    rehearse_with(jobs, Approve::All, &Interrupt::default())
}

fn rehearse_with(jobs: &str, approve: Approve, interrupt: &Interrupt) -> Rehearsed {
    let text = format!("name: Deploy things\non: push\njobs:\n{jobs}");
    let (_folder, repository) = sample(&[
        ("a.txt", "committed"),
        ("tool", "#!/bin/sh\necho tool runs\n"),
    ]);
    let gates = StageGates::parse(STAGES).unwrap();
    let mut found = Found::default();
    let workflow = Workflow::read("deploy-things.yml", &text, &mut found.problems);
    let workflow = workflow.unwrap_or_else(|| panic!("{:#?}", found.problems));
    let (console, heard) = captured();
    let commit = repository.head().unwrap();
    let github = GitHub {
        repository: "acme/wine".into(),
        branch: "main".into(),
        commit,
        actor: "author".into(),
        event: Event::Push,
        api_url: "http://127.0.0.1:1".into(),
        token: "github-canary".into(),
        first_run_id: 42,
    };
    let run = github.run_of(&workflow, 0);
    let workspace = Workspace::take(None).unwrap();
    let known = Known {
        gates: &gates,
        event: &Event::Push,
        github: &github.context(&run, "", &workspace),
        vars: &[],
        secrets: &[],
    };
    checks::check(&workflow, &known, &mut found);
    assert!(found.problems.is_empty(), "{:#?}", found.problems);

    let (_sender, answers) = channel();
    let artifacts = workspace.base().join("artifacts");
    let summaries = tempfile::tempdir().unwrap();
    let second = std::time::Duration::from_millis(200);
    console.mask("key-canary");
    console.mask("github-canary");
    let runner = Runner {
        repository,
        github,
        workspace,
        domino: Domino {
            url: "http://127.0.0.1:2".into(),
            secrets: vec![("DOMINO_USER_API_KEY".into(), "key-canary".into())],
            desk: Default::default(),
        },
        gates,
        approvals: Approvals::new(approve, answers),
        console,
        interrupt: interrupt.clone(),
        grace: Grace {
            after_interrupt: second,
            after_terminate: second,
            output: second,
        },
        inherited: runner::inherited(),
        summaries: summaries.path().to_owned(),
        build_folder: None,
        report: Default::default(),
    };
    let jobs = pipeline::run(&runner, &workflow, run, artifacts).unwrap();
    let mut summary = String::new();
    for file in summaries.path().read_dir().unwrap() {
        summary.push_str(&std::fs::read_to_string(file.unwrap().path()).unwrap());
    }
    let report = runner.report.take();
    let text = String::from_utf8(heard.borrow().clone()).unwrap();
    Rehearsed {
        text,
        exit_code: report.exit_code(),
        rows: report.rows,
        jobs,
        summary,
    }
}
