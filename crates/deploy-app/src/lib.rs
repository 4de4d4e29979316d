//! `deploy-app`: publish an app of the stage file in Domino, so that the requested commit serves.
//!
//! Every verb plans with a `Reader`, shows the plan, and only then gets a `Writer`. It ends green only if exactly
//! that version runs and answers; if a new version does not, the one that ran before is rolled back to.

mod contest;
mod contested;
mod decision;
mod find;
mod gate;
mod health;
mod interrupted;
mod last_written;
mod launch;
mod logs;
mod own_app;
mod previous;
mod publish;
mod publish_args;
mod publish_ground;
mod publish_plan;
mod questions;
mod rollback;
mod rollout;
mod settings;
mod status;
mod unpublish;
mod wanted;
mod watch;
mod what_runs;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use domino_core::step::{Program, Step, StepContext, Subject};
use stage_file::Kind;

use crate::logs::LogsArgs;
use crate::publish_args::{PUBLISHING, PublishArgs};
use crate::status::StatusArgs;
use crate::unpublish::UnpublishArgs;

/// Who asks, as the server sees it.
const PROGRAM: Program = Program {
    name: concat!("deploy-app/", env!("CARGO_PKG_VERSION")),
    kind: Kind::App,
};

/// Publish the apps of stages.toml in Domino, one stage at a time
#[derive(Debug, Parser)]
#[command(name = "deploy-app", version, after_help = EXITS)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The table of exit codes, for `--help`. Only paragraphs have line breaks: the rest adapts to the terminal's width.
const EXITS: &str = "\
In Domino the app is called <app>-<stage>, so that stages that share a project do not replace each other's app, \
or as `name` of `[app.<name>.stage.<stage>]` says.

Credential: DOMINO_TOKEN (or DOMINO_TOKEN_FILE), else DOMINO_USER_API_KEY; inside a Domino run DOMINO_API_PROXY. \
DOMINO_ENV names the stage, DOMINO_API_HOST overrides its host. \
GITHUB_TOKEN tells who approved the workflow run (with `actions: read`) and how two commits stand to each other; it is \
sent to GitHub only.

Exit codes: 0 done or already as wanted, 2 wrong usage or a problem in stages.toml, 3 Domino refused, or the app \
cannot be looked at, 4 Domino could not be reached or understood, 5 the app does not serve (what ran before is put \
back), 6 not settled in time, 7 not approved on GitHub, or by a gate of the app's bundle in Domino, 9 done, but its \
outputs could not be written, 130 and 143 interrupted.";

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
