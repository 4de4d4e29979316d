//! Whether a stage holds the promoted version and no other.
//!
//! The experiment manager has no compare-and-set, and answers 200 to two promotions at once. Only a look afterwards
//! shows that the stage holds one version. If two promotions meet, the higher version stays.

use std::time::Duration;

use domino_core::api::registered_models::VersionNumber;
use domino_core::client::ApiError;
use domino_core::error::CommandError;
use domino_core::wait::Poll;

use crate::promotion::Promotion;
use crate::registry::listed;

/// How long another promotion has to leave the stage.
const PATIENCE: Duration = Duration::from_secs(15);

/// The result of a look at the stage.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Exclusivity {
    /// The stage holds the version and no other.
    Exclusive,
    /// The registered model of this name no longer exists.
    Gone,
    /// Another promotion moved the version out; the stage holds these.
    MovedOut(Vec<VersionNumber>),
    /// The stage holds a higher version as well, so this one leaves.
    Outranked(Vec<VersionNumber>),
    /// The stage holds lower versions as well, which did not leave in time.
    Contested(Vec<VersionNumber>),
}

/// Polls until the stage holds this version and no other. A lower one gets time to leave: it belongs to another
/// promotion that has not noticed yet.
pub(crate) async fn check_exclusive(promotion: &Promotion<'_>) -> Result<Exclusivity, ApiError> {
    let (registry, version) = (&promotion.registry, promotion.transition.version);
    let delay_scale = registry.delay_scale();
    let patience = PATIENCE.mul_f64(delay_scale.clamp(0.05, 1.0));
    let mut poll = Poll::until(patience, delay_scale);
    loop {
        let held = registry.versions_in_stage(&promotion.transition.to).await?;
        if !held.contains(&version) {
            return Ok(match held.is_empty() && !registry.exists().await? {
                true => Exclusivity::Gone,
                false => Exclusivity::MovedOut(held),
            });
        }
        if held.len() == 1 {
            return Ok(Exclusivity::Exclusive);
        }
        if held.iter().any(|other| *other > version) {
            return Ok(Exclusivity::Outranked(held));
        }
        if !poll.next().await {
            return Ok(Exclusivity::Contested(held));
        }
    }
}

impl Exclusivity {
    /// The error for a stage that does not hold the version alone.
    pub(crate) fn into_result(self, promotion: &Promotion<'_>) -> Result<(), CommandError> {
        let name = promotion.registry.name();
        let (version, stage) = (promotion.transition.version, &promotion.transition.to);
        let conflict = match self {
            Self::Exclusive => return Ok(()),
            Self::Gone => {
                return Err(CommandError::refused(format!(
                    "registered model `{name}` no longer exists: somebody deleted or renamed it meanwhile"
                ))
                .hint(format!(
                    "a renamed model keeps its versions where they are: look for version {version} in `{stage}` in \
                     Domino, and correct `registered-model` in stages.toml"
                )));
            }
            Self::MovedOut(held) => format!(
                "version {version} of `{name}` was moved out of `{stage}` again, which holds {}",
                listed(&held)
            ),
            Self::Outranked(held) => format!(
                "`{stage}` holds {} of `{name}` at once; version {version} gives way",
                listed(&held)
            ),
            Self::Contested(held) => {
                let others: Vec<_> = held.iter().copied().filter(|one| *one != version).collect();
                format!(
                    "`{stage}` holds {} of `{name}` at once, and {} does not give way",
                    listed(&held),
                    listed(&others)
                )
            }
        };
        Err(CommandError::refused(conflict).hint(format!(
            "another promotion was at work; run this again if version {version} is still the one you want"
        )))
    }
}
