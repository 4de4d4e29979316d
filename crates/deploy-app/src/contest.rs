//! Two publishes of one app at the same moment. If both create it, the first app in Domino's own order stays, and the
//! other step follows it. If they publish two commits, the newer one serves, and the other step ends and names it.

use std::time::Duration;

use domino_core::api::GitRef;
use domino_core::api::apps::{App, AppStatus, AppVersion};
use domino_core::commit::Commit;
use domino_core::commit_order::CommitOrder;
use domino_core::error::{CommandError, Result};
use domino_core::step::Step;
use domino_core::wait::{Poll, Rechecks};

use crate::decision::STOPPED;
use crate::find::version_text;
use crate::launch::{Launcher, RolloutProgress};
use crate::wanted::Wanted;

/// How long another step may take to start its app.
const STARTED_WITHIN: Duration = Duration::from_secs(120);
/// How long another step's version may take to appear after ours was stopped.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// What another step did to the app while this one published.
#[derive(Debug)]
pub(crate) enum Contest {
    /// Nothing.
    None,
    /// It launched the same commit.
    Same(AppVersion),
    /// It launched an older commit in place of ours.
    Older(AppVersion),
    /// It launched a newer commit, or one of another branch, later than we did.
    Newer(AppVersion),
    /// It had launched a newer commit, and ours replaced it.
    Replaced(AppVersion),
}

impl Launcher<'_> {
    /// The app that stays, if the app that we have just created is not the first of its name; ours is then removed.
    pub(crate) async fn second_to(&self, step: &mut Step, ours: &App) -> Result<Option<App>> {
        let can = self.apps.capabilities();
        let mut looks = Rechecks::begin(self.reader.delay_scale());
        loop {
            let mut others = self.apps.named(&self.project.id, self.name).await?;
            others.retain(|other| other.id != ours.id);
            others.sort_by_key(|other| other.id.to_string());
            let started = others.iter().find(|other| other.version.is_some());
            let first = started.filter(|_| !can.archives_apps).or(others.first());
            let Some(other) = first else {
                return Ok(None);
            };
            let is_first = ours.id.to_string() < other.id.to_string();
            // An app that cannot be deleted stays; what counts is that only one of the two is started.
            let yields = match can.archives_apps {
                true => !is_first || looks.are_over(),
                false => !is_first || started.is_some(),
            };
            if yields {
                self.take_back(step, ours, other).await?;
                self.until_started(other).await?;
                return Ok(Some(other.clone()));
            }
            if looks.are_over() {
                return Ok(None);
            }
            looks.pause().await;
        }
    }

    async fn take_back(&self, step: &mut Step, ours: &App, other: &App) -> Result<()> {
        let name = self.name;
        if !self.apps.capabilities().archives_apps {
            let text = format!(
                "another step was first to create app `{name}`: it is `{}`; ours, `{}`, was never started, and this \
                 API cannot delete it",
                other.id, ours.id
            );
            step.warn(&text, None);
            return Ok(());
        }
        let archived = self.writer.archive(&ours.id).await;
        let left = self.apps.named(&self.project.id, name).await?;
        if left.iter().any(|app| app.id == ours.id) {
            archived?;
            let text = format!(
                "Domino answered the deletion of app `{}` as done, and still lists it",
                ours.id
            );
            return Err(CommandError::refused(text).hint("delete it in Domino"));
        }
        let text = format!(
            "another step was first to create app `{name}`: it is `{}`, and ours was deleted again",
            other.id
        );
        step.warn(&text, None);
        Ok(())
    }

    /// The step that was first starts its app itself; a start of ours at the same time would interfere.
    async fn until_started(&self, other: &App) -> Result<()> {
        let mut poll = Poll::until(STARTED_WITHIN, self.reader.delay_scale());
        while let Some(app) = self.apps.app(&other.id).await? {
            let is_started = app
                .version
                .as_ref()
                .is_some_and(|version| version.instance.is_some());
            if is_started || !poll.next().await {
                break;
            }
        }
        Ok(())
    }

    /// What another step did meanwhile. `planned` is the version that ran when we decided.
    pub(crate) async fn contest(
        &self,
        done: &RolloutProgress,
        planned: Option<&AppVersion>,
        wanted: &Wanted,
    ) -> Result<Contest> {
        let Some(id) = &done.app else {
            return Ok(Contest::None);
        };
        let is_ours = |version: &AppVersion| {
            done.version.as_ref() == Some(&version.id)
                || planned.is_some_and(|planned| planned.id == version.id)
        };
        let mut poll = Poll::until(SHOWN_WITHIN, self.reader.delay_scale());
        loop {
            let current = self.apps.app(id).await?.and_then(|app| app.version);
            let Some(current) = current else {
                return Ok(Contest::None);
            };
            // Domino may tell late which commit it is.
            let tells_later = current.git_ref.is_none()
                && matches!(current.status(), AppStatus::Starting(_))
                && !is_ours(&current);
            if tells_later && poll.next().await {
                continue;
            }
            if !is_ours(&current) {
                return Ok(match self.order(wanted, &current).await {
                    CommitOrder::Same => Contest::Same(current),
                    CommitOrder::Newer => Contest::Older(current),
                    CommitOrder::Older | CommitOrder::Diverged => Contest::Newer(current),
                    // It may be ours, and Domino does something else with it.
                    CommitOrder::Unknown(_) => Contest::None,
                });
            }
            // A stopped version may be about to be replaced.
            if current.status().word() != STOPPED || !poll.next().await {
                break;
            }
        }
        let versions = self.apps.versions(id).await?;
        let between = versions
            .iter()
            .take_while(|version| planned.is_none_or(|planned| planned.id != version.id))
            .filter(|version| !is_ours(version));
        for version in between {
            if let CommitOrder::Older = self.order(wanted, version).await {
                return Ok(Contest::Replaced(version.clone()));
            }
        }
        Ok(Contest::None)
    }

    async fn order(&self, wanted: &Wanted, version: &AppVersion) -> CommitOrder {
        let unknown = || CommitOrder::Unknown("Domino does not tell its commit".into());
        let Some(GitRef::Commit(theirs)) = &version.git_ref else {
            return unknown();
        };
        let Ok(theirs) = Commit::wanted(Some(theirs)) else {
            return unknown();
        };
        let variable = |name: &str| std::env::var(name).ok();
        CommitOrder::of(&wanted.commit, &theirs, &self.context.connection, variable).await
    }

    /// The error of a step whose commit was overtaken by another one.
    pub(crate) fn overtaken(&self, by: &AppVersion) -> CommandError {
        let (name, stage) = (&self.entity.name, &self.context.stage.name);
        let who = by.publisher.as_ref();
        let who = who.map_or_else(String::new, |who| format!(", published by `{who}`"));
        CommandError::refused(format!(
            "overtaken by {} of app `{name}` in stage `{stage}`{who}: it stays",
            version_text(by)
        ))
        .hint("another step has published meanwhile; to go back to this commit on purpose, give `--back`")
    }
}
