//! `cargo xtask rehearse`: runs the generated workflow files on this machine, against a sandbox in Domino's place.
//!
//! The files are read and carried out as GitHub would: jobs in the order of their needs, steps with their environment,
//! outputs handed on, approvals asked for. What cannot be done truthfully is named and makes the rehearsal fail; nothing
//! is skipped in silence. Nothing leaves this machine but what a step itself reaches for.

mod action;
mod approval;
mod artifacts;
mod checks;
mod command_files;
mod console;
mod context;
mod evaluate;
mod expression;
mod file_pattern;
mod github;
mod github_api;
mod interrupt;
mod job;
mod masks;
mod order;
mod pipeline;
mod problem;
mod process;
mod report;
mod repository;
mod runner;
mod shell;
mod stage_gates;
mod step;
#[cfg(test)]
mod tests;
mod value;
mod workflow_command;
mod workflow_file;
mod workspace;
mod yaml;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use domino_sandbox::{Pace, Sandbox, Seed, Version};

use approval::{Approvals, Approve};
use checks::{Found, Known};
use console::{Console, Look};
use github::{Event, GitHub, Run};
use github_api::GitHubApi;
use interrupt::Interrupt;
use process::Grace;
use report::{CANNOT, Report};
use repository::{Commit, Repository};
use runner::{Domino, Runner};
use stage_gates::StageGates;
use value::Value;
use workflow_file::Workflow;
use workspace::Workspace;

/// Run the workflow files here, stage by stage, against a Domino on this machine
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Rehearse this workflow only, such as deploy-jobs; may be given several times
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Read the workflow files from this folder, and not from the commit's .github/workflows
    #[arg(long, value_name = "DIR")]
    pub workflows: Option<PathBuf>,
    /// Rehearse what is in the working tree, too, and not only what is committed
    #[arg(long)]
    pub uncommitted: bool,
    /// Who gives the approvals that GitHub would ask for [default: ask on a terminal, all elsewhere]
    #[arg(long, value_enum)]
    pub approve: Option<Approve>,
    /// Stop after this stage, as a run started by hand can
    #[arg(long, value_name = "STAGE")]
    pub stop_after: Option<String>,
    /// The Domino to rehearse against: 5.9, 6.2, 6.3 or 6.4
    #[arg(long, value_name = "VERSION", default_value_t)]
    pub domino_version: Version,
    /// Let the sandbox misbehave as this file says
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// Leave the sandbox up after the table, until Ctrl-C
    #[arg(long)]
    pub keep: bool,
    /// Write the jobs' summaries to this folder, one Markdown file each
    #[arg(long, value_name = "DIR")]
    pub summary_dir: Option<PathBuf>,
    /// The repository to rehearse
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub repository: PathBuf,
}

/// The user of the sandbox that steps sign in as.
const STEPS_USER: &str = "ci-bot";
/// The user of the sandbox who is said to have pushed.
const AUTHOR: &str = "author";
/// The workflows that others build upon come first: a job trains what an app shows and an endpoint serves.
const FIRST: [&str; 3] = ["deploy-jobs", "deploy-apps", "deploy-models"];

/// Rehearses.
///
/// # Errors
/// When there is nothing to rehearse, or this machine does not let it. What fails in a step is no error: it is in the
/// table and in the exit code.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    let approve = approve(args.approve)?;
    let interrupt = Interrupt::listen()?;
    let console = Console::stdout();
    let repository = Repository::open(&args.repository)?;
    let commit = if args.uncommitted {
        repository.uncommitted()?
    } else {
        repository.head()?
    };
    announce(&console, &repository, &commit, args.uncommitted)?;

    let stage_file = repository
        .file(&commit, "stages.toml")?
        .with_context(|| format!("commit {} has no stages.toml", short(&commit)))?;
    let gates = StageGates::parse(&stage_file)?;
    let event = match args.stop_after {
        Some(stop_after) => Event::Dispatch { stop_after },
        None => Event::Push,
    };
    let mut found = Found::default();
    let workflows = read_workflows(
        &repository,
        &commit,
        args.workflows.as_deref(),
        &args.only,
        &mut found,
    )?;

    let build_folder = build_folder(&repository);
    let lasting = build_folder.as_ref().map(|folder| folder.join("rehearsal"));
    let workspace = Workspace::take(lasting.as_deref())?;
    let approvals = Approvals::from_stdin(approve);
    let token = format!(
        "ghs_{}",
        std::iter::repeat_with(fastrand::alphanumeric)
            .take(36)
            .collect::<String>()
    );
    console.mask(&token);
    let api = GitHubApi::start(token.clone(), approvals.given())?;
    let github = GitHub {
        repository: repository.slug(),
        branch: gates.branch.clone(),
        commit,
        actor: AUTHOR.into(),
        event,
        api_url: api.url.clone(),
        token,
        first_run_id: std::time::UNIX_EPOCH
            .elapsed()
            .unwrap_or_default()
            .as_secs()
            * 10,
    };
    let runs: Vec<Run> = (0..)
        .zip(&workflows)
        .map(|(at, workflow)| github.run_of(workflow, at))
        .collect();
    check(&workflows, &runs, &github, &gates, &workspace, &mut found);
    if !found.problems.is_empty() {
        console.blank();
        for problem in &found.problems {
            console.line(Look::Bad, &format!("cannot rehearse: {problem}"));
        }
        let problems = if found.problems.len() == 1 {
            "problem"
        } else {
            "problems"
        };
        console.line(
            Look::Bold,
            &format!("{} {problems}; nothing was run", found.problems.len()),
        );
        return Ok(ExitCode::from(CANNOT));
    }

    let sandbox = start_sandbox(
        &repository,
        &stage_file,
        args.domino_version,
        args.faults.as_deref(),
    )?;
    for account in sandbox.accounts() {
        console.mask(&account.api_key);
        console.mask(&account.token);
    }
    console.line(
        Look::Plain,
        &format!(
            "Domino {} is the sandbox at {}; jobs with an environment find it as DOMINO_API_HOST",
            args.domino_version,
            sandbox.url()
        ),
    );
    if let Some(folder) = &build_folder {
        let folder = folder.display();
        console.line(
            Look::Plain,
            &format!("cargo keeps what it compiles in {folder} (CARGO_BUILD_BUILD_DIR)"),
        );
    }
    for note in &found.notes {
        console.line(Look::Dim, &format!("note: {note}"));
    }
    let artifacts = tempfile::tempdir_in(workspace.base())?;
    let runner = Runner {
        repository,
        github,
        workspace,
        domino: domino(&sandbox, args.domino_version),
        gates,
        approvals,
        console: console.clone(),
        interrupt: interrupt.clone(),
        grace: Grace::GITHUB,
        inherited: runner::inherited(),
        summaries: summaries(args.summary_dir, lasting.as_deref())?,
        build_folder,
        report: Default::default(),
    };
    for (workflow, run) in workflows.iter().zip(runs) {
        if interrupt.asked() {
            break;
        }
        let folder = artifacts.path().join(run.id.to_string());
        pipeline::run(&runner, workflow, run, folder)?;
    }
    for asked in api
        .unknown
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
        .drain(..)
    {
        runner.untruthful(format!("a step asked GitHub's API for `{asked}`"));
    }
    let code = conclude(&runner, begun.elapsed());
    if args.keep && !interrupt.asked() {
        console.line(
            Look::Bold,
            &format!("the sandbox stays up at {} until Ctrl-C", sandbox.url()),
        );
        while !interrupt.asked() {
            std::thread::sleep(Duration::from_millis(50));
        }
        return Ok(ExitCode::from(code));
    }
    Ok(ExitCode::from(if interrupt.asked() {
        interrupt.exit_code()
    } else {
        code
    }))
}

fn approve(asked: Option<Approve>) -> anyhow::Result<Approve> {
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    match asked {
        Some(Approve::Ask) if !terminal => {
            anyhow::bail!("`--approve ask` needs a terminal; there are all and none")
        }
        Some(approve) => Ok(approve),
        None if terminal => Ok(Approve::Ask),
        None => Ok(Approve::All),
    }
}

fn announce(
    console: &Console,
    repository: &Repository,
    commit: &Commit,
    uncommitted: bool,
) -> anyhow::Result<()> {
    console.line(
        Look::Bold,
        &format!("rehearsing {} {}", short(commit), commit.title),
    );
    let changes = repository.changes()?;
    if let (false, [first, others @ ..]) = (uncommitted, changes.as_slice()) {
        let others = match others.len() {
            0 => String::new(),
            1 => " and 1 other".into(),
            others => format!(" and {others} others"),
        };
        console.line(
            Look::Warning,
            &format!("not committed, so not rehearsed: {first}{others} (`--uncommitted` rehearses them, too)"),
        );
    }
    Ok(())
}

fn short(commit: &Commit) -> &str {
    commit.sha.get(..7).unwrap_or(&commit.sha)
}

fn read_workflows(
    repository: &Repository,
    commit: &Commit,
    folder: Option<&Path>,
    only: &[String],
    found: &mut Found,
) -> anyhow::Result<Vec<Workflow>> {
    const FOLDER: &str = ".github/workflows";
    let mut texts: Vec<(String, String)> = Vec::new();
    match folder {
        Some(folder) => {
            for entry in folder
                .read_dir()
                .with_context(|| format!("cannot read {}", folder.display()))?
            {
                let path = entry?.path();
                let name = path
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned())
                    .unwrap_or_default();
                if is_deploy_workflow(&name) {
                    let text = std::fs::read_to_string(&path);
                    texts.push((
                        name,
                        text.with_context(|| format!("cannot read {}", path.display()))?,
                    ));
                }
            }
        }
        None => {
            for name in repository.files(commit, FOLDER)? {
                if is_deploy_workflow(&name) {
                    let text = repository
                        .file(commit, &format!("{FOLDER}/{name}"))?
                        .unwrap_or_default();
                    texts.push((name, text));
                }
            }
        }
    }
    let stem = |name: &str| {
        name.rsplit_once('.')
            .map_or(name, |(stem, _)| stem)
            .to_owned()
    };
    let all: Vec<String> = texts.iter().map(|(name, _)| stem(name)).collect();
    anyhow::ensure!(
        !all.is_empty(),
        "there is no deploy-*.yml in {}: `cargo xtask gen-workflows` writes them",
        folder.map_or_else(
            || format!("{FOLDER} of commit {}", short(commit)),
            |folder| folder.display().to_string()
        )
    );
    if let Some(unknown) = only.iter().find(|name| !all.contains(&stem(name))) {
        anyhow::bail!(
            "there is no workflow `{unknown}`; there are {}",
            all.join(", ")
        );
    }
    texts.retain(|(name, _)| {
        only.is_empty() || only.iter().any(|wanted| stem(wanted) == stem(name))
    });
    texts.sort_by_key(|(name, _)| {
        let place = FIRST.iter().position(|first| *first == stem(name));
        (place.unwrap_or(FIRST.len()), name.clone())
    });
    Ok(texts
        .iter()
        .filter_map(|(name, text)| Workflow::read(name, text, &mut found.problems))
        .collect())
}

fn is_deploy_workflow(name: &str) -> bool {
    name.starts_with("deploy-") && (name.ends_with(".yml") || name.ends_with(".yaml"))
}

fn check(
    workflows: &[Workflow],
    runs: &[Run],
    github: &GitHub,
    gates: &StageGates,
    workspace: &Workspace,
    found: &mut Found,
) {
    for (workflow, run) in workflows.iter().zip(runs) {
        let known = Known {
            gates,
            event: &github.event,
            github: &github.context(run, "", workspace),
            vars: &["DOMINO_ENV"],
            secrets: &["DOMINO_USER_API_KEY", "DOMINO_TOKEN"],
        };
        checks::check(workflow, &known, found);
    }
}

/// Where cargo's own folder is, if this is a cargo project at all.
fn build_folder(repository: &Repository) -> Option<PathBuf> {
    if !repository.root.join("Cargo.toml").is_file() {
        return None;
    }
    let folder = std::env::var_os("CARGO_TARGET_DIR").filter(|folder| !folder.is_empty());
    let folder = folder.map_or_else(|| PathBuf::from("target"), PathBuf::from);
    Some(repository.root.join(folder))
}

fn start_sandbox(
    repository: &Repository,
    stage_file: &str,
    version: Version,
    faults: Option<&Path>,
) -> anyhow::Result<Sandbox> {
    let file = tempfile::NamedTempFile::new()?;
    std::fs::write(file.path(), stage_file)?;
    let sandbox = Sandbox::start(domino_sandbox::Options {
        repository: repository.root.clone(),
        version,
        // A person wants to see the statuses go by; nobody else does.
        pace: if std::io::stdout().is_terminal() {
            Pace::human()
        } else {
            Pace::instant()
        },
        seed: Seed::from_stage_file(file.path())?,
        ..domino_sandbox::Options::default()
    })?;
    if let Some(faults) = faults {
        sandbox.faults().load(faults)?;
    }
    Ok(sandbox)
}

/// Every environment holds one credential, as people set them up: the key where this Domino still takes keys.
fn domino(sandbox: &Sandbox, version: Version) -> Domino {
    let account = sandbox.user(STEPS_USER);
    let secret = if version.accepts_api_keys() {
        ("DOMINO_USER_API_KEY".to_owned(), account.api_key)
    } else {
        ("DOMINO_TOKEN".to_owned(), account.token)
    };
    Domino {
        url: sandbox.url().to_owned(),
        secrets: vec![secret],
    }
}

/// The folder for summaries, without those of an earlier rehearsal where the folder is ours.
fn summaries(asked: Option<PathBuf>, lasting: Option<&Path>) -> anyhow::Result<PathBuf> {
    match (asked, lasting) {
        (Some(folder), _) => Ok(folder),
        (None, Some(lasting)) => {
            let folder = lasting.join("summaries");
            if folder.exists() {
                std::fs::remove_dir_all(&folder)
                    .with_context(|| format!("cannot empty {}", folder.display()))?;
            }
            Ok(folder)
        }
        (None, None) => Ok(tempfile::Builder::new()
            .prefix("rehearsal-summaries-")
            .tempdir()?
            .keep()),
    }
}

fn conclude(runner: &Runner, took: Duration) -> u8 {
    let report: &Report = &runner.report.borrow();
    report.show(&runner.console);
    runner.console.blank();
    if runner
        .summaries
        .read_dir()
        .is_ok_and(|mut files| files.next().is_some())
    {
        runner.console.line(
            Look::Plain,
            &format!("summaries: {}", runner.summaries.display()),
        );
    }
    let (look, verdict) = report.verdict(took);
    runner.console.line(look, &verdict);
    report.exit_code()
}

impl GitHub {
    /// The run of a workflow, with the inputs that a person who stops early would give.
    fn run_of(&self, workflow: &Workflow, at: u64) -> Run {
        let inputs = match (&self.event, &workflow.triggers.dispatch) {
            (Event::Dispatch { stop_after }, Some(inputs)) => inputs
                .iter()
                .map(|input| {
                    let text = if input.options.contains(stop_after) {
                        Some(stop_after)
                    } else {
                        input.default.as_ref()
                    };
                    (
                        input.name.clone(),
                        input.value(text.map_or("", String::as_str)),
                    )
                })
                .collect(),
            _ => Vec::new(),
        };
        Run {
            workflow: workflow.name.clone(),
            file: workflow.file.clone(),
            id: self.first_run_id + at,
            inputs,
        }
    }
}

impl workflow_file::Input {
    fn value(&self, text: &str) -> Value {
        match self.kind.as_str() {
            "boolean" => Value::Bool(text == "true"),
            "number" => Value::Number(value::parse_number(text)),
            _ => Value::String(text.to_owned()),
        }
    }
}
