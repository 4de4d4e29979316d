//! The writes to one registered model, each carried out once: when an outcome is unknown, it is looked up before
//! anything else is done.

use std::cell::Cell;

use domino_core::api::mlflow::{ModelStage, TrackingReader, TrackingWriter, Which};
use domino_core::api::registered_models::VersionNumber;
use domino_core::client::{ApiError, write_once};

use crate::registry::{Registry, STAGE_TAG, stage_of, versions_in_stage};
use crate::stage_holders::changed_since;

/// Changes what the experiment manager holds of one registered model.
#[derive(Debug)]
pub(crate) struct RegistryWriter<'a> {
    writer: &'a TrackingWriter,
    reader: TrackingReader,
    /// What it held when the writes were planned.
    planned: &'a Registry,
    has_stages: Cell<bool>,
    has_aliases: Cell<bool>,
}

impl<'a> RegistryWriter<'a> {
    /// Of the registered model that was read.
    pub(crate) fn of(writer: &'a TrackingWriter, planned: &'a Registry) -> Self {
        Self {
            reader: writer.reader(),
            writer,
            planned,
            has_stages: Cell::new(true),
            has_aliases: Cell::new(true),
        }
    }

    /// The registered model's name.
    pub(crate) fn name(&self) -> &'a str {
        &self.planned.model.name
    }

    /// What every pause is multiplied with.
    pub(crate) fn delay_scale(&self) -> f64 {
        self.reader.delay_scale()
    }

    /// What the experiment manager turned out not to have, for the person.
    pub(crate) fn missing_features(&self) -> Vec<String> {
        let mut missing_features = Vec::new();
        if !self.has_stages.get() {
            missing_features.push(format!(
                "this experiment manager has no stages any more, so that the tag `{STAGE_TAG}` stands for them"
            ));
        }
        if !self.has_aliases.get() {
            missing_features
                .push("this experiment manager has no aliases, so that none was set".into());
        }
        missing_features
    }

    /// The versions in a stage, newest first: those that were there when the writes were planned, and what changed
    /// since.
    pub(crate) async fn versions_in_stage(
        &self,
        stage: &ModelStage,
    ) -> Result<Vec<VersionNumber>, ApiError> {
        let which = Which::All(self.name());
        let changed = match self.has_stages.get() && !self.planned.has_stage_tags() {
            true => changed_since(&self.reader, which, self.planned.read_at).await?,
            // Setting a tag is no change by which versions could be ordered.
            false => None,
        };
        let Some(mut versions) = changed else {
            let all = self.reader.model_versions(self.name()).await?;
            return Ok(versions_in_stage(&all, stage));
        };
        for number in self.planned.versions_in_stage(stage) {
            if !versions.iter().any(|version| version.version == number) {
                versions.extend(self.reader.model_version(self.name(), number).await?);
            }
        }
        let mut held = versions_in_stage(&versions, stage);
        held.sort_unstable_by(|one, other| other.cmp(one));
        held.dedup();
        Ok(held)
    }

    /// Puts a version into a stage.
    pub(crate) async fn set_stage(
        &self,
        version: VersionNumber,
        stage: &ModelStage,
    ) -> Result<(), ApiError> {
        let written = write_once(
            self.delay_scale(),
            async || {
                self.writer
                    .transition_stage(self.name(), version, stage)
                    .await
                    .map(|_| ())
            },
            async || {
                let existing = self.reader.model_version(self.name(), version).await?;
                Ok(existing
                    .filter(|existing| stage_of(existing) == *stage)
                    .map(drop))
            },
        )
        .await;
        match written {
            Ok(_) => Ok(()),
            Err(error) if is_no_route(&error) => {
                self.has_stages.set(false);
                match stage {
                    ModelStage::None => self.delete_tag(version, STAGE_TAG).await,
                    stage => self.set_tag(version, STAGE_TAG, stage.word()).await,
                }
            }
            Err(error) => Err(error),
        }
    }

    /// Writes a tag of a version.
    pub(crate) async fn set_tag(
        &self,
        version: VersionNumber,
        key: &str,
        value: &str,
    ) -> Result<(), ApiError> {
        write_once(
            self.delay_scale(),
            async || {
                self.writer
                    .set_version_tag(self.name(), version, key, value)
                    .await
            },
            async || {
                let existing = self.reader.model_version(self.name(), version).await?;
                let is = |existing: &String| existing == value;
                Ok(existing
                    .filter(|existing| existing.tags.get(key).is_some_and(is))
                    .map(drop))
            },
        )
        .await
        .map(drop)
    }

    /// Deletes a tag of a version.
    pub(crate) async fn delete_tag(
        &self,
        version: VersionNumber,
        key: &str,
    ) -> Result<(), ApiError> {
        write_once(
            self.delay_scale(),
            async || {
                self.writer
                    .delete_version_tag(self.name(), version, key)
                    .await
            },
            async || {
                let existing = self.reader.model_version(self.name(), version).await?;
                Ok(existing
                    .filter(|existing| !existing.tags.contains_key(key))
                    .map(drop))
            },
        )
        .await
        .map(drop)
    }

    /// Writes a tag of a version, or deletes it when there is no value.
    pub(crate) async fn set_or_delete_tag(
        &self,
        version: VersionNumber,
        key: &str,
        value: &Option<String>,
    ) -> Result<(), ApiError> {
        match value {
            Some(value) => self.set_tag(version, key, value).await,
            None => self.delete_tag(version, key).await,
        }
    }

    /// Sets an alias to a version. Where the server has no aliases, nothing is done.
    pub(crate) async fn set_alias(
        &self,
        alias: &str,
        version: VersionNumber,
    ) -> Result<(), ApiError> {
        let set = write_once(
            self.delay_scale(),
            async || self.writer.set_alias(self.name(), alias, version).await,
            async || Ok(self.points_to(alias, version).await?.then_some(())),
        )
        .await
        .map(drop);
        self.unless_without_aliases(set)
    }

    /// Deletes an alias.
    pub(crate) async fn delete_alias(&self, alias: &str) -> Result<(), ApiError> {
        let deleted = write_once(
            self.delay_scale(),
            async || self.writer.delete_alias(self.name(), alias).await,
            async || Ok(self.alias(alias).await?.is_none().then_some(())),
        )
        .await
        .map(drop);
        self.unless_without_aliases(deleted)
    }

    /// The version that an alias points to now.
    pub(crate) async fn alias(&self, alias: &str) -> Result<Option<VersionNumber>, ApiError> {
        let model = self.reader.registered_model(self.name()).await?;
        Ok(model.and_then(|model| model.aliases.get(alias).copied()))
    }

    /// Whether an alias points to a version, which takes less of the server than to ask for all aliases.
    pub(crate) async fn points_to(
        &self,
        alias: &str,
        version: VersionNumber,
    ) -> Result<bool, ApiError> {
        let version = self.reader.model_version(self.name(), version).await?;
        Ok(version.is_some_and(|version| version.aliases.iter().any(|known| known == alias)))
    }

    /// Whether aliases can be relied on.
    pub(crate) fn has_aliases(&self) -> bool {
        self.has_aliases.get()
    }

    fn unless_without_aliases(&self, result: Result<(), ApiError>) -> Result<(), ApiError> {
        match result {
            Err(error) if is_no_route(&error) => {
                self.has_aliases.set(false);
                Ok(())
            }
            other => other,
        }
    }
}

/// A 404 without a code of the experiment manager, or a 405: there is no such route. With a code it is the model or
/// version that does not exist, and a refusal is never taken for a missing route.
fn is_no_route(error: &ApiError) -> bool {
    match error.status().map(|status| status.as_u16()) {
        Some(404) => error.code().is_none(),
        status => status == Some(405),
    }
}
