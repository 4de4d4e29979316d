//! `deploy-job`: run a job of the stage file in Domino, or keep its schedule as the file says.
//!
//! Every verb plans with a `Reader`, shows the plan, and only then gets a `Writer`. It never starts a second run for
//! one commit and one workflow run, and ends green only if Domino says `Succeeded`.

mod again;
mod apply_schedule;
mod difference;
mod ended;
mod follow;
mod left;
mod logs;
mod own_run;
mod own_schedule;
mod plan_schedule;
mod run;
mod schedule;
mod schedule_plan;
mod start;
mod status;
mod stop;
mod wanted_schedule;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use domino_core::step::{Program, Step, StepContext, Subject};
use stage_file::Kind;

use crate::follow::FollowArgs;
use crate::logs::LogsArgs;
use crate::plan_schedule::ScheduleArgs;
use crate::start::StartArgs;
use crate::status::StatusArgs;
use crate::stop::StopArgs;

/// Who asks, as the server sees it.
const PROGRAM: Program = Program {
    name: concat!("deploy-job/", env!("CARGO_PKG_VERSION")),
    kind: Kind::Job,
};

/// Run the jobs of stages.toml in Domino, one stage at a time
#[derive(Debug, Parser)]
#[command(name = "deploy-job", version, after_help = EXITS)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The table of exit codes, for `--help`.
const EXITS: &str = "\
Credential: DOMINO_TOKEN (or DOMINO_TOKEN_FILE), else DOMINO_USER_API_KEY; inside a Domino run DOMINO_API_PROXY. \
DOMINO_ENV names the stage, DOMINO_API_HOST overrides its host. \
GITHUB_TOKEN tells who approved the workflow run and when it was made (with `actions: read`), and how two commits stand \
to each other; it is sent to GitHub only.

Exit codes: 0 done or already as wanted, 2 wrong usage or a problem in stages.toml, 3 Domino refused, \
4 Domino could not be reached or understood, 5 the run failed or was stopped, 6 not settled in time, \
7 not approved on GitHub, 9 done, but its outputs could not be written, 130 and 143 interrupted.";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start a run of the job, follow it to its end and show its log
    Start(StartArgs),
    /// Follow the runs that no step waited for to their end
    Follow(FollowArgs),
    /// Make the scheduled job in Domino what stages.toml says
    Schedule(ScheduleArgs),
    /// Stop the newest run of the job that is not over
    Stop(StopArgs),
    /// Show the newest run of the job
    Status(StatusArgs),
    /// Print the log of the newest run of the job on stdout
    Logs(LogsArgs),
}

/// Runs the program to its exit code.
pub fn run(args: &Args) -> ExitCode {
    let (verb, job, flags) = match &args.verb {
        Verb::Start(args) => ("start", Some(&args.job), &args.flags),
        Verb::Follow(args) => ("follow", args.job.as_ref(), &args.flags),
        Verb::Schedule(args) => ("schedule", Some(&args.job), &args.flags),
        Verb::Stop(args) => ("stop", Some(&args.job), &args.flags),
        Verb::Status(args) => ("status", Some(&args.job), &args.flags),
        Verb::Logs(args) => ("logs", Some(&args.job), &args.flags),
    };
    let subject = Subject {
        program: "deploy-job",
        verb,
        entity: job.cloned().unwrap_or_default(),
        stage: String::new(),
    };
    let mut step = Step::begin(subject, flags.format);
    let result = domino_core::step::block_on(async {
        let context = StepContext::open(flags, &mut step, PROGRAM)?;
        match &args.verb {
            Verb::Start(args) => start::start(&mut step, &context, args).await,
            Verb::Follow(args) => follow::follow(&mut step, &context, args).await,
            Verb::Schedule(args) => schedule::schedule(&mut step, &context, args).await,
            Verb::Stop(args) => stop::stop(&mut step, &context, args).await,
            Verb::Status(args) => status::status(&mut step, &context, args).await,
            Verb::Logs(args) => logs::logs(&mut step, &context, args).await,
        }
    });
    step.finish(result)
}
