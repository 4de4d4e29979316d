//! The gates of a bundle: what may not be deployed of it yet, and where.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::super::hardware_tiers::HardwareTier;
use super::{BASE, BundleId, or_default};
use crate::client::{ApiError, Reader, segment};

/// A gate of a bundle: what may not be deployed from its attachments while it is closed.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// The name that the policy gives it.
    #[serde(default)]
    pub name: String,
    /// Whether it is open.
    #[serde(default, deserialize_with = "or_default")]
    pub is_open: bool,
    /// Why it is closed.
    #[serde(default, deserialize_with = "or_default")]
    pub reason: String,
    /// The actions that it blocks.
    #[serde(default, deserialize_with = "or_default")]
    pub resources: Vec<Guarded>,
}

/// The parameters that limit a gate to hardware tiers, and to data planes.
const TIER: &str = "hardwareTierId";
const DATA_PLANE: &str = "dataPlaneId";
/// The value of either that limits nothing.
const ANY: &str = "any";

/// Where something is to run, as far as that is known, by ids: what a gate may be limited to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GatedPlace {
    /// The hardware tier.
    pub tier: Option<String>,
    /// Its data plane.
    pub data_plane: Option<String>,
}

impl GatedPlace {
    /// The place that this tier chooses.
    pub fn of(tier: Option<&HardwareTier>) -> Self {
        let plane = tier.and_then(|tier| tier.data_plane.as_ref());
        Self {
            tier: tier.map(|tier| tier.id.as_str().to_owned()),
            data_plane: plane.map(|plane| plane.id.clone()),
        }
    }
}

/// An action that a gate blocks.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Guarded {
    /// What cannot be created while the gate is closed.
    pub action: GateAction,
    /// Whether the action is still possible while the gate is closed.
    #[serde(default, deserialize_with = "or_default")]
    pub fail_open: bool,
    /// Where it applies; empty means everywhere.
    #[serde(default, deserialize_with = "or_default")]
    pub parameters: Map<String, Value>,
}

/// The kinds of action that a gate blocks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum GateAction {
    /// Publishing an app.
    CreateApp,
    /// Publishing an endpoint.
    CreateEndpoint,
    /// A word that we do not know.
    Unknown(String),
}

impl From<String> for GateAction {
    fn from(word: String) -> Self {
        match word.as_str() {
            "CreateApp" => Self::CreateApp,
            "CreateEndpoint" => Self::CreateEndpoint,
            _ => Self::Unknown(word),
        }
    }
}

impl Guarded {
    /// Whether it applies to this place. What is not known of a place may be anything.
    fn is_about(&self, place: &GatedPlace) -> bool {
        let names = |parameter: &str, id: &Option<String>| {
            let is_it = |named: &Value| named == ANY || id.as_ref().is_none_or(|id| named == id);
            match self.parameters.get(parameter) {
                Some(Value::Array(named)) => named.iter().any(is_it),
                Some(named @ Value::String(_)) => is_it(named),
                _ => true,
            }
        };
        names(TIER, &place.tier) && names(DATA_PLANE, &place.data_plane)
    }
}

impl Gate {
    /// Whether it is closed, and blocks the start of an app at this place or an action that we do not know.
    pub fn stops_apps(&self, place: &GatedPlace) -> bool {
        self.stops_all_but(&GateAction::CreateEndpoint, place)
    }

    /// The same for an endpoint.
    pub fn stops_endpoints(&self, place: &GatedPlace) -> bool {
        self.stops_all_but(&GateAction::CreateApp, place)
    }

    /// Whether it is closed, and lets endpoints be created all the same.
    pub fn fails_open_for_endpoints(&self, place: &GatedPlace) -> bool {
        let fails_open = |guarded: &Guarded| {
            guarded.fail_open && guarded.action != GateAction::CreateApp && guarded.is_about(place)
        };
        !self.is_open && !self.stops_endpoints(place) && self.resources.iter().any(fails_open)
    }

    fn stops_all_but(&self, other: &GateAction, place: &GatedPlace) -> bool {
        let guards = |guarded: &Guarded| {
            guarded.action != *other && !guarded.fail_open && guarded.is_about(place)
        };
        !self.is_open && (self.resources.is_empty() || self.resources.iter().any(guards))
    }

    /// Whether it is closed for certain hardware tiers or data planes only.
    pub fn names_places(&self) -> bool {
        let named = |guarded: &Guarded| {
            [TIER, DATA_PLANE]
                .into_iter()
                .any(|parameter| guarded.parameters.contains_key(parameter))
        };
        !self.is_open && self.resources.iter().any(named)
    }
}

impl Reader {
    /// `GET /api/governance/v1/bundles/{id}/gates`: a bare list. Contract: governance API.
    pub async fn bundle_gates(&self, id: &BundleId) -> Result<Vec<Gate>, ApiError> {
        let path = format!("{BASE}/bundles/{}/gates", segment(id.as_str()));
        self.read(&path, &[]).await
    }
}
