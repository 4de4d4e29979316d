//! What the stage file and the commit ask for, and how a version in Domino compares with it.
//!
//! What Domino does not tell counts neither as the same nor as different: a version is as wanted only if that is
//! proven.

use domino_core::api::GitRef;
use domino_core::api::apps::{
    AppContent, AppVersion, Carried, Thumbnail, VersionFields, visibility_word,
};
use domino_core::api::environments::EnvironmentId;
use domino_core::api::hardware_tiers::HardwareTierId;
use domino_core::commit::Commit;
use domino_core::deployment_marker::APP_TAG;
use domino_core::place::ResolvedPlacement;
use stage_file::Visibility;

/// The fewest digits of a commit that identify it.
const SHORTEST_COMMIT: usize = 7;

/// What should serve.
#[derive(Debug, Clone)]
pub(crate) struct Wanted {
    pub(crate) commit: Commit,
    pub(crate) place: ResolvedPlacement,
    /// The environment's revision by id; `None` is the active one.
    pub(crate) revision: Option<String>,
    pub(crate) entry_point: String,
    /// If it is empty, the stage file says nothing, and Domino's description stays.
    pub(crate) description: String,
    pub(crate) visibility: Visibility,
    /// Whether the stage file itself says who may open it; otherwise Domino's visibility stays.
    pub(crate) says_visibility: bool,
    /// Who could open it when we last published it, in Domino's word, if that is known.
    pub(crate) last_visibility: Option<String>,
    /// Whether the file overrides what people decided in Domino.
    pub(crate) as_file_says: bool,
    /// Whether a version other than the current one runs, as after a rollback next to what existed.
    pub(crate) another_runs: bool,
    /// What the file sets of a version beside its place.
    pub(crate) fields: VersionFields,
    /// Whether people who may not open it find it; `None` leaves Domino's.
    pub(crate) discoverable: Option<bool>,
    /// The app's picture, if Domino does not have it already.
    pub(crate) thumbnail: Option<Thumbnail>,
    /// Settings of the previous version that the file does not mention.
    pub(crate) kept: Kept,
}

/// Settings of the previous version that the stage file does not mention, so that the next one has them too.
#[derive(Debug, Clone, Default)]
pub(crate) struct Kept {
    /// If the file names no tier.
    pub(crate) tier: Option<HardwareTierId>,
    /// If the file names no environment.
    pub(crate) environment: Option<EnvironmentId>,
    /// Everything else.
    pub(crate) carried: Carried,
}

impl Kept {
    /// The settings of this version.
    pub(crate) fn of(version: &AppVersion, place: &ResolvedPlacement) -> Self {
        Self {
            tier: version
                .hardware_tier
                .clone()
                .filter(|_| place.tier.is_none()),
            environment: version
                .environment
                .clone()
                .filter(|_| place.environment.is_none()),
            carried: version.carried.for_next_version(),
        }
    }

    /// The same in words.
    pub(crate) fn words(&self, fields: &VersionFields) -> Vec<String> {
        let tier = self.tier.iter().map(|id| format!("hardware tier {id}"));
        let environment = self
            .environment
            .iter()
            .map(|id| format!("environment {id}"));
        tier.chain(environment)
            .chain(self.carried.without(fields).words(APP_TAG))
            .collect()
    }
}

/// How a version compares with what is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// What is different, with both sides.
    pub(crate) different: Vec<String>,
    /// What Domino does not tell about the version.
    pub(crate) unreported: Vec<&'static str>,
    /// The environment's active revision, if it has changed.
    pub(crate) newer_revision: Option<String>,
}

impl Wanted {
    /// The visibility that the next version's tag keeps as ours; see [`crate::last_written::tag`].
    pub(crate) fn visibility_of_ours(&self, existing: Option<&str>) -> String {
        let wanted = visibility_word(self.visibility);
        let last = self.last_visibility.as_deref();
        let ours = match existing {
            Some(existing)
                if !self.says_visibility
                    || existing == wanted
                    || self.as_file_says
                    || last == Some(existing) =>
            {
                existing
            }
            // Somebody set it, and it stays.
            Some(_) => last.unwrap_or(wanted),
            None => wanted,
        };
        ours.to_owned()
    }

    /// What Domino is asked to run.
    pub(crate) fn content(&self) -> AppContent {
        let mut carried = self.kept.carried.clone();
        carried.set(&self.fields);
        AppContent {
            git_ref: Some(GitRef::commit(&self.commit)),
            hardware_tier: self
                .place
                .tier
                .as_ref()
                .map(|tier| tier.id.clone())
                .or_else(|| self.kept.tier.clone()),
            environment: self
                .place
                .environment
                .as_ref()
                .map(|(environment, _)| environment.id.clone())
                .or_else(|| self.kept.environment.clone()),
            revision: self.revision.clone(),
            carried,
        }
    }

    /// Compares commit, tier and environment of a version with what is wanted.
    pub(crate) fn compare(&self, version: &AppVersion) -> Comparison {
        let mut comparison = Comparison::default();
        match &version.git_ref {
            Some(git_ref) if is_commit(git_ref, &self.commit) => {}
            Some(git_ref) => {
                comparison.differs("commit", &plainly(git_ref), self.commit.as_str());
            }
            None => comparison.unreported.push("commit"),
        }
        if let Some(tier) = &self.place.tier {
            let (id, name) = (&version.hardware_tier, &version.hardware_tier_name);
            match (id, name) {
                (Some(id), _) if *id != tier.id => {
                    comparison.differs("hardware tier", id.as_str(), tier.id.as_str());
                }
                // The app's tier may be the configured one; the name is that of the start itself.
                (_, Some(name)) if *name != tier.name && *name != tier.id.as_str() => {
                    comparison.differs("hardware tier", name, &tier.name);
                }
                (None, None) => comparison.unreported.push("hardware tier"),
                _ => {}
            }
        }
        if let Some((environment, _)) = &self.place.environment {
            let (id, name) = (&version.environment, &version.environment_name);
            match (id, name) {
                (Some(id), _) if *id != environment.id => {
                    comparison.differs("environment", id.as_str(), environment.id.as_str());
                }
                (_, Some(name)) if *name != environment.name => {
                    comparison.differs("environment", name, &environment.name);
                }
                (None, None) => comparison.unreported.push("environment"),
                _ => {
                    let active = environment.active_revision_id.as_deref();
                    self.compare_revision(version, active, &mut comparison);
                }
            }
        }
        for (what, existing, wanted) in version.carried.differences(&self.fields) {
            comparison.differs(what, &existing, &wanted);
        }
        comparison
    }

    fn compare_revision(
        &self,
        version: &AppVersion,
        active: Option<&str>,
        comparison: &mut Comparison,
    ) {
        let runs = version.revision.as_deref();
        match (runs, self.revision.as_deref()) {
            (Some(runs), Some(wanted)) if runs != wanted => {
                comparison.differs("environment revision", runs, wanted);
            }
            (None, Some(_)) => comparison.unreported.push("environment revision"),
            (Some(runs), None) => {
                comparison.newer_revision = active
                    .filter(|active| *active != runs)
                    .map(|active| format!("active environment revision: {runs} → {active}"));
            }
            _ => {}
        }
    }
}

impl Comparison {
    pub(crate) fn differs(&mut self, what: &str, existing: &str, wanted: &str) {
        self.different
            .push(format!("{what}: {existing} → {wanted}"));
    }
}

/// Whether a git reference is this commit; Domino may show only its first digits.
pub(crate) fn is_commit(git_ref: &GitRef, commit: &Commit) -> bool {
    matches!(git_ref, GitRef::Commit(id) if id.len() >= SHORTEST_COMMIT
        && commit.as_str().starts_with(&id.to_ascii_lowercase()))
}

/// A git reference as people read it: a bare commit is expected, anything else names its kind.
pub(crate) fn plainly(git_ref: &GitRef) -> String {
    match git_ref {
        GitRef::Commit(commit) => commit.clone(),
        moving => moving.to_string(),
    }
}

/// A git reference as people read it: a commit by its first digits.
pub(crate) fn in_short(git_ref: Option<&GitRef>) -> String {
    match git_ref {
        None => "a commit that Domino does not tell".into(),
        Some(git_ref @ GitRef::Commit(id)) => match Commit::whole(id) {
            Some(commit) => format!("commit {}", commit.short()),
            None => git_ref.to_string(),
        },
        Some(moving) => moving.to_string(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
