//! A stage: where it is, who approves, and what it asks for.

use serde::{Deserialize, Serialize};

use crate::compute_environment::ComputeEnvironment;
use crate::gates::Gates;
use crate::host::Host;
use crate::placement::HardwareTiers;
use crate::project_name::ProjectName;
use crate::runner::Runner;

/// `[stage.<name>]`: a GitHub environment, a Domino data plane and a stage of the experiment manager in one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stage {
    /// The name, from the table's header.
    pub name: String,
    /// The Domino host: `domino.example.com`, or a URL. Scheme and authority only.
    pub host: Host,
    /// The Domino project, `owner/name`.
    pub project: ProjectName,
    /// The compute environment and hardware tier of each kind of entity.
    pub environment: Option<ComputeEnvironment>,
    /// The hardware tier (id or name) per kind.
    pub hardware_tier: HardwareTiers,
    /// The data plane (id or name) that the hardware tiers must belong to.
    pub data_plane: Option<String>,
    /// The name of the GitHub environment that gates this stage.
    pub github_environment: String,
    /// Who must say yes on GitHub: users, or `team:<slug>`.
    pub approvers: Vec<String>,
    /// What becomes of an approval of one's own work on GitHub.
    pub self_approval: SelfApproval,
    /// What lets a run into the stage.
    pub gate: Gate,
    /// GitHub's wait timer, in minutes.
    pub wait_timer: u32,
    /// The experiment manager's stage a model version gets here: `Staging`, `Production`, …
    pub model_stage: Option<String>,
    /// The variable that holds a token that may read this stage, and the secret of that name in the GitHub environment
    /// `drift`; without it [`Stage::read_token_variable`] makes one of the name.
    pub read_token: Option<String>,
    /// The service account in Domino that its jobs act as; without it [`Stage::service_account_name`] makes one of the names.
    pub service_account: Option<String>,
    /// The GitHub runners of its jobs; without them the pipeline's.
    pub runner: Option<Runner>,
    /// What `promote-stage` asks for before a model version may enter.
    pub gates: Gates,
}

/// What lets a run into a stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Gate {
    /// The GitHub environment, with its reviewers where it has any.
    #[default]
    Environment,
    /// One of the approvers, by starting the run by hand: for a GitHub plan without required reviewers.
    Dispatch,
}

/// What becomes of an approval on GitHub by the one whose work it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelfApproval {
    /// It does not count.
    #[default]
    Refuse,
    /// It counts, with a warning: for a team of one.
    Warn,
}

impl Stage {
    /// Whether an approver starts by hand what is deployed to it.
    pub fn is_entered_by_hand(&self) -> bool {
        self.gate == Gate::Dispatch
    }

    /// The name of the service account in Domino: `ci-<project>-<stage>`, if the file names no other.
    pub fn service_account_name(&self) -> String {
        let own = || format!("ci-{}-{}", self.project.name, self.name).to_lowercase();
        self.service_account.clone().unwrap_or_else(own)
    }

    /// The variable that holds a token that may read this stage: `DOMINO_TOKEN_PROD`, if the file names no other.
    pub fn read_token_variable(&self) -> String {
        let own = || self.own_variable("DOMINO_TOKEN");
        self.read_token.clone().unwrap_or_else(own)
    }

    /// The variable of this name where several stages are dealt with at once: `DOMINO_TOKEN_PROD`.
    pub fn own_variable(&self, name: &str) -> String {
        let stage = self.name.to_ascii_uppercase();
        format!("{name}_{}", stage.replace('-', "_"))
    }
}
