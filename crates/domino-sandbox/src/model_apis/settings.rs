//! What can be changed about a model API: its name, its place and its size. A version uses the settings at the time
//! of its creation.

use std::sync::Arc;

use crate::environments::Environment;
use crate::hardware_tiers::HardwareTier;

/// The replicas of a model API that asks for none.
pub(super) const DEFAULT_REPLICAS: u64 = 2;
/// How many replicas one may have.
pub(super) const MOST_REPLICAS: u64 = 32;

/// What can be changed of a model API.
#[derive(Clone)]
pub(crate) struct Settings {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) environment: Arc<Environment>,
    pub(crate) hardware_tier: Option<Arc<HardwareTier>>,
    pub(crate) replicas: u64,
    pub(crate) resource_quota_id: Option<String>,
}

impl Settings {
    pub(super) fn hardware_tier_id(&self) -> Option<&str> {
        self.hardware_tier.as_ref().map(|tier| tier.id.as_str())
    }
}
