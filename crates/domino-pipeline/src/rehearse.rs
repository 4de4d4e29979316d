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
mod under_way;

use std::process::ExitCode;
use std::time::Instant;

#[cfg(feature = "contract")]
use domino_contract::Contract;
use rehearsal::checks::Findings;
use rehearsal::console::Console;
use rehearsal::interrupt::Interrupt;

#[cfg(feature = "contract")]
pub use self::args::Approver;
pub use self::args::Args;
use self::mlflow::Mlflow;
use self::plan::Plan;
use self::ready::Ready;
use self::under_way::UnderWay;

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
    let under_way = UnderWay::begin(ready, domino, (console, interrupt), &args)?;
    #[cfg(feature = "contract")]
    let sandbox = under_way.sandbox.clone();
    let runs = under_way.run(&args, begun)?;
    #[cfg(feature = "contract")]
    let runs = match (&contract, sandbox) {
        (Some(contract), Some(sandbox)) if !contract::holds(contract, &sandbox.requests()) => {
            runs.or_else(CONTRACT_BROKEN)
        }
        _ => runs,
    };
    runs.end(args.keep)
}
