//! The rollback of a promotion that cannot be finished: based on what the experiment manager has now, not on what we
//! believe to have done, and never against another promotion. Afterwards the record says that it was rolled back, and
//! what could not be rolled back is named.

use std::fmt;

use domino_core::api::registered_models::VersionNumber;
use domino_core::client::ApiError;

use crate::journal::{Inverse, StepState};
use crate::promotion::Promotion;
use crate::registry::listed;
use crate::transition::Alias;

/// How a rollback ended, and what the stage holds now.
#[derive(Debug)]
pub(crate) struct Rollback {
    end: RollbackEnd,
    holds: String,
}

/// How a rollback ended.
#[derive(Debug)]
enum RollbackEnd {
    /// The version had not entered the stage.
    NothingMoved,
    /// No registered model has this name any longer, so there is nothing to move back.
    ModelGone,
    /// The version is where it came from, as this text says.
    Complete(String),
    /// The stages are as before, but these things are not.
    Incomplete(Vec<String>),
    /// A stage could not be read or written.
    Failed(ApiError),
}

/// Rolls back every step.
pub(crate) async fn rollback(promotion: &Promotion<'_>) -> Rollback {
    let end = take_back_all(promotion)
        .await
        .unwrap_or_else(RollbackEnd::Failed);
    let stage = &promotion.transition.to;
    let holds = match promotion.registry.versions_in_stage(stage).await {
        Ok(held) => {
            for departure in &promotion.journal.leave {
                if held.contains(&departure.version) {
                    departure.archive.state.set(StepState::RolledBack);
                }
            }
            let archived = promotion.journal.archived();
            let stays = match archived.is_empty() {
                true => String::new(),
                false => format!(", and {} is archived", listed(&archived)),
            };
            format!("`{stage}` holds {}{stays}", listed(&held))
        }
        Err(_) => format!("what `{stage}` holds could not be read"),
    };
    Rollback { end, holds }
}

async fn take_back_all(promotion: &Promotion<'_>) -> Result<RollbackEnd, ApiError> {
    let transition = &promotion.transition;
    let held = match promotion.registry.versions_in_stage(&transition.to).await {
        Ok(held) => held,
        Err(error) => return leave_unseen(promotion, error).await,
    };
    if held.is_empty() && !promotion.registry.exists().await? {
        return Ok(RollbackEnd::ModelGone);
    }
    let mut run = RollbackRun {
        promotion,
        held,
        returned: Vec::new(),
        has_left: false,
    };
    let mut left = Vec::new();
    for step in promotion.journal.for_rollback() {
        match run.take_back(&step.inverse, step.state.get()).await {
            Ok(()) => {}
            Err(error)
                if matches!(
                    step.inverse,
                    Inverse::LeaveStage | Inverse::ReturnToStage(_)
                ) =>
            {
                return Err(error);
            }
            Err(error) => left.push(format!("{} ({error})", step.inverse)),
        }
    }
    Ok(match (left.is_empty(), run.has_left) {
        (false, _) => RollbackEnd::Incomplete(left),
        (true, false) => RollbackEnd::NothingMoved,
        (true, true) => RollbackEnd::Complete(format!(
            "version {} was put back into `{}`",
            transition.version, transition.from
        )),
    })
}

/// If the stage cannot be read, the version leaves it anyway, unless something was archived for it: two versions in
/// the stage would be worse.
async fn leave_unseen(promotion: &Promotion<'_>, error: ApiError) -> Result<RollbackEnd, ApiError> {
    let (version, from) = (promotion.transition.version, &promotion.transition.from);
    if promotion.journal.enter.is_none() || !promotion.journal.archived().is_empty() {
        return Err(error);
    }
    promotion.registry.set_stage(version, from).await?;
    Ok(RollbackEnd::Incomplete(vec![format!(
        "version {version} is in `{from}` again, but all else is as it was ({error})"
    )]))
}

/// A rollback in progress.
struct RollbackRun<'a> {
    promotion: &'a Promotion<'a>,
    /// What the stage held when it was last read.
    held: Vec<VersionNumber>,
    /// What was returned to it since.
    returned: Vec<VersionNumber>,
    /// Whether the version has left the stage.
    has_left: bool,
}

impl RollbackRun<'_> {
    async fn take_back(&mut self, inverse: &Inverse, state: StepState) -> Result<(), ApiError> {
        let registry = &self.promotion.registry;
        let transition = &self.promotion.transition;
        let version = transition.version;
        let is_in_stage = self.held.contains(&version);
        match inverse {
            Inverse::LeaveStage if is_in_stage => {
                registry.set_stage(version, &transition.from).await?;
                self.held = registry.versions_in_stage(&transition.to).await?;
                self.has_left = true;
                Ok(())
            }
            // Another version in the stage is there by right; if there is none, the earlier ones return.
            Inverse::ReturnToStage(other) if self.held.is_empty() => {
                registry.set_stage(*other, &transition.to).await?;
                self.returned.push(*other);
                Ok(())
            }
            Inverse::Alias(alias) if !is_in_stage => self.rollback_alias(alias).await,
            Inverse::PreviousAlias(alias, written) if !is_in_stage => {
                self.rollback_previous_alias(alias, *written).await
            }
            Inverse::Tag(version, key, value) if state != StepState::Planned => {
                registry.set_tag(*version, key, value).await
            }
            _ => Ok(()),
        }
    }

    /// What the stage holds now.
    fn holds(&self) -> impl Iterator<Item = &VersionNumber> {
        self.held.iter().chain(&self.returned)
    }

    async fn rollback_alias(&self, alias: &Alias) -> Result<(), ApiError> {
        let registry = &self.promotion.registry;
        let version = self.promotion.transition.version;
        if registry.alias(&alias.name).await? != Some(version) {
            return Ok(());
        }
        let mut holds = self.holds();
        match (holds.next(), holds.next(), alias.before) {
            (Some(only), None, _) => registry.set_alias(&alias.name, *only).await,
            (.., Some(before)) if before != version => {
                registry.set_alias(&alias.name, before).await
            }
            _ => registry.delete_alias(&alias.name).await,
        }
    }

    /// If another promotion is at work, it stays: what we wrote there is what that promotion replaced.
    async fn rollback_previous_alias(
        &self,
        alias: &Alias,
        written: VersionNumber,
    ) -> Result<(), ApiError> {
        let registry = &self.promotion.registry;
        let others = &self.promotion.transition.others;
        let as_before = self.holds().all(|one| others.contains(one));
        if !as_before || registry.alias(&alias.name).await? != Some(written) {
            return Ok(());
        }
        match alias.before {
            Some(before) => registry.set_alias(&alias.name, before).await,
            None => registry.delete_alias(&alias.name).await,
        }
    }
}

impl fmt::Display for Rollback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let holds = &self.holds;
        match &self.end {
            RollbackEnd::NothingMoved => write!(f, "nothing was moved; {holds}"),
            RollbackEnd::ModelGone => {
                f.write_str("what was moved is as it is: it cannot be reached by its name")
            }
            RollbackEnd::Complete(moved) => write!(f, "{moved}; {holds}"),
            RollbackEnd::Incomplete(left) => {
                let left = left.join("; ");
                write!(f, "not everything could be put back: {left}; {holds}")
            }
            RollbackEnd::Failed(error) => {
                write!(f, "not everything could be put back ({error}); {holds}")
            }
        }
    }
}
