//! The arguments of `deploy-model publish`.

use std::path::PathBuf;
use std::time::Duration;

use domino_core::api::registered_models::VersionNumber;
use domino_core::error::CommandError;
use domino_core::handed_on::GivenVersion;
use domino_core::hold::HoldFlags;
use domino_core::receipt_before::ReceiptBefore;
use domino_core::revision::RevisionBefore;
use domino_core::step::{StepFlags, duration, ticked};
use domino_core::variable::is_on_github;

use crate::endpoint::EndpointAddress;

/// The end of `publish --help`.
pub(crate) const SMOKE: &str = "\
What the stage file does not say of an endpoint stays as people set it in Domino, and is carried over from version to \
version. So does what somebody changed since our last publish, with a warning, until `--put-back`. An endpoint that \
somebody stopped stays stopped.

Where an endpoint is routed by labels (`routingMode: advanced`), green means that the label `prod` leads to the \
version. With `routing = \"advanced\"` in stages.toml the version is tested as `latest`, and the label moves to it only \
then; where Domino has no route for that, or the file does not say it, a person moves the label, and until then the \
exit code is 6.

The step output `smoke` is `passed`, `failed`, `none` (no smoke test is given), `skipped` (no token), `refused` \
(the token) or `unreachable`: nothing answers at the endpoint's address. With `failed` the version gives way to the \
one before; with `refused` and `unreachable` the step fails as well, and the version stays, untested.";

/// `deploy-model publish`.
#[derive(Debug, clap::Args)]
pub(crate) struct PublishArgs {
    /// The model, as in `[model.<name>]` of stages.toml
    pub(crate) model: String,
    /// The version of the registered model; else the first stage goes by the rule in stages.toml, and every later
    /// stage takes the version that the stage before serves
    #[arg(long, value_name = "VERSION", env = "MODEL_VERSION")]
    pub(crate) version: Option<GivenVersion>,
    /// The version that this run of the model's `trained-by` job registered: the run's id in Domino, which is the step
    /// output `id` of `deploy-job start`. The first stage needs it or `--version`
    #[arg(
        long,
        value_name = "RUN",
        env = "TRAINED_BY_RUN",
        conflicts_with = "version"
    )]
    pub(crate) trained_by_run: Option<String>,
    /// Publish a version that the stage before does not serve, or that is not proven to be the one that was handed on,
    /// and say why. A stage before on another Domino cannot be asked: its version passes with a warning, if run and
    /// source in MODEL_VERSION_IDENTITY agree
    #[arg(long, value_name = "REASON")]
    pub(crate) force_version: Option<String>,
    /// The commit that this is for: a whole id, or what git knows here; else GITHUB_SHA, else HEAD
    #[arg(long, value_name = "COMMIT")]
    pub(crate) commit: Option<String>,
    /// Publish a version or a commit although a newer one serves
    #[arg(long, env = "DEPLOY_BACK", value_parser = ticked)]
    pub(crate) back: bool,
    /// Start it and give it replicas and description as stages.toml says, although somebody stopped or changed it in
    /// Domino
    #[arg(long = "put-back", env = "DEPLOY_PUT_BACK", value_parser = ticked)]
    pub(crate) as_file_says: bool,
    /// Publish a version that `promote-stage` did not let into the stage; which gates are not asked is said
    #[arg(long)]
    pub(crate) without_gates: bool,
    /// Leave an endpoint alone that may be ours under another name, and create one beside it
    #[arg(long)]
    pub(crate) beside: bool,
    /// The file of recorded requests, in place of the one in stages.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) smoke: Option<PathBuf>,
    /// The environment variables of the endpoint were changed in Domino by hand to what stages.toml says
    #[arg(long)]
    pub(crate) variables_are_set: bool,
    /// Print the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Do not wait for the version to serve, and do not test it
    #[arg(long)]
    pub(crate) no_wait: bool,
    /// How long to wait for the version to serve; as long again, and 5 minutes, for putting the one before back [default:
    /// the model's `timeout` in stages.toml, else 40m]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) hold: HoldFlags,
    #[command(flatten)]
    pub(crate) address: EndpointAddress,
    #[command(flatten)]
    pub(crate) revision: RevisionBefore,
    #[command(flatten)]
    pub(crate) receipt: ReceiptBefore,
    #[command(flatten)]
    pub(crate) flags: StepFlags,
}

impl PublishArgs {
    /// The version that is given, if any. On GitHub an empty one is an error.
    pub(crate) fn version(&self) -> Result<Option<VersionNumber>, CommandError> {
        GivenVersion::number(self.version)
    }

    /// The run that trained it, if one is given. On GitHub an empty one is an error.
    pub(crate) fn trained_by_run(&self) -> Result<Option<&str>, CommandError> {
        match self.trained_by_run.as_deref().map(str::trim) {
            Some("") if is_on_github() => Err(CommandError::usage(
                "`TRAINED_BY_RUN` is empty: the step that starts the job handed no run on",
            )
            .hint("hand on the output `id` of the step that runs `deploy-job start`")),
            given => Ok(given.filter(|run| !run.is_empty())),
        }
    }
}
