//! Hardware tiers, data planes and compute environments of a stage's Domino: the name in the file for an id.

use domino_core::api::environments::{Environment, EnvironmentId};
use domino_core::api::hardware_tiers::{AnyHardwareTier, HardwareTier, HardwareTierId, TierUse};
use domino_core::api::projects::ProjectId;
use domino_core::client::{ApiError, Reader};
use stage_file::Revision;

/// What the names of a stage file mean here.
#[derive(Debug, Default)]
pub(super) struct Places {
    tiers: Vec<AnyHardwareTier>,
    /// The ids of data planes with their names, as far as they are known.
    planes: Vec<(String, String)>,
    environments: Vec<Environment>,
}

impl Places {
    /// Reads the tiers in one list if this account may read that, otherwise in the project's two; and the
    /// environments.
    pub(super) async fn look(reader: &Reader, project: &ProjectId) -> Result<Self, ApiError> {
        let (all, environments) =
            tokio::try_join!(reader.all_hardware_tiers(), reader.environments(project))?;
        let mut places = Self {
            tiers: Vec::new(),
            planes: Vec::new(),
            environments,
        };
        match all {
            Some(tiers) => places.tiers = tiers,
            None => {
                let (runs, models) = tokio::try_join!(
                    reader.hardware_tiers(project, TierUse::Runs),
                    reader.hardware_tiers(project, TierUse::ModelEndpoints)
                )?;
                places.add(runs, TierUse::Runs);
                places.add(models, TierUse::ModelEndpoints);
            }
        }
        Ok(places)
    }

    fn add(&mut self, tiers: Vec<HardwareTier>, r#use: TierUse) {
        for tier in tiers {
            if let Some(plane) = &tier.data_plane {
                self.name_plane(&plane.id, &plane.name);
            }
            self.tiers.push(AnyHardwareTier {
                id: tier.id,
                name: tier.name,
                r#use,
                data_plane_id: tier.data_plane.map(|plane| plane.id),
            });
        }
    }

    /// The name of a data plane, learnt from something that is on it.
    pub(super) fn name_plane(&mut self, id: &str, name: &str) {
        if !self.planes.iter().any(|(known, _)| known == id) {
            self.planes.push((id.to_owned(), name.to_owned()));
        }
    }

    /// The name of this tier, if it is another one than `wanted`, an id or a name.
    pub(super) fn another_tier(&self, id: &HardwareTierId, wanted: &str) -> Option<String> {
        let tier = self.tiers.iter().find(|tier| tier.id == *id);
        let name = tier.map(|tier| tier.name.as_str());
        // If the list does not have it, its name is unknown.
        let is_wanted = id.as_str() == wanted || name.is_none_or(|name| name == wanted);
        (!is_wanted).then(|| name.unwrap_or(id.as_str()).to_owned())
    }

    /// The data plane of a tier, by its id.
    pub(super) fn plane_of_tier(&self, id: &HardwareTierId) -> Option<&str> {
        let tier = self.tiers.iter().find(|tier| tier.id == *id)?;
        tier.data_plane_id.as_deref()
    }

    /// The name of a data plane, if it is another one than `wanted`, an id or a name.
    pub(super) fn another_plane(&self, id: &str, wanted: &str) -> Option<String> {
        let (_, name) = self.planes.iter().find(|(known, _)| known == id)?;
        (id != wanted && name != wanted).then(|| name.clone())
    }

    /// The name of an environment, if it is another one than `wanted`, an id or a name.
    pub(super) fn another_environment(&self, id: &EnvironmentId, wanted: &str) -> Option<String> {
        let environment = self.environments.iter().find(|known| known.id == *id);
        let name = environment.map(|environment| environment.name.as_str());
        let is_wanted = id.as_str() == wanted || name.is_none_or(|name| name == wanted);
        (!is_wanted).then(|| name.unwrap_or(id.as_str()).to_owned())
    }

    /// The revision that `wanted` means for an environment by id or name: its id, if that is known.
    pub(super) fn revision(&self, environment: &str, wanted: &Revision) -> Option<String> {
        match wanted {
            Revision::Id(id) => Some(id.clone()),
            // This stage cannot tell what the stage before runs.
            Revision::Latest | Revision::AsBefore => None,
            Revision::Active => {
                let found = self
                    .environments
                    .iter()
                    .find(|known| known.id.as_str() == environment || known.name == environment);
                found?.active_revision_id.clone()
            }
        }
    }
}
