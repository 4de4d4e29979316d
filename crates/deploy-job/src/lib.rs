//! `deploy-job`: run a job of the stage file in Domino, or keep its schedule as the file says.
//!
//! Every verb plans with a `Reader`, shows the plan, and only then gets a `Writer`. It never starts a second run
//! for one commit and one workflow run, and is green only when Domino says `Succeeded`.

mod asked_for;
mod difference;
mod follow;
mod interrupted;
mod run;
mod schedule;
mod shown;
mod start;

use domino_core::error::Result;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use domino_core::step::{Step, StepContext, StepFlags, Subject, duration};
use stage_file::{Job, Stage, StageFile};

/// Who asks, as the server sees it.
const PROGRAM: &str = concat!("deploy-job/", env!("CARGO_PKG_VERSION"));

/// Run the jobs of stages.toml in Domino, one stage at a time
#[derive(Debug, Parser)]
#[command(name = "deploy-job", version, after_help = EXITS)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The table of exit codes, for `--help`.
const EXITS: &str = "\
Credential: DOMINO_TOKEN (or DOMINO_TOKEN_FILE), else DOMINO_USER_API_KEY; inside a Domino run DOMINO_API_PROXY.
DOMINO_ENV names the stage, DOMINO_API_HOST overrides its host.

Exit codes: 0 done or already as wanted, 2 wrong usage or a problem in stages.toml, 3 Domino refused,
4 Domino could not be reached or understood, 5 the run failed or was stopped, 6 not settled in time,
130 and 143 interrupted.";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Start a run of the job, follow it to its end and show its log
    Start(StartArgs),
    /// Make the scheduled job in Domino what stages.toml says
    Schedule(ScheduleArgs),
    /// Stop the newest run of the job that is not over
    Stop(StopArgs),
    /// Show the newest run of the job
    Status(StatusArgs),
    /// Print the log of the newest run of the job on stdout
    Logs(LogsArgs),
}

/// `deploy-job start`.
#[derive(Debug, clap::Args)]
struct StartArgs {
    /// The job, as in `[job.<name>]` of stages.toml
    job: String,
    /// The commit to run: a whole id, or what git knows here; else GITHUB_SHA, else HEAD
    #[arg(long, value_name = "COMMIT")]
    commit: Option<String>,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not wait for the run to end: its commit is checked where the reply tells it, its hardware tier, its
    /// compute environment and how it ends are not
    #[arg(long)]
    no_wait: bool,
    /// How long to wait for the run to end
    #[arg(long, value_name = "TIME", default_value = "60m", value_parser = duration)]
    timeout: Duration,
    /// Leave the run going when this program is interrupted
    #[arg(long)]
    keep_running: bool,
    #[command(flatten)]
    flags: StepFlags,
}

/// `deploy-job schedule`.
#[derive(Debug, clap::Args)]
struct ScheduleArgs {
    /// The job, as in `[job.<name>]` of stages.toml
    job: String,
    /// The commit that the scheduled runs use: a whole id, or what git knows here; else GITHUB_SHA, else HEAD
    #[arg(long, value_name = "COMMIT")]
    commit: Option<String>,
    /// Delete the scheduled job; the job itself may be gone from stages.toml
    #[arg(long)]
    delete: bool,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    flags: StepFlags,
}

/// `deploy-job status`.
#[derive(Debug, clap::Args)]
struct StatusArgs {
    /// The job, as in `[job.<name>]` of stages.toml
    job: String,
    /// One run by its id in Domino, in place of the newest
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    #[command(flatten)]
    flags: StepFlags,
}

/// `deploy-job stop`.
#[derive(Debug, clap::Args)]
struct StopArgs {
    /// The job, as in `[job.<name>]` of stages.toml
    job: String,
    /// One run by its id in Domino, in place of the newest
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// How long to wait for the run to stop
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    timeout: Duration,
    #[command(flatten)]
    flags: StepFlags,
}

/// `deploy-job logs`.
#[derive(Debug, clap::Args)]
struct LogsArgs {
    /// The job, as in `[job.<name>]` of stages.toml
    job: String,
    /// One run by its id in Domino, in place of the newest
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Go on until the run is over
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    flags: StepFlags,
}

/// Runs the program to its exit code.
pub fn run(args: &Args) -> ExitCode {
    let (verb, job, flags) = match &args.verb {
        Verb::Start(args) => ("start", &args.job, &args.flags),
        Verb::Schedule(args) => ("schedule", &args.job, &args.flags),
        Verb::Stop(args) => ("stop", &args.job, &args.flags),
        Verb::Status(args) => ("status", &args.job, &args.flags),
        Verb::Logs(args) => ("logs", &args.job, &args.flags),
    };
    let subject = Subject {
        program: "deploy-job",
        verb,
        entity: job.clone(),
        stage: String::new(),
    };
    let mut step = Step::begin(subject, flags.format);
    let result = domino_core::step::block_on(async {
        let context = StepContext::open(flags, &mut step, PROGRAM)?;
        match &args.verb {
            Verb::Start(args) => start::start(&mut step, &context, args).await,
            Verb::Schedule(args) => schedule::schedule(&mut step, &context, args).await,
            Verb::Stop(args) => run::stop(&mut step, &context, args).await,
            Verb::Status(args) => run::status(&mut step, &context, args).await,
            Verb::Logs(args) => run::logs(&mut step, &context, args).await,
        }
    });
    step.finish(result)
}

/// A job of the stage file, and the line to point at when something about it is wrong.
fn job_of<'a>(file: &'a StageFile, name: &str) -> Result<&'a Job> {
    Ok(file.job(name)?)
}

/// What could not be done, for the first line of an error.
fn cannot(verb: &str, job: &str, stage: &Stage) -> String {
    format!("cannot {verb} job `{job}` in stage `{}`", stage.name)
}
