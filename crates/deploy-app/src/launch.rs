//! The requests that change what runs: create, change, take down, launch, start again. Each is sent once; when its
//! reply is lost, Domino is looked at before anything else.

use domino_core::api::apps::{
    AppChanges, AppContent, AppId, AppInstance, AppStatus, AppVersion, AppVersionId, Generation,
    NewApp, Published, visibility_word,
};
use domino_core::client::{ApiError, Written, write_once};
use domino_core::error::{CommandError, Context as _, Exit, Result};
use domino_core::step::{Progress, Step};
use domino_core::wait::{Look, Poll, Waited};

use crate::find::{describe, in_words};
use crate::rollout::{Rollout, Trace};
use crate::watch::Target;

impl Rollout<'_> {
    /// Creates the app and launches its first version.
    pub(crate) async fn create(&self, step: &mut Step, trace: &mut Trace) -> Result<Target> {
        let new = NewApp {
            project: self.project.id.clone(),
            name: self.name.to_owned(),
            description: self.wanted.description.clone(),
            entry_point: self.wanted.entry_point.clone(),
            visibility: self.wanted.visibility,
            content: self.wanted.content(),
        };
        trace.changed = true;
        trace.launched = self.apps.capabilities().starts_what_it_creates;
        let created = write_once(
            self.reader.delay_scale(),
            async || self.writer.create(&new).await,
            async || {
                let apps = self.apps.named(&new.project, self.name).await?;
                Ok(apps.into_iter().next())
            },
        )
        .await
        .map_err(|error| self.explained(error))?;
        if let Written::Recovered(app) = &created {
            let text = format!(
                "the reply to the creation was lost; Domino has created app `{}`",
                app.id
            );
            step.warn(&text, None);
        }
        let app = created.into_inner();
        trace.app = Some(app.id.clone());
        describe(&mut step.report, self.context, &app);
        match self.apps.generation() {
            Generation::Beta => Ok(match app.version {
                Some(version) => self.known(trace, &version),
                None => Target::OtherThan(None),
            }),
            Generation::V1 => {
                let version = match app.version {
                    Some(version) => Some(version),
                    None => self.apps.app(&app.id).await?.and_then(|app| app.version),
                };
                match version {
                    Some(version) => {
                        let instance = version.instance.as_ref();
                        self.start_again(step, trace, &app.id, &version.id, instance, &new.content)
                            .await
                    }
                    None => self.launch(step, trace, &app.id, None, &new.content).await,
                }
            }
            Generation::V4 => self.launch(step, trace, &app.id, None, &new.content).await,
        }
    }

    /// Changes the app itself, and believes only what Domino says it now is.
    pub(crate) async fn change(&self, app: &AppId, changes: &AppChanges) -> Result<()> {
        let is_changed = async || {
            let now = self.apps.app(app).await?;
            Ok(now.filter(|now| {
                let visibility = changes.visibility.map(visibility_word);
                let same = |wanted: Option<&str>, is: &Option<String>| {
                    wanted.is_none() || is.is_none() || wanted == is.as_deref()
                };
                same(visibility, &now.visibility)
                    && same(changes.entry_point.as_deref(), &now.entry_point)
                    && same(changes.description.as_deref(), &now.description)
            }))
        };
        write_once(
            self.reader.delay_scale(),
            async || self.writer.change(app, changes).await,
            async || Ok(is_changed().await?.map(drop)),
        )
        .await
        .map_err(|error| self.explained(error))?;
        match is_changed().await? {
            Some(_) => Ok(()),
            None => Err(CommandError::failed(format!(
                "Domino keeps something else about app `{}` than was asked for",
                self.name
            ))),
        }
    }

    /// Stops a version and waits until nothing of it runs any more. Whatever the reply was, that is what counts.
    pub(crate) async fn take_down(
        &self,
        progress: &mut Progress,
        trace: &mut Trace,
        app: &AppId,
        version: &AppVersion,
        poll: &mut Poll,
    ) -> Result<()> {
        let before = version.status();
        if before.is_down() {
            return Ok(());
        }
        let stop = async {
            if matches!(before, AppStatus::Stopping(_)) {
                return Ok(());
            }
            (trace.changed, trace.stopped) = (true, true);
            let moved = async || {
                let now = self.apps.version(app, &version.id).await?;
                Ok(now.is_none_or(|now| now.status() != before).then_some(()))
            };
            write_once(
                self.reader.delay_scale(),
                async || self.writer.stop(app, version).await,
                moved,
            )
            .await
            .map(drop)
            .map_err(|error| self.explained(error))
            .with_context(|| format!("cannot stop {}", in_words(version)))
        };
        self.until_down(progress, app, version, poll, stop).await
    }

    /// Waits until nothing of a version runs any more, after `stop` was carried out.
    pub(crate) async fn until_down(
        &self,
        progress: &mut Progress,
        app: &AppId,
        version: &AppVersion,
        poll: &mut Poll,
        stop: impl Future<Output = Result<()>>,
    ) -> Result<()> {
        let look = async || {
            let now = self.apps.version(app, &version.id).await?;
            Ok(match now.as_ref().map(AppVersion::status) {
                Some(status) if !status.is_down() => Look::Pending(status.word().to_owned()),
                _ => Look::Over(()),
            })
        };
        let label = format!("version {}", version.id);
        match poll.stop_and_wait(progress, &label, stop, look).await? {
            Waited::Over(()) => Ok(()),
            Waited::TimeUp(word) => {
                let text = format!(
                    "{} was told to stop and is still `{word}`",
                    in_words(version)
                );
                Err(CommandError::new(Exit::Unsettled, text))
            }
        }
    }

    /// Makes a version of this content and starts it.
    pub(crate) async fn launch(
        &self,
        step: &mut Step,
        trace: &mut Trace,
        app: &AppId,
        before: Option<&AppVersion>,
        content: &AppContent,
    ) -> Result<Target> {
        let before = before.map(|version| version.id.clone());
        (trace.changed, trace.launched) = (true, true);
        let launched = write_once(
            self.reader.delay_scale(),
            async || self.writer.publish(app, content).await,
            async || {
                let now = self.apps.app(app).await?;
                let other = now.and_then(|now| now.version_other_than(before.as_ref()).cloned());
                // Somebody else's version is not the one whose reply was lost.
                let ours = other.filter(|v| v.git_ref.is_none() || v.git_ref == content.git_ref);
                Ok(ours.map(|version| Published {
                    version: Some(version),
                    warnings: Vec::new(),
                }))
            },
        )
        .await
        .map_err(|error| self.explained(error))?;
        if matches!(launched, Written::Recovered(_)) {
            step.warn(
                "the reply to the start was lost; Domino has started a version",
                None,
            );
        }
        let published = launched.into_inner();
        for warning in &published.warnings {
            step.warn(&format!("Domino says: {warning}"), None);
        }
        Ok(match published.version {
            Some(version) => self.known(trace, &version),
            None => Target::OtherThan(before),
        })
    }

    /// Starts a version that is there and down.
    pub(crate) async fn start_again(
        &self,
        step: &mut Step,
        trace: &mut Trace,
        app: &AppId,
        version: &AppVersionId,
        instance: Option<&AppInstance>,
        content: &AppContent,
    ) -> Result<Target> {
        let stale = instance.map(|instance| instance.id.clone());
        (trace.changed, trace.launched) = (true, true);
        trace.version = Some(version.clone());
        let tier = content.hardware_tier.as_ref();
        let started = write_once(
            self.reader.delay_scale(),
            async || self.writer.start(app, version, tier).await,
            async || {
                let now = self.apps.version(app, version).await?;
                let instance = now.and_then(|now| now.instance);
                Ok(instance
                    .filter(|now| Some(&now.id) != stale.as_ref() || !now.status.is_down())
                    .map(drop))
            },
        )
        .await
        .map_err(|error| self.explained(error))?;
        if matches!(started, Written::Recovered(())) {
            step.warn(
                "the reply to the start was lost; Domino has started the version",
                None,
            );
        }
        Ok(Target::Version(version.clone(), stale))
    }

    fn known(&self, trace: &mut Trace, version: &AppVersion) -> Target {
        trace.version = Some(version.id.clone());
        Target::Version(version.id.clone(), None)
    }

    /// A list that is here and a write that is not is half a generation.
    fn explained(&self, error: ApiError) -> CommandError {
        let can = self.apps.capabilities();
        let Some(older) = can.older.filter(|_| error.is_unknown_route()) else {
            return error.into();
        };
        let text = format!("this Domino has `{}`, but not for this", can.route);
        let failure =
            CommandError::refused(text).hint(format!("try an older API: `--api {older}`"));
        CommandError::from(error).context(failure)
    }
}
