//! Bundles: what is to be approved, by whom it was, and what may be made of it.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::super::projects::ProjectId;
use super::super::registered_models::VersionNumber;
use super::{
    Actor, ApprovalId, BASE, BundleId, PolicyApprovalId, PolicyId, actor, all, or_default,
};
use crate::client::{ApiError, Reader, Writer, segment};

/// What is to be approved, and from which policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
    /// The id.
    pub id: BundleId,
    /// The name.
    #[serde(default)]
    pub name: String,
    /// Whether it is still in use.
    pub state: BundleState,
    /// The policy that it was made from; others may have been added.
    pub policy_id: Option<PolicyId>,
    /// The project.
    pub project_id: Option<ProjectId>,
    /// The stage of its policy that it is in, by its name.
    pub stage: Option<String>,
    /// What it carries.
    #[serde(default, deserialize_with = "or_default")]
    pub attachments: Vec<Attachment>,
    /// Who made it.
    #[serde(default, deserialize_with = "actor")]
    pub created_by: Option<Actor>,
    /// When, in RFC 3339.
    pub created_at: Option<String>,
}

impl Bundle {
    /// When it was made, in epoch milliseconds, where Domino tells.
    pub fn created_millisecond(&self) -> Option<i64> {
        let created: jiff::Timestamp = self.created_at.as_deref()?.parse().ok()?;
        Some(created.as_millisecond())
    }
}

/// Whether a bundle is still in use.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum BundleState {
    /// It is.
    Active,
    /// Put away.
    Archived,
    /// Through all its stages.
    Complete,
    /// A word that we do not know.
    Unknown(String),
}

impl From<String> for BundleState {
    fn from(word: String) -> Self {
        match word.as_str() {
            "Active" => Self::Active,
            "Archived" => Self::Archived,
            "Complete" => Self::Complete,
            _ => Self::Unknown(word),
        }
    }
}

/// Something that a bundle carries.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// What kind of thing: `ModelVersion`, `Report`, …
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Which one; its form depends on the kind.
    #[serde(default)]
    pub identifier: Value,
    /// What each approval means for it, by the approval's id: one that was given before it was attached does
    /// not cover it.
    #[serde(default, deserialize_with = "or_default")]
    pub approval_timeline_map: BTreeMap<String, Timeline>,
}

/// What an approval means for an attachment.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// Whether the approval covers the attachment.
    #[serde(default)]
    pub timeline_status: Validity,
}

/// Whether an approval covers an attachment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Validity {
    /// It does.
    #[default]
    Valid,
    /// It does not.
    Invalid,
    /// A word that we do not know.
    Unknown(String),
}

impl From<String> for Validity {
    fn from(word: String) -> Self {
        match word.as_str() {
            "Valid" | "" => Self::Valid,
            "Invalid" => Self::Invalid,
            _ => Self::Unknown(word),
        }
    }
}

impl Attachment {
    /// The kind of an attached version of a registered model.
    const MODEL_VERSION: &str = "ModelVersion";

    /// Whether it is this version of this registered model. The version may be told as a number or as text.
    pub fn is_model_version(&self, name: &str, version: VersionNumber) -> bool {
        let told = match &self.identifier["version"] {
            Value::Number(number) => number.as_u64(),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        self.kind == Self::MODEL_VERSION
            && self.identifier["name"] == name
            && told == Some(version.get())
    }

    /// Whether it certainly is not covered by an approval.
    pub fn is_left_out_of(&self, approval: &ApprovalId) -> bool {
        self.approval_timeline_map
            .get(approval.as_str())
            .is_some_and(|timeline| timeline.timeline_status != Validity::Valid)
    }
}

/// An approval that a bundle needs, and how it stands.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// The id.
    pub id: ApprovalId,
    /// The name.
    #[serde(default)]
    pub name: String,
    /// How it stands.
    pub status: ApprovalStatus,
    /// The policy that asks for it.
    pub policy_id: Option<PolicyId>,
    /// Which of the policy's approvals it is.
    pub stage_approval_id: Option<PolicyApprovalId>,
    /// Who may give it.
    #[serde(default, deserialize_with = "or_default")]
    pub approvers: Vec<Approver>,
    /// Who acted on it last.
    #[serde(default, deserialize_with = "actor")]
    pub updated_by: Option<Actor>,
    /// When, in RFC 3339.
    #[serde(default, deserialize_with = "or_default")]
    pub updated_at: String,
}

/// How an approval stands. There is no word for a rejection: it sends an approval back to its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum ApprovalStatus {
    /// Nobody has asked for it yet, or it was sent back.
    PendingSubmission,
    /// It was asked for.
    PendingReview,
    /// It was given.
    Approved,
    /// It was given, with something left to be done.
    ConditionallyApproved,
    /// A word that we do not know.
    Unknown(String),
}

impl From<String> for ApprovalStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "PendingSubmission" => Self::PendingSubmission,
            "PendingReview" => Self::PendingReview,
            "Approved" => Self::Approved,
            "ConditionallyApproved" => Self::ConditionallyApproved,
            _ => Self::Unknown(word),
        }
    }
}

/// Somebody who may give an approval.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Approver {
    /// The id of the user or organisation.
    pub id: String,
    /// The name.
    #[serde(default)]
    pub name: String,
    /// Whether it is an organisation, any member of which may.
    #[serde(default, deserialize_with = "or_default")]
    pub is_organization_user: bool,
}

/// A gate of a bundle: what may not be made of its attachments while it is closed.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Gate {
    /// The name.
    #[serde(default)]
    pub name: String,
    /// Whether it lets pass.
    #[serde(default, deserialize_with = "or_default")]
    pub is_open: bool,
    /// Why not.
    #[serde(default, deserialize_with = "or_default")]
    pub reason: String,
    /// What it guards.
    #[serde(default, deserialize_with = "or_default")]
    pub resources: Vec<Guarded>,
}

/// The parameter that says about which hardware tiers a gate is.
const TIER: &str = "hardwareTierId";

/// Something that a gate guards.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Guarded {
    /// What cannot be done.
    pub action: GateAction,
    /// Whether it can be done all the same while the gate is closed.
    #[serde(default, deserialize_with = "or_default")]
    pub fail_open: bool,
    /// Where it cannot be done; empty is everywhere.
    #[serde(default, deserialize_with = "or_default")]
    pub parameters: Map<String, Value>,
}

/// What a gate guards.
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
    /// Whether it is about this hardware tier, by its id; one that is not known may be any.
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
    /// Whether it is closed, and keeps an app on this hardware tier from being started, or something that we do not
    /// know.
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

    /// Whether it is closed for some hardware tiers only.
    pub fn names_tiers(&self) -> bool {
        let named = |guarded: &Guarded| guarded.parameters.contains_key(TIER);
        !self.is_open && self.resources.iter().any(named)
    }
}

/// A bundle to be made, with a version of a registered model in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBundle {
    /// The name.
    pub name: String,
    /// The policy.
    pub policy: PolicyId,
    /// The project.
    pub project: ProjectId,
    /// The registered model's name.
    pub model: String,
    /// Its version.
    pub version: VersionNumber,
}

/// Something that happens to an approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalEvent {
    /// The bundle.
    pub bundle_id: BundleId,
    /// The policy.
    pub policy_id: PolicyId,
    /// The project.
    pub project_id: ProjectId,
    /// What happens.
    pub event_type: ApprovalEventType,
    /// The approval.
    pub approval_id: ApprovalId,
    /// Which of the policy's approvals it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage_approval_id: Option<PolicyApprovalId>,
}

/// What may happen to an approval. Giving one is for people, so that no more is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ApprovalEventType {
    /// It is asked for.
    RequestSubmitted,
    /// It is not asked for any more.
    RequestCancelled,
}

impl Reader {
    /// `GET /api/governance/v1/bundles?project_id=&policy_id=`, page after page: the bundles of a project that
    /// were made from a policy. Contract: governance API.
    pub async fn bundles(
        &self,
        project: &ProjectId,
        policy: &PolicyId,
    ) -> Result<Vec<Bundle>, ApiError> {
        let filter = [
            ("project_id", project.as_str()),
            ("policy_id", policy.as_str()),
        ];
        let bundles: Vec<Bundle> = all(
            self,
            &format!("{BASE}/bundles"),
            &filter,
            |bundle: &Bundle| bundle.id.as_str(),
        )
        .await?;
        // The filter is not trusted: its spelling has changed, and what is unknown is ignored.
        Ok(bundles
            .into_iter()
            .filter(|bundle| {
                bundle.project_id.as_ref().is_none_or(|id| id == project)
                    && bundle.policy_id.as_ref().is_none_or(|id| id == policy)
            })
            .collect())
    }

    /// `GET /api/governance/v1/bundles/{id}`. Contract: governance API.
    pub async fn bundle(&self, id: &BundleId) -> Result<Option<Bundle>, ApiError> {
        self.read_if_there(&path(id), &[]).await
    }

    /// `GET /api/governance/v1/bundles/{id}/approvals`: a bare list. Contract: governance API.
    pub async fn bundle_approvals(&self, id: &BundleId) -> Result<Vec<Approval>, ApiError> {
        self.read(&format!("{}/approvals", path(id)), &[]).await
    }

    /// `GET /api/governance/v1/bundles/{id}/gates`: a bare list. Contract: governance API.
    pub async fn bundle_gates(&self, id: &BundleId) -> Result<Vec<Gate>, ApiError> {
        self.read(&format!("{}/gates", path(id)), &[]).await
    }
}

impl Writer {
    /// `POST /api/governance/v1/bundles`, with the model version attached from the start. Contract: governance
    /// API.
    pub async fn create_bundle(&self, new: &NewBundle) -> Result<Bundle, ApiError> {
        let body = json!({
            "name": new.name,
            "policyId": new.policy,
            "projectId": new.project,
            "attachments": [{
                "type": Attachment::MODEL_VERSION,
                "identifier": {"name": new.model, "version": new.version},
            }],
        });
        self.write(Method::POST, &format!("{BASE}/bundles"), Some(&body))
            .await
    }

    /// `POST /api/governance/v1/rpc/publish-approval-event`. Contract: governance API.
    pub async fn publish_approval_event(
        &self,
        event: &ApprovalEvent,
    ) -> Result<Approval, ApiError> {
        let path = format!("{BASE}/rpc/publish-approval-event");
        self.write(Method::POST, &path, Some(event)).await
    }
}

fn path(id: &BundleId) -> String {
    format!("{BASE}/bundles/{}", segment(id.as_str()))
}
