//! Governance, Domino 6: policies, bundles made from them, the approvals of a bundle and its gates.
//!
//! A bundle contains attachments, which are to be approved, and the approvals that its policy asks for. No spec
//! describes the object that tells who last acted on an approval. So it is read with every spelling; what cannot be
//! read is `None`, and code that relies on it must say so. Nothing here decides.

mod bundles;
mod evidence;
mod gates;
mod policies;
mod reports;
#[cfg(test)]
mod tests;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

pub use self::bundles::{
    Approval, ApprovalEvent, ApprovalEventType, ApprovalStatus, Approver, Attachment, Bundle,
    BundleState, NewBundle, Timeline, Validity,
};
pub use self::evidence::{Answer, Evidence, Finding, NewAnswers, Question};
pub use self::gates::{Gate, GateAction, GatedPlace, Guarded};
pub use self::policies::{Policy, PolicyApproval, PolicyOverview, PolicyStage, PolicyStatus};
pub use super::ids::{ApprovalId, BundleId, PolicyApprovalId, PolicyId};
use crate::client::{ApiError, Reader};

/// The path that every route begins with.
const BASE: &str = "/api/governance/v1";
/// The page size that is asked for; a deployment may return less.
const PAGE: usize = 100;
/// A list with more pages is considered endless.
const MOST_PAGES: usize = 1000;

/// Who did something in Domino, as far as an object of unknown form tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actor {
    /// The user's id.
    pub id: Option<String>,
    /// The sign-in name, or if that is not told, the display name.
    pub name: Option<String>,
}

impl Actor {
    /// Whether both are certainly the same user: by id, or if one has none, by name, ignoring case.
    pub fn is(&self, other: &Self) -> bool {
        match (&self.id, &other.id) {
            (Some(one), Some(other)) => one == other,
            _ => other.name.as_ref().is_some_and(|name| self.is_called(name)),
        }
    }

    /// Whether this is the user of that name, ignoring case.
    pub fn is_called(&self, name: &str) -> bool {
        self.name
            .as_ref()
            .is_some_and(|own| own.to_lowercase() == name.to_lowercase())
    }

    /// Reads an object of unknown form, or a bare name. `None` when nothing in it says who it is.
    fn of(value: &Value) -> Option<Self> {
        let text = |key: &str| {
            let value = value.get(key)?.as_str()?.trim();
            (!value.is_empty()).then(|| value.to_owned())
        };
        let first = |keys: &[&str]| keys.iter().find_map(|key| text(key));
        let actor = Self {
            id: first(&["id", "userId", "_id"]),
            name: first(&["userName", "username", "loginId", "name", "fullName"]),
        };
        match value
            .as_str()
            .map(str::trim)
            .filter(|name| !name.is_empty())
        {
            Some(name) => Some(Self {
                id: None,
                name: Some(name.to_owned()),
            }),
            None => (actor != Self::default()).then_some(actor),
        }
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.name, &self.id) {
            (Some(name), _) => write!(f, "`{name}`"),
            (None, Some(id)) => write!(f, "the user with id `{id}`"),
            (None, None) => f.write_str("somebody"),
        }
    }
}

/// Reads an [`Actor`] that may be absent.
fn actor<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Actor>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    Ok(value.as_ref().and_then(Actor::of))
}

/// A field without a value may be missing or `null`.
fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Deserialize)]
struct Page<T> {
    #[serde(default = "Vec::new")]
    data: Vec<T>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Default, Deserialize)]
struct Meta {
    #[serde(default)]
    pagination: Pagination,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Pagination {
    total_count: Option<usize>,
}

/// All entries of a list, page after page. Some deployments ignore limit and offset and return everything at once; so
/// a page without new entries is the end, whatever the count says.
async fn all<T: DeserializeOwned>(
    reader: &Reader,
    path: &str,
    filter: &[(&str, &str)],
    id_of: impl Fn(&T) -> &str,
) -> Result<Vec<T>, ApiError> {
    let limit = PAGE.to_string();
    let (mut found, mut seen) = (Vec::new(), std::collections::HashSet::new());
    let mut read = 0;
    for _ in 0..MOST_PAGES {
        let offset = read.to_string();
        let mut query = filter.to_vec();
        query.extend([("limit", limit.as_str()), ("offset", offset.as_str())]);
        let page: Page<T> = reader.read(path, &query).await?;
        let before = seen.len();
        read += page.data.len();
        for thing in page.data {
            if seen.insert(id_of(&thing).to_owned()) {
                found.push(thing);
            }
        }
        let total = page.meta.pagination.total_count;
        if seen.len() == before || total.is_some_and(|total| read >= total) {
            return Ok(found);
        }
    }
    Err(ApiError::endless(path, MOST_PAGES))
}
