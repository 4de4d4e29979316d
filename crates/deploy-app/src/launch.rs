//! The requests that change what runs: create, change, stop, launch, start again. Each is sent once; if its reply is
//! lost, Domino is read before anything else. `RolloutProgress` records what was sent.

use domino_core::api::GitRef;
use domino_core::api::apps::{
    AppChanges, AppContent, AppId, AppInstance, AppInstanceId, AppStatus, AppVersion, AppVersionId,
    Apps, Generation, NewApp, Published, Thumbnail, visibility_word,
};
use domino_core::api::projects::Project;
use domino_core::client::{ApiError, Reader, Writer, Written, write_once};
use domino_core::error::{CommandError, Context as _, Exit, Result};
use domino_core::step::{Progress, Step, StepContext};
use domino_core::wait::{Look, Poll, Waited};

use crate::find::{cannot, describe, version_text};
use crate::previous::PreviousVersion;
use crate::wanted::{Wanted, is_commit};

/// The app of a stage: in the stage file, in Domino, and what reads and changes it there.
pub(crate) struct Launcher<'a> {
    pub(crate) context: &'a StepContext,
    pub(crate) reader: Reader,
    pub(crate) apps: Apps<Reader>,
    pub(crate) writer: Apps<Writer>,
    pub(crate) project: &'a Project,
    /// The app as the stage file has it.
    pub(crate) entity: &'a stage_file::App,
    /// Its name in Domino.
    pub(crate) name: &'a str,
}

/// What a rollout has changed so far, even if a reply never came.
#[derive(Debug, Default)]
pub(crate) struct RolloutProgress {
    pub(crate) state: RolloutState,
    /// The app, once it is known.
    pub(crate) app: Option<AppId>,
    /// The new version, once it is known.
    pub(crate) version: Option<AppVersionId>,
}

/// How far a rollout has come. A state is reached when its request is about to be sent, and none is left backwards:
///
/// ```text
/// Untouched ──> Changed ──> Stopped ──> Launched
///     │                                    ^
///     └────────────────────────────────────┘   each step may be skipped
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum RolloutState {
    /// No request that changes anything was sent.
    #[default]
    Untouched,
    /// The app itself was created or changed; the previous version still runs.
    Changed,
    /// The running version was told to stop, and nothing replaces it yet.
    Stopped,
    /// The new version was launched.
    Launched,
}

/// Which version to wait for.
#[derive(Debug, Clone)]
pub(crate) enum Target {
    /// This one. If it was started before, that start says nothing about the new one.
    Version(AppVersionId, Option<AppInstanceId>),
    /// Whichever becomes the current one in place of this one: the reply did not name it.
    OtherThan(Option<AppVersionId>),
}

impl RolloutProgress {
    /// Records that a request which takes the rollout this far is about to be sent.
    pub(crate) fn reach(&mut self, state: RolloutState) {
        self.state = self.state.max(state);
    }

    /// If the reply to the launch did not name the version, it is the one of our commit that was seen.
    pub(crate) fn found(&mut self, version: Option<&AppVersion>, wanted: &Wanted) {
        let git_ref = version.and_then(|version| version.git_ref.as_ref());
        let is_ours = git_ref.is_some_and(|git_ref| is_commit(git_ref, &wanted.commit));
        if self.version.is_none() && is_ours {
            self.version = version.map(|version| version.id.clone());
        }
    }

    fn known(&mut self, version: &AppVersion) -> Target {
        self.version = Some(version.id.clone());
        Target::Version(version.id.clone(), None)
    }
}

impl Launcher<'_> {
    /// Creates the app and launches its first version. `None` if another step was first, and ours was removed.
    pub(crate) async fn create(
        &self,
        step: &mut Step,
        done: &mut RolloutProgress,
        wanted: &Wanted,
    ) -> Result<Option<Target>> {
        let new = NewApp {
            project: self.project.id.clone(),
            name: self.name.to_owned(),
            description: wanted.description.clone(),
            entry_point: wanted.entry_point.clone(),
            visibility: wanted.visibility,
            discoverable: wanted.discoverable,
            content: wanted.content(),
        };
        done.reach(match self.apps.capabilities().starts_what_it_creates {
            true => RolloutState::Launched,
            false => RolloutState::Changed,
        });
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
        done.app = Some(app.id.clone());
        describe(&mut step.report, self.context, &app);
        if self.second_to(step, &app).await?.is_some() {
            return Ok(None);
        }
        let target = match self.apps.generation() {
            Generation::Beta => match app.version {
                Some(version) => done.known(&version),
                None => Target::OtherThan(None),
            },
            Generation::V1 => {
                let version = match app.version {
                    Some(version) => Some(version),
                    None => self.apps.app(&app.id).await?.and_then(|app| app.version),
                };
                match version {
                    Some(version) => {
                        let instance = version.instance.as_ref();
                        self.start_again(step, done, &app.id, &version.id, instance, &new.content)
                            .await?
                    }
                    None => self.launch(step, done, &app.id, None, &new.content).await?,
                }
            }
            Generation::V4 => self.launch(step, done, &app.id, None, &new.content).await?,
        };
        Ok(Some(target))
    }

    /// Changes the app itself, and checks that Domino has the change.
    pub(crate) async fn change(&self, app: &AppId, changes: &AppChanges) -> Result<()> {
        let of_the_app = AppChanges {
            thumbnail: None,
            ..changes.clone()
        };
        if !of_the_app.is_empty() {
            self.change_app(app, &of_the_app).await?;
        }
        match &changes.thumbnail {
            Some(picture) => self.change_thumbnail(app, picture).await,
            None => Ok(()),
        }
    }

    async fn change_thumbnail(&self, app: &AppId, picture: &Thumbnail) -> Result<()> {
        let sent = write_once(
            self.reader.delay_scale(),
            async || self.writer.set_thumbnail(app, picture).await,
            async || {
                let now = self.apps.thumbnail(app).await?;
                Ok(now.filter(|now| *now == picture.bytes).map(drop))
            },
        );
        sent.await.map_err(|error| self.explained(error))?;
        Ok(())
    }

    async fn change_app(&self, app: &AppId, changes: &AppChanges) -> Result<()> {
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

    /// Stops a version and waits until nothing of it runs. Only that counts, whatever the reply was.
    pub(crate) async fn take_down(
        &self,
        progress: &mut Progress,
        done: &mut RolloutProgress,
        app: &AppId,
        version: &AppVersion,
        poll: &mut Poll,
    ) -> Result<()> {
        let status = version.status();
        if status.is_down() {
            return Ok(());
        }
        let stop = async {
            if matches!(status, AppStatus::Stopping(_)) {
                return Ok(());
            }
            done.reach(RolloutState::Stopped);
            let moved = async || {
                let now = self.apps.version(app, &version.id).await?;
                Ok(now.is_none_or(|now| now.status() != status).then_some(()))
            };
            write_once(
                self.reader.delay_scale(),
                async || self.writer.stop(app, version).await,
                moved,
            )
            .await
            .map(drop)
            .map_err(|error| self.explained(error))
            .with_context(|| format!("cannot stop {}", version_text(version)))
        };
        self.until_down(progress, app, version, poll, stop).await
    }

    /// Waits until nothing of a version runs, after `stop` was called.
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
                    version_text(version)
                );
                Err(CommandError::new(Exit::Unsettled, text))
            }
        }
    }

    /// Creates a version with this content and starts it.
    pub(crate) async fn launch(
        &self,
        step: &mut Step,
        done: &mut RolloutProgress,
        app: &AppId,
        current: Option<&AppVersion>,
        content: &AppContent,
    ) -> Result<Target> {
        let current = current.map(|version| version.id.clone());
        done.reach(RolloutState::Launched);
        let launched = write_once(
            self.reader.delay_scale(),
            async || self.writer.publish(app, content).await,
            async || {
                let now = self.apps.app(app).await?;
                let other = now.and_then(|now| now.version_other_than(current.as_ref()).cloned());
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
            Some(version) => done.known(&version),
            None => Target::OtherThan(current),
        })
    }

    /// Starts a version that exists and is down.
    pub(crate) async fn start_again(
        &self,
        step: &mut Step,
        done: &mut RolloutProgress,
        app: &AppId,
        version: &AppVersionId,
        instance: Option<&AppInstance>,
        content: &AppContent,
    ) -> Result<Target> {
        let stale = instance.map(|instance| instance.id.clone());
        done.reach(RolloutState::Launched);
        done.version = Some(version.clone());
        let started = write_once(
            self.reader.delay_scale(),
            async || self.writer.start(app, version, content).await,
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

    /// Launches what ran before: that very version if this API can, otherwise a new one with the same content.
    pub(crate) async fn launch_previous(
        &self,
        step: &mut Step,
        done: &mut RolloutProgress,
        app: &AppId,
        previous: &PreviousVersion,
        current: Option<&AppVersion>,
    ) -> Result<Target> {
        let content = previous.content(
            step,
            &self.reader,
            self.apps.capabilities(),
            &self.project.id,
        );
        let content = content.await;
        if self.apps.capabilities().starts_versions_again {
            let old = &previous.version;
            return self
                .start_again(step, done, app, &old.id, old.instance.as_ref(), &content)
                .await;
        }
        // Without a commit Domino would run the newest one, which has just failed.
        let Some(git_ref) = &content.git_ref else {
            return Err(CommandError::refused(
                "Domino does not tell which commit it ran",
            ));
        };
        if let GitRef::Moving { .. } = git_ref {
            let text =
                format!("the version before ran `{git_ref}`, which may be another commit by now");
            step.warn(&text, None);
        }
        self.launch(step, done, app, current, &content).await
    }

    /// Puts the sentence that says what could not be done in front of an error.
    pub(crate) fn cannot_publish(&self, error: CommandError) -> CommandError {
        error.context(cannot("publish", &self.entity.name, &self.context.stage))
    }

    /// A Domino that has the list of an API but not its write has half of it.
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
