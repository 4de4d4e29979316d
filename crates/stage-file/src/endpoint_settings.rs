//! How the endpoint of a model answers its callers: all that a model may say, and a stage otherwise. What is silent
//! stays as people set it in Domino.

use serde::{Deserialize, Serialize};

use crate::host::Host;

/// What a model, or one stage of it, says of its endpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EndpointSettings {
    /// Whether callers leave a request there and fetch the answer later.
    pub asynchronous: Option<bool>,
    /// Whether Domino monitors the model, for which it records what is asked and answered.
    pub monitoring: Option<bool>,
    /// The host where the endpoint is called, when it is not Domino's own.
    pub endpoint_host: Option<Host>,
    /// Which version callers get.
    pub routing: Option<Routing>,
    /// The governance bundle that a new endpoint belongs to, by id.
    pub bundle: Option<String>,
}

/// A generation of Domino's API for endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndpointApi {
    /// `/api/modelServing/v1`.
    ModelServing,
    /// `/v1/models`.
    Models,
}

/// Which version the callers of an endpoint get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Routing {
    /// The newest that runs.
    Basic,
    /// The one behind the label `prod`, which moves once the newest is known to be good.
    Advanced,
}

impl Routing {
    /// As the stage file and Domino write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Basic => "basic",
            Self::Advanced => "advanced",
        }
    }
}

impl EndpointSettings {
    /// These, and where they are silent those.
    pub(crate) fn over(&self, those: &Self) -> Self {
        Self {
            asynchronous: self.asynchronous.or(those.asynchronous),
            monitoring: self.monitoring.or(those.monitoring),
            endpoint_host: self
                .endpoint_host
                .clone()
                .or_else(|| those.endpoint_host.clone()),
            routing: self.routing.or(those.routing),
            bundle: self.bundle.clone().or_else(|| those.bundle.clone()),
        }
    }
}
