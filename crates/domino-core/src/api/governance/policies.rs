//! Policies: what a bundle is created from, and whose approvals it asks for.

use serde::Deserialize;

use super::super::named::Named;
use super::evidence::{Evidence, Question};
use super::{Approver, BASE, PolicyApprovalId, PolicyId, all, or_default};
use crate::client::{ApiError, Reader, segment};

/// A policy as the list shows it.
#[derive(Debug, Clone, Deserialize)]
pub struct PolicyOverview {
    /// The id that a new bundle names.
    pub id: PolicyId,
    /// The name that the stage file uses.
    #[serde(default)]
    pub name: String,
    /// Whether bundles can be created from it.
    #[serde(default)]
    pub status: PolicyStatus,
    /// Whether it is archived.
    #[serde(default)]
    pub archived: bool,
}

/// Whether bundles can be created from a policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum PolicyStatus {
    /// It is being written; no bundle can be created yet.
    Draft,
    /// Bundles can be created from it.
    #[default]
    Published,
    /// It is archived; no bundle can be created any longer.
    Archived,
    /// A word that we do not know.
    Unknown(String),
}

impl From<String> for PolicyStatus {
    fn from(word: String) -> Self {
        match word.as_str() {
            "Draft" => Self::Draft,
            "Published" => Self::Published,
            "Archived" => Self::Archived,
            _ => Self::Unknown(word),
        }
    }
}

/// A policy with its stages, which are not the stages of a pipeline.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// The same id as in the list.
    pub id: PolicyId,
    /// The same name as in the list.
    #[serde(default)]
    pub name: String,
    /// Its stages, in order.
    #[serde(default, deserialize_with = "or_default")]
    pub stages: Vec<PolicyStage>,
    /// Whether a stage can be entered only once the one before is complete.
    #[serde(default, deserialize_with = "or_default")]
    pub enforce_sequential_order: bool,
}

/// A step of a policy's review.
#[derive(Debug, Clone, Deserialize)]
pub struct PolicyStage {
    /// The name, by which a bundle tells the stage that it is in.
    #[serde(default)]
    pub name: String,
    /// The approvals that it asks for.
    #[serde(default, deserialize_with = "or_default")]
    pub approvals: Vec<PolicyApproval>,
    /// The questions that it asks.
    #[serde(default, rename = "evidenceSet", deserialize_with = "or_default")]
    pub evidence: Vec<Evidence>,
}

/// An approval that a stage of a policy asks for.
#[derive(Debug, Clone, Deserialize)]
pub struct PolicyApproval {
    /// The id, which an approval of a bundle names as its stage approval.
    pub id: PolicyApprovalId,
    /// The name that people see.
    #[serde(default)]
    pub name: String,
    /// Who may give it.
    #[serde(default, deserialize_with = "or_default")]
    pub approvers: Vec<Approver>,
    /// The questions that it asks of whoever approves.
    pub evidence: Option<Evidence>,
}

impl Policy {
    /// Its questions, of every stage and approval, that take an answer.
    pub fn questions(&self) -> Vec<Question> {
        let sets = self.stages.iter().flat_map(|stage| {
            let of_approvals = stage.approvals.iter();
            let of_approvals = of_approvals.filter_map(|approval| approval.evidence.as_ref());
            stage.evidence.iter().chain(of_approvals)
        });
        sets.flat_map(|evidence| {
            let inputs = evidence.artifacts.iter();
            let inputs = inputs.filter(|artifact| artifact.artifact_type == "input");
            inputs.map(|artifact| Question {
                evidence: evidence.id.clone(),
                id: artifact.id.clone(),
                label: artifact.label(),
                form: artifact.form(),
            })
        })
        .collect()
    }
}

impl Named for PolicyOverview {
    fn id(&self) -> &str {
        self.id.as_str()
    }

    fn name(&self) -> &str {
        &self.name
    }
}

impl Reader {
    /// `GET /api/governance/v1/policy-overviews`, page after page. Contract: governance API.
    pub async fn policies(&self) -> Result<Vec<PolicyOverview>, ApiError> {
        all(
            self,
            &format!("{BASE}/policy-overviews"),
            &[],
            |policy: &PolicyOverview| policy.id.as_str(),
        )
        .await
    }

    /// `GET /api/governance/v1/policies/{id}`: a policy with its stages. Contract: governance API.
    pub async fn policy(&self, id: &PolicyId) -> Result<Option<Policy>, ApiError> {
        self.read_if_there(&format!("{BASE}/policies/{}", segment(id.as_str())), &[])
            .await
    }
}
