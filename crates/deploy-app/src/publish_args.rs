//! The arguments of `deploy-app publish`, and how it works, for its `--help`.

use std::time::Duration;

use domino_core::hold::HoldFlags;
use domino_core::receipt_before::ReceiptBefore;
use domino_core::revision::RevisionBefore;
use domino_core::step::{duration, ticked};
use stage_file::Stage;

use crate::find::AppArgs;

/// How `publish` works, for its `--help`.
pub(crate) const PUBLISHING: &str = "\
It finds the app by name, creates it if there is none, and publishes the commit on the stage's hardware tier and \
environment. Nothing is done when all of that runs already. It waits until that very version runs and answers at \
`health-path` with `health-status`; without a `health-path` Domino's word is enough. The credential goes along with \
that question only where the app's address is on Domino's own host.

Who may open the app, and its description, change once the new version runs.

When the new version does not serve in time, the version that ran before is put back, for as long again, and the \
exit code is 5. Interrupted, it leaves a new version on its way, starts again what it has stopped for nothing, and \
says what runs.";

/// `deploy-app publish`.
#[derive(Debug, clap::Args)]
pub(crate) struct PublishArgs {
    /// The commit to publish: a whole id, or what git knows here; else GITHUB_SHA, else HEAD
    #[arg(long, value_name = "COMMIT")]
    pub(crate) commit: Option<String>,
    /// Deploy a commit although a newer one runs
    #[arg(long, env = "DEPLOY_BACK", value_parser = ticked)]
    pub(crate) back: bool,
    /// Start it and let people in as stages.toml says, although somebody stopped it or decided otherwise in Domino
    #[arg(long = "put-back", env = "DEPLOY_PUT_BACK", value_parser = ticked)]
    pub(crate) as_file_says: bool,
    /// Leave an app alone that may be ours under another name, and create one beside it
    #[arg(long)]
    pub(crate) beside: bool,
    /// Print the plan and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// How long to wait for the version to serve, and as long again to put the one before back [default: the app's
    /// `timeout` in stages.toml, else 15m]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) hold: HoldFlags,
    #[command(flatten)]
    pub(crate) revision: RevisionBefore,
    #[command(flatten)]
    pub(crate) receipt: ReceiptBefore,
    #[command(flatten)]
    pub(crate) app: AppArgs,
}

impl PublishArgs {
    /// How long to wait for a version of this app in this stage.
    pub(crate) fn timeout_of(&self, app: &stage_file::App, stage: &Stage) -> Duration {
        self.timeout.unwrap_or_else(|| app.timeout(stage))
    }
}
