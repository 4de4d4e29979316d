//! The arguments of a rehearsal, and what a person should know before trusting one.
//!
//! `rehearse.rs` acts on them.

use std::path::PathBuf;

use domino_sandbox::{AppsV1, Version};

/// What a person should know before trusting a rehearsal.
const HELP: &str = "\
Workflows, stage file and code are those of the commit that is checked out. Each job gets an empty workspace, and its \
steps see GitHub's variables and their own, nothing else of your environment. `vars.DOMINO_ENV` is the name of the \
job's GitHub environment; its one credential is that of the sandbox's user `ci-bot`; DOMINO_API_HOST points the \
programs at the sandbox. actions/checkout, upload-artifact, download-artifact and cache (always a miss) are stood in \
for; programs that would be downloaded are those installed beside this one, which Domino's runs find as well; an attestation is named as not run; anything else that is not understood is named before anything runs.

The workflows start side by side, and each job once what it needs has finished, on folders of its own; each line says \
whose it is. `concurrency` groups are kept as GitHub keeps them: one goes on, of those that wait the newest stays, with \
`queue: max` all of them, and `cancel-in-progress` ends what goes on. An approval holds up its job and what comes after \
it; questions come one at a time.

With --from-empty there is no project, no service account and no GitHub environment yet. `domino apply` and `github \
apply` make them, as a team would; jobs then get the variables and secrets that are on GitHub, reviewers and wait \
timers are those that GitHub holds, and a run gets its code by the git credential that was put into Domino. In the end \
both commands run once more, which must change nothing, and `status` tells what is deployed.

What `--keep` keeps up can be run again from another terminal: `--rerun failed` runs the jobs that failed or were \
cancelled and what comes after them, with the outputs and artifacts of the others; `--rerun all` runs all. \
GITHUB_RUN_ATTEMPT counts, GITHUB_RUN_ID, GITHUB_SHA and GITHUB_ACTOR stay. An artifact is gone when its days are over: \
`--days-later` lets them pass.

Ctrl-C cancels as GitHub does: the shells of the running steps get SIGINT, after 7.5 seconds SIGTERM, and 2.5 seconds \
later their processes are killed; steps with `always()` or `cancelled()` still run, five minutes at most, as they do when \
a job takes longer than its `timeout-minutes`. A second Ctrl-C ends everything at once.

Trouble to rehearse with --faults. Each file says what to expect, `domino-sandbox --help` what one may hold:

    faults/failing-deployments.toml  apps and endpoints that do not start
    faults/flaky-network.toml        reads refused, cut off, answered with 503
    faults/lost-replies.toml         first writes take effect without a reply
    faults/misreporting-jobs.toml    odd statuses, late ends, repeated lines
    faults/outside-of-a-run.toml     writes that must name a run, tokens refused
    faults/signed-out.toml           from the third step on, a sign-in page
    faults/slow-domino.toml          slow lists, runs that seem to end late

Exit codes: 0 every step succeeded; 2 something cannot be rehearsed, or wrong usage; 4 not as the specs of `--spec` \
say; 5 a step failed; \
7 an approval was not given; 130 or 143 interrupted.";

/// What is decided when a rehearsal begins, and does not change when it is run again.
const FIRST_ONLY: [&str; 11] = [
    "workflows",
    "uncommitted",
    "from_empty",
    "stop_after",
    "input",
    "domino_version",
    "apps_v1",
    "faults",
    "mlflow",
    "python",
    "keep",
];

/// Run the workflow files here, stage by stage, against a Domino on this machine
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Args {
    /// Rehearse this workflow only, such as deploy-jobs; may be given several times
    #[arg(long, value_name = "NAME")]
    pub only: Vec<String>,
    /// Read the workflow files from this folder, and not from the commit's .github/workflows
    #[arg(long, value_name = "DIR")]
    pub workflows: Option<PathBuf>,
    /// Rehearse what is in the working tree, too, and not only what is committed
    #[arg(long)]
    pub uncommitted: bool,
    /// Begin with an empty GitHub and an empty Domino: set both up first, with `domino apply` and `github apply`
    #[arg(long)]
    pub from_empty: bool,
    /// Who gives the approvals that GitHub would ask for [default: ask on a terminal, all elsewhere]
    #[arg(long, value_enum)]
    pub approve: Option<Approver>,
    /// Stop after this stage, as a run started by hand can
    #[arg(long, value_name = "STAGE")]
    pub stop_after: Option<String>,
    /// Start the runs by hand, with this input, such as back=true; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = input)]
    pub input: Vec<(String, String)>,
    /// The Domino to rehearse against: 5.9, 6.2, 6.3 or 6.4
    #[arg(long, value_name = "VERSION", default_value_t)]
    pub domino_version: Version,
    /// Whether its Apps v1, of 6.3 and 6.4, is `on`, or switched off with this answer: 403 or 404
    #[arg(long, value_name = "ANSWER", default_value_t)]
    pub apps_v1: AppsV1,
    /// Let the sandbox misbehave as this file says, such as one of faults/
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,
    /// Hold every request and reply of the rehearsal against these specs: files, or folders of JSON files
    #[cfg(feature = "contract")]
    #[arg(long, value_name = "FILE", conflicts_with = "rerun")]
    pub spec: Vec<PathBuf>,
    /// Keep experiments and registered models in a real MLflow server, installed from PyPI at its first start
    #[arg(long)]
    pub mlflow: bool,
    /// Run jobs and endpoints with this Python: a virtual environment, a `python3`, or a file of requirements such as
    /// `requirements.txt`, from which one is made at its first use and kept. Where MLflow's own client is in it, the
    /// sample trains with that
    #[arg(long, value_name = "VENV")]
    pub python: Option<PathBuf>,
    /// Build the programs as the workflow does, for a release, and not as this program was built
    #[arg(long)]
    pub build_as_written: bool,
    /// Leave the sandbox up after the table, until Ctrl-C, and print what to export to use it and how to run it again
    #[arg(long)]
    pub keep: bool,
    /// Run the runs of a rehearsal again that `--keep` keeps up, as GitHub does: same run ids and commit, next attempt
    #[arg(long, value_enum, conflicts_with_all = FIRST_ONLY)]
    pub rerun: Option<Rerun>,
    /// The folder that `--keep` printed [default: that of this repository, if it has a Cargo.toml]
    #[arg(long, value_name = "DIR", requires = "rerun")]
    pub kept: Option<PathBuf>,
    /// Start the runs by hand as this person; in a pipeline with `gate = "dispatch"`, after a push, one run for each stage
    /// that is entered so; with --rerun, who runs them again, as GITHUB_TRIGGERING_ACTOR [default: author, who pushed]
    #[arg(long, value_name = "LOGIN")]
    pub actor: Option<String>,
    /// Run it again so many days later, as far as GitHub goes: artifacts expire, and 30 days are the end
    #[arg(long, value_name = "DAYS", requires = "rerun", default_value_t = 0)]
    pub days_later: u32,
    /// Artifacts are gone after this many days, as an organisation may have it [default: what the workflow asks for]
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=90))]
    pub artifact_days: Option<u32>,
    /// Write the jobs' summaries to this folder, one Markdown file each
    #[arg(long, value_name = "DIR")]
    pub summary_dir: Option<PathBuf>,
    /// The repository to rehearse
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub repository: PathBuf,
}

/// Who gives the approvals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Approver {
    /// Every approval is given
    All,
    /// Each is asked for on the terminal
    Ask,
    /// None is given: the pipeline stops at the first gate
    None,
}

/// Which jobs of a kept rehearsal run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Rerun {
    /// Those that failed or were cancelled, and what comes after them
    Failed,
    /// All
    All,
}

fn input(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("it must be NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}
