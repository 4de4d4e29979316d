//! Bundles: what is submitted to a policy, attachment by attachment, and the approvals that it collects.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::approval::Approval;
use super::policy::{self, Policy};
use super::wording::{by, conflict};
use crate::clock::Moment;
use crate::id;
use crate::projects::Project;
use crate::reply::Failure;
use crate::users::User;

pub(super) struct Bundle {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) project: Arc<Project>,
    pub(super) state: BundleState,
    /// The first is the primary one.
    pub(super) policies: Vec<Arc<Policy>>,
    /// The stage of the primary policy, by its name.
    pub(super) stage: String,
    pub(super) approvals: Vec<Approval>,
    pub(super) attachments: Vec<Attachment>,
    pub(super) assignees: Vec<(String, Value)>,
    /// Every answer to a question, oldest first.
    pub(super) results: Vec<Value>,
    pub(super) findings: Vec<Value>,
    created: Moment,
    created_by: Arc<User>,
}

/// Something a bundle is about.
pub(super) struct Attachment {
    pub(super) id: String,
    kind: String,
    identifier: Value,
    created: Moment,
    created_by: Arc<User>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BundleState {
    Active,
    Archived,
    Complete,
}

impl BundleState {
    pub(super) fn word(self) -> &'static str {
        match self {
            BundleState::Active => "Active",
            BundleState::Archived => "Archived",
            BundleState::Complete => "Complete",
        }
    }

    pub(super) fn parse(word: &str) -> Option<Self> {
        let all = [
            BundleState::Active,
            BundleState::Archived,
            BundleState::Complete,
        ];
        all.into_iter().find(|state| state.word() == word)
    }
}

const ATTACHMENT_TYPES: [&str; 6] = [
    "ModelVersion",
    "Report",
    "DatasetSnapshotFile",
    "Endpoint",
    "NetAppVolumeSnapshotFile",
    "FlowArtifact",
];

impl Bundle {
    pub(super) fn new(
        user: &Arc<User>,
        project: &Arc<Project>,
        name: &str,
        policies: Vec<Arc<Policy>>,
        now: Moment,
    ) -> Self {
        let id = id::uuid();
        let mut bundle = Bundle {
            name: name.to_owned(),
            project: project.clone(),
            state: BundleState::Active,
            stage: String::new(),
            policies,
            approvals: Vec::new(),
            attachments: Vec::new(),
            assignees: Vec::new(),
            results: Vec::new(),
            findings: Vec::new(),
            created: now,
            created_by: user.clone(),
            id,
        };
        bundle.restart(now);
        bundle
    }

    /// Starts again with its present policies: in the first stage, with no approval given.
    pub(super) fn restart(&mut self, now: Moment) {
        let primary = self.policies.first();
        self.stage = primary
            .map(|policy| policy.first_stage())
            .unwrap_or_default();
        let approvals = self.policies.iter().flat_map(|policy| {
            let stages = policy.stages.iter();
            stages.map(|stage| Approval::new(&self.id, policy, stage, now))
        });
        self.approvals = approvals.collect();
    }

    pub(super) fn attach(
        &mut self,
        user: &Arc<User>,
        kind: &str,
        identifier: Value,
        now: Moment,
    ) -> Result<&Attachment, Failure> {
        self.check_report(kind, &identifier)?;
        let known = |one: &Attachment| one.kind == kind && one.identifier == identifier;
        if self.attachments.iter().any(known) {
            return Err(conflict(format!(
                "the bundle {} has this attachment already",
                self.name
            )));
        }
        self.attachments.push(Attachment {
            id: id::uuid(),
            kind: kind.to_owned(),
            identifier,
            created: now,
            created_by: user.clone(),
        });
        Ok(&self.attachments[self.attachments.len() - 1])
    }

    /// Whether an attached file is told completely, and is among the project's own if it is said to be.
    fn check_report(&self, kind: &str, identifier: &Value) -> Result<(), Failure> {
        if kind != "Report" {
            return Ok(());
        }
        let told = ["branch", "commit", "source", "filename"].map(|key| identifier[key].as_str());
        let [Some(_), Some(commit), Some(source), Some(file)] = told else {
            return Err(Failure::bad_request(
                "the identifier of a Report is its branch, commit, source and filename",
            ));
        };
        if source == "DFS" && !self.project.has_file(file, commit) {
            return Err(Failure::not_found(format!(
                "commit {commit} of the project has no file {file}"
            )));
        }
        Ok(())
    }

    /// What is attached, in words.
    pub(super) fn contents(&self) -> Vec<String> {
        let attachments = self.attachments.iter();
        attachments
            .map(|one| match one.kind.as_str() {
                "ModelVersion" => format!(
                    "{} version {}",
                    one.identifier["name"].as_str().unwrap_or_default(),
                    one.identifier["version"]
                ),
                kind => kind.to_owned(),
            })
            .collect()
    }

    /// Why the gate for `action` is closed, if it is.
    pub(super) fn closed_gate(&self, action: &str) -> Option<String> {
        let waiting = |one: &&Approval| {
            !one.status.is_given()
                && one.policy.guards(action)
                && one.policy.waits_for(&one.stage_approval_id)
        };
        let waiting = self.approvals.iter().find(waiting)?;
        Some(format!("{} is {}", waiting.name, waiting.status.word()))
    }

    pub(super) fn gates(&self) -> Vec<Value> {
        let policies = self.policies.iter();
        policies
            .map(|policy| {
                let mut approvals = self.approvals.iter();
                let waiting = approvals.find(|one| {
                    one.policy.id == policy.id
                        && !one.status.is_given()
                        && policy.waits_for(&one.stage_approval_id)
                });
                let reason = match waiting {
                    Some(one) => format!("{} is {}", one.name, one.status.word()),
                    None => "every approval is given".to_owned(),
                };
                json!({
                    "id": policy.gate_id,
                    "policyGateId": policy.gate_id,
                    "bundleId": self.id,
                    "name": policy::GATE,
                    "isOpen": waiting.is_none(),
                    "reason": reason,
                    "resources": policy.resources(),
                })
            })
            .collect()
    }

    pub(super) fn attachment_json(&self, attachment: &Attachment) -> Value {
        let mut timeline = Map::new();
        for approval in &self.approvals {
            if let Some(submitted) = approval.submitted() {
                // An approver did not see what was attached after the request.
                let is_valid = attachment.created <= submitted;
                let facts = json!({
                    "approvalStatus": approval.status.word(),
                    "timelineStatus": if is_valid { "Valid" } else { "Invalid" },
                    "updatedAt": approval.updated().rfc3339(),
                });
                timeline.insert(approval.id.clone(), facts);
            }
        }
        json!({
            "id": attachment.id,
            "type": attachment.kind,
            "identifier": attachment.identifier,
            "createdAt": attachment.created.rfc3339(),
            "createdBy": by(&attachment.created_by),
            "approvalTimelineMap": timeline,
        })
    }

    /// The stages of the primary policy as this bundle goes through them.
    pub(super) fn stages(&self) -> Vec<Value> {
        let stages = self
            .policies
            .first()
            .into_iter()
            .flat_map(|policy| &policy.stages);
        stages.map(|stage| self.stage_json(stage)).collect()
    }

    pub(super) fn stage_json(&self, stage: &policy::PolicyStage) -> Value {
        let mut json = json!({
            "bundleId": self.id,
            "stageId": stage.id,
            "stage": stage.json(),
        });
        let mut assignees = self.assignees.iter();
        if let Some((_, assignee)) = assignees.find(|(id, _)| *id == stage.id) {
            json["assignee"] = assignee.clone();
        }
        json
    }

    pub(super) fn json(&self) -> Value {
        let primary = &self.policies[0];
        let attachments = self.attachments.iter();
        let current = primary.stage(&self.stage);
        let policies: Vec<Value> = self
            .policies
            .iter()
            .enumerate()
            .map(|(at, policy)| {
                json!({
                    "bundleId": self.id,
                    "policyId": policy.id,
                    "policyName": policy.name,
                    "stage": if at == 0 { self.stage.clone() } else { policy.first_stage() },
                    "createdAt": self.created.rfc3339(),
                    "enforceSequentialOrder": false,
                    "isPolicyArchived": false,
                })
            })
            .collect();
        json!({
            "id": self.id,
            "name": self.name,
            "state": self.state.word(),
            "projectId": self.project.id,
            "projectName": self.project.name(),
            "projectOwner": self.project.owner,
            "policyId": primary.id,
            "policyName": primary.name,
            "policies": policies,
            "stage": self.stage,
            "stages": self.stages(),
            "stageApprovals": current.map(|stage| stage.approval.json()).into_iter().collect::<Vec<_>>(),
            "gates": self.gates(),
            "attachments": attachments.map(|one| self.attachment_json(one)).collect::<Vec<_>>(),
            "commentsCount": 0,
            "createdAt": self.created.rfc3339(),
            "createdBy": by(&self.created_by),
        })
    }

    pub(super) fn state(&self) -> Value {
        let attachments = self.attachments.iter();
        let attachments: Vec<Value> = attachments
            .map(|one| json!({ "type": one.kind, "identifier": one.identifier }))
            .collect();
        json!({
            "id": self.id,
            "name": self.name,
            "project": format!("{}/{}", self.project.owner, self.project.name()),
            "policy": self.policies[0].name,
            "state": self.state.word(),
            "stage": self.stage,
            "createdBy": self.created_by.name,
            "attachments": attachments,
            "results": self.results,
            "findings": self.findings,
            "approvals": self.approvals.iter().map(Approval::state).collect::<Vec<_>>(),
            "isGateOpen": self.closed_gate("CreateEndpoint").is_none(),
        })
    }
}

/// Checks the type and the identifier of an attachment. For a registered model the identifier is its name and its
/// version as a number, which are returned.
pub(super) fn attached_model(
    kind: &str,
    identifier: &Value,
) -> Result<Option<(String, u64)>, Failure> {
    if !ATTACHMENT_TYPES.contains(&kind) {
        return Err(Failure::bad_request(format!(
            "{kind} is not a type of attachment"
        )));
    }
    if kind != "ModelVersion" {
        return Ok(None);
    }
    let name = identifier["name"].as_str();
    let version = identifier["version"].as_u64();
    match (name, version) {
        (Some(name), Some(version)) => Ok(Some((name.to_owned(), version))),
        _ => Err(Failure::bad_request(
            "the identifier of a ModelVersion is its name and its version as a number",
        )),
    }
}
