//! `deploy-app`: publish an app of the stage file in Domino, so that the asked commit is the one that serves.
//!
//! Every verb plans with a `Reader`, shows the plan, and only then gets a `Writer`. It is green only when exactly
//! that version runs and answers; when a new version does not, the one that ran before is put back.

mod before;
mod decision;
mod find;
mod health;
mod interrupted;
mod launch;
mod logs;
mod publish;
mod put_back;
mod rollout;
mod status;
mod unpublish;
mod wanted;
mod watch;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use domino_core::api::apps::Generation;
use domino_core::step::{Step, StepContext, StepFlags, Subject, duration};
use stage_file::Stage;

/// Who asks, as the server sees it.
const PROGRAM: &str = concat!("deploy-app/", env!("CARGO_PKG_VERSION"));

/// Publish the apps of stages.toml in Domino, one stage at a time
#[derive(Debug, Parser)]
#[command(name = "deploy-app", version, after_help = EXITS)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The table of exit codes, for `--help`. Only paragraphs are broken: the rest is for the terminal's width.
const EXITS: &str = "\
In Domino the app is called <app>-<stage>, so that stages that share a project do not replace each other's app, \
or as `name` of `[app.<name>.stage.<stage>]` says.

Credential: DOMINO_TOKEN (or DOMINO_TOKEN_FILE), else DOMINO_USER_API_KEY; inside a Domino run DOMINO_API_PROXY. \
DOMINO_ENV names the stage, DOMINO_API_HOST overrides its host.

Exit codes: 0 done or already as wanted, 2 wrong usage or a problem in stages.toml, 3 Domino refused, or the app \
cannot be looked at, 4 Domino could not be reached or understood, 5 the app does not serve (what ran before is put \
back), 6 not settled in time, 130 and 143 interrupted.";

/// How `publish` goes about it, for its `--help`.
const PUBLISHING: &str = "\
It finds the app by name, creates it if there is none, and publishes the commit on the stage's hardware tier and \
environment. Nothing is done when all of that runs already. It waits until that very version runs and answers at \
`health-path` with `health-status`; without a `health-path` Domino's word is enough. The credential goes along with \
that question only where the app's address is on Domino's own host.

Who may open the app, and its description, change once the new version runs.

When the new version does not serve in time, the version that ran before is put back, for as long again, and the \
exit code is 5. Interrupted, it leaves a new version on its way, starts again what it has stopped for nothing, and \
says what runs.";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make the commit the version of the app that serves
    #[command(after_help = PUBLISHING)]
    Publish(PublishArgs),
    /// Stop the app; its versions and its address stay
    Unpublish(UnpublishArgs),
    /// Show which version of the app runs, and whether it answers
    Status(StatusArgs),
    /// Print the log of the app's newest start on stdout
    Logs(LogsArgs),
}

/// What every verb is given.
#[derive(Debug, clap::Args)]
struct AppArgs {
    /// The app, as in `[app.<name>]` of stages.toml
    app: String,
    /// The API of Domino's to use; when not given, the newest that this Domino has
    #[arg(long, value_enum)]
    api: Option<Api>,
    #[command(flatten)]
    flags: StepFlags,
}

/// What `--api` takes.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Api {
    /// `/api/apps/v1`, from Domino 6.4 on
    V1,
    /// `/api/apps/beta`, Domino 6.1 to 6.3
    Beta,
    /// `/v4/modelProducts`, every Domino
    V4,
}

impl AppArgs {
    /// The generation that `--api` names.
    fn generation(&self) -> Option<Generation> {
        self.api.map(|api| match api {
            Api::V1 => Generation::V1,
            Api::Beta => Generation::Beta,
            Api::V4 => Generation::V4,
        })
    }
}

/// `deploy-app publish`.
#[derive(Debug, clap::Args)]
struct PublishArgs {
    /// The commit to publish: a whole id, or what git knows here; else GITHUB_SHA, else HEAD
    #[arg(long, value_name = "COMMIT")]
    commit: Option<String>,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// How long to wait for the version to serve, and as long again to put the one before back
    #[arg(long, value_name = "TIME", default_value = "15m", value_parser = duration)]
    timeout: Duration,
    #[command(flatten)]
    app: AppArgs,
}

/// `deploy-app unpublish`.
#[derive(Debug, clap::Args)]
struct UnpublishArgs {
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// How long to wait for the app to stop
    #[arg(long, value_name = "TIME", default_value = "5m", value_parser = duration)]
    timeout: Duration,
    #[command(flatten)]
    app: AppArgs,
}

/// `deploy-app status`.
#[derive(Debug, clap::Args)]
struct StatusArgs {
    #[command(flatten)]
    app: AppArgs,
}

/// `deploy-app logs`.
#[derive(Debug, clap::Args)]
struct LogsArgs {
    /// One version by its id in Domino, in place of the current one
    #[arg(long, value_name = "ID")]
    version_id: Option<String>,
    /// Go on until the version is down
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    app: AppArgs,
}

/// Runs the program to its exit code.
pub fn run(args: &Args) -> ExitCode {
    let (verb, app) = match &args.verb {
        Verb::Publish(args) => ("publish", &args.app),
        Verb::Unpublish(args) => ("unpublish", &args.app),
        Verb::Status(args) => ("status", &args.app),
        Verb::Logs(args) => ("logs", &args.app),
    };
    let subject = Subject {
        program: "deploy-app",
        verb,
        entity: app.app.clone(),
        stage: String::new(),
    };
    let mut step = Step::begin(subject, app.flags.format);
    let result = domino_core::step::block_on(async {
        let context = StepContext::open(&app.flags, &mut step, PROGRAM)?;
        match &args.verb {
            Verb::Publish(args) => publish::publish(&mut step, &context, args).await,
            Verb::Unpublish(args) => unpublish::unpublish(&mut step, &context, args).await,
            Verb::Status(args) => status::status(&mut step, &context, args).await,
            Verb::Logs(args) => logs::logs(&mut step, &context, args).await,
        }
    });
    step.finish(result)
}

/// What could not be done, for the first line of an error.
fn cannot(verb: &str, app: &str, stage: &Stage) -> String {
    format!("cannot {verb} app `{app}` in stage `{}`", stage.name)
}
