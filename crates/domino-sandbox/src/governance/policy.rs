//! Policies: the stages that a bundle passes through, who must approve in each, and what stays closed until then.
//! Policies are seeded; no route creates one.

use std::sync::Arc;

use serde_json::{Value, json};

use super::wording::by;
use crate::clock::Moment;
use crate::id;
use crate::seed::PolicySeed;
use crate::users::{User, Users};

pub(super) struct Policy {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) stages: Vec<PolicyStage>,
    pub(super) gate_id: String,
    guards: Vec<String>,
    /// The stages after this one leave the gate alone.
    opens_after: Option<String>,
    created: Moment,
}

/// One stage of a policy, with one approval.
pub(super) struct PolicyStage {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) approval: StageApproval,
    /// The questions that it asks, by their ids and texts.
    pub(super) evidence_id: String,
    pub(super) questions: Vec<(String, String)>,
}

/// An approval as a policy asks for it.
pub(super) struct StageApproval {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) approvers: Vec<Arc<User>>,
}

impl Policy {
    pub(super) fn new(seed: &PolicySeed, users: &Users, created: Moment) -> anyhow::Result<Self> {
        let approvers = seed.approvers.iter().map(|name| {
            let user = users.named(name);
            user.ok_or_else(|| {
                anyhow::anyhow!(
                    "the approver `{name}` of policy `{}` is not a user",
                    seed.name
                )
            })
        });
        let approvers: Vec<Arc<User>> = approvers.collect::<anyhow::Result<_>>()?;
        let stages = seed
            .stages
            .iter()
            .enumerate()
            .map(|(at, name)| PolicyStage {
                evidence_id: id::uuid(),
                questions: match at {
                    0 => seed
                        .questions
                        .iter()
                        .map(|text| (id::uuid(), text.clone()))
                        .collect(),
                    _ => Vec::new(),
                },
                id: id::uuid(),
                name: name.clone(),
                approval: StageApproval {
                    id: id::uuid(),
                    name: format!("{name} approval"),
                    approvers: approvers.clone(),
                },
            });
        Ok(Policy {
            id: seed.id.clone().unwrap_or_else(id::uuid),
            name: seed.name.clone(),
            stages: stages.collect(),
            gate_id: id::uuid(),
            guards: seed.guards.clone(),
            opens_after: seed.opens_after.clone(),
            created,
        })
    }

    pub(super) fn stage(&self, name: &str) -> Option<&PolicyStage> {
        self.stages.iter().find(|stage| stage.name == name)
    }

    /// The name of the stage in which bundles start.
    pub(super) fn first_stage(&self) -> String {
        let first = self.stages.first();
        first.map(|stage| stage.name.clone()).unwrap_or_default()
    }

    /// Whether the gate stays closed until this approval of the policy's is given.
    pub(super) fn waits_for(&self, stage_approval_id: &str) -> bool {
        let last = self.opens_after.as_ref().and_then(|name| {
            let mut stages = self.stages.iter();
            stages.position(|stage| stage.name == *name)
        });
        let mut stages = self.stages.iter();
        let at = stages.position(|stage| stage.approval.id == stage_approval_id);
        last.is_none_or(|last| at.is_none_or(|at| at <= last))
    }

    /// Whether the gate keeps `action` closed.
    pub(super) fn guards(&self, action: &str) -> bool {
        self.guards.iter().any(|guarded| guarded == action)
    }

    /// What the gate keeps closed.
    pub(super) fn resources(&self) -> Value {
        let guarded =
            |action: &String| json!({ "action": action, "failOpen": false, "parameters": {} });
        self.guards.iter().map(guarded).collect()
    }

    pub(super) fn overview(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "description": "",
            "status": "Published",
            "archived": false,
            "labels": {},
            "updatedAt": self.created.rfc3339(),
        })
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "description": "",
            "status": "Published",
            "archived": false,
            "enforceSequentialOrder": false,
            "labels": {},
            "createdAt": self.created.rfc3339(),
            "updatedAt": self.created.rfc3339(),
            "stages": self.stages.iter().map(PolicyStage::json).collect::<Vec<_>>(),
            "gates": [{
                "id": self.gate_id,
                "name": GATE,
                "policyId": self.id,
                "resources": self.resources(),
            }],
        })
    }
}

/// The one gate each policy has.
pub(super) const GATE: &str = "Serve the model";

impl PolicyStage {
    /// Its questions, all in one set.
    fn evidence(&self) -> Vec<Value> {
        if self.questions.is_empty() {
            return Vec::new();
        }
        let questions = self.questions.iter().map(|(id, text)| {
            json!({
                "id": id,
                "artifactType": "input",
                "required": true,
                "details": { "type": "textarea", "label": text },
            })
        });
        vec![json!({
            "id": self.evidence_id,
            "name": self.name,
            "description": "",
            "scope": "Local",
            "artifacts": questions.collect::<Vec<_>>(),
        })]
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "evidenceSet": self.evidence(),
            "approvals": [self.approval.json()],
        })
    }
}

impl StageApproval {
    pub(super) fn json(&self) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "required": true,
            "approvers": approvers(&self.approvers),
        })
    }
}

/// Users as governance lists approvers.
pub(super) fn approvers(users: &[Arc<User>]) -> Value {
    let one = |user: &Arc<User>| {
        let mut approver = by(user);
        approver["editable"] = true.into();
        approver["showByDefault"] = true.into();
        approver["isOrganizationUser"] = false.into();
        approver
    };
    users.iter().map(one).collect()
}
