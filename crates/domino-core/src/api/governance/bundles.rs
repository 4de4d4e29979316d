//! Bundles: what is to be approved, and who approved it.

use std::collections::BTreeMap;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::projects::ProjectId;
use super::super::registered_models::VersionNumber;
use super::{
    Actor, ApprovalId, BASE, BundleId, PolicyApprovalId, PolicyId, actor, all, or_default,
};
use crate::client::{ApiError, Reader, Writer, segment};

/// What is to be approved, and by which policy.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
    /// The id that the bundle's routes name.
    pub id: BundleId,
    /// The name that people gave it.
    #[serde(default)]
    pub name: String,
    /// Whether it is still in use.
    pub state: BundleState,
    /// The policy that it was created from; others may have been added.
    pub policy_id: Option<PolicyId>,
    /// The project that it belongs to, if Domino tells.
    pub project_id: Option<ProjectId>,
    /// The name of the stage of its policy that it is in.
    pub stage: Option<String>,
    /// What it asks to have approved.
    #[serde(default, deserialize_with = "or_default")]
    pub attachments: Vec<Attachment>,
    /// Who created it.
    #[serde(default, deserialize_with = "actor")]
    pub created_by: Option<Actor>,
    /// When it was created, in RFC 3339.
    pub created_at: Option<String>,
}

impl Bundle {
    /// When it was created, in epoch milliseconds, if Domino tells.
    pub fn created_millisecond(&self) -> Option<i64> {
        let created: jiff::Timestamp = self.created_at.as_deref()?.parse().ok()?;
        Some(created.as_millisecond())
    }
}

/// Whether a bundle is still in use.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum BundleState {
    /// It is in use.
    Active,
    /// It was archived.
    Archived,
    /// It has passed all its stages.
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

/// A thing that a bundle asks to have approved.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attachment {
    /// The kind of thing: `ModelVersion`, `Report`, …
    #[serde(rename = "type", default)]
    pub kind: String,
    /// Which thing it is; the form depends on the kind.
    #[serde(default)]
    pub identifier: Value,
    /// For each approval, by its id, whether it covers the attachment: one that was given before the thing was
    /// attached does not.
    #[serde(default, deserialize_with = "or_default")]
    pub approval_timeline_map: BTreeMap<String, Timeline>,
}

/// Whether one approval covers one attachment.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// Domino's word for it.
    #[serde(default)]
    pub timeline_status: Validity,
}

/// Whether an approval covers an attachment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Validity {
    /// The approval covers it.
    #[default]
    Valid,
    /// The approval does not cover it.
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

    /// Whether it is this version of this registered model. Domino may write the version as a number or as text.
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

    /// Whether an approval certainly does not cover it.
    pub fn is_left_out_of(&self, approval: &ApprovalId) -> bool {
        self.approval_timeline_map
            .get(approval.as_str())
            .is_some_and(|timeline| timeline.timeline_status != Validity::Valid)
    }
}

/// An approval that a bundle needs, and its status.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Approval {
    /// The id, which belongs to this bundle alone.
    pub id: ApprovalId,
    /// The name that the policy gives it.
    #[serde(default)]
    pub name: String,
    /// How far it is on the way from request to approval.
    pub status: ApprovalStatus,
    /// The policy that asks for it.
    pub policy_id: Option<PolicyId>,
    /// The policy's approval that it stands for; the same in every bundle.
    pub stage_approval_id: Option<PolicyApprovalId>,
    /// Who may give it.
    #[serde(default, deserialize_with = "or_default")]
    pub approvers: Vec<Approver>,
    /// Who last acted on it.
    #[serde(default, deserialize_with = "actor")]
    pub updated_by: Option<Actor>,
    /// When somebody last acted on it, in RFC 3339.
    #[serde(default, deserialize_with = "or_default")]
    pub updated_at: String,
}

/// The status of an approval. There is no word for a rejection: that sends an approval back to its beginning.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum ApprovalStatus {
    /// Nobody has requested it yet, or it was sent back.
    PendingSubmission,
    /// It was requested.
    PendingReview,
    /// It was given.
    Approved,
    /// It was given under a condition that remains to be met.
    ConditionallyApproved,
    /// It was given, and is to be renewed soon; until then it counts.
    PendingExpiration,
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
            // Only Domino's documentation has it, as people read it.
            "PendingExpiration" | "Pending Expiration" => Self::PendingExpiration,
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
    /// The user's or organisation's name.
    #[serde(default)]
    pub name: String,
    /// Whether it is an organisation; any of its members may approve.
    #[serde(default, deserialize_with = "or_default")]
    pub is_organization_user: bool,
}

impl ApprovalStatus {
    /// Whether it was given and still counts.
    pub fn is_given(&self) -> bool {
        matches!(
            self,
            Self::Approved | Self::ConditionallyApproved | Self::PendingExpiration
        )
    }
}

/// A bundle to create, with a version of a registered model attached. Domino requires name, policy and project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBundle {
    /// Its name, by which it is found again.
    pub name: String,
    /// The policy that it is created from.
    pub policy: PolicyId,
    /// The project that it belongs to.
    pub project: ProjectId,
    /// The registered model's name.
    pub model: String,
    /// The version of that model to have approved.
    pub version: VersionNumber,
}

/// An event to send about an approval. It names its approval by all of these ids.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovalEvent {
    /// The bundle that contains the approval.
    pub bundle_id: BundleId,
    /// The policy that asks for the approval.
    pub policy_id: PolicyId,
    /// The project of the bundle.
    pub project_id: ProjectId,
    /// What happens to the approval.
    pub event_type: ApprovalEventType,
    /// The bundle's own approval.
    pub approval_id: ApprovalId,
    /// The policy's approval that it stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stage_approval_id: Option<PolicyApprovalId>,
}

/// The events that we send about an approval. Giving one is for people, so there is no event for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum ApprovalEventType {
    /// The approval is requested.
    RequestSubmitted,
    /// The request is withdrawn.
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
        // The server's filter is not relied on: its spelling has changed, and unknown filters are ignored.
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
