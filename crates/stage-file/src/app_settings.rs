//! What a version of an app has beside its hardware tier and its compute environment. What the file does not say is
//! `None`, and stays what Domino has.

use serde::{Deserialize, Serialize};

use crate::run_settings::Volumes;

/// What an app has of its own, in every stage or in one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AppSettings {
    /// The volumes that are mounted.
    #[serde(flatten)]
    pub volumes: Volumes,
    /// How many instances serve it.
    pub autoscaling: Option<Autoscaling>,
    /// Whether it acts in Domino as the person who looks at it.
    pub viewer_identity: Option<bool>,
    /// The end of the address that people remember.
    pub vanity_url: Option<String>,
    /// Whether people who may not open it find it in Domino.
    pub discoverable: Option<bool>,
    /// The governance bundle that it belongs to, by id.
    pub bundle: Option<String>,
}

/// `autoscaling = { … }`: Domino adds and removes instances.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Autoscaling {
    /// The fewest instances.
    pub min: u32,
    /// The most instances.
    pub max: u32,
    /// The use of processors, in percent, that is aimed at.
    pub cpu: Option<u32>,
    /// The use of memory, in percent, that is aimed at.
    pub memory: Option<u32>,
    /// For how many seconds more must be needed before there are more.
    pub scale_up_after: Option<u32>,
    /// For how many seconds fewer must do before there are fewer.
    pub scale_down_after: Option<u32>,
    /// Whether a visitor stays with one instance.
    pub session_affinity: Option<bool>,
}

/// A generation of Domino's API for apps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AppApi {
    /// `/api/apps/v1`.
    V1,
    /// `/api/apps/beta`.
    Beta,
    /// `/v4/modelProducts`.
    V4,
}

impl AppSettings {
    /// These, and what they do not say as `below` has it.
    pub fn over(&self, below: &Self) -> Self {
        let either = |own: &Option<String>, below: &Option<String>| own.clone().or(below.clone());
        Self {
            volumes: self.volumes.over(&below.volumes),
            autoscaling: self.autoscaling.clone().or(below.autoscaling.clone()),
            viewer_identity: self.viewer_identity.or(below.viewer_identity),
            vanity_url: either(&self.vanity_url, &below.vanity_url),
            discoverable: self.discoverable.or(below.discoverable),
            bundle: either(&self.bundle, &below.bundle),
        }
    }
}
