//! Compares where something runs with where the file places it: hardware tier, data plane, compute environment and
//! revision.

use domino_core::api::environments::EnvironmentId;
use domino_core::api::hardware_tiers::HardwareTierId;
use stage_file::{Revision, Target};

use super::deployed::Deployed;
use super::seen::Seen;

/// Where an app or an endpoint runs, as far as Domino tells.
pub(super) struct Where<'a> {
    pub(super) tier: Option<&'a HardwareTierId>,
    /// The data plane; if that is not told, that of the tier.
    pub(super) plane: Option<&'a str>,
    pub(super) environment: Option<&'a EnvironmentId>,
    pub(super) revision: Option<&'a str>,
}

impl Where<'_> {
    /// Adds what differs from the file.
    pub(super) fn compare(&self, seen: &Seen<'_>, target: &Target, found: &mut Deployed) {
        let (file, places) = (seen.file, &seen.places);
        if let (Some(id), Some(wanted)) = (self.tier, &target.hardware_tier)
            && let Some(other) = places.another_tier(id, wanted)
        {
            let key = words(&target.hardware_tier_key);
            found.differs_from(file, &key, "hardware tier", other, wanted, false);
        }
        match (self.plane, self.tier) {
            (Some(plane), _) => plane_by_id(seen, plane, found),
            (None, Some(tier)) => plane_of_tier(seen, tier, found),
            (None, None) => {}
        }
        let (Some(id), Some(wanted)) = (self.environment, &target.environment) else {
            return;
        };
        let key = words(&target.environment_key);
        if let Some(other) = places.another_environment(id, &wanted.id_or_name) {
            found.differs_from(file, &key, "environment", other, &wanted.id_or_name, false);
            return;
        }
        if let (Some(is), Some(means)) = (
            self.revision,
            places.revision(id.as_str(), &wanted.revision),
        ) && is != means
        {
            let means = match wanted.revision {
                Revision::Active => format!("the active one, {means}"),
                _ => means,
            };
            found.differs_from(file, &key, "environment revision", is, means, false);
        }
    }
}

/// Adds that a hardware tier is on another data plane than the file says.
pub(super) fn plane_of_tier(seen: &Seen<'_>, tier: &HardwareTierId, found: &mut Deployed) {
    if let Some(plane) = seen.places.plane_of_tier(tier) {
        plane_by_id(seen, plane, found);
    }
}

fn plane_by_id(seen: &Seen<'_>, plane: &str, found: &mut Deployed) {
    if let Some(wanted) = &seen.stage.data_plane
        && let Some(other) = seen.places.another_plane(plane, wanted)
    {
        let key = ["stage", &seen.stage.name, "data-plane"];
        found.differs_from(seen.file, &key, "data plane", other, wanted, false);
    }
}

fn words(path: &[String]) -> Vec<&str> {
    path.iter().map(String::as_str).collect()
}
