//! What a deployment records: who deployed what where, when, by which plan, and in place of what. One line of JSON,
//! sealed by its hash, which names the previous receipt of the same entity in the same stage.
//!
//! It is a record and no proof: whoever may write to the place of the receipts can write others. `History::check`
//! finds receipts that were altered or left out. Nothing here asks Domino or GitHub.

mod chain;
mod draft;
mod folder;
mod history;
mod notes;
mod seal;

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use self::chain::{Flaw, check};
pub use self::draft::Draft;
pub use self::folder::{file_name, in_folder, write_to_folder};
pub use self::history::History;
pub use self::notes::{NOTES, Notes};
pub use self::seal::{Kept, SealedReceipt, Unsealed};
use crate::version_identity::VersionIdentity;

/// The version of the format of this release's receipts.
pub const FORMAT: u32 = 1;

/// One deployment of one entity to one stage. Documented by `docs/receipt.schema.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Receipt {
    /// The version of its format: 1.
    pub format: u32,
    /// The stage, as in the stage file.
    pub stage: String,
    /// What was deployed.
    pub kind: ReceiptKind,
    /// The entity, as in the stage file.
    pub entity: String,
    /// The whole commit.
    pub commit: String,
    /// The result for the entity.
    pub outcome: ReceiptOutcome,
    /// The result in one sentence.
    pub result: String,
    /// When the step began, by this machine's clock.
    pub began: Timestamp,
    /// When the step was green.
    pub at: Timestamp,
    /// What is deployed, as Domino knows it.
    pub what: DeployedThing,
    /// The people behind it.
    pub who: People,
    /// Where it is, and what brought it there.
    pub r#where: DeploymentPlace,
    /// The plan that was applied.
    pub plan: AppliedPlan,
    /// The program that deployed it, with its version.
    pub program: String,
    /// What its smoke test said, if it passed one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub smoke_test: Option<String>,
    /// The reason why it was let in although no receipt says that it passed the stage before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub without_receipt: Option<String>,
    /// The hash of the receipt that this deployment rolled back to, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub back: Option<String>,
    /// The hash of the receipt that it replaces: the previous one of this entity in this stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
}

/// What a receipt is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptKind {
    /// One run of a job.
    Job,
    /// A job that Domino starts by itself.
    Schedule,
    /// An app that was published or unpublished.
    App,
    /// A model endpoint.
    Model,
    /// The promotion of a model version to a stage of the experiment manager.
    Promotion,
}

/// The result of a deployment for the entity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReceiptOutcome {
    /// It was deployed.
    Done,
    /// It was deployed already, as wanted.
    Unchanged,
    /// It was removed.
    Removed,
}

/// What is deployed, as Domino knows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DeployedThing {
    /// The id: of a run, a scheduled job, an app or an endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The id of the version of the app or endpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// The version of the registered model, with the run that created it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model_version: Option<VersionIdentity>,
    /// The compute environment; the project's default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The id of its revision, where Domino tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment_revision: Option<String>,
    /// The hardware tier; the project's default if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hardware_tier: Option<String>,
    /// The data plane that the tier belongs to, if Domino tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data_plane: Option<String>,
}

/// The people behind a deployment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct People {
    /// Who wrote the commit, as git has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Who started the workflow run: a GitHub login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started_by: Option<String>,
    /// Who ran it again, if that is somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_again_by: Option<String>,
    /// Who approved it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvals: Vec<GivenApproval>,
}

/// One person's approval.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct GivenApproval {
    /// Who gave it: a login.
    pub by: String,
    /// Where: `GitHub environment PROD`, `Domino`.
    pub r#where: String,
    /// When, if that is told. GitHub does not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
}

/// Where something was deployed, and by which workflow run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct DeploymentPlace {
    /// The host of the Domino.
    pub host: String,
    /// The project there, `owner/name`.
    pub project: String,
    /// The GitHub environment of the stage.
    pub github_environment: String,
    /// The repository, `owner/name`; of a step on GitHub.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The page of the workflow run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow_run: Option<String>,
    /// The number of the attempt at the workflow run, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<u64>,
}

/// A plan that was applied, as it was shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct AppliedPlan {
    /// Its one sentence.
    pub headline: String,
    /// What was found and chosen, each `name: value`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<String>,
    /// What changed, each with its sign: `+`, `~`, `-` or `=`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<String>,
}

impl ReceiptKind {
    /// What people call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Job => "job",
            Self::Schedule => "schedule",
            Self::App => "app",
            Self::Model => "model",
            Self::Promotion => "promotion",
        }
    }
}

impl ReceiptOutcome {
    /// What people call it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "deployed",
            Self::Unchanged => "as wanted",
            Self::Removed => "removed",
        }
    }
}

/// The key of a chain of receipts: the stage, the kind, the entity.
pub type ChainKey<'a> = (&'a str, ReceiptKind, &'a str);

impl Receipt {
    /// The chain that it belongs to.
    pub fn chain(&self) -> ChainKey<'_> {
        (&self.stage, self.kind, &self.entity)
    }

    /// The beginning of the commit's id, as people write it.
    pub fn short_commit(&self) -> &str {
        self.commit.get(..7).unwrap_or(&self.commit)
    }

    /// Whether it is about the same deployment, wherever it is in the chain.
    pub fn is_same_deployment(&self, other: &Self) -> bool {
        let loose = |receipt: &Self| Self {
            previous: None,
            ..receipt.clone()
        };
        self.chain() == other.chain() && self.at == other.at && loose(self) == loose(other)
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, entity, stage) = (self.kind.word(), &self.entity, &self.stage);
        let (commit, at) = (self.short_commit(), self.at);
        write!(f, "{kind} `{entity}` in `{stage}` at {commit} of {at}")
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A receipt of an app in prod, at this second.
    pub(crate) fn receipt(second: i64) -> Receipt {
        let at = Timestamp::from_second(1_790_000_000 + second).unwrap();
        Receipt {
            format: FORMAT,
            stage: "prod".into(),
            kind: ReceiptKind::App,
            entity: "dashboard".into(),
            commit: format!("{second:040x}"),
            outcome: ReceiptOutcome::Done,
            result: "version 1 serves".into(),
            began: at,
            at,
            what: DeployedThing::default(),
            who: People::default(),
            r#where: DeploymentPlace::default(),
            plan: AppliedPlan::default(),
            program: "deploy-app 0.0.0".into(),
            smoke_test: None,
            without_receipt: None,
            back: None,
            previous: None,
        }
    }

    #[test]
    fn the_same_deployment_is_known_wherever_it_stands_in_the_chain() {
        let (one, mut moved) = (receipt(1), receipt(1));
        moved.previous = Some("a".repeat(64));
        assert!(one.is_same_deployment(&moved));
        moved.commit = receipt(2).commit;
        assert!(!one.is_same_deployment(&moved));
    }
}
