//! What must hold before a model version may enter a stage.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time_span::time_span;

/// `[stage.<name>.gates]`: what must hold before a model version may enter the stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Gates {
    /// Where Domino records the approval.
    pub domino_approval: DominoApproval,
    /// The governance policy (id or name) that a bundle is made from.
    pub policy: Option<String>,
    /// The last stage of the policy whose approvals are waited for; those of later ones may be given after the
    /// deployment.
    pub policy_stage: Option<String>,
    /// What a request answers and attaches.
    pub evidence: Evidence,
    /// Domino users who are asked to review.
    pub reviewers: Vec<String>,
    /// Whether the approval of this workflow run on GitHub is read back and checked.
    pub github_approval: bool,
    /// How long a version must have been in the stage before, such as `24h`.
    pub soak: Option<String>,
}

/// `[stage.<name>.gates.evidence]`: what a request gives the people who approve it. The first three are questions (id or
/// text) of the policy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Evidence {
    /// The one that the metrics answer, against the version that serves.
    pub metrics: Option<String>,
    /// The one that the way from the training to the version answers.
    pub lineage: Option<String>,
    /// The one that the smoke test of the version in the stage before answers.
    pub smoke_test: Option<String>,
    /// The folder among the project's own files that the sheet is uploaded to, before it is attached to the bundle.
    pub report: Option<String>,
}

impl Gates {
    /// How long a version must have been in the stage before; `None` without a soak time.
    pub fn soak_time(&self) -> Option<Duration> {
        self.soak.as_deref().and_then(time_span)
    }
}

impl Default for Gates {
    fn default() -> Self {
        Self {
            domino_approval: DominoApproval::None,
            policy: None,
            policy_stage: None,
            evidence: Evidence::default(),
            reviewers: Vec::new(),
            github_approval: false,
            soak: None,
        }
    }
}

/// Where Domino records that a model version may enter a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DominoApproval {
    /// A governance bundle (Domino 6).
    Governance,
    /// A model review (Domino 5.8 to 5.11).
    Review,
    /// Not in Domino.
    None,
}
