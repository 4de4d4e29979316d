//! `deploy-model`: publish a model of the stage file as an endpoint in Domino, and verify that it serves.
//!
//! A publish plans with a `Reader`, shows the plan, and only then gets a `Writer`. It ends green only if exactly the
//! requested version answers; a version that fails its smoke test is rolled back. It moves nothing between stages of
//! the experiment manager: `promote-stage` does.

mod arguments;
mod at_once;
mod callers;
mod calls;
mod check;
mod create;
mod decision;
mod difference;
mod endpoint;
mod fixed;
mod gate;
mod going_back;
mod ground;
mod invoke;
mod kept;
mod label_route;
mod list;
mod logs;
mod plan;
mod prod_label;
mod proven;
mod publish;
mod recorded_requests;
mod rollback;
mod settings;
mod smoke_test;
mod source;
mod stage_before;
mod stage_order;
mod status;
mod stop;
mod token;
mod trained;
mod variables;
mod verify;
mod version;
mod view;
mod watch;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use domino_core::step::{Program, Step, StepContext, Subject};
use stage_file::Kind;

/// Who asks, as the server sees it.
const PROGRAM: Program = Program {
    name: concat!("deploy-model/", env!("CARGO_PKG_VERSION")),
    kind: Kind::Model,
};

/// Publish the models of stages.toml as endpoints in Domino, one stage at a time
#[derive(Debug, Parser)]
#[command(name = "deploy-model", version, after_help = EXITS)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// The end of `--help`.
const EXITS: &str = "\
Credential: DOMINO_TOKEN (or DOMINO_TOKEN_FILE), else DOMINO_USER_API_KEY; inside a Domino run DOMINO_API_PROXY. \
DOMINO_ENV names the stage, DOMINO_API_HOST overrides its host, MLFLOW_TRACKING_URI that of the experiment manager. \
GITHUB_TOKEN tells who approved the workflow run (with `actions: read`) and how two commits stand to each other; it is \
sent to GitHub only. \
An endpoint that is not public is called with its own access token only: DOMINO_MODEL_TOKEN, made by a person in \
Domino under Settings, Invocation. For several models it holds a line `model=token` for each.

Exit codes: 0 done or already as wanted, 2 wrong usage or a problem in stages.toml, 3 Domino refused, \
4 Domino could not be reached or understood, 5 the build or the smoke test failed, 6 not settled in time, \
7 not approved, 9 done, but its outputs could not be written, 130 and 143 interrupted.";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Create the endpoint, or a new version of it, wait until that version serves, and test it
    #[command(after_help = arguments::SMOKE)]
    Publish(arguments::PublishArgs),
    /// Stop the version that answers; it stays stopped until it is started, or published with `--put-back`
    Stop(stop::StopArgs),
    /// Start the version that answered when the endpoint was stopped
    Start(stop::StopArgs),
    /// List the endpoints of the stage's project
    List(list::ListArgs),
    /// Show the endpoint of the model
    Status(status::StatusArgs),
    /// Print a log of the endpoint on stdout
    Logs(logs::LogsArgs),
    /// Send one request to the endpoint and print the answer on stdout
    Invoke(invoke::InvokeArgs),
}

/// Runs the program to its exit code.
pub fn run(args: &Args) -> ExitCode {
    let (verb, entity, flags) = match &args.verb {
        Verb::Publish(args) => ("publish", args.model.as_str(), &args.flags),
        Verb::Stop(args) => ("stop", args.model.as_str(), &args.flags),
        Verb::Start(args) => ("start", args.model.as_str(), &args.flags),
        Verb::List(args) => ("list", "endpoints", &args.flags),
        Verb::Status(args) => ("status", args.model.as_str(), &args.flags),
        Verb::Logs(args) => ("logs", args.model.as_str(), &args.flags),
        Verb::Invoke(args) => ("invoke", args.model.as_str(), &args.flags),
    };
    let subject = Subject {
        program: "deploy-model",
        verb,
        entity: entity.to_owned(),
        stage: String::new(),
    };
    let mut step = Step::begin(subject, flags.format);
    let result = domino_core::step::block_on(async {
        let context = StepContext::open(flags, &mut step, PROGRAM)?;
        match &args.verb {
            Verb::Publish(args) => publish::publish(&mut step, &context, args).await,
            Verb::Stop(args) => stop::stop(&mut step, &context, args).await,
            Verb::Start(args) => stop::start(&mut step, &context, args).await,
            Verb::List(_) => list::list(&mut step, &context).await,
            Verb::Status(args) => status::status(&mut step, &context, args).await,
            Verb::Logs(args) => logs::logs(&mut step, &context, args).await,
            Verb::Invoke(args) => invoke::invoke(&mut step, &context, args).await,
        }
    });
    step.finish(result)
}
