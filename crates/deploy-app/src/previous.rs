//! The version that ran before a rollout: its content, so that it can be started again, and whether what runs after a
//! rollback is the same.

use domino_core::error::CommandError;
use std::fmt::Display;

use domino_core::api::GitRef;
use domino_core::api::apps::{AppContent, AppVersion, Capabilities};
use domino_core::api::hardware_tiers::TierUse;
use domino_core::api::projects::ProjectId;
use domino_core::choice::choose;
use domino_core::client::Reader;
use domino_core::commit::Commit;
use domino_core::step::Step;

use crate::find::version_text;
use crate::wanted::{Comparison, is_commit, plainly};

/// The running version that is about to be replaced, for a rollback.
#[derive(Debug)]
pub(crate) struct PreviousVersion {
    pub(crate) version: AppVersion,
    pub(crate) entry_point: Option<String>,
}

impl PreviousVersion {
    /// Compares commit, tier, environment and revision of a version with what ran before. A revision counts only if
    /// it can be chosen: otherwise the active one runs, which may have changed.
    pub(crate) fn compare(&self, can: &Capabilities, version: &AppVersion) -> Comparison {
        let (was, is) = (&self.version, version);
        let mut comparison = Comparison::default();
        match (&is.git_ref, &was.git_ref) {
            (Some(is), Some(was)) => {
                let as_before = match was {
                    GitRef::Commit(id) => {
                        Commit::whole(id).is_some_and(|commit| is_commit(is, &commit))
                    }
                    GitRef::Moving { .. } => false,
                };
                if is != was && !as_before {
                    comparison.differs("commit", &plainly(is), &plainly(was));
                }
            }
            _ => comparison.unreported.push("commit"),
        }
        // The name is that of the start itself; the id may be that of the app's settings.
        let names = (&is.hardware_tier_name, &was.hardware_tier_name);
        let id = |version: &AppVersion| version.hardware_tier.as_ref().map(ToString::to_string);
        comparison.same("hardware tier", names, (&id(is), &id(was)));
        let names = (&is.environment_name, &was.environment_name);
        let id = |version: &AppVersion| version.environment.as_ref().map(ToString::to_string);
        comparison.same("environment", names, (&id(is), &id(was)));
        for lost in was.carried.lost_in(&is.carried) {
            comparison.different.push(format!("{lost}: not as before"));
        }
        if let (Some(is), Some(was)) = (&is.revision, &was.revision)
            && is != was
        {
            match can.chooses_revision {
                true => comparison.differs("environment revision", is, was),
                false => {
                    comparison.newer_revision = Some(format!("environment revision: {was} → {is}"));
                }
            }
        }
        comparison
    }
}

impl Comparison {
    /// Compares two names, or if one is unknown, two ids.
    fn same(
        &mut self,
        what: &'static str,
        names: (&Option<String>, &Option<String>),
        ids: (&Option<String>, &Option<String>),
    ) {
        let (is, was) = match (names, ids) {
            ((Some(is), Some(was)), _) | (_, (Some(is), Some(was))) => (is, was),
            _ => return self.unreported.push(what),
        };
        if is != was {
            self.differs(what, is, was);
        }
    }
}

impl PreviousVersion {
    /// Its content, in ids. If Domino tells only the name of what a start ran on, the name is looked up. What is not
    /// told is warned about, because Domino then chooses it.
    pub(crate) async fn content(
        &self,
        step: &mut Step,
        reader: &Reader,
        can: &Capabilities,
        project: &ProjectId,
    ) -> AppContent {
        let (was, mut content) = (&self.version, self.version.content());
        if let Some(name) = &was.hardware_tier_name {
            let tiers = reader.hardware_tiers(project, TierUse::Runs).await;
            let found = tiers.map_err(CommandError::from).and_then(|tiers| {
                let tier = choose(&tiers, name, "hardware tier")?;
                Ok(tier.id.clone())
            });
            match found {
                Ok(id) => content.hardware_tier = Some(id),
                Err(error) => not_found(step, was, "hardware tier", &error),
            }
        }
        if let Some(name) = &was.environment_name {
            let found = reader.environments(project).await;
            let found = found.map_err(CommandError::from).and_then(|environments| {
                let environment = choose(&environments, name, "compute environment")?;
                Ok(environment.id.clone())
            });
            match found {
                Ok(id) => content.environment = Some(id),
                Err(error) => not_found(step, was, "compute environment", &error),
            }
        }
        // A version that is started again keeps its environment.
        let makes_another = !can.starts_versions_again;
        let unreported = [
            ("hardware tier", content.hardware_tier.is_none()),
            (
                "compute environment",
                makes_another && content.environment.is_none(),
            ),
        ];
        for (what, _) in unreported
            .into_iter()
            .filter(|(_, is_unreported)| *is_unreported)
        {
            let text = format!(
                "it is not known which {what} {} ran on: it is put back on the one that Domino chooses, which may be \
                 on another data plane",
                version_text(was)
            );
            step.warn(&text, None);
        }
        content
    }
}

/// The id in the app's own settings is used instead, if there is one.
fn not_found(step: &mut Step, was: &AppVersion, what: &str, error: &impl Display) {
    let text = format!(
        "the {what} that {} ran on could not be looked up: {error:#}",
        version_text(was)
    );
    step.warn(&text, None);
}

#[cfg(test)]
mod tests {
    use domino_core::api::apps::Generation;
    use domino_core::api::hardware_tiers::HardwareTierId;

    use super::*;
    use crate::wanted::tests::version;

    fn previous(version: AppVersion) -> PreviousVersion {
        PreviousVersion {
            version,
            entry_point: None,
        }
    }

    /// As the oldest API describes a start: by name, and by id only for the app.
    fn named(tier: &str, environment: &str) -> AppVersion {
        AppVersion {
            hardware_tier_name: Some(tier.into()),
            environment_name: Some(environment.into()),
            ..version("Running")
        }
    }

    #[test]
    fn what_is_the_same_differs_in_nothing() {
        let same = previous(version("Running"))
            .compare(Generation::Beta.capabilities(), &version("Running"));
        assert_eq!(same, Comparison::default());
        let short = AppVersion {
            git_ref: Some(GitRef::Commit("abababababab".into())),
            ..version("Running")
        };
        let same = previous(version("Running")).compare(Generation::V4.capabilities(), &short);
        assert_eq!(same, Comparison::default());
    }

    #[test]
    fn commit_tier_environment_and_revision_are_compared() {
        let other = AppVersion {
            git_ref: Some(GitRef::Commit("cd".repeat(20))),
            hardware_tier: Some(HardwareTierId::new("large-k8s")),
            environment: None,
            environment_name: Some("Other".into()),
            revision: Some("r4".into()),
            ..version("Running")
        };
        let was = AppVersion {
            environment_name: Some("Standard".into()),
            ..version("Running")
        };
        let comparison = previous(was).compare(Generation::Beta.capabilities(), &other);
        assert_eq!(
            comparison.different,
            [
                format!("commit: {} → {}", "cd".repeat(20), "ab".repeat(20)),
                "hardware tier: large-k8s → small-k8s".into(),
                "environment: Other → Standard".into(),
                "environment revision: r4 → r3".into(),
            ]
        );
        assert!(comparison.unreported.is_empty());
    }

    #[test]
    fn the_name_of_what_a_start_ran_on_counts_more_than_the_id_of_what_the_app_is_set_to() {
        let comparison = previous(named("Large", "Standard"))
            .compare(Generation::V4.capabilities(), &named("Small", "Standard"));
        assert_eq!(comparison.different, ["hardware tier: Small → Large"]);
    }

    #[test]
    fn a_revision_that_cannot_be_asked_for_is_told_and_no_difference() {
        let newer = AppVersion {
            revision: Some("r4".into()),
            ..version("Running")
        };
        let comparison =
            previous(version("Running")).compare(Generation::V4.capabilities(), &newer);
        assert!(comparison.different.is_empty());
        assert_eq!(
            comparison.newer_revision.as_deref(),
            Some("environment revision: r3 → r4")
        );
    }

    #[test]
    fn what_is_not_told_of_one_of_them_is_not_called_the_same() {
        let silent = AppVersion {
            git_ref: None,
            hardware_tier: None,
            environment: None,
            ..version("Running")
        };
        let unreported = ["commit", "hardware tier", "environment"];
        let comparison =
            previous(silent.clone()).compare(Generation::V4.capabilities(), &version("Running"));
        assert_eq!(comparison.unreported, unreported);
        let comparison =
            previous(version("Running")).compare(Generation::V4.capabilities(), &silent);
        assert_eq!(comparison.unreported, unreported);
    }
}
