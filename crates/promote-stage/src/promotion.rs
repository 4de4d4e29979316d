//! How a version gets into a stage, whether for the first time or back: what is written, in which order, and how it
//! is proven.
//!
//! The experiment manager has no compare-and-set, and answers 200 to two promotions at once; so that the stage holds
//! one version only is known from looking afterwards, twice. Of two that meet, the higher version stays.

use std::cell::RefCell;
use std::ops::Range;
use std::time::Duration;

use domino_core::api::mlflow::ModelStage;
use domino_core::api::registered_models::VersionNumber;
use domino_core::client::ApiError;
use domino_core::error::{CommandError, Context as _, Result};
use domino_core::step::{Interrupts, Step};
use domino_core::wait::Poll;

use crate::moves::Moves;
use crate::record::{Record, Status};
use crate::registry::listed;
use crate::undo;

/// How long the stage must hold the version alone before that is believed.
const SETTLE: Duration = Duration::from_secs(2);
/// How long another promotion has to give way.
const GIVE_WAY: Duration = Duration::from_secs(15);

/// A version that goes into a stage.
#[derive(Debug)]
pub(crate) struct Promotion<'a> {
    pub(crate) moves: Moves<'a>,
    pub(crate) version: VersionNumber,
    /// The experiment manager's stage that it comes from.
    pub(crate) from: ModelStage,
    /// The one that it goes to.
    pub(crate) target: ModelStage,
    /// The stage, as in stages.toml.
    pub(crate) stage: &'a str,
    /// The versions that were there when it was planned, and are archived.
    pub(crate) others: Vec<VersionNumber>,
    /// Those that were archived so far.
    pub(crate) archived: RefCell<Vec<VersionNumber>>,
    /// The alias of what the stage holds.
    pub(crate) alias: String,
    /// What the alias pointed to when it was planned.
    pub(crate) alias_before: Option<VersionNumber>,
    /// The alias of what the stage held before.
    pub(crate) previous_alias: String,
    /// What it pointed to when it was planned.
    pub(crate) previous_before: Option<VersionNumber>,
    /// What becomes of it.
    pub(crate) previous: Previous,
    /// What is written down.
    pub(crate) record: Record,
    /// Tags of an earlier promotion that are taken away.
    pub(crate) outdated: Vec<&'static str>,
    /// What is written at the versions that leave, each before it does.
    pub(crate) leave_marks: Vec<Mark>,
    /// The mark that is taken away from the version itself, since it may be here again.
    pub(crate) own_mark: Option<Mark>,
    /// The marks that were written or taken away so far, or may have been.
    pub(crate) marked: RefCell<Vec<Mark>>,
}

/// A tag that says that a version had to leave the stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) version: VersionNumber,
    pub(crate) key: String,
    /// What it says from now on; nothing takes it away.
    pub(crate) value: Option<String>,
    /// What it said when it was planned.
    pub(crate) before: Option<String>,
}

/// One thing that is done once the version is in the stage.
#[derive(Debug)]
enum Rest<'a> {
    Point(&'a str, VersionNumber),
    Take(&'a str),
    Mark(&'a Mark),
    Tag(String, String),
}

impl std::fmt::Display for Rest<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Point(alias, version) => write!(f, "alias `{alias}` to version {version}"),
            Self::Take(alias) => write!(f, "alias `{alias}` to be taken away"),
            Self::Mark(mark) => write!(f, "tag `{}` to be taken away", mark.key),
            Self::Tag(key, _) => write!(f, "tag `{key}`"),
        }
    }
}

/// What becomes of the alias of the version before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Previous {
    /// It points to this version.
    Is(VersionNumber),
    /// It goes, because what it pointed to is back.
    Goes,
    /// It stays as it is.
    Stays,
}

/// Another promotion got in between.
#[derive(Debug)]
struct Conflict(CommandError);

impl Promotion<'_> {
    /// Writes: tags "pending", the stage, the archived ones, after a look the aliases, after another look tags "done".
    /// When something fails before the first look, or a look finds another version, everything is undone. What fails
    /// after the first look is named with all that is left to do, and a rerun does it.
    pub(crate) async fn carry_out(&self, step: &Step, interrupts: &mut Interrupts) -> Result<()> {
        self.write_pending()
            .await
            .context("nothing was moved: the record of the promotion could not be begun")?;
        if let Err(error) = self.enter(step, interrupts).await {
            return Err(error.context(undo::put_back(self).await));
        }
        let rest = self.rest()?;
        let last = rest.iter().position(|one| matches!(one, Rest::Tag(..)));
        let last = last.unwrap_or(rest.len());
        self.finish(&rest, 0..last, interrupts).await?;
        tokio::time::sleep(SETTLE.mul_f64(self.moves.delay_scale())).await;
        let alone = self.alone().await.with_context(|| {
            format!(
                "version {} was moved to `{}`, but whether it is there alone could not be seen",
                self.version, self.target
            )
        })?;
        if let Err(Conflict(failure)) = alone {
            return Err(failure.context(undo::put_back(self).await));
        }
        self.alias_stands().await?;
        self.finish(&rest, last..rest.len(), interrupts).await
    }

    /// Tells, however it ended, what the experiment manager lacks and what is archived now.
    pub(crate) fn tell(&self, step: &mut Step) {
        for lack in self.moves.lacks() {
            step.warn(&lack, None);
        }
        let archived = self.archived.borrow();
        if !archived.is_empty() {
            let numbers: Vec<String> = archived.iter().map(ToString::to_string).collect();
            step.report.output("archived", numbers.join(","));
            step.report.fact("archived", listed(&archived));
        }
    }

    async fn write_pending(&self) -> Result<()> {
        for (key, value) in self.record.tags(self.stage)? {
            self.moves.tag(self.version, &key, &value).await?;
        }
        for key in &self.outdated {
            self.moves.take_tag(self.version, key).await?;
        }
        Ok(())
    }

    /// Enters first and archives then, so that the stage is never empty.
    async fn enter(&self, step: &Step, interrupts: &mut Interrupts) -> Result<()> {
        go_on(interrupts).await?;
        if self.from != self.target {
            self.moves.put(self.version, &self.target).await?;
        }
        let there = self.moves.holders(&self.target).await?;
        // Only those that were seen when it was planned: what came since belongs to another promotion.
        for other in self.others.iter().filter(|other| there.contains(other)) {
            go_on(interrupts).await?;
            let marks = self.leave_marks.iter();
            for mark in marks.filter(|mark| mark.version == *other) {
                self.mark(mark).await?;
            }
            self.moves.put(*other, &ModelStage::Archived).await?;
            self.archived.borrow_mut().push(*other);
            step.say(&format!("archived version {other}"));
        }
        self.alone().await?.map_err(|Conflict(failure)| failure)?;
        Ok(())
    }

    /// Does this part of what is left; an error names that part which is not done, and all after it.
    async fn finish(
        &self,
        rest: &[Rest<'_>],
        part: Range<usize>,
        interrupts: &mut Interrupts,
    ) -> Result<()> {
        for done in part {
            let carried_out = match go_on(interrupts).await {
                Ok(()) => self.carry_out_one(&rest[done]).await,
                Err(interrupted) => Err(interrupted),
            };
            carried_out.with_context(|| {
                let left: Vec<String> = rest[done..].iter().map(ToString::to_string).collect();
                format!(
                    "`{}` holds version {}, but the promotion is not finished; run this again to finish it; left to \
                     do: {}",
                    self.target,
                    self.version,
                    left.join(", ")
                )
            })?;
        }
        Ok(())
    }

    /// What is left once the version is in the stage. The alias that a demotion goes by is the last to go, so that a
    /// rerun finds it.
    fn rest(&self) -> Result<Vec<Rest<'_>>> {
        let mut rest = Vec::new();
        if let Previous::Is(version) = self.previous {
            rest.push(Rest::Point(&self.previous_alias, version));
        }
        if self.alias_before != Some(self.version) {
            rest.push(Rest::Point(&self.alias, self.version));
        }
        rest.extend(self.own_mark.iter().map(Rest::Mark));
        let done = Record {
            status: Status::Done,
            ..self.record.clone()
        };
        let tags = done.tags(self.stage)?.into_iter();
        rest.extend(tags.map(|(key, value)| Rest::Tag(key, value)));
        if self.previous == Previous::Goes {
            rest.push(Rest::Take(&self.previous_alias));
        }
        Ok(rest)
    }

    async fn carry_out_one(&self, one: &Rest<'_>) -> Result<()> {
        match one {
            Rest::Point(alias, version) => self.moves.point(alias, *version).await?,
            Rest::Take(alias) => self.moves.take_alias(alias).await?,
            Rest::Mark(mark) => self.mark(mark).await?,
            Rest::Tag(key, value) => self.moves.tag(self.version, key, value).await?,
        }
        Ok(())
    }

    async fn mark(&self, mark: &Mark) -> Result<(), ApiError> {
        self.marked.borrow_mut().push(mark.clone());
        let Mark { version, key, .. } = mark;
        self.moves.tag_or_not(*version, key, &mark.value).await
    }

    /// Poll whether the stage holds this version and no other. A lower one is given time to go: it is another
    /// promotion that has not noticed yet.
    async fn alone(&self) -> Result<Result<(), Conflict>> {
        let patience = GIVE_WAY.mul_f64(self.moves.delay_scale().clamp(0.05, 1.0));
        let mut poll = Poll::until(patience, self.moves.delay_scale());
        loop {
            let there = self.moves.holders(&self.target).await?;
            let others: Vec<VersionNumber> = there
                .iter()
                .copied()
                .filter(|other| *other != self.version)
                .collect();
            let name = self.moves.name();
            let is_there = there.contains(&self.version);
            if is_there && others.is_empty() {
                return Ok(Ok(()));
            }
            let conflict = |says: String| {
                Ok(Err(Conflict(CommandError::refused(says).hint(format!(
                    "another promotion was at work; run this again if version {} is still the one you want",
                    self.version
                )))))
            };
            if !is_there {
                return conflict(format!(
                    "version {} of `{name}` was moved out of `{}` again, which holds {}",
                    self.version,
                    self.target,
                    listed(&there)
                ));
            }
            if others.iter().any(|other| *other > self.version) {
                return conflict(format!(
                    "`{}` holds {} of `{name}` at once; version {} gives way",
                    self.target,
                    listed(&there),
                    self.version
                ));
            }
            if !poll.next().await {
                return conflict(format!(
                    "`{}` holds {} of `{name}` at once, and {} does not give way",
                    self.target,
                    listed(&there),
                    listed(&others)
                ));
            }
        }
    }

    /// A promotion that ended in between may have left the alias elsewhere; this one is the last.
    async fn alias_stands(&self) -> Result<()> {
        if !self.moves.has_aliases() || self.moves.alias(&self.alias).await? == Some(self.version) {
            return Ok(());
        }
        let pointed = self.moves.point(&self.alias, self.version).await;
        pointed.with_context(|| {
            format!(
                "`{}` holds version {} and no other, but alias `{}` does not point to it; run this again",
                self.target, self.version, self.alias
            )
        })?;
        match self.alone().await? {
            Ok(()) => Ok(()),
            Err(Conflict(failure)) => Err(failure.context(undo::put_back(self).await)),
        }
    }
}

/// Between two writes is the moment to stop.
pub(crate) async fn go_on(interrupts: &mut Interrupts) -> Result<(), CommandError> {
    let signal = tokio::select! {
        biased;
        signal = interrupts.next() => signal,
        () = std::future::ready(()) => return Ok(()),
    };
    Err(CommandError::new(signal.exit(), "interrupted"))
}
