//! The arguments that several verbs take, and how a value is read from them.

use std::time::Duration;

use domino_core::api::registered_models::VersionNumber;
use domino_core::error::CommandError;
use domino_core::handed_on::GivenVersion;
use domino_core::step::duration;

use crate::told::Told;

/// Which version is meant.
#[derive(Debug, clap::Args)]
pub(crate) struct VersionArgs {
    /// The model, as in `[model.<name>]` of stages.toml
    pub(crate) model: String,
    /// The version of the registered model; when not given, the one that the stage before serves
    #[arg(long, value_name = "VERSION", env = "MODEL_VERSION")]
    version: Option<GivenVersion>,
    /// Let a version in that the stage before neither holds nor serves, or that was demoted, and say why
    #[arg(long, value_name = "REASON", value_parser = reason)]
    pub(crate) skip_order: Option<String>,
    #[command(flatten)]
    pub(crate) told: Told,
}

/// How long to wait for an approval.
#[derive(Debug, clap::Args)]
pub(crate) struct WaitArgs {
    /// Wait so long for gates that may still open
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = duration)]
    pub(crate) wait: Duration,
}

impl VersionArgs {
    /// The flags, besides the version, that change how it is evaluated.
    pub(crate) fn flags(&self) -> Vec<String> {
        let skip = self.skip_order.iter();
        skip.flat_map(|reason| ["--skip-order".to_owned(), reason.clone()])
            .collect()
    }

    /// The version that is given, if any. On GitHub an empty one is an error.
    pub(crate) fn version(&self) -> Result<Option<VersionNumber>, CommandError> {
        GivenVersion::number(self.version)
    }
}

/// Reads a reason. It is stored in a tag, so it must not be empty, and must be short enough for every server.
pub(crate) fn reason(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("say why".into()),
        text if text.chars().count() > 500 => Err("say it in 500 characters".into()),
        text => Ok(text.to_owned()),
    }
}
