//! Whole workflows run from first job to last, without a sandbox: what steps see, what they hand on, what is refused.

mod conditions;
mod endings;
mod groups;
mod hand_over;
mod isolation;
mod robustness;
mod side_by_side;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use crate::approval::{Approvals, Approve};
use crate::artifacts::{Artifacts, RunTime};
use crate::checks::{self, Findings, Known};
use crate::console::captured;
use crate::github::{Event, GitHub};
use crate::interrupt::Interrupt;
use crate::process::Grace;
use crate::report::{Outcome, Row};
use crate::repository::{Commit, sample};
use crate::runner::{self, Runner};
use crate::settings::{
    Environment, ImposedVariable, OtherApprovals, RepositorySettings, Substitute,
};
use crate::workflow;
use crate::workflow_run::{JobResult, WorkflowRun};
use crate::workspace::Workspaces;
use github_workflow::read::Workflow;
use github_workflow::value::same_ignoring_case;

/// Settings with these environments, each with the same variable and the same secret.
#[derive(Debug, Default)]
pub struct SampleSettings {
    environments: Vec<Environment>,
    /// How many approvals must still be given elsewhere, one after the other.
    pub elsewhere: AtomicUsize,
}

impl SampleSettings {
    /// Environments that nobody has to approve.
    pub fn with(names: &[&str]) -> Self {
        let environment = |name: &&str| Environment {
            name: (*name).to_owned(),
            guards: format!("stage {}", name.to_lowercase()),
            reviewers: Vec::new(),
            starters: Vec::new(),
            wait_timer: 0,
        };
        Self {
            environments: names.iter().map(environment).collect(),
            elsewhere: AtomicUsize::default(),
        }
    }

    /// The last environment needs this approval.
    fn reviewed_by(mut self, reviewer: &str) -> Self {
        let last = self.environments.last_mut().expect("an environment");
        last.reviewers.push(reviewer.to_owned());
        self
    }
}

impl RepositorySettings for SampleSettings {
    fn environment(&self, name: &str) -> Result<&Environment, String> {
        let known = |environment: &&Environment| same_ignoring_case(&environment.name, name);
        let missing = || format!("no environment is called `{name}`");
        self.environments.iter().find(known).ok_or_else(missing)
    }

    fn variable_names(&self) -> &[&str] {
        &["STAGE"]
    }

    fn secret_names(&self) -> &[&str] {
        &["KEY"]
    }

    fn imposed_variables(&self) -> &[ImposedVariable] {
        &[ImposedVariable {
            name: "SERVER",
            what: "a stand-in",
        }]
    }

    fn variables(&self, environment: &str) -> Vec<(String, String)> {
        vec![("STAGE".into(), environment.into())]
    }

    fn secrets(&self, _environment: &str) -> Vec<(String, String)> {
        vec![("KEY".into(), "key-canary".into())]
    }

    fn process_variables(&self, environment: Option<&str>) -> Vec<(String, String)> {
        let server = environment.map(|_| ("SERVER".into(), "http://127.0.0.1:2".into()));
        server.into_iter().collect()
    }

    fn substitute(&self, command: &str) -> Option<Substitute> {
        (command == "fetch --from elsewhere").then(|| Substitute {
            command: "echo \"how=substituted\" >> \"$GITHUB_OUTPUT\"".to_owned(),
            told: "nothing is fetched".to_owned(),
        })
    }

    fn other_approvals(&self) -> Option<OtherApprovals> {
        let left = self.elsewhere.load(Ordering::SeqCst);
        (left > 0).then(|| OtherApprovals {
            place: "the registry".to_owned(),
            user: "bob".to_owned(),
            page: "http://127.0.0.1:2/".to_owned(),
            waiting: vec![format!("approval {left}")],
        })
    }

    fn approve_others(&self) -> Vec<String> {
        let left = self.elsewhere.load(Ordering::SeqCst);
        self.elsewhere.store(left - 1, Ordering::SeqCst);
        vec![format!("given: approval {left}")]
    }
}

/// The result of a rehearsal.
struct Rehearsed {
    text: String,
    rows: Vec<Row>,
    jobs: Vec<(String, JobResult)>,
    summary: String,
    exit_code: u8,
}

impl Rehearsed {
    /// The lines of jobs, without their names.
    fn lines(&self) -> impl Iterator<Item = &str> {
        let lines = self.text.lines();
        lines.map(|line| line.split_once(" | ").map_or(line, |(_, said)| said))
    }

    fn job(&self, id: &str) -> &JobResult {
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
    let around = Around {
        approve,
        interrupt,
        ..Around::default()
    };
    rehearse_all(&[("deploy-things.yml", &text)], &around)
}

/// What workflows are rehearsed with.
struct Around<'a> {
    approve: Approve,
    answers: &'a [&'a str],
    interrupt: &'a Interrupt,
    after_timeout: Duration,
}

static CALM: std::sync::LazyLock<Interrupt> = std::sync::LazyLock::new(Interrupt::default);

impl Default for Around<'_> {
    fn default() -> Self {
        Self {
            approve: Approve::All,
            answers: &[],
            interrupt: &CALM,
            after_timeout: Duration::from_secs(20),
        }
    }
}

/// Rehearses files side by side. The results of their jobs are listed one after the other.
fn rehearse_all(files: &[(&str, &str)], around: &Around<'_>) -> Rehearsed {
    let (_folder, repository) = sample(&[
        ("a.txt", "committed"),
        ("tool", "#!/bin/sh\necho tool runs\n"),
    ]);
    let settings = SampleSettings::with(&["DEV", "PROD"]).reviewed_by("ann");
    let github = pushed(repository.head().unwrap());
    let workflows = read_all(files, &github, &settings);
    let (_open, answers) = terminal(around.answers);
    let summaries = tempfile::tempdir().unwrap();
    let (console, heard) = captured();
    console.mask("key-canary");
    console.mask("github-canary");
    let runner = Runner {
        repository,
        github,
        workspaces: Workspaces::take(None).unwrap(),
        settings: Box::new(settings),
        approvals: Approvals::new(around.approve, answers),
        groups: Default::default(),
        records: Default::default(),
        console,
        interrupt: around.interrupt.clone(),
        grace: short_grace(around.after_timeout),
        inherited: runner::inherited(),
        summaries: summaries.path().to_owned(),
        report: Mutex::default(),
    };
    let mut runs = first_runs(&runner, &workflows);
    workflow::run_all(&runner, &mut runs).unwrap();
    let jobs = runs.iter().flat_map(WorkflowRun::results).collect();
    let mut summary = String::new();
    for file in summaries.path().read_dir().unwrap() {
        summary.push_str(&std::fs::read_to_string(file.unwrap().path()).unwrap());
    }
    let report = std::mem::take(&mut *runner.report());
    let text = String::from_utf8(heard.lock().unwrap().clone()).unwrap();
    Rehearsed {
        text,
        exit_code: report.exit_code(),
        rows: report.rows,
        jobs,
        summary,
    }
}

/// What GitHub would say about a push of this commit.
fn pushed(commit: Commit) -> GitHub {
    GitHub {
        repository: "acme/wine".into(),
        branch: "main".into(),
        commit,
        actor: "author".into(),
        event: Event::Push,
        api_url: "http://127.0.0.1:1".into(),
        token: "github-canary".into(),
        first_run_id: 42,
    }
}

/// Reads and checks files in which nothing may be wrong.
fn read_all(files: &[(&str, &str)], github: &GitHub, settings: &SampleSettings) -> Vec<Workflow> {
    let mut findings = Findings::default();
    let mut workflows = Vec::new();
    for (at, (name, text)) in (0..).zip(files) {
        let workflow = Workflow::read(name, text, &mut findings.problems);
        let workflow = workflow.unwrap_or_else(|| panic!("{:#?}", findings.problems));
        let known = Known {
            settings,
            branch: "main",
            event: &Event::Push,
            github: &github.context(&github.run_of(&workflow, at), "", None),
        };
        checks::check(&workflow, &known, &mut findings);
        workflows.push(workflow);
    }
    assert!(findings.problems.is_empty(), "{:#?}", findings.problems);
    workflows
}

/// The first run of each workflow.
fn first_runs<'w>(runner: &Runner, workflows: &'w [Workflow]) -> Vec<WorkflowRun<'w>> {
    let run = |(at, workflow): (usize, &'w Workflow)| {
        let folder = runner.workspaces.base().join(format!("artifacts-{at}"));
        let artifacts = Artifacts::new(folder, RunTime::FIRST, Vec::new());
        let run = runner.github.run_of(workflow, at as u64);
        let cancel = runner.interrupt.part();
        WorkflowRun::new(at, workflow, run, artifacts, cancel, Vec::new())
    };
    workflows.iter().enumerate().map(run).collect()
}

/// A terminal at which a person has typed this, and which stays open as long as the sender.
fn terminal(texts: &[&str]) -> (Sender<String>, Receiver<String>) {
    let (sender, answers) = channel();
    for text in texts {
        sender.send((*text).to_owned()).unwrap();
    }
    (sender, answers)
}

/// Much shorter than on GitHub.
fn short_grace(after_timeout: Duration) -> Grace {
    let second = Duration::from_millis(200);
    Grace {
        after_interrupt: second,
        after_terminate: second,
        after_timeout,
        output: second,
    }
}
