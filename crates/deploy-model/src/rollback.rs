//! Putting the version that served before back, where the one that came after is no good.
//!
//! Domino's public routes cannot switch versions. v4 can start one that was built before; where it cannot, or
//! does not, a version of a registered model is published once more. A function cannot be: it would be built
//! from the repository's head, which is what just failed.

use std::time::Duration;

use domino_core::api::model_apis::{DesiredModelApi, ModelApi, ModelApiSource, ModelApiVersion};
use domino_core::client::{ApiError, Writer};
use domino_core::step::Progress;

use crate::create;
use crate::endpoint::{name_of, status_text};
use crate::watch::{EndpointWatch, WatchOutcome};

/// How long a version that is started again has for becoming the one that answers, before another way is taken.
const START_GRACE: Duration = Duration::from_secs(5 * 60);

/// What served before, and how the endpoint was.
#[derive(Debug)]
pub(crate) struct PreviousVersion {
    /// The endpoint as the plan found it.
    pub(crate) api: ModelApi,
    /// The version that answered.
    pub(crate) version: ModelApiVersion,
    /// Whether the endpoint's own settings were changed since.
    pub(crate) settings_changed: bool,
}

/// Puts it back, and waits until it serves. The words say what serves now, or why it does not.
pub(crate) async fn roll_back(
    watch: &EndpointWatch<'_>,
    writer: &Writer,
    before: &PreviousVersion,
    desired: &DesiredModelApi,
    timeout: Duration,
    progress: &mut Progress,
) -> Result<ModelApiVersion, String> {
    let name = name_of(&before.version);
    progress.status(&format!("putting {name} back"));
    if before.settings_changed
        && let Err(error) = restore_settings(watch, writer, &before.api, desired).await
    {
        return Err(format!("its settings could not be put back: {error}"));
    }
    let started = writer
        .start_model_api_version(&watch.id, &before.version.id)
        .await;
    let mut why = match started {
        Ok(()) => None,
        Err(error) if error.outcome_unknown() => None,
        Err(error) => Some(format!("it cannot be started again: {error}")),
    };
    if why.is_none() {
        let grace = START_GRACE
            .mul_f64(watch.reader.delay_scale().clamp(0.01, 1.0))
            .min(timeout);
        // How it stood before does not count: it is asked anew.
        let mut version = before.version.clone();
        version.deployment = None;
        match watch.until_serving(progress, version, grace).await {
            Ok(WatchOutcome::Serves(_, version)) => return Ok(version),
            Ok(WatchOutcome::Down(version) | WatchOutcome::TimeUp(version)) => {
                why = Some(format!(
                    "started again it is `{}`",
                    status_text(version.deployment.as_ref())
                ));
            }
            Err(error) => why = Some(format!("started again it was lost sight of: {error:#}")),
        }
    }
    let Some(desired) = as_before(before, desired).filter(|desired| is_registered(&desired.source))
    else {
        return Err(why.unwrap_or_default());
    };
    match publish_again(watch, writer, &desired, timeout, progress).await {
        Ok(version) => Ok(version),
        Err(error) => Err(format!(
            "{}; published once more, {error}",
            why.unwrap_or_default()
        )),
    }
}

async fn publish_again(
    watch: &EndpointWatch<'_>,
    writer: &Writer,
    desired: &DesiredModelApi,
    timeout: Duration,
    progress: &mut Progress,
) -> Result<ModelApiVersion, String> {
    let known: Vec<_> = watch
        .reader
        .model_api_versions(watch.generation, &watch.id)
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

/// Gives the endpoint the settings back that it had when it was `api`.
pub(crate) async fn restore_settings(
    watch: &EndpointWatch<'_>,
    writer: &Writer,
    api: &ModelApi,
    desired: &DesiredModelApi,
) -> Result<(), ApiError> {
    let settings = settings_of(api, desired);
    writer
        .update_model_api(watch.generation, &watch.id, &settings)
        .await
}

/// The wishes with the endpoint's own settings as they were, as far as they are told.
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
        replicas: api.replicas.unwrap_or(desired.replicas),
        ..desired.clone()
    }
}

/// The wishes as they were before, as far as they are told.
fn as_before(before: &PreviousVersion, desired: &DesiredModelApi) -> Option<DesiredModelApi> {
    let PreviousVersion { api, version, .. } = before;
    Some(DesiredModelApi {
        source: version.source.clone()?,
        version_description: version.description.clone(),
        logs_requests: version.logs_requests.unwrap_or(false),
        ..settings_of(api, desired)
    })
}

fn is_registered(source: &ModelApiSource) -> bool {
    matches!(source, ModelApiSource::Registered { .. })
}

#[cfg(test)]
mod tests;
