//! How a version gets into a stage, whether for the first time or back: what is written, in which order, and how it
//! is proven.
//!
//! The experiment manager has no compare-and-set, and answers 200 to two promotions at once; so that the stage holds
//! one version only is known from looking afterwards, twice. Of two that meet, the higher version stays.

use std::cell::RefCell;
use std::time::Duration;

use anyhow::Context;
use domino_core::api::mlflow::ModelStage;
use domino_core::api::registered_models::VersionNumber;
use domino_core::error::Failure;
use domino_core::settle::Looks;
use domino_core::step::{Interrupts, Step};

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
    /// What becomes of it.
    pub(crate) previous: Previous,
    /// What is written down.
    pub(crate) record: Record,
    /// Tags of an earlier promotion that are taken away.
    pub(crate) outdated: Vec<&'static str>,
    /// Further tags, written when all is done; nothing takes one away.
    pub(crate) marks: Vec<(VersionNumber, String, Option<String>)>,
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
struct Conflict(Failure);

impl Promotion<'_> {
    /// Writes: tags "pending", the stage, the archived ones, after a look the aliases, tags "done"; then looks again.
    /// Before the look everything is undone when something fails; after it, what is left to do is named, and a rerun
    /// does it.
    pub(crate) async fn carry_out(
        &self,
        step: &Step,
        interrupts: &mut Interrupts,
    ) -> anyhow::Result<()> {
        self.write_pending()
            .await
            .context("nothing was moved: the record of the promotion could not be begun")?;
        if let Err(error) = self.enter(step, interrupts).await {
            return Err(error.context(undo::put_back(self).await));
        }
        self.finish(interrupts).await.with_context(|| {
            format!(
                "`{}` holds version {}, but the promotion is not finished; run this again to finish it",
                self.target, self.version
            )
        })?;
        tokio::time::sleep(SETTLE.mul_f64(self.moves.pace())).await;
        let alone = self.alone().await.with_context(|| {
            format!(
                "version {} was moved to `{}`, but whether it is there alone could not be seen",
                self.version, self.target
            )
        })?;
        match alone {
            Ok(()) => self.alias_stands().await,
            Err(Conflict(failure)) => {
                Err(anyhow::Error::new(failure).context(undo::put_back(self).await))
            }
        }
    }

    async fn write_pending(&self) -> anyhow::Result<()> {
        for (key, value) in self.record.tags(self.stage)? {
            self.moves.tag(self.version, &key, &value).await?;
        }
        for key in &self.outdated {
            self.moves.take_tag(self.version, key).await?;
        }
        Ok(())
    }

    /// Enters first and archives then, so that the stage is never empty.
    async fn enter(&self, step: &Step, interrupts: &mut Interrupts) -> anyhow::Result<()> {
        go_on(interrupts).await?;
        if self.from != self.target {
            self.moves.put(self.version, &self.target).await?;
        }
        let there = self.moves.holders(&self.target).await?;
        // Only those that were seen when it was planned: what came since belongs to another promotion.
        for other in self.others.iter().filter(|other| there.contains(other)) {
            go_on(interrupts).await?;
            self.moves.put(*other, &ModelStage::Archived).await?;
            self.archived.borrow_mut().push(*other);
            step.say(&format!("archived version {other}"));
        }
        self.alone().await?.map_err(|Conflict(failure)| failure)?;
        Ok(())
    }

    async fn finish(&self, interrupts: &mut Interrupts) -> anyhow::Result<()> {
        go_on(interrupts).await?;
        match self.previous {
            Previous::Is(version) => self.moves.point(&self.previous_alias, version).await?,
            Previous::Goes | Previous::Stays => {}
        }
        if self.alias_before != Some(self.version) {
            self.moves.point(&self.alias, self.version).await?;
        }
        if self.previous == Previous::Goes {
            self.moves.take_alias(&self.previous_alias).await?;
        }
        go_on(interrupts).await?;
        for (version, key, value) in &self.marks {
            match value {
                Some(value) => self.moves.tag(*version, key, value).await?,
                None => self.moves.take_tag(*version, key).await?,
            }
        }
        let done = Record {
            status: Status::Done,
            ..self.record.clone()
        };
        for (key, value) in done.tags(self.stage)? {
            self.moves.tag(self.version, &key, &value).await?;
        }
        Ok(())
    }

    /// Looks whether the stage holds this version and no other. A lower one is given time to go: it is another
    /// promotion that has not noticed yet.
    async fn alone(&self) -> anyhow::Result<Result<(), Conflict>> {
        let patience = GIVE_WAY.mul_f64(self.moves.pace().clamp(0.05, 1.0));
        let mut looks = Looks::until(patience, self.moves.pace());
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
                Ok(Err(Conflict(Failure::refused(says).hint(format!(
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
            if !looks.next().await {
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
    async fn alias_stands(&self) -> anyhow::Result<()> {
        if !self.moves.has_aliases() || self.moves.alias(&self.alias).await? == Some(self.version) {
            return Ok(());
        }
        self.moves.point(&self.alias, self.version).await?;
        match self.alone().await? {
            Ok(()) => Ok(()),
            Err(Conflict(failure)) => {
                Err(anyhow::Error::new(failure).context(undo::put_back(self).await))
            }
        }
    }
}

/// Between two writes is the moment to stop.
pub(crate) async fn go_on(interrupts: &mut Interrupts) -> Result<(), Failure> {
    let signal = tokio::select! {
        biased;
        signal = interrupts.next() => signal,
        () = std::future::ready(()) => return Ok(()),
    };
    Err(Failure::new(signal.exit(), "interrupted"))
}
