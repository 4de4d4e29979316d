//! What a program says about its deployment for the receipt: where, on what, and who approved it. The step itself
//! adds the result.

use crate::api::environments::RevisionSpec;
use crate::approval::Approval;
use crate::place::ResolvedPlacement;
use crate::receipt::{DeployedThing, DeploymentPlace, Draft, GivenApproval, ReceiptKind};
use crate::receipt_before::Passed;
use crate::revision::meant;
use crate::step::StepContext;
use crate::variable::variable;
use crate::version_identity::VersionIdentity;

/// The hash of the receipt that a deployment goes back to; `domino-pipeline back` sets it.
pub const BACK_TO: &str = "DEPLOY_BACK_TO";

/// A deployment that is about to be made, or was made already.
#[derive(Debug)]
pub struct Deployment<'a> {
    /// The stage and the connection to its Domino.
    pub context: &'a StepContext,
    /// What is deployed.
    pub kind: ReceiptKind,
    /// The whole commit.
    pub commit: &'a str,
    /// Where it runs, if it runs on a hardware tier.
    pub place: Option<&'a ResolvedPlacement>,
    /// The version of a model.
    pub version: Option<&'a VersionIdentity>,
}

impl Deployment<'_> {
    /// The beginning of its receipt.
    pub fn draft(&self, approval: &Approval, passed: &Passed) -> Draft {
        Draft {
            approvals: approval.given(&self.context.stage),
            without_receipt: passed.without_receipt().map(str::to_owned),
            is_removal: false,
            ..self.removal()
        }
    }

    /// The beginning of the receipt for its removal, which needs no approval.
    pub fn removal(&self) -> Draft {
        let stage = &self.context.stage;
        let place = self.place;
        let tier = place.and_then(|place| place.tier.as_ref());
        let plane = tier.and_then(|tier| tier.data_plane.as_ref());
        let environment = place.and_then(|place| place.environment.as_ref());
        let revision = environment.and_then(|(_, spec)| match spec {
            RevisionSpec::One { .. } => place.and_then(meant).map(str::to_owned),
            _ => None,
        });
        Draft {
            kind: self.kind,
            commit: self.commit.to_owned(),
            is_removal: true,
            what: DeployedThing {
                model_version: self.version.cloned(),
                environment: environment.map(|(environment, _)| environment.name.clone()),
                environment_revision: revision,
                hardware_tier: tier.map(|tier| tier.name.clone()),
                data_plane: plane.map(|plane| plane.name.clone()),
                ..DeployedThing::default()
            },
            approvals: Vec::new(),
            r#where: DeploymentPlace {
                host: self.context.connection.host().as_str().to_owned(),
                project: stage.project.to_string(),
                github_environment: stage.github_environment.clone(),
                repository: variable("GITHUB_REPOSITORY"),
                workflow_run: workflow_run(),
                attempt: variable("GITHUB_RUN_ATTEMPT").and_then(|attempt| attempt.parse().ok()),
            },
            without_receipt: None,
            back: variable(BACK_TO),
        }
    }
}

impl Draft {
    /// Adds approvals from elsewhere to those of GitHub, each as `who (where)`.
    pub fn approved_by(mut self, others: &[String]) -> Self {
        for other in others {
            let (by, place) = match other.strip_suffix(')').and_then(|t| t.rsplit_once(" (")) {
                Some((by, place)) => (by, place),
                None => (other.as_str(), ""),
            };
            let is_known = self.approvals.iter().any(|known| known.by == by);
            if !(is_known && place == "GitHub") {
                self.approvals.push(GivenApproval {
                    by: by.to_owned(),
                    r#where: place.to_owned(),
                    at: None,
                });
            }
        }
        self
    }
}

/// The page of the workflow run that this is a step of.
fn workflow_run() -> Option<String> {
    let server = variable("GITHUB_SERVER_URL")?;
    let (repository, id) = (variable("GITHUB_REPOSITORY")?, variable("GITHUB_RUN_ID")?);
    Some(format!("{server}/{repository}/actions/runs/{id}"))
}
