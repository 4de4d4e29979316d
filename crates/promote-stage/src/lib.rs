//! `promote-stage`: move a version of a registered model to the next stage of the experiment manager, when every gate
//! of that stage holds.
//!
//! `request` asks for approval, `check` reads whether it was given, `apply` promotes, `demote` rolls back, `sheet`
//! shows where a version comes from. Every verb plans with readers, shows the plan, and only then gets a writer. It
//! ends green only if the stage holds exactly the requested version. It deploys nothing; that is `deploy-model`'s
//! part.

mod apply;
mod arguments;
mod by_people;
mod candidate;
mod check;
mod demote;
mod evaluation;
mod exclusive;
mod gates;
mod inside;
mod journal;
mod lineage;
mod machine;
mod measurements;
mod order;
mod outside;
mod people;
mod promotion;
mod record;
mod registry;
mod registry_writer;
mod request;
mod request_note;
mod rollback;
mod run_of;
mod sheet;
mod shell_word;
mod show;
mod signature;
mod stage_holders;
mod status;
mod target;
mod told;
mod transition;
mod written;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use domino_core::error::{CommandError, Exit};
use domino_core::step::{Format, Program, Step, StepContext, Subject};
use stage_file::Kind;

/// Who asks, as the server sees it.
const PROGRAM: Program = Program {
    name: concat!("promote-stage/", env!("CARGO_PKG_VERSION")),
    kind: Kind::Model,
};

/// Move the models of stages.toml from stage to stage in the experiment manager
#[derive(Debug, Parser)]
#[command(name = "promote-stage", version, after_help = EXITS)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The end of `--help`.
const EXITS: &str = "\
Credential: DOMINO_TOKEN (or DOMINO_TOKEN_FILE), else DOMINO_USER_API_KEY; inside a Domino run DOMINO_API_PROXY. \
DOMINO_ENV names the stage, DOMINO_API_HOST overrides its host, MLFLOW_TRACKING_URI that of the experiment manager. \
GITHUB_TOKEN, with `actions: read`, tells who approved the workflow run; it is sent to GitHub only.

Nobody approves a version that they trained, asked for or started the workflow run of. Domino's user names and GitHub's \
logins are compared as they are written, without case: nothing tells that two different names are one person. \
Who approved GitHub tells of a workflow run, not of an attempt at it: when a run is run again, an approval that an \
earlier attempt was given counts as well.

Where stages.toml says `promote = \"inside\"`, request, apply and demote start a run of promote-stage in the stage's \
project, follow it, and end with its exit code; the run asks the gates once more and is told who approved on GitHub.

Exit codes: 0 done or already as wanted, 2 wrong usage or a problem in stages.toml, 3 Domino refused or another \
promotion got in between, 4 Domino could not be reached or understood, 5 the run that was to write failed otherwise, \
6 it was not over in time, 7 not approved: a gate of the stage does not \
hold, 9 done, but its outputs could not be written, 130 and 143 interrupted.";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Ask that a version may enter a stage, and show it beside the one that is there
    #[command(mut_arg("stage", to))]
    Request(request::RequestArgs),
    /// Tell whether every gate of a stage lets a version in; change nothing
    #[command(mut_arg("stage", to))]
    Check(check::CheckArgs),
    /// Move a version into a stage when every gate lets it in, and prove that the stage holds it alone
    #[command(mut_arg("stage", to))]
    Apply(apply::ApplyArgs),
    /// Show where a version comes from and where it went: commit, runs, version, stages, endpoints
    #[command(mut_arg("format", |format| format.value_parser(Format::of_a_sheet())))]
    Sheet(show::SheetArgs),
    /// Show what each stage holds
    Status(status::StatusArgs),
    /// Put the version back that a stage held before
    Demote(demote::DemoteArgs),
}

/// The flag `--to`: the stage that the version moves to.
fn to(stage: clap::Arg) -> clap::Arg {
    stage.long("to").help(
        "The stage to enter, as in stages.toml; when not given, the one that DOMINO_ENV names",
    )
}

/// Runs the program to its exit code.
pub fn run(args: &Args) -> ExitCode {
    let (verb, model, flags) = match &args.verb {
        Verb::Request(args) => ("request", &args.which.model, &args.flags),
        Verb::Check(args) => ("check", &args.which.model, &args.flags),
        Verb::Apply(args) => ("apply", &args.which.model, &args.flags),
        Verb::Sheet(args) => ("sheet", &args.model, &args.flags),
        Verb::Status(args) => ("status", &args.model, &args.flags),
        Verb::Demote(args) => ("demote", &args.model, &args.flags),
    };
    let subject = Subject {
        program: "promote-stage",
        verb,
        entity: model.clone(),
        stage: String::new(),
    };
    let mut step = Step::begin(subject, flags.format);
    let result = domino_core::step::block_on(async {
        let context = match &args.verb {
            Verb::Request(_) => StepContext::open_before(flags, &mut step, PROGRAM)?,
            Verb::Check(_) | Verb::Apply(_) => StepContext::open_to(flags, &mut step, PROGRAM)?,
            Verb::Sheet(_) | Verb::Status(_) | Verb::Demote(_) => {
                StepContext::open(flags, &mut step, PROGRAM)?
            }
        };
        if let Some(told) = args.verb.told() {
            told.check(&context)?;
        }
        match &args.verb {
            Verb::Request(args) => request::request(&mut step, &context, args).await,
            Verb::Check(args) => check::check(&mut step, &context, args).await,
            Verb::Apply(args) => apply::apply(&mut step, &context, args).await,
            Verb::Sheet(args) => show::sheet(&mut step, &context, args).await,
            Verb::Status(args) => status::status(&mut step, &context, args).await,
            Verb::Demote(args) => demote::demote(&mut step, &context, args).await,
        }
    });
    let exit = result
        .as_ref()
        .map_or_else(CommandError::exit, |_| Exit::Done);
    let code = step.finish(result);
    inside::tell_end(exit);
    code
}

impl Verb {
    /// What a step told the run that works in its place.
    fn told(&self) -> Option<&told::Told> {
        match self {
            Self::Request(args) => Some(&args.which.told),
            Self::Check(args) => Some(&args.which.told),
            Self::Apply(args) => Some(&args.which.told),
            Self::Demote(args) => Some(&args.told),
            Self::Sheet(_) | Self::Status(_) => None,
        }
    }
}
