//! What a Domino has before anything runs: its release, users, projects, data planes, hardware tiers and
//! environments. Requests are checked against it.

use std::path::Path;
use std::sync::Arc;

use crate::clock::Moment;
use crate::data_planes::DataPlanes;
use crate::environments::Environments;
use crate::external_volumes::ExternalVolumes;
use crate::hardware_tiers::HardwareTiers;
use crate::projects::Projects;
use crate::seed::Seed;
use crate::users::Users;
use crate::version::Version;

/// The seed's things, with ids.
pub(crate) struct Catalog {
    pub(crate) version: Version,
    pub(crate) users: Arc<Users>,
    pub(crate) projects: Arc<Projects>,
    pub(crate) data_planes: Arc<DataPlanes>,
    pub(crate) hardware_tiers: Arc<HardwareTiers>,
    pub(crate) environments: Arc<Environments>,
    pub(crate) external_volumes: Arc<ExternalVolumes>,
}

impl Catalog {
    /// What `seed` names, with projects whose code is in `repository`.
    pub(crate) fn new(
        seed: &Seed,
        version: Version,
        repository: &Path,
        now: Moment,
    ) -> anyhow::Result<Self> {
        let users = Arc::new(Users::new(seed));
        let projects = Arc::new(Projects::new(seed, &users, repository, now));
        let data_planes = Arc::new(DataPlanes::new(seed));
        let tiers = HardwareTiers::new(seed, &data_planes, projects.clone(), now)?;
        let volumes = ExternalVolumes::new(seed, data_planes.clone(), projects.clone());
        Ok(Catalog {
            version,
            hardware_tiers: Arc::new(tiers),
            environments: Arc::new(Environments::new(seed, projects.clone())),
            external_volumes: Arc::new(volumes),
            users,
            projects,
            data_planes,
        })
    }
}
