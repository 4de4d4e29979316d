//! The generations of Domino's API for model APIs, and the one table of what each of them can do.

/// Which routes a deployment has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Generation {
    /// `/api/modelServing/v1`, in the public API.
    ModelServing,
    /// `/v1/models`, on older deployments.
    Models,
}

/// What a generation can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// It always tells which version answers, and its status.
    pub tells_active_version: bool,
    /// It tells and changes the description, environment, hardware tier and replicas of a model API. Otherwise those
    /// are sent with each version and cannot be read.
    pub tells_settings: bool,
    /// It repeats the description of every version.
    pub tells_descriptions: bool,
    /// Environment variables are accepted only when a model API is created; otherwise with every version.
    pub fixes_variables: bool,
    /// It can have a version monitored.
    pub monitors: bool,
    /// It tells which version callers get by a label, and can move that.
    pub routes_by_label: bool,
    /// A model API belongs to a governance bundle if it was created with one.
    pub governs: bool,
    /// A model API can be archived.
    pub archives: bool,
}

impl Generation {
    /// What this generation can do.
    pub fn capabilities(self) -> Capabilities {
        let newer = self == Self::ModelServing;
        Capabilities {
            tells_active_version: newer,
            tells_settings: newer,
            tells_descriptions: newer,
            fixes_variables: newer,
            monitors: newer,
            routes_by_label: newer,
            governs: newer,
            archives: newer,
        }
    }
}
