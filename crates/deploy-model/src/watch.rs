//! Watches a version of an endpoint until it is the one that serves, and reads its log if it never does.

use std::time::Duration;

use domino_core::api::model_apis::{
    Deployment, DeploymentStatus, ModelApi, ModelApiId, ModelApiVersion, ModelApiVersionId,
    ModelApis,
};
use domino_core::api::projects::Project;
use domino_core::client::{ApiError, Reader};
use domino_core::error::{CommandError, Exit, Result};
use domino_core::step::{Excerpt, Progress};
use domino_core::wait::LogTail;
use domino_core::wait::Poll;

use crate::endpoint::{name_of, status_text};

/// How long reading the log of a stopped version may take: only its end says why.
const LONGEST_LOG: Duration = Duration::from_secs(30);

/// An endpoint whose versions are watched.
#[derive(Debug)]
pub(crate) struct EndpointWatch<'a> {
    pub(crate) reader: Reader,
    pub(crate) project: &'a Project,
    pub(crate) apis: ModelApis<Reader>,
    pub(crate) id: ModelApiId,
}

/// How watching a version ended.
#[derive(Debug)]
pub(crate) enum WatchOutcome {
    /// It runs, and it is the one that answers.
    Serves(Box<ModelApi>, ModelApiVersion),
    /// It will not run; the version as it was last read.
    Down(ModelApiVersion),
    /// It did not serve in time; the version as it was last read.
    TimeUp(ModelApiVersion),
}

impl EndpointWatch<'_> {
    /// Polls the version itself, because the active version lags behind. Once it runs, it polls the active version,
    /// which is the one that people call.
    pub(crate) async fn until_serving(
        &self,
        progress: &mut Progress,
        mut version: ModelApiVersion,
        timeout: Duration,
    ) -> Result<WatchOutcome> {
        let mut poll = Poll::until(timeout, self.reader.delay_scale());
        loop {
            let mut line = format!(
                "{}: {}",
                name_of(&version),
                status_text(version.deployment.as_ref())
            );
            if is_down(version.deployment.as_ref()) {
                progress.status(&line);
                return Ok(WatchOutcome::Down(version));
            }
            if version
                .deployment
                .as_ref()
                .is_some_and(Deployment::is_running)
            {
                match self.api().await {
                    Ok(api) if self.answers_with(&api, &version.id) => {
                        progress.status(&line);
                        return Ok(WatchOutcome::Serves(Box::new(api), version));
                    }
                    Ok(_) => line.push_str(", not yet the one that answers"),
                    Err(error) => line = self.outage(error, &poll)?,
                }
            }
            progress.status(&line);
            if !poll.next().await {
                return Ok(WatchOutcome::TimeUp(version));
            }
            match self.version(&version.id).await {
                Ok(Some(now)) => {
                    if now.deployment != version.deployment {
                        poll.reset_backoff();
                    }
                    version = now;
                }
                Ok(None) => {
                    return Err(CommandError::refused(format!(
                        "{} is not there any more",
                        name_of(&version)
                    )));
                }
                Err(error) => progress.status(&self.outage(error, &poll)?),
            }
        }
    }

    /// The endpoint's present state.
    pub(crate) async fn api(&self) -> Result<ModelApi, ReadError> {
        self.apis
            .model_api(self.project, &self.id)
            .await
            .map_err(ReadError::Api)?
            .ok_or(ReadError::Gone)
    }

    async fn version(&self, id: &ModelApiVersionId) -> Result<Option<ModelApiVersion>, ReadError> {
        self.apis
            .version(&self.id, id)
            .await
            .map_err(ReadError::Api)
    }

    /// Whether this version is the one that answers. If an older Domino does not tell, a running version counts.
    fn answers_with(&self, api: &ModelApi, version: &ModelApiVersionId) -> bool {
        api.routes_by_label()
            || api.serves(version)
            || (api.active.is_none() && !self.apis.capabilities().tells_active_version)
    }

    /// An outage is waited out while there is time; a refusal is an error at once.
    fn outage(&self, error: ReadError, poll: &Poll) -> Result<String> {
        match error {
            ReadError::Api(error)
                if error.exit() == Exit::Unreachable && !poll.left().is_zero() =>
            {
                Ok(format!("Domino does not answer: {error}"))
            }
            ReadError::Api(error) => Err(error.into()),
            ReadError::Gone => Err(CommandError::refused("the endpoint is not there any more")),
        }
    }

    /// The end of the log that says why a version is down: that of its build, or if that succeeded, of the instances.
    pub(crate) async fn why_down(&self, version: &ModelApiVersionId) -> Option<(LogOf, Excerpt)> {
        let (mut build, mut build_failed) = (LogTail::default(), false);
        let of_the_build = build.rest(
            Duration::ZERO,
            self.reader.delay_scale(),
            async |from: &str, _: usize| {
                let log = self.apis.build_log(&self.id, version, from).await?;
                build_failed = log.failed;
                Ok(log.page)
            },
            |_: &str| {},
        );
        let read = tokio::time::timeout(LONGEST_LOG, of_the_build).await;
        let of_build = || {
            let title = "the last lines of the build's log".into();
            Some((LogOf::Build, excerpt(title, &build)))
        };
        if build_failed && matches!(read, Ok(Ok(()))) {
            return of_build();
        }
        let mut instances = LogTail::default();
        let of_the_instances = instances.rest(
            Duration::ZERO,
            self.reader.delay_scale(),
            async |from: &str, most: usize| {
                self.apis.instance_log(&self.id, version, from, most).await
            },
            |_: &str| {},
        );
        // What was read by then is shown.
        let _ = tokio::time::timeout(LONGEST_LOG, of_the_instances).await;
        match (instances.lines(), build.lines()) {
            (0, 0) => None,
            (0, _) => of_build(),
            _ => {
                let title = "the last lines of the version's log".into();
                Some((LogOf::Instances, excerpt(title, &instances)))
            }
        }
    }
}

/// Which log an excerpt is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogOf {
    /// The log of the image's build.
    Build,
    /// The log of the instances that serve.
    Instances,
}

fn excerpt(title: String, tail: &LogTail) -> Excerpt {
    Excerpt {
        title,
        lines: tail.excerpt(),
        was_live: false,
    }
}

/// Why an endpoint could not be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    Api(ApiError),
    Gone,
}

fn is_down(deployment: Option<&Deployment>) -> bool {
    deployment.is_some_and(|deployment| match deployment.status {
        DeploymentStatus::Failed => true,
        DeploymentStatus::Stopped => !deployment.is_pending,
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_version_that_will_not_come_up_by_itself_is_down() {
        let down = |status: &str, is_pending| {
            is_down(Some(&Deployment {
                status: DeploymentStatus::from(status.to_owned()),
                is_pending,
            }))
        };
        assert!(down("Failed", false) && down("Failed", true) && down("Stopped", false));
        for status in ["Building", "Stalled", "Unreachable", "Running", "Dreaming"] {
            assert!(!down(status, false), "{status}");
        }
        assert!(!down("Stopped", true));
        assert!(!is_down(None));
    }
}
