//! The writes to one registered model, each carried out once: if an outcome is unknown, it is read before anything
//! else is done.

use std::cell::{Cell, RefCell};

use domino_core::api::mlflow::{ModelStage, ModelVersion, TrackingReader, TrackingWriter, Which};
use domino_core::api::registered_models::VersionNumber;
use domino_core::client::{ApiError, write_once};
use domino_core::step::StepContext;

use crate::outside::{self, Outside};
use crate::registry::{Registry, STAGE_TAG, stage_of, versions_in_stage};
use crate::stage_holders::changed_since;

/// How often a write is repeated if another writer of the same new tag or alias was faster.
const CLASHES: usize = 3;

/// Changes one registered model in the experiment manager.
#[derive(Debug)]
pub(crate) struct RegistryWriter<'a> {
    writer: &'a TrackingWriter,
    reader: TrackingReader,
    /// The state when the writes were planned.
    planned: &'a Registry,
    context: &'a StepContext,
    /// Whether the writes belong to a run, if that was needed.
    outside: RefCell<Option<Outside>>,
    has_stages: Cell<bool>,
    has_aliases: Cell<bool>,
    /// Aliases that could not be deleted.
    left_aliases: RefCell<Vec<String>>,
    /// The versions that we moved.
    own_moves: RefCell<Vec<VersionNumber>>,
    /// Whether somebody else changed a version since the writes were planned.
    is_disturbed: Cell<bool>,
}

impl<'a> RegistryWriter<'a> {
    /// A writer for the registered model that was read.
    pub(crate) fn of(
        writer: &'a TrackingWriter,
        planned: &'a Registry,
        context: &'a StepContext,
    ) -> Self {
        Self {
            reader: writer.reader(),
            writer,
            planned,
            context,
            outside: RefCell::default(),
            has_stages: Cell::new(true),
            has_aliases: Cell::new(true),
            left_aliases: RefCell::default(),
            own_moves: RefCell::default(),
            is_disturbed: Cell::new(false),
        }
    }

    /// The registered model's name.
    pub(crate) fn name(&self) -> &'a str {
        &self.planned.model.name
    }

    /// The factor of every pause.
    pub(crate) fn delay_scale(&self) -> f64 {
        self.reader.delay_scale()
    }

    /// What the experiment manager turned out to lack or to forbid, for the person.
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
        missing_features.extend(self.outside.borrow().as_ref().and_then(Outside::trouble));
        missing_features.extend(self.left_aliases.borrow().iter().map(|alias| {
            format!(
                "alias `{alias}` stays where it leads: the credential may set aliases, but not delete them; nothing \
                 goes by it"
            )
        }));
        missing_features
    }

    /// The versions in a stage, newest first: those in it when the writes were planned, each read again, and what
    /// changed since.
    pub(crate) async fn versions_in_stage(
        &self,
        stage: &ModelStage,
    ) -> Result<Vec<VersionNumber>, ApiError> {
        let Some(mut versions) = self.changed().await? else {
            return self.all_in_stage(stage).await;
        };
        for number in self.planned.versions_in_stage(stage) {
            if !versions.iter().any(|version| version.version == number) {
                versions.extend(self.reader.model_version(self.name(), number).await?);
            }
        }
        Ok(newest_first(&versions, stage))
    }

    /// The same, if we moved none of the versions that were in it: what did not change since is still there.
    pub(crate) async fn versions_still_in_stage(
        &self,
        stage: &ModelStage,
    ) -> Result<Vec<VersionNumber>, ApiError> {
        let Some(mut versions) = self.changed().await? else {
            return self.all_in_stage(stage).await;
        };
        let changed: Vec<VersionNumber> = versions.iter().map(|version| version.version).collect();
        let planned = self.planned.versions.iter();
        versions.extend(
            planned
                .filter(|known| !changed.contains(&known.version))
                .cloned(),
        );
        Ok(newest_first(&versions, stage))
    }

    /// What changed since the writes were planned, with some versions that did not; `None` if every version must be
    /// read.
    async fn changed(&self) -> Result<Option<Vec<ModelVersion>>, ApiError> {
        let which = Which::All(self.name());
        let changed = match self.has_stages.get() && !self.planned.has_stage_tags() {
            true => changed_since(&self.reader, which, self.planned.read_at).await?,
            // Setting a tag does not change the order of versions.
            false => None,
        };
        let is_others = |version: &ModelVersion| {
            let at = version.last_updated_timestamp;
            let planned = self.planned.version(version.version);
            at >= self.planned.read_at
                && !self.own_moves.borrow().contains(&version.version)
                && planned.is_none_or(|planned| planned.last_updated_timestamp != at)
        };
        if changed
            .as_ref()
            .is_none_or(|changed| changed.iter().any(is_others))
        {
            self.is_disturbed.set(true);
        }
        Ok(changed)
    }

    /// Whether nobody else changed a version since the writes were planned, according to what was read since: then no
    /// other promotion was at work.
    pub(crate) fn is_undisturbed(&self) -> bool {
        !self.is_disturbed.get()
    }

    async fn all_in_stage(&self, stage: &ModelStage) -> Result<Vec<VersionNumber>, ApiError> {
        let all = self.reader.model_versions(self.name()).await?;
        Ok(versions_in_stage(&all, stage))
    }

    /// Moves a version to a stage.
    pub(crate) async fn set_stage(
        &self,
        version: VersionNumber,
        stage: &ModelStage,
    ) -> Result<(), ApiError> {
        self.own_moves.borrow_mut().push(version);
        let written = write_once(
            self.delay_scale(),
            async || {
                self.sent(async || {
                    self.writer
                        .transition_stage(self.name(), version, stage)
                        .await
                        .map(drop)
                })
                .await
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
                let word = match stage {
                    ModelStage::None => "",
                    stage => stage.word(),
                };
                self.set_tag(version, STAGE_TAG, word).await
            }
            Err(error) => Err(error),
        }
    }

    /// Writes a tag of a version. An empty value means no tag: whoever may write tags may not always delete them.
    pub(crate) async fn set_tag(
        &self,
        version: VersionNumber,
        key: &str,
        value: &str,
    ) -> Result<(), ApiError> {
        self.set(
            async || {
                self.writer
                    .set_version_tag(self.name(), version, key, value)
                    .await
            },
            async || {
                let existing = self.reader.model_version(self.name(), version).await?;
                Ok(existing
                    .is_some_and(|existing| existing.tags.get(key).is_some_and(|is| is == value)))
            },
        )
        .await
    }

    /// Points an alias to a version. If the server has no aliases, nothing is done.
    pub(crate) async fn set_alias(
        &self,
        alias: &str,
        version: VersionNumber,
    ) -> Result<(), ApiError> {
        let set = self.set(
            async || self.writer.set_alias(self.name(), alias, version).await,
            async || self.points_to(alias, version).await,
        );
        self.unless_without_aliases(set.await)
    }

    /// Sets a tag or an alias. Of two writers of a new one the slower is refused, although it could overwrite an
    /// existing one: it reads, and tries again.
    async fn set(
        &self,
        write: impl AsyncFn() -> Result<(), ApiError>,
        is_set: impl AsyncFn() -> Result<bool, ApiError>,
    ) -> Result<(), ApiError> {
        for _ in 0..CLASHES {
            let look = async || Ok(is_set().await?.then_some(()));
            match write_once(self.delay_scale(), async || self.sent(&write).await, look).await {
                Err(error) if is_clash(&error) && !is_set().await? => {}
                Err(error) if !is_clash(&error) => return Err(error),
                _ => return Ok(()),
            }
        }
        write().await
    }

    /// Deletes an alias. One that may not be deleted stays, and is reported.
    pub(crate) async fn delete_alias(&self, alias: &str) -> Result<(), ApiError> {
        let deleted = write_once(
            self.delay_scale(),
            async || {
                self.sent(async || self.writer.delete_alias(self.name(), alias).await)
                    .await
            },
            async || Ok(self.alias(alias).await?.is_none().then_some(())),
        )
        .await
        .map(drop);
        match deleted {
            Err(error) if error.status().is_some_and(|status| status.as_u16() == 403) => {
                self.left_aliases.borrow_mut().push(alias.to_owned());
                Ok(())
            }
            deleted => self.unless_without_aliases(deleted),
        }
    }

    /// Sends a write; if it is refused from outside of a run, once more in the context of a run of ours. The refused
    /// one changed nothing.
    async fn sent(&self, write: impl AsyncFn() -> Result<(), ApiError>) -> Result<(), ApiError> {
        let error = match write().await {
            Err(error)
                if self.outside.borrow().is_none()
                    && outside::may_want_run(self.context, &error) =>
            {
                error
            }
            sent => return sent,
        };
        let (outside, context) = outside::run(self.context, self.planned).await;
        let sent = match context {
            Some(context) => {
                self.writer.set_context(context);
                write().await
            }
            None => Err(error),
        };
        *self.outside.borrow_mut() = Some(outside.after(sent.is_ok()));
        sent
    }

    /// The run that the writes name.
    pub(crate) fn run(&self) -> Option<String> {
        self.outside.borrow().as_ref().and_then(Outside::run)
    }

    /// Whether a registered model of this name still exists.
    pub(crate) async fn exists(&self) -> Result<bool, ApiError> {
        let model = self.reader.registered_model(self.name()).await?;
        Ok(model.is_some())
    }

    /// The version that an alias points to now.
    pub(crate) async fn alias(&self, alias: &str) -> Result<Option<VersionNumber>, ApiError> {
        let model = self.reader.registered_model(self.name()).await?;
        Ok(model.and_then(|model| model.aliases.get(alias).copied()))
    }

    /// Whether an alias points to a version, which costs the server less than reading all aliases.
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

/// A 404 without a code of the experiment manager, or a 405: the route does not exist. With a code, the model or
/// version does not exist. Any other refusal never means a missing route.
fn is_no_route(error: &ApiError) -> bool {
    match error.status().map(|status| status.as_u16()) {
        Some(404) => error.code().is_none(),
        status => status == Some(405),
    }
}

/// What the server's database answers to the slower of two writers of one new tag or alias.
fn is_clash(error: &ApiError) -> bool {
    let is_refused = error.status().is_some_and(|status| status.as_u16() == 400);
    is_refused && error.code() == Some("BAD_REQUEST")
}

fn newest_first(versions: &[ModelVersion], stage: &ModelStage) -> Vec<VersionNumber> {
    let mut held = versions_in_stage(versions, stage);
    held.sort_unstable_by(|one, other| other.cmp(one));
    held.dedup();
    held
}
