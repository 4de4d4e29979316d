//! What a model API can be told anew: its name, its place and its size. A version takes them as they
//! are when it is made.

use std::sync::Arc;

use crate::domino::Domino;
use crate::environments::Environment;
use crate::hardware_tiers::HardwareTier;
use crate::reply::Failure;

/// What a model API can be told anew.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) environment: Arc<Environment>,
    pub(crate) hardware_tier: Option<Arc<HardwareTier>>,
    pub(crate) replicas: u64,
}

impl Settings {
    pub(super) fn of(
        domino: &Domino,
        name: &str,
        description: &str,
        environment_id: Option<&str>,
        hardware_tier_id: Option<&str>,
        replicas: u64,
    ) -> Result<Self, Failure> {
        if replicas == 0 {
            return Err(Failure::bad_request("A model API has at least one replica"));
        }
        let hardware_tier = domino.hardware_tiers.for_model_api(hardware_tier_id)?;
        Ok(Settings {
            name: name.to_owned(),
            description: description.to_owned(),
            environment: domino.environments.for_run(environment_id)?.clone(),
            hardware_tier: hardware_tier.cloned(),
            replicas,
        })
    }
}
