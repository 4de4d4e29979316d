//! The rollback to the version that served before, if the new one has a defect.
//!
//! Domino's public routes cannot switch versions. v4 can start one that was built before. If it cannot, or that has
//! no effect, a version of a registered model is published again. A function cannot be published again: it would be
//! built from the repository's head, which has just failed.

use std::fmt;
use std::time::Duration;

use domino_core::api::model_apis::{
    DesiredModelApi, ModelApi, ModelApiSource, ModelApiVersion, ModelApis,
};
use domino_core::client::{ApiError, Writer};
use domino_core::error::CommandError;
use domino_core::step::{Progress, Signal};

use crate::create;
use crate::endpoint::{name_of, status_text};
use crate::watch::{EndpointWatch, WatchOutcome};

/// How long a version that is started again may take to become the one that answers, before another way is tried.
const START_GRACE: Duration = Duration::from_secs(5 * 60);

/// Why a version that serves must not continue to do so.
#[derive(Debug)]
pub(crate) enum Defect {
    /// It is not what was requested; these are the differences.
    Mismatch(Vec<String>),
    /// It failed its smoke test, for this reason.
    FailedSmokeTest(String),
    /// It took over, and then went down with this status.
    WentDown(String),
}

/// How a rollback ended. The texts name versions.
#[derive(Debug)]
pub(crate) enum RollbackOutcome {
    /// There is no previous version, so this one continues to serve.
    NoPreviousVersion,
    /// The previous version serves again, as a new version if it had to be published again.
    Serves(String, Option<String>),
    /// The rollback of the first version was interrupted, so the second may still serve.
    Interrupted(Signal, String, String),
    /// The previous version could not be restored, for this reason.
    Failed(String, String),
}

/// What served before, and how the endpoint was set.
#[derive(Debug)]
pub(crate) struct PreviousVersion {
    /// The endpoint as the plan found it.
    pub(crate) api: ModelApi,
    /// The version that answered.
    pub(crate) version: ModelApiVersion,
    /// Whether the endpoint's own settings were changed since.
    pub(crate) settings_changed: bool,
}

/// Restores the previous version, and waits until it serves. An error says why it does not.
pub(crate) async fn roll_back(
    watch: &EndpointWatch<'_>,
    writer: &ModelApis<Writer>,
    previous: &PreviousVersion,
    desired: &DesiredModelApi,
    timeout: Duration,
    progress: &mut Progress,
) -> Result<ModelApiVersion, String> {
    progress.status(&format!("putting {} back", name_of(&previous.version)));
    if previous.settings_changed
        && let Err(error) = restore_settings(watch, writer, &previous.api, desired).await
    {
        return Err(format!("its settings could not be put back: {error}"));
    }
    let why = match start_again(watch, writer, &previous.version, timeout, progress).await {
        Ok(version) => return Ok(version),
        Err(why) => why,
    };
    let desired = as_before(previous, desired);
    let Some(desired) = desired.filter(|desired| is_registered(&desired.source)) else {
        return Err(why);
    };
    publish_again(watch, writer, &desired, timeout, progress)
        .await
        .map_err(|error| format!("{why}; published once more, {error}"))
}

/// Starts a version that was built before, and gives it some time to serve.
pub(crate) async fn start_again(
    watch: &EndpointWatch<'_>,
    writer: &ModelApis<Writer>,
    version: &ModelApiVersion,
    timeout: Duration,
    progress: &mut Progress,
) -> Result<ModelApiVersion, String> {
    let started = writer.start_version(&watch.id, &version.id).await;
    if let Err(error) = started
        && !error.outcome_unknown()
    {
        return Err(format!("it cannot be started again: {error}"));
    }
    let delay_scale = watch.reader.delay_scale().clamp(0.01, 1.0);
    let grace = START_GRACE.mul_f64(delay_scale).min(timeout);
    // Its status before the start does not count: it is read again.
    let version = ModelApiVersion {
        deployment: None,
        ..version.clone()
    };
    match watch.until_serving(progress, version, grace).await {
        Ok(WatchOutcome::Serves(_, version)) => Ok(version),
        Ok(WatchOutcome::Down(version) | WatchOutcome::TimeUp(version)) => Err(format!(
            "started again it is `{}`",
            status_text(version.deployment.as_ref())
        )),
        Err(error) => Err(format!("started again it was lost sight of: {error:#}")),
    }
}

async fn publish_again(
    watch: &EndpointWatch<'_>,
    writer: &ModelApis<Writer>,
    desired: &DesiredModelApi,
    timeout: Duration,
    progress: &mut Progress,
) -> Result<ModelApiVersion, String> {
    let known: Vec<_> = watch
        .apis
        .versions(&watch.id)
        .await
        .map_err(|error| format!("its versions cannot be read: {error}"))?;
    let made = create::version(watch, writer, desired, &known)
        .await
        .map_err(|error| format!("it could not be made: {error:#}"))?;
    match watch
        .until_serving(progress, made.into_inner(), timeout)
        .await
    {
        Ok(WatchOutcome::Serves(_, version)) => Ok(version),
        Ok(WatchOutcome::Down(version) | WatchOutcome::TimeUp(version)) => Err(format!(
            "it is {}, which is `{}`",
            name_of(&version),
            status_text(version.deployment.as_ref())
        )),
        Err(error) => Err(format!("it was lost sight of: {error:#}")),
    }
}

/// Rolls the endpoint back to the settings of `api`.
pub(crate) async fn restore_settings(
    watch: &EndpointWatch<'_>,
    writer: &ModelApis<Writer>,
    api: &ModelApi,
    desired: &DesiredModelApi,
) -> Result<(), ApiError> {
    let settings = settings_of(api, desired);
    writer.update(&watch.id, &settings).await
}

/// The desired endpoint with its earlier settings, as far as Domino reported them.
fn settings_of(api: &ModelApi, desired: &DesiredModelApi) -> DesiredModelApi {
    DesiredModelApi {
        description: api.description.clone(),
        environment_id: api
            .environment_id
            .clone()
            .unwrap_or_else(|| desired.environment_id.clone()),
        hardware_tier_id: api
            .hardware_tier_id
            .clone()
            .or_else(|| desired.hardware_tier_id.clone()),
        replicas: api.replicas.or(desired.replicas),
        carried: api.carried.clone(),
        ..desired.clone()
    }
}

/// The endpoint and version as they were before, as far as Domino reported them.
fn as_before(previous: &PreviousVersion, desired: &DesiredModelApi) -> Option<DesiredModelApi> {
    let PreviousVersion { api, version, .. } = previous;
    Some(DesiredModelApi {
        source: version.source.clone()?,
        version_description: version.description.clone(),
        logs_requests: version.logs_requests.unwrap_or(false),
        carried_version: version.carried.clone(),
        ..settings_of(api, desired)
    })
}

fn is_registered(source: &ModelApiSource) -> bool {
    matches!(source, ModelApiSource::Registered { .. })
}

impl Defect {
    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Mismatch(differences) => differences.join("; "),
            Self::FailedSmokeTest(why) => why.clone(),
            Self::WentDown(_) => "it ran, and went down".to_owned(),
        }
    }
}

/// The predicate of a sentence about the version.
impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mismatch(_) => f.write_str("is not what was asked for"),
            Self::FailedSmokeTest(_) => f.write_str("failed its smoke test"),
            Self::WentDown(status) => write!(f, "took over and ended as `{status}`"),
        }
    }
}

impl RollbackOutcome {
    /// The error with which the publish of the version `new` ends: one sentence for each outcome.
    pub(crate) fn into_error(self, new: &str, defect: Defect) -> CommandError {
        let (error, inner) = match self {
            Self::NoPreviousVersion => (
                CommandError::failed(format!(
                    "{new} {defect}, and serves: there is no version before it"
                ))
                .hint("publish a version that is good, or stop the endpoint in Domino"),
                None,
            ),
            Self::Serves(earlier, as_new) => {
                let as_new = as_new.map_or_else(String::new, |name| format!(", as {name}"));
                let text = format!("{new} {defect}; {earlier} serves again{as_new}");
                let error = CommandError::failed(text);
                (
                    error.hint("nothing is lost; publish a version that is good"),
                    None,
                )
            }
            Self::Interrupted(signal, earlier, called) => {
                let text = format!(
                    "interrupted while {earlier} was being put back: {called} may still serve, which {defect}"
                );
                (CommandError::new(signal.exit(), text), None)
            }
            Self::Failed(earlier, problem) => (
                CommandError::failed(format!(
                    "{new} serves, although it {defect}: {earlier} could not be put back"
                ))
                .hint(format!("start {earlier} in Domino by hand, now")),
                Some(problem),
            ),
        };
        match inner {
            None => CommandError::message(defect.reason()).context(error),
            Some(problem) => {
                let what = format!("it {defect}: {}", defect.reason());
                CommandError::message(problem).context(what).context(error)
            }
        }
    }
}

#[cfg(test)]
mod tests;
