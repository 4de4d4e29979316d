//! The gates of a bundle: what may not be deployed of it yet, and where.

use serde::Deserialize;
use serde_json::{Map, Value};

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

/// The parameter that limits a gate to hardware tiers.
const TIER: &str = "hardwareTierId";

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
    /// Whether it applies to this hardware tier, by its id. An unknown tier may be any.
    fn is_about(&self, tier: Option<&str>) -> bool {
        let named = self.parameters.get(TIER);
        match (named, tier) {
            (Some(Value::String(named)), Some(tier)) => named == tier,
            (Some(Value::Array(named)), Some(tier)) => named.iter().any(|named| named == tier),
            _ => true,
        }
    }
}

impl Gate {
    /// Whether it is closed, and blocks the start of an app on this hardware tier or an action that we do not know.
    pub fn stops_apps(&self, tier: Option<&str>) -> bool {
        self.stops_all_but(&GateAction::CreateEndpoint, tier)
    }

    /// The same for an endpoint.
    pub fn stops_endpoints(&self, tier: Option<&str>) -> bool {
        self.stops_all_but(&GateAction::CreateApp, tier)
    }

    fn stops_all_but(&self, other: &GateAction, tier: Option<&str>) -> bool {
        let guards = |guarded: &Guarded| {
            guarded.action != *other && !guarded.fail_open && guarded.is_about(tier)
        };
        !self.is_open && (self.resources.is_empty() || self.resources.iter().any(guards))
    }

    /// Whether it is closed for certain hardware tiers only.
    pub fn names_tiers(&self) -> bool {
        let named = |guarded: &Guarded| guarded.parameters.contains_key(TIER);
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
