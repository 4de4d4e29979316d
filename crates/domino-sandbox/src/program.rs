//! The program around the sandbox: its arguments, where it puts the credentials, when it ends.

mod decide;

use std::fs::{OpenOptions, Permissions};
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, ensure};
use clap::{Parser, Subcommand, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use crate::{Options, Pace, Sandbox, Seed, Version, id};

const HELP: &str = "\
A sandbox answers Domino's HTTP API on loopback: users, projects, hardware tiers, environments, \
jobs, their logs and schedules, apps. A job is a real process: the asked commit of the repository in a \
folder of its own, run on this machine with your rights. Everything is gone when the sandbox stops.

An app is a real process too, started by its entry point through bash and served under /apps/. In \
Domino an app listens on 0.0.0.0:8888; here it is told where in APP_HOST and APP_PORT. With these \
defaults one entry point does for both:

    python3 -m http.server --bind \"${APP_HOST:-0.0.0.0}\" \"${APP_PORT:-8888}\"

The URL of an app takes the same credentials as the API. A browser without one gets a page with a \
button for each user; the page at / lists the apps. 5.9 has them on /v4/modelProducts, 6.2 and 6.3 \
on /api/apps/beta as well, 6.4 on /api/apps/v1 too.

Experiments, runs and registered models are kept as MLflow keeps them, under /api/2.0/mlflow of the \
same address, where a run finds them in MLFLOW_TRACKING_URI; --mlflow leaves them to a real MLflow \
server. A model endpoint is python3 with the files of a registered version, or of the newest \
commit, and the endpoint's own environment variables. It is called at /models/ID/latest/model with \
its token as user and password of HTTP Basic. Domino shows such a token to people only; here every \
endpoint takes the one that the credentials file has as DOMINO_MODEL_TOKEN.

Who approves what governance asks for does so on the page at /, or with

    $ domino-sandbox approve --credentials-file sandbox.env

With python-domino:

    $ domino-sandbox --listen 127.0.0.1:8080 --credentials-file sandbox.env &
    $ . ./sandbox.env
    $ export DOMINO_API_HOST DOMINO_USER_API_KEY=$AUTHOR_API_KEY
    $ python3 -c \"from domino import Domino; Domino('author/quick-start').job_start('main.py')\"

There are the users author, approver and ci-bot. The credentials file has an API key and a token \
of each, as shell variables. The key goes into X-Domino-Api-Key, the token is a Bearer.

A fault file is TOML. What each kind of fault does stands in the crate's documentation of \
`Misbehaviour`:

    clock-skew-seconds = -30

    [[fault]]                          # requests that go wrong
    route = \"POST /v4/jobs/start\"      # method or none, * for one segment, ** for any rest
    kind = \"reset\"                     # see below
    processed = true                   # it takes effect all the same
    after = 0                          # so many requests pass unharmed first
    times = 1                          # so many are harmed; all, when left out

    [[job]]                            # jobs that misreport themselves
    command = \"train.py\"               # those whose command contains this
    times = 1                          # so many jobs; all, when left out
    statuses = [\"Running\", \"Queued\"]   # what the first reads show
    stuck-at = \"Preparing\"             # shown for ever, once reached
    completed-lag = 3                  # reads for which isCompleted lags behind
    log-repeats = 2                    # lines that come again with each page
    log-late = 2                       # reads for which the last lines stay away
    log-complete-early = true          # each page calls itself the last
    log-never-pauses = true            # one more line at each read, until the job ends

    [[app]]                            # instances of apps that go wrong
    app = \"dashboard\"                  # of those whose name contains this
    times = 1                          # so many instances; all, when left out
    statuses = [\"Running\", \"Queued\"]   # what the first looks show
    stuck-at = \"Pulling\"               # shown for ever, once reached
    start-fails = \"ImagePullBackOff\"   # it never runs, and this is why
    stop-hangs = true                  # its stop ends only when it is forced
    stops-first = true                 # it starts only once those before it have stopped

    [[model]]                          # versions of model endpoints that go wrong
    endpoint = \"wine-prod\"             # of those whose name contains this
    times = 1                          # so many versions; all, when left out
    build-fails = true                 # with the last line of its log saying so
    statuses = [\"Stalled\"]             # what the first reads show
    stuck-at = \"Starting\"              # it really never gets any further
    dies-after = 3                     # answered requests; 0 is at once

Kinds, with the keys each has besides: status (status, retry-after, processed), reply (status, \
content-type, body), login-page, binary-forbidden, relogin, redirect (origin), refuse \
(milliseconds), reset (processed), hang (processed), delay (milliseconds), truncate, cut-json, \
trickle (milliseconds, bytes), huge (bytes), edit (set = { \"/json/pointer\" = value }, remove = \
[\"/json/pointer\"]), ignore-query (names).";

/// A Domino on your own machine, to rehearse against.
#[derive(Debug, Parser)]
#[command(name = "domino-sandbox", version, after_long_help = HELP)]
#[command(args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
struct Arguments {
    /// What to do with a sandbox that runs already; without, one is started
    #[command(subcommand)]
    command: Option<Task>,

    /// Where to listen; port 0 takes a free one, and only loopback is allowed
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Make the projects, environments, hardware tiers and data planes that this stage file names
    #[arg(long, value_name = "FILE")]
    stages: Option<PathBuf>,

    /// The git repository whose commits the runs use
    #[arg(long, value_name = "DIR", default_value = ".")]
    repository: PathBuf,

    /// Which Domino to be: 5.9, 6.2, 6.3 or 6.4
    #[arg(long, value_name = "VERSION", default_value_t)]
    domino_version: Version,

    /// A real MLflow server that keeps experiments and registered models in the sandbox's place
    #[arg(long, value_name = "URI")]
    mlflow: Option<String>,

    /// What is to go wrong; the form of the file is described by --help
    #[arg(long, value_name = "FILE")]
    faults: Option<PathBuf>,

    /// How long a status lasts that is not real work
    #[arg(long, value_enum, default_value_t = PaceName::Human)]
    pace: PaceName,

    /// Where to write the credentials, readable by you alone; a temporary file when left out
    #[arg(long, value_name = "FILE")]
    credentials_file: Option<PathBuf>,

    /// Note each request on stderr
    #[arg(long, short)]
    verbose: bool,
}

/// What a person does with a running sandbox.
#[derive(Debug, Subcommand)]
enum Task {
    /// List the requests for approval that wait
    Requests(decide::Speaker),
    /// Approve a request
    Approve(decide::Answer),
    /// Reject a request
    Reject(decide::Answer),
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
        Some(Task::Requests(speaker)) => decide::list(speaker),
        Some(Task::Approve(request)) => decide::answer(request, "approve"),
        Some(Task::Reject(request)) => decide::answer(request, "reject"),
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
    let seed = match &arguments.stages {
        Some(path) => Seed::from_stage_file(path)?,
        None => Seed::default(),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Listened for from before the first process is started, so that none outlives the program.
    let asked_to_end = runtime.block_on(async { asked_to_end() })?;
    let model_token = id::secret();
    let sandbox = Sandbox::start(Options {
        listen: arguments.listen,
        repository: arguments.repository,
        version: arguments.domino_version,
        pace: match arguments.pace {
            PaceName::Instant => Pace::instant(),
            PaceName::Human => Pace::human(),
        },
        seed,
        mlflow: arguments.mlflow,
        model_token: Some(model_token.clone()),
        verbose: arguments.verbose,
        ..Options::default()
    })?;
    if let Some(path) = &arguments.faults {
        sandbox.faults().load(path)?;
    }
    let credentials = credentials(&sandbox, &model_token);
    let temporary;
    let path = match &arguments.credentials_file {
        Some(path) => {
            write_for_owner(path, &credentials)
                .with_context(|| format!("cannot write the credentials to `{}`", path.display()))?;
            path.as_path()
        }
        None => {
            temporary = tempfile::Builder::new()
                .prefix("domino-sandbox-")
                .suffix(".env")
                .tempfile()?;
            temporary.as_file().write_all(credentials.as_bytes())?;
            temporary.path()
        }
    };
    let release = arguments.domino_version.release();
    println!("Domino {release} sandbox at {}", sandbox.url());
    println!("credentials in {}", path.display());
    runtime.block_on(asked_to_end);
    sandbox.stop();
    Ok(())
}

fn is_repository(folder: &Path) -> bool {
    let head = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["rev-parse", "--verify", "--quiet", "HEAD"])
        .output();
    head.is_ok_and(|head| head.status.success())
}

/// The URL, the token of every endpoint and each user's credentials, as shell variables.
fn credentials(sandbox: &Sandbox, model_token: &str) -> String {
    let mut text = format!(
        "DOMINO_API_HOST={}\nDOMINO_MODEL_TOKEN={model_token}\n",
        sandbox.url()
    );
    for account in sandbox.accounts() {
        let user = variable(&account.user_name);
        text += &format!("{user}_API_KEY={}\n", account.api_key);
        text += &format!("{user}_TOKEN={}\n", account.token);
    }
    text
}

/// The name of a user as the start of a shell variable.
fn variable(user_name: &str) -> String {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter
        } else {
            '_'
        }
    };
    user_name.to_uppercase().chars().map(plain).collect()
}

/// Writes `text` to a file that only its owner may read, also when it was there before.
fn write_for_owner(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    file.write_all(text.as_bytes())
}

/// Ends with Ctrl-C, or with what a shell or a supervisor sends in its place.
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

    #[test]
    fn the_fault_file_of_the_help_is_one() {
        let example: String = HELP
            .lines()
            .filter_map(|line| line.strip_prefix("    "))
            .skip_while(|line| !line.starts_with("clock-skew"))
            .map(|line| format!("{line}\n"))
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("faults.toml");
        std::fs::write(&path, example).unwrap();
        crate::Faults::default().load(&path).unwrap();
    }
}
