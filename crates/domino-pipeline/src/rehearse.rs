//! `cargo xtask rehearse`: runs the generated workflow files on this machine, against a sandbox in place of Domino.
//!
//! The crate `rehearsal` reads and runs files as GitHub does. Here it is decided what is rehearsed, and what jobs
//! get: the environments of the stage file with the sandbox behind them. Nothing leaves this machine except requests
//! of the steps themselves.

mod args;
mod attempt;
mod by_hand;
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
mod ready;
mod set_up;
mod settings;
mod subject;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::Context;
#[cfg(feature = "contract")]
use domino_contract::Contract;
use rehearsal::approval::Approve;
use rehearsal::checks::Findings;
use rehearsal::console::Console;
use rehearsal::interrupt::Interrupt;
use rehearsal::process::Grace;
use rehearsal::runner::{self, Runner};

pub use self::args::{Approver, Args};
use self::attempt::Attempt;
use self::by_hand::ByHand;
use self::kept::KeptFolder;
use self::kept_domino::KeptDomino;
use self::mlflow::Mlflow;
use self::plan::Plan;
use self::ready::Ready;
use self::settings::AUTHOR;
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
    let mut ready = Ready::of(plan, &args, &console)?;
    ready.check(&mut findings);
    if !findings.problems.is_empty() {
        return Ok(messages::refuse(&console, &findings.problems));
    }

    let mlflow = args.mlflow.then(Mlflow::start).transpose()?;
    let mut domino = ready.domino(&args, mlflow.as_ref())?;
    messages::hide_credentials(&console, &domino);
    messages::announce(&console, &domino, mlflow.as_ref());
    messages::announce_folders(&console, ready.cargo_folder.as_deref(), &findings.notes);
    if let Some(code) = ready.set_up(&mut domino, &console)? {
        return Ok(ExitCode::from(code));
    }
    let reached = domino.reached().clone();
    let sandbox = domino.own();
    ready.settings.domino = Some(domino);
    let is_first = ready.again.is_none();
    let attempt = Attempt {
        again: ready.again,
        actor: args.actor.clone(),
        runs_before: 0,
    };
    let Subject {
        repository,
        workflows,
        texts,
        ..
    } = ready.subject;
    let mut runner = Runner {
        repository,
        github: ready.github,
        workspaces: ready.workspaces,
        settings: Box::new(ready.settings),
        approvals: ready.approvals,
        groups: Default::default(),
        records: ready.records,
        console,
        interrupt,
        grace: Grace::GITHUB,
        inherited: runner::inherited(),
        summaries: summaries(args.summary_dir, ready.lasting.as_deref(), is_first)?,
        report: Default::default(),
    };
    let folder = ready.folder;
    let all: Vec<_> = workflows.iter().collect();
    let kept = attempt.run(&runner, &all, &folder, ready.kept, &reached)?;
    for asked in ready.api.unknown_questions() {
        runner.unsupported(format!("a step asked GitHub's API for `{asked}`"));
    }
    let by_hand = ByHand {
        stages: &ready.by_hand,
        inputs: &args.input,
        actor: args.actor.as_deref().unwrap_or(AUTHOR),
    };
    let kept = by_hand.run(&mut runner, &all, &folder, kept, &reached)?;
    messages::tell_of_receipts(&runner.console, &folder.origin());
    let mut code = messages::conclude(&runner, begun.elapsed());
    if let (0, Some(set_up), Some(sandbox)) = (code, &ready.set_up, &sandbox) {
        code = set_up.again(&runner.console, sandbox)?.unwrap_or(0);
    }
    #[cfg(feature = "contract")]
    if let (Some(contract), Some(sandbox)) = (&contract, &sandbox)
        && !contract::holds(contract, &sandbox.requests())
        && code == 0
    {
        code = CONTRACT_BROKEN;
    }
    let interrupted = runner.interrupt.asked();
    let waits = args.keep || (code != 0 && ready.approve == Approve::Ask);
    let stays = is_first && !interrupted && waits;
    if !is_first || stays {
        folder.write(&kept, &texts)?;
    }
    if interrupted {
        return Ok(ExitCode::from(runner.interrupt.exit_code()));
    }
    if stays {
        stay(&runner, args.keep, &reached, &folder, ready.programs);
    }
    Ok(ExitCode::from(code))
}

/// Keeps everything up until the person has seen enough.
fn stay(
    runner: &Runner,
    keep: bool,
    domino: &KeptDomino,
    folder: &KeptFolder,
    programs: Option<PathBuf>,
) {
    let until = if keep { "Ctrl-C" } else { "Enter" };
    messages::stays_up(&runner.console, domino, folder, programs.as_deref(), until);
    match keep {
        true => runner.interrupt.wait(),
        false => runner.approvals.wait_for_enter(&runner.interrupt),
    }
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
