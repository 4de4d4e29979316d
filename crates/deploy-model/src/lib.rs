//! `deploy-model`: publish a model of the stage file as an endpoint in Domino, and prove that it serves.
//!
//! A publish plans with a `Reader`, shows the plan, and only then gets a `Writer`. It ends green only when the
//! very version that was asked for is the one that answers; a version that fails its smoke test gives way to the
//! one before. It moves nothing between stages of the experiment manager: that is `promote-stage`.

mod before;
mod check;
mod difference;
mod endpoint;
mod follow;
mod gate;
mod invoke;
mod list;
mod logs;
mod make;
mod mark;
mod plan;
mod prove;
mod publish;
mod restore;
mod smoke;
mod smoke_test;
mod source;
mod status;
mod token;
mod version;
mod view;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use domino_core::api::registered_models::VersionNumber;
use domino_core::step::{Step, StepContext, StepFlags, Subject, duration};
use stage_file::Host;

/// Who asks, as the server sees it.
const PROGRAM: &str = concat!("deploy-model/", env!("CARGO_PKG_VERSION"));

/// Publish the models of stages.toml as endpoints in Domino, one stage at a time
#[derive(Debug, Parser)]
#[command(name = "deploy-model", version, after_help = EXITS)]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

/// What `--help` ends with.
const EXITS: &str = "\
Credential: DOMINO_TOKEN (or DOMINO_TOKEN_FILE), else DOMINO_USER_API_KEY; inside a Domino run DOMINO_API_PROXY.
DOMINO_ENV names the stage, DOMINO_API_HOST overrides its host, MLFLOW_TRACKING_URI that of the experiment manager.
An endpoint that is not public is called with its own access token only: DOMINO_MODEL_TOKEN, made by a person in
Domino under Settings, Invocation. For several models it holds a line `model=token` for each.

Exit codes: 0 done or already as wanted, 2 wrong usage or a problem in stages.toml, 3 Domino refused,
4 Domino could not be reached or understood, 5 the build or the smoke test failed, 6 not settled in time,
130 and 143 interrupted.";

/// What `publish --help` ends with.
const SMOKE: &str = "\
The step output `smoke` is `passed`, `failed`, `none` (no smoke test is given), `skipped` (no token), `refused` \
(the token) or `unreachable`: nothing answers at the endpoint's address. With `failed` the version gives way to the \
one before; with `refused` and `unreachable` the step fails as well, and the version stays, untested.";

#[derive(Debug, Subcommand)]
enum Verb {
    /// Create the endpoint, or a new version of it, wait until that version serves, and test it
    #[command(after_help = SMOKE)]
    Publish(PublishArgs),
    /// List the endpoints of the stage's project
    List(ListArgs),
    /// Show the endpoint of the model
    Status(StatusArgs),
    /// Print a log of the endpoint on stdout
    Logs(LogsArgs),
    /// Send one request to the endpoint and print the answer on stdout
    Invoke(InvokeArgs),
}

/// `deploy-model publish`.
#[derive(Debug, clap::Args)]
struct PublishArgs {
    /// The model, as in `[model.<name>]` of stages.toml
    model: String,
    /// The version of the registered model; else the first stage goes by the rule in stages.toml, and every later
    /// stage takes the version that the stage before serves
    #[arg(long, value_name = "VERSION", env = "MODEL_VERSION", value_parser = given_version)]
    version: Option<GivenVersion>,
    /// Publish a version that the stage before does not serve, and say why. A stage before on another Domino cannot
    /// be asked: its version passes with a warning
    #[arg(long, value_name = "REASON")]
    force_version: Option<String>,
    /// The commit that this is for: a whole id, or what git knows here; else GITHUB_SHA, else HEAD
    #[arg(long, value_name = "COMMIT")]
    commit: Option<String>,
    /// The file of recorded requests, in place of the one in stages.toml
    #[arg(long, value_name = "FILE")]
    smoke: Option<PathBuf>,
    /// The environment variables of the endpoint were changed in Domino by hand to what stages.toml says
    #[arg(long)]
    variables_are_set: bool,
    /// Print the plan and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Do not wait for the version to serve, and do not test it
    #[arg(long)]
    no_wait: bool,
    /// How long to wait for the version to serve; as long again, and 5 minutes, for putting the one before back
    #[arg(long, value_name = "TIME", default_value = "40m", value_parser = duration)]
    timeout: Duration,
    #[command(flatten)]
    address: EndpointAddress,
    #[command(flatten)]
    flags: StepFlags,
}

/// `deploy-model list`.
#[derive(Debug, clap::Args)]
struct ListArgs {
    #[command(flatten)]
    flags: StepFlags,
}

/// `deploy-model status`.
#[derive(Debug, clap::Args)]
struct StatusArgs {
    /// The model, as in `[model.<name>]` of stages.toml
    model: String,
    #[command(flatten)]
    address: EndpointAddress,
    #[command(flatten)]
    flags: StepFlags,
}

/// `deploy-model logs`.
#[derive(Debug, clap::Args)]
struct LogsArgs {
    /// The model, as in `[model.<name>]` of stages.toml
    model: String,
    /// The log of the newest version's build, in place of that of the instances of the version that serves
    #[arg(long)]
    build: bool,
    /// One version of the endpoint by its number or id
    #[arg(long, value_name = "VERSION")]
    id: Option<String>,
    /// Go on until the build is over, or until interrupted
    #[arg(short, long)]
    follow: bool,
    #[command(flatten)]
    flags: StepFlags,
}

/// `deploy-model invoke`.
#[derive(Debug, clap::Args)]
struct InvokeArgs {
    /// The model, as in `[model.<name>]` of stages.toml
    model: String,
    /// The request as a file of JSON, `{"data": {…}}` or `{"parameters": […]}`; `-` is standard input
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// One version of the endpoint by its number, in place of the one that serves
    #[arg(long, value_name = "NUMBER")]
    id: Option<u64>,
    #[command(flatten)]
    address: EndpointAddress,
    #[command(flatten)]
    flags: StepFlags,
}

/// Where an endpoint is called.
#[derive(Debug, Clone, clap::Args)]
struct EndpointAddress {
    /// The host where endpoints are called, when it is not Domino's own: that of a remote data plane
    #[arg(long, value_name = "HOST", env = "DOMINO_MODEL_HOST", value_parser = endpoint_host)]
    endpoint_host: Option<EndpointHost>,
}

/// A version that may be given as nothing: GitHub hands on an output that is not there as an empty text.
#[derive(Debug, Clone, Copy)]
struct GivenVersion(Option<VersionNumber>);

/// A host that may be given as nothing, which is what GitHub makes of a variable that does not exist.
#[derive(Debug, Clone)]
struct EndpointHost(Option<Host>);

fn given_version(text: &str) -> Result<GivenVersion, String> {
    match text.trim() {
        "" => Ok(GivenVersion(None)),
        text => text.parse().map(|version| GivenVersion(Some(version))),
    }
}

fn endpoint_host(text: &str) -> Result<EndpointHost, String> {
    match text.trim() {
        "" => Ok(EndpointHost(None)),
        text => match text.parse() {
            Ok(host) => Ok(EndpointHost(Some(host))),
            Err(problem) => Err(format!("it {problem}")),
        },
    }
}

impl PublishArgs {
    fn version(&self) -> Option<VersionNumber> {
        self.version.and_then(|given| given.0)
    }
}

impl EndpointAddress {
    fn host(&self) -> Option<&Host> {
        self.endpoint_host
            .as_ref()
            .and_then(|given| given.0.as_ref())
    }
}

/// Runs the program to its exit code.
pub fn run(args: &Args) -> ExitCode {
    let (verb, entity, flags) = match &args.verb {
        Verb::Publish(args) => ("publish", args.model.as_str(), &args.flags),
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
            Verb::List(_) => list::list(&mut step, &context).await,
            Verb::Status(args) => status::status(&mut step, &context, args).await,
            Verb::Logs(args) => logs::logs(&mut step, &context, args).await,
            Verb::Invoke(args) => invoke::invoke(&mut step, &context, args).await,
        }
    });
    step.finish(result)
}
