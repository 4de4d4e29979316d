//! `cargo xtask rehearse`: runs the generated workflow files on this machine, against a sandbox in place of Domino.
//!
//! The crate `rehearsal` reads and runs files as GitHub does. Here it is decided what is rehearsed, and what jobs
//! get: the environments of the stage file with the sandbox behind them. Nothing leaves this machine except requests
//! of the steps themselves.

mod args;
mod attempt;
#[cfg(feature = "contract")]
mod contract;
mod domino;
mod environments;
mod installed;
mod kept;
mod kept_domino;
mod messages;
mod mlflow;
mod packages;
mod plan;
mod settings;
mod subject;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
#[cfg(feature = "contract")]
use domino_contract::Contract;
use github_workflow::read::Workflow;
use rehearsal::approval::{Approvals, Approve};
use rehearsal::checks::{self, Findings, Known};
use rehearsal::console::Console;
use rehearsal::github::GitHub;
use rehearsal::github_api::{GitHubApi, Start, Told};
use rehearsal::interrupt::Interrupt;
use rehearsal::job_records::JobRecords;
use rehearsal::process::Grace;
use rehearsal::runner::{self, Runner};
use rehearsal::workspace::Workspaces;

pub use self::args::{Approver, Args};
use self::attempt::Attempt;
use self::installed::Installed;
use self::kept::{Kept, KeptFolder};
use self::mlflow::Mlflow;
use self::plan::Plan;
use self::settings::{AUTHOR, Domino, StageSettings};
use self::subject::Subject;

/// The exit code if everything succeeded but something violates the specs.
#[cfg(feature = "contract")]
const CONTRACT_BROKEN: u8 = 4;

/// Rehearses.
///
/// # Errors
/// When this machine does not allow it. A failure in a step is no error: it is in the table and in the exit code.
pub fn run(args: Args) -> anyhow::Result<ExitCode> {
    let begun = Instant::now();
    #[cfg(feature = "contract")]
    let contract = match args.spec.as_slice() {
        [] => None,
        paths => Some(Contract::read(paths)?),
    };
    let interrupt = Interrupt::listen()?;
    let console = Console::stdout();
    let mut findings = Findings::default();
    let plan = match Plan::read(&args, &console, &mut findings.problems) {
        Ok(plan) => plan,
        Err(error) => return Ok(messages::nothing_to_rehearse(&error)),
    };
    let Plan {
        approve,
        subject,
        kept,
        again,
    } = plan;
    let build_folder = plan::build_folder(&subject.repository);
    let lasting = build_folder.as_ref().map(|folder| folder.join("rehearsal"));
    let workspaces = Workspaces::take(lasting.as_deref())?;
    let (again, folder) = match again {
        Some((again, folder)) => (Some(again), folder),
        None => (None, KeptFolder::create(workspaces.base())?),
    };
    let workspaces = workspaces.with_origin(&folder.origin(), &subject.repository)?;
    let approvals = Approvals::from_stdin(approve).with_earlier(kept.approvals.clone());
    let records = JobRecords::of_earlier(kept.jobs.clone());
    let token = job_token();
    console.mask(&token);
    let told = Told {
        given: approvals.given(),
        records: records.clone(),
        created_at: kept.created_at_by_now()?,
        start: Start {
            event: kept.event.name(),
            commit: subject.commit.sha.clone(),
            author: AUTHOR.into(),
            actor: kept.actor.clone(),
            triggering_actor: args.actor.clone().unwrap_or_else(|| kept.actor.clone()),
        },
    };
    let api = GitHubApi::start(token.clone(), told)?;
    let github = github(&subject, &kept, &api, token);
    let installed = installed(&subject, args.build_as_written);
    let programs = installed.as_ref().map(|found| found.folder().to_owned());
    // Cargo is not run if the programs exist already.
    let is_built = installed.as_ref().is_some_and(Installed::built_here);
    let cargo_folder = build_folder.clone().filter(|_| !is_built);
    let mut settings = StageSettings {
        environments: subject.environments.clone(),
        build_folder,
        installed,
        domino: None,
    };
    let workflows = &subject.workflows;
    check(&github, &settings, workflows, &mut findings);
    if !findings.problems.is_empty() {
        return Ok(messages::refuse(&console, &findings.problems));
    }

    let mlflow = args.mlflow.then(Mlflow::start).transpose()?;
    let domino = match again {
        Some(_) => Domino::Kept(kept.reach()?.clone()),
        None => domino::start(&subject, &args, mlflow.as_ref(), programs.clone())?,
    };
    messages::hide_credentials(&console, &domino);
    messages::announce(&console, &domino, mlflow.as_ref());
    messages::announce_folders(&console, cargo_folder.as_deref(), &findings.notes);
    let reached = domino.reached().clone();
    #[cfg(feature = "contract")]
    let sandbox = domino.own();
    settings.domino = Some(domino);
    let runner = Runner {
        repository: subject.repository,
        github,
        workspaces,
        settings: Box::new(settings),
        approvals,
        groups: Default::default(),
        records,
        console,
        interrupt: interrupt.clone(),
        grace: Grace::GITHUB,
        inherited: runner::inherited(),
        summaries: summaries(args.summary_dir, lasting.as_deref(), again.is_none())?,
        report: Default::default(),
    };
    let attempt = Attempt {
        again,
        actor: args.actor,
    };
    let kept = attempt.run(&runner, workflows, &folder, kept, &reached)?;
    for asked in api.unknown_questions() {
        runner.unsupported(format!("a step asked GitHub's API for `{asked}`"));
    }
    messages::tell_of_receipts(&runner.console, &folder.origin());
    let code = messages::conclude(&runner, begun.elapsed());
    #[cfg(feature = "contract")]
    let holds = match (&contract, sandbox) {
        (Some(contract), Some(sandbox)) => contract::holds(contract, &sandbox.requests()),
        _ => true,
    };
    let may_stay = again.is_none() && !interrupt.asked();
    let waits = args.keep || (code != 0 && approve == Approve::Ask);
    if again.is_some() || (may_stay && waits) {
        folder.write(&kept, &subject.texts)?;
    }
    if interrupt.asked() {
        return Ok(ExitCode::from(interrupt.exit_code()));
    }
    if may_stay && waits {
        let until = if args.keep { "Ctrl-C" } else { "Enter" };
        messages::stays_up(
            &runner.console,
            &reached,
            &folder,
            programs.as_deref(),
            until,
        );
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

/// The programs beside this one, if they replace those that steps would provide.
fn installed(subject: &Subject, build_as_written: bool) -> Option<Installed> {
    let installed = Installed::beside_this_program(&subject.stage_file, &subject.repository.root);
    match build_as_written {
        true => installed.map(Installed::build_as_written),
        false => installed,
    }
}

/// What GitHub would say about the push, or about the run that a person starts.
fn github(subject: &Subject, kept: &Kept, api: &GitHubApi, token: String) -> GitHub {
    GitHub {
        repository: subject.repository.slug(),
        branch: subject.environments.branch.clone(),
        commit: subject.commit.clone(),
        actor: kept.actor.clone(),
        event: kept.event.clone(),
        api_url: api.url.clone(),
        token,
        first_run_id: first_run_id(),
    }
}

/// Checks each workflow for things that cannot be rehearsed.
fn check(
    github: &GitHub,
    settings: &StageSettings,
    workflows: &[Workflow],
    findings: &mut Findings,
) {
    for (at, workflow) in (0..).zip(workflows) {
        let run = github.run_of(workflow, at);
        let known = Known {
            settings,
            branch: &github.branch,
            event: &github.event,
            github: &github.context(&run, "", None),
        };
        checks::check(workflow, &known, findings);
    }
}

/// A token in GitHub's format, which opens only the stand-in for GitHub's API.
fn job_token() -> String {
    format!("ghs_{}", domino::random_text(36))
}

/// A number that no earlier rehearsal used.
fn first_run_id() -> u64 {
    std::time::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default()
        .as_secs()
        * 10
}

/// The folder for summaries. Those of an earlier rehearsal are removed if the folder is ours and this is a first
/// attempt.
fn summaries(
    asked: Option<PathBuf>,
    lasting: Option<&Path>,
    is_first: bool,
) -> anyhow::Result<PathBuf> {
    match (asked, lasting) {
        (Some(folder), _) => Ok(folder),
        (None, Some(lasting)) => {
            let folder = lasting.join("summaries");
            if is_first && folder.exists() {
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
