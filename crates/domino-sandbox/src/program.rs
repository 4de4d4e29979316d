//! The program around the sandbox: its arguments, where it puts the credentials, when it ends.

mod credentials;
mod decide;
mod help;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use crate::{AppsV1, MlflowContext, Options, Pace, Sandbox, Seed, Version, id};
use help::HELP;

/// A Domino on your own machine, to rehearse against.
#[derive(Debug, Parser)]
#[command(name = "domino-sandbox", version, after_long_help = HELP)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
struct Arguments {
    /// What to do with a sandbox that runs already; without, one is started
    #[command(subcommand)]
    command: Option<PersonalCommand>,

    /// Where to listen; port 0 takes a free one, and only loopback is allowed
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Make the projects, environments, hardware tiers and data planes that this stage file names
    #[arg(long, value_name = "FILE")]
    stages: Option<PathBuf>,

    /// Make this project besides; may be given several times, as may the next three
    #[arg(long, value_name = "OWNER/NAME", value_parser = project)]
    project: Vec<String>,

    /// Make a hardware tier of this name besides, for runs, on this data plane
    #[arg(long, value_name = "NAME[@DATA-PLANE]", value_parser = hardware_tier)]
    hardware_tier: Vec<(String, Option<String>)>,

    /// Make a hardware tier of this name besides, for endpoints, on this data plane
    #[arg(long, value_name = "NAME[@DATA-PLANE]", value_parser = hardware_tier)]
    endpoint_tier: Vec<(String, Option<String>)>,

    /// Make a compute environment of this name besides
    #[arg(long, value_name = "NAME")]
    environment: Vec<String>,

    /// The git repository whose commits the runs use
    #[arg(long, value_name = "DIR", default_value = ".")]
    repository: PathBuf,

    /// Which Domino to be: 5.9, 6.2, 6.3 or 6.4
    #[arg(long, value_name = "VERSION", default_value_t)]
    domino_version: Version,

    /// Whether Apps v1, of 6.3 and 6.4, is `on`, or switched off with this answer: 403 or 404
    #[arg(long, value_name = "ANSWER", default_value_t)]
    apps_v1: AppsV1,

    /// A real MLflow server that keeps experiments and registered models in the sandbox's place
    #[arg(long, value_name = "URI")]
    mlflow: Option<String>,

    /// What the experiment manager demands of callers outside of a run: `required` (an API key with every call and
    /// X-Domino-Execution with every write), `writes` (X-Domino-Execution with every write), `inside` (no write is
    /// taken from there) or `none`
    #[arg(long, value_name = "CALLS", default_value_t)]
    mlflow_context: MlflowContext,

    /// What is to go wrong; the form of the file is described by --help
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,

    /// How long a status lasts that is not real work
    #[arg(long = "pace", value_name = "PACE", value_enum, default_value_t = PaceName::Human)]
    delays: PaceName,

    /// Where to write the credentials, readable by you alone; a temporary file when left out
    #[arg(long, value_name = "FILE")]
    credentials_file: Option<PathBuf>,

    /// Note each request on stderr
    #[arg(long, short)]
    verbose: bool,
}

/// What a person does with a running sandbox.
#[derive(Debug, Subcommand)]
enum PersonalCommand {
    /// List the requests for approval that wait
    Requests(decide::SpeakerArgs),
    /// Approve a request
    Approve(decide::AnswerArgs),
    /// Reject a request
    Reject(decide::AnswerArgs),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum PaceName {
    /// Not at all
    Instant,
    /// Long enough to be seen
    Human,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let done = match &arguments.command {
        None => run(arguments),
        Some(PersonalCommand::Requests(speaker)) => decide::list(speaker),
        Some(PersonalCommand::Approve(request)) => decide::answer(request, "approve"),
        Some(PersonalCommand::Reject(request)) => decide::answer(request, "reject"),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem:#}");
            ExitCode::from(2)
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    ensure!(
        is_repository(&arguments.repository),
        "`{}` is not a git repository with a commit; the runs take their code from one",
        arguments.repository.display()
    );
    let seed = seed(&arguments)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Handled before the first process is started, so that none outlives the program.
    let asked_to_end = runtime.block_on(async { asked_to_end() })?;
    let model_token = id::secret();
    let temporary;
    let path = match &arguments.credentials_file {
        Some(path) => path.as_path(),
        None => {
            temporary = tempfile::Builder::new()
                .prefix("domino-sandbox-")
                .suffix(".env")
                .tempfile()?;
            temporary.path()
        }
    };
    let sandbox = Sandbox::start(Options {
        listen: arguments.listen,
        repository: arguments.repository,
        version: arguments.domino_version,
        apps_v1: arguments.apps_v1,
        delays: match arguments.delays {
            PaceName::Instant => Pace::instant(),
            PaceName::Human => Pace::human(),
        },
        seed,
        mlflow: arguments.mlflow,
        mlflow_context: arguments.mlflow_context,
        model_token: Some(model_token.clone()),
        credentials_file: Some(std::path::absolute(path)?),
        verbose: arguments.verbose,
        ..Options::default()
    })?;
    if let Some(path) = &arguments.faults {
        sandbox.faults().load(path)?;
    }
    let credentials = credentials::text(sandbox.url(), &sandbox.accounts(), &model_token);
    credentials::write_for_owner(path, &credentials)
        .with_context(|| format!("cannot write the credentials to `{}`", path.display()))?;
    let release = arguments.domino_version.release();
    println!("Domino {release} sandbox at {}", sandbox.url());
    println!("credentials in {}", path.display());
    runtime.block_on(asked_to_end);
    sandbox.stop();
    Ok(())
}

/// The built-in sample or what a stage file names, and what the flags add to it.
fn seed(arguments: &Arguments) -> anyhow::Result<Seed> {
    let mut seed = match &arguments.stages {
        Some(path) => Seed::from_stage_file(path)?,
        None => Seed::default(),
    };
    for name in &arguments.project {
        seed = seed.project(name);
    }
    for (name, data_plane) in &arguments.hardware_tier {
        seed = seed.tier_named(name, data_plane.as_deref(), false);
    }
    for (name, data_plane) in &arguments.endpoint_tier {
        seed = seed.tier_named(name, data_plane.as_deref(), true);
    }
    for name in &arguments.environment {
        seed = seed.environment(name);
    }
    Ok(seed)
}

fn project(text: &str) -> Result<String, String> {
    match text.split_once('/') {
        Some((owner, name)) if !owner.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok(text.to_owned())
        }
        _ => Err("a project is OWNER/NAME".to_owned()),
    }
}

fn hardware_tier(text: &str) -> Result<(String, Option<String>), String> {
    let (name, data_plane) = match text.rsplit_once('@') {
        Some((name, data_plane)) => (name, Some(data_plane)),
        None => (text, None),
    };
    if name.is_empty() || data_plane == Some("") {
        return Err("a hardware tier is NAME or NAME@DATA-PLANE".to_owned());
    }
    Ok((name.to_owned(), data_plane.map(str::to_owned)))
}

fn is_repository(folder: &Path) -> bool {
    let head = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["rev-parse", "--verify", "--quiet", "HEAD"])
        .output();
    head.is_ok_and(|head| head.status.success())
}

/// Ends with Ctrl-C, or with the signals that a shell or a supervisor sends.
fn asked_to_end() -> std::io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_hold_together() {
        Arguments::command().debug_assert();
    }
}
