//! `cargo xtask rehearse`: runs the generated workflow files on this machine, against a sandbox in Domino's place.
//!
//! How files are read and run as on GitHub is the crate `rehearsal`'s. Here stands what is rehearsed, and what jobs are
//! given: the environments of the stage file with the sandbox behind them. Nothing leaves this machine but what a step
//! itself reaches for.

#[cfg(feature = "contract")]
mod contract;
mod domino;
mod environments;
mod installed;
mod messages;
mod mlflow;
mod settings;
mod subject;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
#[cfg(feature = "contract")]
use domino_contract::Contract;
use domino_sandbox::Version;
use github_workflow::read::Workflow;
use rehearsal::approval::{Approvals, Approve};
use rehearsal::artifacts::{Artifacts, RunTime};
use rehearsal::checks::{self, Findings, Known};
use rehearsal::console::Console;
use rehearsal::github::{Event, GitHub, Run};
use rehearsal::github_api::{GitHubApi, Told};
use rehearsal::interrupt::Interrupt;
use rehearsal::job_records::JobRecords;
use rehearsal::process::Grace;
use rehearsal::repository::Repository;
use rehearsal::runner::{self, Runner};
use rehearsal::workflow;
use rehearsal::workflow_run::WorkflowRun;
use rehearsal::workspace::Workspaces;

use self::installed::Installed;
use self::mlflow::Mlflow;
use self::settings::{AUTHOR, Domino, StageSettings};
use self::subject::{Choice, Subject};

/// What a person should know before trusting a rehearsal.
const HELP: &str = "\
Workflows, stage file and code are those of the commit that is checked out. Each job gets an empty workspace, and its \
steps see GitHub's variables and their own, nothing else of your environment. `vars.DOMINO_ENV` is the name of the \
job's GitHub environment; its one credential is that of the sandbox's user `ci-bot`; DOMINO_API_HOST points the \
programs at the sandbox. actions/checkout, upload-artifact, download-artifact and cache (always a miss) are stood in \
for; programs that would be downloaded are those installed beside this one, which Domino's runs find as well; an attestation is named as not run; anything else that is not understood is named before anything runs.

The workflows start side by side, and each job once what it needs has finished, on folders of its own; each line says \
whose it is. `concurrency` groups are kept as GitHub keeps them: one goes on, of those that wait the newest stays, with \
`queue: max` all of them, and `cancel-in-progress` ends what goes on. An approval holds up its job and what comes after \
it; questions come one at a time.

Ctrl-C cancels as GitHub does: the shells of the running steps get SIGINT, after 7.5 seconds SIGTERM, and 2.5 seconds \
later their processes are killed; steps with `always()` or `cancelled()` still run, five minutes at most, as they do when \
a job takes longer than its `timeout-minutes`. A second Ctrl-C ends everything at once.

Trouble to rehearse with --faults. Each file says what to expect, `domino-sandbox --help` what one may hold:

    faults/failing-deployments.toml  apps and endpoints that do not start
    faults/flaky-network.toml        reads refused, cut off, answered with 503
    faults/lost-replies.toml         first writes take effect without a reply
    faults/misreporting-jobs.toml    odd statuses, late ends, repeated lines
    faults/outside-of-a-run.toml     writes that must name a run, tokens refused
    faults/signed-out.toml           from the third step on, a sign-in page
    faults/slow-domino.toml          slow lists, runs that seem to end late

Exit codes: 0 every step succeeded; 2 something cannot be rehearsed, or wrong usage; 4 not as the specs of `--spec` \
say; 5 a step failed; \
7 an approval was not given; 130 or 143 interrupted.";

/// Run the workflow files here, stage by stage, against a Domino on this machine
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
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
    pub approve: Option<Approver>,
    /// Stop after this stage, as a run started by hand can
    #[arg(long, value_name = "STAGE")]
    pub stop_after: Option<String>,
    /// Start the runs by hand, with this input, such as back=true; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = input)]
    pub input: Vec<(String, String)>,
    /// The Domino to rehearse against: 5.9, 6.2, 6.3 or 6.4
    #[arg(long, value_name = "VERSION", default_value_t)]
    pub domino_version: Version,
    /// Let the sandbox misbehave as this file says, such as one of faults/
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// Hold every request and reply of the rehearsal against these specs: files, or folders of JSON files
    #[cfg(feature = "contract")]
    #[arg(long, value_name = "FILE")]
    pub spec: Vec<PathBuf>,
    /// Keep experiments and registered models in a real MLflow server, installed from PyPI at its first start
    #[arg(long)]
    pub mlflow: bool,
    /// Run jobs and endpoints with this Python: a virtual environment, or a `python3`. Where MLflow's own client is in it,
    /// the sample trains with that
    #[arg(long, value_name = "VENV")]
    pub python: Option<PathBuf>,
    /// Build the programs as the workflow does, for a release, and not as this program was built
    #[arg(long)]
    pub build_as_written: bool,
    /// Leave the sandbox up after the table, until Ctrl-C, and print what to export to use it
    #[arg(long)]
    pub keep: bool,
    /// Write the jobs' summaries to this folder, one Markdown file each
    #[arg(long, value_name = "DIR")]
    pub summary_dir: Option<PathBuf>,
    /// The repository to rehearse
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub repository: PathBuf,
}

/// Who gives the approvals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Approver {
    /// Every approval is given
    All,
    /// Each is asked for on the terminal
    Ask,
    /// None is given: the pipeline stops at the first gate
    None,
}

/// The exit code when everything went well but not as the specs say.
#[cfg(feature = "contract")]
const CONTRACT_BROKEN: u8 = 4;

/// Rehearses.
///
/// # Errors
/// When this machine does not let it. What fails in a step is no error: it is in the table and in the exit code.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    #[cfg(feature = "contract")]
    let contract = match args.spec.as_slice() {
        [] => None,
        paths => Some(Contract::read(paths)?),
    };
    let python = args.python.as_deref().map(domino::python).transpose()?;
    let interrupt = Interrupt::listen()?;
    let console = Console::stdout();
    let mut findings = Findings::default();
    let read = approve(args.approve).and_then(|approve| {
        let choice = Choice {
            repository: &args.repository,
            uncommitted: args.uncommitted,
            workflows: args.workflows.as_deref(),
            only: &args.only,
        };
        let subject = Subject::read(choice, &console, &mut findings.problems)?;
        subject.offers(&args.input)?;
        Ok((approve, subject))
    });
    let (approve, subject) = match read {
        Ok(read) => read,
        Err(error) => return Ok(messages::nothing_to_rehearse(&error)),
    };
    let workflows = &subject.workflows;

    let build_folder = build_folder(&subject.repository);
    let lasting = build_folder.as_ref().map(|folder| folder.join("rehearsal"));
    let workspaces = Workspaces::take(lasting.as_deref())?;
    let approvals = Approvals::from_stdin(approve);
    let somebody_answers = approve == Approve::Ask;
    let token = job_token();
    console.mask(&token);
    let records = JobRecords::default();
    let told = Told {
        given: approvals.given(),
        records: records.clone(),
        created_at: jiff::Timestamp::now().to_string(),
    };
    let api = GitHubApi::start(token.clone(), told)?;
    let event = match (args.stop_after, args.input) {
        (None, inputs) if inputs.is_empty() => Event::Push,
        (stop_after, inputs) => Event::Dispatch { stop_after, inputs },
    };
    let github = github(&subject, event, &api, token);
    let installed = Installed::beside_this_program(&subject.stage_file, &subject.repository.root);
    let installed = match args.build_as_written {
        true => installed.map(Installed::build_as_written),
        false => installed,
    };
    let programs = installed
        .as_ref()
        .map(|installed| installed.folder().to_owned());
    // Cargo is not run where the programs are there already.
    let cargo_folder = match &installed {
        Some(installed) if installed.built_here() => None,
        _ => build_folder.clone(),
    };
    let mut settings = StageSettings {
        environments: subject.environments.clone(),
        build_folder: build_folder.clone(),
        installed,
        domino: None,
    };
    let runs = plan_runs(&github, &settings, workflows, &mut findings);
    if !findings.problems.is_empty() {
        return Ok(messages::refuse(&console, &findings.problems));
    }

    let mlflow = args.mlflow.then(Mlflow::start).transpose()?;
    let model_token = random_text(40);
    let sandbox = domino::start_sandbox(
        &subject,
        args.domino_version,
        args.faults.as_deref(),
        &model_token,
        mlflow.as_ref().map(|mlflow| mlflow.uri.clone()),
        domino::Image {
            python,
            programs: programs.clone(),
        },
    )?;
    messages::hide_credentials(&console, &sandbox, &model_token);
    messages::announce(&console, &sandbox, args.domino_version, mlflow.as_ref());
    messages::announce_folders(&console, cargo_folder.as_deref(), &findings.notes);
    settings.domino = Some(Domino::new(Arc::clone(&sandbox), model_token));
    let runner = Runner {
        repository: subject.repository,
        github,
        workspaces,
        settings: Box::new(settings),
        approvals,
        groups: Default::default(),
        records,
        console: console.clone(),
        interrupt: interrupt.clone(),
        grace: Grace::GITHUB,
        inherited: runner::inherited(),
        summaries: summaries(args.summary_dir, lasting.as_deref())?,
        report: Default::default(),
    };
    run_all(&runner, workflows, runs)?;
    for asked in api.unknown_questions() {
        runner.unsupported(format!("a step asked GitHub's API for `{asked}`"));
    }
    let code = messages::conclude(&runner, begun.elapsed());
    #[cfg(feature = "contract")]
    let holds = contract.is_none_or(|contract| contract::holds(&contract, &sandbox.requests()));
    if interrupt.asked() {
        return Ok(ExitCode::from(interrupt.exit_code()));
    }
    if args.keep || (code != 0 && somebody_answers) {
        let until = if args.keep { "Ctrl-C" } else { "Enter" };
        messages::stays_up(&console, &sandbox, programs.as_deref(), until);
        match args.keep {
            true => interrupt.wait(),
            false => runner.approvals.wait_for_enter(&interrupt),
        }
    }
    #[cfg(feature = "contract")]
    let code = match code {
        0 if !holds => CONTRACT_BROKEN,
        code => code,
    };
    Ok(ExitCode::from(code))
}

/// What GitHub would say of the push, or of the run that a person starts.
fn github(subject: &Subject, event: Event, api: &GitHubApi, token: String) -> GitHub {
    GitHub {
        repository: subject.repository.slug(),
        branch: subject.environments.branch.clone(),
        commit: subject.commit.clone(),
        actor: AUTHOR.into(),
        event,
        api_url: api.url.clone(),
        token,
        first_run_id: first_run_id(),
    }
}

fn input(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn approve(asked: Option<Approver>) -> anyhow::Result<Approve> {
    let terminal = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    match asked {
        Some(Approver::Ask) if !terminal => {
            anyhow::bail!("`--approve ask` needs a terminal; there are all and none")
        }
        Some(Approver::Ask) => Ok(Approve::Ask),
        Some(Approver::All) => Ok(Approve::All),
        Some(Approver::None) => Ok(Approve::None),
        None if terminal => Ok(Approve::Ask),
        None => Ok(Approve::All),
    }
}

/// The run of each workflow, once each has been checked for what cannot be rehearsed.
fn plan_runs(
    github: &GitHub,
    settings: &StageSettings,
    workflows: &[Workflow],
    findings: &mut Findings,
) -> Vec<Run> {
    let mut runs = Vec::new();
    for (at, workflow) in (0..).zip(workflows) {
        let run = github.run_of(workflow, at);
        let known = Known {
            settings,
            branch: &github.branch,
            event: &github.event,
            github: &github.context(&run, "", None),
        };
        checks::check(workflow, &known, findings);
        runs.push(run);
    }
    runs
}

fn run_all(runner: &Runner, workflows: &[Workflow], runs: Vec<Run>) -> anyhow::Result<()> {
    let artifacts = tempfile::tempdir_in(runner.workspaces.base())?;
    let planned = workflows.iter().zip(runs).enumerate();
    let runs = planned.map(|(at, (workflow, run))| {
        let folder = artifacts.path().join(run.id.to_string());
        let artifacts = Artifacts::new(folder, RunTime::FIRST, Vec::new());
        let cancel = runner.interrupt.part();
        WorkflowRun::new(at, workflow, run, artifacts, cancel, Vec::new())
    });
    workflow::run_all(runner, runs.collect())?;
    Ok(())
}

/// A token in the form of GitHub's, which opens nothing but the stand-in for its API.
fn job_token() -> String {
    format!("ghs_{}", random_text(36))
}

fn random_text(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric)
        .take(length)
        .collect()
}

/// A number that no earlier rehearsal had.
fn first_run_id() -> u64 {
    std::time::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default()
        .as_secs()
        * 10
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
