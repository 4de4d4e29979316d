//! How a promotion runs, as a state machine. Every arrow is a phase of the journal or a look at the stage.
//!
//! ```text
//!            begin          enter, leave           look           announce             look             close
//! planned ─────────► begun ──────────────► entered ────► alone ──────────► announced ────► settled ───────► done
//!    │                 │                      │            │                 │    │           │
//!    ▼                 ▼                      ▼            ▼                 ▼    ▼           ▼
//! not begun       rolled back            rolled back   unfinished       unseen  rolled back  unfinished
//! ```
//!
//! A promotion that also gives an alias ends `done` only where the alias points to the version: otherwise it ends with
//! the alias unseen or unset, and the stage stays as it is.
//!
//! Until the first look everything is rolled back on an error; after it, only when a look finds another version. What else
//! fails then is named with all that is left to do, and a rerun does it.

use std::time::Duration;

use domino_core::error::{CommandError, Result};
use domino_core::step::{Interrupts, Step};
use tokio::time::Instant;

use crate::exclusive::check_exclusive;
use crate::journal::JournalStep;
use crate::promotion::Promotion;
use crate::registry_writer::RegistryWriter;
use crate::rollback::{Rollback, rollback};
use crate::transition::Transition;

/// How long the stage must hold the version alone before that counts, at least and at most. In between it is twice as
/// long as this promotion took to enter: another one that has seen the earlier state of the stage takes about as
/// long.
const SETTLE: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

/// How a promotion ended.
#[derive(Debug)]
pub(crate) enum PromotionOutcome {
    /// The stage holds the version and no other, and the record says so.
    Done,
    /// The record could not be written, so nothing was moved.
    NotBegun(CommandError),
    /// The version could not enter, or another promotion came in between; the steps were rolled back.
    RolledBack(CommandError, Rollback),
    /// The stage holds the version, but the steps named here remain for a rerun.
    Unfinished(CommandError, Vec<String>),
    /// The version was moved, but whether the stage holds it alone could not be read.
    Unseen(CommandError),
    /// The stage holds the version alone, but where the alias points could not be read.
    AliasUnseen(CommandError),
    /// The stage holds the version alone, but the alias points elsewhere.
    AliasUnset(CommandError),
}

/// Promotes a version, and reports the outcome.
pub(crate) async fn promote(
    step: &mut Step,
    registry: RegistryWriter<'_>,
    transition: Transition<'_>,
    interrupts: &mut Interrupts,
) -> Result<()> {
    let promotion = Promotion::of(registry, transition)?;
    let outcome = run(&promotion, step, interrupts).await;
    promotion.report(step);
    outcome.into_result(&promotion)
}

/// Runs a promotion to its end.
async fn run(
    promotion: &Promotion<'_>,
    step: &Step,
    interrupts: &mut Interrupts,
) -> PromotionOutcome {
    match advance(promotion, step, interrupts).await {
        Ok(()) => PromotionOutcome::Done,
        Err(outcome) => *outcome,
    }
}

/// Goes from state to state until something stops it.
async fn advance(
    promotion: &Promotion<'_>,
    step: &Step,
    interrupts: &mut Interrupts,
) -> Result<(), Box<PromotionOutcome>> {
    let journal = &promotion.journal;
    let began = Instant::now();
    for one in &journal.begin {
        let begun = promotion.write(one).await;
        begun.map_err(|error| PromotionOutcome::NotBegun(error.into()))?;
    }
    if let Err(error) = enter(promotion, step, interrupts).await {
        return Err(roll_back(promotion, error).await);
    }
    let settled = Instant::now() + settle(began.elapsed(), promotion.registry.delay_scale());
    let rest = || journal.announce.iter().chain(&journal.close);
    finish(promotion, rest(), journal.announce.len(), interrupts).await?;
    tokio::time::sleep_until(settled).await;
    let look = check_exclusive(promotion).await;
    let look = look.map_err(|error| PromotionOutcome::Unseen(error.into()))?;
    if let Err(conflict) = look.into_result(promotion) {
        return Err(roll_back(promotion, conflict).await);
    }
    keep_alias(promotion).await?;
    finish(
        promotion,
        journal.close.iter(),
        journal.close.len(),
        interrupts,
    )
    .await
}

/// How long a stage must hold a version alone that took this long to enter it.
fn settle(entering: Duration, delay_scale: f64) -> Duration {
    let (least, most) = SETTLE;
    (entering * 2).clamp(least.mul_f64(delay_scale), most)
}

/// First enters and then archives, so that the stage is never empty.
async fn enter(promotion: &Promotion<'_>, step: &Step, interrupts: &mut Interrupts) -> Result<()> {
    bail_if_interrupted(interrupts).await?;
    if let Some(enter) = &promotion.journal.enter {
        promotion.write(enter).await?;
    }
    let registry = &promotion.registry;
    if promotion.journal.leave.is_empty() {
        return check_exclusive(promotion).await?.into_result(promotion);
    }
    let (version, to) = (promotion.transition.version, &promotion.transition.to);
    let mut held = registry.versions_still_in_stage(to).await?;
    // Only the versions that the plan saw: any other belongs to another promotion.
    let leave = promotion.journal.leave.iter();
    for departure in leave.filter(|departure| held.contains(&departure.version)) {
        bail_if_interrupted(interrupts).await?;
        for one in departure.tags.iter().chain([&departure.archive]) {
            promotion.write(one).await?;
        }
        step.say(&format!("archived version {}", departure.version));
    }
    held.retain(|one| (promotion.journal.leave.iter()).all(|departure| departure.version != *one));
    match held == [version] {
        // The coming look at the stage sees whoever enters from now on.
        true => Ok(()),
        false => check_exclusive(promotion).await?.into_result(promotion),
    }
}

/// Carries out the first `count` of the remaining steps. An error names the step that failed and all after it.
async fn finish<'a>(
    promotion: &Promotion<'_>,
    rest: impl Iterator<Item = &'a JournalStep>,
    count: usize,
    interrupts: &mut Interrupts,
) -> Result<(), Box<PromotionOutcome>> {
    let rest: Vec<&JournalStep> = rest.collect();
    for (index, one) in rest.iter().take(count).enumerate() {
        if one.write.is_none() {
            continue;
        }
        let written = match bail_if_interrupted(interrupts).await {
            Ok(()) => promotion.write(one).await.map_err(CommandError::from),
            Err(interrupted) => Err(interrupted),
        };
        written.map_err(|error| {
            let left = rest[index..].iter().filter_map(|one| one.write.as_ref());
            PromotionOutcome::Unfinished(error, left.map(ToString::to_string).collect())
        })?;
    }
    Ok(())
}

/// A promotion that ended in between may have set the alias to its version. This promotion is the last.
async fn keep_alias(promotion: &Promotion<'_>) -> Result<(), Box<PromotionOutcome>> {
    let (registry, version) = (&promotion.registry, promotion.transition.version);
    let alias = &promotion.transition.alias.name;
    if !registry.has_aliases() || registry.is_undisturbed() {
        return Ok(());
    }
    let points = registry.points_to(alias, version).await;
    if points.map_err(|error| PromotionOutcome::AliasUnseen(error.into()))? {
        return Ok(());
    }
    let set = registry.set_alias(alias, version).await;
    set.map_err(|error| PromotionOutcome::AliasUnset(error.into()))?;
    let look = check_exclusive(promotion).await;
    let look = look.map_err(|error| PromotionOutcome::AliasUnseen(error.into()))?;
    match look.into_result(promotion) {
        Ok(()) => Ok(()),
        Err(conflict) => Err(roll_back(promotion, conflict).await),
    }
}

async fn roll_back(promotion: &Promotion<'_>, cause: CommandError) -> Box<PromotionOutcome> {
    Box::new(PromotionOutcome::RolledBack(
        cause,
        rollback(promotion).await,
    ))
}

impl PromotionOutcome {
    /// The error that an outcome is, with a sentence of its own; an alias that could not be read says it itself.
    pub(crate) fn into_result(self, promotion: &Promotion<'_>) -> Result<()> {
        let (stage, version) = (&promotion.transition.to, promotion.transition.version);
        Err(match self {
            Self::Done => return Ok(()),
            Self::NotBegun(cause) => {
                cause.context("nothing was moved: the record of the promotion could not be begun")
            }
            Self::RolledBack(cause, rollback) => cause.context(rollback.to_string()),
            Self::Unfinished(cause, left) => cause.context(format!(
                "`{stage}` holds version {version}, but the promotion is not finished; run this again to finish it; \
                 left to do: {}",
                left.join(", ")
            )),
            Self::Unseen(cause) => cause.context(format!(
                "version {version} was moved to `{stage}`, but whether it is there alone could not be seen"
            )),
            Self::AliasUnseen(cause) => cause,
            Self::AliasUnset(cause) => cause.context(format!(
                "`{stage}` holds version {version} and no other, but alias `{}` does not point to it; run this again",
                promotion.transition.alias.name
            )),
        })
    }
}

/// A signal is obeyed between two writes.
pub(crate) async fn bail_if_interrupted(interrupts: &mut Interrupts) -> Result<(), CommandError> {
    let signal = tokio::select! {
        biased;
        signal = interrupts.next() => signal,
        () = std::future::ready(()) => return Ok(()),
    };
    Err(CommandError::new(signal.exit(), "interrupted"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_watched_twice_as_long_as_it_took_to_enter_it() {
        let of = |entering, delay_scale| {
            settle(Duration::from_millis(entering), delay_scale).as_millis()
        };
        assert_eq!(of(100, 1.0), 1_000);
        assert_eq!(of(1_500, 1.0), 3_000);
        assert_eq!(of(60_000, 1.0), 10_000);
        // Tests wait less, but as long as another promotion needs.
        assert_eq!(of(100, 0.01), 200);
    }
}
