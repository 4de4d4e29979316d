//! The settings of an endpoint itself: changed before a version that needs them, and rolled back if no version came.

use domino_core::client::write_once;
use domino_core::error::{CommandError, Context as _, Exit, Result};

use crate::difference::settings_differ;
use crate::publish::Publish;
use crate::rollback::restore_settings;
use crate::watch::EndpointWatch;

impl Publish<'_> {
    /// No version came. The error says what happened to the endpoint's settings. After a refusal no version will
    /// come, so they are rolled back. Otherwise a version that needs them may be being deployed.
    pub(crate) async fn without_version(
        &self,
        watch: &EndpointWatch<'_>,
        error: CommandError,
    ) -> CommandError {
        if !self.planned.changes_settings() {
            return error;
        }
        let settings = match error.exit() {
            Exit::Refused => self.roll_settings_back(watch).await,
            _ => self.settings_already_changed().to_owned(),
        };
        error.context(format!("no version is known to have been made{settings}"))
    }

    /// Rolls the endpoint's settings back if they were changed, and says so, for the end of a sentence.
    pub(crate) async fn roll_settings_back(&self, watch: &EndpointWatch<'_>) -> String {
        let Some(existing) = &self.planned.existing else {
            return String::new();
        };
        if !self.planned.changes_settings() {
            return String::new();
        }
        let desired = &self.planned.wanted.desired;
        match restore_settings(watch, &self.writer, &existing.api, desired).await {
            Ok(()) => "; its settings are as before again".to_owned(),
            Err(error) => format!("; its settings were changed and could not be put back: {error}"),
        }
    }

    /// The end of a sentence about a version that may still come.
    pub(crate) fn settings_already_changed(&self) -> &'static str {
        match self.planned.changes_settings() {
            true => "; the endpoint's settings were already changed",
            false => "",
        }
    }

    pub(crate) async fn update_settings(&self, watch: &EndpointWatch<'_>) -> Result<()> {
        let desired = &self.planned.wanted.desired;
        write_once(
            watch.reader.delay_scale(),
            async || self.writer.update(&watch.id, desired).await,
            async || {
                let api = watch.apis.model_api(watch.project, &watch.id).await?;
                Ok(api
                    .filter(|api| {
                        settings_differ(watch.apis.capabilities(), api, desired).is_empty()
                    })
                    .map(drop))
            },
        )
        .await
        .context("its settings could not be changed; nothing else was")?;
        Ok(())
    }
}
